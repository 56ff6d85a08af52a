//! Evidence at rest.
//!
//! A blob is named by the SHA-256 of its raw bytes and stored once, in a directory or in a bucket of an
//! S3-compatible store. There it is an ordinary zstd file in the Zstandard seekable format: independent
//! frames of one mebibyte and a table of their sizes at the end, so that `zstd -d` restores it without
//! Panicle, and Panicle reads any part of it without the rest. A frame of zeros costs a few bytes, which matters for cores: most of the
//! address space that they describe was never touched.
//!
//! Design constraints:
//!
//! - memory use does not depend on the size of a blob, neither on the way in nor on the way out;
//! - [`Ingest::finish`] returns after data, name and directory are on disk, or after the store has
//!   confirmed the whole object, so that whoever acknowledges afterwards loses nothing to a crash at any
//!   moment;
//! - nothing here looks into the bytes.
//!
//! Everything but [`BlobStore::connect`] and [`Bucket`] blocks; asynchronous callers use a thread
//! (`tokio::task::spawn_blocking`).

mod bucket;
mod cache;
mod digest;
mod error;
mod ingest;
mod local;
mod reader;
mod reference;
mod room;
mod s3;
mod seekable;
mod source;
mod spool;
mod store;
mod url;

pub use bucket::{Bucket, ObjectError, ObjectReader, ObjectVersion};
pub use cache::{LocalCache, LocalFile};
pub use digest::{Digest, NotADigest};
pub use error::BlobError;
pub use ingest::{Ingest, Ingested};
pub use reader::BlobReader;
pub use reference::Reference;
pub use room::Reservation;
pub use source::{NotASource, S3Source, Take};
pub use spool::{KeptPiece, PIECE_BYTES, Piece};
pub use store::{BlobStore, Limits};
pub use url::{BlobUrl, NotABlobUrl, S3Url};
