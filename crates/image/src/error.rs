use object::elf;
use thiserror::Error;

use crate::Arch;

/// Why a file cannot be read as a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ImageError {
    /// Zero bytes.
    #[error("the file is empty")]
    Empty,
    /// Other magic bytes.
    #[error("the file is no core: it begins neither like an ELF file nor like a minidump")]
    NotElf,
    /// An ELF file of another kind.
    #[error("the file is an ELF file, but {} and not a core", elf_kind(*.0))]
    NotACore(u16),
    /// 32 bits.
    #[error("the core is of a 32-bit process, which is not read")]
    UnsupportedClass,
    /// Big-endian.
    #[error("the core is of a big-endian process, which is not read")]
    UnsupportedEndian,
    /// Another machine.
    #[error("the core is of a process on {}, which is not read; amd64 and arm64 are", machine(*.0))]
    UnsupportedArch(Arch),
    /// Ends within the headers.
    #[error("the core ends within its own headers")]
    TruncatedHeaders,
    /// No program headers, or such as no kernel writes.
    #[error("the core's headers describe no segments")]
    BadHeaders,
}

fn elf_kind(e_type: u16) -> &'static str {
    match elf::FileType(e_type) {
        elf::ET_REL => "an object file",
        elf::ET_EXEC => "an executable",
        elf::ET_DYN => "an executable or shared library",
        _ => "of an unknown kind",
    }
}

fn machine(arch: Arch) -> String {
    match arch {
        Arch::Other(machine) if arch.goarch() == "unknown" => format!("machine {machine} (ELF e_machine)"),
        _ => arch.goarch().to_owned(),
    }
}
