//! One address space over the pieces of memory that are at hand.

use std::borrow::Cow;

use thiserror::Error;

/// The memory at an address is not at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the memory at {address:#x} is not there")]
pub struct Unmapped {
    /// The first missing address.
    pub address: u64,
}

#[derive(Clone, Copy, Debug)]
struct Piece<'a> {
    start: u64,
    bytes: &'a [u8],
}

impl Piece<'_> {
    fn end(&self) -> u64 {
        // Checked when the piece was added.
        self.start + self.bytes.len() as u64
    }
}

/// Pieces of memory, layered: where two overlap, the earlier layer answers.
///
/// A piece answers only for the bytes it has. What a core did not dump is unknown, not zero.
#[derive(Clone, Debug, Default)]
pub struct AddressSpace<'a> {
    /// By address, without overlaps.
    pieces: Vec<Piece<'a>>,
}

impl<'a> AddressSpace<'a> {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `bytes` at `address`, beneath what is there already.
    pub fn add_layer(&mut self, address: u64, bytes: &'a [u8]) {
        self.add_layers([(address, bytes)]);
    }

    /// Adds many pieces at once, each beneath what is there already and beneath those before it.
    pub fn add_layers(&mut self, pieces: impl IntoIterator<Item = (u64, &'a [u8])>) {
        let mut fresh = Vec::new();
        for (address, bytes) in pieces {
            // The last byte must have an address and something must come after it.
            let room = (u64::MAX - address).try_into().unwrap_or(usize::MAX);
            let bytes = &bytes[..bytes.len().min(room)];
            if !bytes.is_empty() {
                fresh.push(Piece { start: address, bytes });
            }
        }
        // Stable: of two pieces at one address the earlier stays first and wins.
        fresh.sort_by_key(|piece| piece.start);
        let mut layer: Vec<Piece<'a>> = Vec::with_capacity(fresh.len());
        for piece in fresh {
            let from = layer.last().map_or(0, Piece::end);
            layer.extend(cut(piece, from, u64::MAX));
        }
        self.pieces = merge(&self.pieces, &layer);
    }

    /// Whether there is a byte at `address`.
    pub fn contains(&self, address: u64) -> bool {
        self.at(address).is_some()
    }

    /// The pieces: where each starts, and its bytes.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, &'a [u8])> + '_ {
        self.pieces.iter().map(|piece| (piece.start, piece.bytes))
    }

    /// Fills `buffer` from `address` on.
    pub fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unmapped> {
        let mut done = 0;
        while done < buffer.len() {
            let here = address.checked_add(done as u64).ok_or(Unmapped { address: u64::MAX })?;
            let available = self.at(here).ok_or(Unmapped { address: here })?;
            let count = available.len().min(buffer.len() - done);
            buffer[done..done + count].copy_from_slice(&available[..count]);
            done += count;
        }
        Ok(())
    }

    /// The bytes at `address`, when one piece has all of them.
    pub fn slice(&self, address: u64, length: u64) -> Option<&'a [u8]> {
        self.at(address)?.get(..usize::try_from(length).ok()?)
    }

    /// All bytes from `address` to the end of the piece that has it.
    pub fn rest(&self, address: u64) -> Option<&'a [u8]> {
        self.at(address)
    }

    /// `length` bytes at `address`, at most `max` of them.
    pub fn bytes(&self, address: u64, length: u64, max: u64) -> Result<Cow<'a, [u8]>, Unmapped> {
        let length = length.min(max);
        if let Some(bytes) = self.slice(address, length) {
            return Ok(Cow::Borrowed(bytes));
        }
        // Only as much as is there is ever allocated.
        let mut found = Vec::new();
        while (found.len() as u64) < length {
            let here = address.checked_add(found.len() as u64).ok_or(Unmapped { address: u64::MAX })?;
            let available = self.at(here).ok_or(Unmapped { address: here })?;
            let count = available.len().min((length - found.len() as u64) as usize);
            found.extend_from_slice(&available[..count]);
        }
        Ok(Cow::Owned(found))
    }

    /// The bytes from `address` up to a NUL, at most `max`.
    pub fn c_str(&self, address: u64, max: u64) -> Result<Vec<u8>, Unmapped> {
        let mut found = Vec::new();
        while (found.len() as u64) < max {
            let here = address.checked_add(found.len() as u64).ok_or(Unmapped { address: u64::MAX })?;
            let available = self.at(here).ok_or(Unmapped { address: here })?;
            let available = &available[..available.len().min((max - found.len() as u64) as usize)];
            if let Some(end) = available.iter().position(|&byte| byte == 0) {
                found.extend_from_slice(&available[..end]);
                break;
            }
            found.extend_from_slice(available);
        }
        Ok(found)
    }

    /// One byte.
    pub fn u8(&self, address: u64) -> Result<u8, Unmapped> {
        self.array::<1>(address).map(|[byte]| byte)
    }

    /// Two bytes, little-endian.
    pub fn u16(&self, address: u64) -> Result<u16, Unmapped> {
        self.array(address).map(u16::from_le_bytes)
    }

    /// Four bytes, little-endian.
    pub fn u32(&self, address: u64) -> Result<u32, Unmapped> {
        self.array(address).map(u32::from_le_bytes)
    }

    /// Eight bytes, little-endian.
    pub fn u64(&self, address: u64) -> Result<u64, Unmapped> {
        self.array(address).map(u64::from_le_bytes)
    }

    /// Four bytes, little-endian, signed.
    pub fn i32(&self, address: u64) -> Result<i32, Unmapped> {
        self.array(address).map(i32::from_le_bytes)
    }

    /// Eight bytes, little-endian, signed.
    pub fn i64(&self, address: u64) -> Result<i64, Unmapped> {
        self.array(address).map(i64::from_le_bytes)
    }

    fn array<const N: usize>(&self, address: u64) -> Result<[u8; N], Unmapped> {
        if let Some(bytes) = self.at(address).and_then(|bytes| bytes.first_chunk()) {
            return Ok(*bytes);
        }
        let mut bytes = [0; N];
        self.read(address, &mut bytes)?;
        Ok(bytes)
    }

    /// What the piece at `address` has from there on.
    fn at(&self, address: u64) -> Option<&'a [u8]> {
        let after = self.pieces.partition_point(|piece| piece.start <= address);
        let piece = self.pieces.get(after.checked_sub(1)?)?;
        let offset = usize::try_from(address - piece.start).ok()?;
        piece.bytes.get(offset..).filter(|bytes| !bytes.is_empty())
    }
}

/// The part of `piece` between two addresses.
fn cut(piece: Piece<'_>, from: u64, to: u64) -> Option<Piece<'_>> {
    let start = piece.start.max(from);
    let end = piece.end().min(to);
    let length = end.checked_sub(start).filter(|&length| length > 0)?;
    let offset = (start - piece.start) as usize;
    Some(Piece { start, bytes: &piece.bytes[offset..offset + length as usize] })
}

/// `upper` with what `lower` has in its gaps; both sorted and free of overlaps.
fn merge<'a>(upper: &[Piece<'a>], lower: &[Piece<'a>]) -> Vec<Piece<'a>> {
    let mut merged = Vec::with_capacity(upper.len() + lower.len());
    let mut next = 0;
    for &piece in lower {
        let mut from = piece.start;
        // Earlier pieces of `upper` that end before this one begins stay as they are.
        while next < upper.len() && upper[next].end() <= from {
            merged.push(upper[next]);
            next += 1;
        }
        // Fill the gaps within this piece.
        while next < upper.len() && upper[next].start < piece.end() {
            merged.extend(cut(piece, from, upper[next].start));
            from = upper[next].end();
            if from > piece.end() {
                break;
            }
            merged.push(upper[next]);
            next += 1;
        }
        merged.extend(cut(piece, from, u64::MAX));
    }
    merged.extend_from_slice(&upper[next..]);
    merged
}

#[cfg(test)]
mod tests {
    use super::{AddressSpace, Unmapped};

    #[test]
    fn the_earlier_layer_wins_and_gaps_show_the_later() {
        let mut space = AddressSpace::new();
        space.add_layers([(0x1004, &b"CORE"[..]), (0x2000, &b"top"[..])]);
        space.add_layer(0x1000, b"................");
        let mut seen = [0; 16];
        space.read(0x1000, &mut seen).unwrap();
        assert_eq!(&seen, b"....CORE........");
        assert_eq!(space.slice(0x2000, 3), Some(&b"top"[..]));
        assert_eq!(space.u8(0x1010), Err(Unmapped { address: 0x1010 }));
    }

    #[test]
    fn a_layer_under_several_pieces_fills_every_gap() {
        let mut space = AddressSpace::new();
        space.add_layers([(2, &b"b"[..]), (4, &b"d"[..]), (9, &b"zz"[..])]);
        space.add_layers([(1, &b"12345678"[..]), (3, &b"never"[..])]);
        assert_eq!(space.bytes(1, 10, 100).unwrap().as_ref(), b"1b3d5678zz");
        assert_eq!(space.bytes(1, 1 << 60, 100), Err(Unmapped { address: 11 }));
    }

    #[test]
    fn reads_end_where_memory_does() {
        let mut space = AddressSpace::new();
        space.add_layer(u64::MAX - 3, b"abcdef");
        assert_eq!(space.u8(u64::MAX - 1), Ok(b'c'));
        assert!(space.u64(u64::MAX - 3).is_err());
        assert_eq!(space.c_str(u64::MAX - 3, 2).unwrap(), b"ab");
        assert!(space.c_str(u64::MAX - 3, 20).is_err());
    }
}
