//! Members of a zip archive without its central directory, which is written last: a collector that
//! was killed leaves none. Each member has a header of its own in front of it (APPNOTE.TXT 4.3.7).

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt as _,
};

use flate2::read::DeflateDecoder;

const SIGNATURE: [u8; 4] = *b"PK\x03\x04";
const HEADER: u64 = 30;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Bit 0 of the flags: encrypted. Bit 3: sizes come behind the data.
const ENCRYPTED: u16 = 1;
const SIZES_LATER: u16 = 8;
/// The extra field with sizes of 64 bits.
const ZIP64: u16 = 1;
/// What is searched at once for the next member.
const SEARCH_BYTES: usize = 64 << 10;

/// A member's header.
pub(crate) struct Member {
    pub(crate) name: String,
    method: u16,
    encrypted: bool,
    /// Compressed size, where it is known.
    size: Option<u64>,
    /// Where its data begins.
    data: u64,
}

/// The first member at `at` or behind it.
pub(crate) fn next(file: &File, at: u64) -> io::Result<Option<Member>> {
    let Some(at) = find(file, at)? else { return Ok(None) };
    let mut header = [0; HEADER as usize];
    if read_at(file, &mut header, at)? < header.len() {
        return Ok(None);
    }
    let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
    let (flags, method, size, plain_size) = (half(6), half(8), word(18), word(22));
    let (name_length, extra_length) = (half(26), half(28));
    let mut name = vec![0; usize::from(name_length)];
    let length = read_at(file, &mut name, at + HEADER)?;
    name.truncate(length);
    let mut size = u64::from(size);
    if size == u64::from(u32::MAX) {
        let mut extra = vec![0; usize::from(extra_length)];
        let length = read_at(file, &mut extra, at + HEADER + u64::from(name_length))?;
        size = large_size(&extra[..length], plain_size == u32::MAX).unwrap_or(0);
    }
    // Zero is what a writer leaves until it knows better.
    let known = flags & SIZES_LATER == 0 && size != 0;
    Ok(Some(Member {
        name: String::from_utf8_lossy(&name).into_owned(),
        method,
        encrypted: flags & ENCRYPTED != 0,
        size: known.then_some(size),
        data: at + HEADER + u64::from(name_length) + u64::from(extra_length),
    }))
}

/// The compressed size among a member's extra fields, where 32 bits do not hold it (APPNOTE.TXT 4.5.3). `both`: the size
/// of what comes out is there, too, and in front of it.
fn large_size(mut extra: &[u8], both: bool) -> Option<u64> {
    while let [id_low, id_high, length_low, length_high, rest @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([*length_low, *length_high]));
        let field = rest.get(..length)?;
        if u16::from_le_bytes([*id_low, *id_high]) == ZIP64 {
            let from = if both { 8 } else { 0 };
            return Some(u64::from_le_bytes(*field.get(from..)?.first_chunk()?));
        }
        extra = &rest[length..];
    }
    None
}

/// Where the next member's header is.
fn find(file: &File, mut at: u64) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; SEARCH_BYTES];
    loop {
        let length = read_at(file, &mut buffer, at)?;
        if let Some(found) = buffer[..length].windows(4).position(|window| window == SIGNATURE) {
            return Ok(Some(at + found as u64));
        }
        if length < buffer.len() {
            return Ok(None);
        }
        // The signature may lie across two pieces.
        at += (length - 3) as u64;
    }
}

fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], at.saturating_add(filled as u64))? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// A member's content.
pub(crate) struct Content<'f> {
    /// `None` for what cannot be read.
    pub(crate) reader: Option<Reader<'f>>,
    data: u64,
    size: Option<u64>,
    /// It is known to lack its end, or nothing tells where that is.
    pub(crate) cut: bool,
}

/// Reads a member's content.
pub(crate) enum Reader<'f> {
    Stored(At<'f>),
    Deflated(DeflateDecoder<At<'f>>),
}

impl Member {
    pub(crate) fn content<'f>(&self, file: &'f File) -> io::Result<Content<'f>> {
        let length = file.metadata()?.len();
        let end = self.size.map_or(length, |size| self.data.saturating_add(size).min(length));
        let cut = match self.size {
            Some(size) => self.data.saturating_add(size) > length,
            // A compressed one has an end of its own.
            None => self.method == STORED,
        };
        let at = At { file, position: self.data, end };
        let reader = match self.method {
            _ if self.encrypted => None,
            STORED => Some(Reader::Stored(at)),
            DEFLATED => Some(Reader::Deflated(DeflateDecoder::new(at))),
            _ => None,
        };
        Ok(Content { reader, data: self.data, size: self.size, cut })
    }
}

impl Content<'_> {
    /// From where on the next member is searched.
    pub(crate) fn end(&self) -> u64 {
        match (&self.reader, self.size) {
            (_, Some(size)) => self.data.saturating_add(size),
            (Some(Reader::Deflated(decoder)), None) => self.data + decoder.total_in(),
            (Some(Reader::Stored(at)), None) => at.position,
            (None, None) => self.data,
        }
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(at) => at.read(buffer),
            Self::Deflated(decoder) => decoder.read(buffer),
        }
    }
}

/// Part of a file.
pub(crate) struct At<'f> {
    file: &'f File,
    position: u64,
    end: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.end.saturating_sub(self.position).min(buffer.len() as u64) as usize;
        let count = self.file.read_at(&mut buffer[..most], self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
