//! What a log says of the process whose text it carries, and a collector of the one whose core it kept.

use panicle_evidence::{collector, traceback::Origin};
use panicle_report::{Diagnostic, Process, Stage};

use crate::NamedBytes;

/// Fills in what nothing else tells of the process. What a core has is better: its number is the process' own.
pub(crate) fn fill(process: &mut Process, origin: Origin, core: bool, diagnostics: &mut Vec<Diagnostic>) {
    if !core {
        process.pid = process.pid.or(origin.pid);
    }
    process.hostname = process.hostname.take().or(origin.hostname);
    let container = match (origin.pod, origin.container) {
        (Some(pod), Some(container)) => Some(format!("{pod}/{container}")),
        (pod, container) => pod.or(container),
    };
    process.container = process.container.take().or(container);
    process.occurred_at = origin.time.map(|time| time.to_string());
    if let Some(why) = origin.no_time {
        let text = format!("The log does not tell when this happened: {why}.");
        diagnostics.push(Diagnostic::info(Stage::Evidence, text));
    }
}

/// Fills in what a collector wrote. Which container it was counts before what a log's lines say: the log was chosen
/// by the host's name.
pub(crate) fn collect(process: &mut Process, members: &[NamedBytes<'_>], diagnostics: &mut Vec<Diagnostic>) {
    let named = members.iter().map(|input| (input.name.as_deref().unwrap_or_default(), input.bytes));
    let collected = collector::read(named);
    process.hostname = process.hostname.take().or(collected.hostname);
    process.executable = process.executable.take().or(collected.executable);
    process.container = collected.container.or_else(|| process.container.take());
    let occurred_at = collected.occurred_at.map(|at| at.to_string());
    process.occurred_at = process.occurred_at.take().or(occurred_at);
    diagnostics.extend(collected.diagnostics);
}
