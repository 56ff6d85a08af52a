//! `send-closed-channel`, `close-closed-channel`, `close-nil-channel`: the three panics of channels
//! (`plainError` in runtime/chan.go and select.go). They are ordinary panics and can be recovered.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    match facts.runtime_error()? {
        "send on closed channel" => Some(send_closed(facts)),
        "close of closed channel" => Some(close_closed(facts)),
        "close of nil channel" => Some(close_nil(facts)),
        _ => None,
    }
}

fn send_closed(facts: &Facts<'_>) -> Finding {
    Finding::runtime_panic(facts, VerdictClass::SendClosedChannel, "Send on a closed channel")
        .summary(format!(
            "A value was sent{} on a channel that was closed, before the send or while it waited. Somebody else \
             closed it while this sender was still at work.",
            in_place(facts)
        ))
        .fix("Only the sender closes; with several senders, wait for all of them (WaitGroup) before closing.")
        .fix("To stop senders from the receiving side, use a context or a done channel in a select, not close.")
        .capture(capture::CORE)
}

fn close_closed(facts: &Facts<'_>) -> Finding {
    Finding::runtime_panic(facts, VerdictClass::CloseClosedChannel, "Close of a closed channel")
        .summary(format!(
            "A channel was closed{} that was closed already. Two code paths, or two calls of one, both believe \
             that closing is theirs.",
            in_place(facts)
        ))
        .fix("Give the close one owner, or guard it with sync.Once.")
        .fix("Make Close and Stop methods safe to call twice.")
        .capture(capture::CORE)
}

fn close_nil(facts: &Facts<'_>) -> Finding {
    Finding::runtime_panic(facts, VerdictClass::CloseNilChannel, "Close of a nil channel")
        .summary(format!(
            "A channel variable was closed{} that was never made. Its owner was not started, or not constructed \
             through its constructor.",
            in_place(facts)
        ))
        .fix("Make the channel where its owner is made; in Stop, handle an owner that was never started.")
        .capture(capture::CORE)
}
