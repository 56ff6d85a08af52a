//! A recover that was meant to catch the panic and could not: it is deferred in another goroutine. A panic
//! runs the deferred functions of its own goroutine alone, not those of the function that started it.

use panicle_report::PanicKind;

use super::Finding;
use crate::{facts::Facts, function};

pub(super) fn look(facts: &Facts<'_>, _: &Finding) -> Option<String> {
    if facts.kind() != Some(PanicKind::Panic) {
        return None;
    }
    let goroutine = facts.crashing?;
    let created = goroutine.created_by.as_ref()?;
    let creator = function::short(&created.function);
    // From memory: who calls runtime.gorecover is seen in the code.
    if let Some(recovering) = facts.recovering.first() {
        let by = function::short(&recovering.function);
        let whose = if recovering.function == created.function {
            format!("{by}, which started goroutine {},", goroutine.id)
        } else {
            format!("{by}, a caller of {creator}, which started goroutine {},", goroutine.id)
        };
        return Some(format!(
            "{whose} defers a recover ({}), which cannot stop this panic: recover works in the goroutine that panics \
             alone. Defer one at the start of the function that the goroutine runs.",
            function::short(&recovering.deferred)
        ));
    }
    // From text: net/http recovers panics of handlers (net/http/server.go, `conn.serve`).
    let id = created.goroutine?;
    let parent = facts.goroutines.iter().find(|other| other.id == id)?;
    let served = parent.frames.iter().any(|frame| frame.function.starts_with("net/http.(*conn).serve"));
    served.then(|| {
        format!(
            "Goroutine {} was started by the handler {creator}. net/http recovers panics in the goroutine of the request \
             alone, not in those that a handler starts: defer a recover in the function that the goroutine runs.",
            goroutine.id
        )
    })
}
