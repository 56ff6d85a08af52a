//! What cannot be a map's header.
//!
//! There is one answer, whoever asks: a header's own fields either belong together or what is wrong with them is
//! said. Slots are looked at elsewhere ([`super::check()`]).

use panicle_report::MapImplementation;

use super::{
    MapType, Slots,
    hmap::{self, Hmap},
    report::Problems,
    shared,
    swiss::{self, Swiss, Table},
};
use crate::{layout::Layout, value::Context};

/// The load up to which an `hmap` fills is 13/2 for each bucket; while it grows, and in chains, it is more.
const MOST_LOAD: u64 = 64;
/// Flags are below this: there are four.
const ALL_FLAGS: u64 = 16;
/// Pointers of a process are below this, on both architectures.
const ADDRESSES: u64 = 1 << 48;

/// Whether there may be a map of type `of` at `address`: cheap, and right for every map that is not damaged.
///
/// Memory that is zero throughout is no map, since a map has a seed from the beginning.
pub fn looks_like(context: &Context<'_>, of: &MapType, address: u64) -> bool {
    looks(context, of.slots.implementation, address, false)
}

/// The same for an address that somebody says is a map's: while several goroutines write to it, its count need not
/// be that of its slots.
pub(crate) fn may_be(context: &Context<'_>, of: &MapType, address: u64) -> bool {
    looks(context, of.slots.implementation, address, true)
}

/// The same for a map of any type, but no `sync.Map`.
pub(crate) fn may_be_any(context: &Context<'_>, address: u64) -> bool {
    native(context.layout).is_some_and(|native| looks(context, native, address, true))
}

/// How the maps of a process are built.
fn native(layout: &Layout) -> Option<MapImplementation> {
    let of = |name: &str, implementation| layout.structure(name).map(|_| implementation);
    of(Hmap::NAME, MapImplementation::Hmap).or_else(|| of(Swiss::NAME, MapImplementation::Swiss))
}

/// Whether the header of a map of type `of` at `address` would be one if it were not for one field.
pub(crate) fn is_nearly_one(context: &Context<'_>, of: &MapType, address: u64) -> bool {
    if !address.is_multiple_of(8) {
        return false;
    }
    let faults = match of.slots.implementation {
        MapImplementation::SyncMap => None,
        MapImplementation::Swiss => {
            Swiss::read(context, address).filter(|map| !map.is_blank()).map(|map| swiss_faults(context, &map))
        }
        MapImplementation::Hmap => Hmap::read(context, address)
            .filter(|map| !map.is_blank())
            .map(|map| hmap_faults(context, Some(&of.slots), &map)),
    };
    faults.is_some_and(|faults| faults.count() == 1)
}

/// Whether there is memory at a pointer.
pub(super) fn leads_somewhere(context: &Context<'_>, address: u64) -> bool {
    context.memory.read(address, &mut [0])
}

fn looks(context: &Context<'_>, implementation: MapImplementation, address: u64, miscounted: bool) -> bool {
    if address == 0 || !address.is_multiple_of(8) {
        return false;
    }
    match implementation {
        MapImplementation::Swiss => {
            Swiss::read(context, address).is_some_and(|map| looks_like_swiss(context, &map, miscounted))
        }
        MapImplementation::SyncMap => shared::looks_like_shared(context, address),
        MapImplementation::Hmap => {
            Hmap::read(context, address).is_some_and(|map| looks_like_hmap(context, &map))
        }
    }
}

fn looks_like_hmap(context: &Context<'_>, map: &Hmap) -> bool {
    // Marks of moved entries are only in buckets that entries move out of.
    let moved = || {
        let marks = context.memory.word(map.buckets).map(u64::to_le_bytes);
        marks.is_some_and(|marks| marks.into_iter().any(hmap::is_evacuated))
    };
    hmap_faults(context, None, map).is_empty() && (map.buckets == 0 || !moved())
}

fn looks_like_swiss(context: &Context<'_>, map: &Swiss, miscounted: bool) -> bool {
    let control = |address: u64| {
        let control = address.is_multiple_of(8).then(|| context.memory.word(address)).flatten();
        control.map(u64::to_le_bytes).filter(|control| swiss::control_is_sound(*control))
    };
    if !swiss_faults(context, map).is_empty() {
        return false;
    }
    if map.dir_ptr == 0 {
        return true;
    }
    if map.is_small() {
        let full = control(map.dir_ptr).map(|control| swiss::full_slots(control).count_ones());
        return full.is_some_and(|full| miscounted || u64::from(full).abs_diff(map.used) <= map.writing);
    }
    let first = context.memory.word(map.dir_ptr);
    let table = first.and_then(|address| Table::read(context, address, 0));
    table.is_some_and(|table| {
        (if miscounted { table.shape_is_sound() } else { table.is_sound() })
            && table.index == 0
            && table.local_depth <= map.global_depth
            && control(table.groups).is_some()
            && map.used <= map.dir_len.saturating_mul(table.capacity.max(1024))
    })
}

/// Says of a pointer that it leads nowhere.
fn pointer(context: &Context<'_>, name: &str, pointer: u64, faults: &mut Problems) {
    if pointer == 0 {
        return;
    }
    if !pointer.is_multiple_of(8) {
        faults.add(format!("{name} is {pointer:#x}, which is no address of words."));
    } else if !leads_somewhere(context, pointer) {
        faults.add(format!("{name} is {pointer:#x}, and there is no memory."));
    }
}

/// What no `hmap` has: nothing of one that is not damaged. `slots` tells how large its buckets are.
pub(super) fn hmap_faults(context: &Context<'_>, slots: Option<&Slots>, map: &Hmap) -> Problems {
    let mut faults = Problems::default();
    let count = map.count.cast_signed();
    if map.is_blank() {
        faults.add("All of its header is zero.".to_owned());
        return faults;
    }
    // Small buckets have eight words.
    let size = slots.map_or(64, |slots| slots.size);
    let end = map.bucket_count().checked_mul(size).and_then(|size| size.checked_add(map.buckets));
    if !map.b_is_sound() || (map.buckets < ADDRESSES && end.is_none_or(|end| end > ADDRESSES)) {
        faults.add(format!("B is {}; no map has so many buckets.", map.b));
    }
    if map.flags >= ALL_FLAGS {
        faults.add(format!("Its flags are {:#x}, and there are four.", map.flags));
    }
    if map.hash0 == 0 {
        faults.add("Its seed is 0, as that of no map is.".to_owned());
    }
    for (name, to) in [("buckets", map.buckets), ("oldbuckets", map.oldbuckets), ("extra", map.extra)] {
        pointer(context, name, to, &mut faults);
    }
    if map.buckets == 0 {
        if map.count != 0 {
            faults.add(format!("It counts {count} entries and has no buckets."));
        }
        if map.b != 0 {
            faults.add(format!("B is {}, and it has no buckets.", map.b));
        }
        if map.oldbuckets != 0 {
            faults.add("It has old buckets and no new ones.".to_owned());
        }
    }
    let buckets = map.bucket_count();
    if map.buckets != 0 && map.count > buckets.saturating_mul(MOST_LOAD) {
        faults.add(format!("It counts {count} entries in {buckets} buckets; it would have grown before."));
    }
    if map.b_is_sound() && map.nevacuate > 1 << map.b {
        faults.add(format!("nevacuate is {}, and it has {buckets} buckets.", map.nevacuate.cast_signed()));
    }
    faults
}

/// What no Swiss map has: nothing of one that is not damaged.
pub(super) fn swiss_faults(context: &Context<'_>, map: &Swiss) -> Problems {
    let mut faults = Problems::default();
    if map.is_blank() {
        faults.add("All of its header is zero.".to_owned());
        return faults;
    }
    if map.seed == 0 {
        faults.add("Its seed is 0, as that of no map is.".to_owned());
    }
    for (name, flag) in [("writing", Some(map.writing)), ("tombstonePossible", map.tombstone_possible)] {
        if let Some(flag) = flag.filter(|flag| *flag > 1) {
            faults.add(format!("{name} is {flag}, and can be 0 or 1."));
        }
    }
    if !map.directory_is_sound() {
        faults.add(format!(
            "The directory has {} places, depth {} and shift {}, which do not belong together.",
            map.dir_len.cast_signed(),
            map.global_depth,
            map.global_shift
        ));
    }
    pointer(context, "dirPtr", map.dir_ptr, &mut faults);
    if map.dir_ptr == 0 {
        if map.used != 0 {
            faults.add(format!("It counts {} entries and has no slots.", map.used.cast_signed()));
        }
        if !map.is_small() {
            faults.add("It has a directory that is nowhere.".to_owned());
        }
    }
    faults
}
