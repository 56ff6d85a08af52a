//! What carries lines to where they are read, taken off: prefixes, parts, records, quotes.

use super::{MAX_NOISE, MAX_RECENT, MAX_RECENT_BYTES, Parser};
use crate::traceback::carrier::{self, Record, json, prefix, prefix::Stripped, quoted, shape::Shape};
use crate::traceback::event::Sink;

impl<S: Sink> Parser<S> {
    /// A line as it is in the text.
    pub(super) fn carried(&mut self, line: &[u8]) {
        let Stripped { line: bare, partial, source } = self.carrier.strip(line);
        self.line_source = source.unwrap_or(0);
        // Lines without a name may continue the one before them.
        if let Some(source) = source {
            self.switch(source);
        }
        if partial || !self.at.part.is_empty() {
            let room = self.limits.record.saturating_sub(self.at.part.len());
            self.at.part.extend_from_slice(&bare[..bare.len().min(room)]);
            if !partial {
                self.join_parts();
            }
            return;
        }
        if !self.carrier.prefixed && self.part_of_record(line) {
            return;
        }
        self.unpacked(bare);
    }

    /// Takes a line that a container's runtime wrote in parts before it is known that lines have such prefixes:
    /// what is in it shows only in the whole.
    fn part_of_record(&mut self, line: &[u8]) -> bool {
        let Some(flag) = prefix::cri_flag(line) else {
            let unjoined = std::mem::take(&mut self.unjoined);
            if !unjoined.is_empty() {
                self.unpacked(&unjoined);
            }
            return false;
        };
        let partial = line.get(flag) == Some(&b'P');
        if self.unjoined.is_empty() {
            if partial {
                self.unjoined.extend_from_slice(line);
                // The prefix is kept, and says of the whole that it is one.
                if let Some(flag) = self.unjoined.get_mut(flag) {
                    *flag = b'F';
                }
            }
            return partial;
        }
        let room = self.limits.record.saturating_sub(self.unjoined.len());
        let rest = line.get(flag + 2..).unwrap_or_default();
        self.unjoined.extend_from_slice(&rest[..rest.len().min(room)]);
        if !partial {
            let whole = std::mem::take(&mut self.unjoined);
            self.unpacked(&whole);
        }
        true
    }

    /// Reads what parts make.
    pub(super) fn join_parts(&mut self) {
        let whole = std::mem::take(&mut self.at.part);
        self.unpacked(&whole);
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
        let Record { texts, source } = self.carrier.record(line);
        let around = self.line_source;
        if let Some(source) = source.filter(|_| !texts.is_empty()) {
            self.line_source = carrier::source([&around.to_ne_bytes()[..], &source.to_ne_bytes()]);
            self.switch(self.line_source);
        }
        for text in &texts {
            self.text(text);
        }
        // The next record in the same line is not this one's.
        self.line_source = around;
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

    /// Whether a line hides something of the runtime's; then how it is carried is known from here on, and it
    /// was read.
    pub(super) fn carries(&mut self, line: &[u8]) -> bool {
        if self.depth >= carrier::MAX_DEPTH {
            return false;
        }
        if let Some((printed, shape)) = self.guess.take()
            && self.at.printed.saturating_sub(printed) <= u64::from(MAX_NOISE)
        {
            if shape.strip(line).is_none_or(|rest| crate::traceback::frame::call(rest).is_none()) {
                // Somebody else's line, perhaps.
                self.guess = Some((printed, shape));
                return self.carries_otherwise(line);
            }
            self.learn(shape, line);
            self.carrier.guessed = false;
            return true;
        }
        self.carries_otherwise(line)
    }

    /// [`Self::carries`] but for the prefix that a header has shown.
    fn carries_otherwise(&mut self, line: &[u8]) -> bool {
        if !self.carrier.prefixed {
            let bare = prefix::strip(line).line;
            if bare.len() < line.len() {
                let hides = if json::is_object(bare) {
                    !self.carrier.record(bare).texts.is_empty()
                } else {
                    carrier::begins(bare)
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
        if (self.carrier.shape.is_none() || self.carrier.guessed) && self.depth == 0 {
            if let Some(shape) = carrier::godebug_within(line).map(|at| Shape::of(&line[..at]))
                && self.carrier.shape.is_none()
                && let before = self.godebug_guess.replace(shape.clone())
                && before.as_ref() == Some(&shape)
            {
                self.learn(shape, line);
                self.carrier.guessed = true;
                return true;
            }
            if let Some(at) = carrier::header_within(line) {
                self.guess = Some((self.at.printed, Shape::of(&line[..at])));
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
        let last = self.at.crash.as_ref().map_or(0, |c| c.last_line);
        let recent = std::mem::take(&mut self.recent);
        if let Some((first, _)) = recent.iter().find(|(at, _)| *at > last) {
            // A note that came after what is read now stands before nothing of it.
            self.at.preface.retain(|(at, _)| at < first);
        }
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
}
