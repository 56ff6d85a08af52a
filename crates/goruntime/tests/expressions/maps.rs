//! Maps, by their names and by their addresses.

use super::*;

#[test]
fn maps_at_an_address_are_indexed_by_every_kind_of_key() {
    // The name that the program gives the map, the type that its address is cast to, a key, and what is there.
    let wanted = [
        ("string/60/3", "map[string]int64", "\"k7\"", "int64 49"),
        ("string/60/3", "map[string]int64", "\"k9\"", "no-such-key"),
        ("string/8/0", "map[string]int64", "\"k7\"", "int64 49"),
        ("int8/60/0", "map[int8]int64", "59", "int64 413"),
        ("int8/60/0", "map[int8]int64", "200", "type"),
        ("uint64/60/0", "map[uint64]int8", "7 << 40", "int8 7"),
        ("int32/9/0", "map[int32]int64", "int32(3) << 20", "int64 21"),
        ("bool/2/0", "map[bool]int64", "true", "int64 0"),
        ("bool/2/0", "map[bool]int64", "1 > 2", "int64 7"),
        ("float64/60/0", "map[float64]int64", "3", "int64 147"),
        ("point/60/0", "map[main.point]int64", "main.point{7, \"p7\"}", "int64 49"),
        ("point/60/0", "map[main.point]int64", "main.point{X: 7}", "no-such-key"),
        ("padded/60/3", "map[main.padded]int64", "main.padded{B: 7, A: 7, C: 7}", "int64 49"),
        ("padded/60/3", "map[main.padded]int64", "main.padded{9, 9, 9}", "no-such-key"),
        ("array/60/0", "map[[3]int16]int64", "[3]int16{7, 2, 3}", "int64 49"),
        ("names/60/0", "map[[2]string]int64", "[2]string{\"a\", \"7\"}", "int64 49"),
        (
            "int/60/0",
            "map[int]*main.point",
            "7",
            "*main.point {\"address\":@,\"target\":{\"X\":7,\"Y\":\"\"}}",
        ),
        (
            "any/60",
            "map[interface {}]interface {}",
            "\"any 1\"",
            "interface {} {\"type\":\"string\",\"value\":\"1\"}",
        ),
        ("any/60", "map[any]any", "9", "interface {} {\"type\":\"string\",\"value\":\"9\"}"),
    ];
    let fixtures = panicle_fixtures::all().into_iter().chain(panicle_fixtures::matrix());
    let mut checked = 0;
    for fixture in fixtures.filter(|fixture| fixture.program == "maps") {
        let said = std::fs::read_to_string(&fixture.stdout).unwrap();
        let about = format!("Go {} {:?} {}", fixture.go_version, fixture.arch, fixture.variant);
        with(&fixture, |session| {
            let context = session.context();
            let scope = Scope { hashes: Some(session.hashes()), ..Scope::default() };
            for (name, of, key, wanted) in wanted {
                let line = said.lines().find_map(|line| line.strip_prefix(&format!("map {name} ")));
                let [_, address, len, _] =
                    line.unwrap_or_else(|| panic!("no {name}, {about}")).split(' ').collect::<Vec<_>>()[..]
                else {
                    panic!("{line:?}")
                };
                let map = format!("({of})({address})");
                assert_eq!(shown(&context, &scope, &format!("len({map})")), format!("int {len}"), "{about}");
                let found = shown(&context, &scope, &format!("{map}[{key}]"));
                let found = found.split(" at ").next().unwrap();
                assert_eq!(found, wanted, "{name}[{key}], {about}");
                checked += 1;
            }
        });
    }
    assert!(checked >= 32 * wanted.len(), "{checked}");
}

#[test]
fn a_sync_map_is_a_map() {
    let mut checked = 0;
    let fixtures = panicle_fixtures::all().into_iter().chain(panicle_fixtures::matrix());
    for fixture in fixtures.filter(|fixture| fixture.program == "maps") {
        let said = std::fs::read_to_string(&fixture.stdout).unwrap();
        let about = format!("Go {} {:?} {}", fixture.go_version, fixture.arch, fixture.variant);
        with(&fixture, |session| {
            let context = session.context();
            let scope = Scope { hashes: Some(session.hashes()), ..Scope::default() };
            for line in said.lines().filter_map(|line| line.strip_prefix("sync ")) {
                let [_, _, address, len, _] = line.split(' ').collect::<Vec<_>>()[..] else {
                    panic!("{line:?}")
                };
                let map = expr::evaluate(&context, &scope, &format!("*(*sync.Map)({address})")).unwrap();
                let limits = json::Limits { elements: 0, ..json::Limits::default() };
                let json: serde_json::Value = serde_json::from_str(&json_of(&context, &map, limits)).unwrap();
                let entries = json["entries"].as_array().unwrap();
                assert_eq!(entries.len().to_string(), len, "{line}, {about}");
                for entry in entries.iter().filter(|entry| entry["key"]["type"] == "string").take(5) {
                    let key = entry["key"]["value"].as_str().unwrap();
                    let found = expr::evaluate(&context, &scope, &format!("(*sync.Map)({address})[{key:?}]"));
                    let found = json_of(&context, &found.unwrap(), limits);
                    assert_eq!(
                        serde_json::from_str::<serde_json::Value>(&found).unwrap(),
                        entry["value"],
                        "{about}"
                    );
                    checked += 1;
                }
            }
        });
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn one_key_of_a_million_is_found_by_its_hash() {
    for version in ["1.21", "1.24", "1.27"] {
        with(&panicle_fixtures::get("big-map", version), |session| {
            let context = session.context();
            let scope = Scope { hashes: Some(session.hashes()), ..Scope::default() };
            assert_eq!(shown(&context, &scope, "len(main.counters)"), "int 1000000");
            let started = std::time::Instant::now();
            assert_eq!(shown(&context, &scope, "main.counters[\"user:0999999\"]"), "int64 999998000001");
            assert_eq!(shown(&context, &scope, "main.counters[\"user:1000000\"]"), "no-such-key at 14");
            assert!(started.elapsed() < std::time::Duration::from_millis(500), "{:?}", started.elapsed());
        });
    }
}

/// Memory with one byte that is one more.
struct Damaged<'m> {
    whole: &'m dyn Memory,
    at: u64,
}

impl Memory for Damaged<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        let read = self.whole.read(address, buffer);
        let offset = self.at.checked_sub(address).and_then(|offset| usize::try_from(offset).ok());
        if let Some(byte) = offset.and_then(|offset| buffer.get_mut(offset)) {
            *byte = byte.wrapping_add(1);
        }
        read
    }

    fn size(&self) -> u64 {
        self.whole.size()
    }
}

#[test]
fn what_is_wrong_with_a_map_is_said_with_its_entries() {
    for version in VERSIONS {
        with(&panicle_fixtures::get("values", version), |session| {
            in_frame(session, "main.crash", |context, scope| {
                let map = expr::evaluate(context, scope, "Map").unwrap();
                let json = |context: &Context<'_>| -> serde_json::Value {
                    serde_json::from_str(&json_of(context, &map, json::Limits::default())).unwrap()
                };
                let whole = json(context);
                assert_eq!(whole.get("problems"), None, "{version}");
                let at = whole["address"].as_str().unwrap().strip_prefix("0x").unwrap();
                // The count is the first field in both implementations.
                let at = u64::from_str_radix(at, 16).unwrap();
                let memory = Damaged { whole: context.memory, at };
                let damaged = json(&Context { memory: &memory, ..*context });
                assert!(!damaged["problems"].as_array().unwrap().is_empty(), "{version}");
            });
        });
    }
}

#[test]
fn what_is_no_map_is_not_shown_as_one() {
    for version in VERSIONS {
        with(&panicle_fixtures::get("values", version), |session| {
            in_frame(session, "main.crash", |context, scope| {
                let map = expr::evaluate(context, scope, "Map").unwrap();
                let variable = map.address().unwrap();
                // The variable is no header, and neither is a struct.
                let of_variable = format!("(map[string]int)({variable:#x})");
                let bob = expr::evaluate(context, scope, "Bob").unwrap().address().unwrap();
                for cast in [of_variable, format!("(map[string]int)({bob:#x})")] {
                    assert_eq!(
                        shown(context, scope, &cast).split(" at").next(),
                        Some("unreadable"),
                        "{version}"
                    );
                }
                assert_eq!(shown(context, scope, "len((map[string]int)(0))"), "int 0", "{version}");
            });
        });
    }
}
