//! A process opened for questions says the same as a report.

use panicle_binary::Executable;
use panicle_fixtures::Fixture;
use panicle_goruntime::{
    Options, expr, query, reconstruct,
    session::{self, DebugInformation},
    value,
};
use panicle_image::Core;
use panicle_report::{Address, FrameKind, MapEntriesQuery, MapPointer, MapSort, Query};

fn fixtures(programs: &[&str]) -> Vec<Fixture> {
    let all = panicle_fixtures::all().into_iter().chain(panicle_fixtures::matrix());
    let found: Vec<_> = all.filter(|fixture| programs.contains(&fixture.program.as_str())).collect();
    assert!(!found.is_empty());
    found
}

#[test]
fn frames_have_the_numbers_that_a_report_gives_them() {
    let programs = [
        "cgo-callback-panic",
        "cgo-callback-abort",
        "cgo-blocked",
        "cgo-abort",
        "concurrent-map-writes",
        "deadlock",
        "panic-in-defer",
        "stack-overflow",
        "values",
    ];
    let (mut frames, mut behind_c) = (0, 0);
    for fixture in fixtures(&programs) {
        let about = format!("{} Go {} {}", fixture.program, fixture.go_version, fixture.variant);
        let core = std::fs::read(&fixture.core).unwrap();
        let binary = std::fs::read(&fixture.binary).unwrap();
        let core = Core::parse(&core).unwrap().0;
        let executable = Executable::parse(&binary).unwrap().0;
        let report = reconstruct(&core, &executable, &Options::default()).0;
        session::open(&core, &executable, &session::Options::default(), |session| {
            if report.crashing_goroutine.is_some() {
                assert_eq!(session.goroutine_at_fault(), report.crashing_goroutine, "{about}");
            }
            for goroutine in &report.goroutines {
                let wanted: Vec<(u64, &str)> = (0..)
                    .zip(&goroutine.frames)
                    .filter(|(_, frame)| !matches!(frame.kind, FrameKind::Cgo | FrameKind::Signal))
                    .map(|(number, frame)| (number, frame.function.as_str()))
                    .collect();
                let g = session
                    .goroutines()
                    .iter()
                    .find(|g| Some(Address(g.address)) == goroutine.address)
                    .unwrap();
                let found = session.frames(g);
                let found: Vec<_> =
                    found.iter().map(|(number, frame)| (number, frame.call().function.as_str())).collect();
                assert_eq!(found, wanted, "{about}, goroutine {}", goroutine.id);
                frames += found.len();
                behind_c += (0..).zip(&found).filter(|(index, (number, _))| index != number).count();
            }
        })
        .unwrap();
    }
    assert!(frames > 1000 && behind_c > 10, "{frames} {behind_c}");
}

#[test]
fn a_map_is_read_without_debug_information_as_with_it() {
    for fixture in fixtures(&["maps"]).into_iter().filter(|fixture| fixture.variant == "default") {
        let said = std::fs::read_to_string(&fixture.stdout).unwrap();
        let line = said.lines().find_map(|line| line.strip_prefix("map point/60/3 ")).unwrap();
        let numbers: Vec<_> = line.split(' ').collect();
        let address = |text: &str| Address(u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap());
        let map = MapPointer { type_address: address(numbers[0]), address: address(numbers[1]) };
        let question = Query::MapEntries(MapEntriesQuery {
            map,
            cursor: None,
            limit: 100,
            sort: Some(MapSort::ValueDescending),
            filter: None,
            key: None,
        });
        assert_eq!(query::debug_information(&question), DebugInformation::ForTheLayout);
        let core = std::fs::read(&fixture.core).unwrap();
        let binary = std::fs::read(&fixture.binary).unwrap();
        let core = Core::parse(&core).unwrap().0;
        let executable = Executable::parse(&binary).unwrap().0;
        let read = |debug_information| {
            let options = session::Options { debug_information, ..session::Options::default() };
            session::open(&core, &executable, &options, |session| {
                let take = |answer: query::Answer<'_>| serde_json::to_value(&answer).unwrap();
                query::answer(session, &question, query::Limits::default(), take).unwrap()
            })
            .unwrap()
        };
        let with = read(DebugInformation::Always);
        assert_eq!(read(DebugInformation::ForTheLayout), with, "Go {}", fixture.go_version);
        assert_eq!((&with["len"], &with["found"]), (&40.into(), &40.into()));
        let values: Vec<i64> = with["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["value"].as_str().unwrap().parse().unwrap())
            .collect();
        let wanted: Vec<i64> = (0..60).rev().filter(|index| index % 3 != 0).map(|index| index * 7).collect();
        assert_eq!(values, wanted);
        assert_eq!(with["entries"][0]["key"], r#"main.point{X: 59, Y: "p59"}"#);
    }
}

#[test]
fn without_a_frame_it_is_the_one_that_a_verdict_speaks_of() {
    let (mut checked, mut lost) = (0, 0);
    for fixture in fixtures(&["concurrent-map-reflection", "panic-in-defer", "concurrent-map-read-write"]) {
        let about = format!("{} Go {} {}", fixture.program, fixture.go_version, fixture.variant);
        let core = std::fs::read(&fixture.core).unwrap();
        let binary = std::fs::read(&fixture.binary).unwrap();
        let core = Core::parse(&core).unwrap().0;
        let executable = Executable::parse(&binary).unwrap().0;
        session::open(&core, &executable, &session::Options::default(), |session| {
            let place = query::Place::find(session, None, None).unwrap();
            let function = place.function.clone().unwrap();
            let wanted: &[&str] = match fixture.program.as_str() {
                "concurrent-map-reflection" => &["main.(*settings).lookup", "main.(*settings).set"],
                "panic-in-defer" => &["main.(*tx).insert"],
                _ => &["example.com/panicle/concurrent-map-read-write/registry.(*Registry).Lookup"],
            };
            let set = "example.com/panicle/concurrent-map-read-write/registry.(*Registry).Set";
            assert!(wanted.contains(&function.as_str()) || function == set, "{about}: {function}");
            checked += 1;
            // The receiver is needed no more once its map is known: only the machine code tells it.
            if fixture.program != "concurrent-map-read-write" || fixture.variant != "default" {
                return;
            }
            let scope = place.scope(session);
            let context = session.context();
            match expr::evaluate(&context, &scope, "r.endpoints") {
                Ok(map) => assert_eq!(
                    map.type_name(),
                    Some("map[uint64]registry.Endpoint"),
                    "{about}: {}",
                    map.text(&context, value::Limits::default())
                ),
                Err(error) => {
                    lost += 1;
                    assert_eq!(error.kind, "not-kept", "{about}");
                    assert!(error.message.contains("(*registry.Registry)(0xc0"), "{}", error.message);
                }
            }
            let g = session.goroutine(place.goroutine.unwrap()).unwrap();
            let maps = session.maps(g);
            assert!(maps.iter().any(|map| map.type_name.as_deref() == Some("map[uint64]registry.Endpoint")));
        })
        .unwrap();
    }
    assert!(checked > 20, "{checked}");
    assert_eq!(lost, 0);
}
