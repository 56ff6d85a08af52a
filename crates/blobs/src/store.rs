use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{
    BlobError, BlobReader, Bucket, Digest, Ingest, Reference, Reservation, S3Url,
    local::Local,
    reader::Source,
    reference::{Elsewhere, no_source},
    room::{self, Room},
    s3::S3,
};

/// Bounds on what is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Raw bytes of one blob at most.
    pub max_blob_bytes: u64,
    /// Bytes that have to stay free on the disk where uploads are written first.
    pub min_free_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_blob_bytes: 256 << 30, min_free_bytes: 256 << 20 }
    }
}

/// Blobs in a directory of the local disk, or in an S3-compatible store.
#[derive(Clone, Debug)]
pub struct BlobStore {
    place: Place,
    /// What is on its way in.
    temporary: PathBuf,
    limits: Limits,
    /// What others, with copies of this, have announced.
    room: Room,
    elsewhere: Option<Elsewhere>,
}

#[derive(Clone, Debug)]
pub(crate) enum Place {
    Local(Local),
    S3(S3),
}

impl BlobStore {
    /// Opens the store under `root` and makes its directories.
    pub fn open(root: impl Into<PathBuf>, limits: Limits) -> Result<Self, BlobError> {
        let local = Local::open(root.into())?;
        let (temporary, place) = (local.temporary(), Place::Local(local));
        Ok(Self { temporary, place, limits, room: Room::default(), elsewhere: None })
    }

    /// Opens a bucket, with credentials and whatever else is in variables of `environment` as AWS' own
    /// programs read them (`AWS_ACCESS_KEY_ID`, …). Uploads are written to `temporary` first, which this
    /// process has to itself. Waits a while for a store that does not answer.
    ///
    /// The store's requests run on the Tokio runtime that this is called on, and the other methods wait
    /// for them, each on a thread that may block.
    pub async fn connect(
        url: &S3Url,
        environment: impl IntoIterator<Item = (String, String)>,
        temporary: PathBuf,
        limits: Limits,
    ) -> Result<Self, BlobError> {
        fs::create_dir_all(&temporary).map_err(BlobError::io(format!("creating {}", temporary.display())))?;
        let place = Place::S3(S3::connect(url, environment).await?);
        Ok(Self { place, temporary, limits, room: Room::default(), elsewhere: None })
    }

    /// With the buckets that blobs may have stayed in, by the names of their sources. Their requests run on the
    /// Tokio runtime that this is called on.
    #[must_use]
    pub fn with_sources(self, buckets: Vec<(String, Bucket)>) -> Self {
        Self { elsewhere: Some(Elsewhere::new(buckets)), ..self }
    }

    /// Notes where the bytes of a blob are, in the place of storing them.
    pub fn keep_reference(&self, digest: &Digest, reference: &Reference) -> Result<(), BlobError> {
        let text = serde_json::to_vec(reference)
            .map_err(|error| BlobError::io("writing a reference")(error.into()))?;
        match &self.place {
            Place::Local(local) => local.keep_reference(digest, &text),
            Place::S3(s3) => s3.keep_reference(digest, text),
        }
    }

    /// Where the bytes of a blob are, if they are not stored here.
    pub fn reference(&self, digest: &Digest) -> Result<Option<Reference>, BlobError> {
        let stored = match &self.place {
            Place::Local(local) => local.contains(digest)?,
            Place::S3(s3) => s3.contains(digest)?,
        };
        if stored { Ok(None) } else { self.noted(digest) }
    }

    fn noted(&self, digest: &Digest) -> Result<Option<Reference>, BlobError> {
        let text = match &self.place {
            Place::Local(local) => local.reference(digest)?,
            Place::S3(s3) => s3.reference(digest)?,
        };
        let damaged = || BlobError::Damaged { digest: *digest, reason: "where its bytes are cannot be read" };
        text.map(|text| serde_json::from_slice(&text).map_err(|_| damaged())).transpose()
    }

    /// Removes what uploads left behind that did not come to their end. Only for the one process
    /// that takes uploads with these temporary files, before it takes any. Answers how many there were.
    pub fn sweep(&self) -> Result<usize, BlobError> {
        let failed = || BlobError::io(format!("sweeping {}", self.temporary.display()));
        let mut removed = 0;
        for entry in fs::read_dir(&self.temporary).map_err(failed())? {
            fs::remove_file(entry.map_err(failed())?.path()).map_err(failed())?;
            removed += 1;
        }
        Ok(removed + self.sweep_store()?)
    }

    /// Ends uploads to the store that broke off a day ago or longer; others' too. Answers how many.
    pub fn sweep_store(&self) -> Result<usize, BlobError> {
        match &self.place {
            Place::Local(_) => Ok(0),
            Place::S3(s3) => s3.sweep(),
        }
    }

    /// Starts taking a blob in whose size nobody knows.
    pub fn begin(&self) -> Result<Ingest, BlobError> {
        self.begin_announced(None)
    }

    /// Starts taking a blob in, and keeps room for so many bytes until they have come.
    pub fn begin_announced(&self, bytes: Option<u64>) -> Result<Ingest, BlobError> {
        Ingest::begin(self.clone(), self.reserve(bytes)?)
    }

    /// Keeps room on the disk for what is announced, as raw bytes, since nobody knows how much they can be compressed.
    /// More than that and [`Limits::min_free_bytes`] has to be free beside what others have announced to this process.
    pub fn reserve(&self, bytes: Option<u64>) -> Result<Reservation, BlobError> {
        self.room.reserve(&self.temporary, self.limits.min_free_bytes, bytes.unwrap_or(0))
    }

    /// Opens a blob for reading.
    pub fn reader(&self, digest: &Digest) -> Result<BlobReader, BlobError> {
        let source = match &self.place {
            Place::Local(local) => local.open_file(digest).and_then(Source::file),
            Place::S3(s3) => s3.object(digest).map(Source::object),
        };
        match source {
            Err(BlobError::NotFound(_)) => {
                let reference = self.noted(digest)?.ok_or(BlobError::NotFound(*digest))?;
                let elsewhere = self.elsewhere.as_ref().ok_or_else(|| no_source(&reference))?;
                BlobReader::foreign(*digest, elsewhere.open(digest, &reference)?)
            }
            source => BlobReader::open(*digest, source?),
        }
    }

    /// Whether the blob is there, or it is noted where its bytes are.
    pub fn contains(&self, digest: &Digest) -> Result<bool, BlobError> {
        let stored = match &self.place {
            Place::Local(local) => local.contains(digest)?,
            Place::S3(s3) => s3.contains(digest)?,
        };
        Ok(stored || self.noted(digest)?.is_some())
    }

    /// Takes the bytes of a blob away; one that is not there is none the worse. Whoever reads it from a
    /// disk meanwhile reads on. Of bytes that are elsewhere, only the note goes.
    pub fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        match &self.place {
            Place::Local(local) => local.remove(digest),
            Place::S3(s3) => s3.remove(digest),
        }
    }

    /// Whether uploads can be written to the local disk, with enough room left. Answers how many bytes are
    /// free there.
    pub fn check_disk(&self) -> Result<u64, BlobError> {
        let free = self.check_space()?;
        tempfile::tempfile_in(&self.temporary).map(drop).map_err(BlobError::io("creating a file"))?;
        Ok(free)
    }

    /// Whether the store answers, within a few seconds. A disk always does.
    pub fn check_store(&self) -> Result<(), BlobError> {
        match &self.place {
            Place::Local(_) => Ok(()),
            Place::S3(s3) => s3.check(),
        }
    }

    /// Puts a whole file under its name. Answers whether there was none of that name.
    pub(crate) fn keep(&self, file: NamedTempFile, digest: &Digest) -> Result<bool, BlobError> {
        match &self.place {
            Place::Local(local) => local.keep(file, digest),
            Place::S3(s3) => s3.keep(file.as_file(), digest),
        }
    }

    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// What is under way goes on in the room that was kept for it, as long as the disk really has some.
    pub(crate) fn check_space(&self) -> Result<u64, BlobError> {
        let free = room::free(&self.temporary)?;
        if free < self.limits.min_free_bytes {
            Err(BlobError::DiskLow { free, announced: 0 })
        } else {
            Ok(free)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
