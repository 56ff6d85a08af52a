//! Goroutines out of a core against what the dying runtime printed of them.

use std::fmt::Write as _;

use panicle_evidence::traceback::{self, TextGoroutine};
use panicle_report::{CreatedBy, Frame, FrameKind, Goroutine};

/// State, wait reason, creator and the like.
pub(crate) fn compare_headers(misses: &mut String, ours: &Goroutine, theirs: &TextGoroutine) {
    let id = theirs.id;
    // A goroutine that was still running on another thread when it was printed may have been stopped
    // between then and the core.
    let state = (ours.status.as_str(), ours.wait_reason.as_deref());
    let expected = (&*theirs.status, theirs.wait_reason.as_deref());
    // sysmon is a thread that nobody stops: after the printing it may have found that a connection is
    // ready and made its goroutine runnable (proc.go, sysmon: netpoll, injectglist). The stack stays.
    let readied = expected == ("waiting", Some("IO wait")) && state == ("runnable", None);
    if state != expected && !readied && !theirs.unavailable {
        let _ = writeln!(misses, "goroutine {id} is {state:?}, printed as {expected:?}");
    }
    if ours.locked_to_thread != theirs.locked_to_thread {
        let _ = writeln!(misses, "goroutine {id}: locked to thread: {}", ours.locked_to_thread);
    }
    if theirs.gp.is_some() && theirs.gp != ours.address.map(|address| address.0) {
        let _ = writeln!(misses, "goroutine {id} is at {:?}, printed {:x?}", ours.address, theirs.gp);
    }
    let created = theirs.created_by.as_ref().map(|created| CreatedBy {
        function: traceback::function_name(&created.function).to_owned(),
        file: created.file.as_deref().map(str::to_owned),
        line: created.line,
        goroutine: created.goroutine,
    });
    if ours.created_by != created {
        let _ = writeln!(misses, "goroutine {id} by {:?}, printed {created:?}", ours.created_by);
    }
}

/// pprof labels.
pub(crate) fn compare_labels(misses: &mut String, ours: &Goroutine, theirs: &TextGoroutine) {
    for (key, value) in &theirs.labels {
        if ours.labels.get(key) != Some(value) {
            let _ = writeln!(misses, "goroutine {}: label {key} is {:?}", ours.id, ours.labels.get(key));
        }
    }
}

/// Every frame.
pub(crate) fn compare_stacks(misses: &mut String, ours: &Goroutine, theirs: &TextGoroutine) {
    // The runtime has no tables for C code and prints none of its frames.
    let is_go = |frame: &&Frame| !matches!(frame.kind, FrameKind::Cgo | FrameKind::Signal);
    let mut frames: Vec<_> = ours.frames.iter().filter(is_go).collect();
    let depth = frames.len() as u64 + ours.elided.map_or(0, |elided| elided.count);
    if let Some(elided) = theirs.elided {
        // Up to Go 1.20 the outer frames are left out, and nobody says how many.
        let printed = theirs.frames.len() as u64;
        let expected = elided.count.map_or(depth.max(printed + 1), |count| printed + count);
        if depth != expected {
            let _ = writeln!(misses, "goroutine {} is {depth} deep, printed {expected}", theirs.id);
        }
        let outer = frames.len() - (theirs.frames.len() - elided.after);
        frames = [&frames[..elided.after], &frames[outer..]].concat();
    }
    if frames.len() != theirs.frames.len() {
        let _ = writeln!(
            misses,
            "goroutine {} has {} frames, printed {}; it starts in {:?}",
            theirs.id,
            frames.len(),
            theirs.frames.len(),
            frames.first().map(|frame| &frame.function)
        );
        return;
    }
    for (ours, printed) in frames.iter().zip(&theirs.frames) {
        let place = (ours.function.as_str(), ours.file.as_deref(), ours.line, ours.args.as_deref());
        let expected =
            (printed.function_name(), printed.file.as_deref(), printed.line, printed.args.as_deref());
        if place != expected {
            let _ = writeln!(misses, "goroutine {}: {place:?}, printed {expected:?}", theirs.id);
            return;
        }
        let registers = (ours.pc.map(|pc| pc.0), ours.sp.map(|sp| sp.0));
        if !ours.inlined && printed.pc.is_some() && registers != (printed.pc, printed.sp) {
            let _ = writeln!(misses, "goroutine {}: {registers:x?} in {place:?}", theirs.id);
            return;
        }
    }
}
