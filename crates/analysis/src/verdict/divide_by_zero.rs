//! `divide-by-zero`: `divideError` of runtime/panic.go, raised by the compiler's check or by
//! `sigpanic` for SIGFPE.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    if facts.runtime_error()? != "runtime error: integer divide by zero" {
        return None;
    }
    Some(
        Finding::runtime_panic(facts, VerdictClass::DivideByZero, "Integer division by zero")
            .summary(format!(
                "An integer was divided, or its remainder taken,{} and the divisor was 0. Often it is the length of \
                 something empty or a setting that was never given.",
                in_place(facts)
            ))
            .fix("Decide what the result is for a divisor of 0 and test for it before dividing.")
            .example(include_str!("examples/divide_by_zero.go"))
            .capture(capture::CORE),
    )
}
