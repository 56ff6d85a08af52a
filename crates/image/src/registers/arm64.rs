//! Registers of arm64.

use super::word_at;

/// arm64, as `struct user_pt_regs` of Linux's `asm/ptrace.h` has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arm64Registers {
    /// `x0` to `x30`.
    pub x: [u64; 31],
    /// Stack pointer.
    pub sp: u64,
    /// Program counter.
    pub pc: u64,
    /// Condition flags and the like.
    pub pstate: u64,
}

impl Arm64Registers {
    /// The frame pointer's place in `x`.
    pub(super) const FRAME_POINTER: usize = 29;
    /// The link register's place in `x`.
    pub(super) const LINK: usize = 30;

    /// From the register block of an `NT_PRSTATUS` note. It is also what follows the faulting
    /// address in the `sigcontext` that the kernel leaves on the signal stack
    /// (`asm/sigcontext.h`).
    pub(crate) fn from_user_regs(bytes: &[u8]) -> Option<Self> {
        let mut x = [0; 31];
        for (index, register) in x.iter_mut().enumerate() {
            *register = word_at(bytes, index)?;
        }
        Some(Self { x, sp: word_at(bytes, 31)?, pc: word_at(bytes, 32)?, pstate: word_at(bytes, 33)? })
    }

    /// By DWARF register number (DWARF for the Arm 64-bit Architecture, section 4.1).
    pub fn by_dwarf(&self, register: u16) -> Option<u64> {
        match register {
            0..=30 => self.x.get(usize::from(register)).copied(),
            31 => Some(self.sp),
            32 => Some(self.pc),
            _ => None,
        }
    }
}
