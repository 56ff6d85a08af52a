//! Types, decoded one by one as they are asked for.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use gimli::AttributeValue;

use super::scan::GO_RUNTIME_TYPE;
use super::{DwarfIndex, Slice, attr_name};

/// `DW_AT_go_kind`: an `abi.Kind`.
const GO_KIND: gimli::DwAt = gimli::DwAt(0x2900);
/// `DW_AT_go_key`: a map's key type.
const GO_KEY: gimli::DwAt = gimli::DwAt(0x2901);
/// `DW_AT_go_elem`: the element type of a map, slice or channel.
const GO_ELEM: gimli::DwAt = gimli::DwAt(0x2902);
/// `DW_AT_go_embedded_field`, on members.
const GO_EMBEDDED_FIELD: gimli::DwAt = gimli::DwAt(0x2903);

/// `DW_AT_go_dict_index`, on the typedefs that stand for type parameters.
const GO_DICT_INDEX: gimli::DwAt = gimli::DwAt(0x2906);

/// Values of `abi.Kind` (internal/abi/type.go; unchanged since Go 1.0).
const KIND_CHAN: u64 = 18;
const KIND_INTERFACE: u64 = 20;
const KIND_MAP: u64 = 21;
const KIND_SLICE: u64 = 23;
const KIND_STRING: u64 = 24;
/// Up to Go 1.23 `kind` carries flags in its upper bits.
const KIND_MASK: u64 = 31;

/// Typedefs that may stand in front of a type.
const MAX_TYPEDEFS: usize = 32;
/// Fields that a struct may have; the largest in Go's own tree has a few hundred.
const MAX_FIELDS: usize = 1 << 16;
/// Bytes of fields' names that one struct may have.
const MAX_FIELD_NAMES: usize = 1 << 20;
/// Bytes of types that stay decoded, about. When there are more, the cache starts again from nothing.
const MAX_CACHED: usize = 128 << 20;

/// A type of one executable: the place of its entry in `.debug_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub(super) usize);

/// How a [`TypeKind::Base`] is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseKind {
    /// `bool`.
    Bool,
    /// Signed integers.
    Int,
    /// Unsigned integers, `uintptr` with them.
    Uint,
    /// `float32`, `float64`.
    Float,
    /// `complex64`, `complex128`: two floats of half the size.
    Complex,
}

/// A type, with names of typedefs resolved onto what they stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// As DWARF spells it, packages by full import path. Empty where it has no name.
    pub name: String,
    /// Size in bytes, where it is known.
    pub size: Option<u64>,
    /// Offset of its `runtime._type` from `moduledata.types`, where the linker kept one.
    pub runtime_type: Option<u64>,
    /// The type is that of a type parameter, of which code is shared between many: the real type is in the
    /// function's `.dict`, an array of words, at this index.
    pub dict_index: Option<u64>,
    /// What it is.
    pub kind: TypeKind,
}

/// What a [`Type`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// A number or a bool of [`Type::size`] bytes.
    Base(BaseKind),
    /// `*T`.
    Pointer {
        /// `T`.
        to: TypeId,
    },
    /// `unsafe.Pointer`, or C's `void *`.
    UnsafePointer,
    /// A struct, or one of the runtime's structs that DWARF spells `hchan<int>`; C's unions have all
    /// fields at offset zero.
    Struct {
        /// In declaration order.
        fields: Vec<Field>,
    },
    /// `[len]elem`.
    Array {
        /// Element type.
        elem: TypeId,
        /// Number of elements.
        len: u64,
    },
    /// `[]elem`: pointer, length and capacity.
    Slice {
        /// Element type.
        elem: TypeId,
    },
    /// `string`: pointer and length.
    String,
    /// An interface: two words.
    Interface {
        /// It has no methods, so its first word is a `*runtime._type` and not a `*runtime.itab`.
        empty: bool,
    },
    /// A map: one pointer.
    Map {
        /// Key type.
        key: TypeId,
        /// Value type.
        value: TypeId,
        /// The pointer's type (`*map<K,V>`, up to Go 1.23 `*hash<K,V>`), which the linker makes up.
        header: Option<TypeId>,
    },
    /// A channel: one pointer.
    Chan {
        /// Element type.
        elem: TypeId,
        /// The pointer's type (`*hchan<T>`), which the linker makes up.
        header: Option<TypeId>,
    },
    /// A function value: a pointer to a closure, whose first word is the code.
    Func,
    /// Not described, or not readable.
    Unknown,
}

/// A field of a [`TypeKind::Struct`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; for embedded fields the name of the type without package.
    pub name: String,
    /// Bytes from the start of the struct.
    pub offset: u64,
    /// Its type.
    pub type_id: TypeId,
    /// It is embedded.
    pub embedded: bool,
}

/// Types decoded so far.
#[derive(Default)]
pub(super) struct TypeCache {
    types: HashMap<TypeId, Arc<Type>>,
    cost: usize,
}

/// `DW_AT_go_runtime_type` of an entry. Types that the linker dropped carry zero.
pub(super) fn runtime_type(entry: &gimli::DebuggingInformationEntry<Slice<'_>>) -> Option<u64> {
    match entry.attr_value(GO_RUNTIME_TYPE)? {
        AttributeValue::Addr(0) => None,
        AttributeValue::Addr(offset) => Some(offset),
        other => other.udata_value().filter(|offset| *offset != 0),
    }
}

/// The entry a reference attribute points at. Go writes zero for "none".
pub(super) fn reference(unit: &gimli::Unit<Slice<'_>>, value: AttributeValue<Slice<'_>>) -> Option<TypeId> {
    match value {
        AttributeValue::DebugInfoRef(gimli::DebugInfoOffset(0)) => None,
        AttributeValue::DebugInfoRef(gimli::DebugInfoOffset(offset)) => Some(TypeId(offset)),
        AttributeValue::UnitRef(offset) => {
            offset.to_debug_info_offset(&unit.header).map(|gimli::DebugInfoOffset(offset)| TypeId(offset))
        }
        _ => None,
    }
}

/// The decoded type, from the cache or put into it.
pub(super) fn cached(index: &DwarfIndex<'_>, id: TypeId) -> Arc<Type> {
    if let Some(found) = index.cache.lock().unwrap_or_else(PoisonError::into_inner).types.get(&id) {
        return Arc::clone(found);
    }
    let decoded = Arc::new(decode(index, id).unwrap_or(Type {
        name: String::new(),
        size: None,
        runtime_type: None,
        dict_index: None,
        kind: TypeKind::Unknown,
    }));
    let fields = match &decoded.kind {
        TypeKind::Struct { fields } => fields.as_slice(),
        _ => &[],
    };
    let of_fields = fields.iter().map(|field| size_of::<Field>() + field.name.len());
    let cost = size_of::<Type>() + decoded.name.len() + of_fields.sum::<usize>();
    let mut cache = index.cache.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.cost.saturating_add(cost) > MAX_CACHED {
        *cache = TypeCache::default();
    }
    cache.cost += cost;
    cache.types.insert(id, Arc::clone(&decoded));
    decoded
}

fn decode(index: &DwarfIndex<'_>, id: TypeId) -> Option<Type> {
    let dwarf = index.dwarf();
    let mut name: Option<String> = None;
    let mut dict_index = None;
    let mut at = id;
    for _ in 0..MAX_TYPEDEFS {
        let (unit, entry) = index.entry(&dwarf, at)?;
        let index_here = entry.attr_value(GO_DICT_INDEX).and_then(|value| value.udata_value());
        dict_index = dict_index.or(index_here);
        // Typedefs of type parameters are called `.param0`, which says less than what they stand for.
        if name.is_none() && index_here.is_none() {
            name = attr_name(&dwarf, &unit, &entry)
                .filter(|bytes| !bytes.is_empty())
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        }
        let target = entry.attr_value(gimli::DW_AT_type).and_then(|value| reference(&unit, value));
        let kind = entry.attr_value(GO_KIND).and_then(|value| value.udata_value()).unwrap_or(0) & KIND_MASK;
        let word = u64::from(unit.header.address_size());
        let go_reference = |attr| entry.attr_value(attr).and_then(|value| reference(&unit, value));
        let size = entry.attr_value(gimli::DW_AT_byte_size).and_then(|value| value.udata_value());
        let done = |size, kind| {
            let name = name.clone().unwrap_or_default();
            Some(Type { name, size, runtime_type: runtime_type(&entry), dict_index, kind })
        };
        return match entry.tag() {
            gimli::DW_TAG_base_type => {
                let encoding = match entry.attr_value(gimli::DW_AT_encoding)? {
                    AttributeValue::Encoding(encoding) => encoding,
                    other => gimli::DwAte(other.u8_value()?),
                };
                done(size, base_kind(encoding))
            }
            gimli::DW_TAG_enumeration_type => done(size, TypeKind::Base(BaseKind::Int)),
            gimli::DW_TAG_pointer_type => {
                done(Some(word), target.map_or(TypeKind::UnsafePointer, |to| TypeKind::Pointer { to }))
            }
            gimli::DW_TAG_structure_type if kind == KIND_STRING => done(Some(2 * word), TypeKind::String),
            gimli::DW_TAG_structure_type if kind == KIND_SLICE => {
                done(Some(3 * word), TypeKind::Slice { elem: go_reference(GO_ELEM)? })
            }
            gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type | gimli::DW_TAG_class_type => {
                done(size, TypeKind::Struct { fields: fields(&dwarf, &unit, &entry) })
            }
            gimli::DW_TAG_array_type => {
                let len = array_len(&unit, &entry).unwrap_or(0);
                done(size, TypeKind::Array { elem: target?, len })
            }
            gimli::DW_TAG_subroutine_type => done(Some(word), TypeKind::Func),
            gimli::DW_TAG_typedef if kind == KIND_MAP => {
                let (key, value) = (go_reference(GO_KEY)?, go_reference(GO_ELEM)?);
                done(Some(word), TypeKind::Map { key, value, header: target })
            }
            gimli::DW_TAG_typedef if kind == KIND_CHAN => {
                done(Some(word), TypeKind::Chan { elem: go_reference(GO_ELEM)?, header: target })
            }
            gimli::DW_TAG_typedef if kind == KIND_INTERFACE => {
                let (unit, words) = index.entry(&dwarf, target?)?;
                let empty = attr_name(&dwarf, &unit, &words) == Some(b"runtime.eface");
                done(Some(2 * word), TypeKind::Interface { empty })
            }
            gimli::DW_TAG_typedef
            | gimli::DW_TAG_const_type
            | gimli::DW_TAG_volatile_type
            | gimli::DW_TAG_restrict_type
            | gimli::DW_TAG_atomic_type => {
                at = target?;
                continue;
            }
            _ => done(size, TypeKind::Unknown),
        };
    }
    None
}

fn base_kind(encoding: gimli::DwAte) -> TypeKind {
    TypeKind::Base(match encoding {
        gimli::DW_ATE_boolean => BaseKind::Bool,
        gimli::DW_ATE_signed | gimli::DW_ATE_signed_char => BaseKind::Int,
        gimli::DW_ATE_unsigned | gimli::DW_ATE_unsigned_char | gimli::DW_ATE_UTF | gimli::DW_ATE_address => {
            BaseKind::Uint
        }
        gimli::DW_ATE_float => BaseKind::Float,
        gimli::DW_ATE_complex_float => BaseKind::Complex,
        _ => return TypeKind::Unknown,
    })
}

/// Direct children of `parent`, as far as they can be read, until `visit` says stop.
pub(super) fn children<'s>(
    unit: &gimli::Unit<Slice<'s>>,
    parent: &gimli::DebuggingInformationEntry<Slice<'s>>,
    mut visit: impl FnMut(&gimli::DebuggingInformationEntry<Slice<'s>>) -> bool,
) {
    if !parent.has_children() {
        return;
    }
    let Ok(mut raw) = unit.header.entries_raw(&unit.abbreviations, Some(parent.offset())) else { return };
    let mut entry = gimli::DebuggingInformationEntry::null();
    // The parent itself stands at depth 0.
    while !raw.is_empty() {
        let depth = raw.next_depth();
        match raw.read_entry(&mut entry) {
            Ok(true) if depth == 1 => {
                if !visit(&entry) {
                    return;
                }
            }
            Ok(false) if depth <= 1 => return,
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

fn fields<'s>(
    dwarf: &gimli::Dwarf<Slice<'s>>,
    unit: &gimli::Unit<Slice<'s>>,
    parent: &gimli::DebuggingInformationEntry<Slice<'s>>,
) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut names = 0;
    children(unit, parent, |entry| {
        if entry.tag() != gimli::DW_TAG_member {
            return true;
        }
        let Some(type_id) = entry.attr_value(gimli::DW_AT_type).and_then(|value| reference(unit, value))
        else {
            return true;
        };
        let offset = match entry.attr_value(gimli::DW_AT_data_member_location) {
            None => Some(0),
            Some(value) => value.udata_value(),
        };
        let Some(offset) = offset else { return true };
        let name = attr_name(dwarf, unit, entry).unwrap_or_default();
        names += name.len();
        let embedded = matches!(entry.attr_value(GO_EMBEDDED_FIELD), Some(AttributeValue::Flag(true)));
        fields.push(Field { name: String::from_utf8_lossy(name).into_owned(), offset, type_id, embedded });
        fields.len() < MAX_FIELDS && names < MAX_FIELD_NAMES
    });
    fields
}

fn array_len<'s>(
    unit: &gimli::Unit<Slice<'s>>,
    parent: &gimli::DebuggingInformationEntry<Slice<'s>>,
) -> Option<u64> {
    let mut len = None;
    children(unit, parent, |entry| {
        if entry.tag() == gimli::DW_TAG_subrange_type {
            let count = entry.attr_value(gimli::DW_AT_count).and_then(|value| value.udata_value());
            let upper = || {
                let upper = entry.attr_value(gimli::DW_AT_upper_bound)?.udata_value()?;
                upper.checked_add(1)
            };
            len = count.or_else(upper);
        }
        len.is_none()
    });
    len
}
