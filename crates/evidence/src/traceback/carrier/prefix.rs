//! What carriers of logs put before each line, and terminal colours.

/// A line without its prefixes.
pub(in super::super) struct Stripped<'a> {
    pub(in super::super) line: &'a [u8],
    /// The next line continues it (CRI's `P`).
    pub(in super::super) partial: bool,
    /// Who wrote it, where a prefix names a container, a unit or a stream.
    pub(in super::super) source: Option<u64>,
}

impl<'a> Stripped<'a> {
    /// A line that says nothing of itself.
    pub(in super::super) fn bare(line: &'a [u8]) -> Self {
        Self { line, partial: false, source: None }
    }
}

/// Takes every known prefix off a line: times, CRI stream marks, `service-1  | `,
/// `[pod/name/container] `, `Nov 21 08:33:31 host unit[123]: `, `<11>`.
pub(in super::super) fn strip(mut line: &[u8]) -> Stripped<'_> {
    let mut partial = false;
    let mut names: [&[u8]; 4] = [&[]; 4];
    // At most a few are stacked, such as kubectl's `--prefix --timestamps`.
    for name in &mut names {
        if let Some(cri) = cri(line) {
            partial |= cri.partial;
            *name = cri.stream;
            line = &line[cri.length..];
        } else if let Some(length) =
            priority(line).or_else(|| time(line).map(|n| n + usize::from(n < line.len())))
        {
            line = &line[length..];
        } else if let Some((named, length)) =
            bracketed(line).or_else(|| compose(line)).or_else(|| journal(line))
        {
            *name = named;
            line = &line[length..];
        } else {
            break;
        }
    }
    let named = names.iter().any(|name| !name.is_empty());
    Stripped { line, partial, source: named.then(|| super::source(names)) }
}

/// Where CRI's mark of a part or a full line is, if a line begins so.
pub(in super::super) fn cri_flag(line: &[u8]) -> Option<usize> {
    line.first().filter(|b| b.is_ascii_digit())?;
    cri(line).map(|cri| cri.flag)
}

/// `<11>` of syslog; what follows it is one of the others.
pub(super) fn priority(line: &[u8]) -> Option<usize> {
    let digits = line.strip_prefix(b"<")?.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    ((1..4).contains(&digits) && line.get(digits + 1) == Some(&b'>')).then_some(digits + 2)
}

/// `2026-11-21T08:33:31.123456789Z stderr F ` of container runtimes.
struct Cri<'a> {
    stream: &'a [u8],
    partial: bool,
    /// Where `F` or `P` is.
    flag: usize,
    length: usize,
}

fn cri(line: &[u8]) -> Option<Cri<'_>> {
    let at = time(line)?;
    let rest = &line[at..];
    let stream = [&b" stderr "[..], b" stdout "].iter().find(|s| rest.starts_with(s))?.len();
    let partial = match rest.get(stream)? {
        b'F' => false,
        b'P' => true,
        _ => return None,
    };
    let flag = at + stream;
    let length = match line.get(flag + 1) {
        None => flag + 1,
        Some(b' ') => flag + 2,
        Some(_) => return None,
    };
    Some(Cri { stream: &rest[1..stream - 1], partial, flag, length })
}

/// Length of an RFC 3339 time, which a space or the line's end follows.
pub(super) fn time(line: &[u8]) -> Option<usize> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let head = line.get(..SHAPE.len())?;
    let fits = head.iter().zip(SHAPE).all(|(&b, &s)| match s {
        b'0' => b.is_ascii_digit(),
        b'T' => b == b'T' || b == b' ',
        other => b == other,
    });
    fits.then_some(())?;
    let tail = line[SHAPE.len()..]
        .iter()
        .take(24)
        .take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'Z' | b'+' | b'-' | b':'))
        .count();
    let end = SHAPE.len() + tail;
    matches!(line.get(end), None | Some(b' ')).then_some(end)
}

/// `[pod/name/container] ` of `kubectl logs --prefix`.
pub(super) fn bracketed(line: &[u8]) -> Option<(&[u8], usize)> {
    if !line.starts_with(b"[pod/") {
        return None;
    }
    let end = memchr::memchr(b']', &line[..line.len().min(512)])?;
    match line.get(end + 1) {
        None => Some((&line[..end], end + 1)),
        Some(b' ') => Some((&line[..end], end + 2)),
        Some(_) => None,
    }
}

/// `service-1  | ` of compose.
pub(super) fn compose(line: &[u8]) -> Option<(&[u8], usize)> {
    let name = line
        .iter()
        .take(128)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        .count();
    let spaces = line[name..].iter().take(64).take_while(|&&b| b == b' ').count();
    if name == 0 || spaces == 0 || line.get(name + spaces) != Some(&b'|') {
        return None;
    }
    let end = name + spaces + 1;
    Some((&line[..name], end + usize::from(line.get(end) == Some(&b' '))))
}

/// `Nov 21 08:33:31 host unit[123]: `, the time and its space perhaps already gone.
fn journal(line: &[u8]) -> Option<(&[u8], usize)> {
    let window = &line[..line.len().min(256)];
    let pid_end = memchr::memmem::find(window, b"]:")?;
    let open = memchr::memrchr(b'[', &window[..pid_end])?;
    crate::scan::decimal(&window[open + 1..pid_end])?;
    let words = memchr::memchr_iter(b' ', &window[..open]).count();
    let has_time =
        window.get(6) == Some(&b' ') && window.get(9) == Some(&b':') && window.get(12) == Some(&b':');
    if !(words == 1 || (has_time && (words == 4 || words == 5))) {
        return None;
    }
    let end = pid_end + 2;
    let named = if words == 1 { 0 } else { 16 };
    Some((window.get(named..pid_end)?, end + usize::from(line.get(end) == Some(&b' '))))
}

/// Copies a line without ANSI escape sequences.
pub(in super::super) fn without_escapes(line: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut i = 0;
    while let Some(&b) = line.get(i) {
        i += 1;
        if b != 0x1b {
            out.push(b);
            continue;
        }
        // CSI: parameters, then one final byte of `@` to `~`. Anything else is two bytes.
        if line.get(i) == Some(&b'[') {
            i += 1;
            while line.get(i).is_some_and(|b| !(0x40..=0x7e).contains(b)) {
                i += 1;
            }
        }
        i += 1;
    }
}

#[cfg(test)]
mod tests;
