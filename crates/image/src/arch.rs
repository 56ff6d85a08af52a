use object::elf;

/// The architecture of a process or executable, as ELF's `e_machine` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// AArch64.
    Arm64,
    /// Another; the value of `e_machine`.
    Other(u16),
}

impl Arch {
    /// From `e_machine`.
    pub fn from_machine(machine: u16) -> Self {
        match elf::Machine(machine) {
            elf::EM_X86_64 => Self::Amd64,
            elf::EM_AARCH64 => Self::Arm64,
            _ => Self::Other(machine),
        }
    }

    /// Go's name for it (the 64-bit little-endian ports of `internal/goarch`), `unknown` for one
    /// that Go does not run on.
    pub fn goarch(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
            Self::Other(machine) => match elf::Machine(machine) {
                elf::EM_RISCV => "riscv64",
                elf::EM_LOONGARCH => "loong64",
                elf::EM_PPC64 => "ppc64le",
                elf::EM_MIPS => "mips64le",
                _ => "unknown",
            },
        }
    }

    /// The DWARF number of the stack pointer (System V ABI for x86-64, figure 3.36; DWARF for the
    /// Arm 64-bit Architecture, section 4.1).
    pub fn dwarf_stack_pointer(self) -> Option<u16> {
        match self {
            Self::Amd64 => Some(7),
            Self::Arm64 => Some(31),
            Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Arch;

    #[test]
    fn machines_have_their_go_names() {
        let named = [(62, "amd64"), (183, "arm64"), (243, "riscv64"), (258, "loong64"), (2, "unknown")];
        for (machine, name) in named {
            assert_eq!(Arch::from_machine(machine).goarch(), name);
        }
        assert_eq!(Arch::from_machine(2), Arch::Other(2));
    }
}
