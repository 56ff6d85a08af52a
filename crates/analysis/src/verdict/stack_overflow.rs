//! `stack-overflow`: a goroutine's stack went past its limit (`newstack` in runtime/stack.go).

use std::collections::HashMap;

use panicle_report::VerdictClass;

use super::finding::Finding;
use crate::facts::{Facts, in_app};

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    if facts.fatal()? != "stack overflow" {
        return None;
    }
    let recursive = recursive_functions(facts);
    let mut finding = Finding::new(facts, VerdictClass::StackOverflow, "Stack overflow")
        .fix("Give the recursion an end: a depth limit, or a set of what was visited already.")
        .fix("Check String, Error, Format and MarshalJSON methods that format their own receiver.")
        .fix("Where the depth comes from input, use a loop with a stack of its own.")
        .example(include_str!("examples/stack_overflow.go"))
        .capture("Nothing more is needed: the repeating frames are the answer.");
    finding = match recursive.as_slice() {
        [] => finding.summary(
            "A goroutine's stack grew past the runtime's limit (1 GB on 64-bit systems). Almost always it is a \
             recursion without an end.",
        ),
        names => finding.summary(format!(
            "A goroutine's stack grew past the runtime's limit (1 GB on 64-bit systems). The stack repeats {} without \
             an end.",
            names.join(", ")
        )),
    };
    if let (Some(goroutine), false) = (facts.subject(), recursive.is_empty()) {
        finding = finding.evidence(
            "frame",
            format!("Repeating frames: {}", recursive.join(", ")),
            Some(format!("goroutine {}", goroutine.id)),
        );
    }
    Some(finding)
}

/// The application's functions that stand on the stack more often than thrice, most frequent first.
fn recursive_functions(facts: &Facts<'_>) -> Vec<String> {
    let Some(goroutine) = facts.subject() else { return Vec::new() };
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for frame in goroutine.frames.iter().filter(|f| in_app(f)) {
        *counts.entry(frame.function.as_str()).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 3).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.into_iter().take(4).map(|(name, _)| crate::function::short(name).to_owned()).collect()
}
