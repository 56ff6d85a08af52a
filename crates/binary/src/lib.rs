//! Executables: what a Go binary says about itself.
//!
//! [`Executable::parse`] reads an ELF or PE file's headers, identities and build information. The Go
//! function table is [`pclntab`]'s subject, debug information [`dwarf`]'s. Which file a core
//! belongs to is told by [`matching`], and what kind of file some bytes are at all by [`identify`].

pub mod build_info;
pub mod cfi;
mod debug;
pub mod dwarf;
mod elf;
mod error;
mod file;
pub mod identify;
pub mod mapped;
pub mod matching;
mod notes;
mod packing;
pub mod pclntab;
mod pe;
pub mod process_image;
mod symbols;
mod text;

pub use build_info::BuildInfo;
pub use debug::{DebugLink, Tie, Untied};
pub use elf::{Executable, LoadSegment, Section};
pub use error::BinaryError;
pub use packing::Packer;
pub use pe::PeImage;
pub use symbols::Symbol;
