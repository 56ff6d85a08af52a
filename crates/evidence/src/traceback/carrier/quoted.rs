//! Texts in quotes with escapes, as logfmt and `%q` write them: `level=error stack="goroutine 7 [running]:\n…"`.

use super::begins;
use crate::traceback::header::unquote;

/// The texts in quotes of a line that hold what the runtime printed.
pub(in super::super) fn texts(line: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    // Nothing in quotes has several lines unless their ends are written as escapes.
    if memchr::memmem::find(line, b"\\n").is_none() {
        return found;
    }
    let mut rest = line;
    while let Some(at) = memchr::memchr(b'"', rest) {
        rest = &rest[at + 1..];
        // One without its end is cut; what is there of it counts.
        let (text, after) = unquote(rest);
        if memchr::memchr(b'\n', &text).is_some() && begins(&text) {
            found.push(text);
        }
        rest = after.unwrap_or_default();
    }
    found
}
