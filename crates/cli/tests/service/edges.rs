//! What clients should not send, and what is said to them.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

use crate::harness::{Server, id, text};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// A server with a group, and the path of that.
fn with_group() -> (Server, Value, String) {
    let server = Server::start(&[]);
    let blob = server.put_stream("text", text(1).as_bytes());
    let crash = server.crash(&json!({ "texts": [blob], "labels": { "pid": "4711" } }));
    let crash = server.wait(&crash, &["done", "failed"]);
    let group = format!("/api/v1/groups/{}", crash["group_id"].as_str().unwrap());
    (server, crash, group)
}

#[test]
fn a_cursor_that_no_list_answered_is_refused() {
    let (server, crash, group) = with_group();
    for path in [
        "crashes?cursor=x",
        "crashes?cursor=0",
        "queries?cursor=mine",
        "queries?cursor=%00",
        "events?cursor=99999999999999999999",
        "events?cursor=18446744073709551615",
        "events?cursor=77",
        "groups?cursor=5:x",
        "groups?cursor=5",
        "binaries?cursor=5:x",
    ] {
        assert_eq!(server.get(&format!("/api/v1/{path}")).problem(400), "bad-request", "{path}");
    }
    let path = format!("{group}/history?cursor=18446744073709551615");
    assert_eq!(server.get(&path).problem(400), "bad-request");
    assert_eq!(server.get(&format!("/api/v1/crashes?cursor={}", id(&crash))).status, 200);
    for name in ["a", "b", "ü"] {
        server.post("/api/v1/queries", &json!({ "name": name, "query": "x" })).expect(201);
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/queries?limit=1".to_owned();
    loop {
        let page = server.get(&path).expect(200);
        names.extend(page["items"].as_array().unwrap().iter().map(|item| item["name"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/queries?limit=1&cursor={cursor}");
    }
    assert_eq!(names, ["a", "b", "ü"]);
}

#[test]
fn a_tag_that_is_weak_or_old_does_not_match() {
    let (server, _, group) = with_group();
    let patch = |tag: &str| {
        let headers = [JSON[0], ("if-match", tag)];
        server.send("PATCH", &group, &headers, json!({ "owner": "ada" }).to_string())
    };
    let etag = server.get(&group).headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(patch(&format!("W/{etag}")).problem(412), "changed-meanwhile");
    assert_eq!(patch("\"something else\"").problem(400), "bad-request");
    assert_eq!(patch("\"something-else\"").problem(412), "changed-meanwhile");
    assert_eq!(patch("7").problem(400), "bad-request");
    assert_eq!(patch(&format!("\"0\", {etag}")).status, 200);
    assert_eq!(patch("*").status, 200);
    assert_eq!(patch(&etag).problem(412), "changed-meanwhile");
}

#[test]
fn bodies_are_what_they_are_said_to_be_and_bounded() {
    let (server, crash, group) = with_group();
    assert_eq!(crash["pid"], 4711);
    let patch = |body: &Value| server.send("PATCH", &group, JSON, body.to_string()).problem(400);
    for body in [
        json!(["muted"]),
        json!({ "state": "muted", "mute": [3] }),
        json!({ "state": "muted", "mute": { "escalation": [1] } }),
        json!({ "state": "muted", "mute": { "count": 0 } }),
        json!({ "state": "muted", "mute": { "count": u64::MAX } }),
        json!({ "state": "muted", "mute": { "escalation": { "per_hour": 0 } } }),
        json!({ "state": "muted", "mute": { "time": "9999-01-01T00:00:00Z" } }),
        json!({ "keep_cores": u32::MAX }),
        json!({ "owner": "a\u{0}b" }),
        json!({ "owner": "x".repeat(5000) }),
    ] {
        assert_eq!(patch(&body), "bad-request", "{body}");
    }
    let split = json!({ "crashes": [crash["id"]], "title": "x".repeat(5000) });
    assert_eq!(server.post(&format!("{group}/split"), &split).problem(400), "bad-request");
    let merge = json!({ "groups": vec!["x"; 5000] });
    assert_eq!(server.post(&format!("{group}/merge"), &merge).problem(400), "bad-request");
    assert_eq!(server.post("/api/v1/crashes", &json!([null, [], [crash["id"]]])).problem(400), "bad-request");
    for pid in [json!(0), json!(-1), json!(1_u64 << 40)] {
        assert_eq!(
            server.post("/api/v1/crashes", &json!({ "texts": ["x"], "pid": pid })).problem(400),
            "bad-request"
        );
    }
    let unjoin = format!("/api/v1/crashes/{}/unjoin", id(&crash));
    for body in [json!({ "actor": "a\nb" }), json!({ "reason": "x".repeat(100_000) })] {
        assert_eq!(server.post(&unjoin, &body).problem(400), "bad-request");
    }
    assert_eq!(server.send("POST", &unjoin, &[], ()).problem(422), "cannot-be-done");
    // Nobody has to say anything about these.
    assert_eq!(server.send("POST", &format!("{group}/unmerge"), &[], ()).problem(422), "cannot-be-done");
    assert_eq!(
        server.send("POST", &format!("{group}/unmerge"), &[], "x").problem(415),
        "unsupported-media-type"
    );
    let rule = json!({ "kind": "merge", "name": "all", "predicate": "\"main.main\"" });
    let rule = server.post("/api/v1/rules", &rule).expect(201);
    let path = format!("/api/v1/rules/{}", id(&rule));
    assert_eq!(server.send("DELETE", &path, &[], ()).status, 204);
}

#[test]
fn a_preview_says_what_saving_would() {
    let (server, _, _) = with_group();
    let preview = |body: &Value| server.post("/api/v1/rules/preview", body);
    let mut rule = json!({ "kind": "merge", "name": "all", "predicate": "\"main.main\"" });
    rule["group_id"] = json!("none");
    assert_eq!(preview(&rule).problem(404), "not-found");
    rule["group_id"] = Value::Null;
    let saved = server.post("/api/v1/rules", &rule).expect(201);
    let conflicts = |plan: Value| plan["conflicts"].as_array().unwrap().len();
    assert_eq!(conflicts(preview(&rule).expect(200)), 1);
    rule["instead_of"] = saved["id"].clone();
    assert_eq!(conflicts(preview(&rule).expect(200)), 0);
    assert_eq!(server.post("/api/v1/rules", &rule).problem(400), "bad-request");
    rule["instead_of"] = json!("none");
    assert_eq!(preview(&rule).problem(404), "not-found");
}

/// Everything that is answered to these bytes.
fn raw(server: &Server, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // The answer may come before all is sent.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[test]
fn what_is_no_request_is_answered_with_a_problem() {
    let server = Server::start(&["--workers", "0"]);
    let host = server.url.strip_prefix("http://").unwrap();
    let long = format!("GET /api/v1/search?q={} HTTP/1.1\r\nhost: {host}\r\n\r\n", "x".repeat(70_000));
    let many = "x-y: z\r\n".repeat(200);
    let many = format!("GET /api/v1/crashes HTTP/1.1\r\nhost: {host}\r\n{many}\r\n");
    for (request, status, slug) in [
        (long.as_bytes(), 414, "uri-too-long"),
        (many.as_bytes(), 431, "headers-too-large"),
        (b"nonsense\r\n\r\n".as_slice(), 400, "bad-request"),
    ] {
        let answer = raw(&server, request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.to_lowercase().contains("content-type: application/problem+json"), "{head}");
        let problem: Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["type"], format!("/problems/{slug}"));
        assert_eq!(problem["status"], status);
    }
    // A handler's own answer stays what it is, also on a connection that goes on.
    let two = format!(
        "GET /api/v1/groups?cursor=x HTTP/1.1\r\nhost: {host}\r\n\r\nGET /healthz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    );
    let answer = raw(&server, two.as_bytes());
    assert!(answer.contains("this is no cursor") && answer.ends_with("ok\n"), "{answer}");
    // The library's own becomes a problem also after a handler answered.
    let ping = format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(ping.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok\n") {
        let mut piece = [0; 1024];
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..count]);
    }
    stream.write_all(many.as_bytes()).unwrap();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("/problems/headers-too-large"), "{answer}");
}

#[test]
fn evidence_that_looks_like_an_answer_is_passed_on_as_it_is() {
    let server = Server::start(&["--workers", "0"]);
    let host = server.url.strip_prefix("http://").unwrap();
    let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    // Once alone, and once as a part of something else.
    let whole = id(&server.put("text", bare).expect(201));
    let longer = id(&server.put("text", &format!("some log\n{bare}more of it\n")[..]).expect(201));
    let asked = |blob: &str, headers: &str| {
        format!("GET /api/v1/blobs/{blob}/content HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n")
    };
    let range = format!("range: bytes=9-{}\r\n", 9 + bare.len() - 1);
    for _ in 0..8 {
        let ping = format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let requests = asked(&whole, "") + &asked(&longer, &range) + &ping;
        let answer = raw(&server, requests.as_bytes());
        let mut rest = answer.as_str();
        for status in [200, 206] {
            assert!(rest.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            let (head, after) = rest.split_once("\r\n\r\n").unwrap();
            let length = format!("content-length: {}", bare.len());
            assert!(head.to_lowercase().lines().any(|line| line == length), "{answer}");
            rest = after.strip_prefix(bare).unwrap_or_else(|| panic!("{answer}"));
        }
        assert!(rest.starts_with("HTTP/1.1 200 ") && rest.ends_with("\r\n\r\nok\n"), "{answer}");
    }
}
