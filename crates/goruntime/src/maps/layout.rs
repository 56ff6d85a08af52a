//! How a map's entries lie: buckets with their overflow chains, or groups.

use std::collections::HashSet;

use panicle_report::{Address, MapImplementation, MapLayout, MapLayoutRow, MapSlot, SlotState};

use super::{
    MapType, Slots,
    blocks::{Block, Budget},
    entries::source,
    hmap,
    report::Problems,
    swiss,
};
use crate::value::Context;

/// Rows of one answer.
const MOST_ROWS: u64 = 1024;
/// Overflow buckets of one row that are shown.
const MOST_OVERFLOW: u64 = 256;

/// The buckets or groups of the map of type `of` at `address`, from number `from` on, at most `limit` of them.
///
/// Buckets that entries move out of come behind the new ones, and groups are counted over all tables. Where a key
/// belongs is left to [`super::lookup()`].
pub fn layout(context: &Context<'_>, of: &MapType, address: u64, from: u64, limit: u64) -> MapLayout {
    let mut problems = Problems::default();
    let mut budget = Budget::new(context.memory);
    let mut source = source(context, of.slots.implementation, address, &mut problems);
    let mut found = MapLayout { from, ..MapLayout::default() };
    let until = from.saturating_add(limit.min(MOST_ROWS));
    while let Some(block) = source.next(&mut budget, &mut problems) {
        if block.rows == 0 {
            continue;
        }
        let end = block.first.saturating_add(block.rows);
        found.total = end;
        for row in from.max(block.first)..until.min(end) {
            let mut row = read_row(context, &of.slots, &block, row);
            row.evacuated = block.old
                && row.problem.is_none()
                && row.slots.iter().all(|slot| slot.state == SlotState::Evacuated);
            found.rows.push(row);
        }
    }
    found
}

fn read_row(context: &Context<'_>, slots: &Slots, block: &Block, number: u64) -> MapLayoutRow {
    // The number of rows is bounded so that this does not overflow; an address that does is not in memory.
    let mut address = block.address.wrapping_add((number - block.first).wrapping_mul(slots.size));
    let mut row = MapLayoutRow {
        index: number,
        address: Address(address),
        table: block.table,
        old: block.old,
        ..MapLayoutRow::default()
    };
    let mut seen = HashSet::new();
    loop {
        let Some(marks) = context.memory.word(address).map(u64::to_le_bytes) else {
            let what = if row.overflow > 0 { "An overflow bucket" } else { "It" };
            row.problem = Some(format!("{what} is not in memory ({address:#x})."));
            return row;
        };
        if slots.implementation == MapImplementation::Swiss {
            row.slots.extend(marks.map(|byte| MapSlot { state: group_slot(byte), byte }));
            if !swiss::control_is_sound(marks) {
                row.problem = Some("A control byte is none of an empty, deleted or full slot.".to_owned());
            }
            return row;
        }
        row.slots.extend(marks.map(|byte| MapSlot { state: bucket_slot(byte), byte }));
        if !block.old && marks.into_iter().any(hmap::is_evacuated) {
            row.problem = Some("It has marks of moved entries and is none of the old buckets.".to_owned());
        }
        seen.insert(address);
        let next = address.checked_add(slots.size - 8).and_then(|at| context.memory.word(at));
        let Some(next) = next else {
            row.problem = Some("Its overflow pointer is not in memory.".to_owned());
            return row;
        };
        if next == 0 {
            return row;
        }
        if seen.contains(&next) {
            row.problem = Some("Its overflow chain runs in a circle.".to_owned());
            return row;
        }
        if row.overflow >= MOST_OVERFLOW {
            row.problem = Some(format!("More than {MOST_OVERFLOW} overflow buckets; the rest is left out."));
            return row;
        }
        row.overflow += 1;
        address = next;
    }
}

fn bucket_slot(tophash: u8) -> SlotState {
    match tophash {
        hmap::EMPTY_REST => SlotState::Empty,
        hmap::EMPTY_ONE => SlotState::Deleted,
        mark if hmap::is_evacuated(mark) => SlotState::Evacuated,
        _ => SlotState::Full,
    }
}

fn group_slot(control: u8) -> SlotState {
    match control {
        swiss::EMPTY => SlotState::Empty,
        byte if byte & swiss::EMPTY == 0 => SlotState::Full,
        _ => SlotState::Deleted,
    }
}
