//! The runtime's list of goroutines and what each `g` says of itself.

use std::collections::{BTreeMap, HashSet};

use panicle_report::{Address, CreatedBy, Diagnostic, Stage, WaitingOn};

use crate::{
    labels,
    process::{Object, Process, ReadError},
    status::{Status, Words},
};

/// A process with more goroutines has other problems; the rest is said to be missing.
const MOST_GOROUTINES: u64 = 4_000_000;

/// Registers that were saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Program counter, a return address.
    pub pc: u64,
    /// Stack pointer.
    pub sp: u64,
    /// Link register; 0 where it was not saved.
    pub lr: u64,
}

/// A `g`.
#[derive(Clone, Debug)]
pub struct G {
    /// Where it is.
    pub address: u64,
    /// `goid`; 0 for the scheduler's own.
    pub id: u64,
    /// State.
    pub status: Status,
    /// Why it waits.
    pub wait_reason: Option<String>,
    /// When the collector noticed that it waits, in nanoseconds of the monotonic clock; 0 for never.
    pub wait_since: u64,
    /// Stack bounds.
    pub stack: (u64, u64),
    /// Where it was when it last left the processor.
    pub scheduled: Saved,
    /// Where it entered the system call it is in.
    pub syscall: Option<Saved>,
    /// The thread's `m` it is on, 0 for none.
    pub m: u64,
    /// Locked to its thread.
    pub locked: bool,
    /// Its innermost `_panic`, 0 for none.
    pub panics: u64,
    /// The return address of the `go` statement.
    pub go_pc: u64,
    /// The function it started with.
    pub start_pc: u64,
    /// Who ran the `go` statement; 0 where unknown.
    pub parent: u64,
    /// The labels' address.
    pub labels: u64,
    /// The `sudog`s it waits with, 0 for none; waits on semaphores have theirs elsewhere.
    pub waiting: u64,
    /// Signal that became a panic, with code, address and pc.
    pub signal: Option<[u64; 4]>,
}

impl G {
    /// Reads the `g` at `address`.
    pub fn read(process: &Process<'_>, words: &Words, address: u64) -> Result<Self, ReadError> {
        let g = process.object("runtime.g", address)?;
        let status = words.status(g.word("atomicstatus")?);
        let wait_reason = status
            .has_reason()
            .then(|| g.word("waitreason").ok().and_then(|number| words.reason(number)))
            .flatten()
            .map(str::to_owned);
        // A field that a version lacks is unknown, not an error.
        let optional = |path: &'static str| g.word(path).unwrap_or(0);
        let syscall_sp = optional("syscallsp");
        let signal = optional("sig");
        Ok(Self {
            address,
            id: g.word("goid")?,
            status,
            wait_reason,
            wait_since: optional("waitsince"),
            stack: (g.word("stack.lo")?, g.word("stack.hi")?),
            scheduled: Saved { pc: g.word("sched.pc")?, sp: g.word("sched.sp")?, lr: optional("sched.lr") },
            syscall: (syscall_sp != 0).then(|| Saved { pc: optional("syscallpc"), sp: syscall_sp, lr: 0 }),
            m: optional("m"),
            locked: optional("lockedm") != 0,
            panics: optional("_panic"),
            go_pc: optional("gopc"),
            start_pc: optional("startpc"),
            parent: optional("parentGoid"),
            labels: optional("labels"),
            waiting: optional("waiting"),
            signal: (signal != 0)
                .then(|| [signal, optional("sigcode0"), optional("sigcode1"), optional("sigpc")]),
        })
    }

    /// Whether `address` is on its stack.
    pub fn owns(&self, address: u64) -> bool {
        self.stack.0 <= address && address < self.stack.1
    }

    /// The `go` statement that made it, as a traceback tells it: the physical function that holds
    /// the statement, with the line of the statement. The main goroutine has none.
    pub fn created_by(&self, process: &Process<'_>) -> Option<CreatedBy> {
        if self.id == 1 {
            return None;
        }
        let symbols = process.symbolizer.symbols(self.go_pc)?;
        let lookup = if self.go_pc > symbols.entry { self.go_pc - 1 } else { self.go_pc };
        let calls = process.symbolizer.calls(lookup);
        let position = calls.first();
        Some(CreatedBy {
            function: process.symbolizer.function_name(self.go_pc)?,
            file: position.and_then(|call| call.file.clone()),
            line: position.and_then(|call| call.line),
            goroutine: (self.parent != 0).then_some(self.parent),
        })
    }

    /// Started by the runtime for itself (`isSystemGoroutine`): by a function of package runtime
    /// other than those that run a program's code.
    pub fn is_system(&self, process: &Process<'_>) -> bool {
        process.symbolizer.symbols(self.start_pc).is_some_and(|symbols| {
            symbols.name.starts_with("runtime.")
                && !matches!(
                    symbols.name.as_str(),
                    "runtime.main" | "runtime.corostart" | "runtime.handleAsyncEvent"
                )
        })
    }

    /// The channel it waits on, with the direction; a `select` waits on several and names none.
    pub fn waiting_on(&self, process: &Process<'_>) -> Option<WaitingOn> {
        let reason = self.wait_reason.as_deref()?;
        let direction = ["receive", "send"].into_iter().find(|&direction| {
            reason.strip_prefix("chan ").is_some_and(|rest| rest.starts_with(direction))
        })?;
        let channel = || process.object("runtime.sudog", self.waiting).ok()?.word("c").ok();
        Some(WaitingOn {
            kind: "channel".to_owned(),
            // A nil channel has no address, and nobody to wait with.
            address: if self.waiting == 0 { None } else { channel().map(Address) },
            direction: Some(direction.to_owned()),
        })
    }

    /// Profiler labels; empty for none.
    pub fn labels(&self, process: &Process<'_>) -> Result<BTreeMap<String, String>, ReadError> {
        labels::read(process, self.labels)
    }
}

/// Every goroutine that is not free, as `runtime.allgs` lists them.
pub fn all(process: &Process<'_>, words: &Words) -> (Vec<G>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let header = process.global("runtime.allgs").and_then(|allgs| process.slice_header(allgs, 8));
    let (data, length) = match header {
        Ok(header) => header,
        Err(error) => {
            let text = format!("The list of goroutines cannot be read: {error}.");
            return (Vec::new(), vec![Diagnostic::error(Stage::Goroutines, text)]);
        }
    };
    if length > MOST_GOROUTINES {
        diagnostics.push(Diagnostic::warning(
            Stage::Goroutines,
            format!("The process lists {length} goroutines; the first {MOST_GOROUTINES} are read."),
        ));
    }
    let mut goroutines = Vec::new();
    let mut unreadable = 0_u64;
    let mut seen = HashSet::new();
    for index in 0..length.min(MOST_GOROUTINES) {
        let Ok(address) = process.memory.u64(data.wrapping_add(index * 8)) else {
            unreadable += length.min(MOST_GOROUTINES) - index;
            break;
        };
        // A damaged list may name one `g` a million times.
        if !seen.insert(address) {
            continue;
        }
        match G::read(process, words, address) {
            Ok(g) if !g.status.is_free() => goroutines.push(g),
            Ok(_) => {}
            Err(_) => unreadable += 1,
        }
    }
    if unreadable > 0 {
        diagnostics.push(Diagnostic::warning(
            Stage::Goroutines,
            format!("{unreadable} of {length} goroutines cannot be read: their memory is not in the core."),
        ));
    }
    (goroutines, diagnostics)
}

/// A word of the `m` or `g` at an address, 0 where it is missing.
pub(crate) fn word(object: &Object<'_, '_>, path: &'static str) -> u64 {
    object.word(path).unwrap_or(0)
}
