//! Signals, as several rules look at them.

use panicle_report::Signal;

use crate::facts::Facts;

/// Signals that a faulty instruction raises, or C's abort and assert.
pub(super) const OWN_FAULTS: &[&str] =
    &["SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGTRAP", "SIGSYS"];

/// `SIGSEGV, code 1, address 0x18`.
pub(super) fn describe(signal: &Signal) -> String {
    let mut text = signal.name.clone();
    if let Some(code) = signal.code {
        text = format!("{text}, code {code}");
    }
    if let Some(address) = signal.address {
        text = format!("{text}, address {address}");
    }
    if let Some(sender) = signal.sender_pid {
        text = format!("{text}, sent by process {sender}");
    }
    text
}

/// Whether another process sent the signal (`SI_USER` 0, `SI_QUEUE` -1).
pub(super) fn sent_from_outside(facts: &Facts<'_>, signal: &Signal) -> bool {
    let by_process = matches!(signal.code, Some(0 | -1));
    by_process && (signal.sender_pid.is_none() || signal.sender_pid != facts.process.pid)
}

/// The kernel raised it for an instruction: SI_USER and what tgkill sends are not above 0, and SI_KERNEL
/// is 0x80.
pub(super) fn kernel_raised(signal: &Signal) -> bool {
    signal.code.is_some_and(|code| code > 0)
}
