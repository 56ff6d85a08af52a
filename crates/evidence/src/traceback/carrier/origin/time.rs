//! Times as logs write them.

use jiff::Timestamp;

use super::prefix;

/// 2009-01-01: Go was made public in that year, and clocks that were never set show 1970 or 2000.
const EARLIEST: i64 = 1_230_768_000;
/// From here on a number counts milliseconds, then microseconds, then nanoseconds: the year 5138 in seconds.
const MILLISECONDS: i128 = 100_000_000_000;

/// What is written where a time is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// A time.
    At(Timestamp),
    /// None, and why.
    Nothing(String),
}

/// A time at the beginning of a line, and its length. `stacked` ones come behind another.
pub(super) fn leading(line: &[u8], stacked: bool) -> Option<(Written, usize)> {
    if let Some(length) = prefix::time(line) {
        let zoned = line[length..].starts_with(b" UTC ").then_some(length + 4);
        return Some(match zoned {
            // `journalctl -o short-full`.
            Some(end) => {
                let mut whole = line[..length].to_vec();
                whole.push(b'Z');
                (text(&whole), end)
            }
            None => (text(&line[..length]), length),
        });
    }
    // `Sat 2026-11-21 08:33:31 UTC`.
    if let Some(rest) = weekday(line)
        && let Some((written, length)) = leading_date(rest)
    {
        return Some((written, length + 4));
    }
    if let Some(length) = fits(line, b"0000/00/00 00:00:00") {
        let length = length + fraction(&line[length..]);
        return Some((without(&line[..length], "a zone"), length));
    }
    if let Some(length) = month(line) {
        return Some((without(&line[..length], "a year"), length));
    }
    // `journalctl -o short-unix`; a number that a program prints is no time.
    let digits = line.iter().take(11).take_while(|b| b.is_ascii_digit()).count();
    let length = digits + fraction(&line[digits..]);
    if !stacked && digits == 10 && length > digits && super::unit(super::trim(&line[length..])).is_some() {
        return Some((number_text(&line[..length])?, length));
    }
    None
}

fn leading_date(rest: &[u8]) -> Option<(Written, usize)> {
    prefix::time(rest)?;
    leading(rest, false)
}

fn weekday(line: &[u8]) -> Option<&[u8]> {
    const DAYS: [&[u8]; 7] = [b"Mon ", b"Tue ", b"Wed ", b"Thu ", b"Fri ", b"Sat ", b"Sun "];
    DAYS.iter().find_map(|day| line.strip_prefix(*day))
}

/// `Nov 21 08:33:31`, of RFC 3164 section 4.1.2, perhaps with a fraction.
fn month(line: &[u8]) -> Option<usize> {
    const MONTHS: [&[u8]; 12] = [
        b"Jan ", b"Feb ", b"Mar ", b"Apr ", b"May ", b"Jun ", b"Jul ", b"Aug ", b"Sep ", b"Oct ", b"Nov ",
        b"Dec ",
    ];
    let rest = MONTHS.iter().find_map(|month| line.strip_prefix(*month))?;
    let length = fits(rest, b"00 00:00:00").or_else(|| fits(rest, b" 0 00:00:00"))?;
    Some(4 + length + fraction(&rest[length..]))
}

/// A line begins with digits where `shape` has zeros and with its other characters.
fn fits(line: &[u8], shape: &[u8]) -> Option<usize> {
    let head = line.get(..shape.len())?;
    let same = head.iter().zip(shape).all(|(&b, &s)| if s == b'0' { b.is_ascii_digit() } else { b == s });
    same.then_some(shape.len())
}

fn fraction(rest: &[u8]) -> usize {
    match rest.split_first() {
        Some((b'.', digits)) => 1 + digits.iter().take(9).take_while(|b| b.is_ascii_digit()).count(),
        _ => 0,
    }
}

fn without(text: &[u8], what: &str) -> Written {
    Written::Nothing(format!("`{}` has no {}", crate::scan::lossy(text), what.trim_start_matches("a ")))
}

/// The value of `time=`, with which lines of `key=value` begin (slog, logrus).
pub(super) fn logfmt(line: &[u8]) -> Option<&[u8]> {
    let value = [&b"time="[..], b"ts=", b"timestamp="].iter().find_map(|key| line.strip_prefix(*key))?;
    let (value, end) = match value.strip_prefix(b"\"") {
        Some(quoted) => (quoted, b'"'),
        None => (value, b' '),
    };
    let window = &value[..value.len().min(64)];
    Some(&window[..memchr::memchr(end, window).unwrap_or(window.len())])
}

/// A time that is written out, or as a number of seconds or parts of one since 1970.
pub(super) fn text(text: &[u8]) -> Written {
    let text = &text[..text.len().min(64)];
    if let Some(number) = number_text(text) {
        return number;
    }
    let shown = crate::scan::lossy(text);
    let Some(length) = prefix::time(text).filter(|length| *length == text.len()) else {
        return Written::Nothing(format!("`{shown}` is no time of a known form"));
    };
    let mut whole = shown.replacen(' ', "T", 1).replace(',', ".");
    let tail = &text[b"0000-00-00T00:00:00".len()..length];
    if !tail.iter().any(|b| matches!(b, b'Z' | b'+' | b'-')) {
        return without(text, "a zone");
    }
    // `+0000`, as systemd and zap write it.
    let at = whole.len().saturating_sub(5);
    if whole
        .get(at..)
        .is_some_and(|zone| zone.starts_with(['+', '-']) && zone.bytes().skip(1).all(|b| b.is_ascii_digit()))
    {
        whole.insert(at + 3, ':');
    }
    match whole.parse::<Timestamp>() {
        Ok(time) => sane(time),
        Err(_) => Written::Nothing(format!("`{shown}` is no time")),
    }
}

fn number_text(text: &[u8]) -> Option<Written> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 20
        || fraction.len() > 9
        || !all_digits(whole)
        || !all_digits(fraction)
    {
        return None;
    }
    let nanos: i128 = format!("{fraction:0<9}").parse().ok()?;
    Some(number(whole.parse().ok()?, nanos))
}

/// A number of seconds with nanoseconds, or of milli-, micro- or nanoseconds, since 1970.
pub(super) fn number(mut number: i128, nanos: i128) -> Written {
    let written = number;
    let mut unit: i128 = 1_000_000_000;
    let mut limit = MILLISECONDS;
    while number >= limit && unit > 1 {
        unit /= 1000;
        limit = limit.saturating_mul(1000);
    }
    number = number.saturating_mul(unit).saturating_add(nanos * unit / 1_000_000_000);
    match Timestamp::from_nanosecond(number) {
        Ok(time) => sane(time),
        Err(_) => Written::Nothing(format!("{written} is no time")),
    }
}

fn sane(time: Timestamp) -> Written {
    if time.as_second() < EARLIEST {
        return Written::Nothing(format!("{time} is before there was Go: the clock was not set"));
    }
    Written::At(time)
}
