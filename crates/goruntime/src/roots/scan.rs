//! Words of stacks and registers that equal the address of a map.
//!
//! Such a word may be left over from a call that has returned, so a root that is found so is not certain.

use panicle_image::{AddressSpace, Registers};

use super::View;

/// Bytes of all stacks that are looked at.
const MOST_BYTES: u64 = 4 << 30;
/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// Addresses that are looked for: sorted, with a bit for each that tells quickly that a word is none.
pub(super) struct Wanted {
    sorted: Vec<u64>,
    bits: Vec<u64>,
}

/// Bits of the filter, as a power of two.
const FILTER: u32 = 16;

impl Wanted {
    /// Looks for `sorted`.
    pub(super) fn new(sorted: Vec<u64>) -> Self {
        let mut bits = vec![0; 1 << (FILTER - 6)];
        for address in &sorted {
            let (word, bit) = Self::place(*address);
            bits[word] |= bit;
        }
        Self { sorted, bits }
    }

    fn place(address: u64) -> (usize, u64) {
        // Fibonacci hashing: the upper bits of the product depend on all bits of the address.
        let hash = address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - FILTER);
        ((hash >> 6) as usize, 1 << (hash & 63))
    }

    fn has(&self, word: u64) -> bool {
        let (at, bit) = Self::place(word);
        self.bits[at] & bit != 0 && self.sorted.binary_search(&word).is_ok()
    }
}

/// A word that equals the address of a map.
pub(super) struct Hit {
    pub(super) goroutine: u64,
    /// The frame's number in the report.
    pub(super) frame: Option<u64>,
    pub(super) map: u64,
    /// Where the word lies; `None` for a register.
    pub(super) slot: Option<u64>,
}

/// Looks through the live part of every stack; whether it was looked at as a whole.
pub(super) fn stacks(view: &View<'_, '_>, wanted: &Wanted, mut found: impl FnMut(Hit)) -> bool {
    let mut budget = MOST_BYTES;
    let mut chunk = vec![0; CHUNK];
    for (index, (g, stack)) in view.goroutines.iter().enumerate() {
        // Frames of the dying runtime are left out of the report, and hold nothing of the program.
        let Some(innermost) = stack.frames.first() else { continue };
        let sp = innermost.physical.sp & !7;
        if sp < g.stack.0 || sp >= g.stack.1 {
            continue;
        }
        let mut at = sp;
        let mut frame = 0;
        while at < g.stack.1 {
            let length = (g.stack.1 - at).min(CHUNK as u64);
            let Some(left) = budget.checked_sub(length) else { return false };
            budget = left;
            let chunk = &mut chunk[..length as usize];
            if !read(view.process.memory, at, chunk) {
                break;
            }
            for (number, word) in (0_u64..).zip(chunk.as_chunks::<8>().0) {
                let word = u64::from_le_bytes(*word);
                if word == 0 || !wanted.has(word) {
                    continue;
                }
                let slot = at + number * 8;
                while stack.frames.get(frame).is_some_and(|frame| frame.physical.fp <= slot) {
                    frame += 1;
                }
                let inside = stack
                    .frames
                    .get(frame)
                    .is_some_and(|frame| frame.physical.sp <= slot && slot < frame.physical.fp);
                let frame = inside.then(|| view.frame_number(index, last_of_physical(stack, frame)));
                found(Hit { goroutine: g.id, frame, map: word, slot: Some(slot) });
            }
            at += length;
        }
    }
    true
}

/// The function that a physical frame is of, into which others were inlined.
fn last_of_physical(stack: &crate::frames::Stack, frame: usize) -> usize {
    let of = |at: usize| stack.frames.get(at).map(|frame| frame.physical.sp);
    let mut last = frame;
    while of(last + 1) == of(frame) {
        last += 1;
    }
    last
}

fn read(memory: &AddressSpace<'_>, at: u64, chunk: &mut [u8]) -> bool {
    memory.read(at, chunk).is_ok()
}

/// Looks through the registers of each goroutine that was running.
pub(super) fn registers(view: &View<'_, '_>, wanted: &Wanted, mut found: impl FnMut(Hit)) {
    for (index, (g, stack)) in view.goroutines.iter().enumerate() {
        let Some(at) = view.registers(g) else { continue };
        // Only while it stands where they say they are its own.
        let innermost = stack.frames.first().filter(|frame| {
            let physical = &frame.physical;
            physical.trap && physical.pc == at.pc() && physical.sp == at.sp()
        });
        if innermost.is_none() {
            continue;
        }
        for word in general(&at) {
            if word != 0 && wanted.has(word) {
                let frame = Some(view.frame_number(index, 0));
                found(Hit { goroutine: g.id, frame, map: word, slot: None });
            }
        }
    }
}

/// The general registers, each once.
fn general(registers: &Registers) -> Vec<u64> {
    let mut words: Vec<u64> = (0..32).filter_map(|number| registers.by_dwarf(number)).collect();
    words.sort_unstable();
    words.dedup();
    words
}
