//! Return addresses on a stack, where no table tells which words they are.

use panicle_binary::cfi::FrameRegisters;
use panicle_image::Arch;

use super::CCode;
use crate::process::Process;

/// Words of a stack that are looked through for the next return address.
const MOST_WORDS: u64 = 1024;
/// A frame pointer further away than this is no frame pointer: functions with larger frames are rare, and
/// goroutines' stacks are elsewhere altogether.
const LARGEST_FRAME: u64 = 1 << 20;
/// `x30`.
pub(super) const LINK_REGISTER: u16 = 30;
/// Longest call instruction of x86-64: opcode, operand, index and 32-bit displacement.
const LONGEST_CALL: usize = 7;

/// Go functions that call C on its own stack (runtime/asm_*.s, race_*.s); a word that leads into
/// another one was left by an earlier call.
fn calls_c(name: &str) -> bool {
    ["runtime.asmcgocall", "runtime.racecall", "runtime.sigtramp", "runtime.cgoSigtramp"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

impl CCode<'_> {
    /// The frame's caller by its frame pointer: pc, stack pointer where that follows, and frame
    /// pointer. A word that is no return address was no frame pointer's neighbour.
    pub(super) fn by_frame_pointer(
        &self,
        process: &Process<'_>,
        floor: u64,
        frame_pointer: u64,
    ) -> Option<(u64, Option<u64>, u64)> {
        let near = frame_pointer >= floor && frame_pointer - floor < LARGEST_FRAME;
        if !near || !frame_pointer.is_multiple_of(8) {
            return None;
        }
        let pc = self.saved_pc(frame_pointer.checked_add(8)?)?;
        let outer = self.memory.u64(frame_pointer).ok()?;
        // On arm64 the pair is at the lower end of the frame, and the frame's size is anyone's guess.
        let sp = (self.arch == Arch::Amd64).then_some(frame_pointer.checked_add(16)?);
        self.is_return_address(process, pc).then_some((pc, sp, outer))
    }

    /// The return address of a function that calls no other, which leaves it where the call did.
    pub(super) fn in_link_register(&self, process: &Process<'_>, registers: &FrameRegisters) -> Option<u64> {
        let link = registers.get(LINK_REGISTER).filter(|_| self.arch == Arch::Arm64)?;
        let pc = self.unwinding.plain_pc(link);
        // That of a function with calls of its own points back into it.
        let elsewhere =
            self.module(pc).map(|(index, _)| index) != self.module(registers.pc()).map(|(index, _)| index);
        (elsewhere && self.is_return_address(process, pc)).then_some(pc)
    }

    /// Who called a pointer that leads to no code: nothing has been pushed behind the return address.
    pub(super) fn of_wild_call(
        &self,
        process: &Process<'_>,
        registers: &FrameRegisters,
    ) -> Option<(u64, u64)> {
        let wild = self.arch == Arch::Amd64 && self.module(registers.pc()).is_none();
        let sp = registers.sp().filter(|_| wild)?;
        let pc = self.memory.u64(sp).ok()?;
        self.is_return_address(process, pc).then_some((pc, sp.checked_add(8)?))
    }

    /// The next word that a call can have left, from `sp` on, and the stack pointer behind it.
    pub(super) fn next_return_address(&self, process: &Process<'_>, sp: u64) -> Option<(u64, u64)> {
        (0..MOST_WORDS).map_while(|word| sp.checked_add(word * 8)).find_map(|at| {
            let pc = self.saved_pc(at)?;
            self.is_return_address(process, pc).then_some((pc, at.checked_add(8)?))
        })
    }

    /// The return address at an address, without its signature.
    fn saved_pc(&self, at: u64) -> Option<u64> {
        self.memory.u64(at).ok().map(|pc| self.unwinding.plain_pc(pc))
    }

    /// Whether `pc` is behind a call, in C code or in a Go function that calls C.
    fn is_return_address(&self, process: &Process<'_>, pc: u64) -> bool {
        let Some(call) = pc.checked_sub(1) else { return false };
        if let Some(symbols) = process.symbolizer.symbols(call).filter(|symbols| symbols.has_frame_info) {
            return calls_c(&symbols.name);
        }
        self.module(call).is_some() && self.follows_call(pc)
    }

    /// Whether the instruction before `pc` is a call. Where the code is not at hand, it may be.
    fn follows_call(&self, pc: u64) -> bool {
        let mut code = [0; LONGEST_CALL];
        let length = if self.arch == Arch::Arm64 { 4 } else { LONGEST_CALL };
        let code = &mut code[..length];
        match self.memory.read(pc.wrapping_sub(length as u64), code) {
            Err(_) => true,
            Ok(()) if self.arch == Arch::Arm64 => is_branch_with_link(code),
            Ok(()) => ends_with_call(code),
        }
    }
}

/// `bl`, or `blr` with or without pointer authentication (Arm Architecture Reference Manual, C4.1).
fn is_branch_with_link(code: &[u8]) -> bool {
    let Some(word) = code.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)) else { return false };
    word >> 26 == 0b10_0101 || word & 0xfeff_f000 == 0xd63f_0000
}

/// `call rel32`, or `call r/m64` in one of its lengths (Intel's manual, volume 2A: opcodes E8 and FF /2).
fn ends_with_call(code: &[u8]) -> bool {
    let from_end = |length: usize| code.len().checked_sub(length).and_then(|at| code.get(at..));
    if from_end(5).is_some_and(|code| code[0] == 0xe8) {
        return true;
    }
    (2..=code.len()).filter_map(from_end).any(|code| {
        let [0xff, operand, rest @ ..] = code else { return false };
        let (mode, register) = (operand >> 6, operand & 7);
        let index = usize::from(mode != 3 && register == 4);
        let displacement = match (mode, register) {
            (0, 5) | (2, _) => 4,
            (1, _) => 1,
            _ => 0,
        };
        operand >> 3 & 7 == 2 && rest.len() == index + displacement
    })
}

#[cfg(test)]
mod tests {
    use super::{ends_with_call, is_branch_with_link};

    #[test]
    fn knows_the_calls_of_x86_64() {
        for call in [
            &[0x90, 0x90, 0xe8, 1, 2, 3, 4][..],
            &[0xff, 0xd0],
            &[0x41, 0xff, 0xd4],
            &[0xff, 0x15, 0, 0, 0, 0],
            &[0xff, 0x50, 0x18],
            &[0xff, 0x54, 0x24, 0x08],
            &[0xff, 0x94, 0x24, 0, 1, 0, 0],
        ] {
            assert!(ends_with_call(call), "{call:x?}");
        }
        for other in [&[0x90, 0x90][..], &[0xff, 0xe0], &[0xff, 0x50], &[0x48, 0x89, 0xe5], &[]] {
            assert!(!ends_with_call(other), "{other:x?}");
        }
    }

    #[test]
    fn knows_the_calls_of_aarch64() {
        assert!(is_branch_with_link(&0x9400_0001_u32.to_le_bytes()));
        assert!(is_branch_with_link(&0xd63f_0060_u32.to_le_bytes()));
        assert!(!is_branch_with_link(&0xd61f_0060_u32.to_le_bytes()));
        assert!(!is_branch_with_link(&0x1400_0001_u32.to_le_bytes()));
    }
}
