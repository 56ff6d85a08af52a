//! General registers of a thread, whatever the architecture.

mod amd64;
mod arm64;

pub use amd64::Amd64Registers;
pub use arm64::Arm64Registers;

use crate::Arch;

/// General registers of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    /// By DWARF register number.
    pub fn by_dwarf(&self, register: u16) -> Option<u64> {
        match self {
            Self::Amd64(registers) => registers.by_dwarf(register),
            Self::Arm64(registers) => registers.by_dwarf(register),
        }
    }
}

fn word_at(bytes: &[u8], index: usize) -> Option<u64> {
    let bytes = bytes.get(index * 8..index * 8 + 8)?;
    Some(u64::from_le_bytes(*bytes.first_chunk()?))
}
