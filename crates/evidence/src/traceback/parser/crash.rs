//! Where crashes begin and end, and what is handed out when something is complete.

use panicle_report::Severity;

use super::{Crash, MAX_NOISE, Open, Parser};
use crate::traceback::event::{Event, Sink};
use crate::traceback::message::{self, End, Message};
use crate::traceback::model::{Headline, HeadlineKind};
use crate::traceback::stack::Owner;

impl<S: Sink> Parser<S> {
    /// The crash that a header belongs to.
    pub(super) fn goroutine_crash(&mut self, id: u64) {
        let new = self.at.crash.as_ref().is_some_and(|c| {
            let repeated = c.section == 0 && c.first_goroutine == Some(id) && self.at.held.is_none();
            c.exited || c.noise > MAX_NOISE || repeated
        });
        if new {
            self.end();
        }
        self.ensure(self.line_no);
        if let Some(crash) = &mut self.at.crash {
            crash.has_stacks = true;
            crash.after_dashes = false;
            crash.first_goroutine.get_or_insert(id);
        }
    }

    /// The crash that a headline belongs to: a new one when stacks were printed already, unless
    /// another thread prints its signal after `-----`.
    pub(super) fn headline_crash(&mut self, line: u64, signal: bool) {
        let new =
            self.at.crash.as_ref().is_some_and(|c| c.exited || (c.has_stacks && !(signal && c.after_dashes)));
        if new {
            self.end();
        }
        self.ensure(line);
    }

    /// Begins a crash if none is open, with the notes before it.
    pub(super) fn ensure(&mut self, line: u64) {
        if self.at.crash.is_some() {
            return;
        }
        let preface = std::mem::take(&mut self.at.preface);
        let first = preface.first().map_or(line, |(at, _)| *at);
        self.at.crash = Some(Crash {
            last_line: line,
            section: 0,
            noise: 0,
            first_goroutine: None,
            has_stacks: false,
            chained: false,
            racing: false,
            after_dashes: false,
            exited: false,
        });
        self.begun = true;
        self.sink.event(Event::Begin { line: first });
        for (at, text) in preface {
            self.headline(at, HeadlineKind::Note(text));
        }
    }

    /// The line at hand belongs to the crash.
    pub(super) fn touch(&mut self) {
        self.at.preface.clear();
        if let Some(crash) = &mut self.at.crash {
            crash.last_line = self.line_no;
            crash.noise = 0;
        }
    }

    pub(super) fn touched_section(&mut self) -> u32 {
        self.touch();
        if let Some(crash) = &mut self.at.crash {
            crash.has_stacks = true;
        }
        self.at.crash.as_ref().map_or(0, |c| c.section)
    }

    pub(super) fn headline(&mut self, text_line: u64, kind: HeadlineKind) {
        if let Some(crash) = &mut self.at.crash {
            crash.chained = matches!(kind, HeadlineKind::Panic(_));
            crash.racing = matches!(&kind, HeadlineKind::Fatal { message, .. } if message::is_racing(message.as_bytes()));
            let headline = Headline { section: crash.section, text_line, kind };
            self.emit(Event::Headline(headline));
        }
    }

    pub(super) fn emit(&mut self, event: Event) {
        match &mut self.at.held {
            Some(held) => held.events.push(event),
            None => self.sink.event(event),
        }
    }

    /// Hands out what was held back.
    pub(super) fn release(&mut self) {
        if let Some(held) = self.at.held.take() {
            held.events.into_iter().for_each(|event| self.sink.event(event));
        }
    }

    /// Completes what is open.
    pub(super) fn close(&mut self, end: End) {
        match std::mem::replace(&mut self.at.open, Open::Nothing) {
            Open::Nothing => {}
            Open::Message(message) => self.close_message(message, end),
            Open::Signal(signal, at) => {
                self.release();
                self.headline(at, HeadlineKind::Signal(signal));
            }
            Open::Registers(registers) => self.emit(Event::Registers(registers)),
            Open::Stack(stack) => match stack.owner {
                Owner::Runtime(stack) => self.emit(Event::RuntimeStack(stack)),
                Owner::Goroutine(goroutine) => {
                    if self.at.held.as_mut().is_some_and(|h| h.goroutine(&goroutine)) {
                        self.diagnose(
                            Severity::Info,
                            "the panic's message contains text that looks like goroutines; it was read as part of the message",
                            Some(goroutine.text_line),
                        );
                    }
                    self.emit(Event::Goroutine(goroutine));
                }
            },
        }
    }

    pub(super) fn close_message(&mut self, message: Message, end: End) {
        let at = message.text_line;
        let exit = message.exit.clone().filter(|_| end == End::Unknown);
        let (fatal, indented, truncated) = (message.is_fatal(), message.is_indented(), message.truncated);
        let done = message.finish(end);
        for kind in done.kinds {
            self.headline(at, kind);
        }
        if let Some(held) = &mut self.at.held
            && !fatal
        {
            held.headline();
        }
        if let Some(crash) = &mut self.at.crash {
            crash.last_line = crash.last_line.max(at + done.lines as u64 - 1);
        }
        if indented || fatal {
            // Go 1.23+ indents: nothing in a message can be taken for a header.
            self.release();
        }
        if truncated {
            self.diagnose(Severity::Warning, "a panic message is longer than what is kept of it", Some(at));
        }
        if let Some(exit) = exit {
            if let Some(crash) = &mut self.at.crash {
                crash.exited = true;
                crash.last_line = crash.last_line.max(exit.text_line);
            }
            self.emit(Event::Exit(exit));
        }
        if done.left_out > 0 {
            let text = format!(
                "{} lines after a panic without a stack were not taken for its message",
                done.left_out
            );
            self.diagnose(Severity::Info, text, Some(at));
        }
    }

    /// Ends the crash.
    pub(super) fn end(&mut self) {
        self.close(End::Unknown);
        self.release();
        if let Some(crash) = self.at.crash.take() {
            self.sink.event(Event::End { line: crash.last_line });
        }
    }
}
