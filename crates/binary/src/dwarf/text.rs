//! Names in debug information, as far as anybody writes them.
//!
//! A string lies in the entry itself or anywhere in a section that all entries share, and ends at a
//! zero. So a small file can name one enormous string a million times; names are looked for their end no
//! further than names go.

use gimli::{AttributeValue, Reader as _, Section as _};

use super::Slice;

/// Bytes of a longest name. Those of instantiated types are the longest, a few thousand.
pub(super) const LONGEST_NAME: usize = 64 << 10;

/// The string that an attribute's value is or points to; `None` for other values and for what is longer
/// than any name.
pub(super) fn attr_text<'s>(
    dwarf: &gimli::Dwarf<Slice<'s>>,
    unit: &gimli::Unit<Slice<'s>>,
    value: AttributeValue<Slice<'s>>,
) -> Option<&'s [u8]> {
    let (mut section, offset) = match value {
        AttributeValue::String(text) => return Some(text.slice()).filter(|text| text.len() <= LONGEST_NAME),
        AttributeValue::DebugStrRef(offset) => (*dwarf.debug_str.reader(), offset.0),
        AttributeValue::DebugLineStrRef(offset) => (*dwarf.debug_line_str.reader(), offset.0),
        AttributeValue::DebugStrOffsetsIndex(index) => {
            let format = unit.header.format();
            let offsets = &dwarf.debug_str_offsets;
            let offset = offsets.get_str_offset(format, unit.str_offsets_base, index).ok()?;
            (*dwarf.debug_str.reader(), offset.0)
        }
        _ => return None,
    };
    section.skip(offset).ok()?;
    let bytes = section.slice();
    let bytes = &bytes[..bytes.len().min(LONGEST_NAME + 1)];
    Some(&bytes[..memchr::memchr(0, bytes)?])
}
