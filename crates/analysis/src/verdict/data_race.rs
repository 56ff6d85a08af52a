//! `data-race`: a report of the race detector, where nothing else ended the process.
//!
//! The detector (ThreadSanitizer) watches every access and has no false alarms for code that synchronises
//! by channels, sync and sync/atomic. Fast paths of maps can be named wrongly (golang/go#73191).

use panicle_report::{Confidence, Race, RaceAccess, VerdictClass};

use super::{capture, finding::Finding};
use crate::facts::{Facts, describe, in_app};

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let race = facts.races.first().filter(|_| facts.panic.is_none())?;
    let on_map = race
        .accesses
        .iter()
        .filter_map(|access| access.frames.first())
        .any(|frame| frame.function.starts_with("runtime.map"));
    let mut finding = Finding::new(facts, VerdictClass::DataRace, "Data race").summary(summary(race, on_map));
    finding.evidence.clear();
    for (index, access) in race.accesses.iter().enumerate() {
        let reference = Some(format!("race 1 access {}", index + 1));
        finding = finding.evidence("race", side(access), reference);
    }
    finding = if on_map {
        finding.sure(
            Confidence::Likely,
            "Likely: the race detector saw both accesses; the functions it names for maps can be wrong on their fast \
             paths (golang/go#73191), so that the lines that call them are what counts.",
        )
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
    Some(
        finding
            .fix(if on_map {
                "Guard every access to the map with one sync.Mutex (or RWMutex), or use sync.Map: \
                 mu.Lock(); m[k] = v; mu.Unlock(). Reads need the lock as well."
            } else {
                "Guard every access to the variable with one sync.Mutex, use sync/atomic for single words \
                 (var n atomic.Int64; n.Add(1)), or pass the value over a channel so that one goroutine owns it."
            })
            .capture(capture::RACE),
    )
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
