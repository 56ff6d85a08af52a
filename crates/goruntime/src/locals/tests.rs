use super::{Frame, locals};
use crate::value::Limits;
use crate::value::testing::{Case, VERSIONS, masked, with};

/// A frame as the runtime printed it while dying.
struct Printed {
    function: String,
    line: u32,
    pc: u64,
    fp: u64,
    sp: u64,
    inline_depth: usize,
    /// The pc is that of an instruction that faulted.
    faulted: bool,
}

/// The frames of every goroutine, in order. Deliberately not the product's own parser of tracebacks.
fn printed(stderr: &str) -> Vec<Printed> {
    let hex = |line: &str, key: &str| {
        let rest = line.split_once(key)?.1;
        let digits = rest.split_whitespace().next()?;
        u64::from_str_radix(digits.trim_start_matches("0x"), 16).ok()
    };
    let mut frames = Vec::new();
    let mut waiting: Vec<(String, u32)> = Vec::new();
    let mut lines = stderr.lines().peekable();
    let mut after_sigpanic = false;
    while let Some(line) = lines.next() {
        let Some(place) = lines.peek().filter(|next| next.starts_with('\t')) else { continue };
        let Some(open) = line.rfind('(') else { continue };
        let number = place.rsplit_once(':').and_then(|(_, rest)| rest.split_whitespace().next());
        let Some(number) = number.and_then(|number| number.parse().ok()) else { continue };
        waiting.push((line[..line.find("({").unwrap_or(open).min(open)].to_owned(), number));
        let (Some(fp), Some(sp), Some(pc)) = (hex(place, " fp="), hex(place, " sp="), hex(place, " pc="))
        else {
            continue;
        };
        for (inline_depth, (function, line)) in waiting.drain(..).enumerate() {
            let faulted = after_sigpanic;
            after_sigpanic = function == "runtime.sigpanic";
            frames.push(Printed { function, line, pc, fp, sp, inline_depth, faulted });
        }
    }
    frames
}

/// The variables of every frame of `function`, each as `name type = value`.
fn variables(case: &Case<'_>, function: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for found in printed(&case.stderr).iter().filter(|frame| frame.function == function) {
        let frame = Frame {
            pc: if found.faulted { found.pc } else { found.pc - 1 },
            cfa: found.fp,
            argp: found.fp,
            sp: Some((7, found.sp)),
            registers: None,
            inline_depth: found.inline_depth,
            function: Some(function),
            argument_slots: &[],
            line: Some(found.line),
        };
        let shown = locals(&case.context, &frame, Limits::default()).into_iter().map(|local| {
            let value = local.value.unwrap_or("-".to_owned());
            format!("{} {} = {value}", local.name, local.type_name)
        });
        all.push(shown.collect());
    }
    all
}

/// Asserts that the first frame of `function` has these among its variables, in this order.
fn check(case: &Case<'_>, function: &str, expected: &[&str]) {
    let all = variables(case, function);
    let found = all.first().unwrap_or_else(|| panic!("no frame of {function}, Go {}", case.version));
    let mut rest = found.iter().map(|text| masked(text));
    for wanted in expected {
        assert!(
            rest.any(|text| text == **wanted),
            "{function}, Go {}: no {wanted:?} (in this order) in {found:#?}",
            case.version
        );
    }
}

#[test]
fn arguments_come_from_where_the_prologue_put_them() {
    for version in VERSIONS {
        with("values", version, |case| {
            check(
                case,
                "main.work",
                &[
                    r#"u *main.user = *main.user 0x@ {base: main.base{ID: 42, Tags: []string len=2 ["x", "y"]}, Name: "bob", Age: 3, Next: nil, Active: true, col: 2}"#,
                    "nums []int = []int len=3 [1, 2, 3]",
                    "e error = *main.codeError(nil)",
                    "v interface {} = float64(1.5)",
                    "ratio float64 = 0.25",
                ],
            );
            check(case, "main.structArg", &["arr [2]int32 = [2]int32{-1, 2}"]);
            check(case, "main.outer", &["x int = 10", r#"s string = "inl""#]);
        });
    }
}

#[test]
fn locals_are_those_of_the_innermost_scope() {
    for version in VERSIONS {
        with("values", version, |case| {
            check(
                case,
                "main.work",
                &[
                    r#"local main.user = main.user{base: main.base{ID: 43, Tags: []string len=1 ["t"]}, Name: "alice", Age: 7, Next: nil, Active: false, col: 0}"#,
                ],
            );
            for one in ["i int = 1", "n int = 2", "escaped int = 200"] {
                check(case, "main.work", &[one]);
            }
            // The parameter `name`, whether or not the compiler kept the local that hides it.
            let name = variables(case, "main.work")[0]
                .iter()
                .any(|text| text == r#"name string = "alice""# || text == r#"(name) string = "alice""#);
            assert!(name, "Go {version}");
        });
    }
}

#[test]
fn inlined_calls_have_variables_of_their_own() {
    for version in VERSIONS {
        with("values", version, |case| {
            check(case, "main.inlined", &[r#"s string = "inl""#]);
            // Of `a` nothing is left after `b` has been computed, and that is said and not made up.
            check(case, "main.inlined", &["a int = -"]);
            assert!(!variables(case, "main.inlined")[0].iter().any(|text| text.starts_with("x ")));
        });
    }
}

#[test]
fn captured_variables_are_followed_to_the_heap() {
    for version in VERSIONS {
        with("values", version, |case| {
            let user = r#"u *main.user = *main.user 0x@ {base: main.base{ID: 0, Tags: nil}, Name: "captured", Age: 0, Next: nil, Active: false, col: 0}"#;
            for one in ["val int = 5", r#"text string = "captured text""#, user] {
                check(case, "main.capture.func1", &[one]);
            }
        });
    }
}

#[test]
fn generic_code_shows_its_type_arguments() {
    for version in VERSIONS {
        with("values", version, |case| {
            let all = variables(case, "main.generic[...]");
            assert_eq!(all.len(), 2, "Go {version}");
            assert_eq!(all[0], [r#"v string = "one""#, r#"many []string = []string len=2 ["a", "b"]"#]);
        });
    }
    // From 1.27 on DWARF says where the dictionary of type arguments is.
    with("values", "1.27", |case| {
        assert_eq!(variables(case, "main.generic[...]")[1], ["v store.Item = -", "many []store.Item = nil"]);
    });
}

#[test]
fn registers_count_where_they_are_known() {
    for version in VERSIONS {
        with("values", version, |case| {
            // On entry every argument of `crash` is where the calling convention puts it: in AX, BX, CX and DI,
            // of which these are the DWARF numbers (System V ABI, figure 3.36).
            let entry = (case.symbol_address)("main.crash").unwrap();
            let text = case.dwarf().variable("main.Text").unwrap().address;
            let data = case.context.memory.word(text).unwrap();
            let registers = |number: u16| match number {
                0 => Some(0),
                3 => Some(4),
                2 => Some(data),
                5 => Some(5),
                _ => None,
            };
            let frame = Frame {
                pc: entry,
                cfa: 0,
                argp: 0,
                sp: None,
                registers: Some(&registers),
                inline_depth: 0,
                function: Some("main.crash"),
                argument_slots: &[],
                line: None,
            };
            let shown: Vec<String> = locals(&case.context, &frame, Limits::default())
                .into_iter()
                .take(3)
                .map(|local| format!("{} = {}", local.name, local.value.unwrap_or("-".to_owned())))
                .collect();
            assert_eq!(shown, ["u = nil", "index = 4", r#"label = "plain""#], "Go {version}");
        });
    }
}
