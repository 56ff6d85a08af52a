//! Signals by name.

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
