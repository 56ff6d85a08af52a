//! The lines of one report, as they come.

use std::sync::Arc;

use memchr::memmem;

use super::{RaceAccess, RaceFrame, RaceGoroutine, RaceReport};
use crate::scan::{decimal, hex, lossy};

/// Frames kept of one stack.
const MAX_FRAMES: usize = 1000;
/// Accesses and goroutines kept of one report; the detector prints two to four.
const MAX_PARTS: usize = 64;
/// Other lines inside a report before it counts as cut.
const MAX_NOISE: u32 = 64;

/// The line that begins a report.
const BEGIN: &[u8] = b"WARNING: DATA RACE";

/// Which stack frames go to.
#[derive(Clone, Copy, Default)]
enum Target {
    #[default]
    Nothing,
    Access,
    Goroutine,
}

/// Reads reports line by line.
#[derive(Default)]
pub(crate) struct Machine {
    open: Option<Box<RaceReport>>,
    target: Target,
    noise: u32,
}

/// What became of a line.
pub(crate) enum Taken {
    /// It belongs to the report.
    Yes,
    /// It ends the report.
    End(Box<RaceReport>),
    /// It is nothing of a report.
    No,
}

impl Machine {
    /// Whether a line begins a report.
    pub(crate) fn begins(line: &[u8]) -> bool {
        line == BEGIN
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Begins a report. Answers the one that was open, which has no end.
    pub(crate) fn begin(&mut self, text_line: u64) -> Option<Box<RaceReport>> {
        self.target = Target::Nothing;
        self.noise = 0;
        self.open.replace(Box::new(RaceReport { text_line, truncated: true, ..RaceReport::default() }))
    }

    /// Ends what is open, without its end.
    pub(crate) fn cut(&mut self) -> Option<Box<RaceReport>> {
        self.open.take()
    }

    /// Takes a line while a report is open.
    pub(crate) fn line(&mut self, line: &[u8], text_line: u64) -> Taken {
        let Some(report) = &mut self.open else { return Taken::No };
        if line.starts_with(b"==================") {
            report.truncated = false;
            return self.open.take().map_or(Taken::No, Taken::End);
        }
        if line.is_empty() {
            self.target = Target::Nothing;
        } else if line.starts_with(b"  ") {
            let frames = match self.target {
                Target::Nothing => return Taken::Yes,
                Target::Access => report.accesses.last_mut().map(|a| &mut a.frames),
                Target::Goroutine => report.goroutines.last_mut().map(|g| &mut g.created_at),
            };
            if let Some(frames) = frames {
                frame(line, text_line, frames);
            }
        } else if let Some(access) = access(line, text_line).filter(|_| report.accesses.len() < MAX_PARTS) {
            report.accesses.push(access);
            self.target = Target::Access;
        } else if let Some(goroutine) =
            goroutine(line, text_line).filter(|_| report.goroutines.len() < MAX_PARTS)
        {
            report.goroutines.push(goroutine);
            self.target = Target::Goroutine;
        } else {
            // Another line that was printed in between; one that ends in a colon is a part that is not
            // known here, whose frames belong to nobody.
            if line.ends_with(b":") {
                self.target = Target::Nothing;
            }
            self.noise += 1;
            if self.noise > MAX_NOISE {
                return self.open.take().map_or(Taken::No, Taken::End);
            }
            return Taken::No;
        }
        Taken::Yes
    }
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
