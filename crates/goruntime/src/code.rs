//! What machine code refers to: the way to global variables when no symbol names them.

mod amd64;
mod arm64;

use panicle_image::Arch;

/// An address that an instruction names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reference {
    /// The address.
    pub(crate) address: u64,
    /// What is done with it.
    pub(crate) access: Access,
}

/// What an instruction does with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Access {
    /// Takes it.
    Address,
    /// Reads or writes so many bytes there.
    Memory(u8),
}

/// The fixed addresses that `code`, which lies at `address`, refers to, in order; none for an
/// architecture that is not read.
pub(crate) fn references(arch: Arch, code: &[u8], address: u64) -> Vec<Reference> {
    match arch {
        Arch::Amd64 => amd64::references(code, address),
        Arch::Arm64 => arm64::references(code, address),
        Arch::Other(_) => Vec::new(),
    }
}
