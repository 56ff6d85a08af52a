//! What a map's header says, and what follows from it.

use panicle_report::{
    Address, HmapGrowth, HmapHeader, Map, MapHeader, MapImplementation, MapState, SwissHeader, SwissTable,
};

use super::{
    MapType, SLOTS, Slots,
    blocks::Budget,
    hmap::{self, Hmap},
    report::Problems,
    shared,
    swiss::{self, Swiss, Table, Tables},
};
use crate::value::Context;

/// Tables that a header lists.
const TABLES_LISTED: usize = 64;
/// Slots up to which they are counted and not believed.
const SLOTS_COUNTED: u64 = 1 << 18;
/// Old buckets up to which the evacuated ones are counted one by one.
const OLD_BUCKETS_COUNTED: u64 = 1 << 20;
/// Bytes that are read to see whether a bucket has moved: its marks and the pointer to the next.
const LOOK: u64 = 16;
/// Buckets of one chain that are looked at for that.
const LONGEST_CHAIN: u64 = 1024;
/// Up to this `B`, `noverflow` is a count and not an estimate (`incrnoverflow`).
const EXACT_OVERFLOW: u64 = 16;
/// From this `B` on, overflow buckets are allocated in advance (`makeBucketArray`).
const OVERFLOW_IN_ADVANCE: u64 = 4;
/// The load up to which an `hmap` fills is 13/2 for each bucket; while it grows, and in chains, it is more.
const MOST_LOAD: u64 = 64;

/// Why there is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header of the map at {address:#x} is not in memory")]
pub struct Unreadable {
    /// Where it should be.
    pub address: u64,
}

/// A map's header.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Where it is; 0 for a nil map.
    pub address: u64,
    /// How the map is built.
    pub implementation: MapImplementation,
    /// Entries, as the header counts them.
    pub count: u64,
    /// Slots that are allocated, overflow buckets left aside; `None` where that cannot be read.
    pub room: Option<u64>,
    /// Bytes of the header and of all buckets or tables, keys and elements behind pointers left aside.
    pub size_bytes: Option<u64>,
    /// What state it is in.
    pub state: MapState,
    /// Something is allocated for entries.
    pub allocated: bool,
    /// Its fields; `None` for a nil map.
    pub fields: Option<MapHeader>,
    /// Flags that are set.
    pub flags: Vec<String>,
    /// What is wrong with it, one sentence each.
    pub problems: Vec<String>,
}

impl Header {
    /// The header as the report has it, of a map of type `of`, without roots and users.
    pub fn into_map(self, of: &MapType) -> Map {
        Map {
            address: Address(self.address),
            type_name: Some(of.name.clone()),
            type_address: of.type_address.map(Address),
            implementation: Some(self.implementation),
            count: Some(self.count),
            room: self.room,
            size_bytes: self.size_bytes,
            state: self.state,
            allocated: Some(self.allocated),
            header: self.fields,
            flags: self.flags,
            problems: self.problems,
            roots: Vec::new(),
            roots_left_out: 0,
            users: Vec::new(),
        }
    }
}

impl Unreadable {
    /// What the report has of a map of type `of` whose header is missing.
    pub fn into_map(self, of: &MapType) -> Map {
        Map {
            address: Address(self.address),
            type_name: Some(of.name.clone()),
            type_address: of.type_address.map(Address),
            implementation: Some(of.slots.implementation),
            count: None,
            room: None,
            size_bytes: None,
            state: MapState::Unknown,
            allocated: None,
            header: None,
            flags: Vec::new(),
            problems: vec!["The map's header is not in memory.".to_owned()],
            roots: Vec::new(),
            roots_left_out: 0,
            users: Vec::new(),
        }
    }
}

/// The header of the map of type `of` at `address`, which is 0 for a nil map.
///
/// Slots of maps that are not large are counted, and what disagrees with the header is among the problems.
pub fn header(context: &Context<'_>, of: &MapType, address: u64) -> Result<Header, Unreadable> {
    if address == 0 {
        return Ok(Header {
            address,
            implementation: of.slots.implementation,
            count: 0,
            room: Some(0),
            size_bytes: Some(0),
            state: MapState::Nil,
            allocated: false,
            fields: None,
            flags: Vec::new(),
            problems: Vec::new(),
        });
    }
    let unreadable = Unreadable { address };
    if of.slots.implementation == MapImplementation::SyncMap {
        return shared::shared_header(context, address);
    }
    if of.slots.implementation == MapImplementation::Swiss {
        let map = Swiss::read(context, address).ok_or(unreadable)?;
        return Ok(of_swiss(context, of, address, &map));
    }
    let map = Hmap::read(context, address).ok_or(unreadable)?;
    Ok(of_hmap(context, of, address, &map))
}

fn state(writing: bool, growing: bool, count: u64) -> MapState {
    match (writing, growing, count) {
        (true, ..) => MapState::Writing,
        (_, true, _) => MapState::Growing,
        (.., 0) => MapState::Empty,
        _ => MapState::Normal,
    }
}

/// Whether there is memory at a pointer.
fn leads_somewhere(context: &Context<'_>, address: u64) -> bool {
    context.memory.read(address, &mut [0])
}

fn of_hmap(context: &Context<'_>, of: &MapType, address: u64, map: &Hmap) -> Header {
    let mut problems = Problems::default();
    if !map.b_is_sound() {
        problems.add(format!("B is {}; no map has so many buckets.", map.b));
    }
    for (name, pointer) in [("buckets", map.buckets), ("oldbuckets", map.oldbuckets), ("extra", map.extra)] {
        if pointer != 0 && !leads_somewhere(context, pointer) {
            problems.add(format!("{name} is {pointer:#x}, and there is no memory."));
        }
    }
    if map.buckets == 0 && map.count != 0 {
        problems.add(format!("It counts {} entries and has no buckets.", map.count.cast_signed()));
    }
    let buckets = map.bucket_count();
    if map.count > buckets.saturating_mul(MOST_LOAD) {
        problems.add(format!(
            "It counts {} entries in {buckets} buckets; it would have grown before.",
            map.count.cast_signed()
        ));
    }
    let counted = buckets.saturating_add(map.old_bucket_count()).saturating_mul(SLOTS) <= SLOTS_COUNTED;
    if counted && map.b_is_sound() {
        count_entries(context, of, address, map.count, map.is_writing(), &mut problems);
    }
    let growth = map.is_growing().then(|| HmapGrowth {
        same_size: map.same_size(),
        old_buckets: map.old_bucket_count(),
        evacuated: evacuated(context, &of.slots, map),
    });
    let fields = HmapHeader {
        flags: map.flags,
        b: map.b,
        noverflow: map.noverflow,
        hash0: Address(map.hash0),
        buckets: Address(map.buckets),
        oldbuckets: Address(map.oldbuckets),
        nevacuate: map.nevacuate,
        extra: Address(map.extra),
        bucket_count: buckets,
        load_factor: if buckets == 0 { 0.0 } else { map.count as f64 / buckets as f64 },
        growth,
    };
    Header {
        address,
        implementation: MapImplementation::Hmap,
        count: map.count,
        room: Some(buckets.saturating_mul(SLOTS)),
        size_bytes: hmap_size(context, &of.slots, map),
        state: state(map.is_writing(), map.is_growing(), map.count),
        allocated: map.buckets != 0,
        fields: Some(MapHeader::Hmap(fields)),
        flags: map.flag_names(),
        problems: problems.sentences(),
    }
}

/// Bytes of header and buckets, overflow buckets estimated as the runtime does.
fn hmap_size(context: &Context<'_>, slots: &Slots, map: &Hmap) -> Option<u64> {
    let array = |buckets: u64, b: u64| {
        let ahead = if b >= OVERFLOW_IN_ADVANCE { buckets >> OVERFLOW_IN_ADVANCE } else { 0 };
        (buckets.saturating_add(ahead), ahead)
    };
    let (new, ahead) = array(map.bucket_count(), map.b);
    let old = map.old_bucket_count();
    let (old, _) = array(old, u64::from(old.max(1).ilog2()));
    let overflow = match map.b.checked_sub(EXACT_OVERFLOW - 1) {
        None | Some(0) => map.noverflow,
        Some(shift) => map.noverflow.checked_shl(shift as u32)?,
    };
    let buckets = new.saturating_add(old).saturating_add(overflow.saturating_sub(ahead));
    buckets.checked_mul(slots.size)?.checked_add(context.layout.structure(Hmap::NAME)?.size)
}

/// How many of the old buckets have moved, with all of their chains. `nevacuate` alone leaves out those that were
/// written to.
fn evacuated(context: &Context<'_>, slots: &Slots, map: &Hmap) -> u64 {
    let old = map.old_bucket_count();
    if old > OLD_BUCKETS_COUNTED {
        return map.nevacuate.min(old);
    }
    let mut budget = Budget::new(context.memory).at_most(OLD_BUCKETS_COUNTED * 4 * LOOK);
    let mut has_moved = |bucket: u64| {
        let mut address = map.oldbuckets.checked_add(bucket.checked_mul(slots.size)?)?;
        for _ in 0..LONGEST_CHAIN {
            if !budget.spend(LOOK) {
                return None;
            }
            let marks = context.memory.word(address)?.to_le_bytes();
            if !marks.into_iter().all(hmap::is_evacuated) {
                return Some(false);
            }
            address = context.memory.word(address.checked_add(slots.size.checked_sub(8)?)?)?;
            if address == 0 {
                return Some(true);
            }
        }
        Some(false)
    };
    (0..old).map_while(&mut has_moved).filter(|moved| *moved).count() as u64
}

/// Compares the header's count with the entries that there are.
fn count_entries(
    context: &Context<'_>,
    of: &MapType,
    address: u64,
    count: u64,
    writing: bool,
    problems: &mut Problems,
) {
    // The slots that are counted, and as many in overflow buckets.
    let most = (SLOTS_COUNTED / SLOTS).saturating_mul(2).saturating_mul(of.slots.size);
    let mut entries = super::entries(context, of, address).within(most);
    let found = entries.by_ref().count() as u64;
    if entries.is_cut() {
        problems
            .add("It has more buckets than its header can mean; its entries were not counted.".to_owned());
        return;
    }
    let missing = entries.problems();
    // A write sets the slot first and counts it later, or the other way round.
    let off_by_writer = u64::from(writing);
    if missing.is_empty() && found.abs_diff(count) > off_by_writer {
        problems.add(format!("It counts {} entries, and {found} slots are full.", count.cast_signed()));
    }
    for problem in missing {
        problems.add(problem);
    }
}

fn of_swiss(context: &Context<'_>, of: &MapType, address: u64, map: &Swiss) -> Header {
    let mut problems = Problems::default();
    if !map.directory_is_sound() {
        problems.add(format!(
            "The directory has {} places, depth {} and shift {}, which do not belong together.",
            map.dir_len.cast_signed(),
            map.global_depth,
            map.global_shift
        ));
    }
    if map.dir_ptr != 0 && !leads_somewhere(context, map.dir_ptr) {
        problems.add(format!("dirPtr is {:#x}, and there is no memory.", map.dir_ptr));
    }
    if map.dir_ptr == 0 && map.used != 0 {
        problems.add(format!("It counts {} entries and has no slots.", map.used));
    }
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
        state: state(map.writing != 0, false, map.used),
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
    let mut bytes = map.dir_len.saturating_mul(8);
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

/// Whether there may be a map of type `of` at `address`: cheap, and right for every map that is not damaged.
///
/// Memory that is zero throughout is no map here, although it would be an empty one.
pub fn looks_like(context: &Context<'_>, of: &MapType, address: u64) -> bool {
    looks(context, of, address, false)
}

/// The same for an address that somebody says is a map's: while several goroutines write to it, its count need not
/// be that of its slots.
pub(crate) fn may_be(context: &Context<'_>, of: &MapType, address: u64) -> bool {
    looks(context, of, address, true)
}

fn looks(context: &Context<'_>, of: &MapType, address: u64, miscounted: bool) -> bool {
    if address == 0 || !address.is_multiple_of(8) {
        return false;
    }
    match of.slots.implementation {
        MapImplementation::Swiss => {
            Swiss::read(context, address).is_some_and(|map| looks_like_swiss(context, of, &map, miscounted))
        }
        MapImplementation::SyncMap => shared::looks_like_shared(context, address),
        MapImplementation::Hmap => {
            Hmap::read(context, address).is_some_and(|map| looks_like_hmap(context, &map))
        }
    }
}

fn looks_like_hmap(context: &Context<'_>, map: &Hmap) -> bool {
    let pointer =
        |address: u64| address == 0 || (address.is_multiple_of(8) && leads_somewhere(context, address));
    let plausible = map.b_is_sound()
        && map.flags < 16
        && map.hash0 != 0
        && map.count <= map.bucket_count().saturating_mul(MOST_LOAD)
        && map.nevacuate <= 1 << map.b
        && (map.oldbuckets == 0 || map.buckets != 0)
        && (map.buckets != 0 || map.b == 0)
        && [map.buckets, map.oldbuckets, map.extra].into_iter().all(pointer);
    // Marks of moved entries are only in buckets that entries move out of.
    let marks = context.memory.word(map.buckets).map(u64::to_le_bytes);
    let moved = marks.is_some_and(|marks| marks.into_iter().any(hmap::is_evacuated));
    plausible && (map.buckets == 0 || !moved)
}

fn looks_like_swiss(context: &Context<'_>, of: &MapType, map: &Swiss, miscounted: bool) -> bool {
    let control = |address: u64| {
        let control = address.is_multiple_of(8).then(|| context.memory.word(address)).flatten();
        control.map(u64::to_le_bytes).filter(|control| swiss::control_is_sound(*control))
    };
    let plausible = map.seed != 0
        && map.writing <= 1
        && map.tombstone_possible.is_none_or(|possible| possible <= 1)
        && map.directory_is_sound();
    if !plausible {
        return false;
    }
    if map.dir_ptr == 0 {
        return map.used == 0 && map.is_small();
    }
    if map.is_small() {
        let full = control(map.dir_ptr).map(|control| swiss::full_slots(control).count_ones());
        return full.is_some_and(|full| miscounted || u64::from(full).abs_diff(map.used) <= map.writing);
    }
    let first = map.dir_ptr.is_multiple_of(8).then(|| context.memory.word(map.dir_ptr)).flatten();
    let table = first.and_then(|address| Table::read(context, address, 0));
    table.is_some_and(|table| {
        table.is_sound()
            && table.index == 0
            && table.local_depth <= map.global_depth
            && control(table.groups).is_some()
            && map.used <= map.dir_len.saturating_mul(table.capacity.max(1024))
            && of.slots.size > 0
    })
}
