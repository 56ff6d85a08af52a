//! The header of an `hmap` (runtime/map.go up to Go 1.23).

use panicle_report::{Address, HmapGrowth, HmapHeader, MapHeader, MapImplementation};

use super::{Header, SLOTS_COUNTED, count_entries, state};
use crate::{
    maps::{
        MapType, SLOTS, Slots,
        blocks::Budget,
        hmap::{self, Hmap},
        plausible::{self, leads_somewhere},
    },
    value::Context,
};

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

/// The header of the map of type `of` at `address`, which is `map`.
pub(super) fn header(context: &Context<'_>, of: &MapType, address: u64, map: &Hmap) -> Header {
    let mut problems = plausible::hmap_faults(context, Some(&of.slots), map);
    let sound = problems.is_empty();
    let buckets = map.bucket_count();
    let fits = Budget::new(context.memory).spend(buckets.saturating_mul(of.slots.size));
    if sound && !fits {
        problems.add(format!("B is {}, and there is no memory for so many buckets.", map.b));
    } else if sound && buckets > 0 && !leads_somewhere(context, last_of(map, &of.slots)) {
        problems.add(format!("The last of its {buckets} buckets is not in memory."));
    }
    let counted = buckets.saturating_add(map.old_bucket_count()).saturating_mul(SLOTS) <= SLOTS_COUNTED;
    if counted && sound {
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
        state: state(map.is_writing(), sound && fits, map.is_growing(), map.count),
        allocated: map.buckets != 0,
        fields: Some(MapHeader::Hmap(fields)),
        flags: map.flag_names(),
        problems: problems.sentences(),
    }
}

/// The last byte of the last bucket.
fn last_of(map: &Hmap, slots: &Slots) -> u64 {
    map.bucket_count().saturating_mul(slots.size).saturating_add(map.buckets).saturating_sub(1)
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
