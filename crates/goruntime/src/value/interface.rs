//! What an interface holds.

use panicle_binary::dwarf::TypeKind;

use super::place::{Location, Parts, Place};
use super::rtype::RuntimeType;
use super::write::{Style, Writer};
use super::{Context, Limits};

/// The dynamic type of an interface.
struct Dynamic {
    address: u64,
    runtime: Option<RuntimeType>,
}

/// See [`super::format_interface`].
pub(super) fn format(context: &Context<'_>, empty: bool, word: u64, data: u64, limits: Limits) -> String {
    let mut writer = Writer::new(context, limits);
    write(&mut writer, empty, word, data);
    writer.finish()
}

/// Writes the value held by the interface with these two words.
pub(super) fn write(writer: &mut Writer<'_>, empty: bool, word: u64, data: u64) {
    if word == 0 {
        writer.text("nil");
        return;
    }
    let context = writer.context;
    let Some(dynamic) = dynamic(context, empty, word) else {
        // Damaged, or a type made by reflection: say what there is.
        writer.text(&format!("<interface of unknown type {word:#x}, data {data:#x}>"));
        return;
    };
    let id = context
        .types
        .and_then(|types| types.offset(dynamic.address))
        .and_then(|offset| context.dwarf.type_by_runtime_offset(offset));
    let Some(id) = id else {
        match &dynamic.runtime {
            Some(runtime) => writer.text(&format!("{} {data:#x}", runtime.name)),
            None => {
                writer.text(&format!("<interface of unknown type {:#x}, data {data:#x}>", dynamic.address));
            }
        }
        return;
    };
    let direct = match &dynamic.runtime {
        Some(runtime) => runtime.direct,
        None => matches!(
            context.dwarf.ty(id).kind,
            TypeKind::Pointer { .. }
                | TypeKind::UnsafePointer
                | TypeKind::Map { .. }
                | TypeKind::Chan { .. }
                | TypeKind::Func
        ),
    };
    let location = if direct {
        let mut parts = Parts::default();
        parts.push(&data.to_le_bytes());
        Location::Parts(parts)
    } else {
        Location::Address(data)
    };
    writer.value(id, Place::new(&location), Style::Typed);
}

fn dynamic(context: &Context<'_>, empty: bool, word: u64) -> Option<Dynamic> {
    let types = context.types?;
    let address = if empty { word } else { types.itab_type(context.memory, word)? };
    types.offset(address)?;
    Some(Dynamic { address, runtime: types.read(context.memory, address) })
}
