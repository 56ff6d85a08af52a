//! `nil-func-call`: a call through a nil function value.
//!
//! For the runtime it is a nil dereference like any other: a function value points to a closure
//! object whose first word is the code, and loading that word faults at address 0. What tells it
//! apart is the instruction. The amd64 compiler passes the closure object in DX (cmd/compile
//! internal/abi-internal.md, "closure context"), so the fault is at `MOVQ (DX), reg` and a
//! `CALL reg` follows. `go` on a nil function has its own fatal error (runtime/proc.go, newproc1).

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
    nil_dereference::MEMORY_ERROR,
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    if facts.fatal() == Some("go of nil func value") {
        return Some(common(facts, "Nil function started as a goroutine"));
    }
    if facts.runtime_error()? != MEMORY_ERROR {
        return None;
    }
    let address = facts.panic?.signal.as_ref().and_then(|s| s.address);
    if address.is_some_and(|a| a.0 != 0) || !loads_closure_code(facts.code_at_fault) {
        return None;
    }
    Some(common(facts, "Call of a nil function").evidence(
        "instruction",
        "The faulting instruction loads the code pointer of a function value, and the call of it follows.",
        facts.place().map(|p| p.reference()),
    ))
}

fn common(facts: &Facts<'_>, headline: &str) -> Finding {
    Finding::new(facts, VerdictClass::NilFuncCall, headline)
        .sure(
            panicle_report::Confidence::Certain,
            "Certain: the instruction that faulted, or the runtime's own message, is that of a call through a \
             function value.",
        )
        .summary(format!(
            "A function value (a variable, a field or a callback) was called{} while it was nil. Nobody had set it.",
            in_place(facts)
        ))
        .fix("Set the function where its owner is made, if need be to one that does nothing.")
        .fix("For optional callbacks: if f != nil { f(…) }.")
        .capture(capture::CORE)
}

/// `MOVQ (DX), reg` followed within a few instructions by `CALL reg`.
fn loads_closure_code(code: &[u8]) -> bool {
    let &[rex, 0x8b, modrm, ref rest @ ..] = code else { return false };
    // REX.W, no index or base extension; mod 00, r/m 010: [rdx].
    if rex & 0b1111_1011 != 0x48 || modrm & 0b1100_0111 != 0b0000_0010 {
        return false;
    }
    let extended = rex & 0b100 != 0;
    let register = (modrm >> 3) & 7;
    let call: &[u8] = if extended { &[0x41, 0xff, 0xd0 | register] } else { &[0xff, 0xd0 | register] };
    rest.windows(call.len()).take(40).any(|window| window == call)
}

#[cfg(test)]
mod tests {
    use super::loads_closure_code;

    #[test]
    fn knows_the_call_of_a_function_value() {
        // go1.27.3: mov (%rdx),%rcx; mov $3,%eax; call *%rcx
        assert!(loads_closure_code(&[0x48, 0x8b, 0x0a, 0xb8, 3, 0, 0, 0, 0xff, 0xd1]));
        // mov (%rdx),%r8; call *%r8
        assert!(loads_closure_code(&[0x4c, 0x8b, 0x02, 0x41, 0xff, 0xd0]));
    }

    #[test]
    fn a_method_call_on_a_nil_interface_is_none() {
        // go1.27.3: mov 0x18(%rcx),%rcx; call *%rcx
        assert!(!loads_closure_code(&[0x48, 0x8b, 0x49, 0x18, 0xff, 0xd1]));
        // A load through DX that no call follows.
        assert!(!loads_closure_code(&[0x48, 0x8b, 0x0a, 0xc3]));
        assert!(!loads_closure_code(&[]));
    }
}
