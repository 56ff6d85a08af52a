//! What carries a text to where it is read: prefixes of lines, records of JSON, texts in quotes.
//!
//! What the runtime printed has to come out of it byte by byte. So nothing is taken off before a line shows
//! that it hides something of the runtime's: a line that begins a crash, once the carrier is gone.

pub(super) mod json;
pub(super) mod prefix;
pub(super) mod quoted;
pub(super) mod shape;

use super::{header, headline};
use json::Object;
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
    /// Keys of JSON records whose texts are the runtime's.
    keys: Vec<String>,
}

impl Carrier {
    /// A line without its prefix, and whether the next line continues it.
    pub(super) fn strip<'a>(&self, line: &'a [u8]) -> (&'a [u8], bool) {
        if let Some(shape) = &self.shape
            && let Some(rest) = shape.strip(line)
        {
            return (rest, false);
        }
        if self.prefixed { prefix::strip(line) } else { (line, false) }
    }

    /// A record is expected to hold something.
    pub(super) fn knows_records(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The texts of a JSON record that hold what the runtime printed, or continue such.
    pub(super) fn record(&mut self, line: &[u8]) -> Vec<Vec<u8>> {
        if self.keys.is_empty() && !json::may_hold(line) {
            return Vec::new();
        }
        let Some(object) = Object::parse(line) else { return Vec::new() };
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
        texts
    }
}

/// A text of a record holds what the runtime printed, as it is or in another record or in quotes.
fn hides(text: &[u8]) -> bool {
    begins(text) || (json::is_object(text) && json::may_hold(text)) || !quoted::texts(text).is_empty()
}

/// A line of a text begins a crash.
pub(super) fn begins(text: &[u8]) -> bool {
    text.split(|&b| b == b'\n').any(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        headline::begins_crash(line) || headline::http_panic(line).is_some()
    })
}

/// Where in a line a goroutine's header begins, behind something else.
pub(super) fn header_within(line: &[u8]) -> Option<usize> {
    // A header is at the end of its line, and labels may quote another.
    let at = memchr::memmem::find(line, b"goroutine ").filter(|&at| at > 0 && at <= shape::LONGEST)?;
    header::parse(&line[at..]).map(|_| at)
}
