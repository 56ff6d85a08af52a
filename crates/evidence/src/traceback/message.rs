//! Messages of `panic: ` and `fatal error: `, which may have several lines.

use super::model::{ExitLine, HeadlineKind, PanicLine};
use crate::scan::lossy;

/// Lines of a message before it is doubted, and before it is given up. What a program panics with can have
/// thousands of lines, and up to Go 1.22 they are printed as they are.
const LONG: usize = 1000;
const LONGEST: usize = 1_000_000;

const FATAL: &[u8] = b"fatal error: ";

/// How a message came to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The runtime's next line came: all lines in between belong to the message.
    Known,
    /// The text ended, or too much of it went by without a stack: only what Go 1.23+ indents is
    /// certain to belong to the message.
    Unknown,
}

/// A message that was read.
pub(super) struct Done {
    /// The headlines it makes: one, but for what two threads printed into each other.
    pub(super) kinds: Vec<HeadlineKind>,
    /// How many lines it has, the first one with it.
    pub(super) lines: usize,
    /// How many lines were left out as not belonging to it.
    pub(super) left_out: usize,
}

/// A message that is being read.
#[expect(clippy::struct_excessive_bools, reason = "each says something else about what was printed")]
pub(super) struct Message {
    pub(super) text_line: u64,
    fatal: bool,
    /// Its first line begins with a tab.
    indented: bool,
    after_goexit: bool,
    /// Lines as printed, without line ends.
    lines: Vec<Vec<u8>>,
    bytes: usize,
    /// Lines that came and that nothing shows to be of the message.
    doubtful: usize,
    /// The first of them that says how a process ended.
    pub(super) exit: Option<ExitLine>,
    /// More came than is kept.
    pub(super) truncated: bool,
}

/// The runtime's own messages that two threads can print at the same time: they come from user
/// code's races (`fatal` in map*.go).
const RACING: [&[u8]; 4] = [
    b"concurrent map writes",
    b"concurrent map read and map write",
    b"concurrent map iteration and map write",
    b"concurrent map clone and map write",
];

/// Whether two threads can print this message of a fatal error at the same time.
pub(super) fn is_racing(message: &[u8]) -> bool {
    RACING.contains(&message)
}

impl Message {
    /// Begins with a line that starts with `panic: ` or `fatal error: ` after tabs; `chained` says
    /// that another panic was printed directly before.
    pub(super) fn begin(line: &[u8], text_line: u64, chained: bool) -> Option<Self> {
        let tabs = line.iter().take_while(|&&b| b == b'\t').count();
        let text = &line[tabs..];
        let (fatal, rest) = match text.strip_prefix(b"panic: ") {
            Some(rest) => (false, rest),
            None => (true, text.strip_prefix(FATAL)?),
        };
        // A chain indents by one tab; each further one is a Goexit's, which prints nothing else.
        // A first line can only be indented by a Goexit.
        if tabs > 3 || (tabs > 0 && !chained && !fatal) {
            return None;
        }
        Some(Self {
            text_line,
            fatal,
            indented: tabs > 0,
            after_goexit: tabs > usize::from(chained),
            lines: vec![rest.to_vec()],
            bytes: rest.len(),
            doubtful: 0,
            exit: None,
            truncated: false,
        })
    }

    pub(super) fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// The message is one of those that two threads can print at once.
    pub(super) fn is_racing(&self) -> bool {
        is_racing(&self.lines[0])
    }

    /// What begins with `next` belongs to another crash. The runtime indents every panic of a chain but the first
    /// (`printpanics`, panic.go); and between a message and a fatal error of one process there is nothing.
    pub(super) fn is_followed_by_another(&self, next: &Self) -> bool {
        let same = if next.fatal { self.doubtful == 0 } else { next.indented };
        !same
    }

    /// So many lines came without a stack that the first may be a log's, which only looks like a panic.
    pub(super) fn may_be_lost(&self) -> bool {
        self.doubtful > LONG
    }

    /// So many lines came that none will be waited for any more.
    pub(super) fn is_hopeless(&self) -> bool {
        self.doubtful > LONGEST
    }

    /// Adds a line; what goes past `limit` bytes is left out.
    pub(super) fn push(&mut self, line: &[u8], limit: usize) {
        // Go 1.23+ indents each line of a message but the first, and no log does.
        self.doubtful += usize::from(line.first() != Some(&b'\t'));
        if self.bytes + line.len() + 1 > limit {
            self.truncated = true;
            return;
        }
        self.bytes += line.len() + 1;
        self.lines.push(line.to_vec());
    }

    /// Adds a line that says how a process ended. If no stack follows, it was the one that panicked.
    pub(super) fn ends_perhaps(&mut self, line: &[u8], exit: ExitLine, limit: usize) {
        self.push(line, limit);
        self.exit.get_or_insert(exit);
    }

    /// Every continuation is indented and there is one: Go 1.23 or newer printed it, which cannot
    /// be taken for anything else.
    pub(super) fn is_indented(&self) -> bool {
        let blank = self.lines.iter().rev().take_while(|l| l.is_empty()).count();
        let kept = self.lines.len() - blank.min(self.lines.len() - 1);
        kept > 1 && self.lines[1..kept].iter().all(|l| l.first() == Some(&b'\t'))
    }

    /// The message ends.
    pub(super) fn finish(mut self, end: End) -> Done {
        let mut left_out = 0;
        if end == End::Unknown {
            let keep = 1 + self.lines[1..].iter().take_while(|l| l.first() == Some(&b'\t')).count();
            left_out = self.lines[keep..].iter().filter(|l| !l.is_empty()).count();
            left_out = left_out.saturating_sub(usize::from(self.exit.is_some()));
            self.lines.truncate(keep);
        } else if self.lines.len() > 1 && self.lines.last().is_some_and(Vec::is_empty) {
            // The blank line before a goroutine's header.
            self.lines.pop();
        }
        let done = |lines: &[Vec<u8>], kinds| Done { kinds, lines: lines.len(), left_out };
        if self.fatal {
            if let Some(messages) = untangle(&self.lines) {
                let kinds = messages
                    .into_iter()
                    .map(|m| HeadlineKind::Fatal { message: lossy(m), interleaved: true })
                    .collect();
                return done(&self.lines, kinds);
            }
            let kind = HeadlineKind::Fatal { message: self.text(), interleaved: false };
            return done(&self.lines, vec![kind]);
        }
        let mut text = self.text();
        let mut panic = PanicLine { after_goexit: self.after_goexit, ..PanicLine::default() };
        if text.ends_with(" [recovered, repanicked]") {
            text.truncate(text.len() - " [recovered, repanicked]".len());
            panic.recovered = true;
            panic.repanicked = true;
        } else if text.ends_with(" [recovered]") {
            text.truncate(text.len() - " [recovered]".len());
            panic.recovered = true;
        }
        panic.value = text;
        done(&self.lines, vec![HeadlineKind::Panic(panic)])
    }

    /// The lines joined, without the tab that Go 1.23+ puts before each but the first. Older
    /// versions print lines as they are; there a tab belongs to the message, unless all have it.
    fn text(&self) -> String {
        let indented = self.is_indented();
        let mut text = lossy(&self.lines[0]);
        for line in &self.lines[1..] {
            text.push('\n');
            text.push_str(&String::from_utf8_lossy(if indented {
                line.get(1..).unwrap_or_default()
            } else {
                line
            }));
        }
        text
    }
}

/// Takes apart what two threads printed into each other. Each wrote `fatal error: `, its message
/// and a line end in one piece each, but pieces of two threads mix (Go 1.23, panic.go `fatal`;
/// 1.24 locks, older versions print the whole line at once).
fn untangle(lines: &[Vec<u8>]) -> Option<Vec<&[u8]>> {
    let mut heads = 1;
    let mut messages = Vec::new();
    for line in lines {
        let mut rest = &line[..];
        while !rest.is_empty() {
            if let Some(r) = rest.strip_prefix(FATAL) {
                heads += 1;
                rest = r;
                continue;
            }
            let message = RACING.iter().find(|m| rest.starts_with(m))?;
            messages.push(*message);
            rest = &rest[message.len()..];
        }
    }
    (heads > 1 && heads == messages.len()).then_some(messages)
}

#[cfg(test)]
mod tests;
