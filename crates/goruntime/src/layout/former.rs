//! What the runtime's structures were called in earlier versions.
//!
//! The engine uses the names of the newest version that has a thing. Go 1.21 moved the descriptors of
//! types from package runtime (runtime/type.go of Go 1.19 and 1.20) to internal/abi (internal/abi/type.go)
//! and exported their fields.

/// An earlier name of a structure.
#[derive(Debug)]
pub(super) struct Former {
    now: &'static str,
    /// Its name then.
    pub(super) then: &'static str,
    /// Fields that had other names: now, then.
    pub(super) fields: &'static [(&'static str, &'static str)],
}

const fn former(
    now: &'static str,
    then: &'static str,
    fields: &'static [(&'static str, &'static str)],
) -> Former {
    Former { now, then, fields }
}

const FORMER: [Former; 23] = [
    former(
        "internal/abi.Type",
        "runtime._type",
        &[
            ("Size_", "size"),
            ("PtrBytes", "ptrdata"),
            ("Hash", "hash"),
            ("TFlag", "tflag"),
            ("Align_", "align"),
            ("FieldAlign_", "fieldAlign"),
            ("Kind_", "kind"),
            ("Equal", "equal"),
            ("GCData", "gcdata"),
            ("Str", "str"),
            ("PtrToThis", "ptrToThis"),
        ],
    ),
    former(
        "internal/abi.ArrayType",
        "runtime.arraytype",
        &[("Elem", "elem"), ("Slice", "slice"), ("Len", "len")],
    ),
    former("internal/abi.ChanType", "runtime.chantype", &[("Elem", "elem"), ("Dir", "dir")]),
    former("internal/abi.FuncType", "runtime.functype", &[("InCount", "inCount"), ("OutCount", "outCount")]),
    former(
        "internal/abi.InterfaceType",
        "runtime.interfacetype",
        &[("PkgPath", "pkgpath"), ("Methods", "mhdr")],
    ),
    // Go 1.24 and 1.25 could be built with either kind of map.
    former("internal/abi.MapType", "internal/abi.SwissMapType", &[]),
    former("internal/abi.MapType", "internal/abi.OldMapType", &[]),
    former(
        "internal/abi.MapType",
        "runtime.maptype",
        &[
            ("Key", "key"),
            ("Elem", "elem"),
            ("Bucket", "bucket"),
            ("Hasher", "hasher"),
            ("KeySize", "keysize"),
            ("ValueSize", "elemsize"),
            ("BucketSize", "bucketsize"),
            ("Flags", "flags"),
        ],
    ),
    former("internal/abi.PtrType", "runtime.ptrtype", &[("Elem", "elem")]),
    former("internal/abi.SliceType", "runtime.slicetype", &[("Elem", "elem")]),
    former("internal/abi.StructType", "runtime.structtype", &[("PkgPath", "pkgPath"), ("Fields", "fields")]),
    former(
        "internal/abi.StructField",
        "runtime.structfield",
        &[("Name", "name"), ("Typ", "typ"), ("Offset", "offset")],
    ),
    former(
        "internal/abi.UncommonType",
        "runtime.uncommontype",
        &[("PkgPath", "pkgpath"), ("Mcount", "mcount"), ("Moff", "moff")],
    ),
    former("internal/abi.Method", "runtime.method", &[("Name", "name")]),
    // Moved in Go 1.22.
    former(
        "internal/abi.ITab",
        "runtime.itab",
        &[("Inter", "inter"), ("Type", "_type"), ("Hash", "hash"), ("Fun", "fun")],
    ),
    // `sync.Map` is a trie of interfaces; which instance of the generic types is described differs.
    former("internal/sync.HashTrieMap", "internal/sync.HashTrieMap[interface {},interface {}]", &[]),
    former(
        "internal/sync.HashTrieMap",
        "internal/sync.HashTrieMap[go.shape.interface {},go.shape.interface {}]",
        &[],
    ),
    former("internal/sync.entry", "internal/sync.entry[interface {},interface {}]", &[]),
    former("internal/sync.entry", "internal/sync.entry[go.shape.interface {},go.shape.interface {}]", &[]),
    former("internal/sync.indirect", "internal/sync.indirect[interface {},interface {}]", &[]),
    former(
        "internal/sync.indirect",
        "internal/sync.indirect[go.shape.interface {},go.shape.interface {}]",
        &[],
    ),
    former("internal/sync.node", "internal/sync.node[interface {},interface {}]", &[]),
    former("internal/sync.node", "internal/sync.node[go.shape.interface {},go.shape.interface {}]", &[]),
];

/// Earlier names of the structure that is now called `name`, latest first.
pub(super) fn names(name: &str) -> impl Iterator<Item = &'static Former> {
    FORMER.iter().filter(move |former| former.now == name)
}
