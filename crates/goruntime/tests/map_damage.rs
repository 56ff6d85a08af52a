//! Maps of real cores that were damaged in the file: each is listed with what is wrong with it, and nothing else is
//! said to be wrong.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

use std::fs;

use panicle_binary::Executable;
use panicle_fixtures::{Arch, Fixture};
use panicle_goruntime::{
    Options,
    query::{self, Answer},
    reconstruct,
    session::{self, Session},
};
use panicle_image::Core;
use panicle_report::{EvalQuery, Map, MapEntriesQuery, MapHeader, MapPointer, MapState, Query};

/// A core in memory, to be damaged.
struct Damaged {
    core: Vec<u8>,
    binary: Vec<u8>,
}

impl Damaged {
    fn of(fixture: &Fixture) -> Self {
        Self { core: fs::read(&fixture.core).unwrap(), binary: fs::read(&fixture.binary).unwrap() }
    }

    fn maps(&self) -> Vec<Map> {
        let (core, _) = Core::parse(&self.core).unwrap();
        let (binary, _) = Executable::parse(&self.binary).unwrap();
        reconstruct(&core, &binary, &Options::default()).0.maps
    }

    /// What is said to be wrong in the answer to `query`.
    fn problems(&self, query: &Query) -> Vec<String> {
        let (core, _) = Core::parse(&self.core).unwrap();
        let (binary, _) = Executable::parse(&self.binary).unwrap();
        let ask = |session: &Session<'_>| {
            let take = |answer: Answer<'_>| serde_json::to_value(answer).unwrap();
            query::answer(session, query, query::Limits::default(), take).unwrap()
        };
        let found = session::open(&core, &binary, &session::Options::default(), ask).unwrap();
        let found = found.get("value").unwrap_or(&found);
        let problems = found["problems"].as_array().cloned().unwrap_or_default();
        problems.iter().map(|problem| problem.as_str().unwrap().to_owned()).collect()
    }

    /// Where the byte at `address` is in the file.
    fn place(&self, address: u64) -> usize {
        let (core, _) = Core::parse(&self.core).unwrap();
        let inside = |start: u64, size: u64| (start..start + size).contains(&address);
        let segment = core.segments.iter().find(|one| inside(one.address, one.file_size)).unwrap();
        (segment.file_offset + address - segment.address) as usize
    }

    fn read<const N: usize>(&self, address: u64) -> [u8; N] {
        let at = self.place(address);
        self.core[at..at + N].try_into().unwrap()
    }

    /// The maps with other bytes at some addresses.
    fn maps_with(&mut self, patches: &[(u64, &[u8])]) -> Vec<Map> {
        let mut before = Vec::new();
        for (address, bytes) in patches {
            let at = self.place(*address);
            before.push((at, self.core[at..at + bytes.len()].to_vec()));
            self.core[at..at + bytes.len()].copy_from_slice(bytes);
        }
        let maps = self.maps();
        for (at, bytes) in before.into_iter().rev() {
            self.core[at..at + bytes.len()].copy_from_slice(&bytes);
        }
        maps
    }
}

/// Offsets of fields, the same in all versions (runtime/map.go, `hmap`; internal/runtime/maps/map.go, `Map`).
mod hmap {
    pub(super) const COUNT: u64 = 0;
    pub(super) const FLAGS: u64 = 8;
    pub(super) const B: u64 = 9;
    pub(super) const HASH0: u64 = 12;
    pub(super) const BUCKETS: u64 = 16;
    pub(super) const NEVACUATE: u64 = 32;
}
mod swiss {
    pub(super) const USED: u64 = 0;
    pub(super) const SEED: u64 = 8;
    pub(super) const DIR_PTR: u64 = 16;
    pub(super) const DIR_LEN: u64 = 24;
    pub(super) const GLOBAL_DEPTH: u64 = 32;
    pub(super) const WRITING: u64 = 34;
}

/// No memory of any process.
const NOWHERE: [u8; 8] = 0x7f7f_7f7f_7f70_u64.to_le_bytes();

/// The one map with problems.
fn only(maps: &[Map]) -> &Map {
    let with: Vec<&Map> = maps.iter().filter(|map| !map.problems.is_empty()).collect();
    assert_eq!(with.len(), 1, "{with:#?}");
    with[0]
}

fn about(fixture: &Fixture) -> String {
    format!("{} {} {}", fixture.program, fixture.go_version, fixture.arch.name())
}

fn cases() -> Vec<Fixture> {
    let chosen = [("1.19", Arch::Amd64), ("1.23", Arch::Amd64), ("1.21", Arch::Arm64), ("1.24", Arch::Amd64)];
    let newest = [("1.27", Arch::Amd64), ("1.26", Arch::Arm64)];
    let get = |(version, arch)| panicle_fixtures::get_variant("maps", version, arch, "default");
    chosen.into_iter().chain(newest).map(get).collect()
}

/// The map that is damaged: one of many entries, which a package's variable leads to.
fn largest(maps: &[Map]) -> Map {
    let found = maps.iter().find(|map| map.count == Some(4000)).unwrap();
    assert_eq!(found.type_name.as_deref(), Some("map[string]string"));
    found.clone()
}

#[test]
fn marks_of_entries_are_held_against_their_keys() {
    for fixture in cases() {
        let about = about(&fixture);
        let mut damaged = Damaged::of(&fixture);
        let map = largest(&damaged.maps());
        // Eight marks, and eight keys and values of two words; a bucket has a pointer to the next, too.
        let (first, size, wrong_byte, of_wrong_byte) = match map.header.as_ref().unwrap() {
            MapHeader::Hmap(fields) => (fields.buckets.0, 272, 3_u8, "as if its entry had moved"),
            MapHeader::Swiss(fields) => (fields.tables[0].groups.0, 264, 0x90, "which none has"),
            other @ MapHeader::SyncMap(_) => panic!("{other:?}"),
        };
        // One that is neither empty nor deleted, and is still not with other bits.
        let marks = (0..32).map(|row| (row, damaged.read::<8>(first + row * size)));
        let (row, slot, mark) = marks
            .flat_map(|(row, marks)| (0_u64..).zip(marks).map(move |(slot, mark)| (row, slot, mark)))
            .find(|(_, _, mark)| (0x20..0x60).contains(mark))
            .unwrap();
        let first = first + row * size;
        let maps = damaged.maps_with(&[(first + slot, &[mark ^ 0x11])]);
        let found = only(&maps);
        assert_eq!(
            (found.address, found.count, found.state),
            (map.address, Some(4000), map.state),
            "{about}"
        );
        let said = format!("{:#04x}, and the hash of its key gives {mark:#04x}.", mark ^ 0x11);
        let place = [format!("slot {slot} of bucket {row} "), format!("slot {slot} of group {row} ")];
        assert!(place.iter().any(|place| found.problems[0].contains(place)), "{about}: {:?}", found.problems);
        assert!(found.problems[0].ends_with(&said), "{about}: {:?}", found.problems);
        assert!(found.problems[1].starts_with("Of 4000 entries, 1 is not"), "{about}: {:?}", found.problems);
        // So it is where the entry is shown: on the first page, and in the value of an expression.
        let question = Query::MapEntries(MapEntriesQuery {
            map: MapPointer { address: map.address, type_address: map.type_address.unwrap() },
            cursor: None,
            limit: 300,
            sort: None,
            filter: None,
            key: None,
        });
        let expression = Query::Eval(EvalQuery {
            expression: map.roots[0].variable.clone().unwrap(),
            goroutine: None,
            frame: None,
            limit: Some(300),
            depth: None,
        });
        for question in [question, expression] {
            let place = damaged.place(first + slot);
            assert_eq!(damaged.problems(&question), [""; 0], "{about}");
            damaged.core[place] = mark ^ 0x11;
            assert_eq!(damaged.problems(&question), found.problems[..1], "{about}");
            damaged.core[place] = mark;
        }
        // One that no entry has: the entry is not there either.
        let maps = damaged.maps_with(&[(first + slot, &[wrong_byte])]);
        let problems = &only(&maps).problems;
        assert!(problems.iter().any(|problem| problem.contains(of_wrong_byte)), "{about}: {problems:?}");
        let of_count = "It counts 4000 entries, and 3999 slots are full.";
        assert!(problems.iter().any(|problem| problem == of_count), "{about}: {problems:?}");
    }
}

#[test]
fn a_damaged_header_is_listed_with_what_is_wrong() {
    for fixture in cases() {
        let about = about(&fixture);
        let mut damaged = Damaged::of(&fixture);
        let map = largest(&damaged.maps());
        let at = map.address.0;
        let slot = map.roots.iter().find_map(|root| root.slot).unwrap();
        // Where the header is said to be is none.
        let maps = damaged.maps_with(&[(slot.0, &NOWHERE)]);
        let found = only(&maps);
        assert_eq!((found.state, found.count), (MapState::Unknown, None), "{about}");
        assert_eq!(found.roots[0].variable, map.roots[0].variable, "{about}");
        let cases: Vec<(u64, Vec<u8>, MapState, &str)> = match map.header.as_ref().unwrap() {
            MapHeader::Hmap(_) => vec![
                (hmap::COUNT, vec![7, 0], MapState::Normal, "It counts 7 entries, and 4000 slots are full."),
                (hmap::COUNT, vec![0xff; 8], MapState::Unknown, "It counts -1 entries"),
                (hmap::FLAGS, vec![0x40], MapState::Unknown, "Its flags are 0x40"),
                (hmap::B, vec![40], MapState::Unknown, "B is 40; no map has so many buckets."),
                (
                    hmap::B,
                    vec![27],
                    MapState::Unknown,
                    "B is 27, and there is no memory for so many buckets.",
                ),
                (hmap::HASH0, vec![0; 4], MapState::Unknown, "Its seed is 0"),
                (hmap::BUCKETS, NOWHERE.to_vec(), MapState::Unknown, "buckets is 0x7f7f7f7f7f70, and there"),
                (hmap::NEVACUATE, vec![0xff; 8], MapState::Unknown, "nevacuate is -1"),
                (0, vec![0; 48], MapState::Unknown, "All of its header is zero."),
            ],
            MapHeader::Swiss(fields) => {
                assert!(fields.dir_len > 1, "{about}: {fields:?}");
                vec![
                    (swiss::USED, vec![7, 0], MapState::Normal, "It counts 7 entries, and "),
                    (swiss::SEED, vec![0; 8], MapState::Unknown, "Its seed is 0"),
                    (
                        swiss::DIR_PTR,
                        NOWHERE.to_vec(),
                        MapState::Unknown,
                        "dirPtr is 0x7f7f7f7f7f70, and there",
                    ),
                    (swiss::DIR_LEN, vec![0, 1], MapState::Unknown, "The directory has 256 places, depth"),
                    (swiss::GLOBAL_DEPTH, vec![60], MapState::Unknown, "depth 60 and shift"),
                    (swiss::WRITING, vec![9], MapState::Unknown, "writing is 9, and can be 0 or 1."),
                    (0, vec![0; 40], MapState::Unknown, "All of its header is zero."),
                ]
            }
            other @ MapHeader::SyncMap(_) => panic!("{other:?}"),
        };
        for (offset, bytes, state, said) in cases {
            let maps = damaged.maps_with(&[(at + offset, &bytes)]);
            let found = only(&maps);
            let about = format!("{about} {offset} {bytes:?}: {:?} {:?}", found.state, found.problems);
            assert_eq!((found.address, found.state), (map.address, state), "{about}");
            assert!(found.problems.iter().any(|problem| problem.contains(said)), "{about}");
            assert_eq!(found.roots, map.roots, "{about}");
            // Two of three fields still say how long the directory is: no table comes twice, and none is left out.
            if let (Some(MapHeader::Swiss(before)), Some(MapHeader::Swiss(after))) =
                (&map.header, &found.header)
                && [swiss::DIR_LEN, swiss::GLOBAL_DEPTH].contains(&offset)
            {
                assert_eq!(after.tables, before.tables, "{about}");
            }
        }
    }
}

#[test]
fn variables_of_frames_lead_to_damaged_maps_and_not_to_garbage() {
    let of_hmap = (hmap::FLAGS, "Its flags are 0x40", hmap::BUCKETS, "buckets is 0x7f7f7f7f7f70, and there");
    let of_swiss = (swiss::WRITING, "writing is 64", swiss::DIR_PTR, "dirPtr is 0x7f7f7f7f7f70, and there");
    for (version, (flag, of_flag, pointer, of_pointer)) in [("1.23", of_hmap), ("1.27", of_swiss)] {
        let fixture = panicle_fixtures::get_variant("http-server", version, Arch::Amd64, "default");
        let mut damaged = Damaged::of(&fixture);
        // A field of a struct that arguments point at.
        let is_it = |map: &&Map| map.type_name.as_deref() == Some("map[*http.conn]struct {}");
        let whole = damaged.maps();
        let map = whole.iter().filter(is_it).find(|map| map.count >= Some(3)).unwrap();
        let cases: [(u64, &[u8], &str); 2] = [(flag, &[0x40], of_flag), (pointer, &NOWHERE, of_pointer)];
        for (offset, bytes, said) in cases {
            let maps = damaged.maps_with(&[(map.address.0 + offset, bytes)]);
            let found = only(&maps);
            assert_eq!((found.address, found.state), (map.address, MapState::Unknown), "{version}");
            assert!(found.problems.iter().any(|problem| problem.contains(said)), "{:?}", found.problems);
            assert!(found.roots.iter().any(|root| root.owner.is_some()), "{:#?}", found.roots);
        }
        // What has nothing of a map is none, as far as anybody can tell.
        let maps = damaged.maps_with(&[(map.address.0, &[0xab; 40])]);
        assert!(maps.iter().all(|map| map.problems.is_empty()), "{maps:#?}");
        assert_eq!(maps.len() + 1, whole.len());
    }
}
