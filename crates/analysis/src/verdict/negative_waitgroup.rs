//! `negative-waitgroup`: more `Done` than `Add` (sync/waitgroup.go). The value is a plain string, so
//! the frame of `sync.(*WaitGroup).Add` is what makes it certain.

use panicle_report::{Confidence, VerdictClass};

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::{Facts, text_of, type_of};

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let (_, link) = facts.root()?;
    if text_of(link) != "sync: negative WaitGroup counter"
        || type_of(link).is_some_and(|name| name != "string")
    {
        return None;
    }
    let in_sync = facts
        .subject()
        .is_some_and(|g| g.frames.iter().any(|f| f.function.starts_with("sync.(*WaitGroup).")));
    let finding = Finding::new(facts, VerdictClass::NegativeWaitgroup, "WaitGroup counter below zero")
        .summary(format!(
            "Done was called{} more often than Add had announced. Either an Add is missing, or one path calls Done \
             twice.",
            in_place(facts)
        ))
        .fix("Call Add before the go statement, once for each goroutine, and Done once, deferred, inside it.")
        .fix("From Go 1.25 on, wg.Go(f) does both.")
        .example(include_str!("examples/negative_waitgroup.go"))
        .capture(capture::CORE);
    Some(if in_sync {
        finding.sure(
            Confidence::Certain,
            "Certain: the message is sync's own and the stack is inside sync.(*WaitGroup).",
        )
    } else {
        finding.sure(
            Confidence::Likely,
            "Likely: the message is sync's own, but no frame of sync is on the stack.",
        )
    })
}
