//! `runtime-corruption`: the runtime found its own memory inconsistent.
//!
//! Which messages of `throw` mean that was read in runtime/mbitmap.go, mheap.go, mgcmark.go, mgcsweep.go,
//! malloc.go, stack.go and traceback.go.

use panicle_report::{Confidence, VerdictClass};

use super::{capture, finding::Finding};
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
    "object already marked",
    "scanobject n == 0",
    "unexpected signal during runtime execution",
];

/// Whether the runtime's words are those of inconsistent memory.
pub(super) fn is_corruption(message: &str) -> bool {
    CORRUPTION.iter().any(|part| message.contains(part))
}

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let message = first_line(facts.fatal()?);
    if !is_corruption(message) {
        return None;
    }
    let mut finding =
        Finding::new(facts, VerdictClass::RuntimeCorruption, format!("Corrupted memory: {message}"))
            .nowhere()
            .sure(
                Confidence::Likely,
                "Likely: the runtime found its own structures inconsistent; who overwrote them is not in the message.",
            )
            .raise("A run with -race or -d=checkptr that fails raises it: it names the code.")
            .summary(format!(
                "The runtime found its memory inconsistent (\"{message}\"). The culprit is wrong use of unsafe or cgo, \
                 a data race on a slice, string or interface, or faulty hardware; the place where it was noticed is as \
                 a rule not the place where it happened."
            ))
            .hint("The failing stack is where the damage was noticed, not where it was done.")
            .fix("Run the tests with -race, and with -d=checkptr; review unsafe and cgo code first.")
            .fix("Keep a pointer as a pointer (unsafe.Pointer): a uintptr does not keep its object alive.")
            .fix("If one machine alone shows it, test that machine's memory.")
            .example(include_str!("examples/runtime_corruption.go"))
            .capture(capture::RACE)
            .capture("GODEBUG=clobberfree=1 and GODEBUG=gccheckmark=1 in a test environment, to notice the damage earlier.")
            .capture(capture::CORE);
    let told = |note: &&String| note.starts_with("runtime: pointer ") || note.contains("bad pointer");
    for note in facts.notes.iter().filter(told).take(2) {
        finding = finding.evidence("text", note.clone(), None);
    }
    Some(finding)
}
