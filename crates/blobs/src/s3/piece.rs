//! Pieces of uploads that come in several requests: `<prefix>/spool/<name>.zst`.

use std::{fs::File, os::unix::fs::FileExt, time::Duration};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{Error, ObjectStore, ObjectStoreExt, path::Path};

use super::S3;
use crate::{BlobError, spool::FirstNames};

impl S3 {
    fn spool(&self) -> Path {
        self.inner.root().join("spool")
    }

    fn piece_path(&self, name: &str) -> Path {
        self.spool().join(format!("{name}.zst"))
    }

    /// Puts a piece into the store, with one request: it is small.
    pub(crate) fn keep_piece(&self, file: &File, name: &str) -> Result<(), BlobError> {
        let failed = || BlobError::io("reading a piece of an upload");
        let size = file.metadata().map_err(failed())?.len();
        let mut bytes = vec![0; size as usize];
        file.read_exact_at(&mut bytes, 0).map_err(failed())?;
        let put = self.wait(self.inner.client.put(&self.piece_path(name), Bytes::from(bytes).into()));
        put.map(drop).map_err(|error| self.inner.explain("storing a piece of an upload", &error))
    }

    pub(crate) fn piece(&self, name: &str) -> Result<Bytes, BlobError> {
        let read = self.wait(async { self.inner.client.get(&self.piece_path(name)).await?.bytes().await });
        read.map_err(|error| match error {
            Error::NotFound { .. } => BlobError::PieceLost,
            error => self.inner.explain("reading a piece of an upload", &error),
        })
    }

    pub(crate) fn remove_piece(&self, name: &str) -> Result<(), BlobError> {
        match self.wait(self.inner.client.delete(&self.piece_path(name))) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.inner.explain("removing a piece of an upload", &error)),
        }
    }

    pub(crate) fn old_pieces(&self, age: Duration, old: &mut FirstNames<'_>) -> Result<(), BlobError> {
        let oldest = super::upload::now() - i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        let failed = |error: Error| self.inner.explain("looking for pieces of uploads", &error);
        self.wait(async {
            let spool = self.spool();
            let mut found = match old.after() {
                Some(after) => self.inner.client.list_with_offset(Some(&spool), &self.piece_path(after)),
                None => self.inner.client.list(Some(&spool)),
            };
            while let Some(piece) = found.try_next().await.map_err(failed)? {
                let name = piece.location.filename().and_then(|name| name.strip_suffix(".zst"));
                let aged = piece.last_modified.timestamp() < oldest;
                if let Some(name) = name.filter(|_| aged) {
                    old.add(name);
                }
            }
            Ok(())
        })
    }
}
