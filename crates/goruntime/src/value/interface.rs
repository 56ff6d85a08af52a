//! What an interface holds.

use super::describe::{Kind, TypeRef, at_runtime_address, describe};
use super::place::{Location, Place};
use super::write::{Style, Writer};
use super::{Context, Limits};

/// See [`super::format_interface`].
pub(super) fn format(context: &Context<'_>, empty: bool, word: u64, data: u64, limits: Limits) -> String {
    let mut writer = Writer::new(context, limits);
    write(&mut writer, empty, word, data, true);
    writer.finish()
}

/// Writes the value held by the interface with these two words; without `follow` its type and the data word.
pub(super) fn write(writer: &mut Writer<'_>, empty: bool, word: u64, data: u64, follow: bool) {
    if word == 0 {
        writer.text("nil");
        return;
    }
    let context = writer.context;
    let Some(Dynamic { of, direct }) = dynamic(context, empty, word) else {
        // Damaged, or a type made by reflection: say what there is.
        writer.text(&format!("<interface of unknown type {word:#x}, data {data:#x}>"));
        return;
    };
    if !follow {
        let name = describe(context, of).name;
        let text = if direct && data == 0 { format!("{name}(nil)") } else { format!("{name} {data:#x}") };
        writer.text(&text);
        return;
    }
    let location = Dynamic::location(direct, data);
    writer.value(of, Place::new(&location), Style::Typed);
}

/// The dynamic type of an interface.
pub(crate) struct Dynamic {
    pub(crate) of: TypeRef,
    /// The data word is the value itself and does not point at it.
    pub(crate) direct: bool,
}

impl Dynamic {
    /// Where the value is, of an interface with this data word.
    pub(crate) fn location(direct: bool, data: u64) -> Location {
        if direct { Location::of_bytes(&data.to_le_bytes()) } else { Location::Address(data) }
    }
}

/// The dynamic type of an interface with this first word.
pub(crate) fn dynamic(context: &Context<'_>, empty: bool, word: u64) -> Option<Dynamic> {
    let types = context.types?;
    let address = if empty { word } else { types.itab_type(context.memory, word)? };
    types.offset(address)?;
    let of = at_runtime_address(context, address);
    let direct = match types.read(context.memory, address) {
        Some(runtime) => runtime.direct,
        // The page with the type data is missing; kinds that are pointers lie in the word in every version.
        None => matches!(
            describe(context, of).kind,
            Kind::Pointer { .. } | Kind::UnsafePointer | Kind::Map | Kind::Chan | Kind::Func
        ),
    };
    Some(Dynamic { of, direct })
}
