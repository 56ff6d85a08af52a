//! Registers of arm64.

use super::{low_halves, word_at};

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
    /// The lowest eight bytes of `v0` to `v31`, where Go keeps floats; `None` where unknown.
    pub v: Option<[u64; 32]>,
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
        let [sp, pc, pstate] = [word_at(bytes, 31)?, word_at(bytes, 32)?, word_at(bytes, 33)?];
        Some(Self { x, sp, pc, pstate, v: None })
    }

    /// Adds the vector registers out of `struct user_fpsimd_state` (asm/ptrace.h), which is what an
    /// `NT_FPREGSET` note holds.
    pub(crate) fn add_fpsimd(&mut self, bytes: &[u8]) {
        self.v = low_halves(bytes);
    }

    /// By DWARF register number (DWARF for the Arm 64-bit Architecture, section 4.1).
    pub fn by_dwarf(&self, register: u16) -> Option<u64> {
        match register {
            0..=30 => self.x.get(usize::from(register)).copied(),
            31 => Some(self.sp),
            32 => Some(self.pc),
            64..=95 => Some(self.v?[usize::from(register - 64)]),
            _ => None,
        }
    }
}
