//! Walking a Go stack as the runtime's own unwinder does (`runtime/traceback.go`, type unwinder),
//! so that what comes out is what the dying process would print.

use std::{ops::ControlFlow, rc::Rc};

use crate::{process::Process, symbolize::Symbols};

/// Where a walk starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Program counter.
    pub pc: u64,
    /// Stack pointer at that pc.
    pub sp: u64,
    /// The pc is that of an interrupted instruction, not a return address.
    pub trap: bool,
    /// The pair was saved on entry to a system call (`g.syscallpc`, `g.syscallsp`).
    pub syscall: bool,
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
    /// The caller's stack pointer just after the return; arguments start here on amd64.
    pub fp: u64,
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
    let memory = process.memory;
    let Start { mut pc, mut sp, mut trap, syscall } = start;
    if pc == 0 {
        // A call through a nil function value: the return address is on top of the stack.
        match memory.u64(sp) {
            Ok(caller) => (pc, sp) = (caller, sp.wrapping_add(8)),
            Err(_) => return End::Unmapped(sp),
        }
    }
    for count in 0..MOST_FRAMES {
        let Some(symbols) = process.symbolizer.symbols(pc) else { return End::UnknownPc(pc) };
        let lookup_pc = if !trap && pc > symbols.entry { pc - 1 } else { pc };
        // The runtime looks the frame size up at the pc itself, not at the call before it.
        let delta = match symbols.stack_delta {
            Some(delta) if delta >= 0 => u64::from(delta.unsigned_abs()),
            _ => 0,
        };
        let fp = sp.wrapping_add(delta).wrapping_add(8);
        let frame = PhysicalFrame { pc, lookup_pc, sp, fp, symbols: Rc::clone(&symbols), trap };
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
        let Ok(return_address) = memory.u64(fp.wrapping_sub(8)) else {
            return End::Unmapped(fp.wrapping_sub(8));
        };
        if return_address == 0 {
            return End::Top;
        }
        if fp <= sp {
            return End::Stuck;
        }
        trap = is_injected(&symbols.name);
        (pc, sp) = (return_address, fp);
    }
    End::Stuck
}
