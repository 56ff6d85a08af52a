//! An object of the store, read in pieces of a few MiB.

use bytes::Bytes;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, path::Path};
use tokio::task::JoinHandle;

use super::S3;
use crate::{BlobError, Digest};

/// What is asked for at once, and what of it is held; the next such piece is on its way meanwhile.
const WINDOW_BYTES: u64 = 4 << 20;
/// What is read at once at the end: the table of a blob of 8 GiB at the end, and small blobs whole.
const TAIL_BYTES: u64 = 64 << 10;

/// An object opened for reading.
pub(crate) struct Object {
    store: S3,
    path: Path,
    digest: Digest,
    /// Of the object as it was opened: what another process puts in its place has the same bytes once
    /// unpacked, but may lie differently.
    tag: Option<String>,
    length: u64,
    window: Piece,
    /// On its way.
    next: Option<Coming>,
}

/// Bytes that are being fetched.
struct Coming {
    from: u64,
    to: u64,
    fetching: JoinHandle<Result<Bytes, BlobError>>,
}

struct Piece {
    offset: u64,
    bytes: Bytes,
}

impl Piece {
    fn get(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        self.bytes.get(from..from.checked_add(length)?)
    }
}

impl Object {
    pub(super) fn open(store: &S3, digest: &Digest) -> Result<Self, BlobError> {
        let path = store.inner.path(digest);
        let failed = |error: Error| match error {
            Error::NotFound { .. } if !error.to_string().contains("NoSuchBucket") => {
                BlobError::NotFound(*digest)
            }
            error => store.inner.explain("reading evidence", &error),
        };
        // Not with the range of a suffix: stores differ in what they do when it is longer than the object.
        let meta = store.wait(store.inner.client.head(&path)).map_err(failed)?;
        let from = meta.size.saturating_sub(TAIL_BYTES);
        let tag = meta.e_tag;
        let bytes = match meta.size {
            0 => Bytes::new(),
            size => store.wait(fetch(store, &path, *digest, tag.clone(), from, size))?,
        };
        Ok(Self {
            store: store.clone(),
            path,
            digest: *digest,
            tag,
            length: meta.size,
            window: Piece { offset: from, bytes },
            next: None,
        })
    }

    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// Fills `into` from `offset`. What comes behind is fetched along, up to `until`.
    pub(crate) fn read_at(&mut self, into: &mut [u8], offset: u64, until: u64) -> Result<(), BlobError> {
        if self.window.get(offset, into.len()).is_none() {
            self.window = self.piece(offset, into.len() as u64, until)?;
        }
        let damaged = BlobError::Damaged { digest: self.digest, reason: "it is shorter than its table says" };
        into.copy_from_slice(self.window.get(offset, into.len()).ok_or(damaged)?);
        Ok(())
    }

    /// The piece that has these bytes, and the one behind it on its way.
    fn piece(&mut self, offset: u64, length: u64, until: u64) -> Result<Piece, BlobError> {
        let until = until.min(self.length);
        let end = (offset + WINDOW_BYTES.max(length)).min(until.max(offset + length)).min(self.length);
        // What is left of the piece before is the beginning of this one.
        let kept = self.window.offset + self.window.bytes.len() as u64;
        let fits = |coming: &Coming| {
            coming.from == kept
                && (self.window.offset..=kept).contains(&offset)
                && offset + length <= coming.to
        };
        let bytes = match self.next.take() {
            Some(coming) if fits(&coming) => {
                let fetched =
                    self.store.wait(coming.fetching).map_err(|error| BlobError::Unavailable {
                        what: "reading evidence".to_owned(),
                        reason: format!("a defect: {error}"),
                    })??;
                let head = self.window.bytes.slice((offset - self.window.offset) as usize..);
                if head.is_empty() { fetched } else { [head, fetched].concat().into() }
            }
            stale => {
                if let Some(stale) = stale {
                    stale.fetching.abort();
                }
                let tag = self.tag.clone();
                self.store.wait(fetch(&self.store, &self.path, self.digest, tag, offset, end))?
            }
        };
        let piece = Piece { offset, bytes };
        let from = piece.offset + piece.bytes.len() as u64;
        let to = (from + WINDOW_BYTES).min(until);
        if from < to {
            let (store, path, digest, tag) =
                (self.store.clone(), self.path.clone(), self.digest, self.tag.clone());
            let fetching = self
                .store
                .inner
                .handle
                .spawn(async move { fetch(&store, &path, digest, tag, from, to).await });
            self.next = Some(Coming { from, to, fetching });
        }
        Ok(piece)
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if let Some(coming) = &self.next {
            coming.fetching.abort();
        }
    }
}

async fn fetch(
    store: &S3,
    path: &Path,
    digest: Digest,
    tag: Option<String>,
    from: u64,
    to: u64,
) -> Result<Bytes, BlobError> {
    let failed = |error: Error| match error {
        Error::NotFound { .. } => BlobError::NotFound(digest),
        Error::Precondition { .. } => BlobError::Unavailable {
            what: "reading evidence".to_owned(),
            reason: format!("blob {digest} was stored anew while it was read; read it again"),
        },
        error => store.inner.explain("reading evidence", &error),
    };
    let options =
        GetOptions { range: Some(GetRange::Bounded(from..to)), if_match: tag, ..GetOptions::default() };
    store.inner.client.get_opts(path, options).await.map_err(failed)?.bytes().await.map_err(failed)
}
