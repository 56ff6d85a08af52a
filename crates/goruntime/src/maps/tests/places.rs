//! Looking keys up, and how entries lie.

use std::{collections::HashMap, time::Instant};

use panicle_report::SlotState;
use rayon::prelude::*;

use super::{Printed, digest, fixtures, name, open, printed};
use crate::{
    maps::{Entry, Hashes, Key, MapType, entries, layout, lookup},
    value::Context,
};

fn key_bytes(context: &Context<'_>, of: &MapType, entry: &Entry) -> Vec<u8> {
    let mut key = vec![0; of.key_size as usize];
    assert!(context.memory.read(entry.key, &mut key));
    key
}

/// The text of a string whose header these bytes are.
fn text(context: &Context<'_>, header: &[u8]) -> Vec<u8> {
    let word = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().unwrap());
    let mut text = vec![0; word(8) as usize];
    assert!(context.memory.read(word(0), &mut text));
    text
}

#[test]
fn keys_are_found_where_they_are() {
    fixtures(&["maps", "maps-growing"]).par_iter().for_each(|fixture| {
        open(fixture, |session| {
            let context = session.context();
            let hashes = Hashes::of(session.process);
            for map in printed(fixture, "map") {
                let about = format!("{} {}", name(fixture), map.name);
                check_keys(&context, &hashes, &map, &about);
            }
        });
    });
}

fn check_keys(context: &Context<'_>, hashes: &Hashes, map: &Printed, about: &str) {
    let of = MapType::of_runtime(context, map.type_address).unwrap();
    for entry in entries(context, &of, map.address).step_by(1 + map.len as usize / 10) {
        let bytes = key_bytes(context, &of, &entry);
        let found = lookup(context, Some(hashes), &of, map.address, Key::Bytes(&bytes));
        if map.name.starts_with("nan/") {
            assert_eq!((found.entry, found.place.hash), (None, None), "{about}");
            continue;
        }
        assert_eq!(found.entry, Some(entry), "{about}: {found:?}");
        assert_eq!(found.problems, [""; 0]);
        let place = found.place;
        assert!(place.hash.is_some() && !place.probed.is_empty(), "{about}: {place:?}");
        assert_eq!(place.probed.last(), place.found_in.as_ref(), "{about}");
        // Without a hash function every key is compared with.
        let slow = lookup(context, None, &of, map.address, Key::Bytes(&bytes));
        assert_eq!((slow.entry, slow.place.hash), (Some(entry), None), "{about}");
        if of.key_name == "string" {
            let text = text(context, &bytes);
            let found = lookup(context, Some(hashes), &of, map.address, Key::Text(&text));
            assert_eq!(found.entry, Some(entry), "{about}");
        }
    }
    if of.key_name == "string" {
        let found = lookup(context, Some(hashes), &of, map.address, Key::Text(b"no such key"));
        assert_eq!(found.entry, None);
        assert!(map.address == 0 || found.place.hash.is_some(), "{about}");
    }
}

#[test]
fn slots_hold_what_the_walk_finds() {
    fixtures(&["maps", "maps-growing"]).par_iter().for_each(|fixture| {
        open(fixture, |session| {
            let context = session.context();
            for map in printed(fixture, "map") {
                let about = format!("{} {}", name(fixture), map.name);
                let of = MapType::of_runtime(&context, map.type_address).unwrap();
                let mut slots: HashMap<(u64, u64), u8> = HashMap::new();
                let (mut from, mut total) = (0, 1);
                while from < total {
                    let page = layout(&context, &of, map.address, from, 100);
                    assert_eq!(page.rows.len() as u64, 100.min(page.total - from), "{about}");
                    (from, total) = (from + 100, page.total);
                    for row in page.rows {
                        assert_eq!(row.problem, None, "{about}");
                        for (slot, found) in (0_u64..).zip(row.slots) {
                            if found.state == SlotState::Full {
                                slots.insert((row.index, slot), found.byte);
                            }
                        }
                    }
                }
                let walked: HashMap<_, _> = entries(&context, &of, map.address)
                    .map(|entry| ((entry.row, entry.slot), entry.mark))
                    .collect();
                assert_eq!(slots, walked, "{about}");
            }
        });
    });
}

#[test]
fn a_million_entries_are_read() {
    let fixtures = fixtures(&["big-map"]);
    assert_eq!(fixtures.len(), 6);
    for fixture in &fixtures {
        open(fixture, |session| {
            let context = session.context();
            let map = &printed(fixture, "map")[0];
            let of = MapType::of_runtime(&context, map.type_address).unwrap();
            let started = Instant::now();
            let count = entries(&context, &of, map.address).count() as u64;
            let walked = started.elapsed();
            let sum = entries(&context, &of, map.address)
                .map(|entry| digest::entry(&context, (of.key, entry.key), (of.elem, entry.elem)))
                .fold(0, u64::wrapping_add);
            assert_eq!((count, sum), (map.len, map.sum), "{}", name(fixture));
            let started = Instant::now();
            let hashes = Hashes::of(session.process);
            let ready = started.elapsed();
            let started = Instant::now();
            for number in [0_u64, 1, 777_777, 999_999] {
                let key = format!("user:{number:07}");
                let found = lookup(&context, Some(&hashes), &of, map.address, Key::Text(key.as_bytes()));
                let elem = context.memory.word(found.entry.unwrap().elem);
                assert_eq!(elem, Some(number * number), "{}", name(fixture));
                assert!(found.place.hash.is_some() && found.place.probed.len() < 20);
            }
            println!("{}: walk {walked:?}, hashes {ready:?}, lookups {:?}", name(fixture), started.elapsed());
        });
    }
}
