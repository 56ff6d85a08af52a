//! What the tables of one process' files have in common.

use std::cell::Cell;

use panicle_image::Arch;

/// Entries in the indexes that are made here, of all files together; real files that need one have some
/// thousands.
const MOST_ENTRIES: usize = 1 << 22;
/// Bytes of tables that are read, each as often as it is read: a step takes some hundred.
const MOST_BYTES: u64 = 2 << 30;
/// An entry with its program; real ones have at most some thousands of bytes.
const LONGEST: u64 = 64 << 10;
/// Where user space ends on AArch64, 52 bits only for who asks for it.
const ARM64_ADDRESSES: u64 = (1 << 48) - 1;

/// How the code of one process is unwound, and how much may still be read for it.
#[derive(Debug)]
pub struct Unwinding {
    pub(super) arch: Arch,
    code_mask: u64,
    pub(super) entries: Cell<usize>,
    bytes: Cell<u64>,
}

impl Unwinding {
    /// For code of `arch`. `code_mask` has the bits of a return address that are not a signature's, where
    /// the kernel has told them.
    pub fn new(arch: Arch, code_mask: Option<u64>) -> Self {
        let otherwise = if arch == Arch::Arm64 { ARM64_ADDRESSES } else { u64::MAX };
        let (entries, bytes) = (Cell::new(MOST_ENTRIES), Cell::new(MOST_BYTES));
        Self { arch, code_mask: code_mask.unwrap_or(otherwise), entries, bytes }
    }

    /// A return address without the signature that AArch64 may keep in its upper bits.
    pub fn plain_pc(&self, pc: u64) -> u64 {
        pc & self.code_mask
    }

    /// Takes an entry of `length` bytes off what may be read; `None` when it is longer than any, or when
    /// too much was read.
    pub(super) fn read(&self, length: usize) -> Option<()> {
        let length = u64::try_from(length).ok().filter(|&length| length <= LONGEST)?;
        self.bytes.set(self.bytes.get().checked_sub(length)?);
        Some(())
    }

    /// Takes one entry off the room for indexes.
    pub(super) fn index(&self) -> Option<()> {
        self.entries.set(self.entries.get().checked_sub(1)?);
        Some(())
    }
}
