//! `panicle upload` over ways that break, to servers that are killed, busy or old, and of what is there already.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use panicle_fixtures::get;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::start;
use crate::{
    harness::{Server, panicle},
    link::Link,
};

pub(crate) const MIB: usize = 1 << 20;

/// The core of a program, and noise behind it up to a size.
pub(crate) fn core(size: usize) -> Vec<u8> {
    let mut core = fs::read(get("nil-map-write", "1.25").core).unwrap();
    let mut state = 7_u64;
    while core.len() < size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        core.extend_from_slice(&state.to_le_bytes());
    }
    core.truncate(size);
    core
}

pub(crate) fn file(directory: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

pub(crate) fn upload(server: &str, arguments: &[&str]) -> Command {
    let mut command = panicle();
    command.arg("upload").args(arguments).args(["--server", server, "--format", "json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
pub(crate) fn printed(output: &Output) -> Value {
    assert!(output.status.success(), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
pub(crate) fn is_there(server: &Server, printed: &Value, bytes: &[u8]) {
    let evidence = &printed["evidence"][0];
    assert_eq!(evidence["id"], hex::encode(Sha256::digest(bytes)));
    assert_eq!(evidence["size_bytes"], bytes.len());
    let path = format!("/api/v1/blobs/{}/content", evidence["id"].as_str().unwrap());
    assert!(server.get(&path).body == bytes, "other bytes came out");
}

/// Waits until the server has pieces of an upload.
pub(crate) fn wait_for_pieces(server: &Server, number: usize, child: &mut Child) {
    let started = Instant::now();
    while fs::read_dir(server.spool()).map_or(0, Iterator::count) < number {
        assert!(started.elapsed() < Duration::from_mins(1), "nothing comes");
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_large_file_goes_on_after_connections_broke_and_the_server_was_killed() {
    let server = start(&["--workers", "0"]);
    let link = Link::to(&server.url);
    let directory = tempfile::tempdir().unwrap();
    let whole = core(56 * MIB);
    let path = file(directory.path(), "core.1", &whole);
    link.slow_down(60 << 20);
    link.break_connections(1, 21 << 20);
    let mut child = upload(&link.url, &["core", path.to_str().unwrap()]).spawn().unwrap();
    wait_for_pieces(&server, 3, &mut child);
    let server = server.kill_and_restart();
    link.lead_to(&server.url);
    let output = child.wait_with_output().unwrap();
    is_there(&server, &printed(&output), &whole);
    assert_eq!(link.breaks_left(), 0);
    // But for the one that was being written when the server was killed, which goes a day later.
    assert!(fs::read_dir(server.spool()).map_or(0, Iterator::count) <= 1);
    // Once more: nothing is sent.
    link.break_connections(1, 1 << 20);
    let again = upload(&link.url, &["core", path.to_str().unwrap()]).output().unwrap();
    assert_eq!(printed(&again)["evidence"][0]["new"], false);
    assert_eq!(link.breaks_left(), 1);
}

#[test]
fn what_is_sent_is_for_the_project_that_is_named() {
    let server = start(&["--workers", "0"]);
    server.post("/api/v1/projects", &serde_json::json!({ "id": "shop" })).expect(201);
    let directory = tempfile::tempdir().unwrap();
    // In one request, in several, and out of a pipe.
    let small = file(directory.path(), "core.1", &core(MIB));
    let large = file(directory.path(), "core.2", &core(9 * MIB));
    let arguments =
        ["core", small.to_str().unwrap(), large.to_str().unwrap(), "--project", "shop", "--service", "cart"];
    let sent = printed(&upload(&server.url, &arguments).output().unwrap());
    let list = |project: &str| server.get(&format!("/api/v1/crashes?project={project}")).expect(200);
    assert_eq!(list("shop")["items"].as_array().unwrap().len(), 2, "{sent:#}");
    assert_eq!(list("default")["items"], serde_json::json!([]));
    for evidence in sent["evidence"].as_array().unwrap() {
        let of = |project: &str| {
            let id = evidence["id"].as_str().unwrap();
            server.get(&format!("/api/v1/blobs/{id}?project={project}")).status
        };
        assert_eq!((of("shop"), of("default")), (200, 404));
    }
    // What one project has is sent again for another.
    let again = printed(&upload(&server.url, &arguments[..2]).output().unwrap());
    assert_eq!(list("default")["items"].as_array().unwrap().len(), 1, "{again:#}");
    let nowhere = upload(&server.url, &["core", arguments[1], "--project", "nothing"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(3), "{}", said(&nowhere));
}

#[test]
fn a_pipe_goes_on_after_the_server_was_killed() {
    let server = start(&["--workers", "0"]);
    let link = Link::to(&server.url);
    let whole = core(45 * MIB + 17);
    link.slow_down(60 << 20);
    link.break_connections(1, 12 << 20);
    let size = whole.len().to_string();
    let mut child = upload(&link.url, &["core", "-", "--name", "core.7", "--size", &size])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let bytes = whole.clone();
    let writing = thread::spawn(move || pipe.write_all(&bytes).unwrap());
    wait_for_pieces(&server, 2, &mut child);
    let server = server.kill_and_restart();
    link.lead_to(&server.url);
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    let printed = printed(&output);
    is_there(&server, &printed, &whole);
    assert_eq!(
        (&printed["evidence"][0]["name"], &printed["evidence"][0]["new"]),
        (&"core.7".into(), &true.into())
    );
    let crash = server.get(&format!("/api/v1/crashes/{}", printed["crashes"][0]["id"].as_str().unwrap()));
    assert_eq!(crash.expect(200)["evidence"][0]["name"], "core.7");
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn executables_are_asked_for_by_build_and_better_ones_are_sent() {
    let server = start(&["--workers", "1"]);
    let full = get("nil-map-write", "1.26").binary;
    let directory = tempfile::tempdir().unwrap();
    let (bare, debug) = (directory.path().join("bare"), directory.path().join("server.debug"));
    run(Command::new("strip").arg("-o").arg(&bare).arg(&full));
    run(Command::new("objcopy").arg("--only-keep-debug").arg(&full).arg(&debug));
    let send = |path: &Path| {
        let output = upload(&server.url, &["binary", path.to_str().unwrap()]).output().unwrap();
        let evidence = printed(&output)["evidence"][0].clone();
        // It is looked at by a job.
        let of = format!("/api/v1/blobs/{}", evidence["id"].as_str().unwrap());
        (server.wait_until(&of, |blob| blob["binary"]["identified"] == true)["binary"].clone(), evidence)
    };
    let (stripped, sent) = send(&bare);
    assert_eq!((&sent["new"], &stripped["dwarf"]), (&true.into(), &"none".into()));
    let (debug_file, sent) = send(&debug);
    assert_eq!((&sent["new"], &debug_file["role"]), (&true.into(), &"debug-file".into()), "{sent:#}");
    let (whole, sent) = send(&full);
    assert_eq!((&sent["new"], &whole["dwarf"]), (&true.into(), &"full".into()));
    let kept = server.kept();

    let ids = &whole["build_ids"];
    let go = ids["go"].as_str().unwrap();
    let gnu = ids["gnu"].as_str().unwrap();
    let of_build = |id: &str, expected: &[&Value]| {
        let list = server.get(&format!("/api/v1/binaries?build_id={id}")).expect(200);
        let mut found: Vec<&str> =
            list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        let mut expected: Vec<&str> = expected.iter().map(|binary| binary["id"].as_str().unwrap()).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!((found, &list["next_cursor"]), (expected, &Value::Null), "{id}");
    };
    for id in [gnu, &gnu.to_uppercase(), &go.replace('/', "%2F"), &hex::encode(go)] {
        of_build(id, &[&stripped, &debug_file, &whole]);
    }
    // By its code, and by its own bytes.
    of_build(ids["text_sha256"].as_str().unwrap(), &[&stripped, &whole]);
    of_build(stripped["id"].as_str().unwrap(), &[&stripped]);
    let none = server.get("/api/v1/binaries?build_id=00").expect(200);
    assert_eq!(none["items"].as_array().unwrap().len(), 0);
    // Of the same build, with other bytes and nothing more in them.
    let other = directory.path().join("other");
    run(Command::new("objcopy")
        .args(["--remove-section", ".comment", "--strip-debug"])
        .arg(&full)
        .arg(&other));
    let mut bytes = fs::read(&other).unwrap();
    bytes.extend_from_slice(b"more");
    fs::write(&other, bytes).unwrap();
    let output = panicle()
        .args(["upload", "binary"])
        .args([&other, &debug, &full])
        .args(["--server", &server.url])
        .output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    assert_eq!(said.matches(&format!("(build {gnu} was there already)")).count(), 3, "{said}");
    assert_eq!(server.kept(), kept);
}
