//! `deadlock`: the scheduler found that nothing can run any more (`checkdead` in runtime/proc.go),
//! and `testing/synctest`'s panic about a bubble in which all wait (runtime/synctest.go).

use panicle_report::VerdictClass;

use super::{capture, finding::Finding};
use crate::{
    clusters,
    facts::{Facts, text_of},
};

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
    for cluster in facts.clusters.iter().filter(|c| c.frames.iter().any(crate::facts::in_app)).take(5) {
        finding = finding.evidence(
            "goroutines",
            clusters::describe(cluster),
            cluster.example_ids.first().map(|id| format!("goroutine {id}")),
        );
    }
    Some(finding)
}
