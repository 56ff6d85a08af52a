//! Pieces of uploads that come in several requests, until they are a blob.
//!
//! A piece is whole and durable or not there at all. Which pieces an upload has, and in which order, is
//! told by whoever keeps them ([`BlobStore::assemble`]); here each has a name that no other ever had, so
//! that one who was taken for dead and writes on spoils nothing. Pieces are compressed, because most of a
//! core is zeros.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use tempfile::NamedTempFile;

use crate::{
    BlobError, BlobStore, Digest, Ingested,
    local::{Local, sync_directory},
    store::Place,
};

/// Bytes of one piece at most.
pub const PIECE_BYTES: u64 = 16 << 20;

/// Names of old pieces that are answered at once.
pub(crate) const MOST_OLD: usize = 1000;

/// What is read at once of a piece.
const READ_BYTES: usize = 256 << 10;

/// A piece on its way in. Dropping it removes what was written.
pub struct Piece {
    store: BlobStore,
    encoder: zstd::stream::write::Encoder<'static, NamedTempFile>,
    raw: u64,
}

/// A piece that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPiece {
    /// Its name.
    pub name: String,
    /// Raw size.
    pub size_bytes: u64,
}

impl Piece {
    /// Takes the next raw bytes, of at most [`PIECE_BYTES`] in all.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.raw += bytes.len() as u64;
        if self.raw > PIECE_BYTES {
            return Err(BlobError::TooLarge { limit: PIECE_BYTES });
        }
        self.encoder.write_all(bytes).map_err(BlobError::io("writing a piece of an upload"))
    }

    /// Raw bytes taken so far.
    pub const fn size_bytes(&self) -> u64 {
        self.raw
    }

    /// Keeps the piece durably.
    pub fn keep(self) -> Result<KeptPiece, BlobError> {
        let name = uuid::Uuid::now_v7().to_string();
        let file = self.encoder.finish().map_err(BlobError::io("writing a piece of an upload"))?;
        match self.store.place() {
            Place::Local(local) => local.keep_piece(file, &name)?,
            Place::S3(s3) => s3.keep_piece(file.as_file(), &name)?,
        }
        Ok(KeptPiece { name, size_bytes: self.raw })
    }
}

impl BlobStore {
    /// Raw bytes of one blob at most.
    pub const fn max_blob_bytes(&self) -> u64 {
        self.limits().max_blob_bytes
    }

    /// Starts taking a piece of an upload.
    pub fn begin_piece(&self) -> Result<Piece, BlobError> {
        self.check_space()?;
        let failed = || BlobError::io("starting a piece of an upload");
        let file = NamedTempFile::new_in(self.temporary()).map_err(failed())?;
        let encoder = zstd::stream::write::Encoder::new(file, 1).map_err(failed())?;
        Ok(Piece { store: self.clone(), encoder, raw: 0 })
    }

    /// Makes a blob of pieces, one after the other, and stores it durably under its digest, which has to be
    /// `expected` if that is given. `check` is shown the first bytes, all of them if there are fewer than
    /// `head_bytes`, and may refuse. The pieces stay.
    pub fn assemble<E: From<BlobError>>(
        &self,
        pieces: &[KeptPiece],
        expected: Option<Digest>,
        head_bytes: usize,
        check: impl FnOnce(&[u8]) -> Result<(), E>,
    ) -> Result<Ingested, E> {
        let mut ingest = self.begin()?;
        let mut check = Some(check);
        let mut head = Vec::new();
        for piece in pieces {
            self.read_piece(piece, |bytes| {
                if let Some(wanted) = check.take() {
                    let missing = head_bytes.saturating_sub(head.len()).min(bytes.len());
                    head.extend_from_slice(&bytes[..missing]);
                    if head.len() < head_bytes {
                        check = Some(wanted);
                    } else {
                        wanted(&head)?;
                    }
                }
                ingest.write(bytes).map_err(E::from)
            })?;
        }
        if let Some(check) = check {
            check(&head)?;
        }
        Ok(ingest.finish(expected)?)
    }

    fn read_piece<E: From<BlobError>>(
        &self,
        piece: &KeptPiece,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = || BlobError::io(format!("reading the piece {} of an upload", piece.name));
        let file = self.open_piece(&piece.name)?;
        // Never more than was written, whatever the file has become.
        let mut raw = zstd::stream::read::Decoder::new(file)
            .map_err(failed())?
            .take(piece.size_bytes.saturating_add(1));
        let mut buffer = vec![0; READ_BYTES];
        let mut size = 0;
        loop {
            match raw.read(&mut buffer).map_err(failed())? {
                0 => break,
                count => {
                    size += count as u64;
                    take(&buffer[..count])?;
                }
            }
        }
        if size == piece.size_bytes {
            return Ok(());
        }
        let what = format!("it has {size} bytes and had {}", piece.size_bytes);
        Err(failed()(io::Error::new(ErrorKind::InvalidData, what)).into())
    }

    fn open_piece(&self, name: &str) -> Result<Box<dyn Read>, BlobError> {
        match self.place() {
            Place::Local(local) => Ok(Box::new(local.open_piece(name)?)),
            Place::S3(s3) => Ok(Box::new(io::Cursor::new(s3.piece(name)?))),
        }
    }

    /// Takes a piece away; one that is not there is none the worse.
    pub fn remove_piece(&self, name: &str) -> Result<(), BlobError> {
        match self.place() {
            Place::Local(local) => local.remove_piece(name),
            Place::S3(s3) => s3.remove_piece(name),
        }
    }

    /// Names of pieces that were kept longer than `age` ago, those after this one and in their order, a thousand at
    /// most. Looks through all of them.
    pub fn old_pieces(&self, age: Duration, after: Option<&str>) -> Result<Vec<String>, BlobError> {
        let mut old = FirstNames::new(after);
        match self.place() {
            Place::Local(local) => local.old_pieces(age, &mut old)?,
            Place::S3(s3) => s3.old_pieces(age, &mut old)?,
        }
        Ok(old.names.into_iter().collect())
    }
}

/// The first of many names, whatever the order in which they come.
pub(crate) struct FirstNames<'a> {
    after: &'a str,
    names: BTreeSet<String>,
}

impl<'a> FirstNames<'a> {
    fn new(name: Option<&'a str>) -> Self {
        Self { after: name.unwrap_or_default(), names: BTreeSet::new() }
    }

    pub(crate) fn after(&self) -> Option<&'a str> {
        Some(self.after).filter(|name| !name.is_empty())
    }

    pub(crate) fn add(&mut self, name: &str) {
        if name <= self.after {
            return;
        }
        self.names.insert(name.to_owned());
        if self.names.len() > MOST_OLD {
            self.names.pop_last();
        }
    }
}

impl Local {
    fn piece_path(&self, name: &str) -> PathBuf {
        self.spool().join(format!("{name}.zst"))
    }

    fn keep_piece(&self, file: NamedTempFile, name: &str) -> Result<(), BlobError> {
        let path = self.piece_path(name);
        file.as_file().sync_all().map_err(BlobError::io("flushing a piece of an upload to disk"))?;
        file.persist(&path)
            .map_err(|error| BlobError::io(format!("naming {}", path.display()))(error.error))?;
        sync_directory(&self.spool())
    }

    fn open_piece(&self, name: &str) -> Result<File, BlobError> {
        let path = self.piece_path(name);
        File::open(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => BlobError::PieceLost,
            _ => BlobError::io(format!("opening {}", path.display()))(error),
        })
    }

    fn remove_piece(&self, name: &str) -> Result<(), BlobError> {
        let path = self.piece_path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(BlobError::io(format!("removing {}", path.display()))(error))
            }
            _ => Ok(()),
        }
    }

    fn old_pieces(&self, age: Duration, old: &mut FirstNames<'_>) -> Result<(), BlobError> {
        let failed = || BlobError::io(format!("looking through {}", self.spool().display()));
        for entry in fs::read_dir(self.spool()).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let Ok(modified) = entry.metadata().and_then(|meta| meta.modified()) else { continue };
            let aged = SystemTime::now().duration_since(modified).is_ok_and(|passed| passed > age);
            let name = entry.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(".zst"));
            if let Some(name) = name.filter(|_| aged) {
                old.add(name);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::PIECE_BYTES;
    use crate::{BlobError, BlobStore, Limits};

    #[test]
    fn pieces_become_a_blob_in_the_order_that_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path(), Limits::default()).unwrap();
        let keep = |bytes: &[u8]| {
            let mut piece = store.begin_piece().unwrap();
            piece.write(bytes).unwrap();
            piece.keep().unwrap()
        };
        let pieces = [keep(b"one "), keep(&vec![0; 3 << 20]), keep(b" two")];
        let mut seen = Vec::new();
        let look = |head: &[u8]| {
            seen = head.to_vec();
            Ok::<(), BlobError>(())
        };
        let stored = store.assemble(&pieces, None, 10, look).unwrap();
        assert_eq!(seen, b"one \0\0\0\0\0\0");
        assert_eq!(stored.size_bytes, (3 << 20) + 8);
        let mut whole = Vec::new();
        store
            .reader(&stored.digest)
            .unwrap()
            .read_range(0, stored.size_bytes, |bytes| {
                whole.extend_from_slice(bytes);
                true
            })
            .unwrap();
        assert!(whole.starts_with(b"one \0") && whole.ends_with(b"\0 two"));

        assert!(store.old_pieces(Duration::from_mins(1), None).unwrap().is_empty());
        let old = store.old_pieces(Duration::ZERO, None).unwrap();
        assert_eq!(old, pieces.iter().map(|piece| piece.name.clone()).collect::<Vec<_>>());
        assert_eq!(store.old_pieces(Duration::ZERO, Some(&old[1])).unwrap(), old[2..]);
        for piece in &pieces {
            store.remove_piece(&piece.name).unwrap();
            store.remove_piece(&piece.name).unwrap();
        }
        assert!(store.old_pieces(Duration::ZERO, None).unwrap().is_empty());
        assert!(store.assemble(&pieces, None, 10, |_| Ok::<(), BlobError>(())).is_err());
    }

    #[test]
    fn however_many_there_are_all_are_found_in_turn() {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path(), Limits::default()).unwrap();
        let count = 2 * super::MOST_OLD + 7;
        for number in 0..count {
            std::fs::write(directory.path().join("spool").join(format!("{number:05}.zst")), b"x").unwrap();
        }
        let (mut found, mut last): (usize, Option<String>) = (0, None);
        loop {
            let names = store.old_pieces(Duration::ZERO, last.as_deref()).unwrap();
            found += names.len();
            match names.last() {
                Some(name) => last = Some(name.clone()),
                None => break,
            }
        }
        assert_eq!((found, last), (count, Some(format!("{:05}", count - 1))));
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path(), Limits::default()).unwrap();
        let mut piece = store.begin_piece().unwrap();
        piece.write(b"half").unwrap();
        assert!(piece.write(&vec![1; PIECE_BYTES as usize]).is_err());
        drop(piece);
        assert_eq!(std::fs::read_dir(directory.path().join("tmp")).unwrap().count(), 0);
    }
}
