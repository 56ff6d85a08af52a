//! Evidence that is too much for its analysis harms nothing else.

use std::{
    fmt::Write,
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use panicle_fixtures::get;
use serde_json::json;

use super::start;
use crate::harness::{Server, text};

/// A text of so many different goroutines that reading it takes hundreds of megabytes.
pub(crate) fn huge_text() -> String {
    let mut text =
        String::from("panic: too much\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:5 +0x1d\n\n");
    for id in 2..400_000 {
        write!(text, "goroutine {id} [select]:\nmain.f{id}(0x{id:x})\n\t/src/f{id}.go:{id} +0x1d\n\n")
            .unwrap();
    }
    text
}

#[test]
fn what_kills_its_analysis_is_set_aside_after_three_attempts() {
    let server = start(&["--workers", "1", "--analysis-memory-mib", "40", "--retry-after-seconds", "0"]);
    let huge = server.put_stream("text", huge_text().as_bytes());
    let poison = server.crash(&json!({ "texts": [huge] }));
    let small = server.put_stream("text", text(1).as_bytes());
    let healthy = server.crash(&json!({ "texts": [small] }));

    assert_eq!(server.wait(&healthy, &["done", "failed", "quarantined"])["status"], "done");
    let set_aside = server.wait(&poison, &["done", "failed", "quarantined"]);
    assert_eq!(set_aside["status"], "quarantined", "{set_aside:#}");
    assert_eq!(set_aside["attempts"], 3);
    assert_eq!(set_aside["failure"]["attempts"], 3);
    assert!(set_aside["failure"]["detail"].as_str().unwrap().contains("memory"), "{set_aside:#}");
    assert_eq!(server.get("/api/v1/stats").expect(200)["failed"], 1);
    // Its reproducer is the evidence itself.
    let evidence = server.get(&format!("/api/v1/blobs/{huge}/content"));
    assert_eq!(evidence.body.len(), huge_text().len());
    // It is tried again when somebody asks for it.
    server.post(&format!("/api/v1/crashes/{poison}/reanalyse"), &json!({})).expect(202);
    server.wait(&poison, &["quarantined"]);
}

#[test]
fn what_takes_too_long_is_stopped() {
    let server = start(&["--workers", "1", "--analysis-seconds", "0", "--retry-after-seconds", "0"]);
    let text = server.put_stream("text", text(1).as_bytes());
    let crash = server.crash(&json!({ "texts": [text] }));
    let stopped = server.wait(&crash, &["done", "failed", "quarantined"]);
    assert_eq!(stopped["status"], "quarantined");
    assert!(stopped["failure"]["detail"].as_str().unwrap().contains("longer than"), "{stopped:#}");
}

/// The child that works for a server.
fn child(server: &Server) -> Option<u32> {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.pid())).ok()?;
    tasks.flatten().find_map(|task| {
        let list = fs::read_to_string(task.path().join("children")).ok()?;
        list.split_whitespace().next()?.parse().ok()
    })
}

#[test]
fn a_core_whose_analysis_dies_every_time_is_set_aside_and_holds_up_nothing() {
    let server = start(&["--workers", "1", "--retry-after-seconds", "0"]);
    let fixture = get("big-map", "1.27");
    let core = server.put_file("core", &fixture.core);
    let binary = server.put_file("binary", &fixture.binary);
    let poison = server.crash(&json!({ "core": core, "binaries": [binary] }));
    let path = format!("/api/v1/crashes/{poison}");
    let started = Instant::now();
    let mut killed = 0;
    while server.get(&path).expect(200)["status"] != "quarantined" {
        assert!(
            started.elapsed() < Duration::from_secs(90),
            "{killed} children were killed\n{}",
            server.log()
        );
        let child = child(&server);
        // Its worker does one thing at a time.
        if let (Some(child), "analysing") = (child, server.get(&path).expect(200)["status"].as_str().unwrap())
        {
            let kill = Command::new("kill").args(["-SEGV", &child.to_string()]).status().unwrap();
            killed += usize::from(kill.success());
        }
        thread::sleep(Duration::from_millis(5));
    }
    let small = server.put_stream("text", text(1).as_bytes());
    let healthy = server.crash(&json!({ "texts": [small] }));
    assert_eq!(server.wait(&healthy, &["done", "failed", "quarantined"])["status"], "done");
    let set_aside = server.get(&path).expect(200);
    assert_eq!((&set_aside["attempts"], &set_aside["failure"]["attempts"]), (&json!(3), &json!(3)));
    let why = set_aside["failure"]["detail"].as_str().unwrap();
    assert!(why.contains("signal 11"), "{why}");
    // It was not the core's fault.
    server.post(&format!("{path}/reanalyse"), &json!({})).expect(202);
    assert_eq!(server.wait(&poison, &["done", "failed", "quarantined"])["status"], "done");
}

#[test]
fn an_analysis_says_how_far_it_is_and_can_be_called_off() {
    let server = start(&["--workers", "1"]);
    let huge = server.put_stream("text", huge_text().as_bytes());
    let long = server.crash(&json!({ "texts": [huge] }));
    let path = format!("/api/v1/crashes/{long}");
    let reading = server.wait_until(&path, |crash| crash["progress"]["step"] == "reading");
    assert!(reading["progress"]["step_since"].is_string());
    let small = server.put_stream("text", text(1).as_bytes());
    let next = server.crash(&json!({ "texts": [small] }));
    assert_eq!(server.get(&format!("/api/v1/crashes/{next}")).expect(200)["progress"]["jobs_ahead"], 0);

    let called_off = server.post(&format!("{path}/cancel"), &json!({})).expect(200);
    assert_eq!(called_off["status"], "failed");
    assert!(called_off["failure"]["title"].as_str().unwrap().contains("called off"));
    // Its worker hears of it and is free.
    assert_eq!(server.wait(&next, &["done", "failed", "quarantined"])["status"], "done");
    let started = Instant::now();
    while child(&server).is_some() {
        assert!(started.elapsed() < Duration::from_secs(5), "its child lives on");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.get(&path).expect(200)["status"], "failed");
    assert_eq!(server.post(&format!("{path}/cancel"), &json!({})).problem(422), "cannot-be-done");
    server.post(&format!("{path}/reanalyse"), &json!({})).expect(202);
    server.wait_until(&path, |crash| crash["progress"]["step"] == "reading");
}
