//! A crash as its printed text tells it, in the shapes of the report.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use panicle_evidence::traceback::{
    CrashText, HeadlineKind, Origin, PanicLine, SignalLine, TextCreatedBy, TextFrame, TextGoroutine,
};
use panicle_goruntime::{signals, spell};
use panicle_report::{
    Address, CreatedBy, Elided, Frame, FrameKind, Goroutine, GoroutineCluster, Leaked, Panic, PanicKind,
    PanicLink, PanicValue, Signal, Trust,
};

use crate::clusters;

/// What a printed crash tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct FromText {
    /// The panic, fatal error or signal.
    pub(crate) panic: Option<Panic>,
    /// Goroutines by id, each once.
    pub(crate) goroutines: Vec<Goroutine>,
    /// The goroutine at fault.
    pub(crate) crashing: Option<u64>,
    /// Other lines of the runtime.
    pub(crate) notes: Vec<String>,
    /// Who recovered the panic and logged it, if it ended no process.
    pub(crate) survived: Option<&'static str>,
    /// The last line of each setting of GODEBUG before the end and within, with its line of the text.
    pub(crate) godebug: Vec<(u64, String)>,
    /// Where the text comes from, as what carries it says.
    pub(crate) origin: Origin,
    /// Goroutines that the text has and the list has not.
    pub(crate) dropped: u64,
    /// All goroutines clustered, where the list has not all of them.
    pub(crate) clusters: Option<Vec<GoroutineCluster>>,
}

/// The crash among several of a text that a report is made of: the last one that ended a process and has a stack
/// (a log has restarts in it, and the newest matters), else the last whose end shows otherwise, else the last
/// panic that was recovered and logged, else the last dump. A line that begins like a crash, and nothing else, comes
/// last: a log may only mention one, or be cut there.
pub(crate) fn choose(crashes: &[CrashText]) -> Option<usize> {
    (0..crashes.len()).max_by_key(|&at| (rank(&crashes[at]), at))
}

/// How much a crash or dump tells of an end.
pub(crate) fn rank(crash: &CrashText) -> u8 {
    let shown = crash.exit.is_some()
        || crash
            .headlines
            .iter()
            .any(|h| matches!(h.kind, HeadlineKind::PanicSignal(_) | HeadlineKind::Signal(_)));
    match (kind(crash), survived(crash)) {
        (_, Some(_)) => 2,
        (Some(_), None) if !crash.is_without_stacks() => 4,
        (Some(_), None) if shown => 3,
        (Some(_), None) => 0,
        (None, None) => 1,
    }
}

/// Translates one crash.
pub(crate) fn read(crash: CrashText) -> FromText {
    let panic = panic(&crash);
    let crashing = crashing(&crash, panic.as_ref());
    let notes = crash
        .headlines
        .iter()
        .filter_map(|h| match &h.kind {
            HeadlineKind::Note(text) => Some(text.clone()),
            HeadlineKind::Signal(s) if s.in_cgo => Some("signal arrived during cgo execution".to_owned()),
            _ => None,
        })
        .collect();
    let survived = survived(&crash);
    let mut godebug: BTreeMap<&str, (u64, String)> = BTreeMap::new();
    for line in &crash.godebug {
        godebug.insert(line.kind, (line.text_line, format!("GODEBUG={}=1: {}", line.kind, line.text)));
    }
    let godebug = godebug.into_values().collect();
    let origin = crash.origin;
    let dropped = crash.goroutines_dropped;
    let goroutines = goroutines(crash.goroutines);
    let clusters = (dropped > 0).then(|| clusters::of_text(crash.clusters, goroutine));
    FromText { panic, goroutines, crashing, notes, survived, godebug, origin, dropped, clusters }
}

/// Who recovered the panic and logged it, if it ended no process.
fn survived(crash: &CrashText) -> Option<&'static str> {
    if crash.headlines.iter().any(|h| matches!(h.kind, HeadlineKind::HttpPanic { .. })) {
        return Some("net/http, which logs the panic of a handler and ends only its connection");
    }
    // A stack that was asked for while a panic was under way: by whoever recovered it.
    let logged = kind(crash).is_none()
        && crash.goroutines.iter().take(1).any(|g| {
            let asked = g.frames.first().is_some_and(|f| f.function.starts_with("runtime/debug."));
            asked && g.frames.iter().any(|f| f.function_name() == "runtime.gopanic")
        });
    logged.then_some(
        "the program, which logged its stack with runtime/debug; what the panic said is not in that",
    )
}

/// How it came to its end: what the dying thread printed first. A fatal error after a panic is a
/// consequence of it.
fn kind(crash: &CrashText) -> Option<PanicKind> {
    crash.headlines.iter().filter(|h| h.section == 0).find_map(|h| match h.kind {
        HeadlineKind::Panic(_) | HeadlineKind::HttpPanic { .. } => Some(PanicKind::Panic),
        HeadlineKind::Fatal { .. } => Some(PanicKind::Fatal),
        HeadlineKind::Signal(_) => Some(PanicKind::Signal),
        HeadlineKind::PanicSignal(_) | HeadlineKind::Note(_) => None,
    })
}

fn panic(crash: &CrashText) -> Option<Panic> {
    let kind = kind(crash)?;
    let mut chain: Vec<PanicLink> = Vec::new();
    for line in crash.panics() {
        if line.after_goexit {
            chain.push(PanicLink {
                value: None,
                recovered: false,
                repanicked: false,
                goexit: true,
                goroutine: None,
            });
        }
        chain.push(link(line));
    }
    if chain.is_empty() && kind == PanicKind::Panic {
        chain.extend(crash.headlines.iter().find_map(|h| match &h.kind {
            HeadlineKind::HttpPanic { value, .. } => {
                Some(link(&PanicLine { value: value.clone(), recovered: true, ..PanicLine::default() }))
            }
            _ => None,
        }));
    }
    let signal = crash.signal();
    let message = match kind {
        PanicKind::Panic => {
            chain.last().and_then(|l| l.value.as_ref()?.text.as_ref()).map(|t| format!("panic: {t}"))
        }
        PanicKind::Fatal => crash.fatals().next().map(|m| format!("fatal error: {m}")),
        PanicKind::Signal => signal.map(|s| match &s.description {
            Some(description) => format!("{}: {description}", s.name),
            None => s.name.clone(),
        }),
    };
    Some(Panic { kind, chain, message, signal: signal.map(to_signal) })
}

fn link(line: &PanicLine) -> PanicLink {
    PanicLink {
        value: Some(PanicValue { type_name: None, text: Some(line.value.clone()), value: None, error: None }),
        recovered: line.recovered,
        repanicked: line.repanicked,
        goexit: false,
        goroutine: None,
    }
}

fn to_signal(line: &SignalLine) -> Signal {
    Signal {
        number: signals::number(&line.name).unwrap_or(0),
        name: line.name.clone(),
        code: line.code.and_then(|code| i32::try_from(code).ok()),
        address: line.address.map(Address),
        sender_pid: None,
    }
}

/// The runtime prints the goroutine at fault first. Neither a deadlock nor a signal from outside has
/// one; a signal in C code is printed with the goroutine that called C.
fn crashing(crash: &CrashText, panic: Option<&Panic>) -> Option<u64> {
    let panic = panic?;
    let has_one = match panic.kind {
        PanicKind::Panic => true,
        PanicKind::Fatal => {
            !panic.message.as_deref().is_some_and(|m| m.contains("goroutines") && m.ends_with("deadlock!"))
        }
        PanicKind::Signal => crash.signal().is_some_and(|s| s.in_cgo || !matches!(s.code, Some(0 | -1))),
    };
    // A thread that died on its system stack prints that first and then the goroutine that it ran, if it had one
    // (`tracebackothers`, traceback.go). Without one the next is any.
    let on_system_stack = panic.kind == PanicKind::Fatal && !crash.runtime_stacks.is_empty();
    let first = || {
        let of_program = || crash.goroutines.iter().filter(|g| g.section == 0 && !g.is_system_stack());
        // A dump of all goroutines can begin with another one where text was lost.
        of_program()
            .find(|g| &*g.status == "running")
            .or_else(|| of_program().next().filter(|g| !on_system_stack || has_thread(g)))
    };
    if has_one { first().map(|g| g.id) } else { None }
}

/// A thread ran the goroutine: the header names one (Go 1.22+), or its state is one that is not parked in.
fn has_thread(goroutine: &TextGoroutine) -> bool {
    // What a goroutine that runs marks itself with while the collector may scan it (`isWaitingForSuspendG`,
    // runtime2.go; older versions have no such list and the same reasons).
    const RUNS: [&str; 10] = [
        "GC assist marking",
        "GC worker (active)",
        "GC mark termination",
        "garbage collection",
        "garbage collection scan",
        "stopping the world",
        "trace goroutine status",
        "trace proc status",
        "page trace flush",
        "flushing proc caches",
    ];
    match (goroutine.gp, goroutine.m, goroutine.wait_reason.as_deref()) {
        (Some(_), m, _) => m.is_some(),
        (None, _, Some(reason)) => RUNS.contains(&reason),
        (None, _, None) => &*goroutine.status != "runnable",
    }
}

/// Each goroutine once. One can be printed twice: the print with more frames is taken.
fn goroutines(printed: Vec<TextGoroutine>) -> Vec<Goroutine> {
    let mut best: HashMap<u64, usize> = HashMap::new();
    let mut goroutines: Vec<Goroutine> = Vec::new();
    // One is freed while the other is made: a dump can be as large as what may be kept of it.
    for text in printed.into_iter().filter(|g| !g.is_system_stack()) {
        match best.entry(text.id) {
            Entry::Vacant(vacant) => {
                vacant.insert(goroutines.len());
                goroutines.push(goroutine(&text));
            }
            Entry::Occupied(at) => {
                if let Some(known) = goroutines.get_mut(*at.get())
                    && text.frames.len() > known.frames.len()
                {
                    *known = goroutine(&text);
                }
            }
        }
    }
    goroutines.sort_by_key(|g| g.id);
    goroutines
}

fn goroutine(text: &TextGoroutine) -> Goroutine {
    let created_by = text.created_by.as_ref().map(created_by);
    let frames: Vec<_> = text.frames.iter().map(frame).collect();
    let system = created_by.as_ref().is_some_and(|c| c.function.starts_with("runtime."))
        && frames.iter().all(|f| f.kind == FrameKind::Runtime);
    Goroutine {
        wait_reason: text.wait_reason.as_deref().map(str::to_owned),
        wait_seconds: text.wait_minutes.map(|minutes| minutes as f64 * 60.0),
        labels: text.labels.iter().cloned().collect(),
        locked_to_thread: text.locked_to_thread,
        system,
        address: text.gp.map(Address),
        created_by,
        leaked: text.leaked.then_some(Leaked::Proven),
        truncated: text.truncated || text.unavailable || text.elided.is_some(),
        elided: text.elided.and_then(|e| Some(Elided { after_frames: e.after as u64, count: e.count? })),
        ..printed_goroutine(text.id, &text.status, frames)
    }
}

/// A goroutine of which no more is printed.
pub(crate) fn printed_goroutine(id: u64, status: &str, frames: Vec<Frame>) -> Goroutine {
    Goroutine {
        id,
        status: status.to_owned(),
        wait_reason: None,
        wait_seconds: None,
        labels: BTreeMap::new(),
        thread: None,
        locked_to_thread: false,
        system: false,
        address: None,
        stack: None,
        waiting_on: None,
        created_by: None,
        frames,
        leaked: None,
        truncated: false,
        elided: None,
    }
}

fn created_by(text: &TextCreatedBy) -> CreatedBy {
    CreatedBy {
        function: text.function.to_string(),
        file: text.file.as_deref().map(str::to_owned),
        line: text.line,
        goroutine: text.goroutine,
    }
}

fn frame(text: &TextFrame) -> Frame {
    let frame = printed_frame(text.function_name(), text.file.as_deref(), text.line);
    Frame {
        kind: if text.is_non_go() { FrameKind::Cgo } else { frame.kind },
        pc: text.pc.map(Address),
        sp: text.sp.map(Address),
        inlined: text.inlined,
        args: text.args.as_deref().map(str::to_owned),
        ..frame
    }
}

/// A frame of which no more is printed. The runtime's own tables named it: its unwinder, and the race detector by
/// `raceSymbolizeCode`.
pub(crate) fn printed_frame(function: &str, file: Option<&str>, line: Option<u32>) -> Frame {
    Frame {
        function: function.to_owned(),
        file: file.map(str::to_owned),
        line,
        pc: None,
        sp: None,
        inlined: false,
        kind: spell::frame_kind(function),
        trust: Trust::Pclntab,
        args: None,
        locals: Vec::new(),
        library: None,
    }
}
