use thiserror::Error;

use super::Function;

/// Why a function table cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PclntabError {
    /// Shorter than its header.
    #[error("the function table is cut short")]
    Truncated,
    /// The first word is none of the known magics.
    #[error("the function table starts with the unknown magic {0:#010x}")]
    UnknownMagic(u32),
    /// The format of Go 1.2 to 1.17.
    #[error("the function table has the format of Go {0}, which is not read")]
    OldVersion(&'static str),
    /// Not a 64-bit table.
    #[error("the function table is for {0}-byte pointers; only 8 are read")]
    PointerSize(u8),
    /// An offset in the header points outside the table.
    #[error("the function table's header points outside the table")]
    BadOffset,
    /// Neither the header nor the caller knows where the text starts.
    #[error("nothing tells where the text that the function table is about starts")]
    NoTextStart,
}

/// The formats that are read, named after the first Go release with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PclntabVersion {
    /// Go 1.18 and 1.19.
    Go118,
    /// Go 1.20 and later.
    Go120,
}

/// A function table.
#[derive(Clone, Debug)]
pub struct Pclntab<'a> {
    pub(super) version: PclntabVersion,
    /// Instruction size unit: 1 on amd64, 4 on arm64.
    pub(super) quantum: u32,
    pub(super) text_start: u64,
    pub(super) names: &'a [u8],
    pub(super) compile_units: &'a [u8],
    pub(super) files: &'a [u8],
    pub(super) pc_tables: &'a [u8],
    /// The functab and the `_func` records behind it.
    pub(super) functions: &'a [u8],
    pub(super) count: usize,
    /// `go:func.*`, what function data offsets are relative to; empty when unknown.
    pub(super) func_data: &'a [u8],
}

impl<'a> Pclntab<'a> {
    /// Reads the table's header.
    ///
    /// `text_start` is `moduledata.text` or the address of `runtime.text`, for tables that do not
    /// say themselves (Go 1.26+, or a position-independent executable before relocation).
    pub fn parse(data: &'a [u8], text_start: Option<u64>) -> Result<Self, PclntabError> {
        let magic = u32_at(data, 0).ok_or(PclntabError::Truncated)?;
        let version = match magic {
            0xffff_fff1 => PclntabVersion::Go120,
            0xffff_fff0 => PclntabVersion::Go118,
            0xffff_fffa => return Err(PclntabError::OldVersion("1.16 or 1.17")),
            0xffff_fffb => return Err(PclntabError::OldVersion("1.2 to 1.15")),
            other => return Err(PclntabError::UnknownMagic(other)),
        };
        let &[quantum, pointer_size] =
            data.get(6..8).and_then(|b| b.first_chunk()).ok_or(PclntabError::Truncated)?;
        if pointer_size != 8 {
            return Err(PclntabError::PointerSize(pointer_size));
        }
        let word = |index: usize| u64_at(data, 8 + index * 8).ok_or(PclntabError::Truncated);
        let part = |index: usize| -> Result<&'a [u8], PclntabError> {
            let offset = usize::try_from(word(index)?).map_err(|_| PclntabError::BadOffset)?;
            data.get(offset..).ok_or(PclntabError::BadOffset)
        };
        let functions = part(7)?;
        let count = usize::try_from(word(0)?).map_err(|_| PclntabError::BadOffset)?;
        // Each function has 8 bytes in the functab, and one more pc ends it.
        if count.checked_mul(8).and_then(|n| n.checked_add(4)).is_none_or(|n| n > functions.len()) {
            return Err(PclntabError::BadOffset);
        }
        let text_start = match (text_start, word(2)?) {
            (Some(known), _) => known,
            (None, 0) => return Err(PclntabError::NoTextStart),
            (None, said) => said,
        };
        Ok(Self {
            version,
            quantum: u32::from(quantum.max(1)),
            text_start,
            names: part(3)?,
            compile_units: part(4)?,
            files: part(5)?,
            pc_tables: part(6)?,
            functions,
            count,
            func_data: &[],
        })
    }

    /// The same table with the bytes of `go:func.*` (from `moduledata.gofunc` on), without which
    /// there are no inline trees and no argument layouts.
    #[must_use]
    pub fn with_func_data(mut self, func_data: &'a [u8]) -> Self {
        self.func_data = func_data;
        self
    }

    /// The format.
    pub fn version(&self) -> PclntabVersion {
        self.version
    }

    /// How many functions there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The function that holds `pc`.
    pub fn function_at(&self, pc: u64) -> Option<Function<'_, 'a>> {
        let offset = u32::try_from(pc.checked_sub(self.text_start)?).ok()?;
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry_offset(middle)? <= offset {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let index = low.checked_sub(1)?;
        (offset < self.entry_offset(index + 1)?).then_some(())?;
        Function::read(self, index)
    }

    /// All functions, by address.
    pub fn functions(&self) -> impl Iterator<Item = Function<'_, 'a>> {
        (0..self.count).filter_map(|index| Function::read(self, index))
    }

    /// The function called `name` in the table's own spelling (`runtime.gopanic`,
    /// `main.F[go.shape.int]`).
    pub fn function_named(&self, name: &str) -> Option<Function<'_, 'a>> {
        self.functions().find(|function| function.name() == Some(name))
    }

    /// Offset from the text's start of function `index`, or of the text's end for `index == count`.
    pub(super) fn entry_offset(&self, index: usize) -> Option<u32> {
        u32_at(self.functions, index.checked_mul(8)?)
    }

    /// A name out of the name table.
    pub(super) fn name_at(&self, offset: i32) -> Option<&'a str> {
        str_at(self.names, usize::try_from(offset).ok()?)
    }

    /// A path out of the file table: `index` counts within the compile unit at `unit`.
    pub(super) fn file_at(&self, unit: u32, index: i32) -> Option<&'a str> {
        let entry = (unit as usize).checked_add(usize::try_from(index).ok()?)?;
        let offset = u32_at(self.compile_units, entry.checked_mul(4)?)?;
        if offset == u32::MAX {
            return None;
        }
        str_at(self.files, offset as usize)
    }
}

/// A NUL-terminated UTF-8 string; names longer than a kilobyte exist (generics), than this do not.
fn str_at(data: &[u8], offset: usize) -> Option<&str> {
    const LONGEST: usize = 1 << 16;
    let bytes = data.get(offset..)?;
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    let end = bytes.iter().position(|&byte| byte == 0)?;
    std::str::from_utf8(&bytes[..end]).ok()
}

pub(super) fn u32_at(data: &[u8], offset: usize) -> Option<u32> {
    let bytes = data.get(offset..offset.checked_add(4)?)?;
    Some(u32::from_le_bytes(*bytes.first_chunk()?))
}

fn u64_at(data: &[u8], offset: usize) -> Option<u64> {
    let bytes = data.get(offset..offset.checked_add(8)?)?;
    Some(u64::from_le_bytes(*bytes.first_chunk()?))
}
