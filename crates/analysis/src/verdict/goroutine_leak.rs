//! `goroutine-leak`: many goroutines that wait for something that does not come, in a process that was ended
//! from outside, or that was alive when its goroutines were written down.
//!
//! That a goroutine waits is no fault. What tells a leak from a pool of workers is what it waits for (a worker
//! receives; one that cannot send has lost its receiver), how many there are, since when each waits, and, from
//! Go 1.26 on, the collector's own proof (`(leaked)` in a header).

use panicle_report::{Confidence, GoroutineCluster, VerdictClass};

use super::{
    capture,
    external_signal::{Ended, ended},
    finding::Finding,
    signal::describe,
};
use crate::{
    clusters,
    facts::{Facts, in_app},
};

/// From how many goroutines on one stack a leak is suspected, where the wait is one that ends in a healthy
/// program soon.
const MANY: u64 = 20;
/// The same for waits in which idle workers stand for good.
const MANY_IDLE: u64 = 100;
/// The same in a dump of a process that nobody ended.
const MANY_ALIVE: u64 = 1000;
/// Seconds between the youngest and the oldest wait on one stack: a pool is started at once, a leak grows.
const GREW_FOR: f64 = 60.0;

/// What a wait is for, by its reason, and what then is missing.
struct Kind {
    /// The wait reasons (runtime/runtime2.go, `waitReasonStrings`) begin with one of these.
    reasons: &'static [&'static str],
    /// Idle workers wait like this too.
    idle: bool,
    /// What does not come.
    missing: &'static str,
    fix: &'static str,
}

const KINDS: &[Kind] = &[
    Kind {
        reasons: &["chan receive (nil chan)", "chan send (nil chan)", "select (no cases)"],
        idle: false,
        missing: "They wait for good: on a nil channel, or in a select without cases, nothing ever comes.",
        fix: "Make the channel before the goroutine starts, or end the goroutine where it has nothing to do.",
    },
    Kind {
        reasons: &["chan send"],
        idle: false,
        missing: "Their value is not taken: who was to receive it has returned, or is too slow.",
        fix: "Send in a select beside ctx.Done(), or give the channel room for the one value that is sent.",
    },
    Kind {
        reasons: &["chan receive"],
        idle: true,
        missing: "No value comes and the channel is not closed: who was to send or close it has returned, or waits \
                  too.",
        fix: "Close the channel when the last sender is done, and receive in a select beside ctx.Done().",
    },
    Kind {
        reasons: &["select"],
        idle: true,
        missing: "None of the cases becomes ready: as a rule the one that ends the goroutine is missing.",
        fix: "Give the select a case for ctx.Done(), and cancel the context when the work is over.",
    },
    Kind {
        reasons: &["sync.Mutex.Lock", "sync.RWMutex"],
        idle: false,
        missing: "The lock is not released: its holder waits for something itself, or returned without unlocking.",
        fix: "Unlock in a defer right after Lock, and do no I/O and no channel operation while the lock is held.",
    },
    Kind {
        reasons: &["semacquire", "sync.WaitGroup.Wait"],
        idle: false,
        missing: "What they wait for (a WaitGroup, a semaphore) is not counted down.",
        fix: "Call Done in a defer at the start of each goroutine, so that no path leaves it out.",
    },
    Kind {
        reasons: &["sync.Cond.Wait"],
        idle: true,
        missing: "Nobody signals the condition.",
        fix: "Call Broadcast when the owner stops, and let the waiters look for that.",
    },
    Kind {
        reasons: &["IO wait"],
        idle: true,
        missing: "The other side neither sends nor hangs up, and there is no deadline.",
        fix: "Set deadlines (SetDeadline, http.Client.Timeout, http.Server.ReadTimeout) on every connection.",
    },
    Kind {
        reasons: &["sleep"],
        idle: true,
        missing: "They sleep; each one was started and none was told to end.",
        fix: "Wait in a select on a timer and ctx.Done() in place of time.Sleep, and start one ticker, not one for \
              each call.",
    },
];

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let ended = ended(facts)?;
    let leaks = suspects(facts, &ended);
    let leak = leaks.first()?;
    let mut finding = finding(facts, leak, &ended);
    if let Ended::Signal { signal: Some(signal), .. } = &ended {
        finding = finding.evidence("signal", describe(signal), None);
    }
    for cluster in leaks.iter().take(6) {
        finding = finding.evidence(
            "goroutines",
            clusters::describe(cluster),
            cluster.example_ids.first().map(|id| format!("goroutine {id}")),
        );
    }
    Some(finding)
}

/// Large clusters of waiting goroutines of the application, largest first.
fn suspects<'a>(facts: &Facts<'a>, ended: &Ended<'_>) -> Vec<&'a GoroutineCluster> {
    let waits = |c: &&GoroutineCluster| matches!(c.status.as_str(), "waiting" | "leaked");
    let of_app = |c: &&GoroutineCluster| c.frames.iter().any(in_app);
    facts.clusters.iter().filter(waits).filter(of_app).filter(|c| is_suspect(facts, c, ended)).collect()
}

fn is_suspect(facts: &Facts<'_>, cluster: &GoroutineCluster, ended: &Ended<'_>) -> bool {
    if is_proven(facts, cluster) {
        return true;
    }
    let idle = kind(cluster).is_none_or(|kind| kind.idle);
    let least = match ended {
        Ended::Alive => MANY_ALIVE,
        Ended::Signal { .. } if idle && !grew(cluster) => MANY_IDLE,
        Ended::Signal { .. } => MANY,
    };
    cluster.count >= least
}

/// The garbage collector found that nothing can wake them (Go 1.26+).
fn is_proven(facts: &Facts<'_>, cluster: &GoroutineCluster) -> bool {
    let leaked = |id: &u64| {
        facts.goroutines.iter().any(|g| g.id == *id && g.leaked == Some(panicle_report::Leaked::Proven))
    };
    cluster.status == "leaked" || cluster.example_ids.iter().take(3).any(leaked)
}

/// They came one after the other, over minutes.
fn grew(cluster: &GoroutineCluster) -> bool {
    match (cluster.min_wait_seconds, cluster.max_wait_seconds) {
        (Some(least), Some(most)) => most - least >= GREW_FOR,
        _ => false,
    }
}

fn kind(cluster: &GoroutineCluster) -> Option<&'static Kind> {
    let reason = cluster.wait_reason.as_deref()?;
    KINDS.iter().find(|kind| kind.reasons.iter().any(|known| reason.starts_with(known)))
}

fn finding(facts: &Facts<'_>, leak: &GoroutineCluster, ended: &Ended<'_>) -> Finding {
    let place = leak.frames.iter().find(|f| in_app(f)).map(crate::facts::describe);
    let wait = leak.wait_reason.as_deref().unwrap_or(&leak.status);
    let how = match ended {
        Ended::Signal { name, .. } => format!("The process was ended from outside by {name}."),
        Ended::Alive => "The process was alive when its goroutines were written down.".to_owned(),
    };
    let proven = is_proven(facts, leak);
    let (confidence, because) = if proven {
        (
            Confidence::Certain,
            "Certain: the garbage collector found that nothing can wake these goroutines.".to_owned(),
        )
    } else {
        let why = "many goroutines wait on one stack; a busy service can look like that, too.";
        (Confidence::Possible, format!("Possible: {why}"))
    };
    let mut finding =
        Finding::new(facts, VerdictClass::GoroutineLeak, format!("{} goroutines stuck ({wait})", leak.count));
    finding.place.clone_from(&place);
    finding.other_goroutines = leak.example_ids.iter().copied().take(5).collect();
    let kind = kind(leak);
    let missing = kind.map_or("They may wait for something that never comes.", |kind| kind.missing);
    let finding = finding
        .sure(confidence, because)
        .raise("A second dump some minutes later raises it: in a leak the same goroutines still wait, and more do.")
        .summary(format!(
            "{how} At that time {} goroutines waited on the same stack ({wait}){}. {missing}",
            leak.count,
            place.map_or(String::new(), |p| format!(" in {p}"))
        ));
    let finding = match kind {
        Some(kind) => finding.fix(kind.fix),
        None => finding,
    };
    finding
        .fix("Give every goroutine a way to end: a context in a select beside the channel, a timeout on I/O, a close of the channel by its sender.")
        .fix("Bound the number of goroutines that can wait at once (a semaphore, errgroup.SetLimit).")
        .example(include_str!("examples/goroutine_leak.go"))
        .capture(capture::GOROUTINE_PROFILE)
        .capture(capture::LEAK_PROFILE)
        .capture(capture::GOROUTINES)
}
