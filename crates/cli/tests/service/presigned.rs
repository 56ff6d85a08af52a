//! Uploads straight into the bucket that evidence is in.

use std::{fs, process::Command, sync::Arc, thread, time::Duration};

use panicle_fixtures::get;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use ureq::Agent;

use crate::harness::{Server, Stores, on_files, text};

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn begin(server: &Server, body: &Value) -> Value {
    server.post("/api/v1/uploads/presigned", body).expect(201)
}

/// Puts bytes to a URL as any client of HTTP does, and answers the entity tag.
fn put(url: &Value, bytes: &[u8]) -> Result<String, u16> {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let answer = agent.put(url.as_str().unwrap()).send(bytes).unwrap();
    match answer.status().as_u16() {
        200 => Ok(answer.headers()["etag"].to_str().unwrap().to_owned()),
        status => Err(status),
    }
}

fn complete(server: &Server, upload: &Value, body: &Value) -> crate::harness::Answer {
    server.post(upload["complete_url"].as_str().unwrap(), body)
}

fn incoming(stores: &Stores) -> usize {
    let place = stores.bucket().bucket().join("evidence").join("incoming");
    fs::read_dir(place)
        .map_or(0, |entries| entries.filter(|entry| entry.as_ref().unwrap().path().is_file()).count())
}

fn taken_over(server: &Server, upload: &Value, body: &Value) -> Value {
    let answer = complete(server, upload, body);
    assert!(matches!(answer.status, 201 | 202), "{}", String::from_utf8_lossy(&answer.body));
    let path = format!("/api/v1/uploads/presigned/{}", upload["id"].as_str().unwrap());
    server.wait_until(&path, |upload| upload["state"] != "queued")
}

#[test]
fn what_is_put_into_the_bucket_becomes_evidence() {
    let stores = Stores::new();
    let server = Server::start_on(Some(Arc::clone(&stores)), &[]);
    let fixture = get("nil-map-write", "1.27");
    let core = fs::read(&fixture.core).unwrap();
    let upload = begin(
        &server,
        &json!({ "kind": "core", "size_bytes": core.len(), "sha256": sha256(&core), "name": "../core.7" }),
    );
    assert_eq!((&upload["state"], &upload["method"]), (&json!("open"), &json!("PUT")));
    assert_eq!(complete(&server, &upload, &json!({})).problem(409), "not-there-yet");
    put(&upload["url"], &core[1..]).unwrap();
    assert_eq!(complete(&server, &upload, &json!({})).problem(409), "size-mismatch");
    put(&upload["url"], &core).unwrap();
    let done = taken_over(&server, &upload, &json!({}));
    assert_eq!(
        (&done["state"], &done["evidence"]["id"]),
        (&json!("done"), &json!(sha256(&core))),
        "{done:#}"
    );
    assert_eq!((&done["evidence"]["name"], &done["evidence"]["kind"]), (&json!("core.7"), &json!("core")));
    // Said twice, it stays what it is.
    let again = complete(&server, &upload, &json!({})).expect(201);
    assert_eq!(again["evidence"], done["evidence"]);
    assert_eq!(incoming(&stores), 0);
    server.put_file("binary", &fixture.binary);
    let crash = server.crash(&json!({ "core": done["evidence"]["id"] }));
    assert_eq!(server.wait(&crash, &["done", "failed"])["class"], "nil-map-write");
}

#[test]
fn large_uploads_come_in_parts() {
    let stores = Stores::new();
    let server = Server::start_on(Some(Arc::clone(&stores)), &[]);
    let mut core = fs::read(get("nil-map-write", "1.27").core).unwrap();
    core.resize(core.len().max(11 << 20), 7);
    let upload =
        begin(&server, &json!({ "kind": "core", "size_bytes": core.len(), "part_size_bytes": 5 << 20 }));
    assert_eq!(upload["url"], Value::Null);
    let mut parts = Vec::new();
    for part in upload["parts"].as_array().unwrap() {
        let from = part["offset"].as_u64().unwrap() as usize;
        let size = part["size_bytes"].as_u64().unwrap() as usize;
        parts.push(
            json!({ "number": part["number"], "etag": put(&part["url"], &core[from..from + size]).unwrap() }),
        );
    }
    assert_eq!(parts.len(), core.len().div_ceil(5 << 20));
    assert_eq!(complete(&server, &upload, &json!({ "parts": parts[1..] })).problem(400), "bad-request");
    parts.reverse();
    let done = taken_over(&server, &upload, &json!({ "parts": parts }));
    assert_eq!(done["evidence"]["id"], sha256(&core), "{done:#}");
    assert_eq!(incoming(&stores), 0);
}

/// An SDK that was not written here puts a file into a bucket.
const BOTO: &str = r#"
import sys, boto3
from boto3.s3.transfer import TransferConfig
endpoint, path, bucket, key = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
s3.upload_file(path, bucket, key, Config=parts)
"#;

#[test]
fn an_sdk_not_written_here_puts_it_there() {
    let packages = panicle_fixtures::cache_root().unwrap().join("tools").join("moto");
    assert!(packages.join("boto3").is_dir(), "cargo xtask test installs boto3 into {}", packages.display());
    let stores = Stores::new();
    let server = Server::start_on(Some(Arc::clone(&stores)), &[]);
    let fixture = get("nil-map-write", "1.27");
    // In parts or at once, as the SDK likes, whether the service had thought of parts or not.
    let announced = [(&fixture.core, "core", Some(5 << 20)), (&fixture.binary, "binary", None)];
    let stored = announced.map(|(path, kind, part)| {
        let bytes = fs::read(path).unwrap();
        let said = json!({ "kind": kind, "size_bytes": bytes.len(), "part_size_bytes": part });
        let upload = begin(&server, &said);
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", &packages).envs(stores.bucket().environment()).args(["-c", BOTO]);
        python.arg(stores.bucket().endpoint()).arg(path);
        python.args(["bucket", "key"].map(|field| upload[field].as_str().unwrap()));
        assert!(python.status().unwrap().success());
        let done = taken_over(&server, &upload, &json!({}));
        assert_eq!(done["evidence"]["id"], sha256(&bytes), "{done:#}");
        done["evidence"]["id"].clone()
    });
    assert_eq!(incoming(&stores), 0);
    let crash = server.crash(&json!({ "core": stored[0], "binaries": [stored[1]] }));
    assert_eq!(server.wait(&crash, &["done", "failed"])["class"], "nil-map-write");
}

#[test]
fn urls_are_for_the_name_that_the_store_has_outside() {
    let stores = Stores::new();
    let here = stores.bucket().endpoint();
    // Another name of the same store, which its signatures have to be for.
    let outside = here.replace("127.0.0.1", "localhost");
    let url = format!("{}&public_endpoint={outside}", stores.bucket().url("evidence"));
    let server = Server::start_on(Some(Arc::clone(&stores)), &["--blobs", &url]);
    let upload = begin(&server, &json!({ "kind": "text", "size_bytes": text(1).len() }));
    let signed = upload["url"].as_str().unwrap();
    assert!(signed.starts_with(&outside), "{signed}");
    let elsewhere = json!(signed.replace("localhost", "127.0.0.1"));
    assert_eq!(put(&elsewhere, text(1).as_bytes()), Err(403));
    put(&upload["url"], text(1).as_bytes()).unwrap();
    assert_eq!(taken_over(&server, &upload, &json!({}))["state"], "done");
}

#[test]
fn what_is_not_what_it_was_said_to_be_is_refused() {
    let stores = Stores::new();
    let server = Server::start_on(Some(Arc::clone(&stores)), &["--max-upload-bytes", "1000000"]);
    let size = text(1).len();
    let refused = |body: &Value, bytes: &[u8]| {
        let upload = begin(&server, body);
        put(&upload["url"], bytes).unwrap();
        assert_eq!(complete(&server, &upload, &json!({})).problem(422), "upload-refused");
    };
    refused(&json!({ "kind": "text", "size_bytes": size, "sha256": sha256(b"x") }), text(1).as_bytes());
    refused(&json!({ "kind": "core", "size_bytes": size }), text(1).as_bytes());
    assert_eq!(server.kept(), 0);
    let wrong = |body: &Value| server.post("/api/v1/uploads/presigned", body);
    assert_eq!(wrong(&json!({ "kind": "core", "size_bytes": 0 })).problem(400), "bad-request");
    assert_eq!(wrong(&json!({ "kind": "core", "size_bytes": 1_000_001 })).problem(413), "too-large");
    assert_eq!(wrong(&json!({ "kind": "core", "size_bytes": 5, "sha256": "x" })).problem(400), "bad-request");
    // A URL is for one object, and for nothing but putting it there.
    let upload = begin(&server, &json!({ "kind": "text", "size_bytes": 5 }));
    let other = upload["url"].as_str().unwrap().replace(upload["id"].as_str().unwrap(), "other");
    assert_eq!(put(&json!(other), b"hello"), Err(403));

    let files = on_files(&["--workers", "0"]);
    let answer = files.post("/api/v1/uploads/presigned", &json!({ "kind": "text", "size_bytes": 5 }));
    assert_eq!(answer.problem(409), "no-bucket");
}

#[test]
fn what_nobody_completes_is_removed() {
    let stores = Stores::new();
    let server = Server::start_on(Some(Arc::clone(&stores)), &["--upload-expiry-seconds", "1"]);
    let upload = begin(&server, &json!({ "kind": "text", "size_bytes": 5 }));
    put(&upload["url"], b"hello").unwrap();
    assert_eq!(incoming(&stores), 1);
    thread::sleep(Duration::from_secs(3));
    assert_eq!(complete(&server, &upload, &json!({})).problem(410), "upload-expired");
    assert!(put(&upload["url"], b"again").is_err());
    let path = format!("/api/v1/uploads/presigned/{}", upload["id"].as_str().unwrap());
    server.wait_until(&path, |upload| upload["state"] == "expired");
    assert_eq!(incoming(&stores), 0);
}

#[test]
fn what_is_announced_counts_as_what_is_sent() {
    let stores = Stores::new();
    let refused = |server: &Server, whose: &str| {
        let ask = |size: u64| {
            server.post("/api/v1/uploads/presigned", &json!({ "kind": "text", "size_bytes": size }))
        };
        ask(90_000).expect(201);
        let answer = ask(90_000);
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(said.contains(&format!("taken from one {whose}")), "{said}");
        assert_eq!(answer.problem(429), "quota-used-up");
        ask(5000).expect(201);
    };
    let arguments = ["--workers", "0", "--upload-bytes-per-day", "100000"];
    refused(&Server::start_on(Some(Arc::clone(&stores)), &arguments), "token");
    let server = Server::start_on(Some(Arc::clone(&stores)), &arguments[..2]);
    let limit = json!({ "upload_bytes_per_day": 100_000 }).to_string();
    let json = [("content-type", "application/json")];
    server.send("PATCH", "/api/v1/projects/default", &json, limit).expect(200);
    refused(&server, "project");
}

#[test]
fn a_project_has_so_many_uploads_open_and_no_more() {
    let stores = Stores::new();
    let server = Server::start_on(Some(Arc::clone(&stores)), &["--workers", "0"]);
    let ask = || server.post("/api/v1/uploads/presigned", &json!({ "kind": "text", "size_bytes": 5 }));
    let first = ask().expect(201);
    for _ in 1..1000 {
        ask().expect(201);
    }
    assert_eq!(ask().problem(503), "too-many-uploads");
    // One that is complete makes room.
    put(&first["url"], b"hello").unwrap();
    assert_eq!(complete(&server, &first, &json!({})).status, 202);
    ask().expect(201);
}
