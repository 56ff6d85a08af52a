//! Where a search for a hash comes by: the buckets or groups, in order.

use panicle_report::MapImplementation;

use super::{
    MapType,
    blocks::{Block, Budget},
    hash::h2,
    hmap::{self, Hmap},
    report::Problems,
    swiss::{self, Swiss, Table, Tables},
};
use crate::value::Context;

/// The way of a search through a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// One block of one row for each bucket or group.
    pub(super) steps: Vec<Block>,
    /// How the first of them follows from the hash, one sentence each.
    pub(super) explain: Vec<String>,
    /// What is kept of the hash beside the entry.
    pub(super) mark: u8,
}

impl Path {
    /// The way of a search for `hash` through the map of type `of` at `address`; `None` when what leads there
    /// cannot be read. A map without slots has an empty one.
    pub(super) fn of(context: &Context<'_>, of: &MapType, address: u64, hash: u64) -> Option<Self> {
        if of.slots.implementation == MapImplementation::Swiss {
            Self::in_groups(context, of, &Swiss::read(context, address)?, hash)
        } else {
            Self::in_buckets(context, of, &Hmap::read(context, address)?, hash)
        }
    }

    /// The numbers of the buckets or groups.
    pub(super) fn rows(&self) -> Vec<u64> {
        self.steps.iter().map(|step| step.first).collect()
    }

    /// `mapaccess1` (runtime/map.go). In the middle of a move an entry may be in either place.
    fn in_buckets(context: &Context<'_>, of: &MapType, map: &Hmap, hash: u64) -> Option<Self> {
        let mark = hmap::top_hash(hash);
        let [new, old] = map.blocks();
        if new.rows == 0 {
            return Some(Self { steps: Vec::new(), explain: Vec::new(), mark });
        }
        let row = |block: &Block| {
            let row = hash & (block.rows - 1);
            let address = block.address.checked_add(row.checked_mul(of.slots.size)?)?;
            Some(Block { address, rows: 1, first: block.first + row, ..*block })
        };
        let bucket = row(&new)?;
        let mut explain = vec![
            format!("The lowest {} bits of the hash say bucket {}.", map.b, bucket.first),
            format!("Its highest byte says tophash {mark:#04x}."),
        ];
        let mut steps = vec![bucket];
        if old.rows > 0 {
            let before = row(&old)?;
            let number = before.first - old.first;
            let mut first_mark = [0];
            context.memory.read(before.address, &mut first_mark).then_some(())?;
            // `evacuate` marks slot by slot: behind a marked one there may be entries that have not moved.
            if hmap::is_evacuated(first_mark[0]) {
                explain.push(format!(
                    "The map grows; old bucket {number} has moved, or has begun to: it is looked at too."
                ));
                steps.push(before);
            } else {
                explain
                    .push(format!("The map grows; old bucket {number} has not moved, so that it is there."));
                steps.insert(0, before);
            }
        }
        Some(Self { steps, explain, mark })
    }

    /// `getWithKey`, `directoryIndex` and `probeSeq` (internal/runtime/maps).
    fn in_groups(context: &Context<'_>, of: &MapType, map: &Swiss, hash: u64) -> Option<Self> {
        let mark = h2(hash);
        let mut explain = vec![format!("The lowest 7 bits of the hash are the control byte {mark:#04x}.")];
        if map.is_small() {
            let block = map.small_block();
            let steps = if block.rows == 0 { Vec::new() } else { vec![block] };
            explain.push("The map is small: there is one group.".to_owned());
            return Some(Self { steps, explain, mark });
        }
        let place = if map.dir_len == 1 { 0 } else { hash >> (map.global_shift & 63) };
        let pointer = map.dir_ptr.checked_add(place.checked_mul(8)?)?;
        let address = context.memory.word(pointer).filter(|_| place < map.dir_len)?;
        let (table, number, first) = find_table(context, map, address)?;
        explain.push(format!(
            "Its highest {} bits say place {place} of the directory, which is table {number}.",
            map.global_depth
        ));
        let groups = table.group_count();
        if !groups.is_power_of_two() {
            return None;
        }
        let mask = groups - 1;
        let mut offset = (hash >> 7) & mask;
        explain.push(format!(
            "The rest of it, modulo {groups} groups, says group {offset} of the table, {} of all.",
            first + offset
        ));
        let mut steps = Vec::new();
        for index in 1..=groups {
            let address = table.groups.checked_add(offset.checked_mul(of.slots.size)?)?;
            steps.push(Block { address, rows: 1, first: first + offset, table: Some(number), old: false });
            let control = context.memory.word(address)?.to_le_bytes();
            if control.contains(&swiss::EMPTY) {
                break;
            }
            offset = (offset + index) & mask;
        }
        Some(Self { steps, explain, mark })
    }
}

/// The table at `address`, its number and that of its first group.
fn find_table(context: &Context<'_>, map: &Swiss, address: u64) -> Option<(Table, u64, u64)> {
    let (mut tables, mut budget) = (Tables::new(context, map), Budget::new(context.memory));
    let (mut number, mut first) = (0, 0);
    while let Some(table) = tables.next(&mut budget, &mut Problems::default()) {
        if table.address == address {
            return Some((table, number, first));
        }
        number += 1;
        first += table.group_count();
    }
    None
}
