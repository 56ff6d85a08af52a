//! The two lines of a frame: `main.(*T).M(0x1, {0xc000012345, 0x5})` and
//! `\t/src/main.go:12 +0x1f fp=0x… sp=0x… pc=0x…` (`traceback2` and `printcreatedby1` in
//! traceback.go).

use crate::scan::{decimal, hex};

/// Splits a line into function and arguments, or `None` when it is not the first line of a frame.
///
/// Arguments are words, braces and the marks `...`, `_` and `?` (`printArgs`); they never hold a
/// parenthesis, so the last opening one starts them, whatever the function's name holds.
pub(super) fn call(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = line.strip_suffix(b")")?;
    let open = memchr::memrchr(b'(', body)?;
    let (name, args) = (&body[..open], &body[open + 1..]);
    let first = *name.first()?;
    if first <= b' ' || !args.iter().all(|&b| ARGUMENT[usize::from(b)]) {
        return None;
    }
    Some((name, args))
}

/// The bytes that `printArgs` prints.
static ARGUMENT: [bool; 256] = {
    let mut table = [false; 256];
    let allowed = b"0123456789abcdefx{}, ?._";
    let mut i = 0;
    while i < allowed.len() {
        table[allowed[i] as usize] = true;
        i += 1;
    }
    table
};

/// Where a frame stands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Location<'a> {
    pub(super) file: Option<&'a [u8]>,
    pub(super) line: Option<u32>,
    pub(super) entry_offset: Option<u64>,
    pub(super) fp: Option<u64>,
    pub(super) sp: Option<u64>,
    pub(super) pc: Option<u64>,
}

/// Reads the second line of a frame, with its tab. A file name may hold anything, so the line is
/// read from its end.
pub(super) fn location(line: &[u8]) -> Option<Location<'_>> {
    let mut rest = line.strip_prefix(b"\t")?;
    let mut location = Location::default();
    loop {
        let at = memchr::memrchr(b' ', rest);
        let word = &rest[at.map_or(0, |at| at + 1)..];
        let slot = match word {
            [b'+', value @ ..] => hex(value).map(|v| (&mut location.entry_offset, v)),
            [b'p', b'c', b'=', value @ ..] => hex(value).map(|v| (&mut location.pc, v)),
            [b's', b'p', b'=', value @ ..] => hex(value).map(|v| (&mut location.sp, v)),
            [b'f', b'p', b'=', value @ ..] => hex(value).map(|v| (&mut location.fp, v)),
            _ => None,
        };
        let Some((slot, value)) = slot else { break };
        *slot = Some(value);
        let Some(at) = at else {
            // `\tpc=0x…`: C code without a symbol.
            return location.pc.is_some().then_some(location);
        };
        rest = &rest[..at];
    }
    let colon = memchr::memrchr(b':', rest)?;
    if colon == 0 {
        return None;
    }
    location.line = Some(u32::try_from(decimal(&rest[colon + 1..])?).unwrap_or(u32::MAX));
    location.file = Some(&rest[..colon]);
    Some(location)
}

/// `created by F` or `created by F in goroutine 7` (Go 1.21+).
pub(super) fn created_by(line: &[u8]) -> Option<(&[u8], Option<u64>)> {
    const MARK: &[u8] = b" in goroutine ";
    let rest = line.strip_prefix(b"created by ")?;
    if let Some(at) = memchr::memmem::rfind(rest, MARK)
        && let Some(id) = decimal(&rest[at + MARK.len()..])
    {
        return Some((&rest[..at], Some(id)));
    }
    (!rest.is_empty()).then_some((rest, None))
}

/// `...23 frames elided...` gives `Some(Some(23))`, `...additional frames elided...`
/// `Some(None)`.
#[expect(clippy::option_option, reason = "not such a line, or one without a number")]
pub(super) fn elided(line: &[u8]) -> Option<Option<u64>> {
    let count = line.strip_prefix(b"...")?.strip_suffix(b" frames elided...")?;
    if count == b"additional" { Some(None) } else { decimal(count).map(Some) }
}

#[cfg(test)]
mod tests;
