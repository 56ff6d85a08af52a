//! The layout out of the executable's own debug information.

use std::collections::BTreeMap;

use panicle_binary::dwarf::{DwarfIndex, TypeId, TypeKind};
use panicle_report::LayoutSource;

use super::{Field, Layout, STRUCTURES, StructLayout, Wanted, former};

/// `g.sched.pc` is two levels deep, `m.mOS.x` three; deeper nesting is never asked for.
const DEEPEST: usize = 3;
/// The largest structure asked for, `runtime.m`, has a few hundred.
const MOST_FIELDS: usize = 4096;

impl Layout {
    /// Reads the structures' fields out of `dwarf`; `None` when not even `runtime.g` is there.
    pub fn from_dwarf(dwarf: &DwarfIndex<'_>, go_version: Option<&str>) -> Option<Self> {
        let structs: BTreeMap<_, _> = STRUCTURES
            .iter()
            .filter_map(|&(name, wanted)| Some((name, structure(dwarf, name, wanted)?)))
            .collect();
        structs.contains_key("runtime.g").then(|| Self::new(LayoutSource::Dwarf, go_version, structs))
    }
}

/// Size and fields of the structure `name`, under the names that the newest version uses, whatever
/// this one calls them.
fn structure(dwarf: &DwarfIndex<'_>, name: &str, wanted: Wanted) -> Option<StructLayout> {
    let own = || read(dwarf, dwarf.type_named(name)?, wanted);
    own().or_else(|| {
        former::names(name).find_map(|former| {
            let mut found = read(dwarf, dwarf.type_named(former.then)?, wanted)?;
            for &(now, then) in former.fields {
                if let Some(field) = found.fields.remove(then) {
                    found.fields.insert(now.to_owned(), field);
                }
            }
            Some(found)
        })
    })
}

fn read(dwarf: &DwarfIndex<'_>, id: TypeId, wanted: Wanted) -> Option<StructLayout> {
    let found = dwarf.ty(id);
    // A name can be that of another kind of type in another version: `runtime/pprof.labelMap` is a
    // map up to Go 1.23.
    let (TypeKind::Struct { .. }, Some(size)) = (&found.kind, found.size) else { return None };
    let mut fields = BTreeMap::new();
    match wanted {
        Wanted::All => flatten(dwarf, id, "", 0, 1, &mut fields),
        Wanted::Paths(paths) => {
            flatten(dwarf, id, "", 0, DEEPEST, &mut fields);
            fields.retain(|path, _| paths.contains(&path.as_str()));
        }
    }
    Some(StructLayout { size, fields })
}

fn flatten(
    dwarf: &DwarfIndex<'_>,
    id: TypeId,
    prefix: &str,
    base: u64,
    depth: usize,
    fields: &mut BTreeMap<String, Field>,
) {
    let structure = dwarf.ty(id);
    let TypeKind::Struct { fields: found } = &structure.kind else { return };
    for field in found {
        if fields.len() >= MOST_FIELDS {
            return;
        }
        let Some(offset) = base.checked_add(field.offset) else { continue };
        let size = dwarf.ty(field.type_id).size.unwrap_or(0);
        let path = format!("{prefix}{}", field.name);
        if depth > 1 {
            flatten(dwarf, field.type_id, &format!("{path}."), offset, depth - 1, fields);
        }
        fields.insert(path, Field { offset, size });
    }
}
