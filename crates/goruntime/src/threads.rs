//! Threads: which `m` each is, on which stack it stands, and where a signal interrupted it.

mod windows;

use std::{collections::HashMap, ops::ControlFlow};

use panicle_image::{Arch, Core, Os, Registers, SignalFrame, SignalInfo};
use panicle_report::{Diagnostic, Stage, ThreadOn};

use crate::{
    cframes::{self, CCode, CEnd, CStack},
    goroutine::word,
    process::Process,
    unwind::{self, PhysicalFrame, Start},
};

/// Threads are bounded by the kernel's limit, 4 million at the most; Go's own is ten thousand.
const MOST_MACHINES: usize = 100_000;
/// A signal may interrupt a signal handler; deeper nesting is damage.
const MOST_SIGNALS: usize = 4;

/// An `m`: the runtime's side of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct M {
    /// Where it is.
    pub address: u64,
    /// Thread id, 0 while the thread is starting.
    pub tid: i32,
    /// The goroutine it runs, 0 for none.
    pub current: u64,
    /// The scheduler's `g`.
    pub g0: u64,
    /// The signal handler's `g`.
    pub gsignal: u64,
    /// Not 0 while it prints a crash.
    pub dying: u64,
    /// Not 0 after `throw` (2) or `fatal` (1).
    pub throwing: u64,
    /// The `g` that a fatal signal hit.
    pub caught_signal: u64,
    /// Where it entered the vDSO, sp 0 for not in it.
    pub vdso: (u64, u64),
}

/// What a thread does, or did when a signal came.
#[derive(Clone, Debug)]
pub struct Level {
    /// Its registers.
    pub registers: Registers,
    /// The signal that ended this; none for what it does now.
    pub interrupted_by: Option<SignalInfo>,
    /// The C code that it stands in, when it does: its frames are further in than [`Self::frames`].
    pub(crate) c: Option<CStack>,
    /// The Go frames it stands in, up to a stack switch or the signal handler's entry.
    pub frames: Vec<PhysicalFrame>,
    /// Whether their stack pointers are known. Where not, there is but one of them.
    pub(crate) sp_known: bool,
    /// How many of them, from the first on, were found by looking through the stack.
    pub guessed: usize,
    /// The C code outwards of them: what started the thread, or what failed.
    pub(crate) below: Option<CStack>,
}

impl Level {
    /// The C code that the program was in.
    pub(crate) fn at_work_in_c(&self) -> Option<&CStack> {
        let failed = || self.frames.last().is_some_and(|frame| frame.symbols.name == "runtime.sigpanic");
        self.c.as_ref().or_else(|| self.below.as_ref().filter(|_| failed()))
    }

    /// Whether a frame is of function `name`.
    pub fn stands_in(&self, name: &str) -> bool {
        self.frames.iter().any(|frame| frame.symbols.name == name)
    }
}

/// A thread of the core.
#[derive(Clone, Debug)]
pub struct Thread {
    /// Thread id.
    pub tid: i32,
    /// Its `m`, once it has one.
    pub m: Option<M>,
    /// What it does now, then what each signal interrupted, back to the program's own work. Never
    /// empty. The dying runtime signals itself from within a signal handler, so there can be three.
    pub levels: Vec<Level>,
}

impl Thread {
    /// Its registers at the time of the core.
    pub fn registers(&self) -> Registers {
        self.levels[0].registers
    }

    /// The registers of what the thread did for the program: before any signal.
    pub fn at_work(&self) -> Registers {
        self.levels.last().map_or(self.registers(), |level| level.registers)
    }

    /// The signals it is handling, with the handler's frames; the latest first.
    pub fn handling(&self) -> impl Iterator<Item = (&Level, SignalInfo)> {
        self.levels.windows(2).filter_map(|pair| Some((&pair[0], pair[1].interrupted_by?)))
    }
}

/// Frames of a thread's own stack that are kept.
const MOST_FRAMES: usize = 100;

/// The threads of `core` with their `m`s.
pub(crate) fn all(
    process: &Process<'_>,
    core: &Core<'_>,
    code: &CCode<'_>,
) -> (Vec<Thread>, Vec<Diagnostic>) {
    let (machines, diagnostics) = machines(process);
    let by_tid: HashMap<i32, M> = machines.into_iter().map(|m| (m.tid, m)).collect();
    let threads = core
        .threads
        .iter()
        .map(|thread| {
            let m = by_tid.get(&thread.tid).copied();
            Thread { tid: thread.tid, m, levels: levels(process, code, core.arch, &thread.registers) }
        })
        .collect();
    (threads, diagnostics)
}

/// The `m`s of `runtime.allm`.
fn machines(process: &Process<'_>) -> (Vec<M>, Vec<Diagnostic>) {
    let mut machines = Vec::new();
    let mut next = match process.global("runtime.allm").and_then(|allm| Ok(process.memory.u64(allm)?)) {
        Ok(first) => first,
        Err(error) => {
            let text = format!("The list of threads cannot be read: {error}.");
            return (machines, vec![Diagnostic::warning(Stage::Goroutines, text)]);
        }
    };
    let mut diagnostics = Vec::new();
    while next != 0 && machines.len() < MOST_MACHINES {
        let m = match process.object("runtime.m", next) {
            Ok(m) if m.word("procid").is_ok() => m,
            _ => {
                let text = "The list of threads breaks off: the memory behind it is not in the core.";
                diagnostics.push(Diagnostic::warning(Stage::Goroutines, text));
                break;
            }
        };
        machines.push(M {
            address: next,
            tid: word(&m, "procid") as i32,
            current: word(&m, "curg"),
            g0: word(&m, "g0"),
            gsignal: word(&m, "gsignal"),
            dying: word(&m, "dying"),
            throwing: word(&m, "throwing"),
            caught_signal: word(&m, "caughtsig"),
            vdso: (word(&m, "vdsoPC"), word(&m, "vdsoSP")),
        });
        next = word(&m, "alllink");
    }
    (machines, diagnostics)
}

/// What a thread does and what it was interrupted in.
fn levels(process: &Process<'_>, code: &CCode<'_>, arch: Arch, registers: &Registers) -> Vec<Level> {
    let mut levels = Vec::new();
    let mut next = Some((*registers, None));
    while let Some((registers, interrupted_by)) = next {
        let on_windows = process.executable.os == Os::Windows;
        let c = if on_windows { None } else { cframes::at_registers(process, code, &registers) };
        let start = match c.as_ref().map(|c| &c.end) {
            Some(&CEnd::Go { pc, sp }) => {
                Start { pc, sp: sp.unwrap_or(0), lr: 0, trap: false, syscall: false }
            }
            _ => Start::interrupted(&registers),
        };
        let sp_known = !matches!(c.as_ref().map(|c| &c.end), Some(CEnd::Go { sp: None, .. }));
        let (mut frames, mut signal_frame) = walk(process, start);
        if !sp_known {
            frames.truncate(1);
            signal_frame = None;
        }
        let mut guessed = 0;
        if frames.is_empty() && on_windows {
            (frames, guessed) = windows::behind_a_call(process, &registers);
        }
        let outermost = frames.last().filter(|_| sp_known);
        let below = outermost.and_then(|outermost| cframes::below(process, code, outermost));
        levels.push(Level { registers, interrupted_by, c, frames, sp_known, guessed, below });
        next = (levels.len() <= MOST_SIGNALS)
            .then(|| signal_frame.and_then(|address| SignalFrame::read(arch, process.memory, address)))
            .flatten()
            .map(|frame| (frame.registers, Some(frame.signal)));
    }
    levels
}

/// Walks a thread's own stack; also the address of the kernel's signal frame, where there is one.
fn walk(process: &Process<'_>, start: Start) -> (Vec<PhysicalFrame>, Option<u64>) {
    let mut frames = Vec::new();
    let mut signal_frame = None;
    unwind::walk(process, start, |frame| {
        // The kernel calls the handler so that it returns to a trampoline; what it saved lies
        // at the handler's caller's end of the stack.
        if is_signal_entry(&frame.symbols.name) {
            signal_frame = Some(frame.fp);
        }
        frames.push(frame.clone());
        if signal_frame.is_some() || frames.len() >= MOST_FRAMES {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    (frames, signal_frame)
}

fn is_signal_entry(name: &str) -> bool {
    matches!(name, "runtime.sigtramp" | "runtime.cgoSigtramp")
}

/// Which stack `sp` is on, for the thread of `m`.
pub fn stack_of(process: &Process<'_>, m: &M, sp: u64) -> Option<ThreadOn> {
    let owns = |g: u64| {
        process.object("runtime.g", g).is_ok_and(|g| word(&g, "stack.lo") <= sp && sp < word(&g, "stack.hi"))
    };
    [(m.current, ThreadOn::Goroutine), (m.g0, ThreadOn::G0), (m.gsignal, ThreadOn::Gsignal)]
        .into_iter()
        .find(|&(g, _)| g != 0 && owns(g))
        .map(|(_, on)| on)
}
