//! `runtime-corruption` and `runtime-throw`: the runtime gave up for a reason of its own.
//!
//! Every `throw` that has no class of its own ends here. Which of them mean corrupted memory was
//! read in runtime/mbitmap.go, mheap.go, mgcmark.go, mgcsweep.go, malloc.go, stack.go and
//! traceback.go.

use panicle_report::{Confidence, VerdictClass};

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::{Facts, first_line};

/// Messages, or parts of them, of invariants that only overwritten memory breaks.
const CORRUPTION: &[&str] = &[
    "found bad pointer in Go heap",
    "found bad interior pointer",
    "found pointer to free object",
    "invalid pointer found on stack",
    "marking free object",
    "sweep increased allocation count",
    "s.allocCount",
    "s.freeindex > s.nelems",
    "bad span state",
    "invalid span state",
    "mheap.freeSpanLocked",
    "mSpanList.",
    "span has no free objects",
    "span has no free space",
    "found non-zeroed tail of allocation",
    "unexpected return pc",
    "unknown pc",
    "missing stackmap",
    "corrupted",
    "corruption",
    "bad manualFreeList",
    "lfstack",
    "bulkBarrierPreWrite",
    "heapBitsSetType",
    "typedmemmove",
    "malloc deadlock",
    "unexpected signal during runtime execution",
];

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let message = first_line(facts.fatal()?);
    if CORRUPTION.iter().any(|part| message.contains(part)) {
        return Some(corruption(facts, message));
    }
    Some(
        Finding::new(facts, VerdictClass::RuntimeThrow, format!("Fatal error of the runtime: {message}"))
            .sure(
                Confidence::Likely,
                "Likely: the runtime's message is certain; that it is the cause and not a consequence is not.",
            )
            .summary(format!(
                "The runtime ended the process{} with \"{message}\". Such errors cannot be recovered; they come from \
                 wrong use of the runtime, exhausted resources or corrupted memory.",
                in_place(facts)
            ))
            .fix("Search the Go issue tracker for the message and check the release notes of newer patch releases.")
            .capture(capture::CORE),
    )
}

fn corruption(facts: &Facts<'_>, message: &str) -> Finding {
    Finding::new(facts, VerdictClass::RuntimeCorruption, format!("Corrupted memory: {message}"))
        .nowhere()
        .sure(
            Confidence::Likely,
            "Likely: the runtime found its own structures inconsistent; who overwrote them is not in the message.",
        )
        .summary(format!(
            "The runtime found its memory inconsistent (\"{message}\"). The culprit is wrong use of unsafe or cgo, a \
             data race on a slice, string or interface, or faulty hardware; the place where it was noticed is as a \
             rule not the place where it happened."
        ))
        .hint("The failing stack is where the damage was noticed, not where it was done.")
        .fix("Run the tests with -race, and with -d=checkptr; review unsafe and cgo code first.")
        .fix("If one machine alone shows it, test that machine's memory.")
        .capture(capture::RACE)
        .capture("GODEBUG=clobberfree=1 and GODEBUG=gccheckmark=1 in a test environment, to notice the damage earlier.")
        .capture(capture::CORE)
}
