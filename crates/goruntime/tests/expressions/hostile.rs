//! What nobody should type, and memory that nobody should have.

use super::*;

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
fn what_is_too_much_in_all_is_cut_and_said_to_be() {
    for version in VERSIONS {
        with(&panicle_fixtures::get("values", version), |session| {
            in_frame(session, "main.crash", |context, scope| {
                let written = |expression: &str, total: u64| {
                    let value = expr::evaluate(context, scope, expression).unwrap();
                    let json =
                        value.json(context, json::Limits { elements: 0, total, ..json::Limits::default() });
                    let found: serde_json::Value =
                        serde_json::from_str(&serde_json::to_string(&json).unwrap()).unwrap();
                    (found, json.is_cut())
                };
                for (expression, list) in [("Many", "elements"), ("BigMap", "entries")] {
                    let (whole, is_cut) = written(expression, 0);
                    assert!(!is_cut && whole["truncated"] == false, "Go {version}");
                    let (part, is_cut) = written(expression, 500);
                    assert!(is_cut && part["truncated"] == true, "Go {version}");
                    let len = |value: &serde_json::Value| value[list].as_array().unwrap().len();
                    assert!(len(&part) < len(&whole), "Go {version}");
                }
            });
        });
    }
}
