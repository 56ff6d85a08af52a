//! `internal/runtime/maps.Map` and its tables (internal/runtime/maps, from Go 1.24).

use std::collections::HashSet;

use super::{
    SLOTS,
    blocks::{Block, Budget, Structure},
    report::Problems,
};
use crate::value::Context;

/// `ctrlEmpty`.
pub(super) const EMPTY: u8 = 0b1000_0000;
/// `ctrlDeleted`.
pub(super) const DELETED: u8 = 0b1111_1110;
/// `maxAvgGroupLoad`: a table grows when its groups have more entries than this on average.
const MOST_LOAD: u64 = 7;
/// A table's capacity is a `uint16`.
const MOST_GROUPS: u64 = (u16::MAX as u64 + 1) / SLOTS;
/// Entries of the directory that are read at once.
const CHUNK: u64 = 512;
/// Tables that are visited although they do not know their place in the directory.
const MOST_MISPLACED: usize = 1024;
/// The largest directory depth that is believed.
const DEEPEST: u64 = 48;

/// The header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Swiss {
    pub(super) used: u64,
    pub(super) seed: u64,
    pub(super) dir_ptr: u64,
    pub(super) dir_len: u64,
    pub(super) global_depth: u64,
    pub(super) global_shift: u64,
    pub(super) writing: u64,
    pub(super) tombstone_possible: Option<u64>,
    pub(super) clear_seq: Option<u64>,
}

impl Swiss {
    /// The structure's name.
    pub(super) const NAME: &str = "internal/runtime/maps.Map";

    pub(super) fn read(context: &Context<'_>, address: u64) -> Option<Self> {
        let found = Structure::read(context, Self::NAME, address)?;
        Some(Self {
            used: found.number("used")?,
            seed: found.number("seed")?,
            dir_ptr: found.number("dirPtr")?,
            dir_len: found.number("dirLen")?,
            global_depth: found.number("globalDepth")?,
            global_shift: found.number("globalShift")?,
            writing: found.number("writing")?,
            tombstone_possible: found.number("tombstonePossible"),
            clear_seq: found.number("clearSeq"),
        })
    }

    /// The directory pointer leads to one group, or nowhere yet.
    pub(super) fn is_small(&self) -> bool {
        self.dir_len == 0
    }

    /// The one group of a small map.
    pub(super) fn small_block(&self) -> Block {
        let rows = u64::from(self.dir_ptr != 0);
        Block { address: self.dir_ptr, rows, first: 0, table: None, old: false }
    }

    /// There is nothing in it, not even a seed.
    pub(super) fn is_blank(&self) -> bool {
        let sizes = [self.dir_ptr, self.dir_len, self.global_depth, self.global_shift];
        [self.used, self.seed, self.writing].into_iter().chain(sizes).all(|field| field == 0)
    }

    /// How many places of the directory are looked at. Depth, shift and length all say how many there are: where
    /// one of them is damaged the other two are believed, and otherwise the smaller number.
    pub(super) fn places(&self) -> u64 {
        if self.is_small() || self.directory_is_sound() {
            return self.dir_len;
        }
        let by_depth = if self.global_depth <= DEEPEST { 1 << self.global_depth } else { u64::MAX };
        let shift_of = |depth: u64| 64_u64.checked_sub(depth);
        if self.global_depth <= DEEPEST && shift_of(self.global_depth) == Some(self.global_shift) {
            return by_depth;
        }
        let depth = self.dir_len.trailing_zeros().into();
        if self.dir_len.is_power_of_two() && shift_of(depth) == Some(self.global_shift) {
            return self.dir_len;
        }
        self.dir_len.min(by_depth)
    }

    /// Depth, shift and length of the directory agree (`depthToShift`).
    pub(super) fn directory_is_sound(&self) -> bool {
        if self.is_small() {
            return self.global_depth == 0;
        }
        self.global_depth <= DEEPEST
            && self.dir_len == 1 << self.global_depth
            && self.global_shift == 64 - self.global_depth
    }
}

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) address: u64,
    /// Where in the directory it was found first.
    pub(super) place: u64,
    pub(super) used: u64,
    pub(super) capacity: u64,
    pub(super) growth_left: u64,
    pub(super) local_depth: u64,
    pub(super) index: i64,
    pub(super) groups: u64,
    pub(super) length_mask: u64,
}

impl Table {
    pub(super) fn read(context: &Context<'_>, address: u64, place: u64) -> Option<Self> {
        let found = Structure::read(context, "internal/runtime/maps.table", address)?;
        let groups = context.layout.structure("internal/runtime/maps.groupsReference")?;
        Some(Self {
            address,
            place,
            used: found.number("used")?,
            capacity: found.number("capacity")?,
            growth_left: found.number("growthLeft")?,
            local_depth: found.number("localDepth")?,
            index: found.number("index")?.cast_signed(),
            groups: found.inner("groups", groups, "data")?,
            length_mask: found.inner("groups", groups, "lengthMask")?,
        })
    }

    /// How many groups it has: as the mask says, or as the capacity does where the mask cannot be one.
    pub(super) fn group_count(&self) -> u64 {
        let by_mask = self.length_mask.wrapping_add(1);
        if by_mask.is_power_of_two() && by_mask <= MOST_GROUPS { by_mask } else { self.capacity / SLOTS }
    }

    /// Its counters agree with one another.
    pub(super) fn is_sound(&self) -> bool {
        self.shape_is_sound() && self.used.saturating_add(self.growth_left) <= self.most_load()
    }

    /// It has groups, as many as its capacity says.
    pub(super) fn shape_is_sound(&self) -> bool {
        self.capacity.is_power_of_two()
            && self.capacity >= SLOTS
            && self.length_mask.wrapping_add(1).checked_mul(SLOTS) == Some(self.capacity)
            && self.groups != 0
    }

    /// Deleted slots, as the counters have it (`tombstones`).
    pub(super) fn tombstones(&self) -> u64 {
        self.most_load().saturating_sub(self.used).saturating_sub(self.growth_left)
    }

    /// Entries and deleted slots that it can have before it grows (`maxGrowthLeft`).
    fn most_load(&self) -> u64 {
        if self.capacity <= SLOTS {
            self.capacity.saturating_sub(1)
        } else {
            self.capacity * MOST_LOAD / SLOTS
        }
    }
}

/// The tables of a directory, each once.
///
/// Several places next to one another may lead to one table, which is taken at the first of them.
pub(super) struct Tables<'c> {
    context: Context<'c>,
    directory: u64,
    length: u64,
    next: u64,
    previous: u64,
    misplaced: HashSet<u64>,
    chunk: Vec<u8>,
    /// The place that the chunk begins with.
    chunk_start: u64,
}

impl<'c> Tables<'c> {
    pub(super) fn new(context: &Context<'c>, map: &Swiss) -> Self {
        Self {
            context: *context,
            directory: map.dir_ptr,
            length: map.places(),
            next: 0,
            previous: 0,
            misplaced: HashSet::new(),
            chunk: Vec::new(),
            chunk_start: 0,
        }
    }

    pub(super) fn next(&mut self, budget: &mut Budget, problems: &mut Problems) -> Option<Table> {
        while self.next < self.length {
            let place = self.next;
            if !budget.spend(8) {
                problems.add("The directory is larger than memory; the rest of it is left out.".to_owned());
                self.next = self.length;
                return None;
            }
            let Some(address) = self.pointer(place, problems) else { continue };
            self.next += 1;
            if address == self.previous {
                continue;
            }
            self.previous = address;
            if address == 0 {
                problems.add(format!("Place {place} of the directory is nil."));
                continue;
            }
            let Some(table) = Table::read(&self.context, address, place) else {
                problems.add(format!("The table at {address:#x} is not in memory."));
                continue;
            };
            if table.index == place.cast_signed() || self.takes_misplaced(&table, problems) {
                return Some(table);
            }
        }
        None
    }

    /// Whether a table that says to begin elsewhere is to be visited here: only when it is not there.
    fn takes_misplaced(&mut self, table: &Table, problems: &mut Problems) -> bool {
        let own = table.index.cast_unsigned();
        let at = own.checked_mul(8).and_then(|offset| self.directory.checked_add(offset));
        let there = at.filter(|_| own < self.length).and_then(|at| self.context.memory.word(at));
        let (address, place) = (table.address, table.place);
        problems.add(format!(
            "The table at {address:#x} is at place {place} of the directory and says {}.",
            table.index
        ));
        there != Some(address) && self.misplaced.len() < MOST_MISPLACED && self.misplaced.insert(address)
    }

    /// The pointer at `place`; `None`, and further on in the directory, where it is missing.
    fn pointer(&mut self, place: u64, problems: &mut Problems) -> Option<u64> {
        let offset = place.wrapping_sub(self.chunk_start);
        let in_chunk = usize::try_from(offset).ok().and_then(|at| self.chunk.get(at * 8..)?.first_chunk());
        if let Some(bytes) = in_chunk {
            return Some(u64::from_le_bytes(*bytes));
        }
        let count = (self.length - place).min(CHUNK);
        let memory = self.context.memory;
        self.chunk_start = place;
        let address = place.checked_mul(8).and_then(|offset| self.directory.checked_add(offset));
        for count in [count, 1] {
            self.chunk.resize(count as usize * 8, 0);
            if address.is_some_and(|address| memory.read(address, &mut self.chunk)) {
                return self.chunk.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
            }
        }
        self.chunk.clear();
        problems.add("A part of the directory is not in memory.".to_owned());
        // Memory is missing by the page.
        let page = address.map_or(1, |address| (0x1000 - address % 0x1000).div_ceil(8));
        self.next = place.saturating_add(page.min(count));
        None
    }
}

/// A bit for each slot that has an entry.
pub(super) fn full_slots(control: [u8; SLOTS as usize]) -> u8 {
    control.iter().enumerate().fold(0, |full, (slot, byte)| full | (u8::from(byte & EMPTY == 0) << slot))
}

/// How many slots are deleted and not free yet.
pub(super) fn deleted_slots(control: [u8; SLOTS as usize]) -> u64 {
    control.into_iter().map(|byte| u64::from(byte == DELETED)).sum()
}

/// Every byte of the control word is one of an empty, a deleted or a full slot.
pub(super) fn control_is_sound(control: [u8; SLOTS as usize]) -> bool {
    control.into_iter().all(byte_is_sound)
}

/// A control byte is one of an empty, a deleted or a full slot.
pub(super) fn byte_is_sound(byte: u8) -> bool {
    matches!(byte, EMPTY | DELETED) || byte & EMPTY == 0
}
