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
        if stack.c.overwritten {
            let text = "C frames between the Go frames are not there: the runtime used their stack when it printed \
                        the crash.";
            let diagnostic = Diagnostic::info(Stage::Unwind, text);
            self.diagnostics.push(diagnostic.about(format!("goroutine {}", g.id)));
        }
        let thread = self.threads.get(&g.m).copied();
        let registers = thread.map(Thread::at_work);
        let frames: Vec<Frame> =
            stack.frames.iter().map(|frame| self.frame(frame, registers.as_ref())).collect();
        let (frames, elided) = self.with_c_frames(frames, stack);
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

    /// The frames of Go with those of C between them, and what is left out of the whole.
    fn with_c_frames(&self, go: Vec<Frame>, stack: &Stack) -> (Vec<Frame>, Option<Elided>) {
        let mut elided = stack.elided;
        if stack.c.crossings.is_empty() {
            return (go, elided);
        }
        let mut frames = Vec::with_capacity(go.len());
        let mut crossings = stack.c.crossings.iter().peekable();
        let gap = stack.elided.map(|elided| elided.after_frames as usize);
        let count = go.len();
        for (index, frame) in go.into_iter().map(Some).chain([None]).enumerate() {
            while let Some(crossing) = crossings.next_if(|crossing| crossing.after <= index || index == count)
            {
                let c = self.c_frames(&crossing.stack);
                // A report has room for one gap; the one that is further in is told.
                if let Some((after, left_out)) = c.left_out
                    && gap.is_none_or(|gap| index <= gap)
                {
                    let after_frames = (frames.len() + after) as u64;
                    elided = Some(Elided { after_frames, count: left_out });
                }
                frames.extend(c.frames);
            }
            if gap == Some(index)
                && let Some(known) = &mut elided
                && stack.elided == Some(*known)
            {
                known.after_frames = frames.len() as u64;
            }
            frames.extend(frame);
        }
        (frames, elided)
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

    /// `registers` are those of the thread, which tell something of a frame only while its pc and sp
    /// are still in them.
    fn frame(&mut self, frame: &LogicalFrame, registers: Option<&Registers>) -> Frame {
        let (call, physical) = (frame.call(), &frame.physical);
        let args = if call.inlined { "...".to_owned() } else { args::print(self.process, physical) };
        let registers =
            registers.filter(|at| physical.trap && at.pc() == physical.pc && at.sp() == physical.sp);
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
        let by_dwarf = registers.map(|registers| |number: u16| registers.by_dwarf(number));
        let slots =
            if frame.call().inlined { Vec::new() } else { args::slots(self.process, &frame.physical) };
        let wanted = locals::Frame {
            pc: frame.physical.lookup_pc,
            cfa: frame.physical.fp,
            argp: frame.physical.argp,
            sp: self.process.executable.arch.dwarf_stack_pointer().map(|number| (number, frame.physical.sp)),
            registers: by_dwarf.as_ref().map(|read| read as locals::Registers<'_>),
            inline_depth: frame.depth,
            function: Some(&frame.call().function),
            argument_slots: &slots,
            line: frame.call().line,
        };
        locals::locals(context, &wanted, Limits::default())
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
                        .map(|frame| Frame { trust, ..self.frame(&frame, Some(&level.registers)) }),
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

fn why(end: End) -> String {
    match end {
        End::Top | End::StackSwitch => "it is whole".to_owned(),
        End::Stopped => "the stacks have more frames than the core has words".to_owned(),
        End::UnknownPc(pc) => format!("{pc:#x} is in no Go function"),
        End::Unmapped(address) => format!("the memory at {address:#x} is not in the core"),
        End::Stuck => "its frames do not lead outwards".to_owned(),
    }
}
