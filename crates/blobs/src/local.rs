use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{BlobError, Digest};

/// Blobs in a directory of the local disk.
///
/// `<root>/blobs/ab/cdef….zst` holds them, `<root>/tmp` what is on its way in, `<root>/spool`
/// pieces of uploads.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    root: PathBuf,
}

impl Local {
    pub(crate) fn open(root: PathBuf) -> Result<Self, BlobError> {
        let local = Self { root };
        // All shards at once, so that a blob never depends on a directory whose own name another
        // upload has made and not yet flushed.
        let shards = (0..=0xff_u8).map(|shard| local.root.join("blobs").join(format!("{shard:02x}")));
        for directory in shards.chain([local.temporary(), local.spool()]) {
            fs::create_dir_all(&directory)
                .map_err(BlobError::io(format!("creating {}", directory.display())))?;
        }
        sync_directory(&local.root.join("blobs"))?;
        sync_directory(&local.root)?;
        Ok(local)
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Pieces of uploads that come in several requests.
    pub(crate) fn spool(&self) -> PathBuf {
        self.root.join("spool")
    }

    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        let (shard, rest) = name.split_at(2);
        self.root.join("blobs").join(shard).join(format!("{rest}.zst"))
    }

    pub(crate) fn contains(&self, digest: &Digest) -> Result<bool, BlobError> {
        let path = self.path(digest);
        path.try_exists().map_err(BlobError::io(format!("looking for {}", path.display())))
    }

    /// Names a whole file durably. Answers whether there was none of that name.
    pub(crate) fn keep(&self, file: NamedTempFile, digest: &Digest) -> Result<bool, BlobError> {
        file.as_file().sync_all().map_err(BlobError::io("flushing evidence to disk"))?;
        let path = self.path(digest);
        let new = !path.exists();
        if new {
            file.persist(&path)
                .map_err(|error| BlobError::io(format!("naming {}", path.display()))(error.error))?;
        }
        // Also when it was there: another ingest may have named it a moment ago and not come further.
        if let Some(directory) = path.parent() {
            sync_directory(directory)?;
        }
        Ok(new)
    }

    pub(crate) fn open_file(&self, digest: &Digest) -> Result<File, BlobError> {
        let path = self.path(digest);
        File::open(&path).map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                BlobError::NotFound(*digest)
            } else {
                BlobError::io(format!("opening {}", path.display()))(error)
            }
        })
    }

    pub(crate) fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        for path in [self.path(digest), self.reference_path(digest)] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(BlobError::io(format!("removing {}", path.display()))(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn reference_path(&self, digest: &Digest) -> PathBuf {
        self.path(digest).with_extension("ref")
    }

    /// Says durably where the bytes of a blob are.
    pub(crate) fn keep_reference(&self, digest: &Digest, text: &[u8]) -> Result<(), BlobError> {
        let path = self.reference_path(digest);
        let failed = || BlobError::io(format!("writing {}", path.display()));
        let mut file = NamedTempFile::new_in(self.temporary()).map_err(failed())?;
        file.write_all(text).and_then(|()| file.as_file().sync_all()).map_err(failed())?;
        file.persist(&path).map_err(|error| failed()(error.error))?;
        path.parent().map_or(Ok(()), sync_directory)
    }

    /// What was said of where the bytes of a blob are.
    pub(crate) fn reference(&self, digest: &Digest) -> Result<Option<Vec<u8>>, BlobError> {
        let path = self.reference_path(digest);
        match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some).map_err(BlobError::io(format!("reading {}", path.display()))),
        }
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), BlobError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(BlobError::io(format!("flushing {}", path.display())))
}
