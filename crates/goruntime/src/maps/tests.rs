//! Maps of real programs, read out of their cores.

use super::{MapType, entries, header, looks_like};
use crate::value::{
    TypeRef,
    testing::{VERSIONS, with},
};

#[test]
fn the_entries_of_a_global_map_are_found() {
    for version in VERSIONS {
        with("values", version, |case| {
            let variable = case.dwarf().variable("main.Map").unwrap();
            let of = MapType::of(&case.context, TypeRef::Dwarf(variable.type_id)).unwrap();
            assert_eq!((&*of.name, &*of.key_name, &*of.elem_name), ("map[string]int", "string", "int"));
            let address = case.context.memory.word(variable.address).unwrap();
            assert!(looks_like(&case.context, &of, address));
            let header = header(&case.context, &of, address).unwrap();
            assert_eq!((header.count, header.room, header.problems.len()), (3, Some(8), 0), "{version}");
            let mut found = entries(&case.context, &of, address);
            let mut elems: Vec<u64> =
                found.by_ref().map(|entry| case.context.memory.word(entry.elem).unwrap()).collect();
            elems.sort_unstable();
            assert_eq!((elems, found.problems().len()), (vec![1, 2, 3], 0), "{version}");
        });
    }
}
