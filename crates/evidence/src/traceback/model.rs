//! The shapes that a parsed traceback has.

use std::sync::Arc;

use super::carrier::origin::Origin;

/// One crash or goroutine dump, as far as its text goes.
///
/// Everything that a thread printed carries the number of its section: 0 is the thread that began
/// to die; under `GOTRACEBACK=crash` a dying signal handler relays SIGQUIT to every other thread,
/// and each `-----` line begins the next section (Go 1.21–1.27 signal_unix.go, `sighandler`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrashText {
    /// Where it comes from and when it was written, as what carries its first line says.
    pub origin: Origin,
    /// First line of the text that belongs to it, 1-based.
    pub first_line: u64,
    /// Last line of the text that belongs to it.
    pub last_line: u64,
    /// What is printed before the goroutines, in order of printing.
    pub headlines: Vec<Headline>,
    /// Goroutines in order of printing. One goroutine can be printed twice: as
    /// `stack unavailable` by the dying thread and with frames by its own thread, or by both of two
    /// threads that noticed a concurrent map access. See [`CrashText::goroutine`].
    pub goroutines: Vec<TextGoroutine>,
    /// Blocks that begin with `runtime stack:`, the system stack of a thread.
    pub runtime_stacks: Vec<RuntimeStack>,
    /// Blocks of registers that a signal handler printed.
    pub registers: Vec<Registers>,
    /// How many `-----` lines there were.
    pub relayed_sections: u32,
    /// Lines that GODEBUG asked for, the last ones of each setting before the crash and within; without the
    /// many of `scheddetail`.
    pub godebug: Vec<GodebugLine>,
    /// What `go run`, `go test` or the shell added: `exit status 2`.
    pub exit: Option<ExitLine>,
    /// Goroutines that were read but not kept, past [`Limits`](super::Limits). They are counted in
    /// [`Self::clusters`].
    pub goroutines_dropped: u64,
    /// All goroutines by state and stack, kept or not; empty where every goroutine was kept.
    pub clusters: Vec<TextCluster>,
    /// Goroutines among the dropped that are in no cluster: there were too many different stacks.
    pub unclustered: u64,
    /// Headlines, system stacks and registers that were not kept, past a limit of their own.
    pub others_dropped: u64,
}

/// Goroutines with one state, wait reason and stack (functions and lines).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextCluster {
    /// The first of them that was printed.
    pub first: TextGoroutine,
    /// How many there are.
    pub count: u64,
    /// The lowest of their ids, at most ten, ascending.
    pub example_ids: Vec<u64>,
    /// Shortest and longest printed wait in minutes.
    pub wait_minutes: Option<(u64, u64)>,
}

impl CrashText {
    /// It is a headline and nothing below it: of a process that prints no stacks, cut there, or only mentioned.
    pub fn is_without_stacks(&self) -> bool {
        self.goroutines.is_empty() && self.runtime_stacks.is_empty()
    }

    /// The best of what was printed about a goroutine: the print that has the most frames.
    pub fn goroutine(&self, id: u64) -> Option<&TextGoroutine> {
        self.goroutines.iter().filter(|g| g.id == id).max_by(|a, b| {
            // On equal counts the first print stands nearer to the moment of the crash.
            (a.frames.len(), !a.unavailable, std::cmp::Reverse(a.text_line)).cmp(&(
                b.frames.len(),
                !b.unavailable,
                std::cmp::Reverse(b.text_line),
            ))
        })
    }

    /// The panic chain, first raised first.
    pub fn panics(&self) -> impl Iterator<Item = &PanicLine> {
        self.headlines.iter().filter_map(|h| match &h.kind {
            HeadlineKind::Panic(p) => Some(p),
            _ => None,
        })
    }

    /// Messages of `fatal error:` lines.
    pub fn fatals(&self) -> impl Iterator<Item = &str> {
        self.headlines.iter().filter_map(|h| match &h.kind {
            HeadlineKind::Fatal { message, .. } => Some(message.as_str()),
            _ => None,
        })
    }

    /// The signal that a panic came from (`[signal SIGSEGV: …]`) or that ended the process.
    pub fn signal(&self) -> Option<&SignalLine> {
        self.headlines.iter().filter(|h| h.section == 0).find_map(|h| match &h.kind {
            HeadlineKind::PanicSignal(s) | HeadlineKind::Signal(s) => Some(s),
            _ => None,
        })
    }
}

/// A line, or a message of several lines, that is printed before stacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// Section it was printed in; see [`CrashText`].
    pub section: u32,
    /// Line of the text where it starts, 1-based.
    pub text_line: u64,
    /// What it says.
    pub kind: HeadlineKind,
}

/// What a [`Headline`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadlineKind {
    /// `panic: …`, one line of the chain.
    Panic(PanicLine),
    /// `fatal error: …`: `throw` or `fatal`.
    Fatal {
        /// What follows `fatal error: `.
        message: String,
        /// It was printed on one line together with another thread's (Go ≤ 1.23 has no lock
        /// around it) and was taken apart.
        interleaved: bool,
    },
    /// `[signal SIGSEGV: segmentation violation code=… addr=… pc=…]` under a panic or fatal error.
    PanicSignal(SignalLine),
    /// `SIGQUIT: quit` and the `PC=… m=… sigcode=…` line after it.
    Signal(SignalLine),
    /// `http: panic serving 10.0.0.7:41234: …`, logged by net/http for a panic it recovered.
    HttpPanic {
        /// The client.
        peer: String,
        /// The value.
        value: String,
    },
    /// Another line of the runtime: `unexpected fault address 0x…`, `runtime: goroutine stack
    /// exceeds 1000000000-byte limit`, `panic during panic`, …
    Note(String),
}

/// One `panic: …` of a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PanicLine {
    /// The value as the runtime prints it, without the marks at its end. Lines after the first are
    /// given as the program wrote them: without the tab that Go 1.23+ puts before them.
    pub value: String,
    /// `[recovered]`: a deferred function recovered it, and a later one panicked again.
    pub recovered: bool,
    /// `[recovered, repanicked]` (Go 1.25+): raised again with the same value.
    pub repanicked: bool,
    /// A `runtime.Goexit` was under way between the one before and this one; the runtime leaves
    /// its indentation without a line of its own.
    pub after_goexit: bool,
}

/// A signal, in either of the two ways the runtime prints one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignalLine {
    /// `SIGSEGV`; for a signal without a name what is printed instead (`0x41`, `Signal 65`).
    pub name: String,
    /// `segmentation violation`.
    pub description: Option<String>,
    /// `code=` or `sigcode=`. Negative codes are printed as 64-bit unsigned numbers and come back
    /// signed.
    pub code: Option<i64>,
    /// `addr=`: what the fault is about.
    pub address: Option<u64>,
    /// `pc=` or `PC=`.
    pub pc: Option<u64>,
    /// `m=`: the runtime's number of the thread, not a thread id of the system.
    pub m: Option<i64>,
    /// `signal arrived during cgo execution`.
    pub in_cgo: bool,
    /// `instruction bytes:` of SIGILL and SIGFPE.
    pub instruction_bytes: Vec<u8>,
}

/// A goroutine as printed.
#[expect(clippy::struct_excessive_bools, reason = "each is a word of its own in the text")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextGoroutine {
    /// Section it was printed in; see [`CrashText`].
    pub section: u32,
    /// Line of its header, 1-based.
    pub text_line: u64,
    /// Last line that belongs to it.
    pub text_last_line: u64,
    /// `goid`. 0 is a thread's system stack (`g0`, `gsignal`).
    pub id: u64,
    /// Address of its `g` (Go 1.22+ at level system and above, or in a throw).
    pub gp: Option<u64>,
    /// `m.id` of its thread; `None` for `m=nil` and where not printed.
    pub m: Option<i64>,
    /// Address of its `m`.
    pub mp: Option<u64>,
    /// The state word as the report has it: `running`, `waiting`, `leaked`, …
    pub status: Arc<str>,
    /// The wait reason as the runtime spells it, for goroutines that wait (or leaked while
    /// waiting).
    pub wait_reason: Option<Arc<str>>,
    /// Whole minutes it has been waiting; the runtime prints none below one.
    pub wait_minutes: Option<u64>,
    /// `(scan)`: the garbage collector holds it.
    pub scan: bool,
    /// `(leaked)` (Go 1.26+).
    pub leaked: bool,
    /// Durably blocked in its synctest bubble (Go 1.25+), whether the word is part of the reason's
    /// own spelling or was put after it.
    pub durable: bool,
    /// `locked to thread`.
    pub locked_to_thread: bool,
    /// `synctest bubble N` (Go 1.24+).
    pub synctest_bubble: Option<u64>,
    /// Profiler labels (Go 1.27+), in order of printing, unquoted.
    pub labels: Vec<(String, String)>,
    /// Innermost first.
    pub frames: Vec<TextFrame>,
    /// The `go` statement that made it; none for the main goroutine.
    pub created_by: Option<TextCreatedBy>,
    /// Frames left out of the middle.
    pub elided: Option<TextElided>,
    /// `goroutine running on other thread; stack unavailable`.
    pub unavailable: bool,
    /// `[originating from goroutine N]` blocks (`GODEBUG=tracebackancestors=N`).
    pub ancestors: Vec<TextAncestor>,
    /// Other lines of the runtime inside its stack, such as `runtime: g 7: unexpected return pc`.
    pub notes: Vec<String>,
    /// The text ends inside of it, or more frames were printed than
    /// [`Limits::frames`](super::Limits).
    pub truncated: bool,
}

impl TextGoroutine {
    /// The stack belongs to a thread, not to a goroutine of the program.
    pub fn is_system_stack(&self) -> bool {
        self.id == 0
    }
}

/// A frame as printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextFrame {
    /// Line of the text with its function, 1-based.
    pub text_line: u64,
    /// As printed; `panic` stands for `runtime.gopanic`, see [`TextFrame::function_name`].
    pub function: Arc<str>,
    /// Between the parentheses: `0x1, {0xc000012345, 0x5}`, `...`; `None` for C functions, which
    /// are printed without.
    pub args: Option<Arc<str>>,
    /// `...` in the place of arguments: inlined into the next frame outwards (in the stack of an
    /// ancestor every frame is printed so).
    pub inlined: bool,
    /// `None` for `non-Go function at pc=…`.
    pub file: Option<Arc<str>>,
    /// 1-based line; 0 is printed for a pc without line information.
    pub line: Option<u32>,
    /// `+0x…`: from the function's entry.
    pub entry_offset: Option<u64>,
    /// `fp=`
    pub fp: Option<u64>,
    /// `sp=`
    pub sp: Option<u64>,
    /// `pc=`
    pub pc: Option<u64>,
}

impl TextFrame {
    /// The function as the report spells it; see [`function_name`](super::function_name).
    pub fn function_name(&self) -> &str {
        super::function_name(&self.function)
    }

    /// A frame of C code, named by a cgo symbolizer or not at all.
    pub fn is_non_go(&self) -> bool {
        self.args.is_none()
    }
}

/// `created by main.main in goroutine 1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextCreatedBy {
    /// As printed.
    pub function: Arc<str>,
    /// Goroutine that ran the `go` statement (Go 1.21+).
    pub goroutine: Option<u64>,
    /// `None` where the text is cut.
    pub file: Option<Arc<str>>,
    /// 1-based line.
    pub line: Option<u32>,
    /// `+0x…`: from the function's entry.
    pub entry_offset: Option<u64>,
}

/// `...N frames elided...`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextElided {
    /// How many frames come before the gap.
    pub after: usize,
    /// How many are left out; unknown for `...additional frames elided...` (Go ≤ 1.20).
    pub count: Option<u64>,
}

/// The stack of an ancestor at the moment it ran the `go` statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextAncestor {
    /// Which goroutine.
    pub goroutine: u64,
    /// Its frames, innermost first, without arguments.
    pub frames: Vec<TextFrame>,
    /// What made it.
    pub created_by: Option<TextCreatedBy>,
    /// Frames left out.
    pub elided: Option<TextElided>,
}

/// `runtime stack:` and its frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeStack {
    /// Section it was printed in; see [`CrashText`].
    pub section: u32,
    /// Line of the text where it starts, 1-based.
    pub text_line: u64,
    /// Innermost first.
    pub frames: Vec<TextFrame>,
    /// Frames left out of the middle.
    pub elided: Option<TextElided>,
    /// As [`TextGoroutine::notes`].
    pub notes: Vec<String>,
    /// As [`TextGoroutine::truncated`].
    pub truncated: bool,
}

/// Registers as a signal handler prints them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// Section they were printed in; see [`CrashText`].
    pub section: u32,
    /// Line of the text where the block starts, 1-based.
    pub text_line: u64,
    /// Name and value in order of printing.
    pub values: Vec<(String, u64)>,
}

/// A line that GODEBUG asked for: `gc 12 @3.405s 1%: …`, `SCHED 1009ms: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GodebugLine {
    /// Line of the text, 1-based.
    pub text_line: u64,
    /// The setting: `gctrace`, `schedtrace`, `scheddetail`, `scavtrace`, `gcpacertrace`, `inittrace`.
    pub kind: &'static str,
    /// As printed.
    pub text: String,
}

/// A line about the end of the process, from whoever started it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitLine {
    /// Line of the text, 1-based.
    pub text_line: u64,
    /// `exit status 2`, `signal: aborted (core dumped)`.
    pub text: String,
    /// The number of an exit status.
    pub status: Option<i64>,
}
