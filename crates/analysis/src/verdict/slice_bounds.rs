//! `slice-bounds`: the `boundsError` codes of slice expressions (runtime/error.go), and the length
//! checks of unsafe.Slice and unsafe.String, which fail for the same kind of reason.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let text = facts.runtime_error()?.strip_prefix("runtime error: ")?;
    let values = text.strip_prefix("slice bounds out of range ")?;
    let why = match values.split_once(" with ") {
        Some((bounds, limit)) => {
            format!("The bounds {bounds} were asked for{} with {limit}.", in_place(facts))
        }
        None if values.contains('-') => {
            format!("A negative bound was used in the slice expression {values}{}.", in_place(facts))
        }
        None => format!("The bounds {values}{} start after they end.", in_place(facts)),
    };
    Some(
        Finding::runtime_panic(
            facts,
            VerdictClass::SliceBounds,
            format!("Slice bounds {values} out of range"),
        )
        .summary(format!(
            "{why} A slice expression must stay within its operand's capacity, a string's within its length."
        ))
        .fix("Clamp or check the bounds before slicing: end := min(end, len(s)).")
        .fix("When a bound comes from strings.Index or a search, handle -1 (not found) first.")
        .example(include_str!("examples/slice_bounds.go"))
        .capture(capture::CORE),
    )
}
