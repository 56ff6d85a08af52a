//! `send-closed-channel`: a send on a channel that was closed (`plainError` in runtime/chan.go, `chansend`,
//! and select.go). An ordinary panic, which can be recovered.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    if facts.runtime_error()? != "send on closed channel" {
        return None;
    }
    Some(
        Finding::runtime_panic(facts, VerdictClass::SendClosedChannel, "Send on a closed channel")
            .summary(format!(
                "A value was sent{} on a channel that was closed, before the send or while it waited. Somebody else \
                 closed it while this sender was still at work.",
                in_place(facts)
            ))
            .fix("Only the sender closes; with several senders, wait for all of them (WaitGroup) before closing.")
            .fix("To stop senders from the receiving side, use a context or a done channel in a select, not close.")
            .example(include_str!("examples/send_closed_channel.go"))
            .capture(capture::RACE)
            .capture(capture::CORE),
    )
}
