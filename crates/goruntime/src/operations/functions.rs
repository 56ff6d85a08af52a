//! The functions that work on maps, by name: what they do, and which of their arguments say to what.
//!
//! From `runtime/map*.go` and `reflect` of all versions, and `internal/runtime/maps` from Go 1.24 on. Those that
//! make maps are told apart: nobody else has the map yet, and what they call works on that map.

use panicle_report::MapOperation::{self, Clear, Delete, Iterate, Read, Write};

/// A function that works on a map. Arguments are counted in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MapFunction {
    /// What it does to the map.
    pub(super) operation: MapOperation,
    /// Which argument is the map.
    pub(super) map: Option<usize>,
    /// Which is the descriptor of the map's type.
    pub(super) map_type: Option<usize>,
    /// Which is the iterator.
    pub(super) iterator: Option<usize>,
}

/// Whether the function called `name` makes a map.
pub(super) fn makes(name: &str) -> bool {
    if let Some(function) = name.strip_prefix("internal/runtime/maps.") {
        return matches!(function, "NewMap" | "NewEmptyMap" | "newTable");
    }
    let rest = name.strip_prefix("runtime.").or_else(|| name.strip_prefix("reflect."));
    rest.is_some_and(|function| function.starts_with("makemap"))
}

/// Whether the function called `name` copies a map: what it calls works on the copy.
pub(super) fn clones(name: &str) -> bool {
    matches!(
        name,
        "runtime.mapclone" | "runtime.mapclone2" | "maps.clone" | "internal/runtime/maps.(*Map).Clone"
    )
}

impl MapFunction {
    /// The function called `name` in the function table; `None` for one that does not work on maps.
    pub(super) fn named(name: &str) -> Option<Self> {
        if let Some(method) = name.strip_prefix("internal/runtime/maps.") {
            return match method.strip_prefix("runtime_") {
                Some(function) => Self::of_runtime(function),
                None => Self::of_maps(method),
            };
        }
        if let Some(function) = name.strip_prefix("runtime.") {
            return Self::of_runtime(function);
        }
        match name.strip_prefix("reflect.") {
            Some("mapiterkey" | "mapiterelem" | "maplen") => None,
            Some(function) => Self::of_runtime(function),
            // `mapclone(m any)` of the runtime, and `keys` and `values` of Go 1.21 and 1.22.
            None => matches!(name, "maps.clone" | "maps.keys" | "maps.values").then(|| Self::typed(Iterate)),
        }
    }

    /// `f(t *maptype, h *hmap, …)`, and an interface, which is a type and a map too.
    fn typed(operation: MapOperation) -> Self {
        Self { operation, map: Some(1), map_type: Some(0), iterator: None }
    }

    /// `f(m *Map, typ *abi.MapType, …)`.
    fn method(operation: MapOperation) -> Self {
        Self { operation, map: Some(0), map_type: Some(1), iterator: None }
    }

    fn of_runtime(name: &str) -> Option<Self> {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let iterator = |number| Some(Self { iterator: Some(number), ..Self::typed(Iterate) });
        Some(match name {
            // Without the map: the iterator has it.
            "mapiternext" | "mapIterNext" => {
                Self { operation: Iterate, map: None, map_type: None, iterator: Some(0) }
            }
            "mapiterinit" | "mapIterStart" => return iterator(2),
            "hashGrow" => Self::typed(Write),
            "(*hmap).newoverflow" | "(*hmap).createOverflow" | "(*hmap).incrnoverflow" => {
                Self { operation: Write, map: Some(0), map_type: None, iterator: None }
            }
            "advanceEvacuationMark" => Self::method(Write),
            // The new map is the third argument, and nobody else's.
            "moveToBmap" => Self { operation: Iterate, map: None, map_type: Some(0), iterator: None },
            "mapclone" | "mapclone2" | "copyKeys" | "copyValues" => Self::typed(Iterate),
            _ if starts(&["mapaccess"]) => Self::typed(Read),
            _ if starts(&["mapassign", "growWork", "evacuate"]) && name != "evacuated" => Self::typed(Write),
            _ if starts(&["mapdelete"]) => Self::typed(Delete),
            _ if starts(&["mapclear"]) => Self::typed(Clear),
            _ => return None,
        })
    }

    fn of_maps(name: &str) -> Option<Self> {
        if let Some(method) = name.strip_prefix("(*Map).") {
            let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| method.starts_with(prefix));
            return Some(match method {
                "installTableSplit" | "replaceTable" => Self { map_type: None, ..Self::method(Write) },
                "Clone" => Self::method(Iterate),
                _ if starts(&["Get", "getWith"]) => Self::method(Read),
                _ if starts(&["Put", "put", "growTo"]) => Self::method(Write),
                _ if starts(&["Delete", "delete"]) => Self::method(Delete),
                _ if starts(&["Clear", "clear"]) => Self::method(Clear),
                _ => return None,
            });
        }
        if let Some(method) = name.strip_prefix("(*table).") {
            // `t.f(typ *abi.MapType, m *Map, …)`; some do without the map.
            let of = |operation, map| Self { operation, map, map_type: Some(1), iterator: None };
            return Some(match method {
                "Get" => of(Read, Some(2)),
                "getWithKey" | "getWithoutKey" => of(Read, None),
                "PutSlot" | "grow" | "rehash" | "split" => of(Write, Some(2)),
                "reset" => of(Write, None),
                _ if method.starts_with("uncheckedPutSlot") => of(Write, None),
                "Delete" | "pruneTombstones" => of(Delete, Some(2)),
                "Clear" => of(Clear, None),
                "clone" => of(Iterate, None),
                _ => return None,
            });
        }
        let of = |map, map_type| Self { operation: Iterate, map, map_type, iterator: Some(0) };
        match name {
            "(*Iter).Init" => Some(of(Some(2), Some(1))),
            "(*Iter).Next" | "(*Iter).grownKeyElem" | "(*Iter).nextDirIdx" => Some(of(None, None)),
            "cloneGroup" => Some(Self { operation: Iterate, map: None, map_type: Some(0), iterator: None }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_known_by_name() {
        let known = |name: &str| {
            MapFunction::named(name).map(|found| (found.operation, found.map, found.map_type, found.iterator))
        };
        let cases = [
            ("runtime.mapassign_fast64ptr", Some((Write, Some(1), Some(0), None))),
            ("runtime.mapaccess2_faststr", Some((Read, Some(1), Some(0), None))),
            ("runtime.evacuate_faststr", Some((Write, Some(1), Some(0), None))),
            ("runtime.mapiterinit", Some((Iterate, Some(1), Some(0), Some(2)))),
            ("runtime.mapIterNext", Some((Iterate, None, None, Some(0)))),
            ("runtime.(*hmap).newoverflow", Some((Write, Some(0), None, None))),
            ("reflect.mapassign_faststr0", Some((Write, Some(1), Some(0), None))),
            ("reflect.mapclear", Some((Clear, Some(1), Some(0), None))),
            ("maps.clone", Some((Iterate, Some(1), Some(0), None))),
            ("internal/runtime/maps.(*Map).putSlotSmallFastStr", Some((Write, Some(0), Some(1), None))),
            ("internal/runtime/maps.(*table).rehash", Some((Write, Some(2), Some(1), None))),
            ("internal/runtime/maps.(*Iter).Init", Some((Iterate, Some(2), Some(1), Some(0)))),
            ("internal/runtime/maps.runtime_mapassign", Some((Write, Some(1), Some(0), None))),
            ("reflect.mapiterkey", None),
            ("runtime.makemap_small", None),
            ("runtime.mapinitnoop", None),
            ("internal/runtime/maps.NewMap", None),
            ("main.mapassign", None),
        ];
        for (name, expected) in cases {
            assert_eq!(known(name), expected, "{name}");
        }
        assert!(
            makes("runtime.makemap_small")
                && makes("internal/runtime/maps.NewMap")
                && makes("reflect.makemap")
        );
        assert!(!makes("runtime.mapassign"));
        assert!(clones("runtime.mapclone2") && !clones("maps.keys"));
    }
}
