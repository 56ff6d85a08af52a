//! `close-nil-channel`: a close of a channel that was never made (`plainError` in runtime/chan.go,
//! `closechan`). An ordinary panic, which can be recovered.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    if facts.runtime_error()? != "close of nil channel" {
        return None;
    }
    Some(
        Finding::runtime_panic(facts, VerdictClass::CloseNilChannel, "Close of a nil channel")
            .summary(format!(
                "A channel variable was closed{} that was never made. Its owner was not started, or not constructed \
                 through its constructor.",
                in_place(facts)
            ))
            .fix("Make the channel where its owner is made; in Stop, handle an owner that was never started.")
            .example(include_str!("examples/close_nil_channel.go"))
            .capture(capture::CORE),
    )
}
