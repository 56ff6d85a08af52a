//! `external-signal`: somebody ended the process, and nothing in it says that it had failed.
//!
//! A process that dumps on SIGQUIT or SIGABRT was asked to by somebody: an operator, a watchdog, a
//! liveness probe. Under GOTRACEBACK=crash the runtime then prints and ends itself with SIGABRT of
//! its own (`si_code` SI_TKILL, sender itself: runtime/signal_unix.go `crash`, `dieFromSignal`);
//! that second signal is a consequence and never the cause.

use panicle_report::{Confidence, GoroutineCluster, PanicKind, Signal, VerdictClass};

use super::{
    capture,
    finding::Finding,
    signal::{describe, sent_from_outside},
};
use crate::{
    clusters,
    facts::{Facts, in_app},
};

/// How a process came to the end that its goroutines show, when it did not fail by itself.
pub(super) enum Ended<'a> {
    /// By a signal from outside.
    Signal {
        /// What is known of it.
        signal: Option<&'a Signal>,
        /// `SIGQUIT`.
        name: String,
    },
    /// It did not: its goroutines were written down while it ran.
    Alive,
}

/// `None` when the process failed by itself, or nothing of it could be read.
pub(super) fn ended<'a>(facts: &Facts<'a>) -> Option<Ended<'a>> {
    match facts.kind() {
        Some(PanicKind::Panic | PanicKind::Fatal) => None,
        Some(PanicKind::Signal) => {
            let signal = facts.panic?.signal.as_ref().or(facts.process.signal.as_ref());
            let name = signal.map_or_else(|| named(facts), |s| s.name.clone());
            Some(Ended::Signal { signal, name })
        }
        // The runtime had no part in it: the kernel ended the process.
        None => match facts.process.signal.as_ref() {
            Some(signal) if sent_from_outside(facts, signal) => {
                Some(Ended::Signal { signal: Some(signal), name: signal.name.clone() })
            }
            None if facts.runtime_read && !facts.core && !facts.went_through_panic() => Some(Ended::Alive),
            _ => None,
        },
    }
}

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let Ended::Signal { signal, name } = ended(facts)? else { return None };
    let mut finding = plain(facts, &name);
    if let Some(signal) = signal {
        finding = finding.evidence("signal", describe(signal), None);
    }
    Some(sender(facts, signal, finding).capture(capture::GOROUTINES))
}

/// The signal's name out of the runtime's line (`SIGQUIT: quit`).
fn named(facts: &Facts<'_>) -> String {
    let message = facts.panic.and_then(|p| p.message.as_deref()).unwrap_or_default();
    message.split([':', ' ']).next().filter(|name| name.starts_with("SIG")).unwrap_or("a signal").to_owned()
}

fn plain(facts: &Facts<'_>, name: &str) -> Finding {
    let finding = Finding::new(facts, VerdictClass::ExternalSignal, format!("Ended from outside by {name}"))
        .nowhere()
        .sure(
            Confidence::Likely,
            "Likely: the runtime reports the signal and no panic; why it was sent is not in the evidence.",
        )
        .raise("The events of the node (a failed probe, an operator's command) at that time would raise it.")
        .summary(format!(
            "The process did not fail by itself: it received {name}. {} Look at who sent it (a liveness probe, an \
             operator, a watchdog) and at what the goroutines were waiting for.",
            match name {
                "SIGQUIT" => "SIGQUIT asks a Go program for a dump of its goroutines and ends it.",
                "SIGABRT" => "SIGABRT from outside is what watchdogs (systemd's among them) send to hung services.",
                _ => "Nothing in it panicked.",
            }
        ))
        .fix("If a probe or watchdog sent it, find out from the stacks what kept the service from answering.")
        .fix("If it was meant to stop the service, let the service end itself on SIGTERM.")
        .example(include_str!("examples/external_signal.go"));
    match facts.clusters.iter().filter(|c| is_of_app(c)).max_by_key(|c| c.count) {
        Some(cluster) if cluster.count > 1 => {
            finding.hint(format!("The most common stack: {}.", clusters::describe(cluster)))
        }
        _ => finding,
    }
}

fn is_of_app(cluster: &GoroutineCluster) -> bool {
    cluster.frames.iter().any(in_app)
}

/// Says who sent the signal, where that is known.
pub(super) fn sender(facts: &Facts<'_>, signal: Option<&Signal>, finding: Finding) -> Finding {
    match signal.and_then(|s| s.sender_pid) {
        Some(0) => finding
            .hint("The sender's process id is 0: it was sent from another PID namespace, or by the kernel."),
        Some(pid) if Some(pid) != facts.process.pid => {
            finding.hint(format!("Process {pid} sent the signal."))
        }
        _ => finding,
    }
}
