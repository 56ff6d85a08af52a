//! ELF files that a process had mapped, as their headers in its memory tell of them.
//!
//! Whatever the kernel leaves out of a core, it keeps the first page of each mapped ELF file (bit 4 of
//! `coredump_filter`, set by default): the program headers and, as a rule, the build ID are on it.

use std::collections::{BTreeMap, HashSet};

use object::{
    LittleEndian,
    elf::{self, ProgramHeader64},
};
use panicle_image::{AddressSpace, Core, FileMapping};
use panicle_report::BuildIds;

use crate::notes;

/// A process has some dozens of libraries; the rest of a damaged list is not looked at.
const MOST_LIBRARIES: usize = 1024;
/// Segments of one file.
const MOST_SEGMENTS: usize = 256;
const PAGE: u64 = 4096;
/// `AT_SYSINFO_EHDR`: where the kernel mapped its own library.
const VDSO: u64 = 33;

/// A file that was mapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappedElf {
    /// Its path as the process knew it; none for the kernel's own library.
    pub path: Option<String>,
    /// What was added to its addresses; none when its headers are not at hand.
    pub bias: Option<u64>,
    /// Where its code is: first address, and first past it.
    pub code: Vec<(u64, u64)>,
    /// Where the mappings of its code start, and the offsets into the file that are there: what is known
    /// without a bias.
    pub offsets: Vec<(u64, u64)>,
    /// Where its `.eh_frame_hdr` is.
    pub eh_frame_hdr: Option<u64>,
    /// The build IDs on its first page.
    pub build_ids: BuildIds,
}

impl MappedElf {
    /// Reads the headers of the file that is mapped at `base`.
    pub fn read(memory: &AddressSpace<'_>, base: u64) -> Option<Self> {
        let headers = notes::program_headers_in_memory(memory, base)?;
        let headers = headers.iter().take(MOST_SEGMENTS);
        let address = |header: &ProgramHeader64<LittleEndian>| header.p_vaddr.get(LittleEndian);
        let is = |header: &ProgramHeader64<LittleEndian>, kind| header.p_type.get(LittleEndian) == kind;
        let loads = || headers.clone().filter(|header| is(header, elf::PT_LOAD));
        let first = loads().find(|header| header.p_offset.get(LittleEndian) < PAGE)?;
        let bias = base.wrapping_sub(address(first) & !(PAGE - 1));
        let code = loads()
            .filter(|header| header.p_flags.get(LittleEndian).0 & elf::PF_X.0 != 0)
            .map(|header| {
                let start = address(header).wrapping_add(bias);
                (start, start.saturating_add(header.p_memsz.get(LittleEndian)))
            })
            .collect();
        let eh_frame_hdr = headers.clone().find(|header| is(header, elf::PT_GNU_EH_FRAME));
        Some(Self {
            path: None,
            bias: Some(bias),
            code,
            offsets: Vec::new(),
            eh_frame_hdr: eh_frame_hdr.map(|header| address(header).wrapping_add(bias)),
            build_ids: notes::build_ids_in_memory(memory, base),
        })
    }

    /// The link-time address of the code at `pc`; without a bias the offset into the file, which for most
    /// linkers is the same or some pages less.
    pub fn place(&self, pc: u64) -> Option<u64> {
        if let Some(bias) = self.bias {
            return Some(pc.wrapping_sub(bias));
        }
        let mappings = self.offsets.iter().filter(|&&(start, _)| start <= pc);
        mappings.max().map(|&(start, offset)| offset.saturating_add(pc - start))
    }

    /// Whether its code has an address.
    pub fn has_code_at(&self, pc: u64) -> bool {
        self.code.iter().any(|&(start, end)| start <= pc && pc < end)
    }
}

/// The shared libraries that the process had mapped, by path, without its executable. One whose
/// first page was not dumped has code where its mapping could be executed, and no build ID.
pub fn libraries(core: &Core<'_>, memory: &AddressSpace<'_>) -> Vec<MappedElf> {
    let executable: HashSet<(u64, u64)> = core
        .segments
        .iter()
        .filter(|segment| segment.execute)
        .map(|segment| (segment.address, segment.address.saturating_add(segment.memory_size)))
        .collect();
    let mut by_path: BTreeMap<&str, Vec<&FileMapping>> = BTreeMap::new();
    for file in &core.files {
        by_path.entry(&file.path).or_default().push(file);
    }
    let program = core.executable_path();
    by_path
        .into_iter()
        .filter(|(path, _)| Some(*path) != program)
        .filter_map(|(path, mappings)| {
            let code: Vec<(u64, u64)> = mappings
                .iter()
                .map(|mapping| (mapping.start, mapping.end))
                .filter(|mapping| executable.contains(mapping))
                .collect();
            if code.is_empty() {
                return None;
            }
            let base = mappings.iter().find(|mapping| mapping.file_offset == 0);
            let read = base.and_then(|mapping| MappedElf::read(memory, mapping.start));
            let found = read.unwrap_or_else(|| {
                let of_code =
                    mappings.iter().filter(|mapping| executable.contains(&(mapping.start, mapping.end)));
                let offsets = of_code.map(|mapping| (mapping.start, mapping.file_offset)).collect();
                MappedElf { code, offsets, ..MappedElf::default() }
            });
            Some(MappedElf { path: Some(path.to_owned()), ..found })
        })
        .take(MOST_LIBRARIES)
        .collect()
}

/// The kernel's own library, all of which is in every core, and its bytes from the ELF header on.
pub fn vdso<'a>(core: &Core<'_>, memory: &AddressSpace<'a>) -> Option<(MappedElf, &'a [u8])> {
    let base = core.auxv.get(VDSO)?;
    Some((MappedElf::read(memory, base)?, memory.rest(base)?))
}

#[cfg(test)]
mod tests {
    use super::MappedElf;

    #[test]
    fn code_without_headers_is_told_by_its_place_in_the_file() {
        let offsets = vec![(0x7f00_0000, 0x2_6000), (0x7f80_0000, 0x9_0000)];
        let mapped = MappedElf { offsets, ..MappedElf::default() };
        assert_eq!(mapped.place(0x7f00_1234), Some(0x2_7234));
        assert_eq!(mapped.place(0x7f80_0010), Some(0x9_0010));
        assert_eq!(mapped.place(0x10), None);
        let mapped = MappedElf { bias: Some(0x7f00_0000), ..mapped };
        assert_eq!(mapped.place(0x7f00_1234), Some(0x1234));
    }
}
