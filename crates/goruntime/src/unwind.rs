//! Walking a Go stack as the runtime's own unwinder does (`runtime/traceback.go`, type unwinder),
//! so that what comes out is what the dying process would print.

use std::{ops::ControlFlow, rc::Rc};

use panicle_image::Registers;

use crate::{process::Process, symbolize::Symbols};

/// Where a walk starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Program counter.
    pub pc: u64,
    /// Stack pointer at that pc.
    pub sp: u64,
    /// Where the function at the pc returns to, on architectures that have a register for it; 0
    /// where that is unknown.
    pub lr: u64,
    /// The pc is that of an interrupted instruction, not a return address.
    pub trap: bool,
    /// The pair was saved on entry to a system call (`g.syscallpc`, `g.syscallsp`).
    pub syscall: bool,
}

impl Start {
    /// At what `registers` say: those of a thread that stands there, or that a signal interrupted.
    pub fn interrupted(registers: &Registers) -> Self {
        Self {
            pc: registers.pc(),
            sp: registers.sp(),
            lr: registers.link_register().unwrap_or(0),
            trap: true,
            syscall: false,
        }
    }
}

/// One physical frame.
#[derive(Clone, Debug)]
pub struct PhysicalFrame {
    /// Program counter: a return address unless `trap`.
    pub pc: u64,
    /// The pc to look names and lines up with.
    pub lookup_pc: u64,
    /// Stack pointer.
    pub sp: u64,
    /// The caller's stack pointer just after the return: the canonical frame address.
    pub fp: u64,
    /// Where arguments that are passed on the stack start, and the spill slots of the others.
    pub argp: u64,
    /// Its function.
    pub symbols: Rc<Symbols>,
    /// Interrupted here by a signal, a fault or a preemption, rather than calling on.
    pub trap: bool,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At a function that marks the top of a stack.
    Top,
    /// At a function whose frame tables do not tell the stack pointer (`gogo`, `mcall`); the
    /// runtime stops here too.
    StackSwitch,
    /// At an address outside Go's tables.
    UnknownPc(u64),
    /// At memory that is not there.
    Unmapped(u64),
    /// The frames made no progress, or there are more than the stack could hold.
    Stuck,
    /// The caller had enough.
    Stopped,
}

impl End {
    /// Whether the stack was seen to its end, as far as the runtime itself can see.
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Top | Self::StackSwitch)
    }
}

/// No stack is deeper: the default limit of 1 GB over the smallest frame of 8 bytes.
const MOST_FRAMES: u64 = 1 << 27;

/// Functions that a signal handler makes look called from where the signal hit
/// (`isInjectedCall`): below them stands an interrupted instruction.
fn is_injected(name: &str) -> bool {
    matches!(name, "runtime.sigpanic" | "runtime.asyncPreempt" | "runtime.debugCallV2")
}

/// Walks from `start` outwards and hands each frame to `visit`.
pub fn walk(
    process: &Process<'_>,
    start: Start,
    mut visit: impl FnMut(&PhysicalFrame) -> ControlFlow<()>,
) -> End {
    let (memory, shape) = (process.memory, process.shape);
    let Start { mut pc, mut sp, mut lr, mut trap, syscall } = start;
    if pc == 0 {
        // A call through a nil function value: the return address is on top of the stack.
        match memory.u64(sp) {
            Ok(caller) => (pc, sp, lr) = (caller, sp.wrapping_add(shape.pushed_by_call), 0),
            Err(_) => return End::Unmapped(sp),
        }
    }
    // Names and lines are those of the pc itself, not of the call before it.
    let mut exact = trap;
    for count in 0..MOST_FRAMES {
        let Some(symbols) = process.symbolizer.symbols(pc) else { return End::UnknownPc(pc) };
        let lookup_pc = if !exact && pc > symbols.entry { pc - 1 } else { pc };
        // The runtime looks the frame size up at the pc itself, not at the call before it.
        let delta = match symbols.stack_delta {
            Some(delta) if delta >= 0 => u64::from(delta.unsigned_abs()),
            _ => 0,
        };
        let fp = sp.wrapping_add(delta).wrapping_add(shape.pushed_by_call);
        let argp = fp.wrapping_add(shape.before_arguments);
        let frame = PhysicalFrame { pc, lookup_pc, sp, fp, argp, symbols: Rc::clone(&symbols), trap };
        if visit(&frame).is_break() {
            return End::Stopped;
        }
        if !symbols.has_frame_info {
            return End::StackSwitch;
        }
        if symbols.flags.top_frame() {
            return End::Top;
        }
        // cgocallback switches stacks with care and can be walked through; a system call's entry
        // was saved before any switch.
        let switches =
            symbols.flags.writes_sp() && symbols.name != "runtime.cgocallback" && !(syscall && count == 0);
        if switches {
            return End::StackSwitch;
        }
        let saved_at = if shape.link_register { sp } else { fp.wrapping_sub(shape.pushed_by_call) };
        // A function that has a frame has saved the register there, and may have used it since.
        let in_register = shape.link_register && lr != 0 && !(count == 0 && sp < fp);
        let return_address = if in_register { Ok(lr) } else { memory.u64(saved_at) };
        let Ok(return_address) = return_address else { return End::Unmapped(saved_at) };
        if return_address == 0 {
            return End::Top;
        }
        // A function without a frame, interrupted before it saved anything, is the one that may
        // stand where its caller does.
        if fp < sp || (fp == sp && return_address == pc) {
            return End::Stuck;
        }
        trap = is_injected(&symbols.name);
        exact = trap && process.layout.unwinder.shows_interrupted_line(&symbols.name);
        (pc, sp, lr) = (return_address, fp, 0);
        if trap && shape.link_register {
            // What was interrupted may have had its return address in the register alone.
            let Ok(interrupted) = memory.u64(sp) else { return End::Unmapped(sp) };
            sp = sp.wrapping_add(shape.pushed_by_injection);
            if process.symbolizer.symbols(pc).is_some_and(|symbols| symbols.stack_delta == Some(0)) {
                lr = interrupted;
            }
        }
    }
    End::Stuck
}
