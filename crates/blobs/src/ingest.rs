use std::io::Write;

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::{
    BlobError, BlobStore, Digest, Reservation,
    seekable::{self, Entry, FRAME_BYTES},
};

/// How much is written between two looks at the free space.
const SPACE_CHECK_BYTES: u64 = 64 << 20;

/// A blob on its way in. Dropping it removes what was written.
pub struct Ingest {
    store: BlobStore,
    file: NamedTempFile,
    hash: Sha256,
    compressor: zstd::bulk::Compressor<'static>,
    frame: Vec<u8>,
    zero_frame: Vec<u8>,
    entries: Vec<Entry>,
    raw: u64,
    stored: u64,
    checked_at: u64,
    room: Reservation,
}

/// What [`Ingest::finish`] stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ingested {
    /// Its name.
    pub digest: Digest,
    /// Raw size.
    pub size_bytes: u64,
    /// Size on disk.
    pub stored_bytes: u64,
    /// It was not there before.
    pub new: bool,
}

impl Ingest {
    pub(crate) fn begin(store: BlobStore, room: Reservation) -> Result<Self, BlobError> {
        let temporary = store.temporary();
        let file = NamedTempFile::new_in(temporary)
            .map_err(BlobError::io(format!("creating a file in {}", temporary.display())))?;
        let mut compressor = zstd::bulk::Compressor::new(1).map_err(BlobError::io("starting compression"))?;
        compressor.include_checksum(true).map_err(BlobError::io("starting compression"))?;
        let zero_frame =
            compressor.compress(&vec![0; FRAME_BYTES]).map_err(BlobError::io("starting compression"))?;
        Ok(Self {
            store,
            file,
            hash: Sha256::new(),
            compressor,
            frame: Vec::with_capacity(FRAME_BYTES),
            zero_frame,
            entries: Vec::new(),
            raw: 0,
            stored: 0,
            checked_at: 0,
            room,
        })
    }

    /// Takes the next raw bytes.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), BlobError> {
        self.raw += bytes.len() as u64;
        let limit = self.store.limits().max_blob_bytes;
        if self.raw > limit {
            return Err(BlobError::TooLarge { limit });
        }
        self.hash.update(bytes);
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(FRAME_BYTES - self.frame.len()));
            self.frame.extend_from_slice(now);
            bytes = later;
            if self.frame.len() == FRAME_BYTES {
                self.end_frame()?;
            }
        }
        Ok(())
    }

    fn end_frame(&mut self) -> Result<(), BlobError> {
        let compressed;
        let bytes = if self.frame.len() == FRAME_BYTES && is_zero(&self.frame) {
            &self.zero_frame
        } else {
            compressed = self.compressor.compress(&self.frame).map_err(BlobError::io("compressing"))?;
            &compressed
        };
        self.file.write_all(bytes).map_err(BlobError::io("writing evidence"))?;
        self.entries.push(Entry { compressed: bytes.len() as u32, raw: self.frame.len() as u32 });
        self.stored += bytes.len() as u64;
        self.room.came(self.frame.len() as u64);
        self.frame.clear();
        if self.stored - self.checked_at > SPACE_CHECK_BYTES {
            self.checked_at = self.stored;
            self.store.check_space()?;
        }
        Ok(())
    }

    /// Raw bytes taken so far.
    pub const fn size_bytes(&self) -> u64 {
        self.raw
    }

    /// Stores the blob durably under its digest, which has to be `expected` if that is given.
    pub fn finish(mut self, expected: Option<Digest>) -> Result<Ingested, BlobError> {
        if !self.frame.is_empty() {
            self.end_frame()?;
        }
        let digest = Digest::from_bytes(self.hash.finalize().into());
        if let Some(expected) = expected.filter(|expected| *expected != digest) {
            return Err(BlobError::DigestMismatch { expected, actual: digest });
        }
        let table = seekable::table(&self.entries)
            .ok_or(BlobError::TooLarge { limit: u64::from(u32::MAX) * FRAME_BYTES as u64 / 16 })?;
        self.file.write_all(&table).map_err(BlobError::io("writing evidence"))?;
        let new = self.store.keep(self.file, &digest)?;
        Ok(Ingested { digest, size_bytes: self.raw, stored_bytes: self.stored + table.len() as u64, new })
    }
}

pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    // Comparing with itself shifted by one is a memcmp, the fastest scan that safe code can have.
    bytes.first().is_none_or(|&first| first == 0 && bytes[1..] == bytes[..bytes.len() - 1])
}
