//! One view of types, whether DWARF describes them or only the runtime does.
//!
//! The linker writes DWARF for types that variables have. A type that values have only inside interfaces is
//! known to the runtime alone, in stripped executables every type is.

use panicle_binary::dwarf::{BaseKind, TypeId, TypeKind};

use super::rtype::{Kind as RuntimeKind, RuntimeType, Shape};
use super::{Context, SHAPE, UNKNOWN_TYPE, type_name};

/// A type, by where it is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TypeRef {
    /// In DWARF.
    Dwarf(TypeId),
    /// At this address, in the runtime's type data.
    Runtime(u64),
    /// `interface {}`, which need not be described anywhere.
    Any,
}

/// A type as the writer needs it.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    /// Where this is from; `None` for a type that an expression made up, of which nothing else is known.
    pub(crate) type_ref: Option<TypeRef>,
    /// As Go's messages spell it.
    pub(crate) name: String,
    pub(crate) size: Option<u64>,
    pub(crate) kind: Kind,
}

/// See [`TypeKind`].
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Base(BaseKind),
    Uintptr,
    String,
    UnsafePointer,
    /// `to` is `None` where it is not known what it points at.
    Pointer {
        to: Option<TypeRef>,
    },
    Func,
    Struct(Vec<Field>),
    Array {
        elem: TypeRef,
        len: u64,
    },
    Slice {
        elem: TypeRef,
    },
    Interface {
        empty: bool,
    },
    Map,
    Chan,
    Unknown,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) offset: u64,
    pub(crate) of: TypeRef,
    pub(crate) embedded: bool,
}

/// The type whose `runtime._type` is at `address`: DWARF knows more, so it comes first.
pub(crate) fn at_runtime_address(context: &Context<'_>, address: u64) -> TypeRef {
    context
        .types
        .and_then(|types| types.offset(address))
        .and_then(|offset| context.dwarf?.type_by_runtime_offset(offset))
        .map_or(TypeRef::Runtime(address), TypeRef::Dwarf)
}

pub(crate) fn describe(context: &Context<'_>, of: TypeRef) -> Described {
    match of {
        TypeRef::Dwarf(id) => from_dwarf(context, id),
        TypeRef::Runtime(address) => from_runtime(context, address),
        TypeRef::Any => Described {
            type_ref: Some(of),
            name: "interface {}".to_owned(),
            size: Some(16),
            kind: Kind::Interface { empty: true },
        },
    }
}

fn from_dwarf(context: &Context<'_>, id: TypeId) -> Described {
    let Some(dwarf) = context.dwarf else { return unknown() };
    let found = dwarf.ty(id);
    let name = type_name(context, id);
    let kind = match &found.kind {
        TypeKind::Base(BaseKind::Uint) if name == "uintptr" => Kind::Uintptr,
        TypeKind::Base(base) => Kind::Base(*base),
        TypeKind::String => Kind::String,
        TypeKind::UnsafePointer => Kind::UnsafePointer,
        // What the pointer that stands for all pointers points at is not known.
        TypeKind::Pointer { .. } if name.starts_with(SHAPE) => Kind::Pointer { to: None },
        TypeKind::Pointer { to } => Kind::Pointer { to: Some(TypeRef::Dwarf(*to)) },
        TypeKind::Func => Kind::Func,
        TypeKind::Struct { fields } => Kind::Struct(
            fields
                .iter()
                .map(|field| Field {
                    name: field.name.clone(),
                    offset: field.offset,
                    of: TypeRef::Dwarf(field.type_id),
                    embedded: field.embedded,
                })
                .collect(),
        ),
        TypeKind::Array { elem, len } => Kind::Array { elem: TypeRef::Dwarf(*elem), len: *len },
        TypeKind::Slice { elem } => Kind::Slice { elem: TypeRef::Dwarf(*elem) },
        TypeKind::Interface { empty } => Kind::Interface { empty: *empty },
        TypeKind::Map { .. } => Kind::Map,
        TypeKind::Chan { .. } => Kind::Chan,
        TypeKind::Unknown => Kind::Unknown,
    };
    Described { type_ref: Some(TypeRef::Dwarf(id)), name, size: found.size, kind }
}

fn from_runtime(context: &Context<'_>, address: u64) -> Described {
    let Some(types) = context.types else { return unknown() };
    let Some(RuntimeType { name, kind, size, .. }) = types.read(context.memory, address) else {
        return unknown();
    };
    let shape = types.shape(context.memory, address, kind);
    let at = |address| at_runtime_address(context, address);
    let kind = match (kind, shape) {
        (RuntimeKind::Bool, _) => Kind::Base(BaseKind::Bool),
        (RuntimeKind::Uintptr, _) => Kind::Uintptr,
        (
            RuntimeKind::Int
            | RuntimeKind::Int8
            | RuntimeKind::Int16
            | RuntimeKind::Int32
            | RuntimeKind::Int64,
            _,
        ) => Kind::Base(BaseKind::Int),
        (
            RuntimeKind::Uint
            | RuntimeKind::Uint8
            | RuntimeKind::Uint16
            | RuntimeKind::Uint32
            | RuntimeKind::Uint64,
            _,
        ) => Kind::Base(BaseKind::Uint),
        (RuntimeKind::Float32 | RuntimeKind::Float64, _) => Kind::Base(BaseKind::Float),
        (RuntimeKind::Complex64 | RuntimeKind::Complex128, _) => Kind::Base(BaseKind::Complex),
        (RuntimeKind::String, _) => Kind::String,
        (RuntimeKind::UnsafePointer, _) => Kind::UnsafePointer,
        (RuntimeKind::Func, _) => Kind::Func,
        (RuntimeKind::Map, _) => Kind::Map,
        (RuntimeKind::Chan, _) => Kind::Chan,
        (RuntimeKind::Pointer, Some(Shape::Elem(elem))) => Kind::Pointer { to: Some(at(elem)) },
        (RuntimeKind::Pointer, _) => Kind::Pointer { to: None },
        (RuntimeKind::Slice, Some(Shape::Elem(elem))) => Kind::Slice { elem: at(elem) },
        (RuntimeKind::Array, Some(Shape::Array { elem, len })) => Kind::Array { elem: at(elem), len },
        (RuntimeKind::Interface, Some(Shape::Interface { empty })) => Kind::Interface { empty },
        (RuntimeKind::Struct, Some(Shape::Struct(fields))) => Kind::Struct(
            fields
                .into_iter()
                .map(|field| Field {
                    name: field.name,
                    offset: field.offset,
                    of: at(field.type_address),
                    embedded: field.embedded,
                })
                .collect(),
        ),
        _ => Kind::Unknown,
    };
    Described { type_ref: Some(TypeRef::Runtime(address)), name, size: Some(size), kind }
}

fn unknown() -> Described {
    Described { type_ref: None, name: UNKNOWN_TYPE.to_owned(), size: None, kind: Kind::Unknown }
}
