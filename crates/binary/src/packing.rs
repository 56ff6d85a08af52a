//! Executables that a packer compressed: what they hold is found in memory only, once they run.

use crate::{Executable, LoadSegment};

/// Marks of UPX, in the loader's information behind the program headers and at the end of the file
/// (`l_info` and `PackHeader` of its stubs).
const UPX: &[u8] = b"UPX!";
/// Bytes from the start and the end of a file that are searched for the marks.
const SEARCHED: usize = 512;
/// Bits of a byte that are news; machine code has about 6, what a packer left nearly 8.
const PACKED_ENTROPY: f64 = 7.2;
/// Smaller segments say little about entropy.
const LEAST: usize = 64 << 10;
/// Go's linker maps three segments and more, packers one or two with bytes in them.
const MOST_SEGMENTS: usize = 2;

/// What an executable was packed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packer {
    /// UPX.
    Upx,
    /// Not known; nothing but compressed bytes is in the file.
    Unknown,
}

impl Executable<'_> {
    /// What the executable was packed with; `None` where its code is there to read.
    pub fn packer(&self) -> Option<Packer> {
        let data = self.data();
        let head = data.get(..SEARCHED).unwrap_or(data);
        let tail = data.get(data.len().saturating_sub(SEARCHED)..).unwrap_or(data);
        let marked = |bytes: &[u8]| bytes.windows(UPX.len()).any(|window| window == UPX);
        // A program can have the mark among its data, but not a table of sections besides.
        let plain = self.text().is_some() || self.is_debug_only();
        if plain {
            None
        } else if marked(head) || marked(tail) {
            Some(Packer::Upx)
        } else {
            (self.looks_packed() && !self.is_go()).then_some(Packer::Unknown)
        }
    }

    fn looks_packed(&self) -> bool {
        let filled = || self.load_segments.iter().filter(|segment| !segment.bytes.is_empty());
        let dense = |segment: &LoadSegment<'_>| {
            segment.executable && segment.bytes.len() >= LEAST && entropy(segment.bytes) > PACKED_ENTROPY
        };
        filled().count() <= MOST_SEGMENTS && filled().any(dense)
    }
}

/// Bits of information in a byte, if each were on its own.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u64; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len() as f64;
    let part = |count: u64| count as f64 / total;
    -counts.into_iter().filter(|&count| count > 0).map(|count| part(count) * part(count).log2()).sum::<f64>()
}
