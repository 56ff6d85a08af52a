//! Source positions of C code: functions with the calls inlined into them, files and lines.
//!
//! Go code has its own tables for this ([`crate::pclntab`]). addr2line reads the line programs and the
//! trees of inlined calls of the units that C and C++ compilers wrote.

use super::{DwarfIndex, Slice};

/// Calls inlined into one another at one address; compilers stop far below.
const MOST_INLINED: usize = 64;

/// A call at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceCall {
    /// The function's linkage name, or else its name; as the compiler wrote it.
    pub function: Option<String>,
    /// Path of the file, with the folder of the compilation.
    pub file: Option<String>,
    /// 1-based line.
    pub line: Option<u32>,
}

/// Answers for the debug information of one file.
pub struct Positions<'s> {
    context: addr2line::Context<Slice<'s>>,
}

impl DwarfIndex<'_> {
    /// What is needed to find source positions; `None` when no unit can be read.
    pub fn positions(&self) -> Option<Positions<'_>> {
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
                function: frame.function.and_then(|name| Some(name.raw_name().ok()?.into_owned())),
                file: location.and_then(|location| location.file).map(str::to_owned),
                line: location.and_then(|location| location.line).filter(|&line| line != 0),
            });
        }
        calls
    }
}
