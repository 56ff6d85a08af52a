//! Goroutines inside map operations, against what the dying runtime printed: who stands in a function that works
//! on maps, and with which arguments.

#![expect(clippy::unwrap_used, reason = "tests say what they expect by unwrapping")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs::File,
};

use panicle_binary::Executable;
use panicle_evidence::traceback::{self, TextGoroutine};
use panicle_fixtures::Fixture;
use panicle_goruntime::{
    operations::{Known, Operation},
    session::{self, Session},
};
use panicle_image::{Core, mmap};
use rayon::prelude::*;

fn in_session<R>(fixture: &Fixture, ask: impl FnOnce(&Session<'_>) -> R) -> R {
    let core = mmap::map(&File::open(&fixture.core).unwrap()).unwrap();
    let binary = std::fs::read(&fixture.binary).unwrap();
    let (core, _) = Core::parse(&core).unwrap();
    let (executable, _) = Executable::parse(&binary).unwrap();
    session::open(&core, &executable, &session::Options::default(), ask).unwrap()
}

fn operations(fixture: &Fixture) -> Vec<Operation> {
    let ask = |session: &Session<'_>| session.operations();
    in_session(fixture, ask)
}

/// Whether a printed function works on a map, and which of its arguments is the map, where it is one.
#[expect(clippy::option_option, reason = "a function without the map among its arguments works on one too")]
fn works_on_a_map(function: &str) -> Option<Option<usize>> {
    let rest = ["internal/runtime/maps.", "runtime.", "reflect."]
        .iter()
        .find_map(|package| function.strip_prefix(package))?;
    let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| rest.starts_with(prefix));
    if is(&["mapaccess", "mapassign", "mapdelete", "mapclear", "mapiterinit", "mapIterStart"]) {
        return Some(Some(1));
    }
    if is(&["mapclone2", "evacuate", "growWork", "hashGrow"]) {
        return Some(Some(1));
    }
    if is(&["(*Map)."]) {
        return Some(Some(0));
    }
    is(&["mapiternext", "mapIterNext", "(*Iter)."]).then_some(None)
}

/// The outermost of the frames that are inside a map function, innermost such run first: with what was printed of
/// the map's address.
fn printed(goroutine: &TextGoroutine) -> Option<(String, Option<u64>)> {
    let mut run = None;
    for frame in &goroutine.frames {
        let function = frame.function_name();
        if ["runtime.makemap", "reflect.makemap"].iter().any(|maker| function.starts_with(maker)) {
            return None;
        }
        match works_on_a_map(function) {
            Some(number) => {
                // Words before a string or slice are printed as they are; `?` marks those that may be stale.
                let word = number.and_then(|number| {
                    let word = frame.args.as_deref()?.split(", ").nth(number)?;
                    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
                });
                run = Some((function.to_owned(), word));
            }
            None if run.is_some() => break,
            None => {}
        }
    }
    run
}

fn check(fixture: &Fixture) -> (BTreeMap<&'static str, usize>, String) {
    let text = std::fs::read(&fixture.stderr).unwrap();
    let (crashes, _) = traceback::parse(&text);
    let found = operations(fixture);
    let mut misses = String::new();
    let mut counts = BTreeMap::new();
    for theirs in crashes.iter().flat_map(|crash| &crash.goroutines) {
        if theirs.is_system_stack() || theirs.unavailable {
            continue;
        }
        let Some((function, map)) = printed(theirs) else { continue };
        let ours = found.iter().find(|ours| ours.goroutine == theirs.id && ours.function == function);
        let Some(ours) = ours else {
            let _ = writeln!(misses, "goroutine {} is in {function}", theirs.id);
            continue;
        };
        *counts.entry("printed").or_default() += 1;
        *counts.entry(if ours.certain { "certain" } else { "not certain" }).or_default() += 1;
        if let Some(map) = map {
            *counts.entry("with the map").or_default() += 1;
            if ours.map != Some(map) {
                let _ = writeln!(misses, "goroutine {}: {ours:x?}, printed {map:#x}", theirs.id);
            }
        }
    }
    for ours in &found {
        let key = match ours.known {
            Known::Argument => "argument",
            Known::Caller => "caller",
            Known::Variable => "variable",
            Known::ReadAgain => "read again",
            Known::Scan => "scan",
            Known::Iterator => "iterator",
            Known::Nothing => "nothing",
        };
        *counts.entry(key).or_default() += 1;
    }
    // These programs have one map that anybody works on.
    if fixture.program.starts_with("concurrent-map-") {
        let certain = found.iter().filter(|ours| ours.certain).map(|ours| (ours.map, ours.map_type));
        let certain: BTreeSet<_> = certain.collect();
        let others = found.iter().filter(|ours| ours.map.is_some() && !ours.certain).map(|ours| ours.map);
        let maps: BTreeSet<_> = certain.iter().map(|known| known.0).chain(others).collect();
        if certain.len() > 1 || maps.len() != 1 {
            let _ = writeln!(misses, "not one map: {found:x?}");
        }
        if !found.iter().any(|ours| ours.noticed) {
            let _ = writeln!(misses, "nobody noticed: {found:x?}");
        }
    }
    let misses =
        if misses.is_empty() { misses } else { format!("{}:\n{misses}", fixture.directory.display()) };
    (counts, misses)
}

/// `concurrent-maps` prints which function works on which map. Whoever stands in one of them and in a map function
/// works on that map.
fn check_many_maps(fixture: &Fixture) -> (BTreeMap<String, usize>, String) {
    let text = std::fs::read_to_string(&fixture.stderr).unwrap();
    let said = text.lines().filter_map(|line| {
        let (function, address) = line.strip_prefix("map ")?.split_once(' ')?;
        Some((function.to_owned(), u64::from_str_radix(address.strip_prefix("0x")?, 16).ok()?))
    });
    let said: BTreeMap<String, u64> = said.collect();
    assert_eq!(said.len(), 12, "{}", fixture.directory.display());
    let shared = said["main.drop"];
    let (mut misses, mut loops) = (String::new(), false);
    let mut counts = BTreeMap::new();
    let found = in_session(fixture, |session| {
        let found = session.operations();
        let whose = found.iter().map(|ours| {
            let g = session.goroutine(ours.goroutine).unwrap();
            let frames = session.frames(g);
            let outside = frames.iter().map(|(_, frame)| frame).skip(ours.frame);
            let names: Vec<String> = outside.map(|frame| frame.call().function.clone()).collect();
            let owner = names.iter().find_map(|name| {
                let plain = name.strip_suffix("[...]").unwrap_or(name);
                said.get(plain).map(|address| (plain.to_owned(), *address))
            });
            (owner, names)
        });
        let whose: Vec<_> = whose.collect();
        found.into_iter().zip(whose).collect::<Vec<_>>()
    });
    for (ours, (owner, names)) in found {
        let Some((owner, address)) = owner else {
            let _ = writeln!(misses, "somebody else: {ours:x?} under {names:?}");
            continue;
        };
        // The encoder keeps what it learns of types in maps of its own.
        let of_library = owner == "main.marshal" && names.iter().any(|name| name.starts_with("sync."));
        if of_library {
            continue;
        }
        loops |= owner == "main.parked" && ours.known == Known::Iterator;
        let how = format!("{:?}{}", ours.known, if ours.certain { ", certain" } else { "" });
        *counts.entry(how).or_default() += 1;
        if ours.map.is_some_and(|map| map != address) || (ours.noticed && address != shared) {
            let _ = writeln!(misses, "{owner} works on {address:#x}: {ours:x?}");
        }
    }
    if !loops {
        misses.push_str("nobody waits in a loop over its map\n");
    }
    let misses =
        if misses.is_empty() { misses } else { format!("{}:\n{misses}", fixture.directory.display()) };
    (counts, misses)
}

#[test]
fn among_many_maps_each_goroutine_works_on_its_own() {
    let fixtures = [panicle_fixtures::all(), panicle_fixtures::matrix()].concat();
    let outcomes: Vec<_> = fixtures
        .par_iter()
        .filter(|fixture| fixture.program == "concurrent-maps")
        .map(check_many_maps)
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, count) in outcomes.iter().flat_map(|(counts, _)| counts) {
        *counts.entry(kind).or_default() += count;
    }
    println!("{counts:?}");
    let misses: String = outcomes.iter().map(|(_, misses)| misses.as_str()).collect();
    assert!(misses.is_empty(), "{misses}");
    assert!(outcomes.len() >= 30, "{} crashes", outcomes.len());
    let certain = counts.iter().filter(|(kind, _)| kind.contains("certain")).map(|(_, count)| count);
    let iterators = counts.get("Iterator").copied().unwrap_or(0);
    let operations = counts.values().sum::<usize>() - iterators;
    assert!(certain.sum::<usize>() * 10 >= operations * 9, "{counts:?}");
}

fn holds_for(fixtures: &[Fixture]) {
    let outcomes: Vec<_> = fixtures.par_iter().map(check).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, count) in outcomes.iter().flat_map(|(counts, _)| counts) {
        *counts.entry(kind).or_default() += count;
    }
    println!("{counts:?}");
    let misses: String = outcomes.into_iter().map(|(_, misses)| misses).collect();
    assert!(misses.is_empty(), "{misses}");
    // Guards against a reader that finds nothing to compare.
    assert!(counts.get("printed").is_some_and(|count| *count >= 20), "{counts:?}");
    // Whoever has nothing to do with the map any more has forgotten it; few are so far. A reader that notices while
    // it reads by reflection always is, and one in fourteen here does.
    let count = |kind: &str| counts.get(kind).copied().unwrap_or(0);
    assert!(count("certain") * 10 >= count("printed") * 8, "{counts:?}");
}

#[test]
fn everybody_whom_the_runtime_shows_in_a_map_function_is_found() {
    holds_for(&panicle_fixtures::all());
}

#[test]
fn so_it_is_in_binaries_as_people_ship_them() {
    holds_for(&panicle_fixtures::matrix());
}
