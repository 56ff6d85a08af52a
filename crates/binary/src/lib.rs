//! Executables: what a Go binary says about itself.
//!
//! [`Executable::parse`] reads an ELF file's headers, identities and build information. The Go
//! function table is [`pclntab`]'s subject, debug information [`dwarf`]'s. Which file a core
//! belongs to is told by [`matching`], and what kind of file some bytes are at all by [`identify`].

pub mod build_info;
pub mod dwarf;
mod elf;
mod error;
pub mod identify;
pub mod matching;
mod notes;
pub mod pclntab;
mod symbols;

pub use build_info::BuildInfo;
pub use elf::{Executable, LoadSegment, Section};
pub use error::BinaryError;
pub use symbols::Symbol;
