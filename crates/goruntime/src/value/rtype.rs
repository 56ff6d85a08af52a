//! The runtime's own type data: names and kinds of types without any debug information.
//!
//! Every type that is converted to an interface keeps an `internal/abi.Type` in the binary, stripped or not.
//! Its name is what the runtime and `%T` print: packages by their name and not by their import path. For
//! layout and encodings see internal/abi/type.go of each version; the offsets are given from outside.

mod shape;

use super::place::Memory;
use crate::layout::Layout;

pub(crate) use shape::Shape;
use shape::ShapeLayout;

/// `abi.TFlagUncommon`: an `abi.UncommonType` follows the type.
const TFLAG_UNCOMMON: u64 = 1 << 0;
/// `abi.TFlagExtraStar`: the name in the data has a `*` in front that is not part of it.
const TFLAG_EXTRA_STAR: u64 = 1 << 1;
/// `abi.TFlagNamed`.
const TFLAG_NAMED: u64 = 1 << 2;
/// `abi.TFlagRegularMemory`.
const TFLAG_REGULAR_MEMORY: u64 = 1 << 3;
/// `abi.TFlagDirectIface` (Go 1.26+) in `TFlag`, and `abi.KindDirectIface` (up to 1.25) in `Kind_`: the same
/// bit, and neither field uses it for anything else in the versions where the other one holds it.
const DIRECT_IFACE: u64 = 1 << 5;
/// `abi.KindMask`: up to Go 1.25 `Kind_` has flags in its upper bits.
const KIND_MASK: u64 = (1 << 5) - 1;
/// Longest name that is believed. The longest ones come from anonymous structs and generics.
const MAX_NAME: u64 = 64 << 10;

/// Bytes of type data that are looked through for a name. The largest programs have a fraction of it.
const MOST_SEARCHED: u64 = 64 << 20;
/// Types of one name that are told of.
const MOST_FOUND: usize = 16;

/// `abi.Kind`, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Go's")]
pub enum Kind {
    Bool,
    Int,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Uintptr,
    Float32,
    Float64,
    Complex64,
    Complex128,
    Array,
    Chan,
    Func,
    Interface,
    Map,
    Pointer,
    Slice,
    String,
    Struct,
    UnsafePointer,
}

impl Kind {
    const ALL: [Self; 26] = [
        Self::Bool,
        Self::Int,
        Self::Int8,
        Self::Int16,
        Self::Int32,
        Self::Int64,
        Self::Uint,
        Self::Uint8,
        Self::Uint16,
        Self::Uint32,
        Self::Uint64,
        Self::Uintptr,
        Self::Float32,
        Self::Float64,
        Self::Complex64,
        Self::Complex128,
        Self::Array,
        Self::Chan,
        Self::Func,
        Self::Interface,
        Self::Map,
        Self::Pointer,
        Self::Slice,
        Self::String,
        Self::Struct,
        Self::UnsafePointer,
    ];

    /// The kind of `abi.Type.Kind_`, flags ignored. Zero is `abi.Invalid`.
    fn of(number: u64) -> Option<Self> {
        let at = (number & KIND_MASK).checked_sub(1)?;
        Self::ALL.get(usize::try_from(at).ok()?).copied()
    }

    /// The struct of internal/abi that describes types of this kind, behind which an `UncommonType` lies.
    fn descriptor(self) -> &'static str {
        match self {
            Self::Array => "internal/abi.ArrayType",
            Self::Chan => "internal/abi.ChanType",
            Self::Func => "internal/abi.FuncType",
            Self::Interface => "internal/abi.InterfaceType",
            Self::Map => "internal/abi.MapType",
            Self::Pointer => "internal/abi.PtrType",
            Self::Slice => "internal/abi.SliceType",
            Self::Struct => "internal/abi.StructType",
            _ => "internal/abi.Type",
        }
    }
}

/// Offset and size of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FieldAt {
    offset: u64,
    size: u64,
}

/// Where an `UncommonType` has its methods.
#[derive(Clone, Copy, Debug)]
struct MethodsAt {
    /// `Mcount`: how many.
    count: FieldAt,
    /// `Moff`: bytes from the `UncommonType` to the first.
    offset: FieldAt,
    /// Size of an `abi.Method`.
    stride: u64,
    /// Its name's offset, among the others' names.
    name: FieldAt,
}

/// A type as the runtime describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeType {
    /// As `%T` prints it: `*errors.errorString`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Size of its values in bytes.
    pub size: u64,
    /// It was declared with a name.
    pub named: bool,
    /// Values that are equal have equal bytes and the other way round, so that bytes are compared and hashed.
    pub regular: bool,
    /// Its values lie in the data word of an interface itself, not behind a pointer.
    pub direct: bool,
    /// Import path of its package, for types that have a name or methods.
    pub package: Option<String>,
}

/// Where the runtime's type data is and how it is laid out.
#[derive(Clone, Debug)]
pub struct TypeData {
    types: u64,
    etypes: u64,
    size: FieldAt,
    kind: FieldAt,
    tflag: FieldAt,
    name: FieldAt,
    itab_type: FieldAt,
    /// Sizes of the descriptors that may have an `UncommonType` behind them.
    descriptors: Vec<(&'static str, u64)>,
    package: Option<FieldAt>,
    methods: Option<MethodsAt>,
    shapes: ShapeLayout,
}

impl TypeData {
    /// Type data between `types` and `etypes` of `runtime.moduledata` (addresses in the process).
    ///
    /// `field` gives offset and size of a field by struct and name, `size` the size of a struct, both by
    /// the names they have in the newest version. `None` when a field without which no type can be read is missing.
    pub fn new(
        types: u64,
        etypes: u64,
        field: impl Fn(&str, &str) -> Option<(u64, u64)>,
        size: impl Fn(&str) -> Option<u64>,
    ) -> Option<Self> {
        let at = |structure: &str, name: &str| {
            field(structure, name).map(|(offset, size)| FieldAt { offset, size })
        };
        let of_type = |name| at("internal/abi.Type", name);
        let descriptors = [
            "internal/abi.Type",
            "internal/abi.ArrayType",
            "internal/abi.ChanType",
            "internal/abi.FuncType",
            "internal/abi.InterfaceType",
            "internal/abi.MapType",
            "internal/abi.PtrType",
            "internal/abi.SliceType",
            "internal/abi.StructType",
        ];
        Some(Self {
            types,
            etypes,
            size: of_type("Size_")?,
            kind: of_type("Kind_")?,
            tflag: of_type("TFlag")?,
            name: of_type("Str")?,
            itab_type: at("internal/abi.ITab", "Type")?,
            descriptors: descriptors.iter().filter_map(|name| Some((*name, size(name)?))).collect(),
            package: at("internal/abi.UncommonType", "PkgPath"),
            methods: methods(at, &size),
            shapes: ShapeLayout::new(at, &size),
        })
    }

    /// The same, with the descriptors' layout taken from that of the process.
    pub fn of_layout(types: u64, etypes: u64, layout: &Layout) -> Option<Self> {
        Self::new(
            types,
            etypes,
            |structure, name| {
                layout.structure(structure)?.field(name).map(|field| (field.offset, field.size))
            },
            |structure| layout.structure(structure).map(|structure| structure.size),
        )
    }

    /// Bytes from `moduledata.types` to the type at `address`, if it lies within the module's type data.
    pub fn offset(&self, address: u64) -> Option<u64> {
        (self.types <= address && address < self.etypes).then(|| address - self.types)
    }

    /// Where the module's type data begins and ends.
    pub(crate) fn bounds(&self) -> (u64, u64) {
        (self.types, self.etypes)
    }

    /// The address of the type `offset` bytes behind `moduledata.types`.
    pub fn address(&self, offset: u64) -> u64 {
        self.types.wrapping_add(offset)
    }

    /// The type that the `itab` at `address` is for.
    pub fn itab_type(&self, memory: &dyn Memory, address: u64) -> Option<u64> {
        memory.word(address.checked_add(self.itab_type.offset)?)
    }

    /// The name of the type at `address`, as `%T` prints it.
    ///
    /// `None` when there is no type: outside the module's type data (made by reflection, or not a type at
    /// all), or unreadable.
    pub fn name(&self, memory: &dyn Memory, address: u64) -> Option<String> {
        self.read(memory, address).map(|found| found.name)
    }

    /// The type at `address`; `None` as for [`TypeData::name`].
    pub fn read(&self, memory: &dyn Memory, address: u64) -> Option<RuntimeType> {
        self.offset(address)?;
        let number = |field: FieldAt| self.number(memory, address, field);
        let (kind_bits, tflag) = (number(self.kind)?, number(self.tflag)?);
        let kind = Kind::of(kind_bits)?;
        let name = self.string(memory, number(self.name)?)?;
        let name = match name.strip_prefix('*') {
            Some(rest) if tflag & TFLAG_EXTRA_STAR != 0 => rest.to_owned(),
            _ => name,
        };
        let package = if tflag & TFLAG_UNCOMMON == 0 { None } else { self.package(memory, address, kind) };
        Some(RuntimeType {
            name,
            kind,
            size: number(self.size)?,
            named: tflag & TFLAG_NAMED != 0,
            regular: tflag & TFLAG_REGULAR_MEMORY != 0,
            direct: (kind_bits | tflag) & DIRECT_IFACE != 0,
            package,
        })
    }

    /// Whether the type at `address` has a method of that name; unexported ones do not count. `None` when the
    /// type or its methods cannot be read.
    pub fn has_method(&self, memory: &dyn Memory, address: u64, name: &str) -> Option<bool> {
        let methods = self.methods?;
        let found = self.read(memory, address)?;
        let tflag = self.number(memory, address, self.tflag)?;
        if tflag & TFLAG_UNCOMMON == 0 {
            return Some(false);
        }
        let descriptor = found.kind.descriptor();
        let size = self.descriptors.iter().find(|known| known.0 == descriptor)?.1;
        let uncommon = address.checked_add(size)?;
        // 16 bits: no more than 65,535.
        let count = self.number(memory, uncommon, methods.count)?.min(u64::from(u16::MAX));
        let first = uncommon.checked_add(self.number(memory, uncommon, methods.offset)?)?;
        for at in 0..count {
            let method = first.checked_add(at * methods.stride)?;
            let offset = self.number(memory, method, methods.name)?;
            // They are sorted by name, but some lie outside of the type data where nobody calls them.
            if self.string(memory, offset).is_some_and(|known| known == name) {
                return Some(true);
            }
        }
        Some(false)
    }

    /// The number in a field of what lies at `address`.
    fn number(&self, memory: &dyn Memory, address: u64, field: FieldAt) -> Option<u64> {
        let mut bytes = [0; 8];
        let size = usize::try_from(field.size).ok().filter(|size| *size <= 8)?;
        self.offset(address)?;
        memory.read(address.checked_add(field.offset)?, &mut bytes[..size]).then(|| u64::from_le_bytes(bytes))
    }

    /// The types that `pass` lets through, by address.
    ///
    /// No list has all of them: `typelinks` has those without a name only, and Go 1.27 does without. But
    /// descriptors are aligned to words, and whatever has the shape of one and the right name is one.
    pub fn find(&self, memory: &dyn Memory, pass: impl Fn(&RuntimeType) -> bool) -> Vec<(u64, RuntimeType)> {
        let end = self.etypes.min(self.types.saturating_add(MOST_SEARCHED));
        let mut found = Vec::new();
        let mut address = self.types.next_multiple_of(8);
        while address < end && found.len() < MOST_FOUND {
            if let Some(read) = self.read(memory, address).filter(&pass) {
                found.push((address, read));
            }
            address += 8;
        }
        found
    }

    fn package(&self, memory: &dyn Memory, address: u64, kind: Kind) -> Option<String> {
        let descriptor = kind.descriptor();
        let size = self.descriptors.iter().find(|known| known.0 == descriptor)?.1;
        let field = self.package?;
        let mut bytes = [0; 4];
        let at = address.checked_add(size)?.checked_add(field.offset)?;
        if !memory.read(at, &mut bytes) {
            return None;
        }
        self.string(memory, u64::from(u32::from_le_bytes(bytes))).filter(|path| !path.is_empty())
    }

    /// The name at a `nameOff`. See `abi.Name`: flags, a varint length, the bytes.
    fn string(&self, memory: &dyn Memory, name_offset: u64) -> Option<String> {
        self.name_at(memory, self.types.checked_add(name_offset)?)
    }

    /// The name whose encoding starts at `at`.
    fn name_at(&self, memory: &dyn Memory, at: u64) -> Option<String> {
        self.offset(at)?;
        let mut head = [0; 4];
        // Flags and length may stand at the very end of what is mapped.
        let have = (2..=4).rev().find(|count| memory.read(at, &mut head[..*count]))?;
        let mut length = 0_u64;
        let mut taken = 1;
        loop {
            let byte = *head[..have].get(taken)?;
            length |= u64::from(byte & 0x7f) << (7 * (taken - 1));
            taken += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        if length > MAX_NAME {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        if !memory.read(at.checked_add(taken as u64)?, &mut bytes) {
            return None;
        }
        String::from_utf8(bytes).ok()
    }
}

fn methods(
    at: impl Fn(&str, &str) -> Option<FieldAt>,
    size: impl Fn(&str) -> Option<u64>,
) -> Option<MethodsAt> {
    Some(MethodsAt {
        count: at("internal/abi.UncommonType", "Mcount")?,
        offset: at("internal/abi.UncommonType", "Moff")?,
        stride: size("internal/abi.Method")?,
        name: at("internal/abi.Method", "Name")?,
    })
}
