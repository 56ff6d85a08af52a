//! `unexpected-fault`: memory accesses and instructions that no rule of Go covers.
//!
//! `sigpanic` (runtime/signal_unix.go) prints `unexpected fault address` and throws `fault` for addresses of
//! 4096 and above; with debug.SetPanicOnFault it panics instead, with `errorAddressString`. Other signals
//! that the kernel raises for an instruction (SIGILL, SIGFPE, SIGTRAP, SIGBUS) end the process with the
//! signal's name and the registers.

use panicle_report::{Confidence, PanicKind, Signal, VerdictClass};

use super::{
    capture,
    finding::{Finding, in_place},
    nil_dereference::MEMORY_ERROR,
    signal::{OWN_FAULTS, describe, kernel_raised},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    if facts.fatal() == Some("fault") || as_a_panic(facts) {
        return Some(address(facts));
    }
    instruction(facts)
}

/// With debug.SetPanicOnFault a fault at any address is the panic of a nil dereference; the address tells
/// them apart.
fn as_a_panic(facts: &Facts<'_>) -> bool {
    let address = facts.panic.and_then(|panic| panic.signal.as_ref()).and_then(|signal| signal.address);
    facts.runtime_error() == Some(MEMORY_ERROR) && address.is_some_and(|address| address.0 >= 4096)
}

fn address(facts: &Facts<'_>) -> Finding {
    let mut finding = Finding::new(facts, VerdictClass::UnexpectedFault, "Access to an invalid address")
        .summary(format!(
            "Memory was accessed{} at an address that is not mapped or not writable, and too large for a nil \
             pointer. Causes are unsafe, cgo, a file mapping that shrank or was unmapped, or memory that a data race \
             corrupted.",
            in_place(facts)
        ))
        .fix("Look for unsafe.Pointer, unsafe.Slice, mmap and cgo in the failing frame and what it was given.")
        .fix("For mapped files: debug.SetPanicOnFault(true) around the access turns the fault into a panic.")
        .example(include_str!("examples/unexpected_fault.go"))
        .capture(capture::RACE)
        .capture(capture::CORE);
    if let Some(signal) = facts.panic.and_then(|p| p.signal.as_ref()) {
        finding = finding.evidence("signal", describe(signal), None);
        if signal.name == "SIGBUS" {
            finding = finding.hint(
                "SIGBUS on a mapping means as a rule that the file is shorter than the mapping: somebody \
                 truncated it, or the disk is full.",
            );
        }
    }
    for note in facts.notes.iter().filter(|n| n.starts_with("unexpected fault address")).take(1) {
        finding = finding.evidence("text", note.clone(), None);
    }
    finding
}

/// A signal of an instruction in Go code other than a bad address.
fn instruction(facts: &Facts<'_>) -> Option<Finding> {
    if facts.kind() != Some(PanicKind::Signal) {
        return None;
    }
    let signal: &Signal = facts.panic?.signal.as_ref()?;
    if !OWN_FAULTS.contains(&signal.name.as_str()) || !kernel_raised(signal) {
        return None;
    }
    let (what, fix) = match signal.name.as_str() {
        "SIGILL" => (
            "an instruction that this processor does not have or that is no instruction at all",
            "Check assembly and GOAMD64/GOARM64 settings against the processor that it ran on.",
        ),
        "SIGTRAP" => (
            "a breakpoint instruction (runtime.Breakpoint, or code that was overwritten)",
            "Remove calls of runtime.Breakpoint from what is shipped.",
        ),
        "SIGFPE" => (
            "an arithmetic instruction that cannot be executed, in assembly or C",
            "Check divisors in assembly and in C before dividing.",
        ),
        _ => (
            "an access to memory that is not there or not allowed",
            "Look for unsafe.Pointer, mmap, assembly and cgo in the failing frame and what it was given.",
        ),
    };
    Some(
        Finding::new(facts, VerdictClass::UnexpectedFault, format!("{} in Go code", signal.name))
            .sure(
                Confidence::Likely,
                "Likely: the kernel raised the signal for an instruction of the process itself; what led to that \
                 instruction is not in the evidence.",
            )
            .raise("A core raises it: it has the registers and the code at the fault.")
            .summary(format!(
                "The process executed{} {what}, and the kernel raised {}.",
                in_place(facts),
                signal.name
            ))
            .evidence("signal", describe(signal), None)
            .fix(fix)
            .example(include_str!("examples/unexpected_fault.go"))
            .capture(capture::CORE),
    )
}
