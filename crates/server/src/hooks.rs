//! What other systems tell, in their own words.

pub(crate) mod alerts;
pub(crate) mod notice;
pub(crate) mod s3;
