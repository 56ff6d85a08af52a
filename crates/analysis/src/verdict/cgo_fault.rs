//! `cgo-fault`: a signal that the process raised itself while a thread executed C code.
//!
//! A fault in C arrives on a system stack and ends the process with `signal arrived during cgo
//! execution` (runtime/signal_unix.go, Go 1.20+), with `unexpected signal during runtime execution` up
//! to Go 1.19, and without a word where C had started the thread itself: then the kernel's signal is
//! all there is.

use panicle_report::{Confidence, Frame, FrameKind, PanicKind, Signal, Trust, VerdictClass};

use super::{
    capture,
    finding::{Finding, in_place},
    signal::{OWN_FAULTS, describe as describe_signal, kernel_raised, sent_from_outside},
};
use crate::facts::{Facts, describe, in_app};

/// What Go up to 1.19 makes of a fault outside of Go code.
const UNEXPECTED: &str = "unexpected signal during runtime execution";
/// Files of the C library and the loader: whoever called them is to blame.
const C_LIBRARY: &[&str] = &["libc.so", "libc-", "libpthread", "libm.so", "ld-linux", "ld-musl", "libc.musl"];

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let signal = facts.panic.and_then(|panic| panic.signal.as_ref()).or(facts.process.signal.as_ref())?;
    let raised = OWN_FAULTS.contains(&signal.name.as_str()) && !sent_from_outside(facts, signal);
    let c = c_frames(facts);
    let called_c = facts.crashing.is_some_and(|goroutine| {
        goroutine.frames.iter().take_while(|frame| !in_app(frame)).any(|f| f.function == "runtime.cgocall")
    });
    let in_c = match facts.kind() {
        Some(PanicKind::Signal) => {
            let noted = facts.notes.iter().any(|note| note.contains("signal arrived during cgo execution"));
            raised && (noted || called_c || !c.is_empty())
        }
        Some(PanicKind::Fatal) => facts.fatal()?.starts_with(UNEXPECTED) && (called_c || !c.is_empty()),
        Some(PanicKind::Panic) => false,
        None => raised && facts.runtime_read && !c.is_empty() && kernel_raised(signal),
    };
    in_c.then(|| finding(facts, signal, c))
}

/// The C frames in which the crash was, innermost first: those of the goroutine at fault, or where no
/// goroutine is, those of the thread that the kernel dumped the core for.
fn c_frames<'a>(facts: &Facts<'a>) -> &'a [Frame] {
    let frames = match (facts.crashing, facts.threads.first()) {
        (Some(goroutine), _) => goroutine.frames.as_slice(),
        (None, Some(thread)) => thread.frames.as_slice(),
        (None, None) => &[],
    };
    let length = frames.iter().take_while(|frame| frame.kind == FrameKind::Cgo).count();
    &frames[..length]
}

fn finding(facts: &Facts<'_>, signal: &Signal, c: &[Frame]) -> Finding {
    let name = if facts.kind() == Some(PanicKind::Fatal) && signal.name == "SIGABRT" {
        // The runtime's own, with which it ended the process.
        "A fault"
    } else {
        &signal.name
    };
    let culprit = culprit(c);
    let called = in_place(facts).replacen(" in ", " from ", 1);
    let (headline, what) = match culprit {
        Some(frame) => {
            (format!("{name} in C function {}", named(frame)), format!("C function {}", named(frame)))
        }
        None => (format!("{name} in C code"), "C code".to_owned()),
    };
    let called = if called.is_empty() { String::new() } else { format!(", called{called},") };
    let mut finding = Finding::new(facts, VerdictClass::CgoFault, headline)
        .sure(
            Confidence::Certain,
            "Certain: the signal was raised by the process itself while it executed C code.",
        )
        .summary(format!(
            "{what}{called} raised {name}. Go cannot turn a fault in C into a panic; the process ends.",
        ))
        .evidence("signal", describe_signal(signal), None);
    if culprit.is_some() {
        finding = finding.nowhere();
    }
    let reference = facts.crashing.map(|goroutine| format!("goroutine {} frame 0", goroutine.id));
    if let Some(innermost) = c.first() {
        finding = finding.evidence("frame", format!("In C: {}", named(innermost)), reference);
    }
    finding
        .fix("Check what Go hands to C: lifetimes (runtime.Pinner, runtime.KeepAlive), lengths, NULL.")
        .fix("Run the C side under its own sanitizer: go build -asan.")
        .example(include_str!("examples/cgo_fault.go"))
        .capture("go test -asan ./... : the address sanitizer names the C line and the allocation.")
        .capture(capture::CORE)
}

/// The C function at fault. Frames from the first on that was found by looking through the stack may be
/// left over from earlier calls: a report must not blame them.
fn culprit(c: &[Frame]) -> Option<&Frame> {
    let sure = c.iter().take_while(|frame| frame.trust != Trust::Scan);
    let whole = sure.clone().count() == c.len();
    sure.clone().find(|frame| !is_c_library(frame)).or(sure.take(1).find(|_| whole))
}

/// `inflate (inflate.c:600)`, `inflate of libz.so.1`.
fn named(frame: &Frame) -> String {
    match &frame.library {
        Some(library) if frame.file.is_none() => format!("{} of {}", frame.function, base(library)),
        _ => describe(frame),
    }
}

fn is_c_library(frame: &Frame) -> bool {
    let library = frame.library.as_deref().map(base);
    library.is_some_and(|library| C_LIBRARY.iter().any(|prefix| library.starts_with(prefix)))
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use panicle_report::{FrameKind, PanicKind, Process, Signal, Thread, Trust};

    use super::recognise;
    use crate::{
        facts::{Facts, Origin},
        testing::{frame, goroutine},
    };

    fn c(function: &str, library: Option<&str>) -> panicle_report::Frame {
        let file = if library.is_none() { "/src/wrap.c" } else { "" };
        let mut frame = frame(function, file, 7);
        frame.kind = FrameKind::Cgo;
        frame.trust = Trust::Cfi;
        frame.library = library.map(str::to_owned);
        if library.is_some() {
            (frame.file, frame.line) = (None, None);
        }
        frame
    }

    fn signal(number: i32, name: &str, code: i32) -> Signal {
        Signal { number, name: name.to_owned(), code: Some(code), address: None, sender_pid: Some(42) }
    }

    fn title(frames: Vec<panicle_report::Frame>, signal: Signal) -> Option<String> {
        let panic = panicle_report::Panic {
            kind: PanicKind::Signal,
            chain: Vec::new(),
            message: Some(signal.name.clone()),
            signal: Some(signal),
        };
        let goroutines = [goroutine(1, "syscall", None, frames)];
        let process = Process { pid: Some(42), ..Process::default() };
        let facts = Facts {
            origin: Origin::Memory,
            panic: Some(&panic),
            crashing: goroutines.first(),
            goroutines: &goroutines,
            ..Facts::nothing(&process)
        };
        recognise(&facts).map(|finding| finding.headline)
    }

    #[test]
    fn names_the_c_function_and_its_library() {
        let go = || [frame("runtime.cgocall", "cgocall.go", 1), frame("main.main", "main.go", 9)];
        let with = |c: Vec<_>| c.into_iter().chain(go()).collect::<Vec<_>>();
        let found = title(with(vec![c("parse", None)]), signal(11, "SIGSEGV", 1));
        assert_eq!(found.as_deref(), Some("SIGSEGV in C function parse (wrap.c:7)"));
        let inflate = c("inflate", Some("/usr/lib/libz.so.1"));
        let found = title(with(vec![inflate]), signal(11, "SIGSEGV", 1));
        assert_eq!(found.as_deref(), Some("SIGSEGV in C function inflate of libz.so.1"));
        // Who called abort is to blame, not the C library.
        let libc = Some("/usr/lib/x86_64-linux-gnu/libc.so.6");
        let found =
            title(with(vec![c("raise", libc), c("abort", libc), c("check", None)]), signal(6, "SIGABRT", -6));
        assert_eq!(found.as_deref(), Some("SIGABRT in C function check (wrap.c:7)"));
        // A return address left over on the stack is nobody's guilt.
        let guessed = |mut frame: panicle_report::Frame| {
            frame.trust = Trust::Scan;
            frame
        };
        let scanned = vec![c("raise", libc), guessed(c("abort", libc)), guessed(c("earlier", None))];
        let found = title(with(scanned), signal(6, "SIGABRT", -6));
        assert_eq!(found.as_deref(), Some("SIGABRT in C code"));
        let found = title(with(vec![c("raise", libc)]), signal(6, "SIGABRT", -6));
        assert_eq!(found.as_deref(), Some("SIGABRT in C function raise of libc.so.6"));
        let found = title(with(Vec::new()), signal(11, "SIGSEGV", 1));
        assert_eq!(found.as_deref(), Some("SIGSEGV in C code"));
    }

    #[test]
    fn a_thread_of_c_dies_without_a_word() {
        let process = Process { signal: Some(signal(11, "SIGSEGV", 1)), ..Process::default() };
        let mut thread = Thread {
            tid: 7,
            goroutine: None,
            on: None,
            signal: Some(11),
            pc: None,
            frames: vec![c("worker", None), c("start_thread", Some("/lib/libc.so.6"))],
        };
        let headline = |thread: &Thread| {
            let threads = std::slice::from_ref(thread);
            let facts = Facts { threads, runtime_read: true, ..Facts::nothing(&process) };
            recognise(&facts).map(|finding| finding.headline)
        };
        assert_eq!(headline(&thread).as_deref(), Some("SIGSEGV in C function worker (wrap.c:7)"));
        thread.frames.clear();
        assert_eq!(headline(&thread), None);
    }
}
