//! `concurrent-map-write`, `concurrent-map-read-write`, `concurrent-map-iteration-write`: the map
//! code noticed that two goroutines use one map and at least one of them writes.
//!
//! Messages: runtime/map*.go up to Go 1.23, internal/runtime/maps/*.go from 1.24. They are `fatal`,
//! not panics: no deferred function runs. Noticing is best effort.

use panicle_report::{Goroutine, VerdictClass};

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::{
    facts::{Facts, Place, in_app},
    function,
};

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let message = facts.fatal()?;
    let (class, headline, what) = match message {
        // The second is Swiss maps' (1.24–1.26 map.go): a small map without room, which only a
        // concurrent write can bring about.
        "concurrent map writes" | "small map with no empty slot (concurrent map writes?)" => (
            VerdictClass::ConcurrentMapWrite,
            "Concurrent map writes",
            "Two goroutines wrote to one map at the same time",
        ),
        "concurrent map read and map write" => (
            VerdictClass::ConcurrentMapReadWrite,
            "Concurrent map read and write",
            "A map was read while another goroutine wrote to it",
        ),
        // maps.Clone reads the whole map, as an iteration does.
        "concurrent map iteration and map write" | "concurrent map clone and map write" => (
            VerdictClass::ConcurrentMapIterationWrite,
            "Concurrent map iteration and write",
            "A map was iterated (range, maps.Clone, encoding, printing) while another goroutine wrote to it",
        ),
        _ => return None,
    };
    let mut finding = Finding::new(facts, class, headline)
        .summary(format!(
            "{what}; the runtime noticed{}. Maps are not safe for that, and the runtime ends the process at once: no \
             recover, no deferred functions. The goroutine that noticed is one of the two; noticing is luck, so the \
             race has most likely happened before.",
            in_place(facts)
        ))
        .fix("Guard the map with a sync.Mutex or sync.RWMutex, held for every read, write and iteration.")
        .fix("Or give it one owner goroutine and send it requests; or use sync.Map for keys that are written once.")
        .fix("Hand out a copy (maps.Clone under the lock), never the map itself.")
        .capture(capture::RACE)
        .capture(capture::CORE);
    for other in others(facts) {
        finding = finding.evidence(
            "frame",
            format!("Also inside a map operation, from {}", other.describe()),
            Some(other.reference()),
        );
        finding.other_goroutines.push(other.goroutine);
    }
    if !finding.other_goroutines.is_empty() {
        finding = finding.hint(
            "The other goroutines stood inside map operations; whether on this very map was not proven.",
        );
    }
    Some(finding)
}

/// Goroutines that stood inside a map operation, at most ten, with the application's frame that
/// called it.
fn others<'a>(facts: &Facts<'a>) -> Vec<Place<'a>> {
    let crashing = facts.crashing.map(|g| g.id);
    facts.user_goroutines().filter(|g| Some(g.id) != crashing).filter_map(in_map_operation).take(10).collect()
}

/// The application's frame that called a map operation, if the goroutine stands inside of one.
fn in_map_operation(goroutine: &Goroutine) -> Option<Place<'_>> {
    let (index, frame) = goroutine.frames.iter().enumerate().find(|(_, frame)| in_app(frame))?;
    let inside = goroutine.frames.get(..index)?.iter().any(|f| function::is_map_operation(&f.function));
    inside.then_some(Place { goroutine: goroutine.id, index, frame })
}
