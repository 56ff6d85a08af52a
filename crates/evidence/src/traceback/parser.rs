//! The machine that reads lines and says what they make.

mod carried;
mod crash;
mod lines;
mod sources;

use std::collections::VecDeque;

use panicle_report::{Diagnostic, Severity, Stage};

use super::Limits;
use super::carrier::{Carrier, origin::Origin, prefix, shape::Shape};
use super::encoding::Encoding;
use super::event::{Event, Sink};
use super::held::Held;
use super::intern::Interner;
use super::message::Message;
use super::model::{Registers, SignalLine};
use super::stack::Stack;
use crate::race::Machine;

/// Other lines between two goroutines of one dump, such as logs of another process that writes to
/// the same place. After more than these a header begins a new dump.
const MAX_NOISE: u32 = 8;
/// Notes kept before a headline.
const MAX_PREFACE: usize = 64;
/// Diagnostics kept.
const MAX_DIAGNOSTICS: usize = 100;
/// Lines that meant nothing which are read again when their prefix is learned, and bytes of each.
const MAX_RECENT: usize = 64;
const MAX_RECENT_BYTES: usize = 2048;

/// The crash being read.
#[expect(clippy::struct_excessive_bools, reason = "each says something else about what was printed")]
struct Crash {
    last_line: u64,
    section: u32,
    /// Lines that are not the runtime's since the last one that was.
    noise: u32,
    first_goroutine: Option<u64>,
    has_stacks: bool,
    /// The last headline was a panic: an indented one continues its chain.
    chained: bool,
    /// The last headline was one that two threads can print at once.
    racing: bool,
    after_dashes: bool,
    exited: bool,
}

/// What the next lines may belong to.
#[derive(Default)]
enum Open {
    #[default]
    Nothing,
    Message(Message),
    Signal(SignalLine, u64),
    Stack(Stack),
    Registers(Registers),
}

/// What is under way in one source of lines.
#[derive(Default)]
struct State {
    crash: Option<Crash>,
    open: Open,
    held: Option<Held>,
    race: Machine,
    /// The line before could be the name of a signal.
    signal: Option<(SignalLine, u64, u64)>,
    preface: Vec<(u64, String)>,
    blank_before: bool,
    call_before: bool,
    /// Counts lines as the runtime printed them: a record can hold many.
    printed: u64,
    /// The beginning of a line that its carrier wrote in parts.
    part: Vec<u8>,
}

/// Reads a text piece by piece and hands out [`Event`](super::Event)s; keeps no more than one stack of each source of lines
/// (and, after a panic, what could still turn out to be the panic's message).
pub struct Parser<S: Sink> {
    sink: S,
    limits: Limits,
    interner: Interner,
    encoding: Encoding,
    carry: Vec<u8>,
    /// The rest of a line that is too long.
    skipping: bool,
    scratch: Vec<u8>,
    line_no: u64,
    carrier: Carrier,
    /// Records in records that are open.
    depth: u32,
    /// A record in parts, before it is known that lines have prefixes.
    unjoined: Vec<u8>,
    /// Lines that meant nothing, the last ones: what stands before a prefix is learned.
    recent: VecDeque<(u64, Vec<u8>)>,
    /// A prefix before a goroutine's header, if one of the next lines has it too.
    guess: Option<(u64, Shape)>,
    /// A prefix before a line that GODEBUG asked for, if another one has it too.
    godebug_guess: Option<Shape>,
    /// Who wrote the lines that [`Self::at`] is about.
    source: u64,
    /// Who wrote the line at hand, as far as was read of it.
    line_source: u64,
    at: State,
    /// The other sources, the one that was left last at the end.
    parked: Vec<(u64, State)>,
    /// A crash began in the line at hand.
    begun: bool,
    /// It was said that there are more of them than are followed.
    crowded: bool,
    orphans: u64,
    long_lines: u64,
    diagnostics: Vec<Diagnostic>,
}

impl<S: Sink> Parser<S> {
    /// A parser with the default limits.
    pub fn new(sink: S) -> Self {
        Self::with_limits(sink, Limits::default())
    }

    /// A parser with limits of one's own.
    pub fn with_limits(sink: S, limits: Limits) -> Self {
        Self {
            sink,
            limits,
            interner: Interner::new(),
            encoding: Encoding::default(),
            carry: Vec::new(),
            skipping: false,
            scratch: Vec::new(),
            line_no: 0,
            carrier: Carrier::default(),
            depth: 0,
            unjoined: Vec::new(),
            recent: VecDeque::new(),
            guess: None,
            godebug_guess: None,
            source: 0,
            line_source: 0,
            at: State::default(),
            parked: Vec::new(),
            begun: false,
            crowded: false,
            orphans: 0,
            long_lines: 0,
            diagnostics: Vec::new(),
        }
    }

    /// Any number of bytes; lines may be cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.encoding.is_bytes() {
            return self.pieces(bytes);
        }
        let mut encoding = std::mem::take(&mut self.encoding);
        encoding.decode(bytes, |piece| self.pieces(piece));
        self.encoding = encoding;
    }

    fn pieces(&mut self, mut bytes: &[u8]) {
        while let Some(at) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = (&bytes[..at], &bytes[at + 1..]);
            bytes = rest;
            if self.carry.is_empty() && !self.skipping {
                self.line(line);
            } else {
                self.keep(line);
                let whole = std::mem::take(&mut self.carry);
                self.skipping = false;
                self.line(&whole);
                self.carry = whole;
                self.carry.clear();
            }
        }
        if !bytes.is_empty() {
            self.keep(bytes);
        }
    }

    fn keep(&mut self, part: &[u8]) {
        // One byte over the limit is kept, so that `line` sees and counts the excess.
        let room = (self.limits.record + 1).saturating_sub(self.carry.len());
        self.carry.extend_from_slice(&part[..part.len().min(room)]);
        self.skipping = true;
    }

    /// One line without its line feed.
    pub fn line(&mut self, line: &[u8]) {
        self.line_no += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // A byte order mark, which editors and shells of Windows write.
        let line = if self.line_no == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let line = if line.len() > self.limits.record {
            self.long_lines += 1;
            &line[..self.limits.record]
        } else {
            line
        };
        if memchr::memchr(0x1b, line).is_some() {
            let mut scratch = std::mem::take(&mut self.scratch);
            prefix::without_escapes(line, &mut scratch);
            self.carried(&scratch);
            self.origin(&scratch);
            self.scratch = scratch;
        } else {
            self.carried(line);
            self.origin(line);
        }
    }

    /// Says where the crash comes from that began in a line, if one did.
    fn origin(&mut self, line: &[u8]) {
        if !std::mem::take(&mut self.begun) {
            return;
        }
        let origin = Origin::of(line);
        if origin != Origin::default() {
            self.sink.event(Event::Origin(Box::new(origin)));
        }
    }

    fn keep_preface(&mut self, line: &[u8]) {
        if self.at.preface.len() < MAX_PREFACE {
            self.at.preface.push((self.line_no, crate::scan::lossy(line)));
        }
    }

    fn diagnose(&mut self, severity: Severity, text: impl Into<String>, line: Option<u64>) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(Diagnostic {
                stage: Stage::Evidence,
                severity,
                text: text.into(),
                reference: line.map(|l| format!("line {l}")),
            });
        }
    }

    /// How many lines there were so far.
    pub fn lines(&self) -> u64 {
        self.line_no
    }

    /// The text ends: hands out what is open and says what was left out.
    pub fn finish(self) -> Vec<Diagnostic> {
        self.finish_with_sink().1
    }

    /// As [`Self::finish`], and gives the sink back.
    pub fn finish_with_sink(mut self) -> (S, Vec<Diagnostic>) {
        let mut encoding = std::mem::take(&mut self.encoding);
        encoding.finish(|piece| self.pieces(piece));
        let cut_line = !self.carry.is_empty();
        if cut_line {
            let last = std::mem::take(&mut self.carry);
            self.line(&last);
        }
        let unjoined = std::mem::take(&mut self.unjoined);
        if !unjoined.is_empty() {
            self.carried(&unjoined);
        }
        self.end_source();
        while let Some((source, state)) = self.parked.pop() {
            self.enter(source, state);
            self.end_source();
        }
        if self.orphans > 0 {
            let text = format!(
                "{} frames stand before the first header: the text begins inside a stack",
                self.orphans
            );
            self.diagnose(Severity::Warning, text, None);
        }
        if self.long_lines > 0 {
            let text = format!(
                "{} lines are longer than {} bytes; only their beginnings were read",
                self.long_lines, self.limits.line
            );
            self.diagnose(Severity::Warning, text, None);
        }
        (self.sink, self.diagnostics)
    }
}
