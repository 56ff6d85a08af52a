//! From what was found in memory to the report's shapes.

use std::collections::{BTreeMap, HashMap};

use panicle_image::Registers;
use panicle_report::{
    Address, Diagnostic, Elided, Frame, FrameKind, Goroutine, Local, StackBounds, Stage,
    Thread as ReportThread, ThreadOn, Trust,
};

use crate::{
    args,
    cframes::{CCode, CStack},
    clock::Clock,
    frames::{LogicalFrame, Stack},
    goroutine::G,
    locals,
    process::Process,
    threads::{Thread, stack_of},
    unwind::End,
    value::{self, Limits},
};

/// Turns what was found into the report's shapes.
pub(super) struct Writer<'w, 'a, 'c> {
    pub(super) process: &'w Process<'a>,
    pub(super) context: value::Context<'w>,
    pub(super) code: &'w CCode<'c>,
    pub(super) clock: Clock,
    pub(super) threads: &'w HashMap<u64, &'w Thread>,
    pub(super) locals_left: usize,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) broken_stacks: u64,
    pub(super) unread_labels: u64,
    /// Goroutines with C frames that are not there, and those with more than one gap.
    pub(super) lost_c_frames: u64,
    pub(super) second_gaps: u64,
}

/// C frames as a report has them.
struct CFrames {
    frames: Vec<Frame>,
    /// After how many of them a gap is, and of how many.
    left_out: Option<(usize, u64)>,
}

/// Goroutines with one kind of trouble that get an entry of their own among the diagnostics; a core can
/// have a million of them, and one entry says how many there are.
const MOST_TOLD: u64 = 20;

impl Writer<'_, '_, '_> {
    pub(super) fn goroutine(&mut self, g: &G, stack: &Stack) -> Goroutine {
        let process = self.process;
        let labels = self.labels(g);
        if !stack.end.is_complete() {
            self.broken_stacks += 1;
            if self.broken_stacks <= MOST_TOLD {
                let text = format!("The stack breaks off: {}.", why(stack.end));
                let diagnostic = Diagnostic::warning(Stage::Unwind, text);
                self.diagnostics.push(diagnostic.about(format!("goroutine {}", g.id)));
            }
        }
        if stack.c.gone {
            self.lost_c_frames += 1;
            if self.lost_c_frames <= MOST_TOLD {
                let text = if stack.c.printed {
                    "C frames between the Go frames are not there: the runtime used their stack when it printed \
                     the crash."
                } else {
                    "C frames between the Go frames are not there: what leads to them is not in the core, or \
                     damaged."
                };
                let diagnostic = Diagnostic::info(Stage::Unwind, text);
                self.diagnostics.push(diagnostic.about(format!("goroutine {}", g.id)));
            }
        }
        let thread = self.threads.get(&g.m).copied();
        let registers = thread.map(Thread::at_work);
        let frames: Vec<Frame> =
            stack.frames.iter().map(|frame| self.frame(frame, registers.as_ref())).collect();
        let (frames, gaps) = self.with_c_frames(frames, stack);
        // A report has room for one gap.
        let elided = gaps.first().copied();
        if let Some(more @ [_, ..]) = gaps.get(1..) {
            self.second_gaps += 1;
            if self.second_gaps <= MOST_TOLD {
                let count = more.iter().fold(0_u64, |sum, gap| sum.saturating_add(gap.count));
                let text =
                    format!("Further out than the gap that is shown, {count} more frames are left out.");
                let diagnostic = Diagnostic::info(Stage::Unwind, text);
                self.diagnostics.push(diagnostic.about(format!("goroutine {}", g.id)));
            }
        }
        let program_code = stack.frames.iter().any(|frame| frame.call().kind == FrameKind::Go);
        Goroutine {
            id: g.id,
            status: g.status.word.clone(),
            wait_reason: g.wait_reason.clone(),
            wait_seconds: (g.status.has_reason() || g.status.is_syscall())
                .then(|| self.clock.seconds_since(g.wait_since))
                .flatten(),
            labels,
            thread: thread.map(|thread| thread.tid),
            locked_to_thread: g.locked,
            // The finalizer goroutine is the program's while it runs the program's finalizers.
            system: g.is_system(process) && !program_code,
            address: Some(Address(g.address)),
            stack: Some(StackBounds { lo: Address(g.stack.0), hi: Address(g.stack.1) }),
            waiting_on: g.waiting_on(process),
            created_by: g.created_by(process),
            frames,
            leaked: None,
            truncated: !stack.end.is_complete() || elided.is_some(),
            elided,
        }
    }

    /// The frames of Go with those of C between them, and what is left out of the whole, innermost first.
    fn with_c_frames(&self, go: Vec<Frame>, stack: &Stack) -> (Vec<Frame>, Vec<Elided>) {
        let c = stack.c.found.iter().map(|crossing| (crossing.after, self.c_frames(&crossing.stack)));
        interleave(go, stack.elided, c)
    }

    /// C frames with the calls inlined into them.
    fn c_frames(&self, stack: &CStack) -> CFrames {
        let mut frames = Vec::with_capacity(stack.frames.len());
        let mut left_out = None;
        for (index, physical) in stack.frames.iter().enumerate() {
            if let Some((after, count)) = stack.left_out
                && after == index
            {
                left_out = Some((frames.len(), count));
            }
            let kind = if physical.signal { FrameKind::Signal } else { FrameKind::Cgo };
            let library = self.code.library(physical.lookup_pc);
            for call in &*self.code.calls(self.process, physical.lookup_pc, kind) {
                frames.push(Frame {
                    function: call.function.clone(),
                    file: call.file.clone(),
                    line: call.line,
                    pc: Some(Address(physical.pc)),
                    sp: physical.sp.map(Address),
                    inlined: call.inlined,
                    kind,
                    trust: physical.trust,
                    args: None,
                    locals: Vec::new(),
                    library: library.map(str::to_owned),
                });
            }
        }
        CFrames { frames, left_out }
    }

    fn labels(&mut self, g: &G) -> BTreeMap<String, String> {
        g.labels(self.process).unwrap_or_else(|error| {
            self.unread_labels += 1;
            if self.unread_labels <= MOST_TOLD {
                let text = format!("Labels cannot be read: {error}.");
                let diagnostic = Diagnostic::warning(Stage::Goroutines, text);
                self.diagnostics.push(diagnostic.about(format!("goroutine {}", g.id)));
            }
            BTreeMap::new()
        })
    }

    /// `registers` are those of the thread.
    fn frame(&mut self, frame: &LogicalFrame, registers: Option<&Registers>) -> Frame {
        let (call, physical) = (frame.call(), &frame.physical);
        let args = if call.inlined { "...".to_owned() } else { args::print(self.process, physical) };
        Frame {
            function: call.function.clone(),
            file: call.file.clone(),
            line: call.line,
            pc: Some(Address(physical.pc)),
            sp: Some(Address(physical.sp)),
            inlined: call.inlined,
            kind: call.kind,
            trust: Trust::Pclntab,
            args: Some(args),
            locals: self.locals(frame, registers),
            library: None,
        }
    }

    fn locals(&mut self, frame: &LogicalFrame, registers: Option<&Registers>) -> Vec<Local> {
        let context = &self.context;
        if context.dwarf.is_none() || frame.call().kind != FrameKind::Go || self.locals_left == 0 {
            return Vec::new();
        }
        self.locals_left -= 1;
        locals::in_frame(self.process, frame, registers, |wanted| {
            locals::locals(context, wanted, Limits::default())
        })
    }

    pub(super) fn thread(&mut self, thread: &Thread, ids: &HashMap<u64, u64>) -> ReportThread {
        let process = self.process;
        let at = thread.registers();
        let on = |at: Registers| match thread.m.and_then(|m| stack_of(process, &m, at.sp())) {
            None if process.symbolizer.symbols(at.pc()).is_none() => Some(ThreadOn::C),
            on => on,
        };
        let current = thread.m.map(|m| m.current).filter(|&current| current != 0);
        let mut frames = Vec::new();
        // Frames on the goroutine's stack are the goroutine's.
        for level in thread.levels.iter().take_while(|level| on(level.registers) != Some(ThreadOn::Goroutine))
        {
            frames.extend(level.c.iter().flat_map(|c| self.c_frames(c).frames));
            for (index, physical) in level.frames.iter().enumerate() {
                let trust = if index < level.guessed { Trust::Scan } else { Trust::Pclntab };
                frames.extend(
                    LogicalFrame::of(process, physical)
                        .into_iter()
                        .map(|frame| Frame { trust, ..self.frame(&frame, Some(&level.registers)) })
                        .map(|frame| if level.sp_known { frame } else { without_sp(frame) }),
                );
            }
            frames.extend(level.below.iter().flat_map(|c| self.c_frames(c).frames));
        }
        ReportThread {
            tid: thread.tid,
            goroutine: current.and_then(|current| ids.get(&current).copied()),
            on: on(at),
            signal: thread.handling().next().map(|(_, signal)| signal.number),
            pc: Some(Address(at.pc())),
            frames,
        }
    }

    pub(super) fn say_what_was_left_out(&mut self) {
        if self.unread_labels > MOST_TOLD {
            self.diagnostics.push(Diagnostic::warning(
                Stage::Goroutines,
                format!("The labels of {} goroutines in all cannot be read.", self.unread_labels),
            ));
        }
        if self.broken_stacks > MOST_TOLD {
            self.diagnostics.push(Diagnostic::warning(
                Stage::Unwind,
                format!("{} stacks in all break off; each such goroutine is marked.", self.broken_stacks),
            ));
        }
        if self.lost_c_frames > MOST_TOLD {
            self.diagnostics.push(Diagnostic::info(
                Stage::Unwind,
                format!("C frames are not there on {} stacks in all.", self.lost_c_frames),
            ));
        }
        if self.second_gaps > MOST_TOLD {
            self.diagnostics.push(Diagnostic::info(
                Stage::Unwind,
                format!("{} stacks in all have frames left out in more than one place.", self.second_gaps),
            ));
        }
        let names = self.process.symbolizer.left_out();
        if names > 0 {
            self.diagnostics.push(Diagnostic::warning(
                Stage::Unwind,
                format!("{names} names of functions and files are longer or more than any program has."),
            ));
        }
        if self.locals_left == 0 && self.context.dwarf.is_some() {
            self.diagnostics.push(Diagnostic::info(
                Stage::Values,
                "Variables were read for the first frames only; there are too many goroutines for all.",
            ));
        }
    }
}

/// `go` and each of `c` behind as many of `go` as it says, and the gaps in the whole, of which `gap` is in
/// `go`.
fn interleave(
    go: Vec<Frame>,
    gap: Option<Elided>,
    c: impl Iterator<Item = (usize, CFrames)>,
) -> (Vec<Frame>, Vec<Elided>) {
    let (mut frames, mut gaps) = (Vec::with_capacity(go.len()), Vec::new());
    let mut c = c.peekable();
    let count = go.len();
    for (index, frame) in go.into_iter().map(Some).chain([None]).enumerate() {
        while let Some((_, c)) = c.next_if(|&(after, _)| after <= index || index == count) {
            gaps.extend(
                c.left_out
                    .map(|(after, count)| Elided { after_frames: (frames.len() + after) as u64, count }),
            );
            frames.extend(c.frames);
        }
        let gap = gap.filter(|gap| gap.after_frames == index as u64);
        gaps.extend(gap.map(|gap| Elided { after_frames: frames.len() as u64, ..gap }));
        frames.extend(frame);
    }
    (frames, gaps)
}

/// A frame of which only the pc is known.
fn without_sp(frame: Frame) -> Frame {
    Frame { sp: None, args: None, locals: Vec::new(), ..frame }
}

fn why(end: End) -> String {
    match end {
        End::Top | End::StackSwitch => "it is whole".to_owned(),
        End::Stopped => "the stacks have more frames than the core has words".to_owned(),
        End::UnknownPc(pc) => format!("{pc:#x} is in no Go function"),
        End::Unmapped(address) => format!("the memory at {address:#x} is not in the core"),
        End::Stuck => "its frames do not lead outwards".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use panicle_report::{Elided, Frame, FrameKind, Trust};

    use super::{CFrames, interleave};

    fn frames(names: &[&str]) -> Vec<Frame> {
        let named = |name: &&str| Frame {
            function: (*name).to_owned(),
            file: None,
            line: None,
            pc: None,
            sp: None,
            inlined: false,
            kind: FrameKind::Go,
            trust: Trust::Pclntab,
            args: None,
            locals: Vec::new(),
            library: None,
        };
        names.iter().map(named).collect()
    }

    #[test]
    fn no_gap_hides_another() {
        let c = |after, left_out| (after, CFrames { frames: frames(&["c", "c"]), left_out });
        let own = Elided { after_frames: 2, count: 70 };
        let c = [c(1, Some((1, 500))), c(2, None), c(3, Some((2, 9)))];
        let (found, gaps) = interleave(frames(&["a", "b", "d"]), Some(own), c.into_iter());
        let names: Vec<_> = found.iter().map(|frame| frame.function.as_str()).collect();
        assert_eq!(names, ["a", "c", "c", "b", "c", "c", "d", "c", "c"]);
        let gap = |after_frames, count| Elided { after_frames, count };
        assert_eq!(gaps, [gap(2, 500), gap(6, 70), gap(9, 9)]);
    }
}
