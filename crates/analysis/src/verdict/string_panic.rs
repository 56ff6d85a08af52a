//! `string-panic`: the program called panic with a string.

use panicle_report::VerdictClass;

use super::{capture, finding::Finding, program_panic};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let finding = program_panic::of_class(facts, VerdictClass::StringPanic)?;
    Some(
        finding
            .fix("Where the caller can handle it, return an error in place of panicking.")
            .fix("Where it says that something cannot happen, find out by which values it did, and put them into the message.")
            .example(include_str!("examples/string_panic.go"))
            .capture(capture::CORE),
    )
}
