//! `out-of-memory`: the runtime could not get memory from the system (`throw` in runtime/malloc.go,
//! mem_linux.go, mheap.go, stack.go, arena.go). The kernel's OOM killer leaves no such message: it
//! sends SIGKILL, which leaves neither text nor core.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let message = facts.fatal()?;
    let known = message == "out of memory"
        || message.starts_with("out of memory ")
        || message.starts_with("runtime: out of memory")
        || message == "runtime: cannot allocate memory"
        || message.ends_with(": out of memory");
    if !known {
        return None;
    }
    let mut finding = Finding::new(facts, VerdictClass::OutOfMemory, "Out of memory")
        .summary(format!(
            "The runtime asked the system for memory{} and got none. The place that asked last is not necessarily the \
             one that holds the most; look at what a heap profile shows.",
            in_place(facts)
        ))
        .fix("Bound what is held: caches with a limit, streaming in place of reading whole bodies.")
        .fix("Set GOMEMLIMIT below the container's limit so that the collector works harder before the end.")
        .example(include_str!("examples/out_of_memory.go"))
        .capture(capture::HEAP)
        .capture(capture::CORE);
    for note in facts.notes.iter().filter(|n| n.contains("out of memory")).take(2) {
        finding = finding.evidence("text", note.clone(), None);
    }
    Some(finding)
}
