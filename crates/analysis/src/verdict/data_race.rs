//! `data-race`: a report of the race detector, where nothing else ended the process.
//!
//! The detector (ThreadSanitizer) watches every access and has no false alarms for code that synchronises
//! by channels, sync and sync/atomic. Fast paths of maps can be named wrongly (golang/go#73191).
//!
//! It prints and lets the program go on; at its end the exit status is 66, without a core. With
//! GORACE=halt_on_error=1 the first race ends the process, and with abort_on_error=1 besides by SIGABRT: then
//! there is a core, in which the thread stands inside the detector (`__tsan::ReportRace`). A crash of another
//! kind keeps its class, and the race is a hint beside it.

use panicle_report::{Confidence, PanicKind, Race, RaceAccess, VerdictClass};

use super::{capture, finding::Finding};
use crate::{
    facts::{Facts, describe, in_app},
    races,
};

/// One report in a file of its own, and the end with it.
const REPORT: &str = "GORACE=\"halt_on_error=1 log_path=/var/log/race\" in the environment of a build with -race: each process keeps \
     its first race in a file.";

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let from_detector = dies_in_detector(facts);
    let signal = facts.panic.filter(|panic| panic.kind == PanicKind::Signal).and_then(|p| p.signal.as_ref());
    let aborted =
        signal.is_some_and(|signal| signal.name == "SIGABRT" && signal.code.is_none_or(|code| code < -1));
    match races::foremost(facts.races) {
        Some((at, race)) if facts.panic.is_none() || from_detector || aborted => {
            Some(seen(facts, at + 1, race))
        }
        None if from_detector => Some(unseen(facts)),
        _ => None,
    }
}

/// The dying thread stands in the detector's report of a race.
fn dies_in_detector(facts: &Facts<'_>) -> bool {
    let goroutine = facts.crashing.map(|goroutine| goroutine.frames.as_slice());
    let thread = facts.threads.first().map(|thread| thread.frames.as_slice());
    let frames = goroutine.into_iter().chain(thread).flatten();
    frames.take(64).any(|frame| frame.function.starts_with("__tsan::ReportRace"))
}

/// `number` is the race's in the report, from 1.
fn seen(facts: &Facts<'_>, number: usize, race: &Race) -> Finding {
    let on_map = race
        .accesses
        .iter()
        .filter_map(|access| access.frames.first())
        .any(|frame| frame.function.starts_with("runtime.map"));
    let mut finding = Finding::new(facts, VerdictClass::DataRace, "Data race").summary(summary(race, on_map));
    finding.evidence.clear();
    for (index, access) in race.accesses.iter().enumerate() {
        let reference = Some(format!("race {number} access {}", index + 1));
        finding = finding.evidence("race", side(access), reference);
    }
    for (index, goroutine) in race.goroutines.iter().enumerate().take(4) {
        let Some(made) = goroutine.created_at.iter().find(|frame| in_app(frame)) else { continue };
        let state = if goroutine.finished { "had ended" } else { "was running" };
        finding = finding.evidence(
            "race",
            format!(
                "Goroutine {} of the detector's count {state}; it was made in {}",
                goroutine.id,
                describe(made)
            ),
            Some(format!("race {number} goroutine {}", index + 1)),
        );
    }
    // The stack of the abort is the detector's.
    if facts.panic.is_some() {
        let place = race.accesses.iter().flat_map(|access| &access.frames).find(|frame| in_app(frame));
        finding.place = place.map(describe);
    }
    finding = if on_map {
        finding
            .sure(
                Confidence::Likely,
                "Likely: the race detector saw both accesses; the functions it names for maps can be wrong on their \
                 fast paths (golang/go#73191), so that the lines that call them are what counts.",
            )
            .raise("A second report that names the same two places raises it.")
    } else {
        finding.sure(
            Confidence::Certain,
            "Certain: the race detector saw both accesses, and nothing that orders them.",
        )
    };
    if facts.races.len() > 1 {
        finding = finding.hint(format!(
            "{} other races were reported in the same run; one that is mended often takes others with it.",
            facts.races.len() - 1
        ));
    }
    let finding = if on_map {
        finding
            .fix(
                "Guard every access to the map with one sync.Mutex (or RWMutex), or use sync.Map. Reads need the lock \
                 as well.",
            )
            .example(include_str!("examples/concurrent_map.go"))
    } else {
        finding
            .fix(
                "Guard every access to the variable with one sync.Mutex, use sync/atomic for single words, or pass the \
                 value over a channel so that one goroutine owns it.",
            )
            .example(include_str!("examples/data_race.go"))
    };
    finding
        .fix("Wait for a goroutine (WaitGroup, channel) before reading what it wrote.")
        .capture(REPORT)
        .capture(capture::RACE)
}

/// The detector ended the process, and what it printed is not at hand.
fn unseen(facts: &Facts<'_>) -> Finding {
    Finding::new(facts, VerdictClass::DataRace, "Data race, reported by the race detector")
        .nowhere()
        .sure(
            Confidence::Certain,
            "Certain: the thread that died stood in the race detector's report of a data race.",
        )
        .summary(
            "The race detector found a data race and ended the process, as GORACE asks it to. Which accesses they \
             were is in what it printed to stderr, not in the core.",
        )
        .fix("Read the report in the process' output: both accesses and where their goroutines were made.")
        .example(include_str!("examples/data_race.go"))
        .capture(REPORT)
        .capture(capture::TEXT)
}

fn summary(race: &Race, on_map: bool) -> String {
    let what = if on_map { "the same map" } else { "the same memory" };
    let writes = race.accesses.iter().filter(|access| access.write).count();
    let how = if writes > 1 { "both write" } else { "one of them writes" };
    format!(
        "Two goroutines access {what} at the same time, {how}, and nothing orders them. What is read can be half old \
         and half new; on a map, slice, string or interface this ends in crashes elsewhere."
    )
}

/// `Write by goroutine 7 in cache.(*Store).Put (store.go:12)`.
fn side(access: &RaceAccess) -> String {
    let what = match (access.write, access.atomic) {
        (true, false) => "Write",
        (false, false) => "Read",
        (true, true) => "Atomic write",
        (false, true) => "Atomic read",
    };
    let who = match access.goroutine {
        Some(id) => format!("goroutine {id} of the detector's count"),
        None if access.main => "the main goroutine".to_owned(),
        None => "a goroutine".to_owned(),
    };
    let place = access.frames.iter().find(|frame| in_app(frame)).or_else(|| access.frames.first());
    let place = place.map_or(", its stack is lost".to_owned(), |frame| format!(" in {}", describe(frame)));
    format!("{what} at {} by {who}{place}", access.address)
}
