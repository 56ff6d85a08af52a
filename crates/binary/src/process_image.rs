//! The executable as it lies in a process' memory.
//!
//! Cores hold it where the kernel was told to dump the pages of files (`coredump_filter`), where a
//! debugger wrote the core, and where a packer put the program into memory that no file is behind.

use object::{LittleEndian, elf};
use panicle_image::{AddressSpace, Core};

use crate::{matching, notes};

/// Segments of one executable; linkers write about four.
const MOST_SEGMENTS: usize = 32;
/// The ELF header alone, which the kernel dumps in any case, is no executable.
const LEAST_CODE: u64 = 4096;
/// Address space that may be missing between what was dumped of a segment.
const LARGEST_GAP: usize = 64 << 20;
const PAGE: u64 = 4096;

/// An executable, put together from memory.
#[derive(Clone, Debug)]
pub struct ProcessImage {
    /// An ELF file without sections.
    pub bytes: Vec<u8>,
    /// Its addresses are those at run time and not those that it was linked at.
    pub moved: bool,
    /// It is not what the kernel started: a packer's stub put it there.
    pub unpacked: bool,
}

struct Part {
    /// Of the program header, in the first page.
    header: usize,
    address: u64,
    length: u64,
    executable: bool,
}

/// The Go executable in the memory of a process, if its code was dumped.
pub fn of_process(core: &Core<'_>, memory: &AddressSpace<'_>) -> Option<ProcessImage> {
    let base = matching::base(core, memory)?;
    let (page, headers) = notes::headers_in_memory(memory, base)?;
    let (header, _) = object::pod::from_bytes::<elf::FileHeader64<LittleEndian>>(page).ok()?;
    let table = usize::try_from(header.e_phoff.get(LittleEndian)).ok()?;
    let moved = header.e_type.get(LittleEndian) == elf::ET_DYN;
    let loads = || headers.iter().filter(|header| header.p_type.get(LittleEndian) == elf::PT_LOAD);
    // The headers are the start of the first segment, and of the file.
    let first = loads().next().filter(|first| first.p_offset.get(LittleEndian) == 0)?;
    let bias = base.wrapping_sub(first.p_vaddr.get(LittleEndian));
    if loads().count() > MOST_SEGMENTS || (!moved && bias != 0) {
        return None;
    }
    let mut parts = Vec::new();
    let mut end = 0;
    for (index, header) in headers.iter().enumerate() {
        if header.p_type.get(LittleEndian) != elf::PT_LOAD {
            continue;
        }
        let address = header.p_vaddr.get(LittleEndian).wrapping_add(bias);
        let length = header.p_filesz.get(LittleEndian);
        // In order and apart, so that no byte is copied twice.
        if address < end {
            return None;
        }
        end = address.checked_add(length)?;
        let executable = header.p_flags.get(LittleEndian).0 & elf::PF_X.0 != 0;
        let header =
            table.checked_add(index.checked_mul(size_of::<elf::ProgramHeader64<LittleEndian>>())?)?;
        parts.push(Part { header, address, length, executable });
    }
    let code = parts.iter().filter(|part| part.executable);
    if code.map(|part| present(memory, part)).sum::<u64>() <= LEAST_CODE {
        return None;
    }
    let mut bytes = Vec::new();
    let mut places = Vec::new();
    for part in &parts {
        let start = bytes.len();
        copy(memory, part, &mut bytes);
        places.push((part.header, part.address, start, bytes.len() - start));
    }
    // An ELF64 header: type, entry, section headers. A program header: offset, address, sizes.
    let mut put = |at: usize, value: &[u8]| {
        bytes.get_mut(at..at + value.len()).map(|place| place.copy_from_slice(value))
    };
    put(16, &elf::ET_EXEC.0.to_le_bytes())?;
    put(24, &header.e_entry.get(LittleEndian).wrapping_add(bias).to_le_bytes())?;
    put(40, &0_u64.to_le_bytes())?;
    put(60, &0_u32.to_le_bytes())?;
    for (header, address, offset, length) in places {
        put(header + 8, &(offset as u64).to_le_bytes())?;
        put(header + 16, &address.to_le_bytes())?;
        put(header + 32, &(length as u64).to_le_bytes())?;
    }
    let unpacked = matching::started_base(core) != Some(base);
    Some(ProcessImage { bytes, moved, unpacked })
}

/// Bytes of a segment that were dumped.
fn present(memory: &AddressSpace<'_>, part: &Part) -> u64 {
    pieces(memory, part).map(|(_, bytes)| bytes.len() as u64).sum()
}

/// What was dumped of a segment: where in it, and the bytes.
fn pieces<'a>(memory: &AddressSpace<'a>, part: &Part) -> impl Iterator<Item = (u64, &'a [u8])> {
    let (start, end) = (part.address, part.address + part.length);
    memory.pieces().filter_map(move |(address, bytes)| {
        let from = start.max(address);
        let to = end.min(address.saturating_add(bytes.len() as u64));
        let bytes = bytes.get((from.checked_sub(address)?) as usize..to.checked_sub(address)? as usize)?;
        (!bytes.is_empty()).then_some((from - start, bytes))
    })
}

/// Appends a segment, zeros where nothing was dumped between what was.
fn copy(memory: &AddressSpace<'_>, part: &Part, into: &mut Vec<u8>) {
    let start = into.len();
    for (offset, bytes) in pieces(memory, part) {
        let Ok(offset) = usize::try_from(offset) else { return };
        let gap = (start + offset).saturating_sub(into.len());
        if gap > LARGEST_GAP {
            return;
        }
        into.resize(into.len() + gap, 0);
        into.extend_from_slice(bytes);
    }
}

/// Where a page of memory that no file is behind begins like a Go executable.
pub(crate) fn unpacked_base(core: &Core<'_>, memory: &AddressSpace<'_>) -> Option<u64> {
    let of_a_file = |address| core.files.iter().any(|file| (file.start..file.end).contains(&address));
    memory.pieces().map(|(address, _)| address).find(|&address| {
        address.is_multiple_of(PAGE)
            && memory.rest(address).is_some_and(|page| page.starts_with(b"\x7fELF"))
            && !of_a_file(address)
            && notes::build_ids_in_memory(memory, address).go.is_some()
    })
}
