//! Values, names and types.

use super::*;

#[test]
fn values_are_those_of_the_source() {
    let of_globals = [
        ("seven", "int 7"),
        ("main.seven", "int 7"),
        ("seven + 1", "int 8"),
        ("-seven * 2 - 1", "int -15"),
        ("seven / 2 == 3 && seven % 2 == 1", "- true"),
        ("seven << 2 | 1", "int 29"),
        ("^seven", "int -8"),
        ("&seven == Ptr", "- true"),
        ("*Ptr", "int 7"),
        ("**PtrPtr", "int 7"),
        ("&seven", "*int {\"address\":@,\"target\":7}"),
        ("NilPtr", "*main.user null"),
        ("NilPtr == nil", "- true"),
        ("NilPtr.Name", "nil-dereference at 6"),
        ("*NilPtr", "nil-dereference at 0"),
        ("Scalars.B", "bool true"),
        ("!Scalars.B || false", "- false"),
        ("Scalars.I64", "int64 -9223372036854775808"),
        ("Scalars.U64", "uint64 18446744073709551615"),
        ("Scalars.U64 + 1", "uint64 0"),
        ("Scalars.I8 - 121", "int8 127"),
        ("Scalars.I8 + 200", "type at 11"),
        ("Scalars.UP", "uintptr 48879"),
        ("Scalars.F32", "float32 0.1"),
        ("Scalars.F64 * 2", "float64 5e-7"),
        ("Scalars.F64 < 1", "- true"),
        ("Scalars.NaN", "float64 \"NaN\""),
        ("Scalars.NaN == Scalars.NaN", "- false"),
        ("Scalars.Inf", "float64 \"-Inf\""),
        ("Scalars.C128", "complex128 \"(3+4i)\""),
        ("Scalars.I8 + Scalars.I16", "type at 11"),
        ("int16(Scalars.I8) + Scalars.I16", "int16 -24"),
        ("uint8(Scalars.I16)", "uint8 240"),
        ("uint8(256)", "type at 5"),
        ("float64(seven) / 2", "float64 3.5"),
        ("int(Scalars.F64)", "int 0"),
        ("Text", "string \"plain\""),
        ("Text == \"plain\"", "- true"),
        ("Text < \"q\"", "- true"),
        ("Text + \"er\"", "string \"plainer\""),
        ("Text[1]", "uint8 108"),
        ("Text[1:3]", "string \"la\""),
        ("Text[3:]", "string \"in\""),
        ("Text[:2] == `pl`", "- true"),
        ("Text[5]", "out-of-range at 5"),
        ("Text[2:9]", "out-of-range at 7"),
        ("Text[3:2]", "out-of-range at 5"),
        ("len(Text)", "int 5"),
        ("Quoted", "string {\"len\":9,\"hex\":\"6122620a00ffe4b896\"}"),
        ("EmptyText", "string \"\""),
        ("len(LongText) > 999", "- true"),
        ("Ints", "[]int {\"len\":3,\"cap\":3,\"elements\":[1,2,3],\"truncated\":false}"),
        ("Ints[2]", "int 3"),
        ("Ints[Ints[0]]", "int 2"),
        ("Ints[3]", "out-of-range at 5"),
        ("Ints[-1]", "out-of-range at 5"),
        ("Ints[1:]", "[]int {\"len\":2,\"cap\":2,\"elements\":[2,3],\"truncated\":false}"),
        ("Ints[\"a\"]", "type at 5"),
        ("cap(Roomy)", "int 8"),
        ("Roomy[:4]", "[]int16 {\"len\":4,\"cap\":8,\"elements\":[-1,-2,0,0],\"truncated\":false}"),
        ("Roomy[0:1:9]", "out-of-range at 10"),
        ("NilInts == nil", "- true"),
        ("NoInts == nil", "- false"),
        ("NilInts[0]", "out-of-range at 8"),
        ("string(Bytes)", "string \"text in bytes\""),
        ("Array", "[3]int16 {\"len\":3,\"elements\":[1,-2,3],\"truncated\":false}"),
        ("Array[1]", "int16 -2"),
        ("Array[1:2]", "[]int16 {\"len\":1,\"cap\":2,\"elements\":[-2],\"truncated\":false}"),
        ("Array == [3]int16{1, -2, 3}", "- true"),
        ("len(Nested)", "int 2"),
        ("Nested[1][0]", "string \"c\""),
        ("Anonymous", "struct { A int; main.b int } {\"A\":1,\"b\":2}"),
        ("Map[\"b\"]", "int 2"),
        ("Map[\"b\"] + Map[\"c\"]", "int 5"),
        ("Map[\"z\"]", "no-such-key at 4"),
        ("Map[1]", "type at 4"),
        ("len(Map)", "int 3"),
        ("&Map[\"a\"] != nil", "- true"),
        ("NilMap[\"a\"]", "no-such-key at 7"),
        ("NilMap", "map[string]*main.user null"),
        ("len(NilMap)", "int 0"),
        ("BigMap[99].Key", "string \"\""),
        ("BigMap[100]", "no-such-key at 7"),
        ("len(Chan)", "int 1"),
        ("cap(Chan)", "int 4"),
        ("Chan", "chan int {\"address\":@,\"len\":1,\"cap\":4,\"closed\":false}"),
        ("<-Chan", "unsupported at 0"),
        ("Func", "func(int, string) int {\"address\":@,\"name\":\"main.outer\"}"),
        ("Func(1, \"\")", "unsupported at 4"),
        ("NilFunc == nil", "- true"),
        ("*(*int)(Unsafe)", "int 7"),
        ("*Unsafe", "type at 0"),
        ("Wild.Name", "unreadable at 4"),
        ("Bob.Name", "string \"bob\""),
        ("Bob.ID", "int64 42"),
        ("Bob.base.ID", "int64 42"),
        ("Bob.Tags[1]", "string \"y\""),
        ("Bob.Nobody", "unknown-name at 3"),
        ("Bob.col", "main.color 2"),
        ("Bob.col == 2", "- true"),
        ("main.color(1) == Bob.col - 1", "- true"),
        ("Bob.base == (*Bob).base", "type at 9"),
        ("Cycle.Next.Next.Next.Name", "string \"cycle\""),
        ("Cycle == Cycle.Next", "- true"),
        ("Any", "interface {} {\"type\":\"int\",\"value\":42}"),
        ("Any.(int)", "int 42"),
        ("Any.(int) + 1", "int 43"),
        ("Any.(string)", "type at 3"),
        ("Any == 42", "- true"),
        ("Any == \"42\"", "- false"),
        ("AnyStruct.(store.Item).Key", "string \"k\""),
        ("AnyStruct.(example.com/panicle/values/store.Item).Key", "string \"k\""),
        ("AnyPtr.(*store.Item).Key", "string \"p\""),
        ("AnyPtr.Key", "type at 6"),
        ("AnyColor.(main.color)", "main.color 1"),
        ("AnyMap.(map[string]int)[\"one\"]", "int 1"),
        ("AnySlice.([]int)[1]", "int 5"),
        ("AnyBoxed.(main.boxed).p == Ptr", "- true"),
        ("NilAny == nil", "- true"),
        ("NilAny.(int)", "nil-dereference at 6"),
        ("Err.(*main.codeError).Code", "int 3"),
        ("TypedNil == nil", "- false"),
        ("TypedNil.(*codeError)", "*main.codeError null"),
        ("TypedNil.(*nobody)", "unknown-name at 10"),
        ("TypedNil.(*main.codeError) == nil", "- true"),
        ("Pair.Val[0]", "string \"one\""),
        ("Pair.Key", "main.color 2"),
        ("(*main.user)(0xdead0000).Name", "unreadable at 24"),
        ("(*main.nobody)(0x10)", "unknown-name at 1"),
        ("unknown", "unknown-name at 0"),
        ("nobody.Unknown", "unknown-name at 0"),
        ("1 + 2*3 - 0x10", "- -9"),
        ("1.5 + 1", "- 2.5"),
        ("7 / 2", "- 3"),
        ("7 / 0", "out-of-range at 2"),
        ("seven / 0", "out-of-range at 6"),
        ("1 << 200", "limit at 2"),
        ("^0x7fffffffffffffffffffffffffffffff", "limit at 0"),
        ("'a' + 1", "- 98"),
        ("\"a\" + \"b\"", "- \"ab\""),
        ("\"abc\"[1:]", "- \"bc\""),
        ("nil", "- null"),
        ("nil == nil", "type at 4"),
        ("true", "- true"),
        ("main.color", "unknown-name at 0"),
        ("[]int", "type at 0"),
        ("runtime.buildVersion[:2]", "string \"go\""),
        ("len(runtime.allgs) > 4", "- true"),
        ("*runtime.allgs[0] == nil", "type at 18"),
        ("runtime.allgs[0].goid == 1", "- true"),
        ("len(Pair.Key)", "type at 8"),
        ("cap(Map)", "type at 4"),
        ("Map == nil", "- false"),
        ("Map == Map", "type at 4"),
        ("len", "unknown-name at 0"),
    ];
    for version in VERSIONS {
        let fixture = panicle_fixtures::get("values", version);
        with(&fixture, |session| {
            in_frame(session, "main.crash", |context, scope| {
                let found: Vec<String> = of_globals
                    .iter()
                    .map(|(expression, _)| format!("{expression}: {}", shown(context, scope, expression)))
                    .collect();
                let wanted: Vec<String> =
                    of_globals.iter().map(|(expression, wanted)| format!("{expression}: {wanted}")).collect();
                let misses: Vec<_> =
                    found.iter().zip(&wanted).filter(|(found, wanted)| found != wanted).collect();
                assert!(misses.is_empty(), "Go {version}: {misses:#?}");
            });
        });
    }
}

#[test]
fn names_are_those_of_the_frame() {
    for version in VERSIONS {
        let fixture = panicle_fixtures::get("values", version);
        with(&fixture, |session| {
            let check = |of: &str, expressions: &[(&str, &str)]| {
                in_frame(session, of, |context, scope| {
                    for (expression, wanted) in expressions {
                        assert_eq!(&shown(context, scope, expression), wanted, "{expression}, Go {version}");
                    }
                });
            };
            check(
                "main.work",
                &[
                    ("nums[1] * 100 == escaped", "- true"),
                    ("e", "error {\"type\":\"*main.codeError\",\"value\":null}"),
                    ("nobody", "unknown-name at 0"),
                ],
            );
            check("main.structArg", &[("it.Key", "string \"arg\""), ("p.Val + len(arr)", "int 11")]);
            check(
                "main.capture.func1",
                &[("u.Name", "string \"captured\""), ("val + 1", "int 6"), ("*&val", "int 5")],
            );
        });
    }
}

#[test]
fn a_stripped_executable_still_has_its_types() {
    let fixtures: Vec<_> = panicle_fixtures::matrix()
        .into_iter()
        .filter(|fixture| fixture.program == "values" && fixture.variant == "stripped")
        .collect();
    assert!(!fixtures.is_empty());
    for stripped in fixtures {
        let version = &stripped.go_version;
        with(&stripped, |session| {
            let context = session.context();
            let scope = Scope { package: Some("main"), ..Scope::default() };
            let shown = |expression: &str| shown(&context, &scope, expression);
            assert_eq!(shown("Bob"), "unknown-name at 0", "Go {version}");
            assert_eq!(shown("main.Bob.Name"), "unknown-name at 0", "Go {version}");
            assert_eq!(shown("(*main.user)(0xdead0000).Name"), "unreadable at 24", "Go {version}");
            assert_eq!(shown("(*user)(nil) == nil"), "- true", "Go {version}");
            assert_eq!(shown("(map[string]int)(nil)"), "map[string]int null", "Go {version}");
            assert_eq!(shown("(*store.Item)(nil)"), "*store.Item null", "Go {version}");
            assert_eq!(
                shown("(*example.com/panicle/values/store.Item)(nil)"),
                "*store.Item null",
                "Go {version}"
            );
            assert_eq!(shown("(*main.nobody)(nil)"), "unknown-name at 1", "Go {version}");
            assert_eq!(shown("main.color(3) + 1"), "main.color 4", "Go {version}");
        });
    }
}
