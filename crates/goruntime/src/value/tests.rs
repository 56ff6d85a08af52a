use super::testing::{Case, VERSIONS, masked, with};
use super::{Context, Limits, Location, Memory, format, without_shapes};

fn check(case: &Case<'_>, name: &str, expected: &str) {
    assert_eq!(masked(&case.global(name)), expected, "{name}, Go {}", case.version);
}

#[test]
fn writes_package_variables_of_every_kind() {
    for version in VERSIONS {
        with("values", version, |case| {
            for (name, expected) in [
                (
                    "main.Scalars",
                    "main.scalars{B: true, I8: -8, I16: -16, I32: -32, I64: -9223372036854775808, U8: 8, U16: 16, \
                     U32: 32, U64: 18446744073709551615, UP: 0xbeef, F32: 0.1, F64: 2.5e-07, C64: (1-2i), \
                     C128: (3+4i), NaN: NaN, Inf: -Inf}",
                ),
                ("main.Text", r#""plain""#),
                ("main.Quoted", r#""a\"b\n\x00\xff世""#),
                ("main.EmptyText", r#""""#),
                ("main.Ints", "[]int len=3 [1, 2, 3]"),
                ("main.Roomy", "[]int16 len=2 cap=8 [-1, -2]"),
                ("main.NilInts", "nil"),
                ("main.NoInts", "[]int len=0 []"),
                ("main.Bytes", r#"[]uint8 len=13 "text in bytes""#),
                ("main.RawBytes", "[]uint8 len=3 [0, 1, 255]"),
                ("main.Array", "[3]int16{1, -2, 3}"),
                ("main.Nested", r#"[2][2]string{{"a", "b"}, {"c", "d"}}"#),
                ("main.Anonymous", "struct { A int; main.b int }{A: 1, b: 2}"),
                ("main.Map", r#"map[string]int 0x@ (len 3) {"a": 1, "b": 2, "c": 3}"#),
                ("main.NilMap", "nil"),
                ("main.Chan", "chan int 0x@ (len 1, cap 4)"),
                ("main.Closed", "chan struct {} 0x@ (len 0, cap 0, closed)"),
                ("main.NilChan", "nil"),
                ("main.Func", "main.outer"),
                ("main.NilFunc", "nil"),
                ("main.Ptr", "*int 0x@ (7)"),
                ("main.PtrPtr", "**int 0x@ (0x@ (7))"),
                ("main.NilPtr", "nil"),
                ("main.Unsafe", "0x@"),
                ("main.Wild", "*main.user 0xdead0000 {<unreadable 0xdead0000>}"),
                (
                    "main.Bob",
                    r#"*main.user 0x@ {base: main.base{ID: 42, Tags: []string len=2 ["x", "y"]}, Name: "bob", Age: 3, Next: nil, Active: true, col: 2}"#,
                ),
                (
                    "main.Cycle",
                    r#"*main.user 0x@ {base: main.base{ID: 0, Tags: nil}, Name: "cycle", Age: 0, Next: *main.user 0x@ (seen above), Active: false, col: 0}"#,
                ),
                ("main.Pair", r#"store.Pair[main.color,[]string]{Key: 2, Val: []string len=1 ["one"]}"#),
            ] {
                check(case, name, expected);
            }
        });
    }
}

#[test]
fn interfaces_show_their_dynamic_value() {
    for version in VERSIONS {
        with("values", version, |case| {
            for (name, expected) in [
                ("main.Any", "int(42)"),
                ("main.AnyString", r#"string("boxed")"#),
                ("main.AnyStruct", r#"store.Item{Key: "k", Val: []uint8 len=1 "v"}"#),
                ("main.AnyPtr", r#"*store.Item 0x@ {Key: "p", Val: nil}"#),
                ("main.AnyColor", "main.color(1)"),
                ("main.AnyMap", r#"map[string]int 0x@ (len 1) {"one": 1}"#),
                ("main.AnySlice", "[]int len=2 [4, 5]"),
                ("main.NilAny", "nil"),
                ("main.Err", "*main.codeError 0x@ {Code: 3}"),
                ("main.PlainErr", r#"*errors.errorString 0x@ {s: "plain error"}"#),
                ("main.TypedNil", "*main.codeError(nil)"),
                ("main.NilErr", "nil"),
                // DWARF has no word of these types: no variable is of them.
                ("main.AnyBoxed", "main.boxed{p: *int 0x@ (7)}"),
                ("main.AnyFunc", "func(int) int(main.dynamic)"),
                (
                    "main.AnyPair",
                    r#"store.Pair[string,example.com/panicle/values/store.Item]{Key: "kk", Val: store.Item{Key: "in", Val: nil}}"#,
                ),
            ] {
                check(case, name, expected);
            }
        });
    }
}

#[test]
fn large_maps_show_their_first_entries() {
    for version in VERSIONS {
        with("values", version, |case| {
            let text = masked(&case.global("main.BigMap"));
            let rest = text.strip_prefix("map[int]store.Item 0x@ (len 100) {").unwrap_or_default();
            assert!(rest.ends_with(", … 84 more}"), "{text}");
            assert_eq!(rest.matches(r#": store.Item{Key: "", Val: nil}"#).count(), 16, "{text}");
            let limits = Limits { depth: 0, ..Limits::default() };
            assert_eq!(
                masked(&case.global_within("main.BigMap", limits)),
                "map[int]store.Item 0x@ (len 100)"
            );
        });
    }
}

#[test]
fn limits_bound_the_text() {
    with("values", "1.27", |case| {
        let limits = Limits { depth: 0, elements: 2, bytes: 5, total: 1000 };
        let within = |name: &str| masked(&case.global_within(name, limits));
        assert_eq!(within("main.Ints"), "[]int len=3 [1, 2, … 1 more]");
        assert_eq!(within("main.LongText"), r#""abcde"… (1000 bytes)"#);
        assert_eq!(within("main.Bob"), "*main.user 0x@");
        for total in [0, 1, 10, 40, 100] {
            let text = case.global_within("main.Scalars", Limits { total, ..Limits::default() });
            assert!(text.len() <= total + 10, "{total}: {text}");
            assert!(text.matches('{').count() <= text.matches('}').count(), "{text}");
        }
    });
}

#[test]
fn shapes_are_named_as_what_they_are() {
    assert_eq!(without_shapes("[]go.shape.string"), "[]string");
    assert_eq!(without_shapes("map[go.shape.int]go.shape.*uint8"), "map[int]go.shape.*uint8");
    assert_eq!(without_shapes("main.T"), "main.T");
    assert_eq!(without_shapes("main.T_1"), "main.T_1");
    // Go 1.19 numbers them.
    assert_eq!(without_shapes("[]go.shape.string_0"), "[]string");
    assert_eq!(without_shapes("map[go.shape.int_0]go.shape.[]uint8_12"), "map[int][]uint8");
    assert_eq!(
        without_shapes("main.Pair[go.shape.int_0,go.shape.*uint8_1]"),
        "main.Pair[int,go.shape.*uint8]"
    );
    assert_eq!(without_shapes("go.shape.struct { main.a_1 int }_0"), "struct { main.a_1 int }");
    // Later ones do not, and a type may be called so.
    assert_eq!(without_shapes("go.shape.[]main.T_1"), "[]main.T_1");
}

/// Every type that DWARF and the runtime both describe has one name and one size in both.
#[test]
fn runtime_types_agree_with_dwarf() {
    for version in VERSIONS {
        with("values", version, |case| {
            let (dwarf, types) = (case.dwarf(), case.context.types.unwrap());
            let mut compared = 0;
            for name in [
                "int",
                "string",
                "error",
                "interface {}",
                "[]uint8",
                "*main.user",
                "main.user",
                "main.codeError",
                "*main.codeError",
                "map[string]int",
                "chan int",
                "func()",
                "float64",
                "unsafe.Pointer",
                "[3]int16",
                "example.com/panicle/values/store.Item",
                "*example.com/panicle/values/store.Item",
                "example.com/panicle/values/store.Pair[string,int]",
                "runtime.g",
                "*runtime.g",
                "sync.Mutex",
                "*os.File",
                "runtime.Error",
                "struct {}",
            ] {
                let Some(id) = dwarf.type_named(name) else { continue };
                let found = dwarf.ty(id);
                let Some(offset) = found.runtime_type else { continue };
                let runtime = types.read(case.context.memory, types.address(offset)).unwrap();
                assert_eq!(Some(runtime.size), found.size, "{name}, Go {version}");
                if !name.contains('[') || !name.contains('/') {
                    assert_eq!(runtime.name, super::type_name(&case.context, id), "Go {version}");
                }
                if name.ends_with("store.Item") && !name.starts_with('*') {
                    assert_eq!(runtime.package.as_deref(), Some("example.com/panicle/values/store"));
                }
                compared += 1;
            }
            assert!(compared > 15, "only {compared} types, Go {version}");
        });
    }
}

/// Memory in which every few bytes something else stands.
struct Damaged<'m> {
    whole: &'m dyn Memory,
    seed: u64,
    one_in: u64,
}

impl Memory for Damaged<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        if !self.whole.read(address, buffer) {
            return false;
        }
        for (at, byte) in buffer.iter_mut().enumerate() {
            // The same address always reads the same (splitmix64).
            let mut mixed = (address + at as u64).wrapping_add(self.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed ^= mixed >> 27;
            if mixed.is_multiple_of(self.one_in) {
                *byte ^= (mixed >> 32) as u8;
            }
        }
        true
    }

    fn size(&self) -> u64 {
        self.whole.size()
    }
}

#[test]
fn damaged_memory_is_survived_and_bounded() {
    for version in ["1.21", "1.27"] {
        with("values", version, |case| {
            let limits = Limits::default();
            let variables: Vec<_> = case.dwarf().variables().collect();
            assert!(variables.len() > 200);
            for (seed, one_in) in (0..40).flat_map(|seed| [(seed, 3), (seed, 50)]) {
                let damaged = Damaged { whole: case.context.memory, seed, one_in };
                let context = Context { memory: &damaged, ..case.context };
                for (name, variable) in &variables {
                    let text =
                        format(&context, variable.type_id, &Location::Address(variable.address), limits);
                    assert!(text.len() < limits.total + 200, "{name}: {} bytes", text.len());
                    assert!(!text.is_empty());
                }
            }
        });
    }
}
