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
/// What the kernel dumps of a mapped ELF file in any case.
const FIRST_PAGE: usize = 4096;

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
        ids.gnu = gnu_on_first_page(data);
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
    let Some((page, headers)) = headers_in_memory(memory, base) else { return ids };
    ids.gnu = gnu_on_first_page(page);
    // The first page stands for file offset 0, so file offsets lead to the notes whatever the bias.
    for header in headers.iter().filter(|header| header.p_type.get(LittleEndian) == elf::PT_NOTE) {
        let Ok(offset) = usize::try_from(header.p_offset.get(LittleEndian)) else { continue };
        let Some(rest) = page.get(offset..) else { continue };
        let size = rest.len().min(header.p_filesz.get(LittleEndian) as usize);
        collect(&mut ids, &rest[..size], header.p_align.get(LittleEndian));
    }
    ids
}

/// How the Go build ID begins and ends where there are no notes for it
/// (`cmd/internal/buildid/buildid.go`); it is a quoted string.
const GO_ID_START: &[u8] = b"\xff Go build ID: \"";
const GO_ID_END: &[u8] = b"\"\n \xff";

/// The linker puts it first in the text (cmd/link/internal/ld/data.go, `go:buildid`), which is the first
/// section.
const SEARCHED_FOR_GO_ID: usize = 1 << 16;

/// The Go build ID of the PE file that was loaded at `base`: behind its page of headers.
pub(crate) fn go_build_id_behind(memory: &AddressSpace<'_>, base: u64) -> Option<String> {
    // Headers and text may have been dumped as one piece or as two.
    [0, FIRST_PAGE as u64].iter().find_map(|skip| go_build_id_in_text(memory.rest(base.checked_add(*skip)?)?))
}

/// The Go build ID at the start of a PE file's text.
pub(crate) fn go_build_id_in_text(text: &[u8]) -> Option<String> {
    let (start, end) = go_build_id_place(text)?;
    // It is quoted as Go quotes strings; those that need it are not made by the go command.
    let id = std::str::from_utf8(text.get(start..end)?).ok();
    id.filter(|id| !id.is_empty() && !id.contains('\\')).map(str::to_owned)
}

/// How many bytes of a PE file's text are the Go build ID and its marks.
pub(crate) fn go_build_id_size(text: &[u8]) -> usize {
    go_build_id_place(text).map_or(0, |(_, end)| end + GO_ID_END.len())
}

/// Where the ID stands in a PE file's text, between its marks.
fn go_build_id_place(text: &[u8]) -> Option<(usize, usize)> {
    let text = &text[..text.len().min(SEARCHED_FOR_GO_ID)];
    let start = memchr::memmem::find(text, GO_ID_START)? + GO_ID_START.len();
    let rest = text.get(start..)?;
    let rest = &rest[..rest.len().min(LONGEST)];
    Some((start, start + memchr::memmem::find(rest, GO_ID_END)?))
}

/// The GNU ID on an executable's first page. Go's linker (1.24 to 1.27, cmd/link/internal/ld/elf.go)
/// puts its note there and leaves it out of the note segment, so it is looked for by its header.
fn gnu_on_first_page(page: &[u8]) -> Option<String> {
    let page = &page[..page.len().min(FIRST_PAGE)];
    (0..page.len()).step_by(4).find_map(|at| {
        let note = page.get(at..)?;
        let size = match note.first_chunk::<16>()? {
            [4, 0, 0, 0, size @ 8..=64, 0, 0, 0, 3, 0, 0, 0, b'G', b'N', b'U', 0] => usize::from(*size),
            _ => return None,
        };
        gnu_id(note.get(16..16 + size)?)
    })
}

/// A GNU ID in hexadecimal. One of zeros alone is a place that nothing was filled into, and names no build.
fn gnu_id(bytes: &[u8]) -> Option<String> {
    bytes.iter().any(|byte| *byte != 0).then(|| hex::encode(bytes))
}

/// Link-time address and size of what was mapped of the executable at `base`, from its program
/// headers in memory.
pub(crate) fn load_segments_in_memory<'a>(
    memory: &AddressSpace<'a>,
    base: u64,
) -> Option<impl Iterator<Item = (u64, u64)> + use<'a>> {
    let (_, headers) = headers_in_memory(memory, base)?;
    let loads = headers.iter().filter(|header| header.p_type.get(LittleEndian) == elf::PT_LOAD);
    Some(loads.map(|header| (header.p_vaddr.get(LittleEndian), header.p_memsz.get(LittleEndian))))
}

/// The program headers of the ELF file whose first page was mapped at `base`.
pub(crate) fn program_headers_in_memory<'a>(
    memory: &AddressSpace<'a>,
    base: u64,
) -> Option<ProgramHeaders<'a>> {
    headers_in_memory(memory, base).map(|(_, headers)| headers)
}

pub(crate) type ProgramHeaders<'a> = &'a [ProgramHeader64<LittleEndian>];

/// The page that begins with an ELF header, and the program headers on it.
pub(crate) fn headers_in_memory<'a>(
    memory: &AddressSpace<'a>,
    base: u64,
) -> Option<(&'a [u8], ProgramHeaders<'a>)> {
    let page = memory.rest(base)?;
    let (header, _) = pod::from_bytes::<FileHeader64<LittleEndian>>(page).ok()?;
    if header.e_ident.magic != elf::ELFMAG {
        return None;
    }
    let table = page.get(usize::try_from(header.e_phoff.get(LittleEndian)).ok()?..)?;
    let count = usize::from(header.e_phnum.get(LittleEndian));
    let (headers, _) = pod::slice_from_bytes::<ProgramHeader64<LittleEndian>>(table, count).ok()?;
    Some((page, headers))
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
            ids.gnu = gnu_id(desc);
        } else if note.name() == b"Go" && kind == NT_GO_BUILD_ID {
            ids.go = String::from_utf8(desc.to_vec()).ok().filter(|id| !id.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use panicle_report::BuildIds;

    use super::{collect, gnu_on_first_page};

    /// A note with a GNU build ID.
    fn note(id: [u8; 8]) -> Vec<u8> {
        [&[4, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0][..], b"GNU\0", &id].concat()
    }

    #[test]
    fn an_id_of_zeros_names_no_build() {
        let gnu = |note: &[u8]| {
            let mut ids = BuildIds::default();
            collect(&mut ids, note, 4);
            assert_eq!(gnu_on_first_page(note), ids.gnu);
            ids.gnu
        };
        assert_eq!(gnu(&note([0; 8])), None);
        assert_eq!(gnu(&note([0, 0, 0, 0, 0, 0, 0, 1])).as_deref(), Some("0000000000000001"));
    }
}
