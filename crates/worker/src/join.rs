//! What the core and the text of one crash have in common.

use std::collections::BTreeMap;

use panicle_report::{Diagnostic, FrameKind, Goroutine, Report, Stage};
use panicle_store::{Join, JoinKey, JoinSide};
use sha2::{Digest as _, Sha256};

/// Goroutines that are compared, those with the lowest numbers.
const MAX_GOROUTINES: usize = 512;
/// Innermost frames of the program that are compared; text leaves frames out of deeper stacks.
const MAX_FRAMES: usize = 40;

/// Digests of the goroutines of a report, which come in pieces.
#[derive(Default)]
pub(crate) struct Stacks(BTreeMap<u64, String>);

impl Stacks {
    pub(crate) fn take(&mut self, goroutines: &[Goroutine]) {
        // One that runs is elsewhere a moment later; what waits is where it was.
        for goroutine in goroutines.iter().filter(|goroutine| goroutine.wait_reason.is_some()) {
            if let Some(digest) = digest(goroutine) {
                self.0.insert(goroutine.id, digest);
            }
            if self.0.len() > MAX_GOROUTINES {
                self.0.pop_last();
            }
        }
    }

    /// What to look for the other half by; `None` when too little is known.
    pub(crate) fn key(mut self, side: JoinSide, report: &Report) -> Option<JoinKey> {
        let at_fault = report.verdict.goroutine?;
        let goroutine = report.goroutines.iter().find(|goroutine| goroutine.id == at_fault)?;
        let fault = digest(goroutine)?;
        self.0.insert(at_fault, fault.clone());
        Some(JoinKey { side, fault: format!("{at_fault}:{fault}"), goroutines: self.0 })
    }
}

/// Functions and lines of the program, and where it was started: what text tells at any level.
fn digest(goroutine: &Goroutine) -> Option<String> {
    let mut hash = Sha256::new();
    let frames = goroutine.frames.iter().filter(|frame| frame.kind == FrameKind::Go).take(MAX_FRAMES);
    let mut any = false;
    for frame in frames {
        any = true;
        hash.update(format!("{} {}\n", frame.function, frame.line.unwrap_or_default()));
    }
    if let Some(created_by) = &goroutine.created_by {
        hash.update(format!("by {} {}\n", created_by.function, created_by.line.unwrap_or_default()));
    }
    any.then(|| hex::encode(&hash.finalize()[..8]))
}

/// What the report says of a join.
pub(crate) fn joined(join: &Join) -> Diagnostic {
    let text =
        format!("the core and the text of this crash arrived separately; they agree in: {}", join.reason);
    Diagnostic::info(Stage::Service, text).about(format!("crash {}", join.joined))
}
