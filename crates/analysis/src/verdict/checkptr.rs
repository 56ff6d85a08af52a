//! `checkptr`: the checks of unsafe pointer conversions that are compiled in by -race, -msan, -asan and
//! -d=checkptr found a wrong one. runtime/checkptr.go and unsafe.go throw `checkptr: …`.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let message = facts.fatal()?.strip_prefix("checkptr: ")?;
    Some(
        Finding::new(facts, VerdictClass::Checkptr, format!("Wrong use of unsafe.Pointer ({message})"))
            .summary(format!(
                "The checks that -race and -d=checkptr compile in found a wrong pointer conversion{}: {message}. {}. \
                 Without the checks the program goes on and may corrupt memory.",
                in_place(facts),
                meaning(message),
            ))
            .fix("Convert and do the arithmetic in one expression, within one allocation, as package unsafe's rules say.")
            .fix("Use unsafe.Slice, unsafe.Add and encoding/binary in place of pointer arithmetic.")
            .example(include_str!("examples/checkptr.go"))
            .capture("go test -gcflags=all=-d=checkptr ./... : the same checks without the race detector.")
            .capture(capture::CORE),
    )
}

/// What the message is about (runtime/checkptr.go, all messages).
fn meaning(message: &str) -> &'static str {
    if message.starts_with("misaligned pointer conversion") {
        "The address is not a multiple of what the target type asks for"
    } else if message.starts_with("converted pointer straddles multiple allocations") {
        "The target type is larger than the object that the pointer points into"
    } else if message.starts_with("pointer arithmetic result points to invalid allocation") {
        "The sum points into another object than the pointer it was made from"
    } else if message.starts_with("pointer arithmetic computed bad pointer value") {
        "The result is a small number, as from arithmetic on a nil pointer"
    } else if message.starts_with("unsafe.Slice result straddles")
        || message.starts_with("unsafe.String result straddles")
    {
        "The length is larger than the object that the pointer points into"
    } else {
        "A rule of package unsafe was broken"
    }
}
