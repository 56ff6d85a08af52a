//! `checkptr` and `unexpected-fault`: memory accesses that no Go rule covers.
//!
//! runtime/checkptr.go and unsafe.go throw `checkptr: …` (builds with -race, -msan, -asan or
//! -d=checkptr). `sigpanic` (signal_unix.go) prints `unexpected fault address` and throws `fault`
//! for addresses of 4096 and above.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
    nil_dereference::describe_signal,
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    checkptr(facts).or_else(|| unexpected_fault(facts))
}

fn checkptr(facts: &Facts<'_>) -> Option<Finding> {
    let message = facts.fatal()?.strip_prefix("checkptr: ")?;
    Some(
        Finding::new(facts, VerdictClass::Checkptr, format!("Wrong use of unsafe.Pointer ({message})"))
            .summary(format!(
                "The checks that -race and -d=checkptr compile in found a wrong pointer conversion{}: {message}. \
                 Without the checks the program goes on and may corrupt memory.",
                in_place(facts)
            ))
            .fix("Convert and do the arithmetic in one expression, within one allocation, as package unsafe's rules say.")
            .fix("Use unsafe.Slice, unsafe.Add and encoding/binary in place of pointer arithmetic.")
            .capture("go build -gcflags=all=-d=checkptr: the same checks without the race detector."),
    )
}

fn unexpected_fault(facts: &Facts<'_>) -> Option<Finding> {
    if facts.fatal()? != "fault" {
        return None;
    }
    let mut finding = Finding::new(facts, VerdictClass::UnexpectedFault, "Access to an invalid address")
        .summary(format!(
            "Memory was accessed{} at an address that is not mapped or not writable, and too large for a nil \
             pointer. Causes are unsafe, cgo, a file mapping that shrank or was unmapped, or memory that a data race \
             corrupted.",
            in_place(facts)
        ))
        .fix("Look for unsafe.Pointer, unsafe.Slice, mmap and cgo in the failing frame and what it was given.")
        .fix("For mapped files: debug.SetPanicOnFault(true) around the access turns the fault into a panic.")
        .capture(capture::RACE)
        .capture(capture::CORE);
    if let Some(signal) = facts.panic.and_then(|p| p.signal.as_ref()) {
        finding = finding.evidence("signal", describe_signal(signal), None);
    }
    for note in facts.notes.iter().filter(|n| n.starts_with("unexpected fault address")).take(1) {
        finding = finding.evidence("text", note.clone(), None);
    }
    Some(finding)
}

/// Whether another process sent the signal (`SI_USER` 0, `SI_QUEUE` -1).
pub(super) fn sent_from_outside(facts: &Facts<'_>, signal: &panicle_report::Signal) -> bool {
    let by_process = matches!(signal.code, Some(0 | -1));
    by_process && (signal.sender_pid.is_none() || signal.sender_pid != facts.process.pid)
}
