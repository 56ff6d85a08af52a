//! Executables: ELF files, their identities, build information and Go tables.

pub mod dwarf;
pub mod pclntab;
