//! General registers of a thread, whatever the architecture.

mod amd64;
mod arm64;

pub use amd64::Amd64Registers;
pub use arm64::Arm64Registers;

use crate::Arch;

/// General registers of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one for each thread and signal, not more")]
pub enum Registers {
    /// amd64.
    Amd64(Amd64Registers),
    /// arm64.
    Arm64(Arm64Registers),
}

impl Registers {
    /// From the register block of an `NT_PRSTATUS` note; `None` where it is too short, or of an
    /// architecture that is not read.
    pub(crate) fn from_user_regs(arch: Arch, bytes: &[u8]) -> Option<Self> {
        match arch {
            Arch::Amd64 => Amd64Registers::from_user_regs(bytes).map(Self::Amd64),
            Arch::Arm64 => Arm64Registers::from_user_regs(bytes).map(Self::Arm64),
            Arch::Other(_) => None,
        }
    }

    /// Adds the vector registers out of an `NT_FPREGSET` note.
    pub(crate) fn add_vectors(&mut self, bytes: &[u8]) {
        match self {
            Self::Amd64(registers) => registers.add_fxsave(bytes),
            Self::Arm64(registers) => registers.add_fpsimd(bytes),
        }
    }

    /// Program counter.
    pub fn pc(&self) -> u64 {
        match self {
            Self::Amd64(registers) => registers.rip,
            Self::Arm64(registers) => registers.pc,
        }
    }

    /// Stack pointer.
    pub fn sp(&self) -> u64 {
        match self {
            Self::Amd64(registers) => registers.rsp,
            Self::Arm64(registers) => registers.sp,
        }
    }

    /// Frame pointer.
    pub fn frame_pointer(&self) -> u64 {
        match self {
            Self::Amd64(registers) => registers.rbp,
            Self::Arm64(registers) => registers.x[Arm64Registers::FRAME_POINTER],
        }
    }

    /// Where the running function returns to, on architectures whose calls leave that in a
    /// register. The function may have used the register for something else since.
    pub fn link_register(&self) -> Option<u64> {
        match self {
            Self::Amd64(_) => None,
            Self::Arm64(registers) => Some(registers.x[Arm64Registers::LINK]),
        }
    }

    /// By DWARF register number; of a vector register the lowest eight bytes.
    pub fn by_dwarf(&self, register: u16) -> Option<u64> {
        match self {
            Self::Amd64(registers) => registers.by_dwarf(register),
            Self::Arm64(registers) => registers.by_dwarf(register),
        }
    }
}

/// The lower halves of `N` registers of 16 bytes; `None` where there are fewer.
fn low_halves<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    let mut halves = [0; N];
    for (index, half) in halves.iter_mut().enumerate() {
        *half = word_at(bytes, index * 2)?;
    }
    Some(halves)
}

fn word_at(bytes: &[u8], index: usize) -> Option<u64> {
    let bytes = bytes.get(index * 8..index * 8 + 8)?;
    Some(u64::from_le_bytes(*bytes.first_chunk()?))
}
