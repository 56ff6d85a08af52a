//! Cores whose executable is missing, is another one, or was not built by Go.

use panicle_fixtures::get;
use serde_json::json;

use crate::harness::{Server, core_without_go};

#[test]
fn a_core_without_its_executable_waits_and_goes_on_by_itself() {
    let server = Server::start(&[]);
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
    let server = Server::start(&[]);
    let fixture = get("nil-map-write", "1.27");
    let binary = server.put_file("binary", &fixture.binary);
    server.wait_until(&format!("/api/v1/blobs/{binary}"), |blob| blob["binary"]["identified"] == true);
    let crash = server.crash_of_core(&fixture.core);
    assert_eq!(server.wait(&crash, &["done", "failed", "waiting-for-binary"])["status"], "done");
}

#[test]
fn another_executable_is_said_and_never_used() {
    let server = Server::start(&[]);
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
    let server = Server::start(&[]);
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
