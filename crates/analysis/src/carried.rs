//! What a log says of the process whose text it carries.

use panicle_evidence::traceback::Origin;
use panicle_report::{Diagnostic, Process, Stage};

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
