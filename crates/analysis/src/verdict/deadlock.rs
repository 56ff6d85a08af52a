//! `deadlock`: the scheduler found that nothing can run any more (`checkdead` in runtime/proc.go),
//! and `testing/synctest`'s panic about a bubble in which all wait (runtime/synctest.go).

use std::collections::BTreeMap;

use panicle_report::VerdictClass;

use super::{capture, finding::Finding, partial_deadlock::takes_lock};
use crate::{
    clusters,
    facts::{Facts, describe, in_app, text_of},
    signature,
};

/// Goroutines that are looked at, and different stacks that stand for a deadlock.
const MOST_COMPARED: usize = 10_000;
const MOST_STUCK: usize = 12;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let message = facts.fatal().or_else(|| {
        let (_, link) = facts.root()?;
        let text = text_of(link);
        text.starts_with("deadlock: ").then_some(text)
    })?;
    let summary = match message {
        "all goroutines are asleep - deadlock!" => {
            "Every goroutine waits for another one, so the runtime ended the process. Each waits on a channel, a lock \
             or a WaitGroup that only another waiting goroutine could serve."
        }
        "no goroutines (main called runtime.Goexit) - deadlock!" => {
            "The main goroutine ended itself with runtime.Goexit and all others have returned or wait. There is \
             nothing left to run, and main did not return to end the program."
        }
        text if text.starts_with("deadlock: ") && text.contains("bubble") => {
            "Every goroutine of a synctest bubble waits for another one of it, or outlived the test's function."
        }
        _ => return None,
    };
    let mut finding = Finding::new(facts, VerdictClass::Deadlock, "Deadlock: all goroutines wait")
        .summary(summary)
        .fix("For each stack below, find who was to send, close, unlock or call Done, and why it did not.")
        .fix("Take locks in one order everywhere; never send on an unbuffered channel while holding a lock the receiver needs.")
        .example(include_str!("examples/deadlock.go"))
        .capture(capture::GOROUTINES)
        .capture(capture::CORE);
    finding.stuck = stuck(facts);
    let first = finding.stuck.first().and_then(|id| facts.goroutines.iter().find(|g| g.id == *id));
    finding.place = first.and_then(|goroutine| goroutine.frames.iter().find(|f| in_app(f))).map(describe);
    for cluster in facts.clusters.iter().filter(|c| c.frames.iter().any(in_app)).take(5) {
        finding = finding.evidence(
            "goroutines",
            clusters::describe(cluster),
            cluster.example_ids.first().map(|id| format!("goroutine {id}")),
        );
    }
    Some(finding)
}

/// Goroutines that stand for the deadlock: one of each stack of the program, in an order that is the same whatever
/// their numbers are. Who waits for a lock comes first and the main goroutine last, which mostly waits for the others.
fn stuck(facts: &Facts<'_>) -> Vec<u64> {
    let mut stacks: BTreeMap<_, u64> = BTreeMap::new();
    for goroutine in facts.user_goroutines().take(MOST_COMPARED) {
        let names = signature::own_functions(goroutine);
        if names.is_empty() {
            continue;
        }
        let for_a_lock = goroutine.frames.iter().any(|frame| takes_lock(&frame.function));
        let main = goroutine.frames.iter().any(|frame| frame.function == "main.main");
        let known = stacks.entry((!for_a_lock, main, names)).or_insert(goroutine.id);
        *known = goroutine.id.min(*known);
    }
    stacks.into_values().take(MOST_STUCK).collect()
}
