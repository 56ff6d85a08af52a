//! What the three classes of concurrent map use share: the map code noticed that two goroutines use one map and
//! at least one of them writes.
//!
//! Messages: runtime/map*.go up to Go 1.23, internal/runtime/maps/*.go from 1.24. They are `fatal`,
//! not panics: no deferred function runs. Noticing is best effort.

use panicle_report::{Goroutine, Map, MapUser, VerdictClass};

use super::{
    capture,
    finding::{Finding, in_place},
    map_in_question as question,
};
use crate::{
    facts::{Facts, Place, in_app},
    function,
};

/// The finding of a class: what to call it, and what happened in words.
pub(super) fn finding(facts: &Facts<'_>, class: VerdictClass, headline: &str, what: &str) -> Finding {
    let meaning = "Maps are not safe for that, and the runtime ends the process at once: no recover, no deferred \
                   functions. The goroutine that noticed is one of the two; noticing is luck, so the race has most \
                   likely happened before.";
    let finding = if let Some((map, noticed)) = question::of(facts) {
        let case = Case { map, noticed, writers_only: class == VerdictClass::ConcurrentMapWrite };
        case.finding(facts, class, headline, meaning)
    } else {
        let summary = format!("{what}; the runtime noticed{}. {meaning}", in_place(facts));
        with_frames(facts, Finding::new(facts, class, headline).summary(summary))
    };
    finding
        .fix("Guard the map with a sync.Mutex or sync.RWMutex, held for every read, write and iteration.")
        .fix("Or give it one owner goroutine and send it requests; or use sync.Map for keys that are written once.")
        .fix("Hand out a copy (maps.Clone under the lock), never the map itself.")
        .example(include_str!("examples/concurrent_map.go"))
        .capture(capture::RACE)
        .capture(capture::CORE)
}

/// A crash whose map is known.
struct Case<'a> {
    map: &'a Map,
    /// Who ended the process.
    noticed: &'a MapUser,
    /// Only another writer can have been the other party.
    writers_only: bool,
}

impl Case<'_> {
    fn finding(&self, facts: &Facts<'_>, class: VerdictClass, headline: &str, meaning: &str) -> Finding {
        let Self { map, noticed, .. } = *self;
        let name = question::name_in(facts, map, noticed);
        let headline = match (name, &map.type_name) {
            (Some(name), _) => format!("{headline} on {}", name.text),
            (None, Some(of)) => format!("{headline} on a {of}"),
            (None, None) => headline.to_owned(),
        };
        let parties = question::parties(map, noticed, self.writers_only);
        let called = match name {
            Some(name) => name.with(&question::particulars(map)),
            None => format!("a map without a known name ({})", question::particulars(map)),
        };
        let by = |user: &MapUser| {
            let caller = user.caller.as_ref().map_or(String::new(), |caller| format!(" in {caller}"));
            format!("goroutine {} was {}{caller}", user.goroutine, question::doing(user.operation))
        };
        let others = self.others_in_words(&parties, by);
        let mut finding = Finding::new(facts, class, headline)
            .summary(format!(
                "The map is {called}. The runtime noticed while {}; {others}. {meaning}",
                by(noticed)
            ))
            .evidence("map", format!("The map: {called}"), Some(question::reference(map)))
            .evidence(
                "operation",
                format!("Goroutine {} noticed. {}", noticed.goroutine, noticed.because),
                Some(question::reference_of(noticed)),
            );
        finding.map = Some(map.address);
        for party in &parties {
            let sure = if self.is_certain(party) { "certain" } else { "likely" };
            // The doubt can be about either of the two.
            let doubt = if party.certain && !self.noticed.certain {
                format!(" What is likely only is that goroutine {} was on this one.", self.noticed.goroutine)
            } else {
                String::new()
            };
            finding = finding.evidence(
                "operation",
                format!("The other party, {sure}: {}. {}{doubt}", by(party), party.because),
                Some(question::reference_of(party)),
            );
            finding.other_goroutines.push(party.goroutine);
        }
        if parties.is_empty() {
            finding = self.why_nobody_is_named(facts, finding);
        }
        finding
    }

    /// That a goroutine is on the map, and that the map is the one in question.
    fn is_certain(&self, party: &MapUser) -> bool {
        party.certain && self.noticed.certain
    }

    fn others_in_words(&self, parties: &[&MapUser], by: impl Fn(&MapUser) -> String) -> String {
        let more = match parties.len() {
            0 | 1 => String::new(),
            count => format!(", and {} more with it", count - 1),
        };
        match parties {
            [first, ..] if self.is_certain(first) => format!("{} too{more}", by(first)),
            [first, ..] => format!("it is likely that {} too{more}", by(first)),
            [] => "who the other party was cannot be told from memory".to_owned(),
        }
    }

    /// Says what was seen instead of another party, and who may be worth a look.
    fn why_nobody_is_named(&self, facts: &Facts<'_>, finding: Finding) -> Finding {
        let flag = question::write_flag(self.map).map_or(String::new(), |flag| format!(" ({flag})"));
        let mut finding = finding.evidence(
            "other-party",
            format!(
                "No other goroutine is known to have been in a clashing operation on this map when the threads \
                 stopped: by then the other party had left it, or its frames do not show it{flag}"
            ),
            Some(question::reference(self.map)),
        );
        let holders = question::holders(self.map, self.noticed.goroutine);
        if !holders.is_empty() {
            finding = finding.hint(format!(
                "Held also by {}: to hold the map is not to use it, but the other party is most likely among these.",
                holders.join(", ")
            ));
        }
        let unknown: Vec<String> = others(facts)
            .iter()
            .filter(|place| !is_on_a_known_map(facts, place.goroutine))
            .map(|place| format!("goroutine {} from {}", place.goroutine, place.describe()))
            .collect();
        if !unknown.is_empty() {
            finding = finding
                .hint(format!("In a map operation, on which map is not known: {}.", unknown.join("; ")));
        }
        finding
    }
}

/// Whether a goroutine is in an operation of which the map is known.
fn is_on_a_known_map(facts: &Facts<'_>, goroutine: u64) -> bool {
    facts.maps.iter().flat_map(|map| &map.users).any(|user| user.goroutine == goroutine)
}

/// What stacks alone tell, where the map is not known: of printed text, and of memory that was not kept.
fn with_frames(facts: &Facts<'_>, mut finding: Finding) -> Finding {
    for other in others(facts).into_iter().filter(|other| !is_on_a_known_map(facts, other.goroutine)) {
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
    finding
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
