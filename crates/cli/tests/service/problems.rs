//! Every error is a problem, and strangers are kept out.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::json;

use crate::harness::{Server, panicle, text};

#[test]
fn every_error_is_a_problem() {
    let server = Server::start(&["--workers", "0"]);
    let json = &[("content-type", "application/json")];
    assert_eq!(server.get("/api/v1/nothing").problem(404), "not-found");
    assert_eq!(server.get("/assets/nothing.js").problem(404), "not-found");
    assert_eq!(server.get("/api/v1/crashes/nothing").problem(404), "not-found");
    assert_eq!(server.get("/api/v1/groups/nothing").problem(404), "not-found");
    assert_eq!(server.get("/api/v1/blobs/nothing/content").problem(404), "not-found");
    assert_eq!(server.send("DELETE", "/api/v1/crashes", &[], ()).problem(405), "method-not-allowed");
    assert_eq!(server.send("POST", "/", &[], "x").problem(405), "method-not-allowed");
    assert_eq!(server.get("/api/v1/crashes?limit=0").problem(400), "bad-request");
    assert_eq!(server.get("/api/v1/crashes?limit=x").problem(400), "bad-request");
    assert_eq!(server.get("/api/v1/crashes?status=x").problem(400), "bad-request");
    assert_eq!(server.get("/api/v1/groups?cursor=x").problem(400), "bad-request");
    assert_eq!(server.get("/api/v1/search").problem(400), "bad-request");
    assert_eq!(server.send("POST", "/api/v1/crashes", json, "{").problem(400), "bad-request");
    assert_eq!(server.send("POST", "/api/v1/crashes", &[], "{}").problem(415), "unsupported-media-type");
    assert_eq!(server.post("/api/v1/crashes", &json!({})).problem(400), "bad-request");
    assert_eq!(server.post("/api/v1/crashes/x/reanalyse", &json!({})).problem(404), "not-found");
    let absent = "0".repeat(64);
    assert_eq!(server.post("/api/v1/crashes", &json!({ "core": absent })).problem(404), "not-found");
    let text = server.put_stream("text", text(1).as_bytes());
    assert_eq!(server.post("/api/v1/crashes", &json!({ "core": text })).problem(422), "wrong-kind");
    for time in ["9999-12-30T22:00:00.9999999Z", "1969-12-31T23:59:59Z", "-009999-01-02T01:59:59Z"] {
        let body = json!({ "texts": [text], "occurred_at": time });
        assert_eq!(server.post("/api/v1/crashes", &body).problem(400), "bad-request", "{time}");
    }
    let crash = server.crash(&json!({ "texts": [text] }));
    let path = format!("/api/v1/crashes/{crash}/report");
    let answer = server.get(&path);
    assert_eq!(answer.json()["crash_status"], "queued");
    assert_eq!(answer.problem(409), "report-not-ready");
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_all_there() {
    let server = Server::start(&["--workers", "0"]);
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let length = 5_000_000;
    write!(
        stream,
        "POST /api/v1/crashes HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    // More than is taken, less than was announced.
    stream.write_all(&vec![b'x'; 2_200_000]).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(
        answer.contains("application/problem+json") && answer.contains("/problems/too-large"),
        "{answer}"
    );
}

#[test]
fn other_sites_and_other_machines_are_kept_out() {
    let server = Server::start(&["--workers", "0"]);
    let rebound = server.send("GET", "/api/v1/crashes", &[("host", "rebound.example:7171")], ());
    assert_eq!(rebound.problem(421), "foreign-host");
    let foreign =
        server.send("PUT", "/api/v1/blobs/text", &[("origin", "http://elsewhere.example")], text(1));
    assert_eq!(foreign.problem(403), "foreign-origin");
    let page = server.get("/");
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("script-src 'self';"));
    assert_eq!(page.headers["x-content-type-options"], "nosniff");

    let second =
        panicle().args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(server.data()).output().unwrap();
    assert_eq!(second.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another panicle serve"), "{second:?}");
}

#[test]
fn machines_learn_how_it_is() {
    let server = Server::start(&["--workers", "0"]);
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
    server.put("text", text(1)).expect(201);
    let metrics = String::from_utf8(server.get("/metrics").body).unwrap();
    for name in
        ["panicle_uploads_total{kind=\"text\"} 1", "panicle_http_request_seconds_bucket", "panicle_crashes{"]
    {
        assert!(metrics.contains(name), "{name} is not in {metrics}");
    }
    let given = server.send("GET", "/healthz", &[("x-request-id", "abc-1")], ());
    assert_eq!(given.headers["x-request-id"], "abc-1");
}

#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let printed = panicle().arg("openapi").output().unwrap().stdout;
    let committed = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/openapi.json")).unwrap();
    assert!(printed == committed, "run: panicle openapi > web/openapi.json");
    let server = Server::start(&["--workers", "0"]);
    let served = server.get("/openapi.json").expect(200);
    assert_eq!(served["openapi"], "3.1.0");
    assert_eq!(served, serde_json::from_slice::<serde_json::Value>(&committed).unwrap());
}
