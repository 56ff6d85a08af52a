//! Blobs whose bytes stay in a bucket of others: only where they are is kept, and which object it was.
//!
//! `<digest>.ref` beside where the blob would be says so. What is there in its own right goes first. Nothing here ever
//! changes or removes the object itself.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::{BlobError, Bucket, Digest, ObjectError, ObjectReader, ObjectVersion};

/// Where the bytes of a blob are, and which object they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Name of the source.
    pub source: String,
    /// Its bucket, for people.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// Of a bucket that keeps versions.
    pub version_id: Option<String>,
    /// The entity tag that it had.
    pub etag: String,
    /// The size that it had.
    pub size_bytes: u64,
}

/// The buckets that blobs may be in, by the names of their sources.
#[derive(Clone, Debug)]
pub(crate) struct Elsewhere {
    buckets: Arc<[(String, Bucket)]>,
    handle: Handle,
}

impl Elsewhere {
    /// Requests run on the Tokio runtime that this is called on.
    pub(crate) fn new(buckets: Vec<(String, Bucket)>) -> Self {
        Self { buckets: buckets.into(), handle: Handle::current() }
    }

    pub(crate) fn open(&self, digest: &Digest, reference: &Reference) -> Result<ForeignObject, BlobError> {
        let Some((_, bucket)) = self.buckets.iter().find(|(name, _)| *name == reference.source) else {
            return Err(no_source(reference));
        };
        let version = ObjectVersion { id: reference.version_id.clone(), etag: Some(reference.etag.clone()) };
        let opened = self.handle.block_on(bucket.object(&reference.key, &version));
        let reader = opened.map_err(|error| explain(*digest, reference, error))?;
        if reader.etag() != Some(reference.etag.as_str()) || reader.size_bytes() != reference.size_bytes {
            return Err(changed(*digest, reference, "it is another one now"));
        }
        Ok(ForeignObject {
            reader,
            handle: self.handle.clone(),
            digest: *digest,
            reference: reference.clone(),
            at: 0,
            piece: Bytes::new(),
        })
    }
}

/// An object of others, opened as a blob.
pub(crate) struct ForeignObject {
    reader: ObjectReader,
    handle: Handle,
    digest: Digest,
    reference: Reference,
    /// Where the piece begins.
    at: u64,
    piece: Bytes,
}

impl ForeignObject {
    pub(crate) const fn length(&self) -> u64 {
        self.reference.size_bytes
    }

    /// Fills `into` from `offset`; up to `until` it is read on.
    pub(crate) fn read_at(&mut self, into: &mut [u8], offset: u64, until: u64) -> Result<(), BlobError> {
        let (mut offset, mut into) = (offset, into);
        while !into.is_empty() {
            let end = self.at + self.piece.len() as u64;
            if (self.at..end).contains(&offset) {
                let held = &self.piece[(offset - self.at) as usize..];
                let count = held.len().min(into.len());
                into[..count].copy_from_slice(&held[..count]);
                (offset, into) = (offset + count as u64, &mut into[count..]);
                continue;
            }
            if offset != end || !self.reader.is_at(end, until) {
                self.reader.seek(offset, until);
            }
            let next = self.handle.block_on(self.reader.next());
            let next = next.map_err(|error| explain(self.digest, &self.reference, error))?;
            let next = next.filter(|bytes| !bytes.is_empty());
            self.piece = next.ok_or_else(|| changed(self.digest, &self.reference, "it is shorter now"))?;
            self.at = offset;
        }
        Ok(())
    }
}

pub(crate) fn no_source(reference: &Reference) -> BlobError {
    BlobError::Refused {
        what: "reading evidence that stayed in its bucket".to_owned(),
        reason: format!("this process knows no source {}; start it with --s3-source", reference.source),
    }
}

fn changed(digest: Digest, reference: &Reference, reason: &str) -> BlobError {
    BlobError::NotTheSame {
        digest,
        object: format!("{} in {} (source {})", reference.key, reference.bucket, reference.source),
        reason: reason.to_owned(),
    }
}

fn explain(digest: Digest, reference: &Reference, error: ObjectError) -> BlobError {
    match error {
        ObjectError::NotThere { .. } => changed(digest, reference, "it was removed"),
        ObjectError::Changed { .. } => changed(digest, reference, "it is another one now"),
        ObjectError::Key(_) => changed(digest, reference, "no request can be made for its key"),
        ObjectError::Store(error) => error,
    }
}

#[cfg(test)]
mod tests;
