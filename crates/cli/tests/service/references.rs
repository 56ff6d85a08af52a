//! Evidence that stays in a bucket of others, and what becomes of crashes when it cannot be had there.

use std::{fs, time::Duration};

use panicle_backends::S3Server;
use panicle_fixtures::get;
use serde_json::{Value, json};

use super::{
    hooks::{ended, event, put, silent_source, source, tell, the_source},
    start_with,
};
use crate::harness::{Server, text};

/// A service that leaves objects where they are, and keeps none of them laid out.
fn referring(bucket: &S3Server, more: &[&str]) -> Server {
    let (environment, source) = the_source(bucket);
    let source = format!("{source}&take=reference");
    start_with(&environment, &[&["--s3-source", &source, "--cache-mib", "0"], more].concat())
}

/// Tells of an object, and answers what it became.
fn told(server: &Server, key: &str, sequencer: &str) -> Value {
    let object = ended(server, &tell(server, &event("ObjectCreated:Put", key, sequencer)));
    assert_eq!(object["state"], "done", "{object:#}");
    object
}

fn tell_of_executable(server: &Server) {
    told(server, "in/app", "01");
    server.wait_until("/api/v1/binaries", |found| found["items"][0]["go_version"].is_string());
}

fn says(crash: &Value, words: &str) -> bool {
    crash["diagnostics"].to_string().contains(words)
}

#[test]
fn a_crash_goes_on_without_an_executable_that_went() {
    let bucket = source();
    let server = referring(&bucket, &[]);
    let fixture = get("nil-map-write", "1.27");
    put(&bucket, "in/app", &fs::read(&fixture.binary).unwrap());
    tell_of_executable(&server);
    fs::remove_file(bucket.bucket().join("in/app")).unwrap();
    let crash = server.crash_of_core(&fixture.core);
    let waits = server.wait(&crash, &["waiting-for-binary", "done", "failed"]);
    assert_eq!(waits["status"], "waiting-for-binary", "{waits:#}");
    assert!(says(&waits, "is left out") && says(&waits, "it was removed"), "{waits:#}");
    server.put_file("binary", &fixture.binary);
    let done = server.wait(&crash, &["done", "failed"]);
    assert_eq!((&done["status"], &done["class"]), (&json!("done"), &json!("nil-map-write")), "{done:#}");
    assert!(!says(&done, "is left out"), "{done:#}");
}

#[test]
fn a_crash_whose_source_is_away_ends_and_can_be_asked_for_again() {
    let mut bucket = source();
    let server = referring(&bucket, &["--object-patience-seconds", "3"]);
    let fixture = get("nil-map-write", "1.27");
    put(&bucket, "in/app", &fs::read(&fixture.binary).unwrap());
    put(&bucket, "in/core.7", &fs::read(&fixture.core).unwrap());
    tell_of_executable(&server);
    let crash = told(&server, "in/core.7", "01")["crash_id"].as_str().unwrap().to_owned();
    server.wait(&crash, &["done"]);
    bucket.stop();
    let again = || server.post(&format!("/api/v1/crashes/{crash}/reanalyse"), &json!({})).expect(202);
    again();
    let failed = server.wait(&crash, &["failed"]);
    assert_eq!(failed["failure"]["title"], "The evidence is out of reach", "{failed:#}");
    // Of a crash whose own evidence is here, it is an executable that is away.
    server.put_file("core", &fixture.core);
    again();
    let waits = server.wait(&crash, &["waiting-for-binary", "done", "failed"]);
    assert!(waits["status"] == "waiting-for-binary" && says(&waits, "is left out"), "{waits:#}");
    bucket.start();
    server.put_file("binary", &fixture.binary);
    server.wait(&crash, &["done"]);
}

#[test]
fn a_place_that_serves_is_not_given_up_for_another_one() {
    let bucket = source();
    let server = referring(&bucket, &[]);
    let place = |key: &str| {
        put(&bucket, key, text(1).as_bytes());
        let blob = told(&server, key, "01")["blob_id"].as_str().unwrap().to_owned();
        server.get(&format!("/api/v1/blobs/{blob}")).expect(200)["reference"]["key"].clone()
    };
    assert_eq!(place("in/a.log"), "in/a.log");
    assert_eq!(place("in/b.log"), "in/a.log");
    fs::remove_file(bucket.bucket().join("in/a.log")).unwrap();
    assert_eq!(place("in/c.log"), "in/c.log");
}

#[test]
fn what_was_never_looked_for_is_not_given_up() {
    let (_silent, environment, dead) = silent_source();
    let server = start_with(&environment, &["--s3-source", &dead, "--object-patience-seconds", "2"]);
    let objects: Vec<String> = (0..6)
        .map(|number| {
            let told = tell(&server, &event("ObjectCreated:Put", &format!("dead/{number}"), "1"));
            format!("/api/v1/objects/{}", told["objects"][0]["id"].as_str().unwrap())
        })
        .collect();
    let last = server.wait_until(&objects[5], |object| object["problem"].is_string());
    assert_eq!(last["state"], "queued", "{last:#}");
    std::thread::sleep(Duration::from_secs(3));
    let last = server.get(&objects[5]).expect(200);
    assert!(last["state"] == "queued", "{last:#}");
}
