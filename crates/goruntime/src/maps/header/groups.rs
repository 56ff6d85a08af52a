//! The header of a Swiss map (internal/runtime/maps, from Go 1.24).

use panicle_report::{Address, MapHeader, MapImplementation, SwissHeader, SwissTable};

use super::{Header, SLOTS_COUNTED, count_entries, state};
use crate::{
    maps::{
        MapType, SLOTS, Slots,
        blocks::Budget,
        plausible,
        report::Problems,
        swiss::{self, Swiss, Table, Tables},
    },
    value::Context,
};

/// Tables that a header lists.
const TABLES_LISTED: usize = 64;

/// The header of the map of type `of` at `address`, which is `map`.
pub(super) fn header(context: &Context<'_>, of: &MapType, address: u64, map: &Swiss) -> Header {
    let mut problems = plausible::swiss_faults(context, map);
    let sound = problems.is_empty();
    let mut fields = SwissHeader {
        used: map.used,
        seed: Address(map.seed),
        dir_ptr: Address(map.dir_ptr),
        dir_len: map.dir_len.cast_signed(),
        global_depth: map.global_depth,
        global_shift: map.global_shift,
        writing: map.writing,
        clear_seq: map.clear_seq,
        tombstone_possible: map.tombstone_possible.map(|possible| possible != 0),
        small: map.is_small(),
        tables: Vec::new(),
        table_count: None,
        tombstones: None,
    };
    let header_size = context.layout.structure(Swiss::NAME).map_or(0, |structure| structure.size);
    let (room, groups_size) = if map.is_small() {
        (fields.table_count, fields.tombstones) = (Some(0), Some(0));
        let groups = map.small_block().rows;
        count_entries(context, of, address, map.used, map.writing != 0, &mut problems);
        (Some(groups * SLOTS), Some(groups * of.slots.size))
    } else {
        let sum = tables(context, of, map, &mut fields, &mut problems);
        if sum.capacity.is_some_and(|capacity| capacity <= SLOTS_COUNTED) {
            count_entries(context, of, address, map.used, map.writing != 0, &mut problems);
        }
        (sum.capacity, sum.bytes)
    };
    let mut flags = Vec::new();
    if map.writing != 0 {
        flags.push("writing".to_owned());
    }
    if map.tombstone_possible.is_some_and(|possible| possible != 0) {
        flags.push("tombstonePossible".to_owned());
    }
    Header {
        address,
        implementation: MapImplementation::Swiss,
        count: map.used,
        room,
        size_bytes: groups_size.and_then(|size| size.checked_add(header_size)),
        state: state(map.writing == 1, sound, false, map.used),
        allocated: map.dir_ptr != 0,
        fields: Some(MapHeader::Swiss(fields)),
        flags,
        problems: problems.sentences(),
    }
}

/// What all tables have together; `None` where the directory cannot be read.
struct Sum {
    capacity: Option<u64>,
    bytes: Option<u64>,
}

fn tables(
    context: &Context<'_>,
    of: &MapType,
    map: &Swiss,
    fields: &mut SwissHeader,
    problems: &mut Problems,
) -> Sum {
    let mut budget = Budget::new(context.memory);
    let mut tables = Tables::new(context, map);
    let table_size = context.layout.structure("internal/runtime/maps.table").map_or(0, |found| found.size);
    let (mut count, mut used, mut capacity, mut tombstones) = (0_u64, 0_u64, 0_u64, Some(0_u64));
    let mut bytes = map.places().saturating_mul(8);
    let mut said = Problems::default();
    while let Some(table) = tables.next(&mut budget, &mut said) {
        count += 1;
        used = used.saturating_add(table.used);
        let groups = table.group_count();
        capacity = capacity.saturating_add(groups * SLOTS);
        bytes = bytes.saturating_add(table_size).saturating_add(groups.saturating_mul(of.slots.size));
        let deleted = if capacity <= SLOTS_COUNTED {
            deleted_slots(context, &of.slots, &table, &mut budget)
        } else {
            Some(table.tombstones())
        };
        tombstones = tombstones.zip(deleted).map(|(sum, deleted)| sum.saturating_add(deleted));
        if !table.is_sound() {
            said.add(format!(
                "The counters of the table at {:#x} do not belong together: used {}, capacity {}, growthLeft {}, \
                 {groups} groups.",
                table.address, table.used, table.capacity, table.growth_left
            ));
        }
        if table.local_depth > map.global_depth {
            said.add(format!("The table at {:#x} is deeper than the directory.", table.address));
        }
        if fields.tables.len() < TABLES_LISTED {
            fields.tables.push(SwissTable {
                address: Address(table.address),
                index: table.index,
                used: table.used,
                capacity: table.capacity,
                growth_left: table.growth_left,
                local_depth: table.local_depth,
                groups: Address(table.groups),
                group_count: groups,
                tombstones: deleted,
            });
        }
    }
    if used != map.used && map.writing == 0 && said == Problems::default() {
        said.add(format!("It counts {} entries, and its tables count {used}.", map.used));
    }
    problems.extend(said);
    if count == 0 {
        return Sum { capacity: None, bytes: None };
    }
    (fields.table_count, fields.tombstones) = (Some(count), tombstones);
    Sum { capacity: Some(capacity), bytes: Some(bytes) }
}

/// Deleted slots of a table; `None` when its groups cannot be read.
fn deleted_slots(context: &Context<'_>, slots: &Slots, table: &Table, budget: &mut Budget) -> Option<u64> {
    let mut deleted = 0;
    for group in 0..table.group_count() {
        let address = table.groups.checked_add(group.checked_mul(slots.size)?)?;
        if !budget.spend(slots.size) {
            return None;
        }
        deleted += swiss::deleted_slots(context.memory.word(address)?.to_le_bytes());
    }
    Some(deleted)
}
