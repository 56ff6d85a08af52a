//! `panicle upload`: ids out, and exit codes that say what went wrong.

use std::{fs, path::Path, process::Output};

use panicle_fixtures::get;
use serde_json::Value;

use crate::harness::{Server, panicle, text};

fn upload(server: &str, arguments: &[&str]) -> Output {
    panicle().arg("upload").args(arguments).args(["--server", server]).output().unwrap()
}

#[track_caller]
fn refused(output: &Output, code: i32, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(words), "{said}");
    assert!(output.stdout.is_empty());
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_core_with_its_executable_becomes_a_crash() {
    let server = Server::start(&[]);
    let fixture = get("concurrent-map-writes", "1.26");
    let arguments = [
        "core",
        path(&fixture.core),
        "--binary",
        path(&fixture.binary),
        "--text",
        path(&fixture.stderr),
        "--service",
        "shop",
        "--label",
        "pod=shop-1",
        "--format",
        "json",
    ];
    let output = upload(&server.url, &arguments);
    assert!(output.status.success(), "{output:?}");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["evidence"].as_array().unwrap().len(), 3);
    let crash = printed["crashes"][0]["id"].as_str().unwrap();
    assert_eq!(printed["crashes"][0]["url"], format!("{}/crashes/{crash}", server.url));
    let done = server.wait(crash, &["done", "failed", "waiting-for-binary"]);
    assert_eq!((done["status"].as_str(), done["service"].as_str()), (Some("done"), Some("shop")));
    assert_eq!(done["labels"]["pod"], "shop-1");

    let again = upload(&server.url, &arguments[..arguments.len() - 2]);
    let printed = String::from_utf8(again.stdout).unwrap();
    assert_eq!(printed.matches("was there already").count(), 3, "{printed}");
    assert!(printed.contains(&format!("{crash}  {}/crashes/{crash}  (was known already)", server.url)));
}

#[test]
fn texts_become_one_crash_and_executables_none() {
    let server = Server::start(&[]);
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (directory.path().join("one.log"), directory.path().join("two.log"));
    fs::write(&one, text(1)).unwrap();
    fs::write(&two, text(2)).unwrap();
    let output = upload(&server.url, &["text", path(&one), path(&two), "--format", "json"]);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["crashes"].as_array().unwrap().len(), 1);
    let output = upload(&server.url, &["binary", env!("CARGO_BIN_EXE_panicle"), "--format", "json"]);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(printed["crashes"].as_array().unwrap().is_empty());
    assert_eq!(printed["evidence"][0]["kind"], "binary");
}

#[test]
fn exit_codes_tell_what_went_wrong() {
    let server = Server::start(&["--workers", "0"]);
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let file = directory.path().join(name);
        fs::write(&file, bytes).unwrap();
        file
    };
    let (garbage, empty) = (file("garbage", b"no core at all"), file("empty", b""));
    let log = file("log", text(1).as_bytes());
    let binary_log = file("binary.log", b"a\0b");
    let url = &server.url;
    refused(&upload(url, &["core", path(&garbage)]), 3, "garbage");
    refused(&upload(url, &["core", path(&empty)]), 3, "is empty");
    refused(&upload(url, &["core", env!("CARGO_BIN_EXE_panicle")]), 3, "is an ELF executable, not a core");
    refused(&upload(url, &["text", path(&binary_log)]), 3, "no text");
    refused(&upload(url, &["text", "/does/not/exist"]), 3, "/does/not/exist");
    refused(&upload(url, &["text", path(&log), "--label", "x"]), 2, "KEY=VALUE");
    refused(&upload(url, &["nonsense", path(&log)]), 2, "nonsense");
    refused(&upload("localhost:1", &["text", path(&log)]), 2, "http://");
    // Nothing listens on the discard port.
    refused(&upload("http://127.0.0.1:9", &["text", path(&log)]), 4, "127.0.0.1:9");
    assert_eq!(server.get("/api/v1/stats").expect(200)["crashes"], 0);
}
