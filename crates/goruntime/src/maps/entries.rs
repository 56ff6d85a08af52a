//! The walk over a map's entries.

use std::{collections::HashSet, fmt, str::FromStr};

use panicle_report::MapImplementation;

use super::{
    MapType, SLOTS, Slots,
    blocks::{Block, Budget},
    hmap::{self, Hmap},
    marks::Marks,
    report::Problems,
    shared::SharedWalk,
    swiss::{self, Swiss, Tables},
};
use crate::value::{Context, Memory};

/// Bytes of buckets or groups that are read at once.
const CHUNK: u64 = 64 << 10;
/// Buckets or groups that are read first; a caller may want no more than a few entries.
const FIRST_ROWS: u64 = 4;

/// An entry of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where the key is.
    pub key: u64,
    /// Where the element is.
    pub elem: u64,
    /// The bucket, counted over new and then old ones, or the group, counted over all tables.
    pub row: u64,
    /// The slot in it; those of overflow buckets follow.
    pub slot: u64,
    /// What the map keeps of the key's hash: `tophash`, or the control byte.
    pub mark: u8,
}

/// A place between two entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    row: u64,
    slot: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.row, self.slot)
    }
}

/// The text is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("that is not a place in a map")]
pub struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (row, slot) = text.split_once('.').ok_or(NoCursor)?;
        let number = |text: &str| text.parse().map_err(|_| NoCursor);
        Ok(Self { row: number(row)?, slot: number(slot)? })
    }
}

/// All entries of the map of type `of` whose header is at `address`, in the order in which they lie; none of
/// a nil map.
///
/// In the middle of growth, entries are found where they are: in new buckets, and in old ones as long as they
/// have not moved. What cannot be read is left out and said in [`Entries::problems`].
pub fn entries<'c>(context: &Context<'c>, of: &MapType, address: u64) -> Entries<'c> {
    Entries::new(context, of.slots, address)
}

/// See [`entries()`].
pub struct Entries<'c> {
    memory: &'c dyn Memory,
    slots: Slots,
    source: Source<'c>,
    budget: Budget,
    problems: Problems,
    marks: Marks,
    /// The block that rows are taken from, and the next of its rows.
    block: Block,
    next_row: u64,
    /// Rows read ahead: the bytes, the first of them and how many there are.
    chunk: Vec<u8>,
    chunk_start: u64,
    chunk_rows: u64,
    /// Rows to read at once, and the row up to which they are read one by one.
    ahead: u64,
    careful_until: u64,
    /// The bucket or group at hand.
    at: Current,
    /// An overflow bucket, when that is at hand, and those of the row so far.
    overflow: Vec<u8>,
    chain: HashSet<u64>,
    start: Cursor,
    cursor: Cursor,
    missing: u64,
    /// There is a bucket or group at hand.
    there: bool,
    /// There are no more blocks.
    exhausted: bool,
    /// Entries of a `sync.Map` that were walked over.
    walked: u64,
}

/// The bucket or group at hand.
#[derive(Clone, Copy, Debug, Default)]
struct Current {
    address: u64,
    row: u64,
    /// The number of its first slot.
    base: u64,
    /// Where its bytes begin in the chunk; `None` when they are those of an overflow bucket.
    in_chunk: Option<usize>,
    /// Slots that are still to be told of.
    full: u8,
}

/// Where blocks come from.
pub(super) enum Source<'c> {
    Blocks {
        blocks: [Block; 2],
        next: usize,
    },
    Tables {
        tables: Tables<'c>,
        rows: u64,
        count: u64,
    },
    /// A `sync.Map` has none; its entries are found by a walk of their own.
    Shared(SharedWalk<'c>),
}

impl Source<'_> {
    pub(super) fn next(&mut self, budget: &mut Budget, problems: &mut Problems) -> Option<Block> {
        match self {
            Self::Blocks { blocks, next } => {
                let block = blocks.get(*next).copied();
                *next += 1;
                block
            }
            Self::Tables { tables, rows, count } => {
                let table = tables.next(budget, problems)?;
                let groups = table.group_count();
                let block = Block {
                    address: table.groups,
                    rows: groups,
                    first: *rows,
                    table: Some(*count),
                    old: false,
                };
                *rows += groups;
                *count += 1;
                Some(block)
            }
            Self::Shared(_) => None,
        }
    }
}

const NOTHING: Block = Block { address: 0, rows: 0, first: 0, table: None, old: false };

impl<'c> Entries<'c> {
    fn new(context: &Context<'c>, slots: Slots, address: u64) -> Self {
        let mut problems = Problems::default();
        let source = source(context, slots.implementation, address, &mut problems);
        Self::of_source(context, slots, source, problems)
    }

    /// The entries of one bucket with its overflow chain, or of one group.
    pub(super) fn of_block(context: &Context<'c>, slots: Slots, block: Block) -> Self {
        let source = Source::Blocks { blocks: [block, NOTHING], next: 0 };
        Self::of_source(context, slots, source, Problems::default())
    }

    fn of_source(context: &Context<'c>, slots: Slots, source: Source<'c>, problems: Problems) -> Self {
        Self {
            memory: context.memory,
            slots,
            source,
            budget: Budget::new(context.memory),
            problems,
            marks: Marks::default(),
            block: NOTHING,
            next_row: 0,
            chunk: Vec::new(),
            chunk_start: 0,
            chunk_rows: 0,
            ahead: FIRST_ROWS,
            careful_until: 0,
            at: Current::default(),
            overflow: Vec::new(),
            chain: HashSet::new(),
            start: Cursor::default(),
            cursor: Cursor::default(),
            missing: 0,
            there: false,
            exhausted: false,
            walked: 0,
        }
    }

    /// The same, from `cursor` on. To be called before anything is taken.
    #[must_use]
    pub fn starting_at(mut self, cursor: Cursor) -> Self {
        self.start = cursor;
        self.cursor = cursor;
        self
    }

    /// The same, ending after about so many bytes of the map have been looked at.
    #[must_use]
    pub fn within(mut self, bytes: u64) -> Self {
        self.set_limit(bytes);
        self
    }

    pub(super) fn set_limit(&mut self, bytes: u64) {
        self.budget = self.budget.at_most(bytes);
        if let Source::Shared(walk) = &mut self.source {
            walk.limit(bytes);
        }
    }

    /// The walk ended although there may be more: there is more of the map than was to be looked at, or than
    /// there can be in memory.
    pub fn is_cut(&self) -> bool {
        self.budget.is_spent() || matches!(&self.source, Source::Shared(walk) if walk.is_cut())
    }

    /// Where the entry after the last one taken may be.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Bytes of the map that may still be looked at.
    pub(crate) fn bytes_left(&self) -> u64 {
        self.budget.left()
    }

    /// Something on the way was not in memory, or led nowhere: there may be more entries.
    pub(super) fn has_gaps(&self) -> bool {
        self.missing > 0 || !self.problems.is_empty()
    }

    /// What was wrong on the way so far, one sentence each.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.problems.clone();
        if self.missing > 0 {
            let what = match self.slots.implementation {
                MapImplementation::Swiss => "groups",
                _ => "buckets",
            };
            problems.add(format!("{} {what} are not in memory; their entries are unknown.", self.missing));
        }
        self.marks.say(self.slots.implementation, &mut problems);
        problems.sentences()
    }

    /// Goes on to the next bucket or group; false at the end.
    fn advance(&mut self) -> bool {
        loop {
            while self.next_row >= self.block.rows {
                if self.exhausted {
                    return false;
                }
                let Some(block) = self.source.next(&mut self.budget, &mut self.problems) else {
                    self.exhausted = true;
                    return false;
                };
                self.block = block;
                self.next_row = self.start.row.saturating_sub(block.first).min(block.rows);
                (self.chunk_rows, self.careful_until) = (0, 0);
            }
            let row = self.next_row;
            self.next_row += 1;
            if self.is_loaded(row) || self.load(row) {
                self.enter(row);
                return true;
            }
        }
    }

    fn is_loaded(&self, row: u64) -> bool {
        row.checked_sub(self.chunk_start).is_some_and(|offset| offset < self.chunk_rows)
    }

    /// Reads rows from `row` of the block on; false when that one is missing.
    fn load(&mut self, row: u64) -> bool {
        let most = (CHUNK / self.slots.size).max(1);
        let wanted = if row < self.careful_until { 1 } else { self.ahead.min(most) };
        self.ahead = self.ahead.saturating_mul(2).min(most);
        let wanted = wanted.min(self.block.rows - row);
        if !self.budget.spend(wanted * self.slots.size) {
            self.problems.add("The map is larger than memory; the rest of it is left out.".to_owned());
            (self.exhausted, self.next_row) = (true, self.block.rows);
            return false;
        }
        let address =
            row.checked_mul(self.slots.size).and_then(|offset| self.block.address.checked_add(offset));
        for rows in [wanted, 1] {
            // At most a chunk, or one row.
            self.chunk.resize((rows * self.slots.size) as usize, 0);
            if address.is_some_and(|address| self.memory.read(address, &mut self.chunk)) {
                (self.chunk_start, self.chunk_rows) = (row, rows);
                if rows < wanted {
                    self.careful_until = row + wanted;
                }
                return true;
            }
        }
        self.careful_until = self.careful_until.max(row + wanted);
        self.chunk_rows = 0;
        self.missing += 1;
        false
    }

    /// Makes `row` of the block, which has been read, the one at hand.
    fn enter(&mut self, row: u64) {
        let offset = ((row - self.chunk_start) * self.slots.size) as usize;
        self.chain.clear();
        self.marks.begin();
        self.at = Current {
            // The read has shown that it does not wrap.
            address: self.block.address.wrapping_add(row * self.slots.size),
            row: self.block.first + row,
            base: 0,
            in_chunk: Some(offset),
            full: 0,
        };
        self.find_full();
    }

    /// The bytes of the bucket or group at hand.
    fn bytes(&self) -> &[u8] {
        match self.at.in_chunk {
            Some(offset) => self.chunk.get(offset..offset + self.slots.size as usize).unwrap_or_default(),
            None => &self.overflow,
        }
    }

    fn word(&self, offset: u64) -> u64 {
        let word = usize::try_from(offset).ok().and_then(|at| self.bytes().get(at..)?.first_chunk());
        word.map_or(0, |word| u64::from_le_bytes(*word))
    }

    /// Looks which slots of the bucket or group at hand have entries, from the start asked for on.
    fn find_full(&mut self) {
        let marks = self.word(0).to_le_bytes();
        let Current { row, base, .. } = self.at;
        let full = if self.slots.implementation == MapImplementation::Swiss {
            self.marks.of_group(row, marks);
            swiss::full_slots(marks)
        } else {
            self.marks.of_bucket(row, base, self.block.old, marks);
            hmap::full_slots(marks)
        };
        self.at.full = full;
        if self.at.row == self.start.row {
            let skip = self.start.slot.saturating_sub(self.at.base);
            self.at.full = if skip >= SLOTS { 0 } else { full >> skip << skip };
        }
    }

    /// Goes on to the overflow bucket of the bucket at hand; false when there is none.
    fn follow(&mut self) -> bool {
        if self.slots.implementation != MapImplementation::Hmap {
            return false;
        }
        let next = self.word(self.slots.size - 8);
        if next == 0 {
            return false;
        }
        let row = self.at.row;
        if next == self.at.address || !self.chain.insert(next) {
            self.problems.add(format!("The overflow chain of bucket {row} runs in a circle."));
            return false;
        }
        self.overflow.resize(self.slots.size as usize, 0);
        if !self.budget.spend(self.slots.size) || !self.memory.read(next, &mut self.overflow) {
            self.problems.add(format!("An overflow bucket of bucket {row} is not in memory."));
            return false;
        }
        self.at = Current { address: next, base: self.at.base + SLOTS, in_chunk: None, full: 0, row };
        self.find_full();
        true
    }

    /// The entry at `slot` of the bucket or group at hand.
    fn entry(&self, slot: u64) -> Entry {
        let slots = &self.slots;
        let place = |first: u64, stride: u64, indirect: bool| {
            let offset = first + slot * stride;
            if indirect { self.word(offset) } else { self.at.address.wrapping_add(offset) }
        };
        Entry {
            key: place(slots.keys, slots.key_stride, slots.indirect_key),
            elem: place(slots.elems, slots.elem_stride, slots.indirect_elem),
            row: self.at.row,
            slot: self.at.base + slot,
            mark: self.bytes().get(slot as usize).copied().unwrap_or(0),
        }
    }
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if let Source::Shared(walk) = &mut self.source {
            // Such a map has no order but that of the walk, which begins at its beginning.
            while let Some(entry) = walk.next(self.walked, &mut self.budget, &mut self.problems) {
                self.walked += 1;
                if entry.row >= self.start.row {
                    self.cursor = Cursor { row: self.walked, slot: 0 };
                    return Some(entry);
                }
            }
            return None;
        }
        while self.at.full == 0 {
            if !(self.there && self.follow()) {
                self.there = self.advance();
                if !self.there {
                    return None;
                }
            }
        }
        let slot = u64::from(self.at.full.trailing_zeros());
        self.at.full &= self.at.full - 1;
        let entry = self.entry(slot);
        self.cursor = Cursor { row: entry.row, slot: entry.slot + 1 };
        Some(entry)
    }
}

/// What the rows of the map at `address` lie in.
pub(super) fn source<'c>(
    context: &Context<'c>,
    implementation: MapImplementation,
    address: u64,
    problems: &mut Problems,
) -> Source<'c> {
    let nothing = Source::Blocks { blocks: [NOTHING; 2], next: 0 };
    if address == 0 {
        return nothing;
    }
    let found = match implementation {
        MapImplementation::Swiss => Swiss::read(context, address).map(|map| {
            if map.is_small() {
                Source::Blocks { blocks: [map.small_block(), NOTHING], next: 0 }
            } else {
                Source::Tables { tables: Tables::new(context, &map), rows: 0, count: 0 }
            }
        }),
        MapImplementation::SyncMap => SharedWalk::new(context, address).map(Source::Shared),
        MapImplementation::Hmap => {
            Hmap::read(context, address).map(|map| Source::Blocks { blocks: map.blocks(), next: 0 })
        }
    };
    found.unwrap_or_else(|| {
        problems.add("The map's header is not in memory.".to_owned());
        nothing
    })
}
