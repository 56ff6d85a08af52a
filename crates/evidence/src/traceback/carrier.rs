//! What carries a text to where it is read: prefixes of lines, records of JSON, texts in quotes.
//!
//! What the runtime printed has to come out of it byte by byte. So nothing is taken off before a line shows
//! that it hides something of the runtime's: a line that begins a crash, once the carrier is gone.

pub(super) mod json;
pub(super) mod origin;
pub(super) mod prefix;
pub(super) mod quoted;
pub(super) mod shape;

use std::hash::Hasher as _;

use rustc_hash::FxHasher;

use super::{godebug, header, headline};
use json::Object;
use prefix::Stripped;
use shape::Shape;

/// Keys of JSON records that are remembered; records of several loggers can be in one file.
const MAX_KEYS: usize = 8;
/// Records in records that are opened: docker's record of a logger's record.
pub(super) const MAX_DEPTH: u32 = 3;

/// What is known of how a text is carried.
#[derive(Default)]
pub(super) struct Carrier {
    /// Lines have known prefixes.
    pub(super) prefixed: bool,
    /// Lines have a prefix that was learned.
    pub(super) shape: Option<Shape>,
    /// That prefix was learned from lines of GODEBUG alone.
    pub(super) guessed: bool,
    /// Keys of JSON records whose texts are the runtime's.
    keys: Vec<String>,
}

impl Carrier {
    /// A line without its prefix, and what that says.
    pub(super) fn strip<'a>(&self, line: &'a [u8]) -> Stripped<'a> {
        if let Some(shape) = &self.shape
            && let Some(rest) = shape.strip(line)
        {
            return Stripped::bare(rest);
        }
        if self.prefixed { prefix::strip(line) } else { Stripped::bare(line) }
    }

    /// A record is expected to hold something.
    pub(super) fn knows_records(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The texts of a JSON record that hold what the runtime printed, or continue such.
    pub(super) fn record(&mut self, line: &[u8]) -> Record {
        if self.keys.is_empty() && !json::may_hold(line) {
            return Record::default();
        }
        let Some(object) = Object::parse(line) else { return Record::default() };
        let source = object.source();
        let mut texts = Vec::new();
        for (key, mut text) in object.texts {
            if memchr::memchr(0x1b, &text).is_some() {
                let mut bare = Vec::new();
                prefix::without_escapes(&text, &mut bare);
                text = bare;
            }
            if self.keys.contains(&key) {
                texts.push(text);
            } else if hides(&text) {
                if self.keys.len() < MAX_KEYS {
                    self.keys.push(key);
                }
                texts.push(text);
            }
        }
        Record { texts, source }
    }
}

/// What a JSON record holds.
#[derive(Default)]
pub(super) struct Record {
    /// The runtime's texts.
    pub(super) texts: Vec<Vec<u8>>,
    /// Who wrote it, if it says so.
    pub(super) source: Option<u64>,
}

/// A number for who wrote a line; never 0, which is nobody.
pub(super) fn source<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let mut hasher = FxHasher::default();
    for name in names {
        hasher.write(name);
        hasher.write_u8(0xff);
    }
    hasher.finish() | 1
}

/// A text of a record holds what the runtime printed, as it is or in another record or in quotes.
fn hides(text: &[u8]) -> bool {
    begins(text) || (json::is_object(text) && json::may_hold(text)) || !quoted::texts(text).is_empty()
}

/// A line of a text begins a crash, or is one of GODEBUG.
pub(super) fn begins(text: &[u8]) -> bool {
    text.split(|&b| b == b'\n').any(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        headline::begins_crash(line) || headline::http_panic(line).is_some() || godebug::kind(line).is_some()
    })
}

/// Where in a line a goroutine's header begins, behind something else.
pub(super) fn header_within(line: &[u8]) -> Option<usize> {
    // A header is at the end of its line, and labels may quote another.
    let at = memchr::memmem::find(line, b"goroutine ").filter(|&at| at > 0 && at <= shape::LONGEST)?;
    header::parse(&line[at..]).map(|_| at)
}

/// Where in a line begins what GODEBUG asked for, behind something else.
pub(super) fn godebug_within(line: &[u8]) -> Option<usize> {
    let find = |mark: &[u8]| memchr::memmem::find(line, mark);
    let at = find(b"gc ").or_else(|| find(b"SCHED ")).filter(|&at| at > 0 && at <= shape::LONGEST)?;
    godebug::kind(&line[at..]).map(|_| at)
}
