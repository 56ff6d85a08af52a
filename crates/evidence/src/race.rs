//! Reports of the race detector: blocks that begin with `WARNING: DATA RACE`.
//!
//! The printer is ThreadSanitizer's (`PrintReport` for Go in tsan_report.cpp); the runtime only
//! names functions for it. Stacks have no arguments, and a map's address is that of its header.

use std::sync::Arc;

use memchr::memmem;
use panicle_report::{Diagnostic, Severity, Stage};

use crate::scan::{decimal, hex, lossy};

/// Reports kept of one text.
const MAX_REPORTS: usize = 10_000;
/// Frames kept of one stack.
const MAX_FRAMES: usize = 1000;
/// Accesses and goroutines kept of one report; the detector prints two to four.
const MAX_PARTS: usize = 64;

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

/// Which stack frames go to.
enum Target {
    Nothing,
    Access,
    Goroutine,
}

/// Every race report in a text, in order.
pub fn parse(text: &[u8]) -> (Vec<RaceReport>, Vec<Diagnostic>) {
    let mut reports: Vec<RaceReport> = Vec::new();
    let mut open = false;
    let mut target = Target::Nothing;
    let mut dropped = 0u64;
    for (number, line) in text.split(|&b| b == b'\n').enumerate() {
        let text_line = number as u64 + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if memmem::find(line, b"WARNING: DATA RACE").is_some() {
            open = reports.len() < MAX_REPORTS;
            target = Target::Nothing;
            if open {
                reports.push(RaceReport { text_line, truncated: true, ..RaceReport::default() });
            } else {
                dropped += 1;
            }
            continue;
        }
        let Some(report) = reports.last_mut().filter(|_| open) else { continue };
        if line.starts_with(b"==================") {
            report.truncated = false;
            open = false;
        } else if line.is_empty() {
            target = Target::Nothing;
        } else if line.starts_with(b"  ") {
            let frames = match target {
                Target::Nothing => continue,
                Target::Access => report.accesses.last_mut().map(|a| &mut a.frames),
                Target::Goroutine => report.goroutines.last_mut().map(|g| &mut g.created_at),
            };
            if let Some(frames) = frames {
                frame(line, text_line, frames);
            }
        } else if let Some(access) = access(line, text_line).filter(|_| report.accesses.len() < MAX_PARTS) {
            report.accesses.push(access);
            target = Target::Access;
        } else if let Some(goroutine) =
            goroutine(line, text_line).filter(|_| report.goroutines.len() < MAX_PARTS)
        {
            report.goroutines.push(goroutine);
            target = Target::Goroutine;
        } else {
            target = Target::Nothing;
        }
    }
    let mut diagnostics = Vec::new();
    if dropped > 0 {
        diagnostics.push(Diagnostic::warning(
            Stage::Evidence,
            format!("{dropped} race reports are not kept, past the limit of {MAX_REPORTS}"),
        ));
    }
    for report in reports.iter().filter(|r| r.truncated).take(1) {
        diagnostics.push(Diagnostic {
            stage: Stage::Evidence,
            severity: Severity::Warning,
            text: "a race report has no end: the text is cut".to_owned(),
            reference: Some(format!("line {}", report.text_line)),
        });
    }
    (reports, diagnostics)
}

/// `Previous write at 0x00c000094028 by goroutine 7:`
fn access(line: &[u8], text_line: u64) -> Option<RaceAccess> {
    let text = line.strip_suffix(b":")?;
    let at = memmem::find(text, b" at 0x")?;
    let by = memmem::find(text, b" by ")?;
    let kind = lossy(&text[..at]).to_ascii_lowercase();
    let write = kind.contains("write");
    if !write && !kind.contains("read") {
        return None;
    }
    let who = &text[by + 4..];
    let goroutine = who.strip_prefix(b"goroutine ").and_then(decimal);
    Some(RaceAccess {
        text_line,
        write,
        atomic: kind.contains("atomic"),
        previous: kind.starts_with("previous"),
        address: hex(text.get(at + 4..by)?)?,
        goroutine,
        main: who == b"main goroutine",
        frames: Vec::new(),
    })
}

/// `Goroutine 7 (running) created at:`
fn goroutine(line: &[u8], text_line: u64) -> Option<RaceGoroutine> {
    let rest = line.strip_prefix(b"Goroutine ")?;
    let space = memchr::memchr(b' ', rest)?;
    let id = decimal(&rest[..space])?;
    let rest = &rest[space + 1..];
    rest.ends_with(b" created at:").then(|| RaceGoroutine {
        text_line,
        id,
        finished: rest.starts_with(b"(finished)"),
        created_at: Vec::new(),
    })
}

/// `  main.f()` or `      /src/main.go:12 +0x44`.
fn frame(line: &[u8], text_line: u64, frames: &mut Vec<RaceFrame>) {
    if let Some(location) = line.strip_prefix(b"      ") {
        let Some(last) = frames.last_mut().filter(|f| f.file.is_none()) else { return };
        let mut rest = location;
        if let Some(at) = memmem::rfind(rest, b" +0x") {
            last.entry_offset = hex(&rest[at + 2..]);
            rest = &rest[..at];
        }
        if let Some(colon) = memchr::memrchr(b':', rest) {
            last.line = decimal(&rest[colon + 1..]).and_then(|n| u32::try_from(n).ok());
            rest = &rest[..colon];
        }
        last.file = Some(Arc::from(lossy(rest)));
    } else if let Some(name) = line.strip_prefix(b"  ").and_then(|n| n.strip_suffix(b"()"))
        && frames.len() < MAX_FRAMES
    {
        frames.push(RaceFrame { text_line, function: Arc::from(lossy(name)), ..RaceFrame::default() });
    }
}
