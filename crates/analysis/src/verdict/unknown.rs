//! `unknown`: what is said when no rule recognises anything.

use panicle_report::{Confidence, Signal, VerdictClass};

use super::{capture, finding::Finding, signal::describe};
use crate::facts::Facts;

pub(super) fn conclude(facts: &Facts<'_>) -> Finding {
    let signal = facts.process.signal.as_ref();
    let finding = if !facts.runtime_read && facts.go == Some(false) {
        no_go(facts, signal)
    } else if facts.kind().is_none() && facts.went_through_panic() {
        let headline = "A panic whose message is missing";
        unsure(facts, headline, "Unknown: a stack shows that a panic was under way, and not what it said.").summary(
            "A goroutine stood in the runtime's panic code, and what was printed before it is missing: the text is \
             cut. The lines above the first goroutine would tell.",
        )
    } else {
        match (signal, facts.runtime_read) {
            (Some(signal), true) => unsure(
                facts,
                format!("Ended by {}; the cause is not known", signal.name),
                "Unknown: the Go runtime recorded neither a panic nor a fatal error.",
            )
            .summary(format!(
                "The process was ended by {}, and the Go runtime had recorded neither a panic nor a fatal error. The \
                 stacks show what it was doing.",
                signal.name
            )),
            (Some(signal), false) => unsure(
                facts,
                format!("Ended by {}; the cause is not known yet", signal.name),
                "Unknown: the Go runtime's memory could not be read.",
            )
            .summary(format!(
                "The process was ended by {}. What the Go runtime knew about it could not be read; the diagnostics \
                 say what is missing.",
                signal.name
            )),
            // Every core has its reason; that none is found does not mean that there was none.
            (None, _) => unsure(
                facts,
                "The cause is not known: too little of the core is there",
                "Unknown: neither a signal nor the Go runtime's memory could be read.",
            )
            .summary(
                "The core tells neither of a signal nor of what the Go runtime knew. The diagnostics say what is \
                 missing.",
            ),
        }
    };
    let finding = finding.nowhere().capture(capture::TEXT).capture(capture::CORE);
    match signal {
        Some(signal) => finding.evidence("signal", describe(signal), None),
        None => finding,
    }
}

fn unsure(facts: &Facts<'_>, headline: impl Into<String>, because: &str) -> Finding {
    Finding::new(facts, VerdictClass::Unknown, headline)
        .sure(Confidence::Unknown, because)
        .raise("What the process printed when it died would raise it.")
}

fn no_go(facts: &Facts<'_>, signal: Option<&Signal>) -> Finding {
    let headline = match signal {
        Some(signal) => format!("No Go program; ended by {}", signal.name),
        None => "No Go program".to_owned(),
    };
    Finding::new(facts, VerdictClass::Unknown, headline)
        .sure(Confidence::Unknown, "Unknown: there is no Go runtime in this process to ask.")
        .summary(
            "The core is not that of a Go program, so there are no goroutines and no panic to read. Threads, \
             mappings and the signal are shown; for C and C++ a native debugger tells more.",
        )
}
