//! Build information as the go command records it (`debug/buildinfo` of the standard library).

use std::collections::BTreeMap;

use crate::{LoadSegment, elf::mapped};

mod unquote;

const MAGIC: &[u8] = b"\xff Go buildinf:";
const HEADER: usize = 32;
/// The header is aligned so.
const ALIGN: u64 = 16;
/// Things that begin like a record and are none are rare where the linker puts it.
const MOST_CANDIDATES: usize = 64;
/// `go1.24.11`, or `devel` with a revision, a date and experiments.
const LONGEST_VERSION: usize = 1024;
/// Module lists of the largest programs are a few hundred kilobytes.
const LONGEST: usize = 16 << 20;

/// A module of the build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// Module path.
    pub path: String,
    /// Version, `(devel)` for the main module of a work tree.
    pub version: Option<String>,
    /// Checksum as in `go.sum`; a replaced module has none.
    pub sum: Option<String>,
    /// What a `replace` directive put in its place. Functions keep the replaced module's path.
    pub replacement: Option<Box<Module>>,
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

/// Looks where the linker puts the record: in its own section, of which address and bytes are given, or
/// in the data.
pub(crate) fn find(section: Option<(u64, &[u8])>, segments: &[LoadSegment<'_>]) -> Option<BuildInfo> {
    let data = segments.iter().filter(|segment| segment.writable).map(|s| (s.address, s.bytes));
    section.into_iter().chain(data).find_map(|(address, bytes)| search(address, bytes, segments))
}

/// The first record in `bytes`, which are mapped at `address`.
fn search(address: u64, bytes: &[u8], segments: &[LoadSegment<'_>]) -> Option<BuildInfo> {
    // Aligned is the address; a segment may begin in between.
    let skip = (address.checked_next_multiple_of(ALIGN)? - address) as usize;
    let bytes = bytes.get(skip..)?;
    let chunks = bytes.chunks(ALIGN as usize).enumerate().filter(|(_, chunk)| chunk.starts_with(MAGIC));
    chunks.take(MOST_CANDIDATES).find_map(|(index, _)| read(bytes.get(index * ALIGN as usize..)?, segments))
}

/// The record at the start of `record`.
fn read(record: &[u8], segments: &[LoadSegment<'_>]) -> Option<BuildInfo> {
    let (version, modules) = if record.get(15)? & 2 != 0 {
        // Since Go 1.18 two strings follow, each after its length.
        let (version, rest) = counted(record.get(HEADER..)?)?;
        (version, counted(rest).map_or(&b""[..], |(modules, _)| modules))
    } else {
        // Before, the header points to two string headers. Every 64-bit little-endian file has
        // pointers of 8 bytes in that order.
        if record.get(14..16) != Some(&[8, 0]) {
            return None;
        }
        let string = |offset: usize| {
            let header = mapped(segments, u64_at(record, offset)?)?;
            mapped(segments, u64_at(header, 0)?)?.get(..usize::try_from(u64_at(header, 8)?).ok()?)
        };
        (string(16)?, string(24).unwrap_or_default())
    };
    if version.is_empty() || version.len() > LONGEST_VERSION || modules.len() > LONGEST {
        return None;
    }
    let go_version = std::str::from_utf8(version).ok()?;
    if go_version.chars().any(char::is_control) {
        return None;
    }
    let mut info = BuildInfo { go_version: go_version.to_owned(), ..BuildInfo::default() };
    // The text stands between two 16-byte marks.
    if modules.len() >= 33 && modules.get(modules.len() - 17) == Some(&b'\n') {
        parse_modules(&mut info, &String::from_utf8_lossy(&modules[16..modules.len() - 16]));
    }
    Some(info)
}

/// The lines of `runtime/debug.BuildInfo.String`. One that cannot be read is passed over: the rest
/// is as true without it.
fn parse_modules(info: &mut BuildInfo, text: &str) {
    let mut last: Option<LastModule> = None;
    for line in text.lines() {
        let Some((word, rest)) = line.split_once('\t') else { continue };
        match word {
            "path" => info.path = Some(rest.to_owned()),
            "mod" => {
                info.main = Some(module(rest));
                last = Some(LastModule::Main);
            }
            "dep" => {
                info.dependencies.push(module(rest));
                last = Some(LastModule::Dependency);
            }
            "=>" => {
                let replaced = match last.take() {
                    Some(LastModule::Main) => info.main.as_mut(),
                    Some(LastModule::Dependency) => info.dependencies.last_mut(),
                    None => None,
                };
                if let Some(replaced) = replaced {
                    replaced.replacement = Some(Box::new(module(rest)));
                }
            }
            "build" => info.settings.extend(setting(rest)),
            _ => {}
        }
    }
}

/// Which module a replacement is for.
enum LastModule {
    Main,
    Dependency,
}

fn module(columns: &str) -> Module {
    let mut columns = columns.split('\t');
    let path = columns.next().unwrap_or_default().to_owned();
    let mut next = || columns.next().filter(|column| !column.is_empty()).map(str::to_owned);
    Module { path, version: next(), sum: next(), replacement: None }
}

/// `key=value`, each quoted where it has to be.
fn setting(text: &str) -> Option<(String, String)> {
    let (key, value) = if text.starts_with(['"', '`']) {
        let (key, rest) = unquote::prefix(text)?;
        (key, rest.strip_prefix('=')?)
    } else {
        let (key, value) = text.split_once('=')?;
        (key.to_owned(), value)
    };
    let value = if value.starts_with(['"', '`']) {
        let (value, rest) = unquote::prefix(value)?;
        rest.is_empty().then_some(value)?
    } else {
        value.to_owned()
    };
    Some((key, value))
}

/// A string after its length as an unsigned varint, and what follows it.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_usize;
    for (index, &byte) in bytes.iter().take(5).enumerate() {
        length |= usize::from(byte & 0x7f) << (index * 7);
        if byte & 0x80 == 0 {
            return bytes.get(index + 1..)?.split_at_checked(length);
        }
    }
    None
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}
