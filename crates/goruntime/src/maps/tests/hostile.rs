//! Memory that no process has: headers at random, and real maps that were damaged.

use panicle_report::{MapHeader, MapImplementation, MapLayoutRow, SlotState};
use proptest::prelude::*;

use super::{fixtures, name, open, printed};
use crate::{
    layout::{Layout, table},
    maps::{
        Entry, Hashes, Key, MapType, SLOTS, Slots, check, entries, header, layout, looks_like, lookup,
        shared::map_type,
    },
    value::{Context, Memory, TypeRef},
};

const BASE: u64 = 0xc000_0000_0000;
const SIZE: u64 = 32 << 10;

/// Words at random: pointers into the memory, small numbers, powers of two and noise.
struct Noise {
    bytes: Vec<u8>,
}

fn mixed(value: u64) -> u64 {
    let mut mixed = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 27)
}

impl Noise {
    fn new(seed: u64) -> Self {
        let words = (0..SIZE / 8).map(|at| {
            let random = mixed(seed ^ mixed(at));
            match random % 16 {
                0..6 => BASE + (random >> 8) % SIZE / 8 * 8,
                6..9 => (random >> 8) % 20,
                9 => 1 << ((random >> 8) % 64),
                10 => (1 << ((random >> 8) % 20)) - 1,
                11 => u64::MAX - (random >> 8) % 4,
                12 => 0x8080_8080_8080_8080,
                _ => random,
            }
        });
        Self { bytes: words.flat_map(u64::to_le_bytes).collect() }
    }
}

impl Memory for Noise {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        let from = address.checked_sub(BASE).map_or(usize::MAX, |offset| offset as usize);
        let to = from.saturating_add(buffer.len());
        let Some(bytes) = self.bytes.get(from..to) else { return false };
        buffer.copy_from_slice(bytes);
        true
    }

    fn size(&self) -> u64 {
        SIZE
    }
}

fn types() -> Vec<(Layout, MapType)> {
    let layout = |version: &str| table::candidates(Some(version), "linux/amd64").next().unwrap();
    let of = |implementation, size, key_stride, elems, elem_stride, indirect_key| MapType {
        name: "map[string]int".to_owned(),
        slots: Slots {
            implementation,
            size,
            keys: 8,
            key_stride,
            elems,
            elem_stride,
            indirect_key,
            indirect_elem: false,
        },
        elem_size: 8,
        ..map_type(None)
    };
    let (hmap, swiss) = (MapImplementation::Hmap, MapImplementation::Swiss);
    vec![
        (layout("go1.23.9"), of(hmap, 208, 16, 136, 8, false)),
        (layout("go1.22.10"), of(hmap, 16 + 16 * SLOTS, 8, 72, 8, true)),
        (layout("go1.24.11"), of(swiss, 8 + 24 * SLOTS, 24, 24, 24, false)),
        (layout("go1.27.3"), of(swiss, 8 + 24 * SLOTS, 16, 8 + 16 * SLOTS, 8, false)),
        (layout("go1.19.8"), map_type(None)),
        (layout("go1.23.9"), map_type(None)),
        (layout("go1.27.3"), map_type(None)),
    ]
}

/// All that is asked of a map; how many entries it has.
fn ask(context: &Context<'_>, hashes: &Hashes, of: &MapType, address: u64) -> u64 {
    let _ = looks_like(context, of, address);
    if let Ok(found) = header(context, of, address) {
        assert!(found.problems.len() < 20);
        let _ = found.into_map(of);
    }
    let mut walk = entries(context, of, address);
    let (mut count, mut half) = (0, walk.cursor());
    while walk.next().is_some() {
        count += 1;
        if count == 100 {
            half = walk.cursor();
        }
    }
    assert!(walk.problems().len() < 20);
    let rest = entries(context, of, address).starting_at(half).count() as u64;
    // A walk that was cut goes further when it begins later.
    assert!(rest <= count || walk.is_cut(), "{rest} of {count}");
    let page = layout(context, of, address, count / 16, 20);
    assert!(page.rows.len() <= 20);
    let _ = lookup(context, Some(hashes), of, address, Key::Text(b"key"));
    let _ = lookup(context, Some(hashes), of, address, Key::Bytes(&[1; 16]));
    let _ = check(context, Some(hashes), of, address, 5_000);
    count
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn headers_at_random_are_survived(seed: u64, place in 0_u64..SIZE / 8) {
        let memory = Noise::new(seed);
        for (layout, of) in types() {
            let symbol = |_: u64| None;
            let context = Context {
                memory: &memory,
                dwarf: None,
                layout: &layout,
                types: None,
                bias: 0,
                hashes: None,
                symbol: &symbol,
            };
            let found = ask(&context, &Hashes::default(), &of, BASE + place * 8);
            // Not more than all bytes that may be looked at could hold.
            prop_assert!(found <= (2 * SIZE + (1 << 20)) / 8, "{found}");
        }
    }
}

/// Memory in which some bytes are others.
struct Patched<'m> {
    whole: &'m dyn Memory,
    patches: Vec<(u64, u8)>,
    /// Damages about one in so many bytes, when that is not 0.
    one_in: u64,
    seed: u64,
}

impl Memory for Patched<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        if !self.whole.read(address, buffer) {
            return false;
        }
        for (at, byte) in (address..).zip(buffer.iter_mut()) {
            let random = mixed(at ^ self.seed);
            if self.one_in > 0 && random.is_multiple_of(self.one_in) {
                *byte ^= (random >> 32) as u8;
            }
            for (_, patch) in self.patches.iter().filter(|(place, _)| *place == at) {
                *byte = *patch;
            }
        }
        true
    }

    fn size(&self) -> u64 {
        // As if there were little, so that the test does not take long.
        self.whole.size().min(1 << 20)
    }
}

#[test]
fn damaged_maps_are_survived() {
    let damaged = fixtures(&["maps", "maps-growing"]).into_iter().filter(|fixture| {
        ["1.19.8", "1.23.9", "1.27.3"].contains(&fixture.go_version.as_str())
            && fixture.variant == "stripped"
            && fixture.arch == panicle_fixtures::Arch::Amd64
    });
    for fixture in damaged {
        open(&fixture, |session| {
            let context = session.context();
            let hashes = Hashes::of(session.process);
            let maps = [printed(&fixture, "sync"), printed(&fixture, "map")].concat();
            for map in maps.into_iter().step_by(5) {
                // The type is told right, what there is in the map is not.
                let of = MapType::of_runtime(&context, map.type_address).unwrap();
                for (seed, one_in) in [(1, 8), (2, 100), (3, 1000)] {
                    let memory = Patched { whole: context.memory, patches: Vec::new(), one_in, seed };
                    ask(&Context { memory: &memory, ..context }, &hashes, &of, map.address);
                }
            }
        });
    }
}

#[test]
fn damage_is_told_of() {
    for fixture in fixtures(&["maps"]).iter().filter(|fixture| fixture.variant == "stripped") {
        open(fixture, |session| {
            let context = session.context();
            let about = name(fixture);
            let hashes = Hashes::of(session.process);
            let all = printed(fixture, "map");
            let map = all.iter().find(|map| map.name == "strings/4000/0").unwrap();
            let of = MapType::of_runtime(&context, map.type_address).unwrap();
            let whole = check(&context, Some(&hashes), &of, map.address, u64::MAX);
            assert_eq!((whole.entries, whole.misplaced, whole.unreadable), (4000, Some(0), 0), "{about}");
            assert_eq!(whole.problems, [""; 0], "{about}");
            let with = |patches: Vec<(u64, u8)>, ask: &dyn Fn(&Context<'_>)| {
                let memory = Patched { whole: context.memory, patches, one_in: 0, seed: 0 };
                ask(&Context { memory: &memory, ..context });
            };
            // A counter.
            with(vec![(map.address, 0xa1)], &|context| {
                let found = header(context, &of, map.address).unwrap();
                assert!(found.problems[0].contains("entries"), "{about}: {:?}", found.problems);
            });
            // A mark.
            let entry = entries(&context, &of, map.address).nth(1000).unwrap();
            let block = entry.key - of.slots.keys - entry.slot % SLOTS * of.slots.key_stride;
            let mark = block + entry.slot % SLOTS;
            with(vec![(mark, entry.mark ^ 0x11)], &|context| {
                let found = check(context, Some(&hashes), &of, map.address, u64::MAX);
                assert_eq!(found.misplaced, Some(1), "{about}: {:?}", found.problems);
                let said = "the hash of its key gives";
                assert!(found.problems.iter().any(|problem| problem.contains(said)), "{about}");
            });
            // Marks of some of the entries that the hash function is proven by.
            let far_from_the_least = |entry: &Entry| (0x20..0x60).contains(&entry.mark);
            let some: Vec<Entry> =
                entries(&context, &of, map.address).take(48).filter(far_from_the_least).take(6).collect();
            let place = |entry: &Entry| {
                let slot = entry.slot % SLOTS;
                entry.key - of.slots.keys - slot * of.slots.key_stride + slot
            };
            let patches = some.iter().map(|entry| (place(entry), entry.mark ^ 0x11)).collect();
            with(patches, &|context| {
                let found = check(context, Some(&hashes), &of, map.address, u64::MAX);
                assert_eq!(found.misplaced, Some(some.len() as u64), "{about}: {:?}", found.problems);
                // Such an entry is found all the same, and it is said that the process would not find it.
                let mut key = vec![0; of.key_size as usize];
                assert!(context.memory.read(some[0].key, &mut key));
                let found = lookup(context, Some(&hashes), &of, map.address, Key::Bytes(&key));
                let mark = some[0].mark ^ 0x11;
                assert_eq!(found.entry, Some(Entry { mark, ..some[0] }), "{about}");
                assert!(found.place.explain.iter().any(|said| said.ends_with("no search comes by.")));
            });
            // Pointers of the header, wherever they are in this version.
            for offset in (8..48).step_by(8) {
                let word = context.memory.word(map.address + offset).unwrap();
                if word >> 32 == 0 || context.memory.word(word).is_none() {
                    continue;
                }
                with(vec![(map.address + offset + 6, 0x7f)], &|context| {
                    let found = header(context, &of, map.address).unwrap();
                    assert!(!found.problems.is_empty(), "{about}: nothing said of {offset}");
                });
            }
        });
    }
}

/// `evacuate` marks slot by slot, so that a process may end with a bucket of which a part has moved.
#[test]
fn a_bucket_that_is_half_moved_has_the_rest_of_its_entries() {
    let mut halves = 0;
    for fixture in fixtures(&["maps-growing"]).iter().filter(|fixture| fixture.variant == "stripped") {
        open(fixture, |session| {
            let context = session.context();
            let hashes = Hashes::of(session.process);
            for map in printed(fixture, "map") {
                let of = MapType::of_runtime(&context, map.type_address).unwrap();
                let rows = layout(&context, &of, map.address, 0, 1024).rows;
                let state = |slot: usize| move |row: &&MapLayoutRow| row.slots[slot].state == SlotState::Full;
                let unmoved = rows.iter().filter(|row| row.old).filter(state(0)).find(state(1));
                let Some(half) = unmoved else { continue };
                halves += 1;
                let about = format!("{} {} {}", name(fixture), map.name, half.index);
                let moved = |context: &Context<'_>| match header(context, &of, map.address).unwrap().fields {
                    Some(MapHeader::Hmap(fields)) => fields.growth.unwrap().evacuated,
                    other => panic!("{about}: {other:?}"),
                };
                let before = moved(&context);
                let patches = vec![(half.address.0, 2)];
                let memory = Patched { whole: context.memory, patches, one_in: 0, seed: 0 };
                let context = Context { memory: &memory, ..context };
                assert_eq!(moved(&context), before, "{about}");
                let row = &layout(&context, &of, map.address, half.index, 1).rows[0];
                assert_eq!((row.evacuated, row.slots[0].state), (false, SlotState::Evacuated), "{about}");
                let rest = entries(&context, &of, map.address).filter(|entry| entry.row == half.index);
                for entry in rest {
                    let mut key = vec![0; of.key_size as usize];
                    assert!(context.memory.read(entry.key, &mut key));
                    let found = lookup(&context, Some(&hashes), &of, map.address, Key::Bytes(&key));
                    assert_eq!(found.entry, Some(entry), "{about}: {:?}", found.place);
                    assert_eq!(found.place.probed.len(), 2, "{about}: {:?}", found.place);
                }
            }
        });
    }
    assert!(halves > 0);
}

#[test]
fn a_chain_without_end_is_not_counted() {
    let (layout, of) = types().swap_remove(0);
    let symbol = |_: u64| None;
    let memory =
        Endless { buckets: layout.structure("runtime.hmap").unwrap().field("buckets").unwrap().offset };
    let context = Context {
        memory: &memory,
        dwarf: None,
        layout: &layout,
        types: None,
        bias: 0,
        hashes: None,
        symbol: &symbol,
    };
    let found = header(&context, &of, BASE).unwrap();
    assert!(found.problems.iter().any(|problem| problem.contains("not counted")), "{:?}", found.problems);
}

/// A map of one bucket, at `BASE`, behind which there is another wherever one looks.
struct Endless {
    /// Where the header's pointer to its buckets is. Its seed is where it is in all versions.
    buckets: u64,
}

impl Memory for Endless {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        buffer.fill(0);
        if address == BASE
            && let Some(seed) = buffer.get_mut(12)
        {
            *seed = 1;
        }
        let own = if address == BASE { self.buckets } else { (buffer.len() as u64).saturating_sub(8) };
        let next = if address == BASE { BASE + 0x1_0000 } else { address + 0x1000 };
        let at = own as usize;
        if let Some(word) = buffer.get_mut(at..at + 8) {
            word.copy_from_slice(&next.to_le_bytes());
        }
        true
    }

    fn size(&self) -> u64 {
        1 << 40
    }
}

#[test]
fn other_types_are_no_maps() {
    for (layout, _) in types() {
        let memory = Noise::new(1);
        let symbol = |_: u64| None;
        let context = Context {
            memory: &memory,
            dwarf: None,
            layout: &layout,
            types: None,
            bias: 0,
            hashes: None,
            symbol: &symbol,
        };
        for of in [TypeRef::Any, TypeRef::Runtime(BASE)] {
            assert_eq!(MapType::of(&context, of), None);
        }
    }
}
