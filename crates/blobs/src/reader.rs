use std::{fs::File, io, os::unix::fs::FileExt};

use crate::{
    BlobError, Digest,
    reference::ForeignObject,
    s3::Object,
    seekable::{self, ENTRY_BYTES, FOOTER_BYTES, FRAME_BYTES, SKIPPABLE_HEADER_BYTES},
};

/// A blob opened for reading, at any place.
pub struct BlobReader {
    digest: Digest,
    source: Source,
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

impl FrameAt {
    /// Where the next one begins.
    const fn end(&self) -> u64 {
        self.offset + self.compressed as u64
    }
}

/// Where the bytes of a blob come from.
pub(crate) enum Source {
    File(File, u64),
    Object(Box<Object>),
    /// The bytes as they are, and not as a store of ours writes them.
    Foreign(Box<ForeignObject>),
}

impl Source {
    pub(crate) fn file(file: File) -> Result<Self, BlobError> {
        let length = file.metadata().map_err(BlobError::io("reading evidence"))?.len();
        Ok(Self::File(file, length))
    }

    pub(crate) fn object(object: Object) -> Self {
        Self::Object(Box::new(object))
    }

    const fn length(&self) -> u64 {
        match self {
            Self::File(_, length) => *length,
            Self::Object(object) => object.length(),
            Self::Foreign(object) => object.length(),
        }
    }

    /// Fills `into` from `offset`; everything up to `until` will be wanted next.
    fn read_at(&mut self, into: &mut [u8], offset: u64, until: u64) -> Result<(), BlobError> {
        match self {
            Self::File(file, _) => {
                file.read_exact_at(into, offset).map_err(BlobError::io("reading evidence"))
            }
            Self::Object(object) => object.read_at(into, offset, until),
            Self::Foreign(object) => object.read_at(into, offset, until),
        }
    }
}

/// What [`BlobReader::each_frame`] comes across.
pub(crate) enum Piece<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// That many zeros.
    Zeros,
}

impl BlobReader {
    pub(crate) fn open(digest: Digest, mut source: Source) -> Result<Self, BlobError> {
        let damaged = |reason| BlobError::Damaged { digest, reason };
        let length = source.length();
        let footer_at = length.checked_sub(FOOTER_BYTES as u64).ok_or(damaged("it is too short"))?;
        let mut footer = [0; FOOTER_BYTES];
        source.read_at(&mut footer, footer_at, length)?;
        let table_bytes = u64::from(seekable::footer(footer).map_err(damaged)?) * ENTRY_BYTES as u64;
        let table_at = footer_at.checked_sub(table_bytes).ok_or(damaged("its seek table is too long"))?;
        let mut table = vec![0; table_bytes as usize];
        source.read_at(&mut table, table_at, length)?;

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
            source,
            frames,
            raw: raw_offset,
            decompressor: zstd::bulk::Decompressor::new().map_err(compression())?,
            zero_frame: zero_frame().map_err(compression())?,
            compressed: Vec::new(),
            frame: Vec::with_capacity(FRAME_BYTES),
        })
    }

    /// One whose bytes are elsewhere, as they are: frames that nobody has compressed.
    pub(crate) fn foreign(digest: Digest, object: ForeignObject) -> Result<Self, BlobError> {
        let raw = object.length();
        let frame = |at: u64| {
            let size = (raw - at).min(FRAME_BYTES as u64) as u32;
            FrameAt { offset: at, raw_offset: at, compressed: size, raw: size }
        };
        let compression = || BlobError::io("starting decompression");
        Ok(Self {
            digest,
            source: Source::Foreign(Box::new(object)),
            frames: (0..raw).step_by(FRAME_BYTES).map(frame).collect(),
            raw,
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
        let behind = self.frames.partition_point(|frame| frame.raw_offset < end);
        let until = self.frames[..behind].last().map_or(0, FrameAt::end);
        let first = self.frames.partition_point(|frame| frame.raw_offset + u64::from(frame.raw) <= start);
        for index in first..behind {
            let at = self.frames[index];
            self.load(at, until)?;
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
        let until = self.frames.last().map_or(0, FrameAt::end);
        for index in 0..self.frames.len() {
            let at = self.frames[index];
            self.load(at, until)?;
            if self.compressed == self.zero_frame {
                sink(at.raw_offset, Piece::Zeros)?;
            } else {
                self.decompress(at)?;
                sink(at.raw_offset, Piece::Bytes(&self.frame))?;
            }
        }
        Ok(())
    }

    fn load(&mut self, at: FrameAt, until: u64) -> Result<(), BlobError> {
        self.compressed.resize(at.compressed as usize, 0);
        self.source.read_at(&mut self.compressed, at.offset, until)
    }

    fn decompress(&mut self, at: FrameAt) -> Result<(), BlobError> {
        let damaged = |reason| BlobError::Damaged { digest: self.digest, reason };
        self.frame.clear();
        if matches!(self.source, Source::Foreign(_)) {
            self.frame.extend_from_slice(&self.compressed);
            return Ok(());
        }
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
