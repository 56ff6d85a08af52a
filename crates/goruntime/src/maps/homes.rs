//! Where an entry belongs by the hash of its key, as far as that is quickly told.

use panicle_report::MapImplementation;

use super::{
    Entry, MapType,
    hash::h2,
    hmap::{self, Hmap},
};
use crate::value::Context;

/// Where entries of a map may be, as far as that is quickly told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Homes(Option<Hmap>);

impl Homes {
    /// Those of the map of type `of` at `address`; `None` when its header is not in memory.
    pub(super) fn of(context: &Context<'_>, of: &MapType, address: u64) -> Option<Self> {
        match of.slots.implementation {
            MapImplementation::Swiss => Some(Self(None)),
            _ => Hmap::read(context, address).map(|map| Self(Some(map))),
        }
    }

    /// Whether the entry may be where it is when its key has this hash.
    pub(super) fn has(&self, entry: &Entry, hash: u64) -> bool {
        self.mark(hash) == entry.mark && self.bucket(entry, hash).is_none_or(|bucket| bucket == entry.row)
    }

    /// What is kept of a hash beside the entry.
    pub(super) fn mark(&self, hash: u64) -> u8 {
        if self.0.is_some() { hmap::top_hash(hash) } else { h2(hash) }
    }

    /// The bucket that an entry with this hash is in, new or old as the entry's is; `None` for groups.
    pub(super) fn bucket(&self, entry: &Entry, hash: u64) -> Option<u64> {
        let map = self.0.as_ref()?;
        let buckets = map.bucket_count();
        Some(if entry.row < buckets {
            hash & (buckets - 1)
        } else {
            buckets.saturating_add(hash & map.old_bucket_count().wrapping_sub(1))
        })
    }
}
