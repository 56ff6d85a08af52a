//! Build information as the go command records it (`debug/buildinfo` of the standard library).

use std::collections::BTreeMap;

use object::{Object as _, ObjectSection as _, read::elf::ElfFile64};

use crate::LoadSegment;

const MAGIC: &[u8] = b"\xff Go buildinf:";
const HEADER: usize = 32;
/// The header is aligned so.
const ALIGN: usize = 16;
/// Module lists of the largest programs are a few hundred kilobytes.
const LONGEST: usize = 16 << 20;

/// A module of the build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// Module path.
    pub path: String,
    /// Version, `(devel)` for the main module of a work tree.
    pub version: Option<String>,
}

/// What the go command recorded of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// `go1.24.11`.
    pub go_version: String,
    /// Path of the main package.
    pub path: Option<String>,
    /// The main package's module.
    pub main: Option<Module>,
    /// Modules it depends on.
    pub dependencies: Vec<Module>,
    /// Build settings: `GOARCH`, `vcs.revision`, …
    pub settings: BTreeMap<String, String>,
}

/// Looks where the linker puts the record: in its own section, or at the start of the data.
pub(crate) fn find(
    file: &ElfFile64<'_, object::LittleEndian>,
    segments: &[LoadSegment<'_>],
) -> Option<BuildInfo> {
    let section = file.section_by_name(".go.buildinfo").and_then(|section| section.data().ok());
    let data = segments.iter().filter(|segment| segment.writable).map(|segment| segment.bytes);
    section.into_iter().chain(data).find_map(|bytes| read(bytes, segments))
}

fn read(bytes: &[u8], segments: &[LoadSegment<'_>]) -> Option<BuildInfo> {
    let start = bytes.chunks(ALIGN).position(|chunk| chunk.starts_with(MAGIC))? * ALIGN;
    let record = bytes.get(start..)?;
    let (version, modules) = if record.get(15)? & 2 != 0 {
        // Since Go 1.18 two strings follow, each after its length.
        let (version, rest) = counted(record.get(HEADER..)?)?;
        (version, counted(rest).map_or(&b""[..], |(modules, _)| modules))
    } else {
        // Before, the header points to two string headers.
        if record.get(14) != Some(&8) {
            return None;
        }
        let string = |offset: usize| {
            let header = mapped(segments, u64_at(record, offset)?)?;
            mapped(segments, u64_at(header, 0)?)?.get(..usize::try_from(u64_at(header, 8)?).ok()?)
        };
        (string(16)?, string(24).unwrap_or_default())
    };
    let go_version = std::str::from_utf8(version).ok().filter(|version| !version.is_empty())?;
    let mut info = BuildInfo { go_version: go_version.to_owned(), ..BuildInfo::default() };
    // The text stands between two 16-byte marks.
    if modules.len() >= 33 && modules.get(modules.len() - 17) == Some(&b'\n') {
        parse_modules(&mut info, &String::from_utf8_lossy(&modules[16..modules.len() - 16]));
    }
    Some(info)
}

fn parse_modules(info: &mut BuildInfo, text: &str) {
    let module = |rest: &str| {
        let mut columns = rest.split('\t');
        let path = columns.next().unwrap_or_default().to_owned();
        let version = columns.next().filter(|version| !version.is_empty()).map(str::to_owned);
        Module { path, version }
    };
    for line in text.lines() {
        let Some((key, rest)) = line.split_once('\t') else { continue };
        match key {
            "path" => info.path = Some(rest.to_owned()),
            "mod" => info.main = Some(module(rest)),
            "dep" => info.dependencies.push(module(rest)),
            "build" => {
                if let Some((key, value)) = rest.split_once('=') {
                    info.settings.insert(key.to_owned(), value.trim_matches('"').to_owned());
                }
            }
            // `=>` replaces the module before it; the paths in the program stay the replaced one's.
            _ => {}
        }
    }
}

/// A string after its length as an unsigned varint.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_usize;
    for (index, &byte) in bytes.iter().take(5).enumerate() {
        length |= usize::from(byte & 0x7f) << (index * 7);
        if byte & 0x80 == 0 {
            let rest = bytes.get(index + 1..)?;
            return (length <= LONGEST).then(|| rest.split_at_checked(length))?;
        }
    }
    None
}

fn mapped<'a>(segments: &[LoadSegment<'a>], address: u64) -> Option<&'a [u8]> {
    segments.iter().find_map(|segment| {
        let offset = address.checked_sub(segment.address)?;
        segment.bytes.get(usize::try_from(offset).ok()?..)
    })
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}
