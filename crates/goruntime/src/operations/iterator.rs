//! Iterators over maps, and the descriptors of their types.

use crate::{
    process::Process,
    value::rtype::{Kind, TypeData},
};

/// A base-two logarithm of buckets or tables that no map has.
const DEEPEST: u64 = 48;

/// A pointer to memory that is there.
fn leads(process: &Process<'_>, pointer: u64) -> bool {
    pointer.is_multiple_of(8) && process.memory.u64(pointer).is_ok()
}

/// Whether `address` is the descriptor of a map's type.
pub(super) fn is_map_type(process: &Process<'_>, types: Option<&TypeData>, address: u64) -> bool {
    let Some(types) = types else { return false };
    if types.offset(address).is_some() {
        return types.read(process.memory, address).is_some_and(|found| found.kind == Kind::Map);
    }
    // Reflection makes types on the heap, with the methods of the compiler's own.
    let Ok(descriptor) = process.object("internal/abi.MapType", address) else { return false };
    let type_at = |path| descriptor.word(path).is_ok_and(|part| types.read(process.memory, part).is_some());
    type_at("Key") && type_at("Elem")
}

/// An iterator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Iterator {
    /// The map it is over.
    pub(super) map: u64,
    /// That map's type.
    pub(super) map_type: u64,
}

impl Iterator {
    /// Bytes of an iterator, and where in it the map's type is.
    pub(super) fn layout(process: &Process<'_>) -> Option<(u64, u64)> {
        let of = |name, map_type| {
            let layout = process.layout.structure(name)?;
            Some((layout.size, layout.field(map_type)?.offset))
        };
        of("runtime.hiter", "t").or_else(|| of("internal/runtime/maps.Iter", "typ"))
    }

    /// Whether iterators of the process are those of Swiss maps.
    pub(super) fn is_of_swiss_maps(process: &Process<'_>) -> bool {
        process.layout.structure("runtime.hiter").is_none()
            && process.layout.structure("internal/runtime/maps.Iter").is_some()
    }

    /// What the iterator at `address`, a `runtime.hiter` or `internal/runtime/maps.Iter`, is over.
    pub(super) fn read(process: &Process<'_>, address: u64) -> Option<Self> {
        if let Ok(iterator) = process.object("runtime.hiter", address) {
            return Some(Self { map: iterator.word("h").ok()?, map_type: iterator.word("t").ok()? });
        }
        let iterator = process.object("internal/runtime/maps.Iter", address).ok()?;
        Some(Self { map: iterator.word("m").ok()?, map_type: iterator.word("typ").ok()? })
    }

    /// Whether what lies at `address` looks like this iterator and stands at an entry: it has begun and not ended.
    /// A map in an interface has the type in front of it too, so everything else has to fit.
    pub(super) fn stands(self, process: &Process<'_>, address: u64) -> bool {
        self.stands_in_buckets(process, address)
            .or_else(|| self.stands_in_groups(process, address))
            .unwrap_or(false)
    }

    fn stands_in_buckets(self, process: &Process<'_>, address: u64) -> Option<bool> {
        let iterator = process.object("runtime.hiter", address).ok()?;
        let map = process.object("runtime.hmap", self.map).ok()?;
        let word = |path| iterator.word(path).ok();
        let fits = || {
            let b = word("B").filter(|b| map.word("B").is_ok_and(|of_map| *b <= of_map && *b <= DEEPEST))?;
            let bucket = word("bptr")?;
            let in_range = word("startBucket")? < 1 << b
                && word("bucket")? <= 1 << b
                && word("offset")? < 8
                && word("i")? <= 8
                && word("wrapped")? <= 1;
            let pointers = [word("key")?, word("elem")?, word("buckets")?];
            Some(in_range && (bucket == 0 || leads(process, bucket)) && all_there(process, &pointers))
        };
        Some(fits().unwrap_or(false))
    }

    fn stands_in_groups(self, process: &Process<'_>, address: u64) -> Option<bool> {
        const MOST_SLOTS: u64 = 1 << 16;
        let iterator = process.object("internal/runtime/maps.Iter", address).ok()?;
        let map = process.object("internal/runtime/maps.Map", self.map).ok()?;
        let word = |path| iterator.word(path).ok();
        let fits = || {
            let depth = word("globalDepth")?;
            let depth_fits = map.word("globalDepth").is_ok_and(|of_map| depth <= of_map && depth <= DEEPEST);
            let (index, table) = (word("dirIdx")?.cast_signed(), word("tab")?);
            // The index of a small map, which has no table, is -1.
            let place = if index == -1 {
                depth == 0 && table == 0 && word("entryIdx")? <= 8 && leads(process, word("group")?)
            } else {
                let in_directory = u64::try_from(index).is_ok_and(|index| index <= 1 << depth.min(DEEPEST));
                in_directory && table != 0 && leads(process, table) && word("entryIdx")? <= MOST_SLOTS
            };
            let cleared = match (word("clearSeq"), map.word("clearSeq")) {
                (Some(seen), Ok(now)) => seen <= now,
                _ => true,
            };
            Some(depth_fits && place && cleared && all_there(process, &[word("key")?, word("elem")?]))
        };
        Some(fits().unwrap_or(false))
    }
}

/// Whether there is memory at all of these addresses.
fn all_there(process: &Process<'_>, addresses: &[u64]) -> bool {
    addresses.iter().all(|address| *address != 0 && process.memory.u8(*address).is_ok())
}
