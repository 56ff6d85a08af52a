//! Windows executables (PE32+), as Go's linker and others write them.

use std::sync::OnceLock;

use object::{
    LittleEndian, Object as _, ObjectKind, ObjectSection as _, SectionFlags, pe,
    read::pe::{ImageNtHeaders as _, ImageOptionalHeader as _, PeFile64},
};
use panicle_image::{Arch, Os};
use panicle_report::{BuildIds, Diagnostic, DwarfPresence};

use crate::{BinaryError, Executable, LoadSegment, build_info, file::File, notes, symbols::Symbols};

/// What a PE file's header says of the image: dumps repeat it of each module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeImage {
    /// The address that the file is linked for.
    pub base: u64,
    /// Address space that it takes.
    pub size: u64,
    /// `CheckSum`; Go's linker leaves it 0.
    pub checksum: u32,
    /// `TimeDateStamp`; Go's linker leaves it 0.
    pub time_stamp: u32,
}

/// Whether `data` begins like a DOS program, as all Windows executables do.
pub(crate) fn is_pe(data: &[u8]) -> bool {
    data.starts_with(b"MZ")
}

/// Reads headers and build information.
pub(crate) fn parse(data: &[u8]) -> Result<(Executable<'_>, Vec<Diagnostic>), BinaryError> {
    match object::FileKind::parse(data) {
        Ok(object::FileKind::Pe64) => {}
        Ok(object::FileKind::Pe32) => return Err(BinaryError::UnsupportedClass),
        _ => return Err(BinaryError::BadHeaders),
    }
    let file = PeFile64::parse(data).map_err(|_| BinaryError::BadHeaders)?;
    let headers = file.nt_headers();
    let optional = headers.optional_header();
    let base = optional.image_base();
    let moves = optional.dll_characteristics().contains(pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE);
    let image = PeImage {
        base,
        size: u64::from(optional.size_of_image()),
        checksum: optional.check_sum(),
        time_stamp: headers.file_header().time_date_stamp.get(LittleEndian),
    };
    let load_segments = load_segments(data, &file, base, u64::from(optional.size_of_headers()));
    let go_id = file.section_by_name(".text").and_then(|text| notes::go_build_id_in_text(text.data().ok()?));
    let has = |name: &str| file.section_by_name(name).is_some();
    let dwarf =
        if has(".debug_info") || has(".zdebug_info") { DwarfPresence::Full } else { DwarfPresence::None };
    let executable = Executable {
        os: Os::Windows,
        arch: match headers.file_header().machine.get(LittleEndian) {
            pe::IMAGE_FILE_MACHINE_AMD64 => Arch::Amd64,
            pe::IMAGE_FILE_MACHINE_ARM64 => Arch::Arm64,
            _ => Arch::Other(0),
        },
        position_independent: moves || file.kind() == ObjectKind::Dynamic,
        entry: file.entry(),
        build_info: build_info::find(None, &load_segments),
        load_segments,
        build_ids: BuildIds { go: go_id, ..BuildIds::default() },
        stripped: file.symbols().next().is_none(),
        dwarf,
        image: Some(image),
        symbols: Symbols::default(),
        text_sha256: OnceLock::new(),
        debug: None,
        file: File::Pe(file),
    };
    let diagnostics = executable.without_go();
    Ok((executable, diagnostics))
}

/// The page of headers, then the sections.
fn load_segments<'a>(
    data: &'a [u8],
    file: &PeFile64<'a>,
    base: u64,
    header_size: u64,
) -> Vec<LoadSegment<'a>> {
    let head = &data[..data.len().min(usize::try_from(header_size).unwrap_or(usize::MAX))];
    let header = LoadSegment {
        address: base,
        memory_size: head.len() as u64,
        bytes: head,
        file_offset: 0,
        writable: false,
        executable: false,
    };
    let sections = file.sections().filter_map(|section| {
        let SectionFlags::Coff { characteristics } = section.flags() else { return None };
        // Debug information is loaded with the rest when it has an address, and thrown away.
        let mapped = characteristics.0 & pe::IMAGE_SCN_MEM_DISCARDABLE.0 == 0;
        mapped.then(|| LoadSegment {
            address: section.address(),
            memory_size: section.size(),
            bytes: section.data().unwrap_or_default(),
            file_offset: section.file_range().map_or(0, |range| range.0),
            writable: characteristics.0 & pe::IMAGE_SCN_MEM_WRITE.0 != 0,
            executable: characteristics.0 & pe::IMAGE_SCN_MEM_EXECUTE.0 != 0,
        })
    });
    std::iter::once(header).chain(sections).collect()
}
