//! `no-crash`: a process that was alive when the evidence was taken: goroutines, and neither a panic nor a
//! fatal error nor a signal that ends one.

use panicle_report::{Confidence, VerdictClass};

use super::{capture, finding::Finding, signal::describe};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    if facts.kind().is_some() || facts.went_through_panic() {
        return None;
    }
    match (&facts.process.signal, facts.runtime_read) {
        (Some(signal), true) if stops(&signal.name) => Some(
            snapshot(facts, "No crash: a snapshot of a running process")
                .sure(Confidence::Likely, "Likely: the process was stopped to be copied, and had not failed.")
                .summary(format!(
                    "The core was taken of a process that a debugger had stopped ({}), as gcore does. The Go \
                     runtime had recorded neither a panic nor a fatal error.",
                    signal.name
                ))
                .evidence("signal", describe(signal), None),
        ),
        (None, true) => Some(
            snapshot(facts, "No crash")
                .sure(
                    Confidence::Likely,
                    "Likely: nothing in the evidence tells of a panic, fatal error or signal.",
                )
                .summary(
                    "The evidence shows goroutines and no panic, fatal error or signal: a snapshot of a process that \
                     was alive.",
                ),
        ),
        (None, false) if !facts.core && facts.go != Some(false) => Some(
            snapshot(facts, "No crash found")
                .sure(Confidence::Unknown, "Unknown: nothing that tells of a crash could be read.")
                .summary("Nothing in what was given tells of a crash."),
        ),
        _ => None,
    }
}

fn snapshot(facts: &Facts<'_>, headline: &str) -> Finding {
    let count = facts.user_goroutines().count();
    let finding = Finding::new(facts, VerdictClass::NoCrash, headline)
        .nowhere()
        .raise("The exit status and the last lines of the log would raise it.")
        .capture(capture::GOROUTINES)
        .capture(capture::CORE);
    if count == 0 {
        return finding;
    }
    finding.evidence("goroutines", format!("{count} goroutines of the program, none of which is dying"), None)
}

/// The signals with which a debugger stops a process. They end none.
fn stops(signal: &str) -> bool {
    matches!(signal, "SIGSTOP" | "SIGTSTP" | "SIGTRAP")
}
