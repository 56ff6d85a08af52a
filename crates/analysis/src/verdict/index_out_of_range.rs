//! `index-out-of-range`: `boundsError` with code `BoundsIndex` (runtime/error.go), and the
//! conversion of a slice to a longer array, which is checked alike.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let text = facts.runtime_error()?.strip_prefix("runtime error: ")?;
    if let Some(values) = text.strip_prefix("index out of range [") {
        let (index, rest) = values.split_once(']')?;
        let length = rest.trim().strip_prefix("with length ");
        let finding = Finding::runtime_panic(facts, VerdictClass::IndexOutOfRange, headline(index, length));
        let what = match length {
            Some("0") => format!("Index {index} was used{} on something empty.", in_place(facts)),
            Some(length) => format!(
                "Index {index} was used{} on something of length {length}; valid indexes end at {}.",
                in_place(facts),
                length
                    .parse::<u64>()
                    .map_or_else(|_| format!("{length} - 1"), |n| n.saturating_sub(1).to_string())
            ),
            None => format!("A negative index, {index}, was used{}.", in_place(facts)),
        };
        let off_by_one = length.is_some_and(|length| length == index && length != "0");
        let finding = finding
            .summary(format!("{what} Go checks every index and panics rather than read beyond the end."))
            .fix("Check the length before indexing: if i < len(s) { … }, and decide what a missing element means.")
            .fix("Where a split, a parse or a query gives the slice, treat a shorter result as an error.")
            .example(include_str!("examples/index_out_of_range.go"))
            .capture(capture::CORE);
        return Some(if off_by_one {
            finding.hint("The index equals the length: a loop or a calculation that is one too far (<= in place of <).")
        } else {
            finding
        });
    }
    let values = text.strip_prefix("cannot convert slice with length ")?;
    Some(
        Finding::runtime_panic(
            facts,
            VerdictClass::IndexOutOfRange,
            "Slice too short for the array it is converted to",
        )
        .summary(format!(
            "A slice with length {values} was converted{} and is shorter than the array. The conversion needs at \
             least as many elements as the array has.",
            in_place(facts)
        ))
        .fix("Check len(s) before the conversion.")
        .example(include_str!("examples/index_out_of_range.go"))
        .capture(capture::CORE),
    )
}

fn headline(index: &str, length: Option<&str>) -> String {
    match length {
        Some(length) => format!("Index {index} out of range of length {length}"),
        None => format!("Negative index {index}"),
    }
}
