//! Executables: segments, sections, symbols; and how ELF tells them.

use std::{borrow::Cow, sync::OnceLock};

use object::{
    Object as _, ObjectKind, ObjectSection as _, ObjectSegment as _, SegmentFlags, elf, read::elf::ElfFile64,
};
use panicle_image::{Arch, Os};
use panicle_report::{BuildIds, Diagnostic, DwarfPresence, Stage};

use crate::{
    BinaryError, BuildInfo, PeImage, Symbol, build_info, debug::DebugFile, file::File, notes, pclntab, pe,
    symbols::Symbols, text,
};

/// A decompressed section may be this many times larger than its compressed bytes; zlib cannot do
/// better than about 1032, and debug information does not come near.
const MOST_EXPANSION: u64 = 1100;
/// Debug information of the largest Go programs is a quarter of this.
const LARGEST_SECTION: u64 = 1 << 30;

/// A segment that is mapped at run time.
#[derive(Clone, Copy, Debug)]
pub struct LoadSegment<'a> {
    /// Link-time address.
    pub address: u64,
    /// Address space it takes; beyond its bytes it starts as zeros.
    pub memory_size: u64,
    /// Its bytes in the file.
    pub bytes: &'a [u8],
    /// Where they are in the file.
    pub file_offset: u64,
    /// Mapped writable.
    pub writable: bool,
    /// Mapped executable.
    pub executable: bool,
}

/// The bytes of `segments` at a link-time address, to the end of the segment they are in.
pub(crate) fn mapped<'a>(segments: &[LoadSegment<'a>], address: u64) -> Option<&'a [u8]> {
    segments.iter().find_map(|segment| {
        let offset = address.checked_sub(segment.address)?;
        segment.bytes.get(usize::try_from(offset).ok()?..).filter(|bytes| !bytes.is_empty())
    })
}

/// A section.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    /// Link-time address, 0 when it is not mapped.
    pub address: u64,
    /// Its bytes, decompressed.
    pub data: Cow<'a, [u8]>,
}

/// An executable, ELF or PE.
#[derive(Debug)]
pub struct Executable<'a> {
    pub(crate) file: File<'a>,
    pub(crate) symbols: Symbols,
    pub(crate) text_sha256: OnceLock<Option<String>>,
    /// The file that has debug information when this one does not.
    pub(crate) debug: Option<Box<DebugFile<'a>>>,
    /// The operating system that it is for; ELF files are taken for Linux'.
    pub os: Os,
    /// Architecture.
    pub arch: Arch,
    /// Loaded at an address of the loader's choice.
    pub position_independent: bool,
    /// Link-time address of the entry point.
    pub entry: u64,
    /// What is mapped.
    pub load_segments: Vec<LoadSegment<'a>>,
    /// What the go command recorded.
    pub build_info: Option<BuildInfo>,
    /// GNU and Go build ID. The text digest costs a pass over the text: [`Executable::text_sha256`].
    pub build_ids: BuildIds,
    /// No symbol table.
    pub stripped: bool,
    /// Where debug information is.
    pub dwarf: DwarfPresence,
    /// The header of a PE file.
    pub image: Option<PeImage>,
}

impl<'a> Executable<'a> {
    /// Reads headers, notes and build information.
    pub fn parse(data: &'a [u8]) -> Result<(Self, Vec<Diagnostic>), BinaryError> {
        if data.is_empty() {
            return Err(BinaryError::Empty);
        }
        if pe::is_pe(data) {
            return pe::parse(data);
        }
        if !data.starts_with(b"\x7fELF") {
            return Err(BinaryError::NotElf);
        }
        let class = data.get(4).copied().unwrap_or(elf::ELFCLASSNONE.0);
        let order = data.get(5).copied().unwrap_or(elf::ELFDATANONE.0);
        if class == elf::ELFCLASS32.0 {
            return Err(BinaryError::UnsupportedClass);
        }
        if order == elf::ELFDATA2MSB.0 {
            return Err(BinaryError::UnsupportedEndian);
        }
        let file = ElfFile64::<object::LittleEndian>::parse(data).map_err(|_| BinaryError::BadHeaders)?;
        match file.kind() {
            ObjectKind::Core => return Err(BinaryError::IsACore),
            ObjectKind::Relocatable => return Err(BinaryError::IsAnObject),
            _ => {}
        }
        let arch = Arch::from_machine(file.elf_header().e_machine.get(object::LittleEndian).0);
        let load_segments: Vec<_> = file
            .segments()
            .map(|segment| {
                let flags = match segment.flags() {
                    SegmentFlags::Elf { p_flags, .. } => p_flags.0,
                    _ => 0,
                };
                LoadSegment {
                    address: segment.address(),
                    memory_size: segment.size(),
                    bytes: segment.data().unwrap_or_default(),
                    file_offset: segment.file_range().0,
                    writable: flags & elf::PF_W.0 != 0,
                    executable: flags & elf::PF_X.0 != 0,
                }
            })
            .collect();
        let section = file.section_by_name(".go.buildinfo");
        let section = section.and_then(|section| Some((section.address(), section.data().ok()?)));
        let build_info = build_info::find(section, &load_segments);
        let build_ids = notes::build_ids(&file);
        let has = |name: &str| file.section_by_name(name).is_some();
        let dwarf =
            if has(".debug_info") || has(".zdebug_info") { DwarfPresence::Full } else { DwarfPresence::None };
        let executable = Self {
            os: Os::Linux,
            arch,
            position_independent: file.kind() == ObjectKind::Dynamic,
            entry: file.entry(),
            load_segments,
            build_info,
            build_ids,
            stripped: file.symbols().next().is_none(),
            dwarf,
            image: None,
            symbols: Symbols::default(),
            text_sha256: OnceLock::new(),
            debug: None,
            file: File::Elf(file),
        };
        let mut diagnostics = executable.without_go();
        diagnostics.extend(executable.cut_short());
        Ok((executable, diagnostics))
    }

    /// Says so when segments end behind the file. A file of debug information has none of their bytes, and
    /// says so itself.
    fn cut_short(&self) -> Option<Diagnostic> {
        let File::Elf(file) = &self.file else { return None };
        let have = file.data().len() as u64;
        let ends = file.segments().map(|segment| {
            let (offset, size) = segment.file_range();
            offset.saturating_add(size)
        });
        let wanted = ends.max().filter(|&wanted| wanted > have)?;
        let debug_file = file.section_by_name(".text").is_some_and(|text| text.file_range().is_none());
        let text = format!("The executable is cut short: there are {have} of at least {wanted} bytes.");
        (!debug_file).then(|| Diagnostic::warning(Stage::Binary, text))
    }

    /// Says so when there is no sign of Go.
    pub(crate) fn without_go(&self) -> Vec<Diagnostic> {
        // A PE file names no section after the table, so that it would have to be searched for.
        let known = self.build_info.is_some() || self.build_ids.go.is_some();
        if known || self.os != Os::Linux || self.file.section(".gopclntab").is_some() {
            return Vec::new();
        }
        vec![Diagnostic::info(
            Stage::Binary,
            "The executable has neither Go build information nor a Go function table.",
        )]
    }

    pub(crate) fn data(&self) -> &'a [u8] {
        self.file.data()
    }

    /// A section by name, decompressed; `.debug_*` is also found as `.zdebug_*`, and in the debug file.
    pub fn section(&self, name: &str) -> Option<Section<'a>> {
        if let Some(debug) = &self.debug
            && name.starts_with(".debug_")
        {
            return debug.section(name);
        }
        let section = self.file.section(name)?;
        let compressed = section.data;
        let claimed = compressed.uncompressed_size;
        let held = (compressed.data.len() as u64).saturating_mul(MOST_EXPANSION);
        if claimed > held.min(LARGEST_SECTION) {
            return None;
        }
        Some(Section { address: section.address, data: compressed.decompress().ok()? })
    }

    /// A symbol by name, of this file or else of its debug file.
    pub fn symbol(&self, name: &str) -> Option<Symbol> {
        let debug = || self.debug.as_ref()?.symbol(name);
        self.file.symbol(&self.symbols, name).or_else(debug)
    }

    /// The function whose code is at a link-time address, by the symbol table of this file or else of
    /// its debug file.
    pub fn symbol_at(&self, address: u64) -> Option<(Cow<'a, str>, Symbol)> {
        let debug = || self.debug.as_ref()?.symbol_at(address);
        self.file.symbol_at(&self.symbols, address).or_else(debug)
    }

    /// The file's bytes that are mapped at a link-time address, to the end of their segment.
    pub fn mapped(&self, address: u64) -> Option<&'a [u8]> {
        mapped(&self.load_segments, address)
    }

    /// Link-time address and bytes of the text section, `None` where it is not in the file; of a PE file without
    /// the Go build ID in front, which differs when the debug information does.
    pub fn text(&self) -> Option<(u64, &'a [u8])> {
        let (address, text) = self.file.plain_section(".text").filter(|(_, bytes)| !bytes.is_empty())?;
        let id = if self.os == Os::Windows { notes::go_build_id_size(text) } else { 0 };
        Some((address.checked_add(id as u64)?, text.get(id..)?))
    }

    /// The bytes of the first executable section of an ELF file; linkers other than Go's put some before
    /// the text.
    pub(crate) fn first_code(&self) -> Option<&'a [u8]> {
        let File::Elf(file) = &self.file else { return None };
        let code = |section: &object::read::elf::ElfSection64<'a, '_, object::LittleEndian>| {
            section.elf_section_header().sh_flags.get(object::LittleEndian).0 & elf::SHF_EXECINSTR.0 != 0
        };
        file.sections().find(code)?.data().ok()
    }

    /// SHA-256 of the text section with the addresses of what lies outside of it as zeros, lower-case
    /// hexadecimal: equal for a binary and its stripped twin.
    pub fn text_sha256(&self) -> Option<String> {
        self.text_sha256.get_or_init(|| self.digest_text()).clone()
    }

    fn digest_text(&self) -> Option<String> {
        let (address, bytes) = self.text()?;
        self.digest_code(address, bytes)
    }

    /// The digest of this file's code in the place of another one's text, for a file without sections.
    pub(crate) fn text_sha256_at(&self, (address, bytes): (u64, &[u8])) -> Option<String> {
        self.digest_code(address, self.mapped(address)?.get(..bytes.len())?)
    }

    fn digest_code(&self, address: u64, bytes: &[u8]) -> Option<String> {
        let ends = self.load_segments.iter().map(|s| s.address.saturating_add(s.memory_size));
        let start = self.load_segments.iter().map(|segment| segment.address).min()?;
        // What is linked from zero on has no absolute addresses in its text.
        let end = if self.position_independent { start } else { ends.max()? };
        Some(text::digest(self.arch, address, bytes, (start, end)))
    }

    /// Where the Go function table is: link-time address and bytes.
    ///
    /// By section name, or else by its magic in the read-only data.
    pub fn pclntab(&self) -> Option<(u64, &'a [u8])> {
        // Position-independent executables keep relocated tables under `.data.rel.ro`.
        let named =
            [".gopclntab", ".data.rel.ro.gopclntab"].iter().find_map(|name| self.file.plain_section(name));
        // PE files keep it among the read-only data.
        let marked = || {
            let address = self.symbol("runtime.pclntab")?.address;
            Some((address, self.mapped(address)?))
        };
        named.or_else(marked).or_else(|| pclntab::search(&self.load_segments))
    }

    /// Whether the file is a Go executable.
    pub fn is_go(&self) -> bool {
        self.build_info.is_some() || self.build_ids.go.is_some() || self.pclntab().is_some()
    }
}
