//! Sends evidence to a Panicle service.
//!
//! Blocking, and streaming from disk: memory use does not depend on the size of a file. What the
//! service has already is not sent again, and what is large goes on where it broke off. Trouble on the
//! way (no connection, a server error) is tried again for a while; an answer that says no is not.

mod client;
mod error;

pub use client::{Answered, Client, Crash, Evidence, NewCrash, Piped, Stored, web_address};
pub use error::UploadError;
