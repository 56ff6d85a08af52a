//! Build IDs out of ELF notes, in a file or in a process' memory.

use object::{
    LittleEndian, Object as _, ObjectSection as _,
    elf::{self, FileHeader64, ProgramHeader64},
    pod,
    read::elf::{ElfFile64, NoteIterator},
};
use panicle_image::AddressSpace;
use panicle_report::BuildIds;

/// `ELF_NOTE_GOBUILDID_TAG` of cmd/link and cmd/internal/buildid.
const NT_GO_BUILD_ID: u32 = 4;
/// Build IDs are some dozens of bytes; the Go ID is up to 83.
const LONGEST: usize = 256;

/// The IDs of a file, from its note sections.
pub(crate) fn build_ids(file: &ElfFile64<'_, LittleEndian>) -> BuildIds {
    let mut ids = BuildIds::default();
    for name in [".note.gnu.build-id", ".note.go.buildid"] {
        if let Some(section) = file.section_by_name(name)
            && let Ok(data) = section.data()
        {
            collect(&mut ids, data, section.align());
        }
    }
    if ids == BuildIds::default() {
        // Without section headers the note segments still lead there.
        let data = file.data();
        for header in file.elf_program_headers() {
            if header.p_type.get(LittleEndian) == elf::PT_NOTE
                && let Ok(offset) = usize::try_from(header.p_offset.get(LittleEndian))
                && let Some(rest) = data.get(offset..)
            {
                let size = rest.len().min(header.p_filesz.get(LittleEndian) as usize);
                collect(&mut ids, &rest[..size], header.p_align.get(LittleEndian));
            }
        }
    }
    ids
}

/// The IDs of the executable whose first page was mapped at `base`, from a process' memory: cores
/// keep the page with the ELF header and the notes behind it.
pub fn build_ids_in_memory(memory: &AddressSpace<'_>, base: u64) -> BuildIds {
    let mut ids = BuildIds::default();
    let Some(page) = memory.rest(base) else { return ids };
    let Ok((header, _)) = pod::from_bytes::<FileHeader64<LittleEndian>>(page) else { return ids };
    if header.e_ident.magic != elf::ELFMAG {
        return ids;
    }
    let offset = header.e_phoff.get(LittleEndian) as usize;
    let count = usize::from(header.e_phnum.get(LittleEndian));
    let Some(table) = page.get(offset..) else { return ids };
    let count = count.min(table.len() / size_of::<ProgramHeader64<LittleEndian>>());
    let Ok((headers, _)) = pod::slice_from_bytes::<ProgramHeader64<LittleEndian>>(table, count) else {
        return ids;
    };
    // The first page stands for file offset 0, so file offsets lead to the notes whatever the bias.
    for header in headers.iter().filter(|header| header.p_type.get(LittleEndian) == elf::PT_NOTE) {
        let Ok(offset) = usize::try_from(header.p_offset.get(LittleEndian)) else { continue };
        let Some(rest) = page.get(offset..) else { continue };
        let size = rest.len().min(header.p_filesz.get(LittleEndian) as usize);
        collect(&mut ids, &rest[..size], header.p_align.get(LittleEndian));
    }
    ids
}

fn collect(ids: &mut BuildIds, data: &[u8], align: u64) {
    let align = if align == 8 { 8 } else { 4 };
    let Ok(mut notes) = NoteIterator::<FileHeader64<LittleEndian>>::new(LittleEndian, align, data) else {
        return;
    };
    while let Ok(Some(note)) = notes.next() {
        let desc = note.desc();
        if desc.len() > LONGEST {
            continue;
        }
        let kind = note.n_type(LittleEndian).0;
        if note.name() == b"GNU" && kind == elf::NT_GNU_BUILD_ID.0 {
            ids.gnu = Some(hex::encode(desc));
        } else if note.name() == b"Go" && kind == NT_GO_BUILD_ID {
            ids.go = String::from_utf8(desc.to_vec()).ok().filter(|id| !id.is_empty());
        }
    }
}
