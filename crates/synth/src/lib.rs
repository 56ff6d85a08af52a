//! Cores, minidumps and executables made for tests.
//!
//! Every byte is pushed by hand from what the formats' documents say (elf(5), core(5), the kernel's
//! headers, minidumpapiset.h, `debug/buildinfo`), never through the readers' types: a mistake that reader and writer
//! share would go unseen. What real programs leave is in the fixtures; this crate makes what they
//! do not, such as more segments than fit the header, or a core that somebody wrote to do harm.

mod build_info;
mod bytes;
mod core_file;
mod executable_file;
mod minidump_file;
mod strip;

pub use build_info::{BuildInfoForm, build_info};
pub use core_file::{CoreFile, Memory, ThreadNotes, Writer, siginfo_fault, siginfo_sent};
pub use executable_file::{ExecutableFile, Load, SectionBytes};
pub use minidump_file::{
    ExceptionRecord, MinidumpFile, ModuleEntry, ThreadContext, amd64_context, arm64_context, elf_code_view,
};
pub use strip::strip;
