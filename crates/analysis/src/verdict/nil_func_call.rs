//! `nil-func-call`: a call through a nil function value.
//!
//! For the runtime it is a nil dereference like any other: a function value points to a closure
//! object whose first word is the code, and loading that word faults at address 0. What tells it
//! apart is the instruction. The compiler passes the closure object in DX on amd64 and in R26 on
//! arm64 (cmd/compile abi-internal.md, "closure context"), so the fault is where the code's address
//! is loaded through that register, and a call of what was loaded follows. `go` on a nil function
//! has its own fatal error (runtime/proc.go, newproc1).

use panicle_image::Arch;
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
    let (arch, code) = facts.code_at_fault?;
    if address.is_some_and(|a| a.0 != 0) || !loads_closure_code(arch, code) {
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
        .example(include_str!("examples/nil_func_call.go"))
        .capture(capture::CORE)
}

/// Whether `code` begins with the load of a closure's code and calls it within a few instructions.
fn loads_closure_code(arch: Arch, code: &[u8]) -> bool {
    match arch {
        Arch::Amd64 => loads_through_dx(code),
        Arch::Arm64 => loads_through_r26(code),
        Arch::Other(_) => false,
    }
}

/// `MOVD (R26), reg` and `CALL (reg)`.
fn loads_through_r26(code: &[u8]) -> bool {
    let mut instructions =
        code.chunks_exact(4).map(|word| word.iter().rfold(0, |all, &byte| all << 8 | u32::from(byte)));
    let Some(load) = instructions.next() else { return false };
    let register = load & 31;
    load & !31 == 0xf940_0340 && instructions.take(10).any(|next| next == 0xd63f_0000 | register << 5)
}

/// `MOVQ (DX), reg` and `CALL reg`.
fn loads_through_dx(code: &[u8]) -> bool {
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
    use panicle_image::Arch::{Amd64, Arm64, Other};

    use super::loads_closure_code;

    #[test]
    fn knows_the_call_of_a_function_value() {
        // go1.27.3: mov (%rdx),%rcx; mov $3,%eax; call *%rcx
        assert!(loads_closure_code(Amd64, &[0x48, 0x8b, 0x0a, 0xb8, 3, 0, 0, 0, 0xff, 0xd1]));
        // mov (%rdx),%r8; call *%r8
        assert!(loads_closure_code(Amd64, &[0x4c, 0x8b, 0x02, 0x41, 0xff, 0xd0]));
    }

    #[test]
    fn a_method_call_on_a_nil_interface_is_none() {
        // go1.27.3: mov 0x18(%rcx),%rcx; call *%rcx
        assert!(!loads_closure_code(Amd64, &[0x48, 0x8b, 0x49, 0x18, 0xff, 0xd1]));
        // A load through DX that no call follows.
        assert!(!loads_closure_code(Amd64, &[0x48, 0x8b, 0x0a, 0xc3]));
        assert!(!loads_closure_code(Amd64, &[]));
    }

    #[test]
    fn knows_it_on_arm64() {
        let code = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        // ldr x3, [x26]; mov x0, #0x41; blr x3
        let call = code(&[0xf940_0343, 0xd280_0820, 0xd63f_0060]);
        assert!(loads_closure_code(Arm64, &call));
        assert!(!loads_closure_code(Amd64, &call) && !loads_closure_code(Other(243), &call));
        // Another register is called; a field of what X26 points to is loaded; nothing follows.
        for other in [&[0xf940_0343, 0xd63f_0040][..], &[0xf940_0743, 0xd63f_0060], &[0xf940_0343], &[]] {
            assert!(!loads_closure_code(Arm64, &code(other)));
        }
    }
}
