//! Goroutine states and wait reasons in the runtime's own words.
//!
//! The runtime keeps both as arrays of strings (`gStatusStrings` in traceback.go,
//! `waitReasonStrings` in runtime2.go), so the words come out of the crashed process itself and
//! fit its version, whatever that is.

use panicle_report::{Diagnostic, Stage};

use crate::process::{Process, ReadError};

/// `_Gscan`: the collector holds the goroutine.
pub(crate) const SCAN: u64 = 0x1000;
/// The longest table is under 64 entries.
const MOST_WORDS: u64 = 256;
/// The longest word is "GOMAXPROCS updater (idle)".
const LONGEST_WORD: u64 = 80;

/// States by number as every version since Go 1.14 has them (runtime2.go; the last two came with Go
/// 1.26), for processes whose own words cannot be found.
const STATES: [&str; 12] = [
    "idle",
    "runnable",
    "running",
    "syscall",
    "waiting",
    "",
    "dead",
    "",
    "copystack",
    "preempted",
    "leaked",
    "waiting for cgo callback",
];

/// A goroutine's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The state word: `running`, `waiting`, …
    pub word: String,
    /// The collector was looking at it.
    pub scan: bool,
}

impl Status {
    /// No goroutine: never started, finished, or kept for callbacks from C.
    pub fn is_free(&self) -> bool {
        matches!(self.word.as_str(), "idle" | "dead" | "waiting for cgo callback")
    }

    /// Executing Go code on a thread.
    pub fn is_running(&self) -> bool {
        self.word == "running"
    }

    /// In a system call.
    pub fn is_syscall(&self) -> bool {
        self.word == "syscall"
    }

    /// Waiting for a reason that the runtime gave.
    pub fn has_reason(&self) -> bool {
        matches!(self.word.as_str(), "waiting" | "leaked")
    }
}

/// The words of one process.
pub struct Words {
    states: Vec<String>,
    reasons: Vec<String>,
}

impl Words {
    /// Reads them; what cannot be found is said.
    pub fn read(process: &Process<'_>) -> (Self, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let mut table = |name: &'static str| {
            words(process, name).unwrap_or_else(|error| {
                diagnostics.push(Diagnostic::warning(
                    Stage::Goroutines,
                    format!("The runtime's words for goroutine states ({name}) cannot be read: {error}."),
                ));
                Vec::new()
            })
        };
        let (states, reasons) = (table("runtime.gStatusStrings"), table("runtime.waitReasonStrings"));
        (Self { states, reasons }, diagnostics)
    }

    /// The state that `g.atomicstatus` tells.
    pub fn status(&self, number: u64) -> Status {
        let plain = number & !SCAN;
        let index = usize::try_from(plain).unwrap_or(usize::MAX);
        let own = self.states.get(index).map(String::as_str);
        let word = own.or_else(|| STATES.get(index).copied()).filter(|word| !word.is_empty());
        Status {
            // What the runtime prints for a number it does not know.
            word: word.unwrap_or("???").to_owned(),
            scan: number & SCAN != 0,
        }
    }

    /// The reason that `g.waitreason` tells; `None` for none, or one that is not in the table.
    pub fn reason(&self, number: u64) -> Option<&str> {
        let index = usize::try_from(number).ok().filter(|&index| index != 0)?;
        self.reasons.get(index).map(String::as_str).filter(|reason| !reason.is_empty())
    }
}

/// An array of strings, as long as its symbol says. Without a symbol its length is not known: then it
/// ends before the first thing that is no short string. What may follow it does no harm, since no
/// goroutine has a number that high.
fn words(process: &Process<'_>, name: &'static str) -> Result<Vec<String>, ReadError> {
    let address = process.global(name)?;
    let at = |index: u64| address.wrapping_add(index * 16);
    let size = process.executable.symbol(name).map(|symbol| symbol.size).filter(|&size| size > 0);
    if let Some(size) = size {
        let count = (size / 16).min(MOST_WORDS);
        return (0..count).map(|index| process.go_string(at(index), LONGEST_WORD)).collect();
    }
    let word = |index: u64| {
        let length = process.memory.u64(at(index).wrapping_add(8)).ok()?;
        (length <= LONGEST_WORD).then(|| process.go_string(at(index), LONGEST_WORD).ok()).flatten()
    };
    Ok((0..MOST_WORDS).map_while(word).collect())
}
