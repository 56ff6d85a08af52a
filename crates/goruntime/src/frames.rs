//! From a walk over a stack to the logical frames that a traceback shows.

use std::{collections::VecDeque, ops::ControlFlow, rc::Rc};

use panicle_report::{Elided, FrameKind};

use crate::{
    cframes::crossings::Crossings,
    process::Process,
    symbolize::Call,
    unwind::{self, End, PhysicalFrame, Start},
};

/// Frames kept from the inner end of a stack. A traceback prints 50.
const MOST_INNER: usize = 200;
/// Frames kept from the outer end. A traceback prints 50.
const MOST_OUTER: usize = 100;

/// A logical frame: one call, perhaps inlined, of a physical frame.
#[derive(Clone, Debug)]
pub struct LogicalFrame {
    /// The physical frame it is part of.
    pub physical: Rc<PhysicalFrame>,
    /// All calls of the physical frame, innermost first.
    pub calls: Rc<[Call]>,
    /// Which of them this is.
    pub depth: usize,
}

impl LogicalFrame {
    /// The calls of a physical frame, innermost first.
    pub fn of(process: &Process<'_>, physical: &PhysicalFrame) -> Vec<Self> {
        let calls = process.symbolizer.calls(physical.lookup_pc);
        let physical = Rc::new(physical.clone());
        (0..calls.len())
            .map(|depth| Self { physical: Rc::clone(&physical), calls: Rc::clone(&calls), depth })
            .collect()
    }

    /// The call.
    pub fn call(&self) -> &Call {
        &self.calls[self.depth]
    }

    /// The physical function's name as its table spells it.
    pub fn physical_name(&self) -> &str {
        &self.physical.symbols.name
    }
}

/// A stack.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Innermost first.
    pub frames: Vec<LogicalFrame>,
    /// What was left out of its middle.
    pub elided: Option<Elided>,
    /// How the walk ended.
    pub end: End,
    /// C frames, beside those of Go: they are where the runtime's own tracebacks show none.
    pub(crate) c: Crossings,
}

impl Stack {
    /// No stack at all, for a reason.
    pub fn empty(end: End) -> Self {
        Self { frames: Vec::new(), elided: None, end, c: Crossings::default() }
    }

    /// The stack from `start` outwards. Physical frames are taken off `budget`, which bounds the
    /// work on a damaged core whose stacks overlap; sound ones cannot use it up.
    pub fn collect(process: &Process<'_>, start: Start, budget: &mut u64) -> Self {
        let mut inner = Vec::new();
        let mut outer = VecDeque::new();
        let mut left_out = 0_u64;
        let end = unwind::walk(process, start, |physical| {
            if *budget == 0 {
                return ControlFlow::Break(());
            }
            *budget -= 1;
            let calls = process.symbolizer.calls(physical.lookup_pc);
            let physical = Rc::new(physical.clone());
            for depth in 0..calls.len() {
                let frame = LogicalFrame { physical: Rc::clone(&physical), calls: Rc::clone(&calls), depth };
                if inner.len() < MOST_INNER {
                    inner.push(frame);
                    continue;
                }
                if outer.len() == MOST_OUTER {
                    outer.pop_front();
                    left_out += 1;
                }
                outer.push_back(frame);
            }
            ControlFlow::Continue(())
        });
        let elided = (left_out > 0).then_some(Elided { after_frames: inner.len() as u64, count: left_out });
        inner.extend(outer);
        Self { frames: inner, elided, end, c: Crossings::default() }
    }

    /// Leaves out the frames in which the runtime was printing the crash: a traceback starts at the
    /// caller of `fatalpanic` or `fatalthrow` (runtime/panic.go). Whether there were any.
    pub fn trim_dying(&mut self) -> bool {
        /// `raise`, `dieFromSignal`, `crash` and some inlined helpers.
        const DEEPEST: usize = 24;
        let dying = |frame: &LogicalFrame| {
            matches!(frame.physical_name(), "runtime.fatalpanic" | "runtime.fatalthrow")
        };
        let Some(at) = self.frames.iter().take(DEEPEST).position(dying) else { return false };
        if self.frames[..at].iter().any(|frame| frame.call().kind != FrameKind::Runtime) {
            return false;
        }
        let physical = Rc::clone(&self.frames[at].physical);
        let after = self.frames[at..].iter().position(|frame| !Rc::ptr_eq(&frame.physical, &physical));
        let count = after.map_or(self.frames.len(), |after| at + after);
        self.frames.drain(..count);
        for crossing in &mut self.c.found {
            crossing.after = crossing.after.saturating_sub(count);
        }
        if let Some(elided) = &mut self.elided {
            // A damaged table can inline more calls into the dying frame than come before the gap.
            elided.after_frames = elided.after_frames.saturating_sub(count as u64);
        }
        true
    }

    /// Whether the physical function `name` is among its first frames.
    pub fn starts_within(&self, name: &str, first: usize) -> bool {
        self.frames.iter().take(first).any(|frame| frame.physical_name() == name)
    }
}
