//! From a frame of C code outwards, to Go or to the end of the thread's stack.

use std::collections::VecDeque;

use panicle_binary::cfi::{CfiError, FrameRegisters};
use panicle_report::Trust;

use super::{CCode, CFrame, ModuleKind};
use crate::process::Process;

/// Frames kept from the inner end; a stack overflow in C has hundreds of thousands.
const MOST_INNER: usize = 100;
/// Frames kept from the outer end.
const MOST_OUTER: usize = 50;
/// Guesses in a row: what is still found after so many is not this stack.
const MOST_GUESSES: usize = 24;
/// Signal handlers interrupted by signals. Their frames may lie on any stack, so that nothing else tells
/// that they lead outwards.
const MOST_SIGNALS: usize = 64;

/// Where a walk over C code ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CEnd {
    /// At a Go function.
    Go {
        /// The return address in it.
        pc: u64,
        /// Its stack pointer, where it is known.
        sp: Option<u64>,
    },
    /// At the outermost frame of its thread.
    Outermost,
    /// Where nothing leads further.
    Lost,
}

/// Frames of C code, innermost first.
#[derive(Clone, Debug)]
pub(crate) struct CStack {
    /// The frames.
    pub(crate) frames: Vec<CFrame>,
    /// How many were left out, and after how many of [`Self::frames`].
    pub(crate) left_out: Option<(usize, u64)>,
    /// How it ended.
    pub(crate) end: CEnd,
}

/// A frame's caller.
struct Caller {
    registers: FrameRegisters,
    /// How it was found.
    trust: Trust,
    /// It was interrupted and did not call.
    interrupted: bool,
}

impl Caller {
    fn new(registers: &FrameRegisters, trust: Trust) -> Self {
        Self { registers: *registers, trust, interrupted: false }
    }
}

impl CCode<'_> {
    /// Walks outwards from a frame with these registers, which was `interrupted` or else has called.
    pub(crate) fn walk(
        &self,
        process: &Process<'_>,
        mut registers: FrameRegisters,
        mut interrupted: bool,
        mut trust: Trust,
    ) -> CStack {
        let (mut inner, mut outer, mut left_out) = (Vec::new(), VecDeque::new(), 0_u64);
        let (mut guesses, mut signals) = (0, 0);
        let mut floor = registers.sp().unwrap_or(0);
        let end = loop {
            let pc = registers.pc();
            let lookup_pc = if interrupted { pc } else { pc.wrapping_sub(1) };
            if is_go(process, lookup_pc) {
                break CEnd::Go { pc, sp: registers.sp() };
            }
            if !interrupted && self.module(lookup_pc).is_none() && !self.could_run(lookup_pc) {
                // No return address: the frame before was misjudged, or overwritten.
                break CEnd::Lost;
            }
            let Some(budget) = self.budget.get().checked_sub(1) else { break CEnd::Lost };
            self.budget.set(budget);
            let next = self.next(process, &registers, lookup_pc, floor, interrupted);
            let signal = next.as_ref().is_ok_and(|caller| caller.interrupted);
            let frame = CFrame { pc, lookup_pc, sp: registers.sp(), trust, signal };
            if inner.len() < MOST_INNER {
                inner.push(frame);
            } else {
                if outer.len() == MOST_OUTER {
                    outer.pop_front();
                    left_out += 1;
                }
                outer.push_back(frame);
            }
            match next {
                Err(end) => break end,
                Ok(caller) => {
                    guesses = if caller.trust == Trust::Scan { guesses + 1 } else { 0 };
                    signals += usize::from(caller.interrupted);
                    if guesses > MOST_GUESSES || signals > MOST_SIGNALS {
                        break CEnd::Lost;
                    }
                    // A frame pointer that was followed is below its caller's frame, too.
                    let passed = registers.frame_pointer().filter(|_| caller.trust == Trust::FramePointer);
                    let sp = caller.registers.sp();
                    floor = sp.or(passed.map(|pointer| pointer.saturating_add(16))).unwrap_or(floor);
                    (registers, trust, interrupted) = (caller.registers, caller.trust, caller.interrupted);
                }
            }
        };
        let left_out = (left_out > 0).then_some((inner.len(), left_out));
        inner.extend(outer);
        CStack { frames: inner, left_out, end }
    }

    fn next(
        &self,
        process: &Process<'_>,
        registers: &FrameRegisters,
        lookup_pc: u64,
        floor: u64,
        interrupted: bool,
    ) -> Result<Caller, CEnd> {
        let module = self.module(lookup_pc);
        let Some((index, module)) = module else {
            // Code that no file has: a call through a wild pointer, whose return address is on top of the
            // stack, or a stack that was overwritten.
            return self.guess(process, registers, floor, interrupted);
        };
        let read = |address: u64| self.memory.u64(address).ok();
        match module.frames.as_ref().map(|frames| frames.caller(registers, lookup_pc, &read)) {
            Some(Ok(caller)) => {
                let interrupted = caller.interrupted;
                return Ok(Caller { interrupted, ..Caller::new(&caller.registers, Trust::Cfi) });
            }
            Some(Err(CfiError::Outermost)) => return Err(CEnd::Outermost),
            None if module.kind == ModuleKind::Library => {
                self.unknown.borrow_mut().insert(index);
            }
            Some(Err(_)) | None => {}
        }
        self.guess(process, registers, floor, interrupted)
    }

    /// The caller without a table. `floor` is an address that its frame is above.
    fn guess(
        &self,
        process: &Process<'_>,
        registers: &FrameRegisters,
        floor: u64,
        interrupted: bool,
    ) -> Result<Caller, CEnd> {
        let known = registers.frame_pointer();
        if interrupted && let Some(pc) = self.in_link_register(process, registers) {
            let caller = FrameRegisters::at(self.arch, pc, registers.sp());
            return Ok(Caller::new(&caller.with_frame_pointer(known), Trust::Scan));
        }
        if interrupted && let Some((pc, sp)) = self.of_wild_call(process, registers) {
            let caller = FrameRegisters::at(self.arch, pc, Some(sp));
            return Ok(Caller::new(&caller.with_frame_pointer(known), Trust::Scan));
        }
        if let Some((pc, sp, outer)) =
            known.and_then(|pointer| self.by_frame_pointer(process, floor, pointer))
        {
            let caller = FrameRegisters::at(self.arch, pc, sp).with_frame_pointer(Some(outer));
            return Ok(Caller::new(&caller, Trust::FramePointer));
        }
        let sp = registers.sp().ok_or(CEnd::Lost)?;
        let (pc, sp) = self.next_return_address(process, sp).ok_or(CEnd::Lost)?;
        Ok(Caller::new(&FrameRegisters::at(self.arch, pc, Some(sp)), Trust::Scan))
    }
}

/// Whether Go's tables tell of the frames of the function at `pc`. They name C functions, too, where
/// Go's own linker linked them, but know nothing of their frames.
pub(super) fn is_go(process: &Process<'_>, pc: u64) -> bool {
    process.symbolizer.symbols(pc).is_some_and(|symbols| symbols.has_frame_info)
}
