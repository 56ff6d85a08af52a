//! Sends evidence to a Panicle service.
//!
//! Blocking, and streaming from disk: memory use does not depend on the size of a file. What the
//! service has already is not sent again. Trouble on the way (no connection, a server error) is
//! tried again a few times; an answer that says no is not.

mod client;
mod error;

pub use client::{Answered, Client, Crash, NewCrash, Stored, web_address};
pub use error::UploadError;
