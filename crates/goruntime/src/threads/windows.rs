//! Go frames of a thread that is inside of Windows' libraries.
//!
//! Go calls Windows through `asmcgocall`, on the scheduler's stack. Above it lie the frames of libraries,
//! for which there are no tables at hand; so its return address is looked for.

use std::ops::ControlFlow;

use panicle_image::Registers;

use super::MOST_FRAMES;
use crate::{
    process::Process,
    unwind::{self, PhysicalFrame, Start},
};

/// Words of a stack that are looked through: dispatching an exception takes some kilobytes.
const MOST_WORDS: u64 = 4096;

/// Bytes of code behind a call that are looked at.
const CODE: usize = 16;

/// What `asmcgocall` does when the call returns (runtime/asm_amd64.s).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Restores the stack pointer that is so far up the stack: it did not switch stacks.
    Restore(u64),
    /// Goes back to the goroutine's stack.
    SwitchBack,
}

/// The frames from `asmcgocall` outwards, and how many of them were guessed: the first. None when the
/// thread is elsewhere.
pub(super) fn behind_a_call(process: &Process<'_>, registers: &Registers) -> (Vec<PhysicalFrame>, usize) {
    let memory = process.memory;
    let found = (0..MOST_WORDS).map_while(|word| registers.sp().checked_add(word * 8)).find_map(|at| {
        let pc = memory.u64(at).ok()?;
        // `asmcgocall` itself, whatever its ABI is called in this version.
        let symbols = process.symbolizer.symbols(pc)?;
        let inside = symbols.name.starts_with("runtime.asmcgocall");
        let mut code = [0; CODE];
        memory.read(pc, &mut code).ok()?;
        // What the function pushed before it looked at its stack pointer; the tables do not follow what it
        // does to that later.
        let pushed = u64::try_from(symbols.stack_delta.unwrap_or(0)).ok()?;
        Some((pc, at.wrapping_add(8), pushed, inside.then(|| after_call(&code))??))
    });
    let Some((pc, sp, pushed, then)) = found else { return (Vec::new(), 0) };
    let mut frames = Vec::new();
    walk(process, pc, sp, 1, &mut frames);
    let guessed = frames.len();
    if let Then::Restore(offset) = then
        && let Ok(original) = memory.u64(sp.wrapping_add(offset))
        && original > sp
        && let Some(returns_at) = original.checked_add(pushed)
        && let Ok(caller) = memory.u64(returns_at)
    {
        walk(process, caller, returns_at.wrapping_add(8), MOST_FRAMES, &mut frames);
    }
    (frames, guessed)
}

/// Adds up to `most` frames from a return address outwards.
fn walk(process: &Process<'_>, pc: u64, sp: u64, most: usize, frames: &mut Vec<PhysicalFrame>) {
    let mut left = most;
    unwind::walk(process, Start { pc, sp, lr: 0, trap: false, syscall: false }, |frame| {
        frames.push(frame.clone());
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
}

/// What the instructions behind the call do: `MOVQ offset(SP), SI` at once where the stack was not
/// switched; where it was, `MOVQ offset(SP), DI` after a look at the thread's own data. The offset differs
/// by version.
fn after_call(code: &[u8; CODE]) -> Option<Then> {
    match *code {
        [0x48, 0x8b, 0x34, 0x24, ..] => return Some(Then::Restore(0)),
        [0x48, 0x8b, 0x74, 0x24, offset @ 0..0x80, ..] => return Some(Then::Restore(u64::from(offset))),
        _ => {}
    }
    let back = |code: &[u8]| matches!(code, [0x48, 0x8b, 0x7c, 0x24, 0..0x80] | [0x48, 0x8b, 0x3c, 0x24, _]);
    code.windows(5).any(back).then_some(Then::SwitchBack)
}

#[cfg(test)]
mod tests {
    use super::{CODE, Then, after_call};

    #[test]
    fn the_way_back_is_read_from_the_code() {
        let after = |start: &[u8]| {
            let mut code = [0x90; CODE];
            code[..start.len()].copy_from_slice(start);
            after_call(&code)
        };
        // Go 1.21 keeps it 40 bytes up, 1.24 on top.
        assert_eq!(after(&[0x48, 0x8b, 0x74, 0x24, 0x28]), Some(Then::Restore(40)));
        assert_eq!(after(&[0x48, 0x8b, 0x34, 0x24, 0x48]), Some(Then::Restore(0)));
        let tls = [0x48, 0x8b, 0x0d, 1, 2, 3, 4];
        assert_eq!(after(&[&tls[..], &[0x48, 0x8b, 0x7c, 0x24, 0x08]].concat()), Some(Then::SwitchBack));
        assert_eq!(after(&[0x48, 0x8b, 0x74, 0x24, 0x90]), None);
        assert_eq!(after(&[0x48, 0x89, 0xe0, 0xc3, 0xcc]), None);
    }
}
