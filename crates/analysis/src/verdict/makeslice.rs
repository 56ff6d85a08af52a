//! `makeslice`: a size that cannot be allocated, asked for by the program (runtime/slice.go
//! `makeslice`, `growslice`; chan.go `makechan`; unsafe.go; malloc.go).

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    const MESSAGES: &[(&str, &str)] = &[
        ("makeslice: len out of range", "make was given a length that is negative or too large"),
        ("makeslice: cap out of range", "make was given a capacity below its length or too large"),
        ("growslice: len out of range", "append would have made a slice too large to address"),
        ("makechan: size out of range", "make was given a channel size that is negative or too large"),
        ("unsafe.Slice: len out of range", "unsafe.Slice was given a length that is negative or too large"),
        ("unsafe.String: len out of range", "unsafe.String was given a length that is negative or too large"),
        ("runtime: allocation size out of range", "an allocation was too large to address"),
        ("gobytes: length out of range", "C.GoBytes was given a length that is negative or too large"),
    ];
    let text = facts.runtime_error()?;
    let text = text.strip_prefix("runtime error: ").unwrap_or(text);
    let (message, why) = MESSAGES.iter().find(|(message, _)| text == *message)?;
    Some(
        Finding::runtime_panic(facts, VerdictClass::Makeslice, format!("Impossible size ({message})"))
            .summary(format!(
                "{}{}{}. Such sizes come from unchecked input, from a subtraction that went below zero, or from a \
                 count read with the wrong byte order.",
                why[..1].to_uppercase(),
                &why[1..],
                in_place(facts)
            ))
            .fix("Check a size that comes from outside against a limit before allocating.")
            .fix("Read incrementally (io.LimitReader, bufio) in place of allocating what a header announces.")
            .example(include_str!("examples/makeslice.go"))
            .capture(capture::CORE),
    )
}
