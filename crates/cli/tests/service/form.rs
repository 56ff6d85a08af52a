//! Forms of browsers, and of curl.

use std::{fs, path::Path, process::Command};

use panicle_fixtures::get;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::start;
use crate::harness::{Answer, Server, panicle, text};

const BOUNDARY: &str = "----a7e1";

/// Fields, and files with their names, as a browser writes them.
fn body(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        body.extend_from_slice(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"").as_bytes(),
        );
        if let Some(file) = file {
            let kind = "Content-Type: application/octet-stream";
            body.extend_from_slice(format!("; filename=\"{file}\"\r\n{kind}").as_bytes());
        }
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn post(server: &Server, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let mut all = vec![("content-type", kind.as_str())];
    all.extend_from_slice(headers);
    server.send("POST", "/api/v1/uploads/form", &all, body)
}

#[test]
fn a_form_of_a_browser_becomes_a_crash() {
    let server = start(&["--workers", "1"]);
    let fixture = get("nil-map-write", "1.26");
    let (core, binary) = (fs::read(&fixture.core).unwrap(), fs::read(&fixture.binary).unwrap());
    let stderr = fs::read(&fixture.stderr).unwrap();
    let form = body(&[
        ("service", None, b"shop"),
        ("kind", None, b""),
        ("file", Some("core.1"), &core),
        ("file", Some("dir/shop"), &binary),
        ("file", Some(""), b""),
        ("sha256", None, hex::encode(Sha256::digest(&stderr)).as_bytes()),
        ("other", Some("stderr.log"), &stderr),
        ("label", None, b"env=prod"),
        ("labels", None, br#"{"pod":"shop-1"}"#),
        ("version", None, b"v1.4.2"),
    ]);
    let taken =
        post(&server, &[("origin", &server.url), ("sec-fetch-site", "same-origin")], &form).expect(201);
    let kinds: Vec<_> = taken["evidence"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, ["core", "binary", "text"]);
    assert_eq!(
        (&taken["evidence"][1]["name"], taken["crashes"].as_array().unwrap().len()),
        (&"shop".into(), 1)
    );
    let crash = taken["crashes"][0]["id"].as_str().unwrap();
    let done = server.wait(crash, &["done", "failed", "quarantined", "waiting-for-binary"]);
    assert_eq!((&done["status"], &done["class"]), (&"done".into(), &"nil-map-write".into()), "{done:#}");
    assert_eq!((&done["service"], &done["labels"]["env"]), (&"shop".into(), &"prod".into()));
    assert_eq!(done["labels"]["pod"], "shop-1");
    assert_eq!(done["evidence"].as_array().unwrap().len(), 3);
    // The same form again is the same evidence and the same crash.
    let again = post(&server, &[], &form).expect(200);
    assert_eq!((&again["crashes"][0]["id"], again["crashes"].as_array().unwrap().len()), (&crash.into(), 1));
}

#[test]
fn files_alone_are_stored_alone_and_each_core_is_a_crash() {
    let server = start(&["--workers", "0"]);
    let log = text(1);
    let alone = post(&server, &[], &body(&[("f", Some("a.log"), log.as_bytes())])).expect(201);
    assert_eq!(alone["crashes"], Value::Array(Vec::new()));
    let cores = [get("nil-map-write", "1.26"), get("deadlock", "1.25")].map(|it| fs::read(it.core).unwrap());
    let form = body(&[
        ("kind", None, b"core"),
        ("a", Some("core.1"), &cores[0]),
        ("a", Some("core.2"), &cores[1]),
        ("kind", None, b"auto"),
        ("a", Some("a.log"), log.as_bytes()),
        ("crash", None, b"true"),
    ]);
    let both = post(&server, &[], &form).expect(201);
    assert_eq!(both["crashes"].as_array().unwrap().len(), 2);
    assert_eq!(both["crashes"][1]["evidence"].as_array().unwrap().len(), 2);
    let wanted = body(&[("a", Some("a.log"), log.as_bytes()), ("crash", None, b"on")]);
    assert_eq!(post(&server, &[], &wanted).expect(201)["crashes"].as_array().unwrap().len(), 1);
    let unwanted =
        body(&[("a", Some("a.log"), log.as_bytes()), ("service", None, b"x"), ("crash", None, b"false")]);
    assert_eq!(post(&server, &[], &unwanted).expect(200)["crashes"].as_array().unwrap().len(), 0);
}

#[test]
fn what_is_wrong_with_a_form_is_said() {
    let server = start(&["--workers", "0", "--max-upload-bytes", "3000000"]);
    let refused = |parts: &[(&str, Option<&str>, &[u8])]| post(&server, &[], &body(parts));
    let log = text(1).into_bytes();
    assert_eq!(refused(&[("service", None, b"x")]).problem(400), "bad-request");
    assert_eq!(
        refused(&[("f", Some("core.1"), b"no core"), ("kind", None, b"core")]).status,
        201,
        "a kind is of what follows"
    );
    let wrong = refused(&[("kind", None, b"core"), ("f", Some("core.1"), b"no core at all")]);
    assert!(String::from_utf8_lossy(&wrong.body).contains("core.1: "));
    assert_eq!(wrong.problem(422), "not-a-core");
    assert_eq!(refused(&[("f", Some("a.log"), &vec![b'a'; 4_000_000])]).problem(413), "too-large");
    let digest = hex::encode(Sha256::digest(b"other"));
    assert_eq!(
        refused(&[("sha256", None, digest.as_bytes()), ("f", Some("a.log"), &log)]).problem(422),
        "digest-mismatch"
    );
    for field in [
        ("kind", "cake"),
        ("pid", "x"),
        ("labels", "[]"),
        ("nonsense", "x"),
        ("crash", "maybe"),
        ("sha256", "1"),
    ] {
        let answer = refused(&[(field.0, None, field.1.as_bytes()), ("f", Some("a.log"), &log)]);
        assert_eq!(answer.problem(400), "bad-request", "{field:?}");
    }
    assert_eq!(server.post("/api/v1/uploads/form", &Value::Null).problem(415), "unsupported-media-type");
    let whole = body(&[("f", Some("a.log"), &log)]);
    let kept = server.kept();
    assert_eq!(post(&server, &[], &whole[..whole.len() - 40]).problem(400), "body-incomplete");
    assert_eq!(server.kept(), kept, "half a file is none");
    assert_eq!(fs::read_dir(server.data().join("tmp")).unwrap().count(), 0);
}

#[test]
fn forms_of_other_sites_are_refused() {
    let server = start(&["--workers", "0"]);
    let form = body(&[("f", Some("a.log"), text(1).as_bytes())]);
    for header in [
        ("origin", "https://elsewhere.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        assert_eq!(post(&server, &[header], &form).problem(403), "foreign-origin", "{header:?}");
    }
    assert_eq!(server.kept(), 0);
}

fn token(data: &Path, scopes: &str) -> String {
    let output = panicle()
        .args(["admin", "token", "create", "--name", "t", "--format", "json", "--scopes", scopes, "--data"])
        .arg(data)
        .output()
        .unwrap();
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    made["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_cookie_counts_for_forms_of_our_own_pages_only() {
    let server = Server::start(&["--workers", "0"]);
    let form = body(&[("f", Some("a.log"), text(1).as_bytes())]);
    let cookie = format!("panicle_session={}", token(server.data(), "ingest"));
    let symbols = format!("Bearer {}", token(server.data(), "symbols"));
    assert_eq!(post(&server, &[], &form).problem(401), "token-needed");
    assert_eq!(post(&server, &[("cookie", &cookie)], &form).problem(401), "token-needed");
    assert_eq!(post(&server, &[("authorization", &symbols)], &form).problem(403), "missing-scope");
    let own =
        [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin"), ("origin", server.url.as_str())];
    post(&server, &own, &form).expect(201);
}

#[test]
fn curl_sends_large_files_in_a_form_and_memory_does_not_grow() {
    let server = start(&["--workers", "0"]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("core.1");
    let mut core = fs::read(get("nil-map-write", "1.25").core).unwrap();
    core.resize(300 << 20, 7);
    fs::write(&path, &core).unwrap();
    let output = Command::new("curl")
        .args(["-sS", "-F", "service=shop", "-F"])
        .arg(format!("file=@{}", path.display()))
        .arg(format!("{}/api/v1/uploads/form", server.url))
        .output()
        .unwrap();
    let taken: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(taken["evidence"][0]["id"], hex::encode(Sha256::digest(&core)), "{taken:#}");
    assert_eq!(taken["crashes"][0]["service"], "shop");
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let peak: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(peak < 100 << 10, "{peak} kB");
}
