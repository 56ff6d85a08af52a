//! `close-closed-channel`: a second close of one channel (`plainError` in runtime/chan.go, `closechan`). An
//! ordinary panic, which can be recovered.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    if facts.runtime_error()? != "close of closed channel" {
        return None;
    }
    Some(
        Finding::runtime_panic(facts, VerdictClass::CloseClosedChannel, "Close of a closed channel")
            .summary(format!(
                "A channel was closed{} that was closed already. Two code paths, or two calls of one, both believe \
                 that closing is theirs.",
                in_place(facts)
            ))
            .fix("Give the close one owner, or guard it with sync.Once.")
            .fix("Make Close and Stop methods safe to call twice.")
            .example(include_str!("examples/close_closed_channel.go"))
            .capture(capture::RACE)
            .capture(capture::CORE),
    )
}
