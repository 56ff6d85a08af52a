//! `custom-panic`: the program called panic with a value that is neither a string nor an error.

use panicle_report::VerdictClass;

use super::{capture, finding::Finding, program_panic};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let finding = program_panic::of_class(facts, VerdictClass::CustomPanic)?;
    Some(
        finding
            .fix("Where the value is a control flow of one package (a parser's bailout), recover it at the package's edge and return an error.")
            .fix("Give the type an Error or String method: without one the log shows an address or a number alone.")
            .example(include_str!("examples/custom_panic.go"))
            .capture(capture::CORE),
    )
}
