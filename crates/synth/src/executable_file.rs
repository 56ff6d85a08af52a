//! ELF executables: a first page with headers and notes, segments, sections, symbols.

use crate::bytes::{Bytes, ProgramHeader};

const PAGE: usize = 4096;
const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;

/// A segment that is mapped, and the one section that covers it.
#[derive(Clone, Debug)]
pub struct Load {
    /// Name of the section, empty for none.
    pub section: String,
    /// Link-time address; its offset in the file is congruent modulo pages, as the loader wants it.
    pub address: u64,
    /// Size in memory.
    pub size: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// `PF_X` 1, `PF_W` 2, `PF_R` 4.
    pub flags: u32,
}

/// A section that is not mapped.
#[derive(Clone, Debug)]
pub struct SectionBytes {
    /// Its name.
    pub name: String,
    /// `sh_flags`: `SHF_COMPRESSED` is 0x800.
    pub flags: u64,
    /// Its bytes, with whatever header the flags ask for.
    pub bytes: Vec<u8>,
}

impl SectionBytes {
    /// A section under `SHF_COMPRESSED`: type (1 zlib, 2 zstd), claimed size, then `compressed`.
    pub fn compressed(name: &str, kind: u32, claimed: u64, compressed: &[u8]) -> Self {
        let mut bytes = Bytes::default();
        bytes.word(kind).word(0).long(claimed).long(1).raw(compressed);
        Self { name: name.to_owned(), flags: 0x800, bytes: bytes.0 }
    }

    /// The older GNU form, by name: `.zdebug_…`, magic, claimed size big-endian, then `compressed`.
    pub fn gnu_compressed(name: &str, claimed: u64, compressed: &[u8]) -> Self {
        let bytes = [b"ZLIB", &claimed.to_be_bytes()[..], compressed].concat();
        Self { name: name.to_owned(), flags: 0, bytes }
    }
}

/// An executable to be written.
#[derive(Clone, Debug)]
pub struct ExecutableFile {
    /// `e_type`: 2 executable, 3 position-independent.
    pub kind: u16,
    /// `e_machine`.
    pub machine: u16,
    /// Link-time address of the entry point.
    pub entry: u64,
    /// Where the first page, with headers and notes, is mapped.
    pub base: u64,
    /// GNU build ID.
    pub gnu_build_id: Option<Vec<u8>>,
    /// Go build ID.
    pub go_build_id: Option<String>,
    /// Mapped segments besides the first page.
    pub loads: Vec<Load>,
    /// Sections that are not mapped.
    pub sections: Vec<SectionBytes>,
    /// Name, address and size of functions.
    pub symbols: Vec<(String, u64, u64)>,
    /// Leaves the section headers out, as `sstrip` does.
    pub without_sections: bool,
}

impl Default for ExecutableFile {
    /// An executable at the address that Go's linker takes, with nothing in it.
    fn default() -> Self {
        Self {
            kind: 2,
            machine: 62,
            entry: 0x40_1000,
            base: 0x40_0000,
            gnu_build_id: None,
            go_build_id: None,
            loads: Vec::new(),
            sections: Vec::new(),
            symbols: Vec::new(),
            without_sections: false,
        }
    }
}

struct SectionHeader {
    name: String,
    kind: u32,
    flags: u64,
    address: u64,
    offset: u64,
    size: u64,
    link: u32,
    info: u32,
    align: u64,
    entry_size: u64,
}

impl SectionHeader {
    fn plain(name: &str, kind: u32, flags: u64, address: u64, offset: usize, size: usize) -> Self {
        let (offset, size) = (offset as u64, size as u64);
        Self {
            name: name.to_owned(),
            kind,
            flags,
            address,
            offset,
            size,
            link: 0,
            info: 0,
            align: 4,
            entry_size: 0,
        }
    }
}

impl ExecutableFile {
    /// The file.
    pub fn write(&self) -> Vec<u8> {
        let mut gnu = Bytes::default();
        if let Some(id) = &self.gnu_build_id {
            gnu.note("GNU", 3, id);
        }
        let mut go = Bytes::default();
        if let Some(id) = &self.go_build_id {
            go.note("Go", 4, id.as_bytes());
        }
        let count = 2 + self.loads.len();
        let notes_at = HEADER + count * PROGRAM_HEADER;
        let notes = [&gnu.0[..], &go.0].concat();
        let mut body = Bytes::default();
        let mut headers = Bytes::default();
        let mut sections = vec![SectionHeader::plain("", 0, 0, 0, 0, 0)];
        let first = (notes_at + notes.len()).next_multiple_of(PAGE);
        headers.program_header(&ProgramHeader {
            kind: 4,
            flags: 4,
            offset: notes_at as u64,
            address: self.base + notes_at as u64,
            file_size: notes.len() as u64,
            memory_size: notes.len() as u64,
            align: 4,
        });
        headers.program_header(&ProgramHeader {
            kind: 1,
            flags: 4,
            offset: 0,
            address: self.base,
            file_size: first as u64,
            memory_size: first as u64,
            align: PAGE as u64,
        });
        let mut note_at = notes_at;
        for (name, note) in [(".note.gnu.build-id", &gnu), (".note.go.buildid", &go)] {
            if note.len() > 0 {
                let address = self.base + note_at as u64;
                sections.push(SectionHeader::plain(name, 7, 2, address, note_at, note.len()));
                note_at += note.len();
            }
        }
        for load in &self.loads {
            body.align(PAGE).fixed("", (load.address % PAGE as u64) as usize);
            let offset = first + body.len();
            body.raw(&load.bytes);
            headers.program_header(&ProgramHeader {
                kind: 1,
                flags: load.flags,
                offset: offset as u64,
                address: load.address,
                file_size: load.bytes.len() as u64,
                memory_size: load.size,
                align: PAGE as u64,
            });
            if !load.section.is_empty() {
                // SHF_ALLOC, and SHF_WRITE and SHF_EXECINSTR by the segment's flags.
                let flags = 2 | u64::from(load.flags & 2 != 0) | u64::from(load.flags & 1) << 2;
                let (address, size) = (load.address, load.bytes.len());
                sections.push(SectionHeader::plain(&load.section, 1, flags, address, offset, size));
            }
        }
        for section in &self.sections {
            body.align(16);
            let offset = first + body.len();
            sections.push(SectionHeader::plain(
                &section.name,
                1,
                section.flags,
                0,
                offset,
                section.bytes.len(),
            ));
            body.raw(&section.bytes);
        }
        self.write_symbols(&mut body, first, &mut sections);
        let (table_at, names_index) = write_section_headers(&mut body, first, sections);
        let mut file = Bytes::default();
        file.elf_identification().half(self.kind).half(self.machine).word(1).long(self.entry);
        file.long(HEADER as u64).long(if self.without_sections { 0 } else { table_at as u64 }).word(0);
        file.half(HEADER as u16).half(PROGRAM_HEADER as u16).half(count as u16).half(64);
        let (section_count, names) =
            if self.without_sections { (0, 0) } else { (names_index + 1, names_index) };
        file.half(section_count).half(names).raw(&headers.0).raw(&notes).align(PAGE).raw(&body.0);
        file.0
    }

    fn write_symbols(&self, body: &mut Bytes, base: usize, sections: &mut Vec<SectionHeader>) {
        if self.symbols.is_empty() {
            return;
        }
        let mut names = Bytes::default();
        names.raw(&[0]);
        body.align(8);
        let table = base + body.len();
        body.fixed("", 24);
        for (name, address, size) in &self.symbols {
            // STB_GLOBAL, STT_FUNC; its section is absolute.
            body.word(names.len() as u32).raw(&[0x12, 0]).half(0xfff1).long(*address).long(*size);
            names.raw(name.as_bytes()).raw(&[0]);
        }
        let size = 24 * (self.symbols.len() + 1);
        let link = sections.len() as u32 + 1;
        sections.push(SectionHeader {
            link,
            info: 1,
            entry_size: 24,
            ..SectionHeader::plain(".symtab", 2, 0, 0, table, size)
        });
        sections.push(SectionHeader::plain(".strtab", 3, 0, 0, base + body.len(), names.len()));
        body.raw(&names.0);
    }
}

/// Section names and headers; where the headers are, and which section has the names.
fn write_section_headers(body: &mut Bytes, base: usize, mut sections: Vec<SectionHeader>) -> (usize, u16) {
    let names_index = sections.len() as u16;
    sections.push(SectionHeader::plain(".shstrtab", 3, 0, 0, base + body.len(), 0));
    let mut names = Bytes::default();
    let offsets: Vec<u32> = sections
        .iter()
        .map(|section| {
            let offset = names.len() as u32;
            names.raw(section.name.as_bytes()).raw(&[0]);
            offset
        })
        .collect();
    if let Some(last) = sections.last_mut() {
        last.size = names.len() as u64;
    }
    body.raw(&names.0).align(8);
    let table = base + body.len();
    for (section, name) in sections.iter().zip(offsets) {
        body.word(name).word(section.kind).long(section.flags).long(section.address).long(section.offset);
        body.long(section.size).word(section.link).word(section.info).long(section.align);
        body.long(section.entry_size);
    }
    (table, names_index)
}
