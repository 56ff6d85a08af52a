//! Several processes that print into one log, told apart by what carries their lines: a container's name, a unit's
//! number, a stream.

use panicle_report::Severity;

use super::{Open, Parser, State};
use crate::traceback::event::{Event, Sink};

/// Sources of which something may be under way at a time.
const MAX_SOURCES: usize = 32;

impl<S: Sink> Parser<S> {
    /// The next lines are of this source.
    pub(super) fn switch(&mut self, source: u64) {
        if source == self.source {
            return;
        }
        let known = self.parked.iter().position(|(parked, _)| *parked == source);
        let state = known.map_or_else(State::default, |at| self.parked.remove(at).1);
        let left = self.source;
        let before = self.enter(source, state);
        if !before.is_idle() {
            self.parked.push((left, before));
        }
        if self.parked.len() > MAX_SOURCES {
            let (oldest, state) = self.parked.remove(0);
            let now = self.enter(oldest, state);
            if self.at.crash.is_some() && !self.crowded {
                self.crowded = true;
                let text = format!(
                    "more than {MAX_SOURCES} processes print at once: crashes of some of them are cut where they were left"
                );
                self.diagnose(Severity::Warning, text, Some(self.line_no));
            }
            self.end_source();
            self.enter(source, now);
        }
    }

    /// Goes on with what is under way in a source, and answers what was in the one before.
    pub(super) fn enter(&mut self, source: u64, state: State) -> State {
        self.source = source;
        self.sink.event(Event::Source { source });
        std::mem::replace(&mut self.at, state)
    }

    /// The source ends: hands out what is open.
    pub(super) fn end_source(&mut self) {
        if !self.at.part.is_empty() {
            self.join_parts();
        }
        if let Open::Stack(stack) = &mut self.at.open
            && stack.is_open()
        {
            stack.cut();
        }
        self.end();
        if let Some(cut) = self.at.race.cut() {
            self.sink.event(Event::Race(cut));
        }
    }
}

impl State {
    /// Nothing is under way.
    fn is_idle(&self) -> bool {
        self.crash.is_none()
            && matches!(self.open, Open::Nothing)
            && self.held.is_none()
            && !self.race.is_open()
            && self.signal.is_none()
            && self.preface.is_empty()
            && self.part.is_empty()
    }
}
