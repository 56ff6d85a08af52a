//! Cores whose executable is missing, is another one, or was not built by Go.

use std::{fs, path::Path, process::Command};

use panicle_fixtures::get;
use serde_json::json;

use super::start;
use crate::harness::core_without_go;

#[test]
fn a_core_without_its_executable_waits_and_goes_on_by_itself() {
    let server = start(&[]);
    let fixture = get("nil-map-write", "1.24");
    let crash = server.crash_of_core(&fixture.core);
    let waiting = server.wait(&crash, &["waiting-for-binary", "done", "failed"]);
    assert_eq!(waiting["status"], "waiting-for-binary");
    assert_eq!(waiting["missing"]["what"], "binary");
    assert!(waiting["missing"]["executable"].as_str().unwrap().ends_with("nil-map-write"));
    assert!(waiting["missing"]["build_ids"]["go"].is_string());
    assert!(waiting["diagnostics"][0]["text"].as_str().unwrap().contains("uploaded"));
    assert_eq!(server.get("/api/v1/stats").expect(200)["waiting_for_binary"], 1);
    let report = server.get(&format!("/api/v1/crashes/{crash}/report")).expect(200);
    assert!(!report["threads"].as_array().unwrap().is_empty());
    assert_eq!(report["binary"], json!(null));

    let binary = server.put_file("binary", &fixture.binary);
    let done = server.wait(&crash, &["done", "failed"]);
    assert_eq!(done["status"], "done");
    assert_eq!(done["missing"], json!(null));
    assert_eq!(done["go_version"], "go1.24.11");
    assert!(done["group_id"].is_string());
    let evidence = server.get(&format!("/api/v1/crashes/{crash}/evidence")).expect(200);
    assert!(evidence["items"].as_array().unwrap().iter().any(|item| item["id"] == binary.as_str()));
}

#[test]
fn an_executable_that_is_there_first_is_found() {
    let server = start(&[]);
    let fixture = get("nil-map-write", "1.27");
    let binary = server.put_file("binary", &fixture.binary);
    server.wait_until(&format!("/api/v1/blobs/{binary}"), |blob| blob["binary"]["identified"] == true);
    let crash = server.crash_of_core(&fixture.core);
    assert_eq!(server.wait(&crash, &["done", "failed", "waiting-for-binary"])["status"], "done");
}

#[test]
fn another_executable_is_said_and_never_used() {
    let server = start(&[]);
    let core = server.put_file("core", &get("nil-map-write", "1.24").core);
    let wrong = server.put_file("binary", &get("string-panic", "1.24").binary);
    let crash = server.crash(&json!({ "core": core, "binaries": [wrong] }));
    let waiting = server.wait(&crash, &["waiting-for-binary", "done", "failed"]);
    assert_eq!(waiting["status"], "waiting-for-binary");
    assert!(waiting["diagnostics"][0]["text"].as_str().unwrap().contains("none of the 1 executables"));
    let report = server.get(&format!("/api/v1/crashes/{crash}/report?goroutines=all")).expect(200);
    assert!(report["goroutines"].as_array().unwrap().is_empty());

    let right = server.put_file("binary", &get("nil-map-write", "1.24").binary);
    assert_eq!(server.wait(&crash, &["done", "failed"])["status"], "done");
    let report = server.get(&format!("/api/v1/crashes/{crash}/report")).expect(200);
    assert_eq!(report["binary"]["match"], "build-id");
    let evidence = server.get(&format!("/api/v1/crashes/{crash}/evidence")).expect(200);
    assert!(evidence["items"].as_array().unwrap().iter().any(|item| item["id"] == right.as_str()));
}

#[test]
fn a_core_without_go_is_done_and_says_so() {
    let server = start(&[]);
    let directory = tempfile::tempdir().unwrap();
    let crash = server.crash_of_core(&core_without_go(directory.path()));
    let done = server.wait(&crash, &["waiting-for-binary", "done", "failed"]);
    assert_eq!(done["status"], "done", "{done:#}");
    assert_eq!(done["group_id"], json!(null));
    let said = done["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .any(|entry| entry["text"].as_str().unwrap().contains("Go"));
    assert!(said, "{done:#}");
    let report = server.get(&format!("/api/v1/crashes/{crash}/report")).expect(200);
    assert_eq!(report["process"]["signal"]["name"], "SIGSEGV");
}

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

/// Copies an executable with IDs that another link of it would have.
fn other_ids(executable: &Path, twin: &Path) {
    fs::copy(executable, twin).unwrap();
    for section in [".note.gnu.build-id", ".note.go.buildid"] {
        let note = twin.with_extension("note");
        let dump = format!("--dump-section={section}={}", note.display());
        run(Command::new("objcopy").arg(dump).arg(twin));
        let mut bytes = fs::read(&note).unwrap();
        // Behind the header and the name; the last part of a Go ID is at the end.
        bytes[20] ^= 1;
        let last = bytes.iter().rposition(|&byte| byte != 0).unwrap();
        bytes[last] ^= 1;
        fs::write(&note, bytes).unwrap();
        let update = format!("--update-section={section}={}", note.display());
        run(Command::new("objcopy").arg(update).arg(twin));
    }
}

#[test]
fn debug_information_that_arrives_later_is_used_by_itself() {
    let server = start(&[]);
    let fixture = get("nil-map-write", "1.26");
    let folder = tempfile::tempdir().unwrap();
    let (stripped, twin) = (folder.path().join("stripped"), folder.path().join("twin"));
    run(Command::new("strip").arg("-o").arg(&stripped).arg(&fixture.binary));
    other_ids(&fixture.binary, &twin);
    let binary = server.put_file("binary", &stripped);
    server.wait_until(&format!("/api/v1/blobs/{binary}"), |blob| blob["binary"]["identified"] == true);
    let crash = server.crash_of_core(&fixture.core);
    let settled = server.wait(&crash, &["done", "failed", "waiting-for-binary"]);
    assert_eq!(settled["status"], "done", "{settled:#}");
    assert!(settled["diagnostics"].to_string().contains("built without -s -w"), "{settled:#}");

    // Another program with debug information changes nothing.
    let other = server.put_file("binary", &get("string-panic", "1.26").binary);
    server.wait_until(&format!("/api/v1/blobs/{other}"), |blob| blob["binary"]["identified"] == true);
    assert_eq!(server.get(&format!("/api/v1/crashes/{crash}")).expect(200)["status"], "done");

    let uploaded = server.put_file("binary", &twin);
    let path = format!("/api/v1/crashes/{crash}/report");
    let report = server.wait_until(&path, |report| report["binary"]["dwarf"] == "separate");
    assert_eq!(report["binary"]["match"], "text");
    assert_eq!(report["verdict"]["class"], "nil-map-write");
    assert_eq!(report["layout"]["source"], "dwarf");
    let evidence = server.get(&format!("/api/v1/crashes/{crash}/evidence")).expect(200);
    let used = |id: &str| evidence["items"].as_array().unwrap().iter().any(|item| item["id"] == id);
    assert!(used(&binary) && used(&uploaded) && !used(&other), "{evidence:#}");

    // The list of executables says what each is.
    let listed = server.get("/api/v1/binaries").expect(200);
    let of =
        |id: &str| listed["items"].as_array().unwrap().iter().find(|item| item["id"] == id).unwrap().clone();
    let (bare, full) = (of(&binary), of(&uploaded));
    assert_eq!(
        (&bare["role"], &bare["stripped"], &bare["dwarf"]),
        (&json!("executable"), &json!(true), &json!("none"))
    );
    assert_eq!((&full["stripped"], &full["dwarf"]), (&json!(false), &json!("full")));
    assert_eq!(bare["build_ids"]["text_sha256"], full["build_ids"]["text_sha256"]);
    assert_ne!(bare["build_ids"]["go"], full["build_ids"]["go"]);

    // What was split off a file of one's own.
    let debug = folder.path().join("debug");
    run(Command::new("objcopy").arg("--only-keep-debug").arg(&fixture.binary).arg(&debug));
    let debug = server.put_file("binary", &debug);
    let blob =
        server.wait_until(&format!("/api/v1/blobs/{debug}"), |blob| blob["binary"]["identified"] == true);
    assert_eq!(blob["binary"]["role"], "debug-file");
}
