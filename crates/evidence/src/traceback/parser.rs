//! The machine that reads lines and says what they make.

mod crash;

use std::collections::VecDeque;

use panicle_report::{Diagnostic, Severity, Stage};

use super::carrier::{self, Carrier, json, prefix, quoted, shape::Shape};
use super::event::{Event, Sink};
use super::headline;
use super::held::Held;
use super::intern::Interner;
use super::message::{End, Message};
use super::model::{GodebugLine, HeadlineKind, Registers, SignalLine};
use super::stack::Stack;
use super::{Limits, godebug, header};
use crate::race::{Machine, Taken};

/// Other lines between two goroutines of one dump, such as logs of another process that writes to
/// the same place. After more than these a header begins a new dump.
const MAX_NOISE: u32 = 8;
/// Lines of a message before a stack must have begun.
const MAX_MESSAGE_LINES: usize = 1000;
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
    after_dashes: bool,
    exited: bool,
}

/// What the next lines may belong to.
enum Open {
    Nothing,
    Message(Message),
    Signal(SignalLine, u64),
    Stack(Stack),
    Registers(Registers),
}

/// Reads a text piece by piece and hands out [`Event`]s; keeps no more than one stack (and, after
/// a panic, what could still turn out to be the panic's message).
pub struct Parser<S: Sink> {
    sink: S,
    limits: Limits,
    interner: Interner,
    carry: Vec<u8>,
    /// The rest of a line that is too long.
    skipping: bool,
    scratch: Vec<u8>,
    line_no: u64,
    /// Counts lines as the runtime printed them: a record can hold many.
    printed: u64,
    carrier: Carrier,
    /// Records in records that are open.
    depth: u32,
    /// The beginning of a line that its carrier wrote in parts.
    part: Vec<u8>,
    /// Lines that meant nothing, the last ones: what stands before a prefix is learned.
    recent: VecDeque<(u64, Vec<u8>)>,
    /// A prefix before a goroutine's header, if the next line has it too.
    guess: Option<(u64, Shape)>,
    crash: Option<Crash>,
    open: Open,
    held: Option<Held>,
    race: Machine,
    /// The line before could be the name of a signal.
    signal: Option<(SignalLine, u64, u64)>,
    preface: Vec<(u64, String)>,
    blank_before: bool,
    call_before: bool,
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
            carry: Vec::new(),
            skipping: false,
            scratch: Vec::new(),
            line_no: 0,
            printed: 0,
            carrier: Carrier::default(),
            depth: 0,
            part: Vec::new(),
            recent: VecDeque::new(),
            guess: None,
            crash: None,
            open: Open::Nothing,
            held: None,
            race: Machine::default(),
            signal: None,
            preface: Vec::new(),
            blank_before: false,
            call_before: false,
            orphans: 0,
            long_lines: 0,
            diagnostics: Vec::new(),
        }
    }

    /// Any number of bytes; lines may be cut anywhere.
    pub fn push(&mut self, mut bytes: &[u8]) {
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
            self.scratch = scratch;
        } else {
            self.carried(line);
        }
    }

    /// A line as it is in the text.
    fn carried(&mut self, line: &[u8]) {
        let (bare, partial) = self.carrier.strip(line);
        if partial || !self.part.is_empty() {
            let room = self.limits.record.saturating_sub(self.part.len());
            self.part.extend_from_slice(&bare[..bare.len().min(room)]);
            if !partial {
                let whole = std::mem::take(&mut self.part);
                self.unpacked(&whole);
            }
            return;
        }
        self.unpacked(bare);
    }

    /// A line without its prefix.
    fn unpacked(&mut self, line: &[u8]) {
        if self.carrier.knows_records() && line.first() == Some(&b'{') && self.record(line) {
            return;
        }
        if line.len() > self.limits.line {
            self.long_lines += 1;
            return self.plain(&line[..self.limits.line]);
        }
        self.plain(line);
    }

    /// Reads what a JSON record holds; false when it is none, or holds nothing.
    fn record(&mut self, line: &[u8]) -> bool {
        if self.depth >= carrier::MAX_DEPTH {
            return false;
        }
        let texts = self.carrier.record(line);
        for text in &texts {
            self.text(text);
        }
        !texts.is_empty()
    }

    /// Reads a text that a line holds.
    fn text(&mut self, text: &[u8]) {
        self.depth += 1;
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        for line in text.split(|&b| b == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            self.unpacked(line);
        }
        self.depth -= 1;
    }

    /// A line as the runtime printed it.
    fn plain(&mut self, line: &[u8]) {
        if let Some(kind) = godebug::kind(line) {
            self.sink.event(Event::Godebug(GodebugLine {
                text_line: self.line_no,
                kind,
                text: crate::scan::lossy(line),
            }));
            return;
        }
        self.printed += 1;
        if self.race.is_open() && self.race_line(line) {
            return;
        }
        if let Some(held) = &mut self.held
            && !held.record(line, self.limits.message)
        {
            self.release();
        }
        if let (Open::Stack(stack), Some(crash)) = (&mut self.open, &mut self.crash)
            && stack.line(line, self.line_no, &self.limits, &mut self.interner)
        {
            if !line.is_empty() {
                crash.last_line = self.line_no;
                crash.noise = 0;
                self.preface.clear();
            }
        } else {
            self.other(line);
        }
        self.blank_before = line.is_empty();
    }

    /// A line while a race report is open; true when it was taken.
    fn race_line(&mut self, line: &[u8]) -> bool {
        match self.race.line(line, self.line_no) {
            Taken::Yes => true,
            Taken::End(report) => {
                let ended = !report.truncated;
                self.sink.event(Event::Race(report));
                ended
            }
            Taken::No => false,
        }
    }

    /// A line that is not one of the open stack.
    fn other(&mut self, line: &[u8]) {
        let signal_before = self.signal.take();
        if let Some((mut signal, at, printed)) = signal_before
            && printed + 1 == self.printed
            && headline::signal_pc(line, &mut signal)
        {
            // Its name was read as part of a message, if one is open.
            self.close(End::Unknown);
            self.headline_crash(at, true);
            self.touch();
            self.open = Open::Signal(signal, at);
            return;
        }
        match &mut self.open {
            Open::Signal(signal, _) => {
                if line == b"signal arrived during cgo execution" {
                    signal.in_cgo = true;
                    return self.touch();
                }
                if let Some(bytes) = headline::instruction_bytes(line) {
                    signal.instruction_bytes = bytes;
                    return self.touch();
                }
                if line.is_empty() {
                    return;
                }
            }
            Open::Registers(registers) => {
                let taken = headline::registers(line, &mut registers.values);
                if taken {
                    return self.touch();
                }
            }
            _ => {}
        }
        if line.is_empty() && !matches!(self.open, Open::Message(_)) {
            return;
        }
        if !self.recognised(line) {
            self.unknown(line);
        }
    }

    /// Lines that mean something wherever they stand.
    fn recognised(&mut self, line: &[u8]) -> bool {
        match line.first() {
            Some(b'g') => {
                let Some(header) = header::parse(line) else { return false };
                self.close(End::Known);
                self.goroutine_crash(header.id);
                let section = self.touched_section();
                if let Some(held) = &mut self.held {
                    held.mark(line, self.blank_before);
                }
                self.open = Open::Stack(Stack::goroutine(header, section, self.line_no, &mut self.interner));
                true
            }
            Some(b'p' | b'f' | b'\t') => self.message(line),
            Some(b'W') if Machine::begins(line) => {
                if let Some(cut) = self.race.begin(self.line_no) {
                    self.sink.event(Event::Race(cut));
                }
                true
            }
            Some(b'[') => {
                let Some(signal) = headline::panic_signal(line) else { return false };
                self.close(End::Known);
                self.ensure(self.line_no);
                self.touch();
                self.headline(self.line_no, HeadlineKind::PanicSignal(signal));
                true
            }
            Some(b'P') => {
                // The name of the signal is above the beginning of the text.
                let mut signal = SignalLine::default();
                if self.line_no > 1 || !headline::signal_pc(line, &mut signal) {
                    return false;
                }
                self.ensure(self.line_no);
                self.touch();
                self.open = Open::Signal(signal, self.line_no);
                true
            }
            Some(b'r') if line == b"runtime stack:" => {
                self.close(End::Known);
                self.ensure(self.line_no);
                let section = self.touched_section();
                self.open = Open::Stack(Stack::runtime(section, self.line_no));
                true
            }
            Some(b'-') if line == b"-----" => {
                let Some(section) = self.crash.as_mut().filter(|c| c.has_stacks || c.section > 0).map(|c| {
                    c.section += 1;
                    c.after_dashes = true;
                    c.section
                }) else {
                    return false;
                };
                self.close(End::Known);
                self.release();
                self.touch();
                self.sink.event(Event::Section { section });
                true
            }
            Some(b'e' | b's') => {
                let Some(exit) = headline::exit(line, self.line_no) else { return false };
                if self.crash.as_ref().is_none_or(|c| c.exited) {
                    return false;
                }
                self.close(End::Known);
                self.release();
                self.touch();
                if let Some(crash) = &mut self.crash {
                    crash.exited = true;
                }
                self.sink.event(Event::Exit(exit));
                true
            }
            _ => false,
        }
    }

    /// `panic: …` and `fatal error: …`, indented or not.
    fn message(&mut self, line: &[u8]) -> bool {
        let chained = match &self.open {
            Open::Message(m) => !m.is_fatal(),
            _ => self.crash.as_ref().is_some_and(|c| c.chained && !c.has_stacks),
        };
        let Some(message) = Message::begin(line, self.line_no, chained) else { return false };
        if message.is_fatal()
            && message.is_racing()
            && matches!(&self.open, Open::Stack(s) if s.is_open())
            && self.crash.as_ref().is_some_and(|c| c.section == 0)
        {
            // A second thread noticed the same race while the first prints its stack: up to Go
            // 1.23 nothing orders their headlines (golang/go#69447).
            self.touch();
            for kind in message.finish(End::Known).kinds {
                self.headline(self.line_no, kind);
            }
            return true;
        }
        self.close(End::Known);
        self.headline_crash(self.line_no, false);
        self.touch();
        if !message.is_fatal() {
            self.held.get_or_insert_default().restart();
        }
        self.open = Open::Message(message);
        true
    }

    /// A line that is nothing in itself.
    fn unknown(&mut self, line: &[u8]) {
        if let Open::Message(message) = &mut self.open {
            if !headline::note(line) {
                self.signal = headline::signal(line).map(|s| (s, self.line_no, self.printed));
                message.push(line, self.limits.message);
                if message.line_count() > MAX_MESSAGE_LINES {
                    self.end();
                }
                return;
            }
            self.close(End::Known);
        }
        if self.carries(line) {
            return;
        }
        if headline::note(line) {
            match &self.crash {
                Some(c) if !c.has_stacks || line.starts_with(b"panic during panic") => {
                    self.touch();
                    self.headline(self.line_no, HeadlineKind::Note(crate::scan::lossy(line)));
                }
                _ => self.keep_preface(line),
            }
            return;
        }
        if let Some(signal) = headline::signal(line) {
            self.signal = Some((signal, self.line_no, self.printed));
            return;
        }
        if !self.preface.is_empty() && headline::note_continues(line) {
            return self.keep_preface(line);
        }
        self.preface.clear();
        if let Some(kind) = headline::http_panic(line) {
            self.end();
            self.ensure(self.line_no);
            self.headline(self.line_no, kind);
            return;
        }
        let Some(crash) = &mut self.crash else {
            let orphan = self.call_before && super::frame::location(line).is_some();
            self.orphans += u64::from(orphan);
            self.call_before = super::frame::call(line).is_some();
            return;
        };
        if crash.has_stacks || crash.after_dashes {
            let mut values = Vec::new();
            if headline::registers(line, &mut values) {
                self.close(End::Known);
                let section = self.touched_section();
                self.open = Open::Registers(Registers { section, text_line: self.line_no, values });
                return;
            }
        }
        crash.noise = crash.noise.saturating_add(1);
    }

    /// Whether a line hides something of the runtime's; then how it is carried is known from here on, and it
    /// was read.
    fn carries(&mut self, line: &[u8]) -> bool {
        if self.depth >= carrier::MAX_DEPTH {
            return false;
        }
        if let Some((printed, shape)) = self.guess.take()
            && printed + 1 == self.printed
            && shape.strip(line).is_some_and(|rest| super::frame::call(rest).is_some())
        {
            self.learn(shape, line);
            return true;
        }
        if !self.carrier.prefixed {
            let (bare, partial) = prefix::strip(line);
            if bare.len() < line.len() {
                if headline::begins_crash(bare) {
                    self.carrier.prefixed = true;
                    if !self.recognised(bare) {
                        self.unknown(bare);
                    }
                    return true;
                }
                let hides = if json::is_object(bare) {
                    !self.carrier.record(bare).is_empty()
                } else {
                    partial && carrier::begins(bare)
                };
                if hides {
                    self.carrier.prefixed = true;
                    self.carried(line);
                    return true;
                }
            }
        }
        if json::is_object(line) && self.record(line) {
            return true;
        }
        let texts = quoted::texts(line);
        if !texts.is_empty() {
            for text in &texts {
                self.text(text);
            }
            return true;
        }
        if self.carrier.shape.is_none() && self.depth == 0 {
            if let Some(at) = carrier::header_within(line) {
                self.guess = Some((self.printed, Shape::of(&line[..at])));
            }
            let oldest = if self.recent.len() < MAX_RECENT { None } else { self.recent.pop_front() };
            let mut kept = oldest.map(|(_, line)| line).unwrap_or_default();
            kept.clear();
            kept.extend_from_slice(&line[..line.len().min(MAX_RECENT_BYTES)]);
            self.recent.push_back((self.line_no, kept));
        }
        false
    }

    /// A prefix is known from here on: lines that had it and meant nothing are read again, and the one at hand.
    fn learn(&mut self, shape: Shape, line: &[u8]) {
        let now = self.line_no;
        let last = self.crash.as_ref().map_or(0, |c| c.last_line);
        let recent = std::mem::take(&mut self.recent);
        for (at, line) in recent.iter().filter(|(at, _)| *at > last) {
            if let Some(bare) = shape.strip(line) {
                self.line_no = *at;
                self.plain(bare);
            }
        }
        self.line_no = now;
        if let Some(bare) = shape.strip(line) {
            self.plain(bare);
        }
        self.carrier.shape = Some(shape);
    }

    fn keep_preface(&mut self, line: &[u8]) {
        if self.preface.len() < MAX_PREFACE {
            self.preface.push((self.line_no, crate::scan::lossy(line)));
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
        let cut_line = !self.carry.is_empty();
        if cut_line {
            let last = std::mem::take(&mut self.carry);
            self.line(&last);
        }
        if let Open::Stack(stack) = &mut self.open
            && stack.is_open()
        {
            stack.cut();
        }
        self.end();
        if let Some(cut) = self.race.cut() {
            self.sink.event(Event::Race(cut));
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
