//! `panicle inspect`: what it prints, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use panicle_fixtures::get;
use serde_json::{Value, json};

fn inspect(arguments: &[&str]) -> Output {
    let fixture = get("values", "1.24");
    let mut command = Command::new(env!("CARGO_BIN_EXE_panicle"));
    command.arg("inspect").arg(&fixture.core).arg("--binary").arg(&fixture.binary).args(arguments);
    command.stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn values_are_written_as_go_writes_them() {
    let output = inspect(&["-e", "Bob.Name"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "\"bob\"\n"));
    let output = inspect(&["-e", "Ints[1]", "-e", "main.Map"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    let (first, second) = text.split_once('\n').unwrap();
    assert_eq!(first, "Ints[1] = 2");
    assert!(second.starts_with("main.Map = map[string]int 0x"), "{second}");
    assert!(second.contains(r#"{"a": 1, "b": 2, "c": 3}"#), "{second}");
}

#[test]
fn json_is_what_the_contract_says() {
    let output = inspect(&["--format", "json", "-e", "Map", "-e", "Ints", "-e", "Bob.ID", "-e", "Nobody"]);
    assert_eq!(output.status.code(), Some(1));
    let found = lines(&output);
    assert_eq!(found.len(), 4);
    let map = &found[0];
    assert_eq!((&map["expr"], &map["type"]), (&json!("Map"), &json!("map[string]int")));
    assert!(map["address"].as_str().unwrap().starts_with("0x"));
    assert_eq!((&map["value"]["len"], &map["value"]["truncated"]), (&json!(3), &json!(false)));
    let mut entries: Vec<_> = map["value"]["entries"].as_array().unwrap().clone();
    entries.sort_by_key(|entry| entry["key"].as_str().unwrap().to_owned());
    assert_eq!(
        json!(entries),
        json!([{"key": "a", "value": 1}, {"key": "b", "value": 2}, {"key": "c", "value": 3}])
    );
    assert_eq!(found[1]["value"], json!({"len": 3, "cap": 3, "elements": [1, 2, 3], "truncated": false}));
    assert_eq!((&found[2]["type"], &found[2]["value"]), (&json!("int64"), &json!(42)));
    assert_eq!(found[3]["expr"], "Nobody");
    assert_eq!(
        (&found[3]["error"]["kind"], &found[3]["error"]["position"]),
        (&json!("unknown-name"), &json!(0))
    );
    assert!(found[3]["error"]["message"].as_str().unwrap().contains("Nobody"));
}

#[test]
fn limits_are_kept_and_zero_is_none() {
    let len = |limit: &str, expression: &str, list: &str| {
        let output = inspect(&["--format", "json", "--limit", limit, "-e", expression]);
        assert_eq!(output.status.code(), Some(0));
        let value = lines(&output)[0]["value"].clone();
        (value["len"].as_u64(), value[list].as_array().unwrap().len(), value["truncated"] == true)
    };
    assert_eq!(len("2", "Many", "elements"), (Some(1000), 2, true));
    assert_eq!(len("0", "Many", "elements"), (Some(1000), 1000, false));
    assert_eq!(len("7", "BigMap", "entries"), (Some(100), 7, true));
    assert_eq!(len("0", "BigMap", "entries"), (Some(100), 100, false));
    let depth = |depth: &str| {
        let output = inspect(&["--format", "json", "--depth", depth, "-e", "PtrPtr"]);
        lines(&output)[0]["value"].clone()
    };
    assert!(depth("0").get("target").is_none());
    assert!(depth("1")["target"].get("target").is_none());
    assert_eq!(depth("2")["target"]["target"], 7);
}

#[test]
fn a_map_is_found_by_the_address_that_a_report_gives() {
    let map = lines(&inspect(&["--format", "json", "-e", "Map"]))[0].clone();
    let address = map["value"]["address"].as_str().unwrap();
    let cast = format!("(map[string]int)({address})[\"c\"]");
    assert_eq!(stdout(&inspect(&["-e", &cast])), "3\n");
    let variable = map["address"].as_str().unwrap();
    let cast = format!("(*(*map[string]int)({variable}))[\"b\"]");
    assert_eq!(stdout(&inspect(&["-e", &cast])), "2\n");
}

#[test]
fn names_are_looked_up_in_the_frame_that_is_asked_for() {
    // Ids are given in the order in which the scheduler pleases.
    let output = (2..100)
        .map(|id| inspect(&["--goroutine", &id.to_string(), "--frame", "4", "-e", "it.Key"]))
        .find(|output| output.status.code() == Some(0));
    assert_eq!(stdout(&output.unwrap()), "\"arg\"\n");
    assert_eq!(inspect(&["--goroutine", "1", "--frame", "4", "-e", "it.Key"]).status.code(), Some(1));
    assert_eq!(stdout(&inspect(&["--goroutine", "1", "--frame", "4", "-e", "Bob.Age"])), "3\n");
    let output = inspect(&["--goroutine", "77777", "-e", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no goroutine 77777"));
    let output = inspect(&["--goroutine", "77777", "-e", "1", "-e", "2", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        lines(&output),
        [json!({"error": {"kind": "not-found", "message": "there is no goroutine 77777"}})]
    );
    let output = inspect(&["-e", ""]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said, "panicle: the expression is empty (at byte 0)\n");
    let output = inspect(&["--frame", "999", "-e", "1"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn exit_codes_tell_whose_fault_it_is() {
    assert_eq!(inspect(&["-e", "1 +"]).status.code(), Some(1));
    assert_eq!(inspect(&["--depth", "x"]).status.code(), Some(2));
    assert_eq!(inspect(&["--format", "json"]).status.code(), Some(2));
    assert_eq!(inspect(&["--debug-dir", "/nowhere", "-e", "1"]).status.code(), Some(3));
    let fixture = get("values", "1.24");
    let other = get("nil-map-write", "1.27");
    let panicle = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_panicle"));
        command.arg("inspect").args(["-e", "1"]);
        command
    };
    let code = |command: &mut Command| command.output().unwrap().status.code();
    assert_eq!(code(panicle().arg("/nowhere")), Some(3));
    assert_eq!(code(panicle().arg(&fixture.binary)), Some(3));
    // Another program's executable is not used for its guesses.
    let directory = tempfile::tempdir().unwrap();
    let core = directory.path().join("core");
    std::fs::copy(&fixture.core, &core).unwrap();
    let output = panicle().arg(&core).arg("--binary").arg(&other.binary).output().unwrap();
    let found_where_it_ran = String::from_utf8_lossy(&output.stderr).contains("using ");
    assert_eq!(output.status.code(), if found_where_it_ran { Some(0) } else { Some(3) });
    // Of two that are given, the one that is not used is named.
    let output = panicle()
        .arg(&core)
        .arg("--binary")
        .arg(&other.binary)
        .arg("--binary")
        .arg(&fixture.binary)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0));
    assert!(said.contains(&format!("panicle: {}: ", other.binary.display())), "{said}");
}

#[test]
fn the_prompt_takes_commands_and_expressions() {
    let fixture = get("values", "1.24");
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_panicle"))
        .arg("inspect")
        .arg(&fixture.core)
        .arg("--binary")
        .arg(&fixture.binary)
        .env("XDG_STATE_HOME", directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let script = "seven + 1\nbt\nframe 4\nlocals\nframe 3\nlocals\nnobody\nmaps\nhelp\ngoroutine 99999\nframe\nq\nseven\n";
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let (text, errors) = (stdout(&output), String::from_utf8_lossy(&output.stderr).into_owned());
    for wanted in ["frame 3: main.crash", "\n8\n", "frame 4: main.main", "label string = ", "goroutine N"] {
        assert!(text.contains(wanted), "no {wanted:?} in {text}\n{errors}");
    }
    assert!(errors.contains("nobody") && errors.contains("there is no goroutine 99999"), "{errors}");
    let history = std::fs::read_to_string(directory.path().join("panicle/inspect-history")).unwrap();
    assert!(history.contains("seven + 1"), "{history}");
}
