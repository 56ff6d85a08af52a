use std::borrow::Cow;
use std::collections::HashMap;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

use super::{
    BaseKind, DwarfError, DwarfIndex, ExprContext, ExprError, PieceLocation, TypeId, TypeKind, VariableKind,
    evaluate,
};

const VERSIONS: [&str; 8] = ["1.19", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"];

type Sections = HashMap<String, Vec<u8>>;

fn sections(version: &str) -> (Sections, HashMap<String, u64>) {
    let bytes = std::fs::read(panicle_fixtures::get("values", version).binary).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let debug = file.sections().filter_map(|section| {
        let name = section.name().unwrap();
        let name = name.starts_with(".debug_").then(|| name.to_owned())?;
        Some((name, section.uncompressed_data().unwrap().into_owned()))
    });
    let symbols = file.symbols().map(|symbol| (symbol.name().unwrap().to_owned(), symbol.address()));
    (debug.collect(), symbols.collect())
}

fn load(sections: &Sections) -> Result<Option<DwarfIndex<'_>>, DwarfError> {
    DwarfIndex::load(|name| sections.get(name).map(|bytes| Cow::Borrowed(bytes.as_slice())))
        .map(|(index, _)| index)
}

#[test]
fn lays_out_the_runtime() {
    // It moves both ways: no rule of the kind "newer than" gives these.
    let goids = [
        ("1.19", 152),
        ("1.21", 152),
        ("1.22", 152),
        ("1.23", 160),
        ("1.24", 160),
        ("1.25", 152),
        ("1.26", 152),
        ("1.27", 152),
    ];
    for (version, goid) in goids {
        let (sections, symbols) = sections(version);
        let index = load(&sections).unwrap().unwrap();
        let g = index.struct_layout("runtime.g").unwrap();
        let field = g.field("goid").unwrap();
        assert_eq!((field.offset, field.size), (goid, 8), "Go {version}");
        assert!(g.size > 350, "Go {version}");
        let last = g.fields.last().unwrap();
        assert!(last.offset + last.size <= g.size, "Go {version}");
        assert!(index.struct_layout("runtime.moduledata").unwrap().field("pclntable").is_some());
        // Go 1.21 moved it.
        let types = index.struct_layout("internal/abi.Type").or_else(|| index.struct_layout("runtime._type"));
        assert!(types.unwrap().fields.iter().any(|field| field.name.eq_ignore_ascii_case("tflag")));
        assert_eq!(index.constant("runtime._Gwaiting"), Some(4), "Go {version}");
        let allgs = index.variable("runtime.allgs").unwrap();
        assert_eq!(Some(&allgs.address), symbols.get("runtime.allgs"), "Go {version}");
        let TypeKind::Slice { elem } = index.ty(allgs.type_id).kind else { panic!("allgs is no slice") };
        assert_eq!(index.ty(elem).name, "*runtime.g");
        assert_eq!(index.variable("runtime.nothing"), None);
        assert_eq!(index.struct_layout("runtime.nothing"), None);
    }
}

#[test]
fn every_variable_is_where_the_symbol_table_has_it() {
    for version in VERSIONS {
        let (sections, symbols) = sections(version);
        let index = load(&sections).unwrap().unwrap();
        let mut count = 0;
        for (name, variable) in index.variables() {
            if let Some(address) = symbols.get(&name) {
                assert_eq!(variable.address, *address, "{name}, Go {version}");
                count += 1;
            }
        }
        assert!(count > 200, "only {count}, Go {version}");
    }
}

#[test]
fn models_every_kind_of_type() {
    for version in VERSIONS {
        let (sections, _) = sections(version);
        let index = load(&sections).unwrap().unwrap();
        let named = |name: &str| {
            let id = index.type_named(name).unwrap_or_else(|| panic!("no type {name}, Go {version}"));
            assert_eq!(index.ty(id).name, name);
            index.ty(id)
        };
        assert_eq!(named("main.color").kind, TypeKind::Base(BaseKind::Int));
        assert_eq!(named("complex64").kind, TypeKind::Base(BaseKind::Complex));
        assert_eq!((named("string").size, &named("string").kind), (Some(16), &TypeKind::String));
        assert_eq!(named("error").kind, TypeKind::Interface { empty: false });
        assert_eq!(named("interface {}").kind, TypeKind::Interface { empty: true });
        assert_eq!(named("unsafe.Pointer").kind, TypeKind::UnsafePointer);
        assert!(matches!(named("func(int) string").kind, TypeKind::Func));
        assert!(matches!(named("[3]int16").kind, TypeKind::Array { len: 3, .. }));
        let TypeKind::Map { key, value, header: Some(header) } =
            named("map[int]example.com/panicle/values/store.Item").kind
        else {
            panic!("not a map");
        };
        assert_eq!(index.ty(key).name, "int");
        assert_eq!(index.short_names().shorten(&index.ty(value).name), "store.Item");
        assert!(matches!(index.ty(header).kind, TypeKind::Pointer { .. }));
        let user = named("main.user");
        let TypeKind::Struct { fields } = &user.kind else { panic!("not a struct") };
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["base", "Name", "Age", "Next", "Active", "col"]);
        assert!(fields[0].embedded && !fields[1].embedded);
        let by_runtime = index.type_by_runtime_offset(user.runtime_type.unwrap()).unwrap();
        assert_eq!(index.ty(by_runtime).name, "main.user");
    }
}

#[test]
fn every_function_is_found_at_its_symbol() {
    for version in VERSIONS {
        let (sections, symbols) = sections(version);
        let index = load(&sections).unwrap().unwrap();
        for name in ["main.main", "main.work", "main.outer", "main.capture.func1", "runtime.mallocgc"] {
            let low = symbols[name];
            let function = index.function_at(low).unwrap();
            assert_eq!((function.name.as_str(), function.low), (name, low), "Go {version}");
            assert_eq!(index.function_at(function.high - 1).unwrap().name, name);
            assert!(index.function_at(function.high).is_none_or(|next| next.low != low));
        }
        assert!(index.function_at(0).is_none() && index.function_at(u64::MAX).is_none());
        let work = index.function_at(symbols["main.work"]).unwrap();
        let parameters: Vec<&str> = work
            .variables
            .iter()
            .filter(|variable| variable.kind == VariableKind::Parameter)
            .map(|variable| variable.name.as_str())
            .collect();
        assert_eq!(parameters, ["u", "name", "nums", "e", "v", "ratio"], "Go {version}");
        assert!(work.variables.iter().any(|v| v.kind == VariableKind::Result && v.name == "res"));
        let outer = index.function_at(symbols["main.outer"]).unwrap();
        let inlined = (outer.low..outer.high)
            .filter_map(|pc| index.function_at(pc))
            .find(|function| function.inlined.first().is_some_and(|call| call.name == "main.inlined"))
            .unwrap();
        let names: Vec<&str> = inlined.inlined[0].variables.iter().map(|v| v.name.as_str()).collect();
        assert!(names.contains(&"a") && names.contains(&"s") && !names.contains(&"x"), "{names:?}");
    }
}

#[test]
fn no_sections_is_no_index() {
    assert!(load(&Sections::new()).unwrap().is_none());
    let garbage: Sections = [(".debug_info".to_owned(), vec![0xff; 100])].into();
    assert!(load(&garbage).is_err());
}

/// A generator that needs no crate and gives the same numbers every time (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// Asks for everything there is to ask for.
fn exercise(index: &DwarfIndex<'_>, around: &[u64]) {
    for name in ["runtime.g", "main.user", "runtime.moduledata"] {
        index.struct_layout(name);
    }
    for (_, variable) in index.variables().take(300) {
        index.ty(variable.type_id);
    }
    for id in index.types.offsets().take(2000) {
        index.ty(id);
    }
    for pc in around {
        index.function_at(*pc);
    }
}

#[test]
fn damaged_sections_neither_panic_nor_hang() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for version in ["1.21", "1.27"] {
        let (mut sections, symbols) = sections(version);
        let around: Vec<u64> = symbols.values().copied().filter(|address| *address > 0).take(200).collect();
        let names: Vec<String> = sections.keys().cloned().collect();
        for round in 0..60 {
            let name = &names[round % names.len()];
            let original = sections[name].clone();
            if original.is_empty() {
                continue;
            }
            let damaged = sections.get_mut(name).unwrap();
            if round % 5 == 4 {
                damaged.truncate(numbers.below(original.len()));
            } else {
                for _ in 0..=numbers.below(200) {
                    let at = numbers.below(damaged.len());
                    damaged[at] = u8::try_from(numbers.below(256)).unwrap();
                }
            }
            if let Ok(Some(index)) = load(&sections) {
                exercise(&index, &around);
            }
            sections.insert(name.clone(), original);
        }
    }
}

/// The sections of one DWARF 4 unit with these entries below its root, which is at 11; they begin at 12.
fn unit(abbreviations: Vec<u8>, entries: &[u8]) -> Sections {
    let mut info = Vec::new();
    info.extend(u32::try_from(7 + entries.len()).unwrap().to_le_bytes());
    info.extend([4, 0, 0, 0, 0, 0, 8]);
    info.extend(entries);
    [(".debug_info".to_owned(), info), (".debug_abbrev".to_owned(), abbreviations)].into()
}

/// A string that everything shares does not become a copy for each.
#[test]
fn names_are_as_long_as_names_go() {
    let abbreviations = [
        &[1, 0x11, 1, 0, 0][..],                                 // compile unit
        &[2, 0x13, 1, 0x03, 0x08, 0x0b, 0x0b, 0, 0],             // struct: name, size
        &[3, 0x0d, 0, 0x03, 0x0e, 0x38, 0x0b, 0x49, 0x13, 0, 0], // member: name in .debug_str, offset, type
        &[4, 0x34, 0, 0x03, 0x0e, 0x49, 0x13, 0, 0],             // variable: name in .debug_str, type
        &[0],
    ]
    .concat();
    let long = super::text::LONGEST_NAME;
    // A name of the greatest length, behind it one more byte, and then one without an end.
    let strings = [&vec![b'y'; long + 1][..], &[0], &vec![b'z'; long]].concat();
    let member = |name: u32| [&[3][..], &name.to_le_bytes(), &[0, 12, 0, 0, 0]].concat();
    let variable = |name: u32| [&[4][..], &name.to_le_bytes(), &[12, 0, 0, 0]].concat();
    let mut entries = vec![1, 2, b's', 0, 8];
    for _ in 0..1000 {
        entries.extend(member(1));
    }
    entries.push(0);
    let endless = u32::try_from(long + 2).unwrap();
    for name in [0, 1, endless, u32::MAX] {
        entries.extend(variable(name));
    }
    entries.push(0);
    let mut sections = unit(abbreviations, &entries);
    sections.insert(".debug_str".to_owned(), strings);
    let index = load(&sections).unwrap().unwrap();
    let fields = index.struct_layout("s").unwrap().fields;
    assert!(fields[0].name.len() == long && fields.len() * long < 2 << 20, "{} fields", fields.len());
    assert_eq!(index.variables.offsets().count(), 1);
    assert_eq!(index.named(&index.variables, &"y".repeat(long)).count(), 1);
    assert_eq!(index.named(&index.variables, &"y".repeat(long + 1)).count(), 0);
}

#[test]
fn unpacked_sections_are_bounded_together() {
    let (found, diagnostics) = DwarfIndex::load(|name| match name {
        ".debug_abbrev" => Some(Cow::Borrowed(&[1, 0x11, 1, 0, 0, 0][..])),
        ".debug_info" => Some(Cow::Borrowed(&[9, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 1, 0][..])),
        // Zeros that nothing reads take no memory.
        ".debug_str" | ".debug_line" | ".debug_ranges" => Some(Cow::Owned(vec![0; 500 << 20])),
        _ => None,
    })
    .unwrap();
    assert!(found.is_some());
    assert!(diagnostics.iter().any(|one| one.text.contains("left out")), "{diagnostics:?}");
}

/// One unit, written by hand: typedefs in a circle, a struct that contains itself, an array of it.
#[test]
fn types_in_a_circle_end() {
    let abbreviations = [
        &[1, 0x11, 1, 0, 0][..],                                 // compile unit
        &[2, 0x16, 0, 0x03, 0x08, 0x49, 0x13, 0, 0],             // typedef: name, type
        &[3, 0x13, 1, 0x03, 0x08, 0x0b, 0x0b, 0, 0],             // struct: name, size
        &[4, 0x0d, 0, 0x03, 0x08, 0x38, 0x0b, 0x49, 0x13, 0, 0], // member: name, offset, type
        &[0],
    ]
    .concat();
    // Offsets count from the unit's header, which is 11 bytes long; the root entry takes one more.
    let entries = [
        &[1][..],
        &[2, b'a', 0, 19, 0, 0, 0],                      // at 12: typedef a -> 19
        &[2, b'b', 0, 12, 0, 0, 0],                      // at 19: typedef b -> 12
        &[3, b's', 0, 8, 4, b'f', 0, 0, 26, 0, 0, 0, 0], // at 26: struct s { f s }
        &[0],
    ]
    .concat();
    let sections = unit(abbreviations, &entries);
    let index = load(&sections).unwrap().unwrap();
    assert_eq!(index.ty(index.type_named("a").unwrap()).kind, TypeKind::Unknown);
    let layout = index.struct_layout("s").unwrap();
    assert_eq!((layout.size, layout.fields[0].size), (8, 8));
    assert_eq!(index.ty(TypeId(usize::MAX)).kind, TypeKind::Unknown);
    assert_eq!(index.ty(TypeId(0)).kind, TypeKind::Unknown);
}

struct Known;

impl ExprContext for Known {
    fn register(&self, number: u16) -> Option<u64> {
        (number == 0).then_some(0x1000)
    }
    fn cfa(&self) -> Option<u64> {
        Some(0x2000)
    }
    fn frame_base(&self) -> Option<u64> {
        Some(0x2000)
    }
    fn memory(&self, address: u64, _size: u8) -> Option<u64> {
        (address == 0x1008).then_some(0x3000)
    }
    fn relocate(&self, address: u64) -> u64 {
        address + 0x10
    }
}

#[test]
fn evaluates_what_go_and_c_compilers_write() {
    let encoding = gimli::Encoding { format: gimli::Format::Dwarf32, version: 5, address_size: 8 };
    let run = |bytes: &[u8]| evaluate(bytes, encoding, &Known);
    let only = |bytes: &[u8]| run(bytes).unwrap().remove(0).location;
    // DW_OP_call_frame_cfa; DW_OP_fbreg -8; DW_OP_reg0; DW_OP_breg0 8, DW_OP_deref; DW_OP_addr.
    assert_eq!(only(&[0x9c]), PieceLocation::Address(0x2000));
    assert_eq!(only(&[0x91, 0x78]), PieceLocation::Address(0x1ff8));
    assert_eq!(only(&[0x50]), PieceLocation::Register(0));
    assert_eq!(only(&[0x70, 8, 0x06]), PieceLocation::Address(0x3000));
    assert_eq!(only(&[0x03, 0, 0x40, 0, 0, 0, 0, 0, 0]), PieceLocation::Address(0x4010));
    // DW_OP_lit5, DW_OP_stack_value.
    assert_eq!(only(&[0x35, 0x9f]), PieceLocation::Bytes(vec![5, 0, 0, 0, 0, 0, 0, 0]));
    // DW_OP_reg0, DW_OP_piece 8, DW_OP_piece 8: half of it is gone.
    let pieces = run(&[0x50, 0x93, 8, 0x93, 8]).unwrap();
    assert_eq!(pieces[1].location, PieceLocation::Nowhere);
    assert_eq!((pieces.len(), pieces[0].size), (2, Some(8)));
    assert_eq!(run(&[0x71, 0]), Err(ExprError::Needs("a register")));
    // DW_OP_skip -3: for ever.
    assert!(matches!(run(&[0x2f, 0xfd, 0xff]), Err(ExprError::Malformed(_))));
    assert!(matches!(run(&[0x06]), Err(ExprError::Malformed(_))));
}
