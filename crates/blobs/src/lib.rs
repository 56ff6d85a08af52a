//! Evidence at rest.
//!
//! A blob is named by the SHA-256 of its raw bytes and stored once. On disk it is an ordinary zstd
//! file in the Zstandard seekable format: independent frames of one mebibyte and a table of their
//! sizes at the end, so that `zstd -d` restores it without Panicle, and Panicle reads any part of
//! it without the rest. A frame of zeros costs a few bytes, which matters for cores: most of the
//! address space that they describe was never touched.
//!
//! Design constraints:
//!
//! - memory use does not depend on the size of a blob, neither on the way in nor on the way out;
//! - [`Ingest::finish`] returns after data, name and directory are on disk, so that whoever
//!   acknowledges afterwards loses nothing to a crash at any moment;
//! - nothing here looks into the bytes.
//!
//! Everything blocks; asynchronous callers use a thread.

mod cache;
mod digest;
mod error;
mod ingest;
mod reader;
mod seekable;
mod store;

pub use cache::{LocalCache, LocalFile};
pub use digest::{Digest, NotADigest};
pub use error::BlobError;
pub use ingest::{Ingest, Ingested};
pub use reader::BlobReader;
pub use store::{BlobStore, Limits};
