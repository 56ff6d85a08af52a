//! Lines as the runtime prints them, and what they make.

use super::{Open, Parser};
use crate::race::{Machine, Taken};
use crate::traceback::event::{Event, Sink};
use crate::traceback::message::{End, Message};
use crate::traceback::model::{GodebugLine, HeadlineKind, Registers, SignalLine};
use crate::traceback::stack::Stack;
use crate::traceback::{godebug, header, headline};

impl<S: Sink> Parser<S> {
    /// A line as the runtime printed it.
    pub(super) fn plain(&mut self, line: &[u8]) {
        if let Some(kind) = godebug::kind(line) {
            self.sink.event(Event::Godebug(GodebugLine {
                text_line: self.line_no,
                kind,
                text: crate::scan::lossy(line),
            }));
            return;
        }
        self.at.printed += 1;
        if self.at.race.is_open() && self.race_line(line) {
            return;
        }
        if let Some(held) = &mut self.at.held
            && !held.record(line, self.limits.message)
        {
            self.release();
        }
        if let (Open::Stack(stack), Some(crash)) = (&mut self.at.open, &mut self.at.crash)
            && stack.line(line, self.line_no, &self.limits, &mut self.interner)
        {
            if !line.is_empty() {
                crash.last_line = self.line_no;
                crash.noise = 0;
                self.at.preface.clear();
            }
        } else {
            self.other(line);
        }
        self.at.blank_before = line.is_empty();
    }

    /// A line while a race report is open; true when it was taken.
    fn race_line(&mut self, line: &[u8]) -> bool {
        match self.at.race.line(line, self.line_no) {
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
        let signal_before = self.at.signal.take();
        if let Some((mut signal, at, printed)) = signal_before
            && printed + 1 == self.at.printed
            && headline::signal_pc(line, &mut signal)
        {
            // Its name was read as part of a message, if one is open.
            self.close(End::Unknown);
            self.headline_crash(at, true);
            self.touch();
            self.at.open = Open::Signal(signal, at);
            return;
        }
        match &mut self.at.open {
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
        if line.is_empty() && !matches!(self.at.open, Open::Message(_)) {
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
                if header.status != b"running" || !self.at.blank_before {
                    self.give_up_message();
                }
                self.close(End::Known);
                self.goroutine_crash(header.id);
                let section = self.touched_section();
                if let Some(held) = &mut self.at.held {
                    held.mark(line, self.at.blank_before);
                }
                self.at.open =
                    Open::Stack(Stack::goroutine(header, section, self.line_no, &mut self.interner));
                true
            }
            Some(b'p' | b'f' | b'\t') => self.message(line),
            Some(b'W') if Machine::begins(line) => {
                if let Some(cut) = self.at.race.begin(self.line_no) {
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
                self.at.open = Open::Signal(signal, self.line_no);
                true
            }
            Some(b'r') if line == b"runtime stack:" => {
                self.close(End::Known);
                self.ensure(self.line_no);
                let section = self.touched_section();
                self.at.open = Open::Stack(Stack::runtime(section, self.line_no));
                true
            }
            Some(b'-') if line == b"-----" => {
                let Some(section) =
                    self.at.crash.as_mut().filter(|c| c.has_stacks || c.section > 0).map(|c| {
                        c.section += 1;
                        c.after_dashes = true;
                        c.section
                    })
                else {
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
                if self.at.crash.as_ref().is_none_or(|c| c.exited) {
                    return false;
                }
                if let Open::Message(message) = &mut self.at.open {
                    // What a command said that the program ran, or the end of a process that prints no stacks: what
                    // comes next tells.
                    message.ends_perhaps(line, exit, self.limits.message);
                    return true;
                }
                self.close(End::Known);
                self.release();
                self.touch();
                if let Some(crash) = &mut self.at.crash {
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
        let chained = match &self.at.open {
            Open::Message(m) => !m.is_fatal(),
            _ => self.at.crash.as_ref().is_some_and(|c| c.chained && !c.has_stacks),
        };
        let Some(message) = Message::begin(line, self.line_no, chained) else { return false };
        self.give_up_message();
        if matches!(&self.at.open, Open::Message(before) if before.is_followed_by_another(&message)) {
            // A log's line that only looks like a panic, or the end of one that died before it had a stack.
            self.end();
        }
        if message.is_fatal()
            && message.is_racing()
            && matches!(&self.at.open, Open::Stack(s) if s.is_open())
            && self.at.crash.as_ref().is_some_and(|c| c.section == 0 && c.racing)
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
            self.at.held.get_or_insert_default().restart();
        }
        self.at.open = Open::Message(message);
        true
    }

    /// What begins now is another crash's, if the open message has gone on for so long that it may be none: then
    /// the message ends with what is certainly its own. A stack of the goroutine that panicked is waited for.
    fn give_up_message(&mut self) {
        if matches!(&self.at.open, Open::Message(message) if message.may_be_lost()) {
            self.end();
        }
    }

    /// A line that is nothing in itself.
    pub(super) fn unknown(&mut self, line: &[u8]) {
        if let Open::Message(message) = &mut self.at.open {
            if !headline::note(line) {
                let lost = message.may_be_lost();
                if lost && self.carries(line) {
                    return;
                }
                self.at.signal = headline::signal(line).map(|s| (s, self.line_no, self.at.printed));
                if let Open::Message(message) = &mut self.at.open {
                    message.push(line, self.limits.message);
                    if message.is_hopeless() {
                        self.end();
                    }
                }
                return;
            }
            self.close(End::Known);
        }
        if self.carries(line) {
            return;
        }
        if headline::note(line) {
            match &self.at.crash {
                Some(c) if !c.has_stacks || line.starts_with(b"panic during panic") => {
                    self.touch();
                    self.headline(self.line_no, HeadlineKind::Note(crate::scan::lossy(line)));
                }
                _ => self.keep_preface(line),
            }
            return;
        }
        if let Some(signal) = headline::signal(line) {
            self.at.signal = Some((signal, self.line_no, self.at.printed));
            return;
        }
        if !self.at.preface.is_empty() && headline::note_continues(line) {
            return self.keep_preface(line);
        }
        self.at.preface.clear();
        if let Some(kind) = headline::http_panic(line) {
            self.end();
            self.ensure(self.line_no);
            self.headline(self.line_no, kind);
            return;
        }
        let Some(crash) = &mut self.at.crash else {
            let orphan = self.at.call_before && crate::traceback::frame::location(line).is_some();
            self.orphans += u64::from(orphan);
            self.at.call_before = crate::traceback::frame::call(line).is_some();
            return;
        };
        if crash.has_stacks || crash.after_dashes {
            let mut values = Vec::new();
            if headline::registers(line, &mut values) {
                self.close(End::Known);
                let section = self.touched_section();
                self.at.open = Open::Registers(Registers { section, text_line: self.line_no, values });
                return;
            }
        }
        crash.noise = crash.noise.saturating_add(1);
    }
}
