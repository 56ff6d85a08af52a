use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use crate::{
    BlobError, Digest,
    seekable::{self, ENTRY_BYTES, FOOTER_BYTES, FRAME_BYTES, SKIPPABLE_HEADER_BYTES},
};

/// A blob opened for reading, at any place.
pub struct BlobReader {
    digest: Digest,
    file: File,
    frames: Vec<FrameAt>,
    raw: u64,
    decompressor: zstd::bulk::Decompressor<'static>,
    zero_frame: Vec<u8>,
    compressed: Vec<u8>,
    frame: Vec<u8>,
}

#[derive(Clone, Copy)]
struct FrameAt {
    offset: u64,
    raw_offset: u64,
    compressed: u32,
    raw: u32,
}

/// What [`BlobReader::each_frame`] comes across.
pub(crate) enum Piece<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// That many zeros.
    Zeros,
}

impl BlobReader {
    pub(crate) fn open(digest: Digest, path: &Path) -> Result<Self, BlobError> {
        let file = File::open(path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                BlobError::NotFound(digest)
            } else {
                BlobError::io(format!("opening {}", path.display()))(error)
            }
        })?;
        let damaged = |reason| BlobError::Damaged { digest, reason };
        let reading = || BlobError::io(format!("reading {}", path.display()));
        let length = file.metadata().map_err(reading())?.len();
        let footer_at = length.checked_sub(FOOTER_BYTES as u64).ok_or(damaged("it is too short"))?;
        let mut footer = [0; FOOTER_BYTES];
        file.read_exact_at(&mut footer, footer_at).map_err(reading())?;
        let table_bytes = u64::from(seekable::footer(footer).map_err(damaged)?) * ENTRY_BYTES as u64;
        let table_at = footer_at.checked_sub(table_bytes).ok_or(damaged("its seek table is too long"))?;
        let mut table = vec![0; table_bytes as usize];
        file.read_exact_at(&mut table, table_at).map_err(reading())?;

        let mut frames = Vec::with_capacity(table.len() / ENTRY_BYTES);
        let (mut offset, mut raw_offset) = (0_u64, 0_u64);
        for entry in seekable::entries(&table) {
            if entry.raw as usize > FRAME_BYTES || entry.compressed as usize > 2 * FRAME_BYTES {
                return Err(damaged("a frame is too large"));
            }
            frames.push(FrameAt { offset, raw_offset, compressed: entry.compressed, raw: entry.raw });
            offset += u64::from(entry.compressed);
            raw_offset += u64::from(entry.raw);
        }
        if offset + SKIPPABLE_HEADER_BYTES as u64 != table_at {
            return Err(damaged("its frames do not fill it"));
        }
        let compression = || BlobError::io("starting decompression");
        Ok(Self {
            digest,
            file,
            frames,
            raw: raw_offset,
            decompressor: zstd::bulk::Decompressor::new().map_err(compression())?,
            zero_frame: zero_frame().map_err(compression())?,
            compressed: Vec::new(),
            frame: Vec::with_capacity(FRAME_BYTES),
        })
    }

    /// Raw size.
    pub const fn size_bytes(&self) -> u64 {
        self.raw
    }

    /// Hands the raw bytes from `start` up to `end` to `sink`, piece by piece, until it answers
    /// `false`.
    pub fn read_range(
        &mut self,
        start: u64,
        end: u64,
        mut sink: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), BlobError> {
        let end = end.min(self.raw);
        let first = self.frames.partition_point(|frame| frame.raw_offset + u64::from(frame.raw) <= start);
        for index in first..self.frames.len() {
            let at = self.frames[index];
            if at.raw_offset >= end {
                break;
            }
            self.load(at)?;
            self.decompress(at)?;
            let from = start.saturating_sub(at.raw_offset) as usize;
            let to = (end - at.raw_offset).min(u64::from(at.raw)) as usize;
            if !sink(&self.frame[from..to]) {
                break;
            }
        }
        Ok(())
    }

    /// Hands every frame to `sink` with its raw offset; frames of zeros are not even decompressed.
    pub(crate) fn each_frame(
        &mut self,
        mut sink: impl FnMut(u64, Piece<'_>) -> Result<(), BlobError>,
    ) -> Result<(), BlobError> {
        for index in 0..self.frames.len() {
            let at = self.frames[index];
            self.load(at)?;
            if self.compressed == self.zero_frame {
                sink(at.raw_offset, Piece::Zeros)?;
            } else {
                self.decompress(at)?;
                sink(at.raw_offset, Piece::Bytes(&self.frame))?;
            }
        }
        Ok(())
    }

    fn load(&mut self, at: FrameAt) -> Result<(), BlobError> {
        self.compressed.resize(at.compressed as usize, 0);
        self.file.read_exact_at(&mut self.compressed, at.offset).map_err(BlobError::io("reading evidence"))
    }

    fn decompress(&mut self, at: FrameAt) -> Result<(), BlobError> {
        let damaged = |reason| BlobError::Damaged { digest: self.digest, reason };
        self.frame.clear();
        let length = self
            .decompressor
            .decompress_to_buffer(&self.compressed, &mut self.frame)
            .map_err(|_| damaged("a frame does not decompress"))?;
        if length != at.raw as usize {
            return Err(damaged("a frame has another size than its table says"));
        }
        Ok(())
    }
}

/// A frame of zeros as [`crate::Ingest`] writes it. Should another version of zstd have written it
/// differently, it is decompressed like any other.
fn zero_frame() -> io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(1)?;
    compressor.include_checksum(true)?;
    compressor.compress(&vec![0; FRAME_BYTES])
}
