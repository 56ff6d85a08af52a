//! Names of signals on Linux (x86 and arm numbering; runtime/sigtab_linux_generic.go).

use panicle_report::Signal;

const NAMES: &[&str] = &[
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

/// `SIGABRT` for 6; `signal 40` for a number without a name.
pub(crate) fn name(number: i32) -> String {
    usize::try_from(number)
        .ok()
        .and_then(|n| NAMES.get(n.checked_sub(1)?))
        .map_or_else(|| format!("signal {number}"), |name| (*name).to_owned())
}

/// 6 for `SIGABRT`.
pub(crate) fn number(name: &str) -> Option<i32> {
    NAMES.iter().position(|known| *known == name).and_then(|at| i32::try_from(at + 1).ok())
}

/// A signal known by its printed name.
pub(crate) fn by_name(name: &str, code: Option<i64>, address: Option<u64>) -> Signal {
    Signal {
        number: number(name).unwrap_or(0),
        name: name.to_owned(),
        code: code.and_then(|c| i32::try_from(c).ok()),
        address: address.map(panicle_report::Address),
        sender_pid: None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_and_numbers_agree() {
        for (number, name) in [(3, "SIGQUIT"), (6, "SIGABRT"), (11, "SIGSEGV"), (31, "SIGSYS")] {
            assert_eq!(super::name(number), name);
            assert_eq!(super::number(name), Some(number));
        }
        assert_eq!(super::name(0), "signal 0");
        assert_eq!(super::name(-4), "signal -4");
        assert_eq!(super::number("SIGNONE"), None);
    }
}
