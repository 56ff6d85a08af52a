//! Debug information in a file of its own: which executable it belongs to, and how its addresses
//! become those of the executable.
//!
//! Three kinds are known: a file made by `objcopy --only-keep-debug`, an executable before `strip`
//! (both have the stripped one's IDs), and the unstripped twin, a second link of the same code without
//! `-s -w`. A twin has IDs of its own. It is recognised by its text, and its data may lie elsewhere.

use std::borrow::Cow;

use panicle_report::{Diagnostic, DwarfPresence};
use thiserror::Error;

use crate::{
    Executable, Section, Symbol,
    dwarf::{DwarfError, DwarfIndex},
    matching,
};

/// How a debug file was tied to an executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// Both have the same build ID.
    BuildId,
    /// The executable names the file and its checksum in `.gnu_debuglink`.
    DebugLink,
    /// Both have the same text.
    Text,
}

/// Why a file is not an executable's debug information.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Untied {
    /// No DWARF in it.
    #[error("it has no debug information itself")]
    NoDebugInformation,
    /// Another processor.
    #[error("it is for another processor")]
    OtherArchitecture,
    /// The build IDs are of different builds, and there is no text to compare.
    #[error("its build ID is another one")]
    OtherIds,
    /// The text differs.
    #[error("its code differs")]
    TextDiffers,
    /// Neither IDs nor text nor a debug link.
    #[error("nothing ties it to the executable: no build ID, no checksum and no code are there to compare")]
    NothingToCompare,
    /// The same text, but what else there is has moved, nobody knows where to.
    #[error("its code is the same, but what belongs to it is linked at other addresses")]
    Moved,
}

/// What `.gnu_debuglink` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebugLink {
    /// File name, without a path.
    pub name: String,
    /// CRC-32 of the whole file (the polynomial of gzip).
    pub crc32: u32,
}

impl DebugLink {
    /// Whether `bytes` are the file that is meant.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        crc32fast::hash(bytes) == self.crc32
    }
}

/// A debug file that belongs to an executable.
#[derive(Debug)]
pub(crate) struct DebugFile<'a> {
    file: Executable<'a>,
    shifts: Shifts,
}

impl<'a> DebugFile<'a> {
    pub(crate) fn section(&self, name: &str) -> Option<Section<'a>> {
        self.file.section(name)
    }

    pub(crate) fn symbol(&self, name: &str) -> Option<Symbol> {
        let symbol = self.file.symbol(name)?;
        Some(Symbol { address: self.shifts.apply(symbol.address)?, ..symbol })
    }

    pub(crate) fn symbol_at(&self, address: u64) -> Option<(Cow<'a, str>, Symbol)> {
        // Only text has functions, and text does not move.
        self.file.symbol_at(address)
    }
}

impl<'a> Executable<'a> {
    /// Whether the file itself has debug information.
    pub fn has_dwarf(&self) -> bool {
        self.dwarf == DwarfPresence::Full
    }

    /// Whether the file has debug information and none of the code that it is about, as
    /// `objcopy --only-keep-debug` makes them.
    pub fn is_debug_only(&self) -> bool {
        self.has_dwarf() && self.file.is_empty_section(".text")
    }

    /// The debug information, of this file or of its debug file; see [`DwarfIndex::load`].
    pub fn load_dwarf(&self) -> Result<(Option<DwarfIndex<'a>>, Vec<Diagnostic>), DwarfError> {
        let (index, diagnostics) = DwarfIndex::load(|name| self.section(name).map(|section| section.data))?;
        let shifts = self.debug.as_ref().map(|debug| debug.shifts.clone()).unwrap_or_default();
        Ok((index.map(|index| index.shifted(shifts)), diagnostics))
    }

    /// Takes debug information, and symbols that this file does not have, from `file`, which must belong
    /// to it; `file_bytes` are the whole of `file`, for its checksum.
    ///
    /// Answers how it was found to belong, or gives it back with the reason why it does not.
    pub fn attach_debug(
        &mut self,
        file: Executable<'a>,
        file_bytes: &[u8],
    ) -> Result<Tie, (Untied, Box<Executable<'a>>)> {
        let shifts = self.tie(&file, file_bytes).and_then(|tie| match tie {
            Tie::Text => Shifts::between(&file, self).ok_or(Untied::Moved).map(|shifts| (tie, shifts)),
            Tie::BuildId | Tie::DebugLink => Ok((tie, Shifts::default())),
        });
        match shifts {
            Ok((tie, shifts)) => {
                self.dwarf = DwarfPresence::Separate;
                self.debug = Some(Box::new(DebugFile { file, shifts }));
                Ok(tie)
            }
            Err(untied) => Err((untied, Box::new(file))),
        }
    }

    fn tie(&self, file: &Self, file_bytes: &[u8]) -> Result<Tie, Untied> {
        if !file.has_dwarf() {
            return Err(Untied::NoDebugInformation);
        }
        if self.arch != file.arch {
            return Err(Untied::OtherArchitecture);
        }
        let same_ids = matching::compare_ids(&self.build_ids, &file.build_ids);
        if same_ids == Some(true) {
            return Ok(Tie::BuildId);
        }
        // An ID that differs says no more than that it was linked again, unless there is no text.
        let ours = self.text_sha256().or_else(|| self.text_sha256_at(file.text()?));
        match (ours, file.text_sha256()) {
            (Some(ours), Some(theirs)) if ours == theirs => return Ok(Tie::Text),
            (Some(_), Some(_)) => return Err(Untied::TextDiffers),
            _ => {}
        }
        let linked = self.debug_link().is_some_and(|link| link.is_of(file_bytes));
        match same_ids {
            _ if linked => Ok(Tie::DebugLink),
            Some(_) => Err(Untied::OtherIds),
            None => Err(Untied::NothingToCompare),
        }
    }

    /// The debug file that `.gnu_debuglink` names: a name, NULs up to a multiple of four, a checksum.
    pub fn debug_link(&self) -> Option<DebugLink> {
        let section = self.section(".gnu_debuglink")?;
        let end = section.data.iter().position(|&byte| byte == 0)?;
        let name = std::str::from_utf8(&section.data[..end]).ok()?;
        let crc32 = section.data.get((end + 1).next_multiple_of(4)..)?.first_chunk()?;
        // A path here would lead out of the folders that are searched.
        let plain = !name.is_empty() && !name.contains('/') && name != "..";
        plain.then(|| DebugLink { name: name.to_owned(), crc32: u32::from_le_bytes(*crc32) })
    }

    /// The file that `dwz` moved common parts of the debug information into, which is not read.
    pub fn alternate_debug_file(&self) -> Option<String> {
        let section = self.section(".gnu_debugaltlink")?;
        let end = section.data.iter().position(|&byte| byte == 0)?;
        Some(String::from_utf8_lossy(&section.data[..end]).into_owned())
    }
}

/// Where the sections of one link of a program are in another link of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shifts {
    /// Start, end, and what is added; `None` where both links put everything at the same place.
    sections: Option<Vec<(u64, u64, u64)>>,
}

impl Shifts {
    /// From `file` to `executable`; `None` when the text itself has moved.
    fn between(file: &Executable<'_>, executable: &Executable<'_>) -> Option<Self> {
        let ours = executable.file.mapped_sections();
        if ours.is_empty() {
            // Nothing tells where anything is, unless each segment is as it was.
            let of = |file: &Executable<'_>| -> Vec<_> {
                file.load_segments.iter().map(|segment| (segment.address, segment.memory_size)).collect()
            };
            return (of(file) == of(executable)).then(Self::default);
        }
        let mut sections = Vec::new();
        for (name, address, size) in file.file.mapped_sections() {
            // A section of another size has something else in it, nobody knows where.
            let same = ours.iter().find(|(other, _, length)| *other == name && *length == size);
            if let Some(&(_, there, _)) = same {
                if name == b".text" && there != address {
                    return None;
                }
                sections.push((address, address.saturating_add(size), there.wrapping_sub(address)));
            }
        }
        Some(Self { sections: Some(sections) })
    }

    /// The address in the executable; `None` when it is unknown.
    pub(crate) fn apply(&self, address: u64) -> Option<u64> {
        let Some(sections) = &self.sections else { return Some(address) };
        let inside = sections.iter().find(|(start, end, _)| (*start..*end).contains(&address));
        // Symbols that mark the end of a section belong to it.
        let found = inside.or_else(|| sections.iter().find(|(_, end, _)| *end == address));
        found.map(|(_, _, shift)| address.wrapping_add(*shift))
    }
}
