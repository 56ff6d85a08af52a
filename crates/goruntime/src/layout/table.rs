//! Layouts as text, for executables without debug information.
//!
//! `cargo xtask layouts` writes a file per Go version into `tables/`, out of the DWARF that the
//! version's compiler makes:
//!
//! ```text
//! go1.24.11
//!
//! runtime.g 440 linux/amd64 linux/arm64
//!   goid 160 8
//! ```
//!
//! A block is a structure with its size in bytes and the targets it holds for; a line in it is a
//! field with its offset and size in bytes.

use std::{collections::BTreeMap, fmt::Write as _};

use panicle_report::LayoutSource;

use super::{Field, Layout, STRUCTURES, StructLayout, minor};

/// The tables at hand, by the version's minor number.
const TABLES: &[(u32, &str)] = &[
    (19, include_str!("tables/go1.19.txt")),
    (21, include_str!("tables/go1.21.txt")),
    (22, include_str!("tables/go1.22.txt")),
    (23, include_str!("tables/go1.23.txt")),
    (24, include_str!("tables/go1.24.txt")),
    (25, include_str!("tables/go1.25.txt")),
    (26, include_str!("tables/go1.26.txt")),
    (27, include_str!("tables/go1.27.txt")),
];

/// An operating system and architecture as Go names them: `linux/amd64`.
pub type Target = String;

/// The layouts that may be that of an executable built by `go_version` for `target`, best first: the table
/// of its own version, then those of all others, the nearest first, the newer of two equally near.
pub fn candidates(go_version: Option<&str>, target: &str) -> impl Iterator<Item = Layout> {
    let wanted = go_version.and_then(minor);
    let released = go_version.is_some_and(is_release);
    // Without any version the newest is as good a start as any.
    let near = wanted.unwrap_or(u32::MAX);
    let mut order: Vec<_> = TABLES.iter().collect();
    order.sort_by_key(|(minor, _)| (minor.abs_diff(near), u32::MAX - minor));
    let own = go_version.filter(|_| wanted.is_some()).map(str::to_owned);
    order.into_iter().filter_map(move |(minor, text)| {
        let exact = released && Some(*minor) == wanted;
        let source = if exact { LayoutSource::Table } else { LayoutSource::NearestTable };
        let layout = read(text, target, source, own.as_deref().filter(|_| exact))?;
        Some(match &own {
            Some(own) => layout.printing_as(own),
            None => layout,
        })
    })
}

/// Whether a version has the structures of its minor release: `go1.24`, `go1.24.3`, `go1.24rc1`, also with
/// what vendors put behind it. While a version is being developed it has those of its predecessor first.
fn is_release(version: &str) -> bool {
    let Some(rest) = version.strip_prefix("go1.") else { return false };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.is_empty() || rest.starts_with(['.', ' ', '-']) || rest.starts_with("rc")
}

/// The minor versions that have a table.
pub fn versions() -> impl Iterator<Item = u32> {
    TABLES.iter().map(|(minor, _)| *minor)
}

/// Reads the blocks for `target`; `None` when there are none of `runtime.g`.
fn read(text: &str, target: &str, source: LayoutSource, go_version: Option<&str>) -> Option<Layout> {
    let mut structs: BTreeMap<&'static str, StructLayout> = BTreeMap::new();
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let table_version = lines.next()?;
    let mut current = None;
    for line in lines {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let number = words.next()?.parse().ok()?;
        if line.starts_with(' ') {
            let size = words.next()?.parse().ok()?;
            if let Some(structure) = current.and_then(|name| structs.get_mut(name)) {
                structure.fields.insert(name.to_owned(), Field { offset: number, size });
            }
        } else {
            current = words
                .any(|word| word == target)
                .then(|| STRUCTURES.iter().map(|known| known.0).find(|known| *known == name))
                .flatten();
            if let Some(name) = current {
                structs.insert(name, StructLayout { size: number, ..StructLayout::default() });
            }
        }
    }
    let version = go_version.unwrap_or(table_version);
    structs.contains_key("runtime.g").then(|| Layout::new(source, Some(version), structs))
}

/// The text of one version's table, from its layout on each target.
pub fn write(go_version: &str, layouts: &BTreeMap<Target, Layout>) -> String {
    let mut text = format!(
        "# The runtime's structures as the engine reads them: size and targets of a structure, then offset\n\
         # and size of each field, in bytes. Made out of DWARF by `cargo xtask layouts`; not edited by hand.\n\
         {go_version}\n"
    );
    for (name, _) in STRUCTURES {
        let mut blocks: Vec<(&StructLayout, Vec<&str>)> = Vec::new();
        for (target, layout) in layouts {
            let Some(structure) = layout.structure(name) else { continue };
            match blocks.iter_mut().find(|(known, _)| *known == structure) {
                Some((_, targets)) => targets.push(target),
                None => blocks.push((structure, vec![target])),
            }
        }
        for (structure, targets) in blocks {
            _ = write!(text, "\n{name} {} {}\n", structure.size, targets.join(" "));
            let mut fields: Vec<_> = structure.fields().collect();
            fields.sort_by_key(|(path, field)| (field.offset, u64::MAX - field.size, *path));
            for (path, field) in fields {
                _ = writeln!(text, "  {path} {} {}", field.offset, field.size);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
