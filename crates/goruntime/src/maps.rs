//! Go's maps, out of memory alone: headers, entries, and how they lie.
//!
//! Two implementations are read. Up to Go 1.23 a map is an `hmap` of buckets with overflow chains
//! (runtime/map.go); from 1.24 it is a Swiss map, a directory of tables of groups
//! (internal/runtime/maps). Which one, and where a key and an element are within a bucket or group, comes
//! from the runtime's own descriptor of the map's type, so that stripped binaries tell as much as others.
//!
//! - [`MapType`]: a map's type and the layout of its slots;
//! - [`header()`]: what the header says, and what follows from it;
//! - [`entries()`]: a lazy walk over all entries that can go on from a [`Cursor`];
//! - [`Hashes`]: the hash functions of the process, and [`lookup()`], which finds one key by them;
//! - [`layout()`]: how the entries lie;
//! - [`check()`]: a look at them for damage, and [`Examiner`], which has both for a report.
//!
//! Nothing read is trusted: a walk looks at no more bytes than there are in memory.

mod blocks;
mod check;
mod entries;
mod hash;
mod header;
mod hmap;
mod homes;
mod kind;
mod layout;
mod lookup;
mod marks;
mod path;
mod plausible;
mod report;
mod shared;
mod swiss;

pub(crate) use check::Prover;
pub use check::{Check, Examiner, Writers, check};
pub use entries::{Cursor, Entries, Entry, entries};
pub use hash::{HashFunction, Hashes};
pub use header::{Header, Unreadable, header};
pub use kind::{MapType, Slots};
pub use layout::layout;
pub use lookup::{Key, Lookup, lookup};
pub use plausible::looks_like;
pub(crate) use plausible::{is_nearly_one, may_be, may_be_any};

/// Slots of a bucket or a group (`abi.MapBucketCount`, `abi.MapGroupSlots`).
pub const SLOTS: u64 = 8;

#[cfg(test)]
mod tests;
