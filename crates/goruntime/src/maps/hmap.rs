//! `runtime.hmap` (runtime/map.go up to Go 1.23).

use super::{
    SLOTS,
    blocks::{Block, Structure},
};
use crate::value::Context;

/// `emptyRest`: empty, and so is everything behind it.
pub(super) const EMPTY_REST: u8 = 0;
/// `emptyOne`.
pub(super) const EMPTY_ONE: u8 = 1;
/// `evacuatedX`, the first of the three marks of what has moved.
const EVACUATED: u8 = 2;
/// `minTopHash`: the smallest mark of an entry.
const MIN_TOP_HASH: u8 = 5;

/// The names of the flags, from bit 0 on.
const FLAGS: [&str; 4] = ["iterator", "oldIterator", "hashWriting", "sameSizeGrow"];
/// `hashWriting`.
const WRITING: u64 = 4;
/// `sameSizeGrow`.
const SAME_SIZE: u64 = 8;
/// No address space has room for so many buckets.
const LARGEST_B: u64 = 48;

/// The header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hmap {
    pub(super) count: u64,
    pub(super) flags: u64,
    pub(super) b: u64,
    pub(super) noverflow: u64,
    pub(super) hash0: u64,
    pub(super) buckets: u64,
    pub(super) oldbuckets: u64,
    pub(super) nevacuate: u64,
    pub(super) extra: u64,
}

impl Hmap {
    /// The structure's name.
    pub(super) const NAME: &str = "runtime.hmap";

    pub(super) fn read(context: &Context<'_>, address: u64) -> Option<Self> {
        let found = Structure::read(context, Self::NAME, address)?;
        Some(Self {
            count: found.number("count")?,
            flags: found.number("flags")?,
            b: found.number("B")?,
            noverflow: found.number("noverflow")?,
            hash0: found.number("hash0")?,
            buckets: found.number("buckets")?,
            oldbuckets: found.number("oldbuckets")?,
            nevacuate: found.number("nevacuate")?,
            extra: found.number("extra")?,
        })
    }

    /// There is nothing in it, not even a seed.
    pub(super) fn is_blank(&self) -> bool {
        [self.count, self.flags, self.b, self.noverflow, self.hash0].iter().all(|field| *field == 0)
            && [self.buckets, self.oldbuckets, self.nevacuate, self.extra].iter().all(|field| *field == 0)
    }

    /// `B` can be a number of bits.
    pub(super) fn b_is_sound(&self) -> bool {
        self.b <= LARGEST_B
    }

    /// Buckets, overflow buckets left aside; none while none are allocated.
    pub(super) fn bucket_count(&self) -> u64 {
        if self.buckets == 0 { 0 } else { 1 << self.b.min(LARGEST_B) }
    }

    /// Buckets that entries move out of (`noldbuckets`).
    pub(super) fn old_bucket_count(&self) -> u64 {
        let bits = if self.same_size() { self.b } else { self.b.saturating_sub(1) };
        if self.oldbuckets == 0 { 0 } else { 1 << bits.min(LARGEST_B) }
    }

    pub(super) fn same_size(&self) -> bool {
        self.flags & SAME_SIZE != 0
    }

    pub(super) fn is_growing(&self) -> bool {
        self.oldbuckets != 0
    }

    pub(super) fn is_writing(&self) -> bool {
        self.flags & WRITING != 0
    }

    /// The flags that are set, by the names of the runtime's constants.
    pub(super) fn flag_names(&self) -> Vec<String> {
        let mut names: Vec<String> = (0..FLAGS.len())
            .filter(|bit| self.flags & (1 << bit) != 0)
            .map(|bit| FLAGS[bit].to_owned())
            .collect();
        let rest = self.flags >> FLAGS.len() << FLAGS.len();
        if rest != 0 {
            names.push(format!("{rest:#x}"));
        }
        names
    }

    /// The buckets, then those that entries move out of.
    pub(super) fn blocks(&self) -> [Block; 2] {
        let (rows, old) = (self.bucket_count(), self.old_bucket_count());
        [
            Block { address: self.buckets, rows, first: 0, table: None, old: false },
            Block { address: self.oldbuckets, rows: old, first: rows, table: None, old: true },
        ]
    }
}

/// A bit for each slot that has an entry. A slot of an old bucket whose entry has moved has another mark, so
/// that this is right also in the middle of `evacuate`.
pub(super) fn full_slots(tophash: [u8; SLOTS as usize]) -> u8 {
    tophash.iter().enumerate().fold(0, |full, (slot, mark)| full | (u8::from(*mark >= MIN_TOP_HASH) << slot))
}

/// The mark of an entry with this hash (`tophash`).
pub(super) fn top_hash(hash: u64) -> u8 {
    let top = (hash >> 56) as u8;
    if top < MIN_TOP_HASH { top + MIN_TOP_HASH } else { top }
}

/// The slot of an old bucket is done: its entry has moved, or it had none.
///
/// The runtime's `evacuated` asks this of the first slot alone, which is enough when nothing ends in the middle.
pub(super) fn is_evacuated(mark: u8) -> bool {
    (EVACUATED..MIN_TOP_HASH).contains(&mark)
}
