//! Whole maps, of every kind, in every version, on both architectures, stripped and not.

use std::fmt::Write as _;

use panicle_fixtures::Fixture;
use panicle_report::{MapHeader, MapImplementation, MapState};
use rayon::prelude::*;

use super::{Printed, digest, fixtures, name, open, printed};
use crate::{
    maps::{MapType, entries, header, looks_like},
    value::{self, Context, Limits, Location, TypeRef},
};

#[test]
fn maps_hold_what_the_programs_printed() {
    let fixtures = fixtures(&["maps", "maps-growing"]);
    // Eight versions, two architectures, two programs, plain and stripped.
    assert!(fixtures.len() >= 64, "{} fixtures", fixtures.len());
    let wrong: String = fixtures.par_iter().map(check).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

fn check(fixture: &Fixture) -> String {
    open(fixture, |session| {
        let context = session.context();
        let maps = [printed(fixture, "map"), printed(fixture, "sync")].concat();
        assert!(maps.len() > 30, "{}", name(fixture));
        let mut wrong = String::new();
        for map in &maps {
            if let Err(why) = check_map(&context, map) {
                let _ = writeln!(wrong, "{}: {}: {why}", name(fixture), map.name);
            }
        }
        wrong
    })
}

fn check_map(context: &Context<'_>, map: &Printed) -> Result<(), String> {
    let of = MapType::of_runtime(context, map.type_address).ok_or("no type")?;
    let found = header(context, &of, map.address).map_err(|error| error.to_string())?;
    if found.count != map.len {
        return Err(format!("counts {}, printed {}", found.count, map.len));
    }
    if !found.problems.is_empty() {
        return Err(format!("{:?}", found.problems));
    }
    let state = match map.len {
        _ if map.address == 0 => MapState::Nil,
        0 => MapState::Empty,
        _ => MapState::Normal,
    };
    if found.state != state && found.state != MapState::Growing {
        return Err(format!("is {:?}", found.state));
    }
    if looks_like(context, &of, map.address) != (map.address != 0) {
        return Err("does not look like itself".to_owned());
    }
    let sum = |(key, elem): (u64, u64)| digest::entry(context, (of.key, key), (of.elem, elem));
    let mut walk = entries(context, &of, map.address);
    let (mut count, mut whole) = (0, 0_u64);
    for entry in walk.by_ref() {
        count += 1;
        whole = whole.wrapping_add(sum((entry.key, entry.elem)));
    }
    if (count, whole) != (map.len, map.sum) || !walk.problems().is_empty() {
        return Err(format!("{count} entries, {whole:#x}, {:?}; printed {map:x?}", walk.problems()));
    }
    // The same in pages.
    let (mut paged, mut cursor) = (0_u64, None);
    for page in 0_u64.. {
        let mut walk = entries(context, &of, map.address);
        if let Some(cursor) = cursor {
            walk = walk.starting_at(cursor);
        }
        let mut taken = 0;
        for entry in walk.by_ref().take(7 + 300 * (page % 7) as usize) {
            taken += 1;
            paged = paged.wrapping_add(sum((entry.key, entry.elem)));
        }
        cursor = Some(walk.cursor().to_string().parse().map_err(|error| format!("{error}"))?);
        if taken == 0 {
            break;
        }
    }
    if paged == whole { Ok(()) } else { Err(format!("in pages {paged:#x}, at once {whole:#x}")) }
}

#[test]
fn a_shared_map_tells_its_form() {
    for fixture in fixtures(&["maps"]) {
        open(&fixture, |session| {
            let context = session.context();
            let forms: Vec<_> = printed(&fixture, "sync")
                .iter()
                .map(|map| {
                    let of = MapType::of_runtime(&context, map.type_address).unwrap();
                    assert_eq!((&*of.name, &*of.key_name), ("sync.Map", "interface {}"));
                    let found = header(&context, &of, map.address).unwrap();
                    assert_eq!(found.allocated, map.name != "empty", "{}", name(&fixture));
                    match found.fields.unwrap() {
                        MapHeader::SyncMap(fields) => fields,
                        other => panic!("{other:?}"),
                    }
                })
                .collect();
            let of_form = |form: &str| forms.iter().filter(|fields| fields.form == form).count();
            assert_eq!(of_form("hash-trie") + of_form("read-dirty"), 6);
            if of_form("read-dirty") == 6 {
                // Promoted, with entries that were deleted before and after there was a dirty map.
                let expunged = &forms[3];
                assert_eq!(
                    (expunged.read, expunged.dirty, expunged.amended),
                    (Some(20), Some(11), Some(true))
                );
                assert_eq!((forms[1].read, forms[1].amended), (Some(0), Some(true)));
                assert_eq!((forms[2].read, forms[2].dirty, forms[2].amended), (Some(20), None, Some(false)));
            }
        });
    }
}

#[test]
fn a_shared_map_is_written_as_a_map() {
    for fixture in fixtures(&["maps"]) {
        open(&fixture, |session| {
            let context = session.context();
            let written = |name: &str| {
                let all = printed(&fixture, "sync");
                let map = all.iter().find(|map| map.name == name).unwrap();
                let at = Location::Address(map.address);
                value::format_runtime(&context, map.type_address, &at, Limits::default())
            };
            assert_eq!(written("empty"), "sync.Map{}");
            let expected = r#"sync.Map{int(0): string("value 0"), int(1): string("value 1"), int(2): string("value 2")}"#;
            assert_eq!(written("stored"), expected, "{}", name(&fixture));
            assert!(written("many").ends_with(", … more}"), "{}", written("many"));
            // It holds itself, which ends.
            let both = written("both");
            assert!(both.contains("*sync.Map 0x") && !both.contains("mu: "), "{both}");
            assert!(both.contains("(seen above)") || both.contains("{…}"), "{both}");
        });
    }
}

#[test]
fn growing_maps_are_met_halfway() {
    let (mut halfway, mut same_size) = (0, 0);
    let mut split = 0;
    for fixture in fixtures(&["maps-growing"]) {
        open(&fixture, |session| {
            let context = session.context();
            for map in printed(&fixture, "map") {
                let of = MapType::of_runtime(&context, map.type_address).unwrap();
                match header(&context, &of, map.address).unwrap().fields.unwrap() {
                    MapHeader::Hmap(fields) => {
                        let Some(growth) = fields.growth else { continue };
                        halfway += u32::from((1..growth.old_buckets).contains(&growth.evacuated));
                        same_size += u32::from(growth.same_size);
                    }
                    MapHeader::Swiss(fields) => {
                        let depths = fields.tables.iter().map(|table| table.local_depth);
                        split += u32::from(depths.clone().min() != depths.max());
                    }
                    MapHeader::SyncMap(_) => unreachable!(),
                }
            }
        });
    }
    // The programs do meet what they are there for.
    assert!(halfway > 50 && same_size > 0 && split > 10, "{halfway} {same_size} {split}");
}

#[test]
fn debug_information_alone_tells_the_same_slots() {
    for fixture in fixtures(&["maps"]).iter().filter(|fixture| fixture.variant == "default") {
        open(fixture, |session| {
            let context = session.context();
            let (mut compared, mut swiss) = (0, 0);
            for map in printed(fixture, "map") {
                let runtime = MapType::of_runtime(&context, map.type_address).unwrap();
                let offset = context.types.unwrap().offset(map.type_address).unwrap();
                let Some(id) = context.dwarf.unwrap().type_by_runtime_offset(offset) else { continue };
                assert_eq!(MapType::of(&context, TypeRef::Dwarf(id)), Some(runtime.clone()));
                let without_types = Context { types: None, ..context };
                let dwarf = MapType::of(&without_types, TypeRef::Dwarf(id)).unwrap();
                assert_eq!(dwarf.slots, runtime.slots, "{} {}", name(fixture), runtime.name);
                assert_eq!(dwarf.name, runtime.name);
                compared += 1;
                swiss += u32::from(runtime.slots.implementation == MapImplementation::Swiss);
            }
            assert!(compared > 100, "{}: {compared}", name(fixture));
            assert!(swiss == 0 || swiss == compared);
        });
    }
}
