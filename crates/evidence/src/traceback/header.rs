//! Goroutine headers: `goroutine 7 gp=0x… m=nil [chan receive, 2 minutes, locked to thread]:`.
//!
//! The printer is `goroutineheader` in traceback.go; `gp=` came with Go 1.22, `synctest group`
//! with 1.24 (`bubble` from 1.25), `(durable)` with 1.25, `(leaked)` with 1.26, labels with 1.27.

use crate::scan::{decimal, hex, hex_digit, lossy};

/// What a header says.
#[expect(clippy::struct_excessive_bools, reason = "each is a word of its own in the header")]
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) id: u64,
    pub(super) gp: Option<u64>,
    pub(super) m: Option<i64>,
    pub(super) mp: Option<u64>,
    pub(super) status: &'a [u8],
    pub(super) wait_reason: Option<&'a [u8]>,
    pub(super) wait_minutes: Option<u64>,
    pub(super) scan: bool,
    pub(super) leaked: bool,
    pub(super) durable: bool,
    pub(super) locked_to_thread: bool,
    pub(super) synctest_bubble: Option<u64>,
    pub(super) labels: Vec<(String, String)>,
}

/// `gStatusStrings` of Go 1.19 to 1.27, and what is printed for a status outside of it. Everything
/// else in the brackets is a wait reason, which replaces the word `waiting` (or `leaked`).
const STATUS: [&[u8]; 11] = [
    b"idle",
    b"runnable",
    b"running",
    b"syscall",
    b"waiting",
    b"dead",
    b"copystack",
    b"leaked",
    b"preempted",
    b"waiting for cgo callback",
    b"???",
];

/// Wait reasons whose own spelling ends in `(durable)` (`waitReasonStrings`, Go 1.25+); after any
/// other reason the header adds the word.
const DURABLE: [&[u8]; 4] = [
    b"chan receive (durable)",
    b"chan send (durable)",
    b"select (durable)",
    b"sync.WaitGroup.Wait (durable)",
];

/// Reads a whole line; `None` when it is not a header.
pub(super) fn parse(line: &[u8]) -> Option<Header<'_>> {
    let rest = line.strip_prefix(b"goroutine ")?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let id = decimal(&rest[..digits])?;
    let mut rest = &rest[digits..];
    let mut header = Header { id, ..Header::default() };
    loop {
        rest = rest.strip_prefix(b" ")?;
        if rest.first() == Some(&b'[') {
            break;
        }
        let end = memchr::memchr(b' ', rest)?;
        let word = &rest[..end];
        if let Some(v) = word.strip_prefix(b"gp=") {
            header.gp = Some(hex(v)?);
        } else if let Some(v) = word.strip_prefix(b"mp=") {
            header.mp = Some(hex(v)?);
        } else if let Some(v) = word.strip_prefix(b"m=") {
            header.m = if v == b"nil" { None } else { Some(i64::try_from(decimal(v)?).ok()?) };
        } else {
            return None;
        }
        rest = &rest[end..];
    }
    let end = memchr::memchr(b']', rest)?;
    state(&rest[1..end], &mut header)?;
    let tail = &rest[end + 1..];
    if tail != b":" {
        header.labels = labels(tail.strip_prefix(b" {")?.strip_suffix(b"}:")?)?;
    }
    Some(header)
}

/// Between the brackets.
fn state<'a>(text: &'a [u8], header: &mut Header<'a>) -> Option<()> {
    let mut parts = Split(Some(text));
    let mut word = parts.next()?;
    if word.is_empty() {
        return None;
    }
    for part in parts {
        if let Some(n) = part.strip_suffix(b" minutes") {
            header.wait_minutes = Some(decimal(n)?);
        } else if part == b"locked to thread" {
            header.locked_to_thread = true;
        } else if let Some(n) =
            part.strip_prefix(b"synctest bubble ").or_else(|| part.strip_prefix(b"synctest group "))
        {
            header.synctest_bubble = Some(decimal(n)?);
        } else {
            return None;
        }
    }
    // Printed in the order leaked, scan, durable; so taken off from the end.
    if DURABLE.contains(&word) {
        header.durable = true;
    } else if let Some(w) = word.strip_suffix(b" (durable)") {
        header.durable = true;
        word = w;
    }
    if let Some(w) = word.strip_suffix(b" (scan)") {
        header.scan = true;
        word = w;
        header.durable |= DURABLE.contains(&word);
    }
    if let Some(w) = word.strip_suffix(b" (leaked)") {
        header.leaked = true;
        word = w;
        header.durable |= DURABLE.contains(&word);
    }
    let is_status = STATUS.contains(&word)
        // `preempted` is a state and a wait reason. A goroutine that stopped itself for a scan has
        // the state; whoever scans it makes it a waiting one first (`suspendG`, preempt.go), and
        // only a waiting one has a time.
        && !(word == b"preempted" && (header.scan || header.wait_minutes.is_some()));
    if is_status {
        header.status = word;
        // Go 1.25 looks at the last wait's reason only and prints `running (durable)`.
        header.durable = false;
    } else {
        header.status = if header.leaked { b"leaked" } else { b"waiting" };
        header.wait_reason = Some(word);
    }
    Some(())
}

/// Parts between `, `.
struct Split<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0?;
        if let Some(at) = text.windows(2).position(|w| w == b", ") {
            self.0 = Some(&text[at + 2..]);
            Some(&text[..at])
        } else {
            self.0 = None;
            Some(text)
        }
    }
}

/// `"req id": "a b", svc: pay`. Keys and values without quotes hold only letters, digits, `.`, `/`
/// and `_` (`tracebackStringNeedsQuoting`).
fn labels(mut text: &[u8]) -> Option<Vec<(String, String)>> {
    let mut labels = Vec::new();
    loop {
        let (key, rest) = label_word(text)?;
        let (value, rest) = label_word(rest.strip_prefix(b": ")?)?;
        labels.push((key, value));
        if rest.is_empty() {
            return Some(labels);
        }
        text = rest.strip_prefix(b", ")?;
    }
}

fn label_word(text: &[u8]) -> Option<(String, &[u8])> {
    if text.first() == Some(&b'"') {
        return quoted(&text[1..]);
    }
    let end = text
        .iter()
        .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'_')))
        .unwrap_or(text.len());
    Some((lossy(&text[..end]), &text[end..]))
}

/// A word in quotes, from behind the first to behind the last.
fn quoted(text: &[u8]) -> Option<(String, &[u8])> {
    let (word, rest) = unquote(text);
    Some((String::from_utf8_lossy(&word).into_owned(), rest?))
}

/// Undoes `printquoted` (print.go) and `strconv.Quote`: Go escapes, `\x` for single bytes, up to the closing
/// quote or the end. Answers what is behind the quote; `None` where there is none.
pub(super) fn unquote(mut text: &[u8]) -> (Vec<u8>, Option<&[u8]>) {
    let mut out = Vec::new();
    loop {
        let plain = memchr::memchr2(b'"', b'\\', text).unwrap_or(text.len());
        out.extend_from_slice(&text[..plain]);
        text = &text[plain..];
        let Some((&b, rest)) = text.split_first() else { return (out, None) };
        text = rest;
        if b == b'"' {
            return (out, Some(text));
        }
        let Some((&kind, rest)) = text.split_first() else { return (out, None) };
        text = rest;
        let digits = match kind {
            b'n' => {
                out.push(b'\n');
                continue;
            }
            b'r' => {
                out.push(b'\r');
                continue;
            }
            b't' => {
                out.push(b'\t');
                continue;
            }
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            other => {
                out.push(other);
                continue;
            }
        };
        let mut code = Some(0u32);
        let Some((head, rest)) = text.split_at_checked(digits) else { return (out, None) };
        for &d in head {
            code = code.and_then(|code| Some(code << 4 | u32::from(hex_digit(d)?)));
        }
        let Some(code) = code else { continue };
        text = rest;
        if kind == b'x' {
            out.push(code as u8);
        } else {
            let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
