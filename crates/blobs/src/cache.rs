use std::{
    collections::HashMap,
    fs,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tempfile::{NamedTempFile, TempDir};

use crate::{BlobError, BlobStore, Digest, ingest::is_zero, reader::Piece};

/// Granularity of the holes in a materialised file.
const HOLE_BYTES: usize = 4096;

/// Blobs as sparse local files, for whoever has to map them. Keeps the most recently used ones up
/// to a bound.
#[derive(Clone)]
pub struct LocalCache {
    inner: Arc<Inner>,
}

struct Inner {
    store: BlobStore,
    directory: PathBuf,
    max_bytes: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    files: HashMap<Digest, Cached>,
    bytes: u64,
    clock: u64,
}

struct Cached {
    /// On disk, holes not counted.
    bytes: u64,
    used_at: u64,
    users: usize,
}

/// A blob as a local file, which stays until this is dropped.
pub struct LocalFile {
    inner: Arc<Inner>,
    digest: Digest,
    path: PathBuf,
}

impl LocalCache {
    /// A cache in `directory`, which belongs to it alone and is emptied. Files in use may exceed
    /// `max_bytes`; others go when they would.
    pub fn open(store: BlobStore, directory: PathBuf, max_bytes: u64) -> Result<Self, BlobError> {
        let failed = || BlobError::io(format!("emptying {}", directory.display()));
        if directory.exists() {
            fs::remove_dir_all(&directory).map_err(failed())?;
        }
        fs::create_dir_all(&directory).map_err(failed())?;
        Ok(Self { inner: Arc::new(Inner { store, directory, max_bytes, state: Mutex::default() }) })
    }

    /// The blobs that it lays out.
    pub fn blobs(&self) -> &BlobStore {
        &self.inner.store
    }

    /// An empty folder beside the files, for what is made of them; it goes with its handle. What it
    /// holds does not count against the cache's size.
    pub fn scratch(&self) -> Result<TempDir, BlobError> {
        let directory = &self.inner.directory;
        tempfile::Builder::new()
            .prefix("scratch-")
            .tempdir_in(directory)
            .map_err(BlobError::io(format!("making a folder in {}", directory.display())))
    }

    /// Whether the blob is laid out already.
    pub fn holds(&self, digest: &Digest) -> bool {
        self.inner.state().files.contains_key(digest)
    }

    /// The blob as a file. While it is written, `on_bytes` is told how many there are so far.
    pub fn materialise(&self, digest: &Digest, on_bytes: impl FnMut(u64)) -> Result<LocalFile, BlobError> {
        let inner = &self.inner;
        let path = inner.directory.join(digest.to_string());
        let file = || LocalFile { inner: Arc::clone(inner), digest: *digest, path: path.clone() };
        if inner.take(digest) {
            return Ok(file());
        }
        // Two that want the same blob at once both write it, and the second name wins: rare, and
        // simpler than waiting for each other.
        let (written, bytes) = inner.write(digest, on_bytes)?;
        inner.insert(digest, written, &path, bytes)?;
        Ok(file())
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, digest: &Digest) -> bool {
        let mut state = self.state();
        state.clock += 1;
        let now = state.clock;
        state.files.get_mut(digest).is_some_and(|cached| {
            cached.users += 1;
            cached.used_at = now;
            true
        })
    }

    fn write(
        &self,
        digest: &Digest,
        mut on_bytes: impl FnMut(u64),
    ) -> Result<(NamedTempFile, u64), BlobError> {
        let failed = || BlobError::io(format!("laying {digest} out in {}", self.directory.display()));
        let mut reader = self.store.reader(digest)?;
        let file = NamedTempFile::new_in(&self.directory).map_err(failed())?;
        file.as_file().set_len(reader.size_bytes()).map_err(failed())?;
        reader.each_frame(|offset, piece| {
            let Piece::Bytes(bytes) = piece else { return Ok(()) };
            let mut at = offset;
            for block in bytes.chunks(HOLE_BYTES) {
                if !is_zero(block) {
                    file.as_file().write_all_at(block, at).map_err(failed())?;
                }
                at += block.len() as u64;
            }
            on_bytes(at);
            Ok(())
        })?;
        let bytes = file.as_file().metadata().map_err(failed())?.blocks() * 512;
        Ok((file, bytes))
    }

    fn insert(&self, digest: &Digest, file: NamedTempFile, path: &Path, bytes: u64) -> Result<(), BlobError> {
        let mut state = self.state();
        // While nobody can take a file of that name away.
        file.persist(path)
            .map_err(|error| BlobError::io(format!("naming {}", path.display()))(error.error))?;
        state.clock += 1;
        let now = state.clock;
        if let Some(cached) = state.files.get_mut(digest) {
            cached.users += 1;
            cached.used_at = now;
        } else {
            state.files.insert(*digest, Cached { bytes, used_at: now, users: 1 });
            state.bytes += bytes;
        }
        self.evict(&mut state);
        Ok(())
    }

    fn evict(&self, state: &mut State) {
        while state.bytes > self.max_bytes {
            let unused = state.files.iter().filter(|(_, cached)| cached.users == 0);
            let Some(oldest) = unused.min_by_key(|(_, cached)| cached.used_at).map(|(digest, _)| *digest)
            else {
                break;
            };
            if let Some(cached) = state.files.remove(&oldest) {
                state.bytes -= cached.bytes;
            }
            let path = self.directory.join(oldest.to_string());
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "a cached file could not be removed");
            }
        }
    }
}

impl LocalFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        let mut state = self.inner.state();
        if let Some(cached) = state.files.get_mut(&self.digest) {
            cached.users -= 1;
        }
        self.inner.evict(&mut state);
    }
}

#[cfg(test)]
mod tests;
