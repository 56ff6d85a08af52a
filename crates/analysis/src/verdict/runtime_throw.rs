//! `runtime-throw`: the runtime gave up for a reason that has no class of its own. Every `throw` and `fatal`
//! ends here that no other rule knows.

use panicle_report::{Confidence, VerdictClass};

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::{Facts, first_line};

/// A message that says more than that the runtime gave up.
struct Known {
    /// It begins with this.
    message: &'static str,
    meaning: &'static str,
    fix: &'static str,
}

/// Read in runtime/proc.go, os_linux.go, netpoll.go, panic.go; sync/mutex.go, rwmutex.go (1.24+:
/// internal/sync/mutex.go).
const KNOWN: &[Known] = &[
    Known {
        message: "thread exhaustion",
        meaning: "The program has more threads than debug.SetMaxThreads allows (10,000 when nothing is said). Each \
                  goroutine in a blocking system call, in C, or locked to its thread holds one.",
        fix: "Bound how many goroutines are in blocking calls, C or LockOSThread at once (a semaphore), and give \
              such calls time limits.",
    },
    Known {
        message: "runtime.newosproc",
        meaning: "The system refused to create another thread.",
        fix: "Raise the limit (ulimit -u, the container's pids limit), or bound what holds threads.",
    },
    Known {
        message: "newosproc",
        meaning: "The system refused to create another thread.",
        fix: "Raise the limit (ulimit -u, the container's pids limit), or bound what holds threads.",
    },
    Known {
        message: "pthread_create failed",
        meaning: "The system refused to create another thread for cgo.",
        fix: "Raise the limit (ulimit -u, the container's pids limit), or bound what holds threads.",
    },
    Known {
        message: "sync: inconsistent mutex state",
        meaning: "A mutex was copied while it was locked, or its memory was overwritten.",
        fix: "Never copy a struct that holds a lock (go vet's copylocks finds copies); run the tests with -race.",
    },
    Known {
        message: "runtime: netpoll",
        meaning: "The runtime's own file descriptor for network events was closed or is unusable.",
        fix: "Look for code that closes file descriptors by number (a double close, syscall.Close in a loop).",
    },
    Known {
        message: "all goroutines are asleep",
        meaning: "Every goroutine waits.",
        fix: "Find in the stacks what each one waits for.",
    },
];

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let message = first_line(facts.fatal()?);
    let known = KNOWN.iter().find(|known| message.starts_with(known.message));
    let meaning = known.map_or(
        "Such errors cannot be recovered; they come from wrong use of the runtime, exhausted resources or corrupted \
         memory.",
        |known| known.meaning,
    );
    let finding = Finding::new(
        facts,
        VerdictClass::RuntimeThrow,
        format!("Fatal error of the runtime: {message}"),
    )
    .sure(
        Confidence::Likely,
        "Likely: the runtime's message is certain; that it is the cause and not a consequence is not.",
    )
    .raise("The goroutines of the last minute before it would raise it.")
    .summary(format!("The runtime ended the process{} with \"{message}\". {meaning}", in_place(facts)));
    let finding = match known {
        Some(known) => finding.fix(known.fix).example(include_str!("examples/runtime_throw.go")),
        None => finding.fix(
            "Search the Go issue tracker for the message and check the release notes of newer patch releases.",
        ),
    };
    Some(finding.capture(capture::GOROUTINES).capture(capture::CORE))
}
