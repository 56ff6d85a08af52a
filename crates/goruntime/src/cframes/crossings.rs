//! Where a goroutine's stack leads through C.
//!
//! A call of C (`asmcgocall`) runs on the stack of the thread's `g0`, where `g0.sched.sp` says. When C
//! calls back, `cgocallback` keeps that pointer in its frame there, leaves its own in
//! `g0.sched.sp`, and goes on in Go, on the goroutine's stack, in a frame of the same size. So the
//! frames of `cgocallback` on the two stacks belong together in pairs, and behind each one on `g0`
//! stand `crosscall2` and the C code that called it (runtime/asm_amd64.s, asm_arm64.s and
//! runtime/cgo/asm_*.s of Go 1.19 to 1.27).

use panicle_binary::cfi::FrameRegisters;
use panicle_image::Arch;
use panicle_report::Trust;

use super::{CCode, CStack};
use crate::{
    frames::Stack,
    goroutine::{G, word},
    process::Process,
    threads::Thread,
};

/// C code calls back into Go that calls C again; a damaged chain ends here.
const MOST_CALLBACKS: usize = 256;

/// C frames within a goroutine's stack.
#[derive(Clone, Debug)]
pub(crate) struct Crossing {
    /// How many of the goroutine's own frames are further in.
    pub(crate) after: usize,
    /// The frames.
    pub(crate) stack: CStack,
}

/// What is known of a goroutine's C frames.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crossings {
    /// Innermost first.
    pub(crate) found: Vec<Crossing>,
    /// C frames further out are not to be found.
    pub(crate) gone: bool,
    /// The goroutine is the one whose end the runtime printed. A panic that goes through `cgocallback`
    /// gives the stack of the C frames back (`unwindm`, runtime/cgocall.go) before the runtime prints
    /// it, on that very stack.
    pub(crate) printed: bool,
}

/// How the assembly that C calls Go with lays its frame out.
struct Entry {
    /// From the stack pointer of `cgocallback` on `g0` to its return address, for a frame of this size.
    return_address: fn(u64) -> u64,
    /// From there to the saved `g0.sched.sp` (`unwindm` in cgocall.go relies on it).
    saved_sp: u64,
    /// Size of the block in which `crosscall2` saves C's registers (`PUSH_REGS_HOST_TO_ABI0`).
    block: u64,
    /// From the block's start to registers, by DWARF number.
    registers: &'static [(u16, u64)],
    /// Bytes of the return address that a call pushes.
    pushed: u64,
}

const AMD64: Entry = Entry {
    return_address: |frame| frame.wrapping_sub(8),
    saved_sp: 0,
    block: 6 * 8,
    registers: &[(3, 0), (12, 8), (13, 16), (14, 24), (15, 32), (6, 40)],
    pushed: 8,
};

const ARM64: Entry = Entry {
    return_address: |_| 0,
    saved_sp: 16,
    block: 24 * 8,
    registers: &[
        (19, 32),
        (20, 40),
        (21, 48),
        (22, 56),
        (23, 64),
        (24, 72),
        (25, 80),
        (26, 88),
        (27, 96),
        (28, 104),
        (29, 22 * 8),
    ],
    pushed: 0,
};
/// Where `crosscall2` saves the link register, from the block's start.
const ARM64_LINK: u64 = 23 * 8;

/// Where the stack of `g` leads through C. `thread` is the one whose `m` runs it.
pub(crate) fn find(
    process: &Process<'_>,
    code: &CCode<'_>,
    g: &G,
    stack: &Stack,
    thread: Option<&Thread>,
) -> Crossings {
    let mut crossings = Vec::new();
    let at_work = thread
        .filter(|thread| thread.m.is_some_and(|m| m.current == g.address))
        .and_then(|thread| thread.levels.last());
    if let Some(level) = at_work
        && let Some(c) = level.at_work_in_c()
        && !code.in_vdso(level.registers.pc())
    {
        crossings.push(Crossing { after: 0, stack: c.clone() });
    }
    let (callbacks, gone) = callbacks(process, code, g, stack);
    crossings.extend(callbacks);
    Crossings { found: crossings, gone, printed: false }
}

/// The C code that called each `cgocallback` on the stack of `g`, and whether some of it is not to be found.
fn callbacks(process: &Process<'_>, code: &CCode<'_>, g: &G, stack: &Stack) -> (Vec<Crossing>, bool) {
    let entry = if code.arch == Arch::Arm64 { &ARM64 } else { &AMD64 };
    let mut crossings = Vec::new();
    // Behind a gap it is not known how many there are.
    let seen = stack.elided.map_or(stack.frames.len(), |elided| elided.after_frames as usize);
    let own = stack.frames.iter().take(seen).enumerate();
    let frames = own.filter(|(_, frame)| frame.physical_name() == "runtime.cgocallback");
    let mut on_g0 = g0_sp(process, g);
    for (index, frame) in frames.take(MOST_CALLBACKS) {
        let Some(sp) = on_g0 else { return (crossings, true) };
        let size = frame.physical.fp.wrapping_sub(frame.physical.sp);
        let Some(registers) = caller_of_crosscall(process, code, entry, sp, size) else {
            return (crossings, true);
        };
        let stack = code.walk(process, registers, false, Trust::Cfi);
        crossings.push(Crossing { after: index + 1, stack });
        let outer = process.memory.u64(sp.wrapping_add(entry.saved_sp)).ok();
        on_g0 = outer.filter(|&outer| outer > sp);
    }
    (crossings, false)
}

/// `m.g0.sched.sp` of the `m` that `g` runs on, or is bound to while it waits in a callback.
fn g0_sp(process: &Process<'_>, g: &G) -> Option<u64> {
    let locked = process.object("runtime.g", g.address).map_or(0, |g| word(&g, "lockedm"));
    let m = [g.m, locked].into_iter().find(|&m| m != 0)?;
    let g0 = process.object("runtime.m", m).ok()?.word("g0").ok()?;
    let sp = process.object("runtime.g", g0).ok()?.word("sched.sp").ok()?;
    (sp != 0).then_some(sp)
}

/// The registers of the C function that called `crosscall2`, which called the `cgocallback` whose frame
/// on `g0` is at `sp` and has `size` bytes.
fn caller_of_crosscall(
    process: &Process<'_>,
    code: &CCode<'_>,
    entry: &Entry,
    sp: u64,
    size: u64,
) -> Option<FrameRegisters> {
    let memory = process.memory;
    let in_crosscall = memory.u64(sp.wrapping_add((entry.return_address)(size))).ok()?;
    let symbols = process.symbolizer.symbols(in_crosscall).filter(|symbols| symbols.name == "crosscall2")?;
    let frame = u64::try_from(symbols.stack_delta?).ok().filter(|&frame| frame >= entry.block)?;
    let end = sp.wrapping_add(size).wrapping_add(frame);
    let block = end.wrapping_sub(entry.block);
    let link = if entry.pushed == 0 { block.wrapping_add(ARM64_LINK) } else { end };
    let pc = memory.u64(link).ok()?;
    let mut registers = FrameRegisters::at(code.arch, pc, Some(end.wrapping_add(entry.pushed)));
    for &(number, offset) in entry.registers {
        if let Ok(value) = memory.u64(block.wrapping_add(offset)) {
            registers = registers.with(number, value);
        }
    }
    Some(registers)
}
