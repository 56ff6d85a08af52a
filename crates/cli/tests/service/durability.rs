//! SIGKILL at any moment loses nothing that was acknowledged.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use panicle_fixtures::get;
use serde_json::json;

use super::start;
use crate::harness::text;

#[test]
fn killed_during_an_upload() {
    let server = start(&["--workers", "0"]);
    let kept = server.put_stream("text", text(1).as_bytes());
    let core = fs::read(get("nil-map-write", "1.25").core).unwrap();
    let half = &core[..core.len() / 2];

    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let length = core.len();
    write!(stream, "PUT /api/v1/blobs/core HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n")
        .unwrap();
    stream.write_all(half).unwrap();
    let temporary = server.data().join("tmp");
    let started = Instant::now();
    while fs::read_dir(&temporary).unwrap().count() == 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "nothing is written");
        thread::sleep(Duration::from_millis(5));
    }
    let server = server.kill_and_restart();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty(), "half an upload was acknowledged");

    assert_eq!(fs::read_dir(server.data().join("tmp")).unwrap().count(), 0);
    server.get(&format!("/api/v1/blobs/{kept}")).expect(200);
    let stored = server.put("core", core.as_slice()).expect(201);
    let path = format!("/api/v1/blobs/{}/content", stored["id"].as_str().unwrap());
    assert!(server.get(&path).body == core);
}

#[test]
fn killed_during_analysis() {
    let server = start(&["--workers", "2"]);
    let programs = ["nil-map-write", "deadlock", "goroutine-leak", "stack-overflow", "http-server", "waits"];
    let mut crashes = Vec::new();
    for program in programs {
        for version in ["1.23", "1.26"] {
            let fixture = get(program, version);
            let core = server.put_file("core", &fixture.core);
            let binary = server.put_file("binary", &fixture.binary);
            crashes.push(server.crash(&json!({ "core": core, "binaries": [binary] })));
        }
    }
    server
        .wait_until("/api/v1/crashes?status=analysing", |page| !page["items"].as_array().unwrap().is_empty());
    let unfinished = server.get("/api/v1/stats").expect(200)["queued"].as_u64().unwrap();
    assert!(unfinished > 0, "it was done before it was killed");
    let server = server.kill_and_restart();
    for crash in &crashes {
        assert_eq!(server.wait(crash, &["done", "failed", "quarantined"])["status"], "done");
    }
    let stats = server.get("/api/v1/stats").expect(200);
    assert_eq!((&stats["crashes"], &stats["queued"]), (&json!(crashes.len()), &json!(0)));
    let counted: u64 = server.get("/api/v1/groups").expect(200)["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["count"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, crashes.len() as u64);
}

#[test]
fn no_child_outlives_a_killed_server() {
    let server = start(&["--workers", "1"]);
    let huge = server.put_stream("text", crate::limits::huge_text().as_bytes());
    server.crash(&json!({ "texts": [huge] }));
    let children = format!("/proc/{}/task", server.pid());
    let child = || {
        fs::read_dir(&children).unwrap().find_map(|task| {
            let list = fs::read_to_string(task.ok()?.path().join("children")).ok()?;
            list.split_whitespace().next()?.parse::<u32>().ok()
        })
    };
    let started = Instant::now();
    let child = loop {
        if let Some(child) = child() {
            break child;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "no child was started");
    };
    let _server = server.kill_and_restart();
    let started = Instant::now();
    let alive = || {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with(['Z', 'X']))
    };
    while alive() {
        assert!(started.elapsed() < Duration::from_secs(5), "child {child} lives on");
        thread::sleep(Duration::from_millis(10));
    }
}
