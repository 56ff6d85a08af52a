//! The map of a crash and who used it, held to what the program's source says and the dying runtime printed.

#[path = "../common/mod.rs"]
mod common;
mod names;

use std::{collections::BTreeMap, fmt::Write as _};

use panicle_fixtures::Fixture;
use panicle_report::{DwarfPresence, Goroutine, Map, MapRoot, MapState, Report};

use common::{from_core, from_text, label};

/// What the source of a program says of the map that it dies of.
struct Source {
    program: &'static str,
    of: &'static str,
    /// As the function that dies calls it.
    variable: &'static str,
    /// Where no name of a variable is known.
    receiver: &'static str,
}

const SOURCES: [Source; 5] = [
    Source {
        program: "concurrent-map-writes",
        of: "map[string]int",
        variable: "s.byPath",
        receiver: "(*main.stats).byPath",
    },
    Source {
        program: "concurrent-map-read-write",
        of: "map[uint64]registry.Endpoint",
        variable: "r.endpoints",
        receiver: "(*registry.Registry).endpoints",
    },
    Source {
        program: "concurrent-map-iteration-write",
        of: "map[int]*main.gauge",
        variable: "e.gauges",
        receiver: "(*main.exporter).gauges",
    },
    Source {
        program: "concurrent-map-reflection",
        of: "map[string]int",
        variable: "s.values",
        receiver: "(*main.settings).values",
    },
    Source {
        program: "nil-map-write",
        of: "map[string]session.Session",
        variable: "c.byKey",
        receiver: "(*session.Cache).byKey",
    },
];

fn fixtures() -> Vec<(Fixture, &'static Source)> {
    let all = [panicle_fixtures::all(), panicle_fixtures::matrix()].concat();
    let of_a_map = |fixture: Fixture| {
        let source = SOURCES.iter().find(|source| source.program == fixture.program)?;
        Some((fixture, source))
    };
    all.into_iter().filter_map(of_a_map).collect()
}

/// The function of a printed stack that works on a map, the outermost of those in a row.
fn map_function(goroutine: &Goroutine) -> Option<&str> {
    let is = |function: &str| {
        ["mapassign", "mapaccess", "mapdelete", "mapclear", "mapiter", "mapIter"]
            .iter()
            .any(|name| function.strip_prefix("runtime.").is_some_and(|rest| rest.starts_with(name)))
            || function.starts_with("internal/runtime/maps.")
            || ["runtime.evacuate", "runtime.growWork", "runtime.hashGrow"]
                .iter()
                .any(|name| function.starts_with(name))
    };
    let functions = goroutine.frames.iter().map(|frame| frame.function.as_str());
    let of_runtime = |function: &&str| function.starts_with("runtime.") || function.starts_with("internal/");
    functions.take_while(of_runtime).filter(|function| is(function)).last()
}

fn writes(function: &str) -> bool {
    ["mapassign", "mapdelete", "mapclear"].iter().any(|name| function.contains(name))
}

/// What a variable's text in any frame says of the length of the map at `address`.
fn printed_length(report: &Report, map: &Map) -> Option<u64> {
    let mark = format!("{} (len ", map.address);
    let locals = report.goroutines.iter().flat_map(|g| &g.frames).flat_map(|frame| &frame.locals);
    locals
        .filter_map(|local| local.value.as_deref()?.split_once(&mark))
        .find_map(|(_, rest)| rest.split([')', ',']).next()?.parse().ok())
}

fn check(fixture: &Fixture, source: &Source) -> String {
    let mut misses = String::new();
    let mut miss = |text: String| {
        let _ = writeln!(misses, "{}: {text}", label(fixture));
    };
    let report = from_core(fixture);
    let Some(map) = report.maps.first().filter(|map| Some(map.address) == report.verdict.map) else {
        miss(format!("no map: {}", report.verdict.title));
        return misses;
    };
    if map.type_name.as_deref() != Some(source.of) {
        miss(format!("its type is {:?}", map.type_name));
    }
    let with_names = report.binary.as_ref().is_some_and(|binary| binary.dwarf == DwarfPresence::Full);
    let name = if with_names { source.variable } else { source.receiver };
    if !report.verdict.title.contains(name)
        || !map.roots.iter().any(|root| root.variable.as_deref() == Some(name))
    {
        miss(format!("{name} is not named: {}, {:#?}", report.verdict.title, map.roots));
    }
    // Counts and addresses change from one crash of a bug to the next.
    let of_crash = [map.address.to_string(), "entries".to_owned()];
    if of_crash.iter().any(|text| report.verdict.title.contains(text)) {
        miss(format!("the title is of one crash only: {}", report.verdict.title));
    }
    if map.state == MapState::Nil {
        if source.program != "nil-map-write" || !map.roots.iter().any(|root| root.owner.is_some()) {
            miss(format!("nil: {map:#?}"));
        }
        return misses;
    }
    if let Some(length) = printed_length(&report, map)
        && map.count != Some(length)
    {
        miss(format!("{:?} entries, and a variable says {length}", map.count));
    }
    parties(fixture, &report, map, &mut miss);
    misses
}

/// Every other goroutine that the runtime shows in a clashing operation is a party, and nobody else is one for
/// certain.
fn parties(fixture: &Fixture, report: &Report, map: &Map, miss: &mut impl FnMut(String)) {
    let text = from_text(fixture);
    let printed: BTreeMap<u64, &Goroutine> = text.goroutines.iter().map(|g| (g.id, g)).collect();
    let at_fault = report.verdict.goroutine;
    for (id, goroutine) in &printed {
        let Some(function) = map_function(goroutine).filter(|_| Some(*id) != at_fault) else { continue };
        if writes(function) != report.verdict.other_goroutines.contains(id) {
            miss(format!("goroutine {id} was in {function}: {:?}", report.verdict.other_goroutines));
        }
    }
    let certain = map.users.iter().filter(|user| user.certain && Some(user.goroutine) != at_fault);
    for user in certain {
        // One that ran on another thread is printed without its stack.
        let shown = printed.get(&user.goroutine).filter(|goroutine| !goroutine.frames.is_empty());
        let shown = shown.map(|goroutine| map_function(goroutine));
        if shown == Some(None) {
            miss(format!("goroutine {} is certain and was in no map function", user.goroutine));
        }
    }
    let certain = |root: &&MapRoot| root.certain && root.goroutine.is_some();
    for root in map.roots.iter().filter(certain) {
        let frames = report.goroutines.iter().find(|g| Some(g.id) == root.goroutine).map(|g| g.frames.len());
        if frames.is_none_or(|frames| root.frame.is_none_or(|frame| frame >= frames as u64)) {
            miss(format!("a root in no frame: {root:?}"));
        }
    }
}

#[test]
fn the_map_is_named_and_so_is_who_used_it() {
    let checked = fixtures();
    let misses: String = checked.iter().map(|(fixture, source)| check(fixture, source)).collect();
    assert!(misses.is_empty(), "{misses}");
    assert!(checked.len() >= 40, "{} crashes", checked.len());
}
