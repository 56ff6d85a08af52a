//! `external-signal`, and `goroutine-leak` as what may stand behind it.
//!
//! A process that dumps on SIGQUIT or SIGABRT was asked to by somebody: an operator, a watchdog, a
//! liveness probe. Under GOTRACEBACK=crash the runtime then prints and ends itself with SIGABRT of
//! its own (`si_code` SI_TKILL, sender itself: runtime/signal_unix.go `crash`, `dieFromSignal`);
//! that second signal is a consequence and never the cause.

use panicle_report::{Confidence, GoroutineCluster, PanicKind, Signal, VerdictClass};

use super::{capture, fault::sent_from_outside, finding::Finding, nil_dereference::describe_signal};
use crate::{
    clusters,
    facts::{Facts, in_app},
};

/// From how many goroutines on one stack a leak is suspected.
const MANY: u64 = 20;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let signal = match facts.kind() {
        Some(PanicKind::Panic | PanicKind::Fatal) => return None,
        Some(PanicKind::Signal) => facts.panic?.signal.as_ref().or(facts.process.signal.as_ref()),
        // The runtime had no part in it: the kernel ended the process.
        None => Some(facts.process.signal.as_ref().filter(|s| sent_from_outside(facts, s))?),
    };
    let name = signal.map_or_else(|| named(facts), |s| s.name.clone());
    let leaks: Vec<_> = leak_suspects(facts);
    let mut finding = match leaks.first() {
        Some(leak) => leaking(facts, leak, &name),
        None => plain(facts, &name),
    };
    if let Some(signal) = signal {
        finding = finding.evidence("signal", describe_signal(signal), None);
    }
    for cluster in leaks.iter().take(6) {
        finding = finding.evidence(
            "goroutines",
            clusters::describe(cluster),
            cluster.example_ids.first().map(|id| format!("goroutine {id}")),
        );
    }
    finding = sender(facts, signal, finding);
    Some(finding.capture(capture::GOROUTINES))
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
        .summary(format!(
            "The process did not fail by itself: it received {name}. {} Look at who sent it (a liveness probe, an \
             operator, a watchdog) and at what the goroutines were waiting for.",
            match name {
                "SIGQUIT" => "SIGQUIT asks a Go program for a dump of its goroutines and ends it.",
                "SIGABRT" => "SIGABRT from outside is what watchdogs (systemd's among them) send to hung services.",
                _ => "Nothing in it panicked.",
            }
        ))
        .fix("If a probe or watchdog sent it, find out from the stacks what kept the service from answering.");
    match facts.clusters.iter().filter(|c| is_of_app(c)).max_by_key(|c| c.count) {
        Some(cluster) if cluster.count > 1 => {
            finding.hint(format!("The most common stack: {}.", clusters::describe(cluster)))
        }
        _ => finding,
    }
}

fn leaking(facts: &Facts<'_>, leak: &GoroutineCluster, name: &str) -> Finding {
    let place = leak.frames.iter().find(|f| in_app(f)).map(crate::facts::describe);
    let wait = leak.wait_reason.as_deref().unwrap_or(&leak.status);
    let mut finding =
        Finding::new(facts, VerdictClass::GoroutineLeak, format!("{} goroutines stuck ({wait})", leak.count));
    finding.place.clone_from(&place);
    finding
        .sure(
            Confidence::Possible,
            format!(
                "Possible: many goroutines wait on one stack and the process was ended by {name}; a busy service \
                 can look like that, too."
            ),
        )
        .summary(format!(
            "The process was ended from outside by {name}. At that time {} goroutines waited on the same stack \
             ({wait}){}: they may have been leaked one by one, by something that never comes.",
            leak.count,
            place.map_or(String::new(), |p| format!(" in {p}"))
        ))
        .fix("Give every goroutine a way to end: a context in a select beside the channel, a timeout on I/O, a close of the channel by its sender.")
        .fix("Bound the number of goroutines that can wait at once (a semaphore, errgroup.SetLimit).")
        .capture(capture::GOROUTINE_PROFILE)
}

/// Large clusters of waiting goroutines of the application, largest first.
fn leak_suspects<'a>(facts: &Facts<'a>) -> Vec<&'a GoroutineCluster> {
    facts
        .clusters
        .iter()
        .filter(|c| c.count >= MANY && matches!(c.status.as_str(), "waiting" | "leaked") && is_of_app(c))
        .collect()
}

fn is_of_app(cluster: &GoroutineCluster) -> bool {
    cluster.frames.iter().any(in_app)
}

fn sender(facts: &Facts<'_>, signal: Option<&Signal>, finding: Finding) -> Finding {
    match signal.and_then(|s| s.sender_pid) {
        Some(0) => finding
            .hint("The sender's process id is 0: it was sent from another PID namespace, or by the kernel."),
        Some(pid) if Some(pid) != facts.process.pid => {
            finding.hint(format!("Process {pid} sent the signal."))
        }
        _ => finding,
    }
}
