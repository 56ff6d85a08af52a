//! A map's type: its key, its element, and how they lie in a bucket or a group.

use panicle_binary::dwarf::{DwarfIndex, Field, TypeId, TypeKind};
use panicle_report::MapImplementation;

use super::{SLOTS, shared};
use crate::{
    layout::StructLayout,
    value::{
        Context, TypeRef,
        describe::{at_runtime_address, describe},
        rtype::Kind,
        type_name, without_shapes,
    },
};

/// The descriptor of map types, under its newest name.
const DESCRIPTOR: &str = "internal/abi.MapType";
/// `tophash` of a bucket, or the control word of a group (`dataOffset`, `ctrlGroupsSize`).
const HEAD: u64 = 8;
/// Size of a pointer.
const WORD: u64 = 8;
/// Larger keys and elements are kept behind a pointer (`abi.MapMaxKeyBytes`, `abi.MapMaxElemBytes`).
const MOST_INLINE: u64 = 128;
/// No bucket or group is larger: head, eight keys and elements of 128 bytes each, overflow pointer.
const LARGEST: u64 = HEAD + SLOTS * 2 * MOST_INLINE + WORD;

/// The type of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapType {
    /// As Go spells it: `map[string]*main.User`, or the name it was declared with.
    pub name: String,
    /// The runtime's descriptor, where there is one.
    pub type_address: Option<u64>,
    /// The key's type.
    pub key: TypeRef,
    /// The element's type.
    pub elem: TypeRef,
    /// The runtime's descriptor of the key's type, where there is one.
    pub key_address: Option<u64>,
    /// The runtime's descriptor of the element's type, where there is one.
    pub elem_address: Option<u64>,
    /// The key's type as Go spells it.
    pub key_name: String,
    /// The element's type as Go spells it.
    pub elem_name: String,
    /// Size of a key in bytes.
    pub key_size: u64,
    /// Size of an element in bytes.
    pub elem_size: u64,
    /// Where keys and elements lie.
    pub slots: Slots,
}

/// Where keys and elements lie in a bucket or group. Offsets and sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Buckets or groups. A `sync.Map` has none, and nothing below is of any meaning.
    pub implementation: MapImplementation,
    /// Size of a bucket or group. The last word of a bucket is its overflow pointer.
    pub size: u64,
    /// Offset of the first key.
    pub keys: u64,
    /// From one key to the next.
    pub key_stride: u64,
    /// Offset of the first element.
    pub elems: u64,
    /// From one element to the next.
    pub elem_stride: u64,
    /// A slot holds a pointer to the key.
    pub indirect_key: bool,
    /// A slot holds a pointer to the element.
    pub indirect_elem: bool,
}

impl MapType {
    /// The map type `type_ref`, of which the runtime's descriptor tells most where there is one; also `sync.Map`,
    /// whose address is then that of the struct.
    ///
    /// `None` when it is not a map, or when neither the runtime nor DWARF tells how its slots lie.
    pub fn of(context: &Context<'_>, type_ref: TypeRef) -> Option<Self> {
        match type_ref {
            TypeRef::Runtime(address) => Self::of_runtime(context, address),
            TypeRef::Any => None,
            TypeRef::Dwarf(id) => {
                let dwarf = context.dwarf?;
                let found = dwarf.ty(id);
                if found.name == shared::NAME && matches!(found.kind, TypeKind::Struct { .. }) {
                    let types = context.types;
                    let address = found.runtime_type.zip(types).map(|(offset, types)| types.address(offset));
                    return Some(shared::map_type(address));
                }
                let TypeKind::Map { key, value, header } = found.kind else { return None };
                let of_runtime = found
                    .runtime_type
                    .zip(context.types)
                    .and_then(|(offset, types)| Self::of_runtime(context, types.address(offset)));
                of_runtime.or_else(|| Self::of_dwarf(context, dwarf, id, (key, value, header?)))
            }
        }
    }

    /// `sync.Map`, whose type need not be described anywhere.
    pub fn of_sync_map() -> Self {
        shared::map_type(None)
    }

    /// The map type whose descriptor is at `address`; `None` when there is no such type.
    ///
    /// See `MapType` in internal/abi of each version (runtime/type.go up to Go 1.20).
    pub fn of_runtime(context: &Context<'_>, address: u64) -> Option<Self> {
        let types = context.types?;
        let found = types.read(context.memory, address)?;
        if found.name == shared::NAME && found.package.as_deref() == Some("sync") {
            return Some(shared::map_type(Some(address)));
        }
        if found.kind != Kind::Map {
            return None;
        }
        let descriptor = Descriptor { context, layout: context.layout.structure(DESCRIPTOR)?, address };
        let (key, elem) = (descriptor.number("Key")?, descriptor.number("Elem")?);
        let (key_type, elem_type) = (types.read(context.memory, key)?, types.read(context.memory, elem)?);
        Self {
            name: without_shapes(&found.name),
            type_address: Some(address),
            key: at_runtime_address(context, key),
            elem: at_runtime_address(context, elem),
            key_address: Some(key),
            elem_address: Some(elem),
            key_name: without_shapes(&key_type.name),
            elem_name: without_shapes(&elem_type.name),
            key_size: key_type.size,
            elem_size: elem_type.size,
            slots: descriptor.slots()?,
        }
        .if_sound()
    }

    /// The map type `id` of DWARF alone, out of the bucket or group that the linker describes for it.
    fn of_dwarf(
        context: &Context<'_>,
        dwarf: &DwarfIndex<'_>,
        id: TypeId,
        (key, elem, header): (TypeId, TypeId, TypeId),
    ) -> Option<Self> {
        let size = |id: TypeId| describe(context, TypeRef::Dwarf(id)).size;
        let (key_size, elem_size) = (size(key)?, size(elem)?);
        let runtime = |id: TypeId| {
            let offset = dwarf.ty(id).runtime_type?;
            context.types.map(|types| types.address(offset))
        };
        Self {
            name: type_name(context, id),
            type_address: None,
            key: TypeRef::Dwarf(key),
            elem: TypeRef::Dwarf(elem),
            key_address: runtime(key),
            elem_address: runtime(elem),
            key_name: type_name(context, key),
            elem_name: type_name(context, elem),
            key_size,
            elem_size,
            slots: dwarf_slots(dwarf, header, key_size > MOST_INLINE, elem_size > MOST_INLINE)?,
        }
        .if_sound()
    }

    /// Itself, when everything lies within a bucket or group of a size that there can be.
    fn if_sound(self) -> Option<Self> {
        let Slots { size, keys, key_stride, elems, elem_stride, .. } = self.slots;
        let end = |first: u64, stride: u64, indirect: bool, whole: u64| {
            let one = if indirect { WORD } else { whole };
            first.checked_add(stride.checked_mul(SLOTS - 1)?)?.checked_add(one)
        };
        let fits = |end: Option<u64>| end.is_some_and(|end| end <= size);
        let sound = (HEAD..=LARGEST + 8 * WORD * SLOTS).contains(&size)
            && keys >= HEAD
            && elems >= HEAD
            && fits(end(keys, key_stride, self.slots.indirect_key, self.key_size))
            && fits(end(elems, elem_stride, self.slots.indirect_elem, self.elem_size));
        sound.then_some(self)
    }
}

/// The runtime's descriptor of a map type.
struct Descriptor<'d> {
    context: &'d Context<'d>,
    layout: &'d StructLayout,
    address: u64,
}

impl Descriptor<'_> {
    fn number(&self, field: &str) -> Option<u64> {
        let field = self.layout.field(field)?;
        let mut bytes = [0; 8];
        let size = usize::try_from(field.size).ok().filter(|size| *size <= 8)?;
        let at = self.address.checked_add(field.offset)?;
        self.context.memory.read(at, &mut bytes[..size]).then(|| u64::from_le_bytes(bytes))
    }

    fn slots(&self) -> Option<Slots> {
        let flags = self.number("Flags")?;
        if self.layout.field("BucketSize").is_some() {
            let (key_stride, elem_stride) = (self.number("KeySize")?, self.number("ValueSize")?);
            return Some(Slots {
                implementation: MapImplementation::Hmap,
                size: self.number("BucketSize")?,
                keys: HEAD,
                key_stride,
                elems: HEAD + SLOTS * key_stride,
                elem_stride,
                indirect_key: flags & 1 != 0,
                indirect_elem: flags & 2 != 0,
            });
        }
        // `MapIndirectKey` and `MapIndirectElem`.
        let (indirect_key, indirect_elem) = (flags & 4 != 0, flags & 8 != 0);
        let (implementation, size) = (MapImplementation::Swiss, self.number("GroupSize")?);
        if let Some(keys) = self.number("KeysOff") {
            return Some(Slots {
                implementation,
                size,
                keys,
                key_stride: self.number("KeyStride")?,
                elems: self.number("ElemsOff")?,
                elem_stride: self.number("ElemStride")?,
                indirect_key,
                indirect_elem,
            });
        }
        let stride = self.number("SlotSize")?;
        Some(Slots {
            implementation,
            size,
            keys: HEAD,
            key_stride: stride,
            elems: self.number("ElemOff")?.checked_add(HEAD)?,
            elem_stride: stride,
            indirect_key,
            indirect_elem,
        })
    }
}

/// The slots of `*hash<K,V>` or `*map<K,V>`, which the linker makes up (`synthesizemaptypes`,
/// cmd/link/internal/ld/dwarf.go).
fn dwarf_slots(
    dwarf: &DwarfIndex<'_>,
    header: TypeId,
    indirect_key: bool,
    indirect_elem: bool,
) -> Option<Slots> {
    let fields = |id: TypeId| match &dwarf.ty(id).kind {
        TypeKind::Struct { fields } => Some(fields.clone()),
        _ => None,
    };
    let target = |id: TypeId| match dwarf.ty(id).kind {
        TypeKind::Pointer { to } => Some(to),
        _ => None,
    };
    let named = |fields: &[Field], name: &str| fields.iter().find(|field| field.name == name).cloned();
    let elements = |id: TypeId| match dwarf.ty(id).kind {
        TypeKind::Array { elem, .. } => Some((elem, dwarf.ty(elem).size?)),
        _ => None,
    };
    let head = fields(target(header)?)?;
    let (implementation, block) = if let Some(buckets) = named(&head, "buckets") {
        (MapImplementation::Hmap, target(buckets.type_id)?)
    } else {
        let table = target(target(named(&head, "dirPtr")?.type_id)?)?;
        let groups = fields(named(&fields(table)?, "groups")?.type_id)?;
        (MapImplementation::Swiss, target(named(&groups, "data")?.type_id)?)
    };
    let size = dwarf.ty(block).size?;
    let block = fields(block)?;
    let slots = |keys: u64, key_stride: u64, elems: u64, elem_stride: u64| Slots {
        implementation,
        size,
        keys,
        key_stride,
        elems,
        elem_stride,
        indirect_key,
        indirect_elem,
    };
    if let Some(pairs) = named(&block, "slots") {
        let (pair, stride) = elements(pairs.type_id)?;
        let pair = fields(pair)?;
        let (key, elem) = (named(&pair, "key")?, named(&pair, "elem")?);
        return Some(slots(pairs.offset + key.offset, stride, pairs.offset + elem.offset, stride));
    }
    let keys = named(&block, "keys")?;
    let elems = named(&block, "values").or_else(|| named(&block, "elems"))?;
    Some(slots(keys.offset, elements(keys.type_id)?.1, elems.offset, elements(elems.type_id)?.1))
}
