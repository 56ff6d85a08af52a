//! A core's ELF header and program headers.

use object::{
    LittleEndian,
    elf::{self, FileHeader64, ProgramHeader64, SectionHeader64},
    pod,
};

use crate::{Arch, ImageError};

/// What the headers say.
pub(crate) struct Headers<'a> {
    pub(crate) arch: Arch,
    /// As many program headers as the file has; none where it ends before the first.
    pub(crate) segments: &'a [ProgramHeader64<LittleEndian>],
    /// How many program headers there should be; `None` where the file ends before it says so.
    pub(crate) announced: Option<u64>,
    /// The end of the headers themselves.
    pub(crate) expected_bytes: u64,
}

const FILE_HEADER: u64 = size_of::<FileHeader64<LittleEndian>>() as u64;
const PROGRAM_HEADER: u64 = size_of::<ProgramHeader64<LittleEndian>>() as u64;
const SECTION_HEADER: u64 = size_of::<SectionHeader64<LittleEndian>>() as u64;

/// What there is of `size` bytes at `offset`.
pub(crate) fn part(data: &[u8], offset: u64, size: u64) -> &[u8] {
    let length = data.len() as u64;
    let start = offset.min(length);
    let end = offset.saturating_add(size).min(length);
    &data[start as usize..end as usize]
}

/// Reads the headers, or tells why this is no core that can be read.
pub(crate) fn read(data: &[u8]) -> Result<Headers<'_>, ImageError> {
    let endian = LittleEndian;
    if data.is_empty() {
        return Err(ImageError::Empty);
    }
    // A few bytes that begin like an ELF file are a cut one.
    if !data.starts_with(&elf::ELFMAG) {
        let cut = elf::ELFMAG.starts_with(data);
        return Err(if cut { ImageError::TruncatedHeaders } else { ImageError::NotElf });
    }
    if data.get(5).is_some_and(|&order| order == elf::ELFDATA2MSB.0) {
        return Err(ImageError::UnsupportedEndian);
    }
    // Kind and machine stand at one place in both classes, and name what it is better than its size.
    let half = |offset: usize| Some(u16::from_le_bytes(*data.get(offset..)?.first_chunk()?));
    let kind = half(16).ok_or(ImageError::TruncatedHeaders)?;
    if kind != elf::ET_CORE.0 {
        return Err(ImageError::NotACore(kind));
    }
    if data.get(4).is_some_and(|&class| class != elf::ELFCLASS64.0) {
        return Err(ImageError::UnsupportedClass);
    }
    let arch = Arch::from_machine(half(18).ok_or(ImageError::TruncatedHeaders)?);
    if matches!(arch, Arch::Other(_)) {
        return Err(ImageError::UnsupportedArch(arch));
    }
    // From here on it is known to be a core: one that is cut short is told of, not refused.
    let Ok((header, _)) = pod::from_bytes::<FileHeader64<LittleEndian>>(data) else {
        return Ok(Headers { arch, segments: &[], announced: None, expected_bytes: FILE_HEADER });
    };
    let entry_size = u64::from(header.e_phentsize.get(endian));
    let offset = header.e_phoff.get(endian);
    let count = u64::from(header.e_phnum.get(endian));
    if entry_size != PROGRAM_HEADER || offset == 0 || count == 0 {
        return Err(ImageError::BadHeaders);
    }
    let table = part(data, offset, u64::MAX);
    let held = table.len() as u64 / PROGRAM_HEADER;
    let mut expected_bytes = 0;
    let announced = if count == u64::from(elf::PN_XNUM) {
        let section = header.e_shoff.get(endian);
        expected_bytes = section.saturating_add(SECTION_HEADER);
        extended_count(data, section).or_else(|| count_to_first_segment(table, offset))
    } else {
        Some(count)
    };
    let count = announced.unwrap_or(1);
    expected_bytes = expected_bytes.max(offset.saturating_add(count.saturating_mul(PROGRAM_HEADER)));
    let (segments, _) =
        pod::slice_from_bytes(table, count.min(held) as usize).map_err(|()| ImageError::TruncatedHeaders)?;
    Ok(Headers { arch, segments, announced, expected_bytes })
}

/// More segments than the field can hold: the first section header has their number (elf(5)).
fn extended_count(data: &[u8], section: u64) -> Option<u64> {
    let bytes = part(data, section, SECTION_HEADER);
    let (section, _) = pod::from_bytes::<SectionHeader64<LittleEndian>>(bytes).ok()?;
    let count = section.sh_info.get(LittleEndian);
    (count > 0).then_some(u64::from(count))
}

/// Linux writes that section header behind all memory, so a core that was cut short lacks it. But
/// the notes are the first segment, and their bytes come right after the program headers.
fn count_to_first_segment(table: &[u8], table_offset: u64) -> Option<u64> {
    let (first, _) = pod::from_bytes::<ProgramHeader64<LittleEndian>>(table).ok()?;
    Some(first.p_offset.get(LittleEndian).saturating_sub(table_offset) / PROGRAM_HEADER)
}
