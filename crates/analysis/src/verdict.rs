//! What happened: one rule for each class of cause, tried in order.
//!
//! A rule looks at the [`Facts`] and answers a [`Finding`] or nothing. Texts of the runtime that the
//! rules compare with were read in Go 1.19.8, 1.21.13, 1.22.10, 1.23.9, 1.24.11, 1.25.5, 1.26.6 and 1.27.3;
//! each rule names the file.

mod capture;
mod cgo_fault;
mod checkptr;
mod close_closed_channel;
mod close_nil_channel;
mod concurrent_map;
mod concurrent_map_iteration_write;
mod concurrent_map_read_write;
mod concurrent_map_write;
mod custom_panic;
mod data_race;
mod deadlock;
mod divide_by_zero;
mod error_panic;
mod example;
mod external_signal;
mod finding;
mod goroutine_leak;
mod hints;
mod index_out_of_range;
mod makeslice;
mod map_in_question;
mod negative_waitgroup;
mod nil_dereference;
mod nil_func_call;
mod nil_map_write;
mod no_crash;
mod out_of_memory;
mod partial_deadlock;
mod program_panic;
mod runtime_corruption;
mod runtime_throw;
mod send_closed_channel;
mod signal;
mod slice_bounds;
mod stack_overflow;
mod string_panic;
mod type_assertion;
mod unexpected_fault;
mod unhashable_key;
mod unknown;
mod unlock_unlocked;

use panicle_report::{Confidence, Evidence, Verdict, VerdictClass};

use crate::facts::{Facts, Place, in_app};
use finding::Finding;

/// A rule: the class' finding, if the facts are of that class.
type Rule = fn(&Facts<'_>) -> Option<Finding>;

/// All rules. The specific come before the general: the first that recognises the crash decides.
const RULES: &[Rule] = &[
    nil_map_write::recognise,
    index_out_of_range::recognise,
    slice_bounds::recognise,
    data_race::recognise,
    cgo_fault::recognise,
    unexpected_fault::recognise,
    nil_func_call::recognise,
    nil_dereference::recognise,
    divide_by_zero::recognise,
    type_assertion::recognise,
    unhashable_key::recognise,
    makeslice::recognise,
    send_closed_channel::recognise,
    close_closed_channel::recognise,
    close_nil_channel::recognise,
    negative_waitgroup::recognise,
    concurrent_map_write::recognise,
    concurrent_map_read_write::recognise,
    concurrent_map_iteration_write::recognise,
    unlock_unlocked::recognise,
    deadlock::recognise,
    stack_overflow::recognise,
    out_of_memory::recognise,
    checkptr::recognise,
    runtime_corruption::recognise,
    runtime_throw::recognise,
    partial_deadlock::recognise,
    goroutine_leak::recognise,
    external_signal::recognise,
    program_panic::unreadable,
    error_panic::recognise,
    string_panic::recognise,
    custom_panic::recognise,
    no_crash::recognise,
];

/// Characters of a title. Names and messages that go into one can have thousands.
const LONGEST_TITLE: usize = 240;

/// A verdict, and what of it the report does not have.
pub(crate) struct Decision {
    /// As the report has it.
    pub(crate) verdict: Verdict,
    /// The goroutines whose stacks stand for the failure, where nobody is at fault and yet not all of them count: each
    /// waits for another one of these.
    pub(crate) stuck: Vec<u64>,
}

/// Decides. There is always a verdict; where nothing is known it says so.
pub(crate) fn decide(facts: &Facts<'_>) -> Decision {
    let finding = RULES.iter().find_map(|rule| rule(facts)).unwrap_or_else(|| unknown::conclude(facts));
    let mut finding = map_in_question::blame_for_a_fault(facts, finding);
    finding.hints.extend(hints::about(facts, &finding));
    if facts.survived() {
        finding.headline = format!("Recovered: {}", finding.headline);
        finding.summary.push_str(" It was recovered, and the process went on.");
    }
    let captures = captures(facts, &finding);
    let place = finding.place.or_else(|| facts.place().map(|place| named(facts, place)));
    let title = match place {
        Some(place) if finding.at_a_place => format!("{} in {place}", finding.headline),
        _ => finding.headline,
    };
    let mut evidence = finding.evidence;
    let raise = finding.raise.filter(|_| finding.confidence != Confidence::Certain);
    let because = raise.map_or(finding.because.clone(), |raise| format!("{} {raise}", finding.because));
    evidence.push(Evidence { kind: "confidence".to_owned(), text: because, reference: None });
    // Of a deadlock it is the first of those who wait, not the one that a signal happened to interrupt.
    let goroutine = finding.stuck.first().copied().or_else(|| at_fault(facts, finding.class));
    let verdict = Verdict {
        class: finding.class,
        title: one_line(&title),
        summary: finding.summary,
        confidence: finding.confidence,
        goroutine,
        other_goroutines: finding.other_goroutines,
        map: finding.map,
        evidence,
        hints: finding.hints,
        fixes: finding.fixes,
        example: finding.example.map(|file| example::shown(file).to_owned()),
        capture_next: captures,
    };
    Decision { verdict, stuck: finding.stuck }
}

/// The place as titles name it: with what it called, where that is a module's and failed.
fn named(facts: &Facts<'_>, place: Place<'_>) -> String {
    match facts.site().filter(|site| in_app(site.frame)) {
        Some(site) => format!("{}, called from {}", site.describe(), place.describe()),
        None => place.describe(),
    }
}

/// What to capture next time, without what is there already.
fn captures(facts: &Facts<'_>, finding: &Finding) -> Vec<String> {
    let is_there = |text: &&String| match text.as_str() {
        capture::CORE => facts.core,
        capture::RACE => !facts.races.is_empty(),
        _ => false,
    };
    let wanted: Vec<String> = finding.capture_next.iter().filter(|text| !is_there(text)).cloned().collect();
    if wanted.is_empty() { vec![capture::NOTHING.to_owned()] } else { wanted }
}

/// A title as lists show it: cut, and without control characters, which a message can have.
fn one_line(title: &str) -> String {
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    finding::cut(title, LONGEST_TITLE).chars().map(shown).collect()
}

/// The goroutine at fault. The one that a signal from outside interrupted is not at fault.
fn at_fault(facts: &Facts<'_>, class: VerdictClass) -> Option<u64> {
    let from_outside = matches!(class, VerdictClass::ExternalSignal | VerdictClass::GoroutineLeak);
    // A race's stacks stand in the race, under numbers that are no goroutine ids.
    facts.crashing.filter(|g| !from_outside && g.id != 0).map(|g| g.id)
}

#[cfg(test)]
mod tests;
