//! The two formats of executables behind one face: sections and symbols by name.

use std::borrow::Cow;

use object::{
    CompressedData, CompressionFormat, LittleEndian, Object as _, ObjectSection as _, SectionFlags, elf,
    read::{elf::ElfFile64, pe::PeFile64},
};

use crate::{Symbol, symbols::Symbols};

/// A parsed file.
#[derive(Debug)]
pub(crate) enum File<'a> {
    /// ELF.
    Elf(ElfFile64<'a, LittleEndian>),
    /// PE32+.
    Pe(PeFile64<'a>),
}

/// A section as it lies in the file.
#[derive(Debug)]
pub(crate) struct RawSection<'a> {
    /// Link-time address, 0 when it is not mapped.
    pub(crate) address: u64,
    /// Its bytes, and how they are compressed.
    pub(crate) data: CompressedData<'a>,
}

impl<'a> File<'a> {
    /// The whole file.
    pub(crate) fn data(&self) -> &'a [u8] {
        match self {
            Self::Elf(file) => file.data(),
            Self::Pe(file) => file.data(),
        }
    }

    /// A section by name.
    pub(crate) fn section(&self, name: &str) -> Option<RawSection<'a>> {
        match self {
            Self::Elf(file) => {
                let section = file.section_by_name(name)?;
                Some(RawSection { address: section.address(), data: section.compressed_data().ok()? })
            }
            Self::Pe(file) => {
                let plain = file.section_by_name(name).and_then(|section| {
                    let data = CompressedData::none(section.data().ok()?);
                    Some(RawSection { address: section.address(), data })
                });
                plain.or_else(|| gnu_compressed(file, name))
            }
        }
    }

    /// Address and bytes of a section that is not compressed.
    pub(crate) fn plain_section(&self, name: &str) -> Option<(u64, &'a [u8])> {
        let section = self.section(name)?;
        (section.data.format == CompressionFormat::None).then_some((section.address, section.data.data))
    }

    /// Name, link-time address and size of the sections of an ELF file that have an address of their own.
    pub(crate) fn mapped_sections(&self) -> Vec<(&[u8], u64, u64)> {
        let Self::Elf(file) = self else { return Vec::new() };
        let sections = file.sections().filter_map(|section| {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else { return None };
            let mapped = sh_flags.0 & elf::SHF_ALLOC.0 != 0 && sh_flags.0 & elf::SHF_TLS.0 == 0;
            mapped.then_some((section.name_bytes().ok()?, section.address(), section.size()))
        });
        sections.collect()
    }

    /// Whether a section has an address and a size, but no bytes.
    pub(crate) fn is_empty_section(&self, name: &str) -> bool {
        let Self::Elf(file) = self else { return false };
        let section = file.section_by_name(name);
        section.is_some_and(|section| section.size() > 0 && section.file_range().is_none())
    }

    /// A symbol by name.
    pub(crate) fn symbol(&self, symbols: &Symbols, name: &str) -> Option<Symbol> {
        match self {
            Self::Elf(file) => symbols.by_name(file, name),
            Self::Pe(file) => symbols.by_name(file, name),
        }
    }

    /// The function whose code is at a link-time address.
    pub(crate) fn symbol_at(&self, symbols: &Symbols, address: u64) -> Option<(Cow<'a, str>, Symbol)> {
        match self {
            Self::Elf(file) => symbols.at(file, address),
            Self::Pe(file) => symbols.at(file, address),
        }
    }
}

/// PE has no flag for compression, so that Go's linker marks it in the name, as GNU once did in ELF
/// (cmd/link/internal/ld/dwarf.go, `dwarfcompress`): `.zdebug_…` with magic and size, big-endian.
fn gnu_compressed<'a>(file: &PeFile64<'a>, name: &str) -> Option<RawSection<'a>> {
    let name = format!(".zdebug_{}", name.strip_prefix(".debug_")?);
    let data = file.section_by_name(&name)?.data().ok()?;
    let (head, data) = data.split_first_chunk::<12>()?;
    let size = head.strip_prefix(b"ZLIB")?.first_chunk()?;
    let uncompressed_size = u64::from_be_bytes(*size);
    let data = CompressedData { format: CompressionFormat::Zlib, data, uncompressed_size };
    Some(RawSection { address: 0, data })
}
