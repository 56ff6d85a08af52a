//! `type-assertion`: `runtime.TypeAssertionError` (runtime/error.go), raised by `x.(T)` without
//! `, ok`, and by a method call on a nil interface that needs a conversion.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let text = facts.runtime_error()?.strip_prefix("interface conversion: ")?;
    let why = if let Some((value, missing)) = text.split_once(": missing method ") {
        let (concrete, wanted) = value.split_once(" is not ").unwrap_or((value, "the interface"));
        format!("The value is a {concrete}, which has no method {missing} and so is no {wanted}.")
    } else if let Some((interface, wanted)) = text.split_once(" is nil, not ") {
        format!("The {interface} holds nothing (it is nil), where {wanted} was expected.")
    } else if let Some((found, wanted)) = text.split_once(", not ") {
        let (interface, concrete) = found.split_once(" is ").unwrap_or(("interface", found));
        format!("The {interface} holds a {concrete}, where {wanted} was expected.")
    } else {
        text.to_owned()
    };
    Some(
        Finding::runtime_panic(facts, VerdictClass::TypeAssertion, "Type assertion failed")
            .summary(format!(
                "A type assertion without a check failed{}. {why}",
                in_place(facts)
            ))
            .fix("Use the form with two results, v, ok := x.(T), or a type switch, and handle the other types.")
            .fix("For decoded JSON: numbers are float64 and objects map[string]any; decode into a struct instead.")
            .example(include_str!("examples/type_assertion.go"))
            .capture(capture::CORE),
    )
}
