use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::{BlobError, BlobReader, Digest, Ingest};

/// Bounds on what is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Raw bytes of one blob at most.
    pub max_blob_bytes: u64,
    /// Bytes that have to stay free on the disk.
    pub min_free_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_blob_bytes: 256 << 30, min_free_bytes: 256 << 20 }
    }
}

/// Blobs in a directory of the local disk.
///
/// `<root>/blobs/ab/cdef….zst` holds them, `<root>/tmp` what is on its way in.
#[derive(Clone, Debug)]
pub struct BlobStore {
    root: PathBuf,
    limits: Limits,
}

impl BlobStore {
    /// Opens the store under `root` and makes its directories.
    pub fn open(root: impl Into<PathBuf>, limits: Limits) -> Result<Self, BlobError> {
        let store = Self { root: root.into(), limits };
        // All shards at once, so that a blob never depends on a directory whose own name another
        // upload has made and not yet flushed.
        let shards = (0..=0xff_u8).map(|shard| store.root.join("blobs").join(format!("{shard:02x}")));
        for directory in shards.chain([store.temporary()]) {
            fs::create_dir_all(&directory)
                .map_err(BlobError::io(format!("creating {}", directory.display())))?;
        }
        sync_directory(&store.root.join("blobs"))?;
        sync_directory(&store.root)?;
        Ok(store)
    }

    /// Removes what uploads left behind that did not come to their end. Only for the one process
    /// that takes uploads, before it takes any. Answers how many files went.
    pub fn sweep(&self) -> Result<usize, BlobError> {
        let temporary = self.temporary();
        let failed = || BlobError::io(format!("sweeping {}", temporary.display()));
        let mut removed = 0;
        for entry in fs::read_dir(&temporary).map_err(failed())? {
            fs::remove_file(entry.map_err(failed())?.path()).map_err(failed())?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Starts taking a blob in.
    pub fn begin(&self) -> Result<Ingest, BlobError> {
        Ingest::begin(self.clone())
    }

    /// Opens a blob for reading.
    pub fn reader(&self, digest: &Digest) -> Result<BlobReader, BlobError> {
        BlobReader::open(*digest, &self.path(digest))
    }

    /// Whether the blob is there.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.path(digest).exists()
    }

    /// Takes the bytes of a blob away; one that is not there is none the worse. Whoever reads it meanwhile
    /// reads on.
    pub fn remove(&self, digest: &Digest) -> std::io::Result<()> {
        match fs::remove_file(self.path(digest)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// Whether a file can be written here, with enough room left.
    pub fn check(&self) -> Result<(), BlobError> {
        self.check_space()?;
        tempfile::tempfile_in(self.temporary()).map(drop).map_err(BlobError::io("creating a file"))
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        let (shard, rest) = name.split_at(2);
        self.root.join("blobs").join(shard).join(format!("{rest}.zst"))
    }

    pub(crate) fn check_space(&self) -> Result<(), BlobError> {
        let stat = rustix::fs::statvfs(&self.root)
            .map_err(|error| BlobError::io("asking for the free space")(error.into()))?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        if free < self.limits.min_free_bytes { Err(BlobError::DiskLow { free }) } else { Ok(()) }
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), BlobError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(BlobError::io(format!("flushing {}", path.display())))
}

#[cfg(test)]
mod tests;
