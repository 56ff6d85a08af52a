//! What was left of a crashed process: its threads, their registers and its memory.
//!
//! [`Core::parse`] reads the headers and notes of an ELF core, or the streams of a minidump, and nothing
//! else; memory is read
//! where it lies, through an [`AddressSpace`], so the cost of opening a core does not depend on its
//! size. Nothing here knows Go.

mod arch;
mod core;
mod error;
mod headers;
mod memory;
mod minidump;
mod missing;
pub mod mmap;
mod notes;
mod registers;
mod signal_frame;

pub use crate::core::{
    Auxv, Core, FileMapping, Format, LoadedModule, Os, ProcessInfo, Segment, SignalInfo, Thread, Truncated,
};
pub use arch::Arch;
pub use error::ImageError;
pub use memory::{AddressSpace, Unmapped};
pub use registers::{Amd64Registers, Arm64Registers, Registers};
pub use signal_frame::SignalFrame;
