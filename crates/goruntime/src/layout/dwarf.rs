//! The layout out of the executable's own debug information.

use std::collections::HashMap;

use panicle_binary::dwarf::{DwarfIndex, TypeId, TypeKind};
use panicle_report::LayoutSource;

use super::{Field, FloatStyle, Layout, STRUCTURES, Spelling, StructLayout, Unwinder, former};

/// `g.sched.pc` is two levels deep, `m.mOS.x` three; deeper nesting is never asked for.
const DEEPEST: usize = 3;
/// The largest structure asked for, `runtime.m`, has a few hundred.
const MOST_FIELDS: usize = 4096;

impl Layout {
    /// Reads the structures' fields out of `dwarf`; `None` when not even `runtime.g` is there.
    pub fn from_dwarf(dwarf: &DwarfIndex<'_>, go_version: Option<&str>) -> Option<Self> {
        let structs: HashMap<_, _> = STRUCTURES
            .iter()
            .filter_map(|&name| Some((name, StructLayout::from_dwarf(dwarf, name)?)))
            .collect();
        structs.contains_key("runtime.g").then(|| Self {
            source: LayoutSource::Dwarf,
            spelling: Spelling::of(go_version),
            floats: FloatStyle::of(go_version),
            unwinder: Unwinder::of(go_version),
            structs,
        })
    }
}

impl StructLayout {
    /// Size and fields of the structure `name`, under the names that the newest version uses, whatever
    /// this one calls them.
    pub(crate) fn from_dwarf(dwarf: &DwarfIndex<'_>, name: &str) -> Option<Self> {
        let own = || structure(dwarf, dwarf.type_named(name)?);
        own().or_else(|| {
            former::names(name).find_map(|former| {
                let mut found = structure(dwarf, dwarf.type_named(former.then)?)?;
                for &(now, then) in former.fields {
                    if let Some(field) = found.fields.remove(then) {
                        found.fields.insert(now.to_owned(), field);
                    }
                }
                Some(found)
            })
        })
    }
}

fn structure(dwarf: &DwarfIndex<'_>, id: TypeId) -> Option<StructLayout> {
    let found = dwarf.ty(id);
    // A name can be that of another kind of type in another version: `runtime/pprof.labelMap` is a
    // map up to Go 1.23.
    let (TypeKind::Struct { .. }, Some(size)) = (&found.kind, found.size) else { return None };
    let mut fields = HashMap::new();
    flatten(dwarf, id, "", 0, DEEPEST, &mut fields);
    Some(StructLayout { size, fields })
}

fn flatten(
    dwarf: &DwarfIndex<'_>,
    id: TypeId,
    prefix: &str,
    base: u64,
    depth: usize,
    fields: &mut HashMap<String, Field>,
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
