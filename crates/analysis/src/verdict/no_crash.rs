//! `no-crash`: a process that was alive when the evidence was taken: goroutines, and neither a panic nor a
//! fatal error nor a signal that ends one.

use panicle_report::{Confidence, VerdictClass};

use super::{capture, finding::Finding, signal::describe};
use crate::{
    facts::{Facts, describe as describe_frame},
    ours::Ours,
};

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
        (None, true) if facts.logged().is_some() => Some(recovered(facts)),
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

/// The program recovered a panic and logged the stack with runtime/debug.
fn recovered(facts: &Facts<'_>) -> Finding {
    let below = facts.logged().and_then(|(goroutine, at)| {
        let frames = goroutine.frames.get(at..)?;
        let own = Ours::of(frames);
        let index = frames.iter().position(|frame| own.has(frame))?;
        Some((describe_frame(frames.get(index)?), format!("goroutine {} frame {}", goroutine.id, at + index)))
    });
    let place = below.as_ref().map_or(String::new(), |(place, _)| format!(" in {place}"));
    let finding = snapshot(facts, &format!("No crash: a recovered panic{place}"))
        .sure(
            Confidence::Likely,
            "Likely: the stack was asked for with runtime/debug by a deferred function, while a panic was under way.",
        )
        .summary(format!(
            "A panic{place} was recovered: the program logged its stack with runtime/debug and went on. What the \
             panic said is not in that; the line of the log before it may tell."
        ));
    match below {
        Some((place, reference)) => {
            finding.evidence("frame", format!("The panic was raised in {place}"), Some(reference))
        }
        None => finding,
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
    let goroutines = match count {
        1 => "1 goroutine of the program, which is not dying".to_owned(),
        count => format!("{count} goroutines of the program, none of which is dying"),
    };
    finding.evidence("goroutines", goroutines, None)
}

/// The signals with which a debugger stops a process. They end none.
fn stops(signal: &str) -> bool {
    matches!(signal, "SIGSTOP" | "SIGTSTP" | "SIGTRAP")
}
