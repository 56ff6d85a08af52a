use std::io;

use thiserror::Error;

use crate::Digest;

/// What can go wrong with a blob.
#[derive(Debug, Error)]
pub enum BlobError {
    /// The file system failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// The cause.
        source: io::Error,
    },
    /// More raw bytes than [`crate::Limits::max_blob_bytes`].
    #[error("the upload exceeds the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// Storing more would leave less than [`crate::Limits::min_free_bytes`] on the disk.
    #[error("the disk that holds the evidence has only {free} bytes left, and {announced} are announced")]
    DiskLow {
        /// What is left.
        free: u64,
        /// What is announced and has not yet come, with this upload.
        announced: u64,
    },
    /// The bytes are not those that were announced.
    #[error("the bytes have SHA-256 {actual}, announced was {expected}")]
    DigestMismatch {
        /// Announced.
        expected: Digest,
        /// Computed.
        actual: Digest,
    },
    /// There is no such blob.
    #[error("there is no blob {0}")]
    NotFound(Digest),
    /// A piece of an upload is not there any more, as after a restore.
    #[error("a piece of the upload is not there any more")]
    PieceLost,
    /// The store cannot be reached, or cannot answer, right now.
    #[error("{what}: {reason}")]
    Unavailable {
        /// What was being done.
        what: String,
        /// What is known of the cause.
        reason: String,
    },
    /// The store refuses what is asked of it until somebody changes its settings or ours.
    #[error("{what}: {reason}")]
    Refused {
        /// What was being done.
        what: String,
        /// Why, and what to look at.
        reason: String,
    },
    /// The bytes of a blob that stayed in a bucket of others are not there any more.
    #[error("the object {object} is not the one that was taken over: {reason}")]
    NotTheSame {
        /// Which blob.
        digest: Digest,
        /// Key, bucket and source.
        object: String,
        /// What became of it.
        reason: String,
    },
    /// What is on disk is not what was written there.
    #[error("blob {digest} is damaged: {reason}")]
    Damaged {
        /// Which blob.
        digest: Digest,
        /// What does not fit.
        reason: &'static str,
    },
}

impl BlobError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source: io::Error| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskLow { free: 0, announced: 0 }
            }
            _ => Self::Io { what, source },
        }
    }
}
