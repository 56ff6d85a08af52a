//! Objects on their way into the store.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    sync::{Arc, atomic::Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload,
    multipart::{MultipartStore, PartId},
    path::Path,
};
use tokio::task::JoinSet;

use super::{Inner, S3};
use crate::{BlobError, Digest};

/// Up to this size an object is put with one request. Above, it is the size of a part, as long as there
/// are not more parts than a store takes.
const PART_BYTES: u64 = 8 << 20;
/// Parts of one object, of 10,000 that S3 takes.
const MOST_PARTS: u64 = 9_000;
/// Parts of one object that are sent at the same time.
const PARTS_AT_ONCE: usize = 3;
/// An upload in parts that has gone on for longer has broken off.
const ABANDONED_SECONDS: i64 = 24 * 60 * 60;

impl S3 {
    /// Puts a file into the store. Answers whether it was not there.
    pub(crate) fn keep(&self, file: &File, digest: &Digest) -> Result<bool, BlobError> {
        let size = file.metadata().map_err(BlobError::io("reading evidence"))?.len();
        let path = self.inner.path(digest);
        if self.wait(self.inner.size(&path))?.is_some() {
            return Ok(false);
        }
        if size <= PART_BYTES {
            return self.put(file, size, &path);
        }
        self.put_parts(file, size, &path)?;
        match self.wait(self.inner.size(&path))? {
            Some(stored) if stored == size => Ok(true),
            stored => Err(BlobError::Unavailable {
                what: "storing evidence".to_owned(),
                reason: format!("{}: it has {stored:?} of {size} bytes that it confirmed", self.inner.url),
            }),
        }
    }

    fn put(&self, file: &File, size: u64, path: &Path) -> Result<bool, BlobError> {
        let inner = &self.inner;
        let memory = self.wait(inner.memory.acquire());
        let payload = PutPayload::from_bytes(read(file, 0, size)?);
        let put = |mode: PutMode| self.wait(inner.client.put_opts(path, payload.clone(), mode.into()));
        let mut outcome = put(if inner.conditional() { PutMode::Create } else { PutMode::Overwrite });
        if matches!(&outcome, Err(error) if inner.conditional() && is_unknown(error)) {
            tracing::warn!(store = %inner.url, "the store knows no conditional writes; doing without");
            inner.conditional.store(false, Ordering::Relaxed);
            outcome = put(PutMode::Overwrite);
        }
        drop(memory);
        match outcome {
            Ok(_) => Ok(true),
            // Somebody else was faster.
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(inner.explain("storing evidence", &error)),
        }
    }

    fn put_parts(&self, file: &File, size: u64, path: &Path) -> Result<(), BlobError> {
        let inner = &self.inner;
        let failed = |error: Error| inner.explain("storing evidence", &error);
        let id = self.wait(inner.client.create_multipart(path)).map_err(failed)?;
        // Parts of an upload that broke off are paid for and seen by nobody; whoever finds this note a
        // day later ends the upload.
        let note = inner.root().join("uploads").join(uuid::Uuid::now_v7().to_string());
        let noted = self.wait(inner.client.put(&note, format!("{path}\n{id}").into())).map_err(failed);
        let outcome = noted.and_then(|_| {
            let parts = self.send_parts(file, size, path, &id)?;
            self.wait(inner.client.complete_multipart(path, &id, parts)).map_err(failed)
        });
        if outcome.is_err()
            && let Err(error) = self.wait(inner.client.abort_multipart(path, &id))
        {
            tracing::warn!(%error, "an upload that broke off stays with the store for a day");
            return outcome.map(drop);
        }
        if let Err(error) = self.wait(inner.client.delete(&note)) {
            // Whoever finds it finds nothing to end.
            tracing::warn!(%error, "the note of an upload stays for a day");
        }
        outcome.map(drop)
    }

    fn send_parts(&self, file: &File, size: u64, path: &Path, id: &str) -> Result<Vec<PartId>, BlobError> {
        let part_bytes = PART_BYTES.max(size.div_ceil(MOST_PARTS).next_multiple_of(1 << 20));
        let count = size.div_ceil(part_bytes) as usize;
        let mut parts: Vec<Option<PartId>> = vec![None; count];
        let mut sending: JoinSet<(usize, Result<PartId, Error>)> = JoinSet::new();
        let mut next = 0;
        loop {
            while next < count && sending.len() < PARTS_AT_ONCE {
                let room = self.wait(Arc::clone(&self.inner).room());
                let offset = next as u64 * part_bytes;
                let bytes = read(file, offset, part_bytes.min(size - offset))?;
                let (inner, path, id, number) = (Arc::clone(&self.inner), path.clone(), id.to_owned(), next);
                let send = async move {
                    let sent = inner.client.put_part(&path, &id, number, PutPayload::from_bytes(bytes)).await;
                    drop(room);
                    (number, sent)
                };
                sending.spawn_on(send, &self.inner.handle);
                next += 1;
            }
            let Some(ended) = self.wait(sending.join_next()) else { break };
            let (number, sent) = ended.map_err(|error| BlobError::Unavailable {
                what: "storing evidence".to_owned(),
                reason: format!("a defect: {error}"),
            })?;
            parts[number] = Some(sent.map_err(|error| self.inner.explain("storing evidence", &error))?);
        }
        Ok(parts.into_iter().flatten().collect())
    }

    /// Ends uploads that broke off a day ago or longer. Answers how many.
    pub(crate) fn sweep(&self) -> Result<usize, BlobError> {
        self.wait(self.inner.sweep(now() - ABANDONED_SECONDS))
    }
}

/// Room in memory for a part.
struct Room(Arc<Inner>);

impl Drop for Room {
    fn drop(&mut self) {
        self.0.memory.add_permits(1);
    }
}

impl Inner {
    async fn room(self: Arc<Self>) -> Room {
        if let Ok(permit) = self.memory.acquire().await {
            permit.forget();
        }
        Room(self)
    }

    /// Ends uploads that began before `oldest`, in seconds since 1970.
    async fn sweep(&self, oldest: i64) -> Result<usize, BlobError> {
        let what = "looking for uploads that broke off";
        let failed = |error: Error| self.explain(what, &error);
        let mut notes = self.client.list(Some(&self.root().join("uploads")));
        let mut ended = 0;
        while let Some(note) = notes.try_next().await.map_err(failed)? {
            if note.last_modified.timestamp() > oldest {
                continue;
            }
            let text = match self.client.get(&note.location).await {
                Ok(found) => found.bytes().await.map_err(failed)?,
                Err(Error::NotFound { .. }) => continue,
                Err(error) => return Err(failed(error)),
            };
            if let Some((path, id)) = std::str::from_utf8(&text).ok().and_then(|text| text.split_once('\n')) {
                match self.client.abort_multipart(&Path::from(path), &id.to_owned()).await {
                    Ok(()) => ended += 1,
                    // It came to its end, and only its note stayed.
                    Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(failed(error)),
                }
            }
            match self.client.delete(&note.location).await {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(ended)
    }
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

fn read(file: &File, offset: u64, length: u64) -> Result<Bytes, BlobError> {
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, offset).map_err(BlobError::io("reading evidence"))?;
    Ok(bytes.into())
}

/// The store says that it does not know what it is asked for.
fn is_unknown(error: &Error) -> bool {
    let text = error.to_string();
    matches!(error, Error::NotImplemented { .. } | Error::NotSupported { .. })
        || text.contains("NotImplemented")
        || text.contains("501 ")
}

#[cfg(test)]
mod tests;
