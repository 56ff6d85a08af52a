//! `no-crash` and `unknown`: what is said when no rule recognises anything.

use panicle_report::{Confidence, VerdictClass};

use super::{capture, finding::Finding, nil_dereference::describe_signal};
use crate::facts::Facts;

pub(super) fn conclude(facts: &Facts<'_>) -> Finding {
    let finding = match (&facts.process.signal, facts.runtime_read) {
        (signal, false) if facts.go == Some(false) => Finding::new(
            facts,
            VerdictClass::Unknown,
            match signal {
                Some(signal) => format!("No Go program; ended by {}", signal.name),
                None => "No Go program".to_owned(),
            },
        )
        .sure(Confidence::Unknown, "Unknown: there is no Go runtime in this process to ask.")
        .summary(
            "The core is not that of a Go program, so there are no goroutines and no panic to read. Threads, \
             mappings and the signal are shown; for C and C++ a native debugger tells more.",
        ),
        (Some(signal), true) if stops(&signal.name) => {
            Finding::new(facts, VerdictClass::NoCrash, "No crash: a snapshot of a running process")
                .sure(Confidence::Likely, "Likely: the process was stopped to be copied, and had not failed.")
                .summary(format!(
                    "The core was taken of a process that a debugger had stopped ({}), as gcore does. The Go \
                     runtime had recorded neither a panic nor a fatal error.",
                    signal.name
                ))
        }
        (Some(signal), true) => Finding::new(
            facts,
            VerdictClass::Unknown,
            format!("Ended by {}; the cause is not known", signal.name),
        )
        .sure(Confidence::Unknown, "Unknown: the Go runtime recorded neither a panic nor a fatal error.")
        .summary(format!(
            "The process was ended by {}, and the Go runtime had recorded neither a panic nor a fatal error. The \
             stacks show what it was doing.",
            signal.name
        )),
        (Some(signal), false) => Finding::new(
            facts,
            VerdictClass::Unknown,
            format!("Ended by {}; the cause is not known yet", signal.name),
        )
        .sure(Confidence::Unknown, "Unknown: the Go runtime's memory could not be read.")
        .summary(format!(
            "The process was ended by {}. What the Go runtime knew about it could not be read; the diagnostics say \
             what is missing.",
            signal.name
        )),
        (None, true) => Finding::new(facts, VerdictClass::NoCrash, "No crash")
            .sure(Confidence::Likely, "Likely: nothing in the evidence tells of a panic, fatal error or signal.")
            .summary(
                "The evidence shows goroutines and no panic, fatal error or signal: a snapshot of a process that was \
                 alive.",
            ),
        // Every core has its reason; that none is found does not mean that there was none.
        (None, false) if facts.core => {
            Finding::new(facts, VerdictClass::Unknown, "The cause is not known: too little of the core is there")
                .sure(Confidence::Unknown, "Unknown: neither a signal nor the Go runtime's memory could be read.")
                .summary(
                    "The core tells neither of a signal nor of what the Go runtime knew. The diagnostics say what is \
                     missing.",
                )
        }
        (None, false) => Finding::new(facts, VerdictClass::NoCrash, "No crash found")
            .sure(Confidence::Unknown, "Unknown: nothing that tells of a crash could be read.")
            .summary("Nothing in what was given tells of a crash."),
    };
    let finding = finding.nowhere().capture(capture::CORE);
    match &facts.process.signal {
        Some(signal) => finding.evidence("signal", describe_signal(signal), None),
        None => finding,
    }
}

/// The signals with which a debugger stops a process. They end none.
fn stops(signal: &str) -> bool {
    matches!(signal, "SIGSTOP" | "SIGTSTP" | "SIGTRAP")
}
