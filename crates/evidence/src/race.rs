//! Reports of the race detector: blocks that begin with `WARNING: DATA RACE`.
//!
//! The printer is ThreadSanitizer's (`PrintReport` for Go in tsan_report.cpp); the runtime only
//! names functions for it. Stacks have no arguments, and a map's address is that of its header.

mod machine;

use std::{hash::Hasher as _, sync::Arc};

use panicle_report::{Diagnostic, Stage};
use rustc_hash::FxHasher;

use crate::traceback::{Event, Parser};

pub(crate) use machine::{Machine, Taken};

/// Reports kept of one text.
pub(crate) const MAX_REPORTS: usize = 1000;

/// One data race.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RaceReport {
    /// Line of the text where it starts, 1-based.
    pub text_line: u64,
    /// The access that was noticed, then the ones before it.
    pub accesses: Vec<RaceAccess>,
    /// The goroutines named, and where they were made.
    pub goroutines: Vec<RaceGoroutine>,
    /// The text ends before the report does.
    pub truncated: bool,
}

impl RaceReport {
    /// An access was made by the runtime's map functions. Fast paths of maps can be named wrongly
    /// (golang/go#73191).
    pub fn is_map(&self) -> bool {
        self.accesses.iter().filter_map(|a| a.frames.first()).any(|f| f.function.starts_with("runtime.map"))
    }

    /// Equal for reports of the same accesses at the same lines, whichever side was noticed first.
    pub(crate) fn stacks_hash(&self) -> u64 {
        let sides = self.accesses.iter().map(|access| {
            let mut hasher = FxHasher::default();
            hasher.write_u8(u8::from(access.write));
            for frame in &access.frames {
                hasher.write(frame.function.as_bytes());
                hasher.write(frame.file.as_deref().unwrap_or_default().as_bytes());
                hasher.write_u32(frame.line.unwrap_or(0));
            }
            hasher.finish()
        });
        sides.fold(self.accesses.len() as u64, u64::wrapping_add)
    }
}

#[expect(clippy::struct_excessive_bools, reason = "each is a word of its own in the report")]
/// One of the two accesses that race.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RaceAccess {
    /// Line of the text where it starts, 1-based.
    pub text_line: u64,
    /// It wrote.
    pub write: bool,
    /// It was made with sync/atomic.
    pub atomic: bool,
    /// It came before the one that was noticed.
    pub previous: bool,
    /// What was read or written.
    pub address: u64,
    /// Who did; `None` for the main goroutine, which is printed without a number, and for finalizers.
    pub goroutine: Option<u64>,
    /// `main goroutine`
    pub main: bool,
    /// Innermost first; empty when the detector could not restore the stack.
    pub frames: Vec<RaceFrame>,
}

/// A goroutine of a race.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RaceGoroutine {
    /// Line of the text where it starts, 1-based.
    pub text_line: u64,
    /// Number, which is the detector's own and not a `goid`.
    pub id: u64,
    /// `finished` rather than `running`.
    pub finished: bool,
    /// The stack of the `go` statement, innermost first.
    pub created_at: Vec<RaceFrame>,
}

/// A frame as printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RaceFrame {
    /// Line of the text, 1-based.
    pub text_line: u64,
    /// Without parentheses.
    pub function: Arc<str>,
    /// `None` where the text is cut.
    pub file: Option<Arc<str>>,
    /// 1-based line.
    pub line: Option<u32>,
    /// `+0x…`: from the function's entry.
    pub entry_offset: Option<u64>,
}

/// Every race report in a text, in order. The text may be carried as for
/// [`traceback::parse`](crate::traceback::parse).
pub fn parse(text: &[u8]) -> (Vec<RaceReport>, Vec<Diagnostic>) {
    let mut reports: Vec<RaceReport> = Vec::new();
    let mut dropped = 0_u64;
    let mut parser = Parser::new(|event| {
        if let Event::Race(report) = event {
            if reports.len() < MAX_REPORTS {
                reports.push(*report);
            } else {
                dropped += 1;
            }
        }
    });
    parser.push(text);
    parser.finish();
    let diagnostics = diagnose(&reports, dropped);
    (reports, diagnostics)
}

/// What is to be said about reports, of which `dropped` more were found than are kept.
pub(crate) fn diagnose(reports: &[RaceReport], dropped: u64) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if dropped > 0 {
        diagnostics.push(Diagnostic::warning(
            Stage::Evidence,
            format!("{dropped} race reports are not kept, past the limit of {}", reports.len()),
        ));
    }
    if let Some(report) = reports.iter().find(|r| r.truncated) {
        let text = "a race report has no end: the text is cut";
        diagnostics
            .push(Diagnostic::warning(Stage::Evidence, text).about(format!("line {}", report.text_line)));
    }
    diagnostics
}
