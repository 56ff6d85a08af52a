//! Signals by name.

use panicle_image::Os;

use crate::process::Process;

/// Sent by the runtime to its other threads when it dies under GOTRACEBACK=crash.
pub const SIGQUIT: i32 = 3;

/// Linux' numbers from 1 on (signal(7), x86 and arm).
const NAMES: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// `SIGABRT`; `signal 34` for the real-time ones.
pub fn name(number: i32) -> String {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match index.and_then(|index| NAMES.get(index)) {
        Some(name) => (*name).to_owned(),
        None => format!("signal {number}"),
    }
}

/// Windows' exceptions that Go's runtime knows or a dying thread has (winnt.h).
const EXCEPTIONS: [(u32, &str); 14] = [
    (0x8000_0002, "EXCEPTION_DATATYPE_MISALIGNMENT"),
    (0x8000_0003, "EXCEPTION_BREAKPOINT"),
    (0xc000_0005, "EXCEPTION_ACCESS_VIOLATION"),
    (0xc000_0006, "EXCEPTION_IN_PAGE_ERROR"),
    (0xc000_001d, "EXCEPTION_ILLEGAL_INSTRUCTION"),
    (0xc000_008d, "EXCEPTION_FLT_DENORMAL_OPERAND"),
    (0xc000_008e, "EXCEPTION_FLT_DIVIDE_BY_ZERO"),
    (0xc000_008f, "EXCEPTION_FLT_INEXACT_RESULT"),
    (0xc000_0091, "EXCEPTION_FLT_OVERFLOW"),
    (0xc000_0093, "EXCEPTION_FLT_UNDERFLOW"),
    (0xc000_0094, "EXCEPTION_INT_DIVIDE_BY_ZERO"),
    (0xc000_0095, "EXCEPTION_INT_OVERFLOW"),
    (0xc000_0096, "EXCEPTION_PRIV_INSTRUCTION"),
    (0xc000_00fd, "EXCEPTION_STACK_OVERFLOW"),
];

/// The name of what ended a process or became a panic on this system: `SIGSEGV`,
/// `EXCEPTION_ACCESS_VIOLATION`; `exception 0x2` for a code without a name.
pub fn name_on(os: Os, number: i32) -> String {
    if os != Os::Windows {
        return name(number);
    }
    let code = number.cast_unsigned();
    let known = EXCEPTIONS.iter().find(|(known, _)| *known == code);
    known.map_or_else(|| format!("exception {code:#x}"), |(_, name)| (*name).to_owned())
}

/// 6 for `SIGABRT`, and the number itself for what stands in for a name: `signal 34` ([`name`]),
/// `Signal 34` and `0x22` (the runtime's `fatalsignal` and `dopanic_m`).
pub fn number(name: &str) -> Option<i32> {
    if let Some(at) = NAMES.iter().position(|known| *known == name) {
        return i32::try_from(at + 1).ok();
    }
    if let Some(hex) = name.strip_prefix("0x") {
        return i32::from_str_radix(hex, 16).ok();
    }
    name.strip_prefix("signal ").or_else(|| name.strip_prefix("Signal "))?.parse().ok()
}

/// As the runtime prints it: `SIGABRT: abort` (`runtime.sigtable`).
pub fn printed_name(process: &Process<'_>, number: i32) -> String {
    /// `sigTabT`: flags, then the name.
    const ENTRY: u64 = 24;
    let own = || {
        let table = process.global("runtime.sigtable").ok()?;
        let index = u64::try_from(number).ok().filter(|&number| number <= 64)?;
        let name = process.go_string(table.wrapping_add(index * ENTRY + 8), 80).ok()?;
        (!name.is_empty()).then_some(name)
    };
    own().unwrap_or_else(|| name(number))
}

#[cfg(test)]
mod tests {
    use panicle_image::Os;

    use super::{name, name_on, number};

    #[test]
    fn windows_has_exceptions() {
        assert_eq!(name_on(Os::Linux, 2), "SIGINT");
        assert_eq!(name_on(Os::Windows, 2), "exception 0x2");
        assert_eq!(name_on(Os::Windows, 0xc000_0005_u32.cast_signed()), "EXCEPTION_ACCESS_VIOLATION");
    }

    #[test]
    fn names_and_numbers_agree() {
        for (value, text) in
            [(3, "SIGQUIT"), (6, "SIGABRT"), (11, "SIGSEGV"), (31, "SIGSYS"), (34, "signal 34")]
        {
            assert_eq!(name(value), text);
            assert_eq!(number(text), Some(value));
        }
        assert_eq!(name(0), "signal 0");
        assert_eq!(name(-4), "signal -4");
    }

    #[test]
    fn a_number_in_place_of_a_name_is_read() {
        assert_eq!(number("Signal 65"), Some(65));
        assert_eq!(number("0x41"), Some(65));
        for text in ["SIGNONE", "0x", "Signal", "signal x", ""] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
