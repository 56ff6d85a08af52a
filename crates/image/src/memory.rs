//! One address space over the pieces of memory that are at hand.

use std::{borrow::Cow, cmp::Reverse, collections::BinaryHeap, iter::Peekable};

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
        let mut all = std::mem::take(&mut self.pieces);
        for (address, bytes) in pieces {
            // The last byte must have an address and something must come after it.
            let room = (u64::MAX - address).try_into().unwrap_or(usize::MAX);
            let bytes = &bytes[..bytes.len().min(room)];
            if !bytes.is_empty() {
                all.push(Piece { start: address, bytes });
            }
        }
        self.pieces = flatten(all);
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

/// `pieces` by address and without overlaps: where two overlap, the one that came first stays.
///
/// Cores have no overlaps and take the short way. A hostile one must not cost more than sorting, so
/// the rest is a sweep over the starts with the pieces underneath kept by rank.
fn flatten(mut pieces: Vec<Piece<'_>>) -> Vec<Piece<'_>> {
    let apart = |pieces: &[Piece<'_>]| pieces.windows(2).all(|pair| pair[0].end() <= pair[1].start);
    if apart(&pieces) {
        return pieces;
    }
    let mut ranked: Vec<(usize, Piece<'_>)> = pieces.drain(..).enumerate().collect();
    ranked.sort_by_key(|&(rank, piece)| (piece.start, rank));
    let mut flat: Vec<Piece<'_>> = Vec::with_capacity(ranked.len());
    // Pieces that began before `here` and may go on: the lowest rank on top.
    let mut open: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
    let mut by_rank = vec![Piece { start: 0, bytes: &[] }; ranked.len()];
    let mut here = 0;
    let mut waiting = ranked.iter().peekable();
    loop {
        while let Some(&Reverse(top)) = open.peek()
            && by_rank[top].end() <= here
        {
            open.pop();
        }
        let next = waiting.peek().map(|(_, piece)| piece.start);
        let Some(&Reverse(top)) = open.peek() else {
            // Nothing reaches here: on to the next start.
            let Some(start) = next else { break };
            here = start;
            open_from(&mut waiting, here, &mut open, &mut by_rank);
            continue;
        };
        let until = next.unwrap_or(u64::MAX).min(by_rank[top].end());
        extend(&mut flat, by_rank[top], here, until);
        here = until;
        open_from(&mut waiting, here, &mut open, &mut by_rank);
    }
    flat
}

/// Opens what begins at `here`.
fn open_from<'a, 's>(
    waiting: &mut Peekable<impl Iterator<Item = &'s (usize, Piece<'a>)>>,
    here: u64,
    open: &mut BinaryHeap<Reverse<usize>>,
    by_rank: &mut [Piece<'a>],
) where
    'a: 's,
{
    while let Some(&(rank, piece)) = waiting.next_if(|(_, piece)| piece.start <= here) {
        by_rank[rank] = piece;
        open.push(Reverse(rank));
    }
}

/// Adds a part of `piece`, as one with the last if that is the part before it.
fn extend<'a>(flat: &mut Vec<Piece<'a>>, piece: Piece<'a>, from: u64, to: u64) {
    if let Some(last) = flat.last_mut()
        && last.end() == from
        && last.start >= piece.start
    {
        let start = (last.start - piece.start) as usize;
        let whole = piece.bytes.get(start..).and_then(|bytes| bytes.get(..(to - last.start) as usize));
        // The same memory, not just equal bytes: comparing them would cost their length.
        if let Some(whole) = whole
            && std::ptr::eq(whole.as_ptr(), last.bytes.as_ptr())
        {
            last.bytes = whole;
            return;
        }
    }
    flat.extend(cut(piece, from, to));
}

#[cfg(test)]
mod tests;
