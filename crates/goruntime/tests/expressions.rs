//! Expressions over cores of real programs, whose source says what their values are.

#![expect(clippy::unwrap_used, reason = "tests say what they expect by unwrapping")]

use panicle_binary::Executable;
use panicle_fixtures::Fixture;
use panicle_goruntime::{
    expr::{self, Scope, Value},
    session::{self, Session},
    spell,
    value::{Context, Limits, Memory, json},
};
use panicle_image::Core;
use panicle_report::EvalError;

/// The toolchains that have to work.
const VERSIONS: [&str; 8] = ["1.19", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"];

fn with<R>(fixture: &Fixture, test: impl FnOnce(&Session<'_>) -> R) -> R {
    let core = std::fs::read(&fixture.core).unwrap();
    let binary = std::fs::read(&fixture.binary).unwrap();
    let core = Core::parse(&core).unwrap().0;
    let executable = Executable::parse(&binary).unwrap().0;
    session::open(&core, &executable, &session::Options::default(), test).unwrap()
}

/// Evaluates in a frame of the function `of`, of any goroutine.
fn in_frame<R>(session: &Session<'_>, of: &str, test: impl FnOnce(&Context<'_>, &Scope<'_>) -> R) -> R {
    for g in session.goroutines() {
        let frames = session.frames(g);
        let Some((_, frame)) = frames.iter().find(|(_, frame)| frame.call().function == of) else { continue };
        let variables = session.variables(g, frame);
        let package = spell::package(frame.physical_name());
        return test(
            &session.context(),
            &Scope {
                variables: &variables,
                package,
                frame: Some(of),
                receiver: session.receiver(g, frame).as_ref(),
                hashes: Some(session.hashes()),
            },
        );
    }
    panic!("no frame of {of}");
}

fn json_of(context: &Context<'_>, value: &Value, limits: json::Limits) -> String {
    serde_json::to_string(&value.json(context, limits)).unwrap()
}

/// The type of the value and its JSON, or the error's kind and position.
fn shown(context: &Context<'_>, scope: &Scope<'_>, expression: &str) -> String {
    match expr::evaluate(context, scope, expression) {
        Ok(value) => {
            let limits = json::Limits { depth: 1, ..json::Limits::default() };
            let of = value.type_name().unwrap_or("-").to_owned();
            let json = json_of(context, &value, limits);
            assert!(!value.text(context, Limits::default()).is_empty());
            format!("{of} {}", masked(&json))
        }
        Err(EvalError { kind, position, message }) => {
            assert!(!message.is_empty() && position.is_some());
            format!("{kind} at {}", position.unwrap())
        }
    }
}

/// `text` with addresses left out.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\"0x") {
        let end = after.find('"').unwrap();
        masked.push_str(before);
        masked.push('@');
        rest = &after[end + 1..];
    }
    masked + rest
}

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

#[test]
fn nothing_that_is_typed_hurts() {
    let fixture = panicle_fixtures::get("values", "1.24");
    with(&fixture, |session| {
        in_frame(session, "main.work", |context, scope| {
            let _ = expr::evaluate(context, scope, &"(".repeat(1 << 20));
            let _ = expr::evaluate(context, scope, &"a/b.c/".repeat(5000));
            let parts = [
                "Bob",
                "Map",
                "Any",
                "Ints",
                "Text",
                "u",
                "nums",
                ".",
                "[",
                "]",
                "(",
                ")",
                "*",
                "&",
                "1",
                "-1",
                "\"a\"",
                "0xffffffffffffffff",
                "18446744073709551616",
                ":",
                ",",
                "==",
                "+",
                "/",
                "%",
                "<<",
                "len",
                "string",
                "int8",
                "[]int",
                "map[string]int",
                "main.user",
                "(*main.user)",
                ".(",
                "{",
                "}",
                "'x'",
                "1e300",
                "nil",
                "-",
                "!",
                "Cycle",
                ".Next",
                "example.com/x/y.Z",
                "store.Item",
                "Many",
                "9223372036854775807",
                "chan int",
                "^",
            ];
            // The same every time (splitmix64).
            let mut state = 1_u64;
            let mut random = |below: usize| {
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut mixed = state;
                mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (mixed ^ (mixed >> 31)) as usize % below
            };
            let mut values = 0;
            for _ in 0..3_000 {
                let expression: String = (0..=random(7)).map(|_| parts[random(parts.len())]).collect();
                match expr::evaluate(context, scope, &expression) {
                    Ok(value) => {
                        values += 1;
                        let limits = json::Limits { total: 10_000, ..json::Limits::default() };
                        assert!(json_of(context, &value, limits).len() < 100_000, "{expression}");
                        assert!(!value.text(context, Limits::default()).is_empty(), "{expression}");
                    }
                    Err(error) => {
                        assert!(
                            error.position.is_some_and(|at| at <= expression.len() as u64),
                            "{expression}"
                        );
                    }
                }
            }
            assert!(values > 100, "{values}");
        });
    });
}

#[test]
fn maps_at_an_address_are_indexed_by_every_kind_of_key() {
    // The name that the program gives the map, the type that its address is cast to, a key, and what is there.
    let wanted = [
        ("string/60/3", "map[string]int64", "\"k7\"", "int64 49"),
        ("string/60/3", "map[string]int64", "\"k9\"", "no-such-key"),
        ("string/8/0", "map[string]int64", "\"k7\"", "int64 49"),
        ("int8/60/0", "map[int8]int64", "59", "int64 413"),
        ("int8/60/0", "map[int8]int64", "200", "type"),
        ("uint64/60/0", "map[uint64]int8", "7 << 40", "int8 7"),
        ("int32/9/0", "map[int32]int64", "int32(3) << 20", "int64 21"),
        ("bool/2/0", "map[bool]int64", "true", "int64 0"),
        ("bool/2/0", "map[bool]int64", "1 > 2", "int64 7"),
        ("float64/60/0", "map[float64]int64", "3", "int64 147"),
        ("point/60/0", "map[main.point]int64", "main.point{7, \"p7\"}", "int64 49"),
        ("point/60/0", "map[main.point]int64", "main.point{X: 7}", "no-such-key"),
        ("padded/60/3", "map[main.padded]int64", "main.padded{B: 7, A: 7, C: 7}", "int64 49"),
        ("padded/60/3", "map[main.padded]int64", "main.padded{9, 9, 9}", "no-such-key"),
        ("array/60/0", "map[[3]int16]int64", "[3]int16{7, 2, 3}", "int64 49"),
        ("names/60/0", "map[[2]string]int64", "[2]string{\"a\", \"7\"}", "int64 49"),
        (
            "int/60/0",
            "map[int]*main.point",
            "7",
            "*main.point {\"address\":@,\"target\":{\"X\":7,\"Y\":\"\"}}",
        ),
        (
            "any/60",
            "map[interface {}]interface {}",
            "\"any 1\"",
            "interface {} {\"type\":\"string\",\"value\":\"1\"}",
        ),
        ("any/60", "map[any]any", "9", "interface {} {\"type\":\"string\",\"value\":\"9\"}"),
    ];
    let fixtures = panicle_fixtures::all().into_iter().chain(panicle_fixtures::matrix());
    let mut checked = 0;
    for fixture in fixtures.filter(|fixture| fixture.program == "maps") {
        let said = std::fs::read_to_string(&fixture.stdout).unwrap();
        let about = format!("Go {} {:?} {}", fixture.go_version, fixture.arch, fixture.variant);
        with(&fixture, |session| {
            let context = session.context();
            let scope = Scope { hashes: Some(session.hashes()), ..Scope::default() };
            for (name, of, key, wanted) in wanted {
                let line = said.lines().find_map(|line| line.strip_prefix(&format!("map {name} ")));
                let [_, address, len, _] =
                    line.unwrap_or_else(|| panic!("no {name}, {about}")).split(' ').collect::<Vec<_>>()[..]
                else {
                    panic!("{line:?}")
                };
                let map = format!("({of})({address})");
                assert_eq!(shown(&context, &scope, &format!("len({map})")), format!("int {len}"), "{about}");
                let found = shown(&context, &scope, &format!("{map}[{key}]"));
                let found = found.split(" at ").next().unwrap();
                assert_eq!(found, wanted, "{name}[{key}], {about}");
                checked += 1;
            }
        });
    }
    assert!(checked >= 32 * wanted.len(), "{checked}");
}

#[test]
fn a_sync_map_is_a_map() {
    let mut checked = 0;
    let fixtures = panicle_fixtures::all().into_iter().chain(panicle_fixtures::matrix());
    for fixture in fixtures.filter(|fixture| fixture.program == "maps") {
        let said = std::fs::read_to_string(&fixture.stdout).unwrap();
        let about = format!("Go {} {:?} {}", fixture.go_version, fixture.arch, fixture.variant);
        with(&fixture, |session| {
            let context = session.context();
            let scope = Scope { hashes: Some(session.hashes()), ..Scope::default() };
            for line in said.lines().filter_map(|line| line.strip_prefix("sync ")) {
                let [_, _, address, len, _] = line.split(' ').collect::<Vec<_>>()[..] else {
                    panic!("{line:?}")
                };
                let map = expr::evaluate(&context, &scope, &format!("*(*sync.Map)({address})")).unwrap();
                let limits = json::Limits { elements: 0, ..json::Limits::default() };
                let json: serde_json::Value = serde_json::from_str(&json_of(&context, &map, limits)).unwrap();
                let entries = json["entries"].as_array().unwrap();
                assert_eq!(entries.len().to_string(), len, "{line}, {about}");
                for entry in entries.iter().filter(|entry| entry["key"]["type"] == "string").take(5) {
                    let key = entry["key"]["value"].as_str().unwrap();
                    let found = expr::evaluate(&context, &scope, &format!("(*sync.Map)({address})[{key:?}]"));
                    let found = json_of(&context, &found.unwrap(), limits);
                    assert_eq!(
                        serde_json::from_str::<serde_json::Value>(&found).unwrap(),
                        entry["value"],
                        "{about}"
                    );
                    checked += 1;
                }
            }
        });
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn one_key_of_a_million_is_found_by_its_hash() {
    for version in ["1.21", "1.24", "1.27"] {
        with(&panicle_fixtures::get("big-map", version), |session| {
            let context = session.context();
            let scope = Scope { hashes: Some(session.hashes()), ..Scope::default() };
            assert_eq!(shown(&context, &scope, "len(main.counters)"), "int 1000000");
            let started = std::time::Instant::now();
            assert_eq!(shown(&context, &scope, "main.counters[\"user:0999999\"]"), "int64 999998000001");
            assert_eq!(shown(&context, &scope, "main.counters[\"user:1000000\"]"), "no-such-key at 14");
            assert!(started.elapsed() < std::time::Duration::from_millis(500), "{:?}", started.elapsed());
        });
    }
}

/// Memory with one byte that is one more.
struct Damaged<'m> {
    whole: &'m dyn Memory,
    at: u64,
}

impl Memory for Damaged<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        let read = self.whole.read(address, buffer);
        let offset = self.at.checked_sub(address).and_then(|offset| usize::try_from(offset).ok());
        if let Some(byte) = offset.and_then(|offset| buffer.get_mut(offset)) {
            *byte = byte.wrapping_add(1);
        }
        read
    }

    fn size(&self) -> u64 {
        self.whole.size()
    }
}

#[test]
fn what_is_wrong_with_a_map_is_said_with_its_entries() {
    for version in VERSIONS {
        with(&panicle_fixtures::get("values", version), |session| {
            in_frame(session, "main.crash", |context, scope| {
                let map = expr::evaluate(context, scope, "Map").unwrap();
                let json = |context: &Context<'_>| -> serde_json::Value {
                    serde_json::from_str(&json_of(context, &map, json::Limits::default())).unwrap()
                };
                let whole = json(context);
                assert_eq!(whole.get("problems"), None, "{version}");
                let at = whole["address"].as_str().unwrap().strip_prefix("0x").unwrap();
                // The count is the first field in both implementations.
                let at = u64::from_str_radix(at, 16).unwrap();
                let memory = Damaged { whole: context.memory, at };
                let damaged = json(&Context { memory: &memory, ..*context });
                assert!(!damaged["problems"].as_array().unwrap().is_empty(), "{version}");
            });
        });
    }
}

#[test]
fn what_is_no_map_is_not_shown_as_one() {
    for version in VERSIONS {
        with(&panicle_fixtures::get("values", version), |session| {
            in_frame(session, "main.crash", |context, scope| {
                let map = expr::evaluate(context, scope, "Map").unwrap();
                let variable = map.address().unwrap();
                // The variable is no header, and neither is a struct.
                let of_variable = format!("(map[string]int)({variable:#x})");
                let bob = expr::evaluate(context, scope, "Bob").unwrap().address().unwrap();
                for cast in [of_variable, format!("(map[string]int)({bob:#x})")] {
                    assert_eq!(
                        shown(context, scope, &cast).split(" at").next(),
                        Some("unreadable"),
                        "{version}"
                    );
                }
                assert_eq!(shown(context, scope, "len((map[string]int)(0))"), "int 0", "{version}");
            });
        });
    }
}
