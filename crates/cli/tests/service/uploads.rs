//! Taking evidence in.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use panicle_fixtures::get;
use sha2::{Digest, Sha256};

use super::start;
use crate::harness::{id, text};

/// Bytes run through a program such as gzip.
fn through(program: &str, bytes: &[u8]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in");
    fs::write(&path, bytes).unwrap();
    let output = Command::new(program).args(["-c", "-q"]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn the_same_bytes_are_one_piece_of_evidence() {
    let server = start(&["--workers", "0"]);
    let first = server.send("PUT", "/api/v1/blobs/text?name=..%2Fa%2Fcrash.log", &[], text(1)).expect(201);
    let second = server.put("text", text(1)).expect(200);
    assert_eq!(first, second);
    assert_eq!(first["name"], "crash.log");
    assert_eq!(first["size_bytes"], text(1).len());
    assert_eq!(first["sha256"], first["id"]);
    let mut known = server.get(&format!("/api/v1/blobs/{}", id(&first))).expect(200);
    // Where it is when it is not here.
    assert_eq!(known.as_object_mut().unwrap().remove("reference"), Some(serde_json::Value::Null));
    assert_eq!(known, first);
}

#[test]
fn what_is_not_what_it_is_said_to_be_is_refused_and_not_kept() {
    let server = start(&["--workers", "0"]);
    let executable = fs::read(env!("CARGO_BIN_EXE_panicle")).unwrap();
    assert_eq!(server.put("core", "garbage").problem(422), "not-a-core");
    assert_eq!(server.put("core", "").problem(422), "empty-body");
    assert_eq!(server.put("core", &executable[..100_000]).problem(422), "not-a-core");
    assert_eq!(server.put("binary", "#!/bin/sh").problem(422), "not-a-binary");
    assert_eq!(server.put("text", "a\0b").problem(422), "not-text");
    assert_eq!(server.put("trace", "no trace").problem(422), "not-a-trace");
    assert_eq!(server.put("profile", "no profile").problem(422), "not-a-profile");
    assert_eq!(server.put("nonsense", "x").problem(404), "not-found");
    assert_eq!(server.kept(), 0);
    assert_eq!(fs::read_dir(server.data().join("tmp")).unwrap().count(), 0);
}

#[test]
fn an_announced_digest_is_checked() {
    let server = start(&["--workers", "0"]);
    let digest = id(&server.put("text", text(1)).expect(201));
    assert_eq!(server.kept(), 1);
    let put =
        |name, value: &str, body: String| server.send("PUT", "/api/v1/blobs/text", &[(name, value)], body);
    put("x-panicle-sha256", &digest, text(1)).expect(200);
    assert_eq!(put("x-panicle-sha256", &digest, text(2)).problem(422), "digest-mismatch");
    assert_eq!(put("x-panicle-sha256", "12", text(1)).problem(400), "bad-request");
    // SHA-256 of "abc", FIPS 180-2 B.1, in base64.
    let abc = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:";
    put("repr-digest", abc, "abc".to_owned()).expect(201);
    assert_eq!(put("repr-digest", abc, "abd".to_owned()).problem(422), "digest-mismatch");
    assert_eq!(put("repr-digest", "sha-256=x", "abc".to_owned()).problem(400), "bad-request");
    put("content-digest", &format!("sha-512=:AAAA:, {abc}"), "abc".to_owned()).expect(200);
    assert_eq!(put("content-digest", abc, "abd".to_owned()).problem(422), "digest-mismatch");
    let older = "SHA-256=ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
    put("digest", &format!("md5=x,{older}"), "abc".to_owned()).expect(200);
    assert_eq!(put("digest", older, "abd".to_owned()).problem(422), "digest-mismatch");
    assert_eq!(put("digest", "SHA-256=:x:", "abc".to_owned()).problem(400), "bad-request");
    assert_eq!(server.kept(), 2);
}

#[test]
fn the_digest_of_an_encoded_body_is_of_its_encoding() {
    let server = start(&["--workers", "0"]);
    for encoding in ["gzip", "zstd"] {
        // More than is looked at to tell what it is.
        let whole: String = (0..200).map(text).collect::<Vec<_>>().join("\n");
        let encoded = through(encoding, whole.as_bytes());
        let digest = |bytes: &[u8]| format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(bytes)));
        let put = |digest: String, body: &[u8]| {
            let headers = [("content-encoding", encoding), ("repr-digest", &digest)];
            server.send("PUT", "/api/v1/blobs/text", &headers, body)
        };
        assert_eq!(put(digest(whole.as_bytes()), &encoded).problem(422), "digest-mismatch");
        let stored = put(digest(&encoded), &encoded);
        assert!(matches!(stored.status, 200 | 201), "{}", stored.status);
    }
    assert_eq!(server.kept(), 1);
}

#[test]
fn content_encodings_are_undone_and_bounded() {
    let server = start(&["--workers", "0", "--max-upload-bytes", "1000000"]);
    let put = |encoding, body: &[u8]| {
        server.send("PUT", "/api/v1/blobs/text", &[("content-encoding", encoding)], body)
    };
    let plain = id(&server.put("text", text(3)).expect(201));
    assert_eq!(id(&put("gzip", &through("gzip", text(3).as_bytes())).expect(200)), plain);
    assert_eq!(id(&put("zstd", &through("zstd", text(3).as_bytes())).expect(200)), plain);
    assert_eq!(put("br", b"x").problem(415), "unsupported-encoding");
    assert_eq!(put("gzip", b"this is not gzip").problem(400), "body-incomplete");
    let bomb = through("gzip", &vec![b'a'; 50_000_000]);
    assert!(bomb.len() < 100_000);
    assert_eq!(put("gzip", &bomb).problem(413), "too-large");
    assert_eq!(server.put("text", "a".repeat(1_000_001)).problem(413), "too-large");
    assert_eq!(fs::read_dir(server.data().join("tmp")).unwrap().count(), 0);
}

#[test]
fn a_full_disk_is_said() {
    let server = start(&["--workers", "0", "--min-free-bytes", "1000000000000000"]);
    let answer = server.put("text", text(1));
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(answer.problem(503), "disk-low");
    assert_eq!(server.get("/readyz").problem(503), "not-ready");
}

#[test]
fn what_the_disk_has_no_room_for_is_refused_before_it_comes() {
    let limits = ["--workers", "0", "--max-upload-bytes", "1000000000000000"];
    let server = start(&limits);
    let create = |size: &str| {
        server.send("POST", "/api/v1/uploads", &[("tus-resumable", "1.0.0"), ("upload-length", size)], ())
    };
    let refused = create("900000000000000");
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(refused.problem(503), "disk-low");
    assert_eq!(create("1000").status, 201);
    // It says how much will come, and the answer is there before any of it is.
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let head =
        "PUT /api/v1/blobs/text HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900000000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&text(1).repeat(1000).as_bytes()[..64 << 10]).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
    assert_eq!(server.kept(), 0);
    // What is small still goes in, and nothing stays reserved.
    assert_eq!(server.put("text", text(1)).status, 201);
}

#[test]
fn the_bytes_come_back_whole_and_in_parts() {
    let server = start(&["--workers", "0"]);
    let core = fs::read(get("nil-map-write", "1.24").core).unwrap();
    let path = format!("/api/v1/blobs/{}/content", server.put_stream("core", core.as_slice()));
    let mut whole = Vec::new();
    server.get(&path).body.as_slice().read_to_end(&mut whole).unwrap();
    assert!(whole == core);
    let part = server.send("GET", &path, &[("range", "bytes=1048570-3145740")], ());
    assert_eq!(part.status, 206);
    assert_eq!(part.headers["content-range"], format!("bytes 1048570-3145740/{}", core.len()));
    assert!(part.body == core[1_048_570..=3_145_740]);
    let beyond = server.send("GET", &path, &[("range", "bytes=99999999999-")], ());
    assert_eq!(beyond.problem(416), "range-not-satisfiable");
}
