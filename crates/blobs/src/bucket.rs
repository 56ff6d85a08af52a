//! Objects in buckets: those of others, which are read where they are, and what clients put into ours by themselves.
//!
//! Unlike the rest of this crate, these methods are asynchronous.

use std::time::Duration;

use bytes::Bytes;
use object_store::{
    Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt,
    aws::AmazonS3,
    multipart::{MultipartStore, PartId},
    path::Path,
    signer::{SignedUrlOptions, Signer},
};
use thiserror::Error;
use tokio::task::JoinHandle;

use crate::{BlobError, BlobStore, S3Url, s3, store::Place};

/// What is read at once; the next such piece is on its way meanwhile.
const PIECE_BYTES: u64 = 8 << 20;
/// Where clients put objects, below the store's prefix.
const INCOMING: &str = "incoming";

/// A bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: AmazonS3,
    /// It knows the store by the name that clients outside have for it.
    signer: AmazonS3,
    url: S3Url,
}

/// Which of the objects that a key has had is meant; anything when nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Of a bucket that keeps versions.
    pub id: Option<String>,
    /// The entity tag, without quotation marks.
    pub etag: Option<String>,
}

/// Why an object cannot be had.
#[derive(Debug, Error)]
pub enum ObjectError {
    /// There is none of this key or version.
    #[error("there is no object {key} in {bucket}")]
    NotThere {
        /// The bucket's URL.
        bucket: String,
        /// The key.
        key: String,
    },
    /// Another object has taken its place.
    #[error("the object {key} in {bucket} is another one now")]
    Changed {
        /// The bucket's URL.
        bucket: String,
        /// The key.
        key: String,
    },
    /// No request can be made for such a key.
    #[error(
        "objects with the key {0:?} are not supported: a part of it is empty, . or .., or it has control characters"
    )]
    Key(String),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] BlobError),
}

impl Bucket {
    /// A bucket of others, with credentials out of `environment` as for [`BlobStore::connect`]. Asks nobody yet. A store
    /// that does not answer is given up within seconds, and is worth another try later.
    pub fn open(url: &S3Url, environment: &[(String, String)]) -> Result<Self, BlobError> {
        let client = s3::source_client(url, environment)?;
        Ok(Self::of(client.clone(), client, url.clone()))
    }

    /// Where it is, without what is secret.
    pub fn url(&self) -> &S3Url {
        &self.url
    }

    /// The key of what a client puts into our own store under this name.
    pub fn incoming(&self, name: &str) -> String {
        match self.url.prefix.as_str() {
            "" => format!("{INCOMING}/{name}"),
            prefix => format!("{prefix}/{INCOMING}/{name}"),
        }
    }

    /// An object, opened for reading from its beginning to its end.
    pub async fn object(&self, key: &str, version: &ObjectVersion) -> Result<ObjectReader, ObjectError> {
        let path = path(key)?;
        let options = GetOptions { head: true, version: version.id.clone(), ..GetOptions::default() };
        let found = self.client.get_opts(&path, options).await;
        let meta = found.map_err(|error| self.explain("looking for an object", key, &error))?.meta;
        let is_meant = match (&version.etag, &meta.e_tag) {
            (Some(wanted), Some(found)) => wanted.trim_matches('"') == found.trim_matches('"'),
            _ => true,
        };
        if !is_meant {
            return Err(ObjectError::Changed { bucket: self.url.to_string(), key: key.to_owned() });
        }
        Ok(ObjectReader {
            bucket: self.clone(),
            key: key.to_owned(),
            path,
            version: version.id.clone(),
            etag: meta.e_tag,
            size: meta.size,
            asked: 0,
            coming_at: 0,
            until: meta.size,
            coming: None,
        })
    }

    /// A URL with which anybody puts an object of this key for so long, and the part of an upload in parts where one
    /// is named.
    pub async fn signed_put(
        &self,
        key: &str,
        part: Option<(&str, usize)>,
        valid: Duration,
    ) -> Result<String, ObjectError> {
        let path = path(key)?;
        let mut options = SignedUrlOptions::new();
        if let Some((upload, number)) = part {
            options =
                options.with_query([("partNumber", number.to_string()), ("uploadId", upload.to_owned())]);
        }
        let signed = self.signer.signed_url_opts(http::Method::PUT, &path, valid, &options).await;
        Ok(signed.map_err(|error| self.explain("signing a URL", key, &error))?.to_string())
    }

    /// Begins an upload in parts, and answers its name.
    pub async fn begin_parts(&self, key: &str) -> Result<String, ObjectError> {
        let begun = self.client.create_multipart(&path(key)?).await;
        begun.map_err(|error| self.explain("beginning an upload in parts", key, &error))
    }

    /// Makes an object of the parts, whose entity tags these are. `false`: the store has not these parts.
    pub async fn complete_parts(
        &self,
        key: &str,
        upload: &str,
        etags: &[String],
    ) -> Result<bool, ObjectError> {
        let path = path(key)?;
        let parts = etags.iter().map(|etag| PartId { content_id: etag.clone() }).collect();
        match self.client.complete_multipart(&path, &upload.to_owned(), parts).await {
            Ok(_) => Ok(true),
            Err(error) => match self.explain("ending an upload in parts", key, &error) {
                // It was completed before, or was given up.
                ObjectError::NotThere { .. } => match self.object(key, &ObjectVersion::default()).await {
                    Ok(_) => Ok(true),
                    Err(ObjectError::NotThere { .. }) => Ok(false),
                    Err(error) => Err(error),
                },
                _ if is_of_the_parts(&error) => Ok(false),
                error => Err(error),
            },
        }
    }

    /// Gives an upload in parts up. One that is not there is none the worse.
    pub async fn abort_parts(&self, key: &str, upload: &str) -> Result<(), ObjectError> {
        match self.client.abort_multipart(&path(key)?, &upload.to_owned()).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.explain("giving an upload up", key, &error)),
        }
    }

    /// Takes an object away. One that is not there is none the worse.
    pub async fn remove(&self, key: &str) -> Result<(), ObjectError> {
        match self.client.delete(&path(key)?).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.explain("removing an object", key, &error)),
        }
    }

    fn explain(&self, what: &str, key: &str, error: &Error) -> ObjectError {
        let (bucket, key) = (self.url.to_string(), key.to_owned());
        match error {
            Error::NotFound { .. } if !error.to_string().contains("NoSuchBucket") => {
                ObjectError::NotThere { bucket, key }
            }
            Error::Precondition { .. } => ObjectError::Changed { bucket, key },
            error => ObjectError::Store(s3::explain(&self.url, what, error)),
        }
    }
}

impl BlobStore {
    /// The bucket that the evidence is in, for clients that put theirs there by themselves; `None` on a disk.
    pub fn bucket(&self) -> Option<Bucket> {
        match self.place() {
            Place::Local(_) => None,
            Place::S3(s3) => Some(s3.as_bucket()),
        }
    }
}

impl Bucket {
    pub(crate) fn of(client: AmazonS3, signer: AmazonS3, url: S3Url) -> Self {
        Self { client, signer, url }
    }
}

/// An object on its way here.
pub struct ObjectReader {
    bucket: Bucket,
    key: String,
    path: Path,
    version: Option<String>,
    /// Of the object as it was opened: of what takes its place meanwhile nothing is read.
    etag: Option<String>,
    size: u64,
    /// What is read or on its way ends here.
    asked: u64,
    /// Where what is on its way begins.
    coming_at: u64,
    /// Nothing from here on is asked for.
    until: u64,
    coming: Option<JoinHandle<Result<Bytes, Error>>>,
}

impl ObjectReader {
    /// Its size.
    pub const fn size_bytes(&self) -> u64 {
        self.size
    }

    /// Its entity tag, without quotation marks.
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref().map(|etag| etag.trim_matches('"'))
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether what comes next begins at `offset`, and is asked for up to `until`.
    pub(crate) fn is_at(&self, offset: u64, until: u64) -> bool {
        let begins = if self.coming.is_some() { self.coming_at } else { self.asked };
        begins == offset && self.until >= until.min(self.size)
    }

    /// Goes on from `offset` to `until`.
    pub(crate) fn seek(&mut self, offset: u64, until: u64) {
        if let Some(coming) = self.coming.take() {
            coming.abort();
        }
        (self.asked, self.until) = (offset, until.min(self.size));
    }

    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        let coming = match self.coming.take() {
            Some(coming) => coming,
            None => match self.ask() {
                Some(coming) => coming,
                None => return Ok(None),
            },
        };
        self.coming_at = self.asked;
        self.coming = self.ask();
        let read = coming.await.map_err(|error| BlobError::Unavailable {
            what: "reading an object".to_owned(),
            reason: format!("a defect: {error}"),
        })?;
        read.map(Some).map_err(|error| self.bucket.explain("reading an object", &self.key, &error))
    }

    fn ask(&mut self) -> Option<JoinHandle<Result<Bytes, Error>>> {
        let range = self.asked..(self.asked + PIECE_BYTES).min(self.until);
        if range.is_empty() {
            return None;
        }
        self.asked = range.end;
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: self.etag.clone(),
            version: self.version.clone(),
            ..GetOptions::default()
        };
        let (client, path) = (self.bucket.client.clone(), self.path.clone());
        Some(tokio::spawn(async move { client.get_opts(&path, options).await?.bytes().await }))
    }
}

impl Drop for ObjectReader {
    fn drop(&mut self) {
        if let Some(coming) = &self.coming {
            coming.abort();
        }
    }
}

fn path(key: &str) -> Result<Path, ObjectError> {
    let unsupported = || ObjectError::Key(key.to_owned());
    let path = Path::parse(key).map_err(|_| unsupported())?;
    // Slashes at its ends would be lost.
    if path.as_ref() == key && !key.is_empty() { Ok(path) } else { Err(unsupported()) }
}

/// The store says that the parts are not what they were said to be (S3's errors of `CompleteMultipartUpload`).
fn is_of_the_parts(error: &Error) -> bool {
    let text = error.to_string();
    ["InvalidPart", "EntityTooSmall", "MalformedXML", "NoSuchUpload"].iter().any(|code| text.contains(code))
}

#[cfg(test)]
mod tests;
