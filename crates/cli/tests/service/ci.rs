//! docs/ci.md: what it shows is read, and run.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use panicle_fixtures::get;
use serde_json::Value;

use crate::harness::{Server, id, panicle};

/// The blocks of a language in the document.
fn blocks(language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ci.md");
    let text = fs::read_to_string(path).unwrap();
    let start = format!("```{language}\n");
    text.split(&start).skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// All texts in a document.
fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|value| texts(value, into)),
        Value::Object(object) => object.values().for_each(|value| texts(value, into)),
        _ => {}
    }
}

/// The arguments of each `panicle` in a script; what a shell would put in is there as it is written.
fn commands(script: &str) -> Vec<Vec<String>> {
    let lines = script.lines().filter_map(|line| {
        let at =
            line.find("panicle ").filter(|at| line[..*at].is_empty() || line[..*at].ends_with([' ', ';']))?;
        let command = line[at..].split([';', '|', '&', '>']).next()?;
        Some(command.split_whitespace().skip(1).map(|word| word.replace('"', "")).collect())
    });
    lines.collect()
}

#[test]
fn every_block_is_yaml_and_every_command_in_it_exists() {
    let documents: Vec<Value> =
        blocks("yaml").iter().map(|block| serde_saphyr::from_str(block).unwrap()).collect();
    let mut scripts = blocks("");
    for document in &documents {
        texts(document, &mut scripts);
    }
    let commands: Vec<_> = scripts.iter().flat_map(|script| commands(script)).collect();
    assert!(documents.len() == 2 && commands.len() >= 8, "{commands:?}");
    for arguments in &commands {
        // An option, a kind or a command that is not there is refused before there is any help.
        let output = panicle().args(arguments).arg("--help").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let wrong = panicle().args(["upload", "binary", "x", "--nonsense", "--help"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2), "this test finds what is not there");
    let github = &documents[0]["jobs"];
    assert!(github["build"]["steps"].is_array() && github["test"]["steps"].is_array());
    assert!(documents[1]["build"]["script"].is_array() && documents[1]["test"]["after_script"].is_array());
}

fn token(server: &Server, scopes: &str) -> String {
    let output = panicle()
        .args(["admin", "token", "create", "--name", "ci", "--scopes", scopes, "--format", "json", "--data"])
        .arg(server.data())
        .output()
        .unwrap();
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    made["token"].as_str().unwrap().to_owned()
}

/// A runner's folder, after a build and a run of tests that died.
fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fixture = get("nil-map-write", "1.26");
    fs::create_dir(folder.path().join("bin")).unwrap();
    fs::copy(&fixture.binary, folder.path().join("bin").join("shop")).unwrap();
    fs::copy(&fixture.stderr, folder.path().join("test.log")).unwrap();
    let race = Path::new(env!("CARGO_MANIFEST_DIR")).join(RACE);
    fs::copy(race, folder.path().join("race.77")).unwrap();
    folder
}

const RACE: &str = "../evidence/tests/data/1.26.6/race.single.txt";

/// Runs a script as a runner does, with the product in its path.
fn run(script: &str, folder: &Path, server: &Server, variables: &[(&str, &str)]) -> Output {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_panicle"));
    let path = format!("{}:{}", program.parent().unwrap().display(), env::var("PATH").unwrap());
    Command::new("bash")
        .args(["-e", "-c", script])
        .current_dir(folder)
        .env("PATH", path)
        .env("PANICLE_SERVER", &server.url)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// What has to be there after both scripts.
fn check(server: &Server, first: &[String], tests: &str, tokens: [&str; 2], variables: &[(&str, &str)]) {
    let folder = workspace();
    let [symbols, ingest] = tokens;
    let mut said = String::new();
    for (script, token) in first.iter().map(|script| (script.as_str(), symbols)).chain([(tests, ingest)]) {
        let mut all = vec![
            ("PANICLE_TOKEN", token),
            ("PANICLE_SYMBOLS_TOKEN", symbols),
            ("PANICLE_INGEST_TOKEN", ingest),
        ];
        all.extend_from_slice(variables);
        let output = run(script, folder.path(), server, &all);
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        said.push_str(&String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(said.matches("binary  ").count(), 2, "{said}");
    assert!(said.contains("shop.debug") && said.matches("crash   ").count() == 2, "{said}");
}

/// The lines of a step, by its name; those of all steps of a job without one.
fn step(job: &Value, name: &str) -> String {
    let steps = job["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step {name}"));
    step["run"].as_str().unwrap().to_owned()
}

fn lines(list: &Value, from: usize) -> String {
    let lines: Vec<&str> =
        list.as_array().unwrap()[from..].iter().map(|line| line.as_str().unwrap()).collect();
    lines.join("\n")
}

#[test]
fn the_scripts_do_what_they_say_with_tokens_of_their_scopes() {
    let documents: Vec<Value> =
        blocks("yaml").iter().map(|block| serde_saphyr::from_str(block).unwrap()).collect();
    for (document, service) in documents.iter().zip(["acme/shop", "acme/store"]) {
        let server = Server::start(&["--workers", "1"]);
        let (symbols, ingest) = (token(&server, "symbols"), token(&server, "ingest"));
        let reader = token(&server, "read");
        if document.get("jobs").is_some() {
            let jobs = &document["jobs"];
            let build = ["Split debug information off", "Send executables and debug files"];
            let first = build.map(|name| step(&jobs["build"], name));
            let tests = step(&jobs["test"], "Send what the tests died of");
            let variables = [("GITHUB_REPOSITORY", service), ("GITHUB_SHA", "3f1c"), ("GITHUB_RUN_ID", "17")];
            check(&server, &first, &tests, [&symbols, &ingest], &variables);
        } else {
            // Without what builds and tests, which was done.
            let first = [lines(&document["build"]["script"], 1)];
            let tests = lines(&document["test"]["after_script"], 0);
            let variables = [("CI_PROJECT_PATH", service), ("CI_COMMIT_SHA", "3f1c"), ("CI_JOB_ID", "17")];
            check(&server, &first, &tests, [&symbols, &ingest], &variables);
        }
        let bearer = format!("Bearer {reader}");
        let get = |path: &str| server.send("GET", path, &[("authorization", &bearer)], ()).expect(200);
        let crashes = get("/api/v1/crashes");
        let crashes = crashes["items"].as_array().unwrap();
        assert!(
            crashes.len() == 2 && crashes.iter().all(|crash| crash["service"] == service),
            "{crashes:#?}"
        );
        let labels = get(&format!("/api/v1/crashes/{}", id(&crashes[0])))["labels"].clone();
        assert!(labels["run"] == "17" || labels["job"] == "17", "{labels}");
        assert_eq!(get("/api/v1/binaries")["items"].as_array().unwrap().len(), 2);
    }
}
