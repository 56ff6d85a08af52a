//! Source positions of C code: functions with the calls inlined into them, files and lines.
//!
//! Go code has its own tables for this ([`crate::pclntab`]). addr2line reads the line programs and the
//! trees of inlined calls of the units that C and C++ compilers wrote.

use super::{DwarfIndex, Slice};

/// Calls inlined into one another at one address; compilers stop far below.
const MOST_INLINED: usize = 64;
/// Entries nested in one another. addr2line calls itself for each inlined call within another, so that
/// deeper ones would use up the stack; those of real programs are a tenth as deep.
const DEEPEST: usize = 256;
/// Bytes of a function's name; those of C++ templates and of Go's type arguments can be long.
pub const LONGEST_NAME: usize = 16 << 10;
/// Linux' `PATH_MAX`.
pub const LONGEST_PATH: usize = 4096;

/// A call at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceCall {
    /// The function's linkage name, or else its name; as the compiler wrote it. None when it is longer
    /// than [`LONGEST_NAME`].
    pub function: Option<String>,
    /// Path of the file, with the folder of the compilation. None when it is longer than
    /// [`LONGEST_PATH`].
    pub file: Option<String>,
    /// 1-based line.
    pub line: Option<u32>,
}

/// Answers for the debug information of one file.
pub struct Positions<'s> {
    context: addr2line::Context<Slice<'s>>,
}

impl DwarfIndex<'_> {
    /// What is needed to find source positions; `None` when a unit cannot be read, or when entries are
    /// nested deeper than any compiler does it.
    pub fn positions(&self) -> Option<Positions<'_>> {
        self.depth.filter(|&depth| depth <= DEEPEST)?;
        addr2line::Context::from_dwarf(self.dwarf()).ok().map(|context| Positions { context })
    }
}

impl Positions<'_> {
    /// The calls at a link-time address, innermost first; empty where no unit covers it.
    pub fn at(&self, address: u64) -> Vec<SourceCall> {
        let mut calls = Vec::new();
        let Ok(mut frames) = self.context.find_frames(address).skip_all_loads() else { return calls };
        while let Ok(Some(frame)) = frames.next() {
            if calls.len() == MOST_INLINED {
                break;
            }
            let location = frame.location.as_ref();
            calls.push(SourceCall {
                function: frame.function.and_then(|name| {
                    let name = name.raw_name().ok().filter(|name| name.len() <= LONGEST_NAME)?;
                    Some(name.into_owned())
                }),
                file: location
                    .and_then(|location| location.file)
                    .filter(|path| path.len() <= LONGEST_PATH)
                    .map(str::to_owned),
                line: location.and_then(|location| location.line).filter(|&line| line != 0),
            });
        }
        calls
    }
}

#[cfg(test)]
mod tests;
