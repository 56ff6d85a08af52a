//! Lines before and around stacks: signals, registers, notes of the runtime, ends of processes.

use super::model::{ExitLine, HeadlineKind, SignalLine};
use crate::race::Machine;
use crate::scan::{decimal, hex, lossy, signed};

/// `[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4e140a]` (`dopanic_m`,
/// panic.go).
pub(super) fn panic_signal(line: &[u8]) -> Option<SignalLine> {
    let text = line.strip_prefix(b"[signal ")?.strip_suffix(b"]")?;
    let code = memchr::memmem::rfind(text, b" code=")?;
    let mut signal = signal_name(&text[..code]);
    for word in text[code + 1..].split(|&b| b == b' ') {
        if let Some(v) = word.strip_prefix(b"code=") {
            signal.code = hex(v).map(|v| v as i64);
        } else if let Some(v) = word.strip_prefix(b"addr=") {
            signal.address = hex(v);
        } else if let Some(v) = word.strip_prefix(b"pc=") {
            signal.pc = hex(v);
        }
    }
    Some(signal)
}

/// `SIGQUIT: quit`, `Signal 65` (`fatalsignal`, signal_unix.go). Only a `PC=` line after it makes
/// it certain.
pub(super) fn signal(line: &[u8]) -> Option<SignalLine> {
    let known = line.strip_prefix(b"SIG").is_some_and(|rest| {
        let name = rest.iter().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count();
        name > 0 && name < 16 && (rest.len() == name || rest[name..].starts_with(b": "))
    });
    let number = || {
        line.strip_prefix(b"Signal ")
            .or_else(|| line.strip_prefix(b"signal "))
            .is_some_and(|n| decimal(n).is_some())
    };
    (known || number()).then(|| signal_name(line))
}

fn signal_name(text: &[u8]) -> SignalLine {
    let (name, description) = match memchr::memmem::find(text, b": ") {
        Some(at) => (&text[..at], Some(lossy(&text[at + 2..]))),
        None => (text, None),
    };
    SignalLine { name: lossy(name), description, ..SignalLine::default() }
}

/// `PC=0x40de0c m=0 sigcode=0 addr=0x0` into the signal before it; false when it is no such line.
pub(super) fn signal_pc(line: &[u8], signal: &mut SignalLine) -> bool {
    let Some(rest) = line.strip_prefix(b"PC=") else { return false };
    let mut words = rest.split(|&b| b == b' ');
    let Some(pc) = words.next().and_then(hex) else { return false };
    signal.pc = Some(pc);
    for word in words {
        if let Some(v) = word.strip_prefix(b"m=") {
            signal.m = signed(v);
        } else if let Some(v) = word.strip_prefix(b"sigcode=") {
            signal.code = signed(v);
        } else if let Some(v) = word.strip_prefix(b"addr=") {
            signal.address = hex(v);
        }
    }
    true
}

/// `instruction bytes: 0xf 0xb …`
pub(super) fn instruction_bytes(line: &[u8]) -> Option<Vec<u8>> {
    let rest = line.strip_prefix(b"instruction bytes:")?;
    rest.split(|&b| b == b' ').filter(|w| !w.is_empty()).take(64).map(|w| hex(w).map(|v| v as u8)).collect()
}

/// `rax    0x0`; some architectures print two or four to a line.
pub(super) fn registers(line: &[u8], into: &mut Vec<(String, u64)>) -> bool {
    if !line.first().is_some_and(u8::is_ascii_lowercase) || line.len() > 200 {
        return false;
    }
    let mut words = line.split(|&b| b == b' ' || b == b'\t').filter(|w| !w.is_empty());
    let before = into.len();
    while let Some(name) = words.next() {
        let value = words.next().and_then(hex);
        match value {
            Some(value) if name.len() <= 8 && name.iter().all(u8::is_ascii_alphanumeric) => {
                into.push((lossy(name), value));
            }
            _ => {
                into.truncate(before);
                return false;
            }
        }
    }
    into.len() > before
}

/// A line of the runtime that stands on its own before or between stacks.
pub(super) fn note(line: &[u8]) -> bool {
    const STARTS: [&[u8]; 8] = [
        b"runtime: ",
        b"unexpected fault address 0x",
        b"accessed data from freed user arena 0x",
        b"panic during panic",
        b"stack trace unavailable",
        b"preempt off reason: ",
        b"fatal: morestack on ",
        b"fatal: systemstack called from ",
    ];
    STARTS.iter().any(|start| line.starts_with(start))
}

/// A line that continues the one of [`note`]: object dumps, stack bounds.
pub(super) fn note_continues(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'\t' | b' ')) || line.starts_with(b"object=") || line.starts_with(b"span.")
}

/// `exit status 2` of `go run` and `go test`, `signal: aborted (core dumped)` of `go run`.
pub(super) fn exit(line: &[u8], text_line: u64) -> Option<ExitLine> {
    if let Some(rest) = line.strip_prefix(b"exit status ") {
        let status = hex(rest).map(|v| v as i64).or_else(|| decimal(rest).map(|v| v as i64))?;
        return Some(ExitLine { text_line, text: lossy(line), status: Some(status) });
    }
    let rest = line.strip_prefix(b"signal: ")?;
    rest.first()?.is_ascii_lowercase().then(|| ExitLine { text_line, text: lossy(line), status: None })
}

/// `2026/11/21 08:33:31 http: panic serving 127.0.0.1:1234: value` (net/http, server.go).
pub(super) fn http_panic(line: &[u8]) -> Option<HeadlineKind> {
    const MARK: &[u8] = b"http: panic serving ";
    let at = memchr::memmem::find(line, MARK)?;
    let rest = &line[at + MARK.len()..];
    let end = memchr::memmem::find(rest, b": ")?;
    Some(HeadlineKind::HttpPanic { peer: lossy(&rest[..end]), value: lossy(&rest[end + 2..]) })
}

/// Whether a line could begin a crash, dump or race report; used to tell what carries it.
pub(super) fn begins_crash(line: &[u8]) -> bool {
    match line.first() {
        Some(b'g') => super::header::parse(line).is_some(),
        Some(b'p') => line.starts_with(b"panic: "),
        Some(b'f') => line.starts_with(b"fatal error: "),
        Some(b'S') => signal(line).is_some(),
        Some(b'r') => line.starts_with(b"runtime: "),
        Some(b'u') => line.starts_with(b"unexpected fault address "),
        Some(b'W') => Machine::begins(line),
        _ => false,
    }
}
