//! What composite types consist of, out of the runtime's type data.

use super::{FieldAt, Kind, Memory, TypeData};

/// Fields that a struct may have.
const MAX_FIELDS: u64 = 4096;

/// The bit of `abi.Name` that says that a field is embedded (internal/abi/type.go, `Name.IsEmbedded`).
const EMBEDDED: u8 = 1 << 3;

/// Offsets in the descriptors of composite types (internal/abi/type.go), as far as they are known.
#[derive(Clone, Debug, Default)]
pub(super) struct ShapeLayout {
    pointer_elem: Option<FieldAt>,
    slice_elem: Option<FieldAt>,
    array_elem: Option<FieldAt>,
    array_len: Option<FieldAt>,
    methods: Option<FieldAt>,
    fields: Option<FieldAt>,
    field_size: Option<u64>,
    field_name: Option<FieldAt>,
    field_type: Option<FieldAt>,
    field_offset: Option<FieldAt>,
}

impl ShapeLayout {
    pub(super) fn new(
        at: impl Fn(&str, &str) -> Option<FieldAt>,
        size: impl Fn(&str) -> Option<u64>,
    ) -> Self {
        let field = "internal/abi.StructField";
        Self {
            pointer_elem: at("internal/abi.PtrType", "Elem"),
            slice_elem: at("internal/abi.SliceType", "Elem"),
            array_elem: at("internal/abi.ArrayType", "Elem"),
            array_len: at("internal/abi.ArrayType", "Len"),
            methods: at("internal/abi.InterfaceType", "Methods"),
            fields: at("internal/abi.StructType", "Fields"),
            field_size: size(field),
            field_name: at(field, "Name"),
            field_type: at(field, "Typ"),
            field_offset: at(field, "Offset"),
        }
    }
}

/// What a composite type consists of. Types are given by their address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A pointer or slice of this type.
    Elem(u64),
    /// An array.
    Array {
        /// Element type.
        elem: u64,
        /// Number of elements.
        len: u64,
    },
    /// A struct.
    Struct(Vec<RuntimeField>),
    /// An interface.
    Interface {
        /// It has no methods.
        empty: bool,
    },
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuntimeField {
    pub(crate) name: String,
    pub(crate) type_address: u64,
    pub(crate) offset: u64,
    pub(crate) embedded: bool,
}

impl TypeData {
    /// What the type at `address`, which is of `kind`, consists of; `None` for kinds that consist of nothing
    /// else and where something cannot be read.
    pub(crate) fn shape(&self, memory: &dyn Memory, address: u64, kind: Kind) -> Option<Shape> {
        let word = |field: Option<FieldAt>| memory.word(address.checked_add(field?.offset)?);
        let layout = &self.shapes;
        match kind {
            Kind::Pointer => Some(Shape::Elem(word(layout.pointer_elem)?)),
            Kind::Slice => Some(Shape::Elem(word(layout.slice_elem)?)),
            Kind::Array => {
                Some(Shape::Array { elem: word(layout.array_elem)?, len: word(layout.array_len)? })
            }
            Kind::Interface => {
                let count = memory.word(address.checked_add(layout.methods?.offset)?.checked_add(8)?)?;
                Some(Shape::Interface { empty: count == 0 })
            }
            Kind::Struct => {
                let fields = layout.fields?;
                let count = memory.word(address.checked_add(fields.offset)?.checked_add(8)?)?;
                let first = word(Some(fields))?;
                (0..count.min(MAX_FIELDS))
                    .map(|at| self.field(memory, first, at))
                    .collect::<Option<_>>()
                    .map(Shape::Struct)
            }
            _ => None,
        }
    }

    fn field(&self, memory: &dyn Memory, first: u64, index: u64) -> Option<RuntimeField> {
        let layout = &self.shapes;
        let start = first.checked_add(layout.field_size?.checked_mul(index)?)?;
        let word = |field: Option<FieldAt>| memory.word(start.checked_add(field?.offset)?);
        let name = word(layout.field_name)?;
        let mut flags = [0];
        Some(RuntimeField {
            name: self.name_at(memory, name)?,
            embedded: memory.read(name, &mut flags) && flags[0] & EMBEDDED != 0,
            type_address: word(layout.field_type)?,
            offset: word(layout.field_offset)?,
        })
    }
}
