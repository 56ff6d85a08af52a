//! From evidence to groups and goroutines.

use panicle_fixtures::{Fixture, get};
use serde_json::{Value, json};

use super::start;
use crate::harness::{Server, text};

fn analysed(server: &Server, fixture: &Fixture, service: &str) -> Value {
    let core = server.put_file("core", &fixture.core);
    let binary = server.put_file("binary", &fixture.binary);
    let crash = server.crash(&json!({ "core": core, "binaries": [binary], "service": service }));
    let done = server.wait(&crash, &["done", "failed", "quarantined", "waiting-for-binary"]);
    assert_eq!(done["status"], "done", "{done:#}");
    done
}

#[test]
fn one_bug_of_two_builds_is_one_group_and_another_bug_is_another() {
    let server = start(&[]);
    let first = analysed(&server, &get("nil-map-write", "1.22"), "shop");
    let second = analysed(&server, &get("nil-map-write", "1.27"), "cart");
    let other = analysed(&server, &get("nil-dereference", "1.27"), "shop");
    assert_eq!(first["class"], "nil-map-write");
    assert_eq!(first["group_id"], second["group_id"]);
    assert_ne!(first["group_id"], other["group_id"]);

    let groups = server.get("/api/v1/groups?sort=count").expect(200);
    let groups = groups["items"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["count"], 2);
    assert_eq!(groups[0]["services"], json!(["cart", "shop"]));
    assert_eq!(groups[0]["trend"].as_array().unwrap().len(), 24);
    assert_eq!(
        groups[0]["trend"][23]["count"].as_u64().unwrap() + groups[0]["trend"][22]["count"].as_u64().unwrap(),
        2
    );
    let details = server.get(&format!("/api/v1/groups/{}", groups[0]["id"].as_str().unwrap())).expect(200);
    assert_eq!(details["latest_crash_id"], second["id"]);
    assert!(!details["explain"].as_array().unwrap().is_empty());

    // Analysing again counts once.
    let path = format!("/api/v1/crashes/{}/reanalyse", second["id"].as_str().unwrap());
    let analysed_at = second["analysed_at"].clone();
    server.post(&path, &json!({})).expect(202);
    let crash = format!("/api/v1/crashes/{}", second["id"].as_str().unwrap());
    server.wait_until(&crash, |crash| crash["status"] == "done" && crash["analysed_at"] != analysed_at);
    let again = server.get(&format!("/api/v1/groups/{}", groups[0]["id"].as_str().unwrap())).expect(200);
    assert_eq!((&again["count"], &again["last_seen"]), (&json!(2), &details["last_seen"]));

    let found = server.get("/api/v1/search?q=CART").expect(200);
    assert_eq!(
        (found["groups"].as_array().unwrap().len(), found["crashes"].as_array().unwrap().len()),
        (1, 1)
    );
    let filtered = server.get("/api/v1/groups?service=cart").expect(200);
    assert_eq!(filtered["items"][0]["id"], groups[0]["id"]);
    assert_eq!(server.get("/api/v1/groups?q=100%25").expect(200)["items"], json!([]));
}

#[test]
fn goroutines_are_filtered_sorted_and_paged_by_the_service() {
    let server = start(&[]);
    let crash = analysed(&server, &get("goroutine-leak", "1.26"), "leak");
    let base = format!("/api/v1/crashes/{}", crash["id"].as_str().unwrap());
    let all = server.get(&format!("{base}/goroutines?limit=500&sort=id")).expect(200);
    let total = all["total"].as_u64().unwrap();
    assert!(total > 10, "{total}");
    let report = server.get(&format!("{base}/report")).expect(200);
    assert_eq!(report["goroutines"].as_array().unwrap().len() as u64, total);
    assert_eq!(report["goroutine_count"], total);
    let head = server.get(&format!("{base}/report?goroutines=summary")).expect(200);
    // Those that the verdict names, and no others.
    let verdict = &head["verdict"];
    let others = verdict["other_goroutines"].as_array().unwrap();
    for goroutine in head["goroutines"].as_array().unwrap() {
        assert!(goroutine["id"] == verdict["goroutine"] || others.contains(&goroutine["id"]), "{goroutine}");
    }
    assert!((head["goroutines"].as_array().unwrap().len() as u64) < total);

    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("{base}/goroutines?limit=7&sort=id{cursor}")).expect(200);
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let limit = (total as usize).min(500);
    assert_eq!(paged[..limit], all["items"].as_array().unwrap()[..limit]);
    assert_eq!(paged.len() as u64, total);

    let reason = &all["facets"]["wait_reason"][0];
    let value = reason["value"].as_str().unwrap();
    let filtered = server
        .get(&format!("{base}/goroutines?wait_reason={}&limit=500", value.replace(' ', "%20")))
        .expect(200);
    assert_eq!(filtered["matched"], reason["count"]);
    assert!(filtered["items"].as_array().unwrap().iter().all(|row| row["wait_reason"] == value));
    let function = server.get(&format!("{base}/goroutines?function=MAIN.")).expect(200);
    assert!(function["matched"].as_u64().unwrap() > 0 && function["matched"].as_u64().unwrap() < total);

    let row = &all["items"][total as usize / 2];
    let one = server.get(&format!("{base}/goroutines/{}", row["id"])).expect(200);
    assert_eq!(one["id"], row["id"]);
    assert_eq!(one["frames"].as_array().unwrap().len() as u64, row["frame_count"].as_u64().unwrap());
    assert_eq!(server.get(&format!("{base}/goroutines/999999999")).problem(404), "not-found");

    let clusters = server.get(&format!("{base}/clusters")).expect(200);
    let cluster = &clusters["items"][0];
    let members = server
        .get(&format!("{base}/goroutines?cluster={}", cluster["signature"].as_str().unwrap()))
        .expect(200);
    assert_eq!(members["matched"], cluster["count"]);
}

#[test]
fn a_crash_is_recorded_once_and_takes_more_evidence() {
    let server = start(&[]);
    let one = server.put_stream("text", text(1).as_bytes());
    let two = server.put_stream("text", text(2).as_bytes());
    let body = json!({ "texts": [one], "labels": { "pod": "a" } });
    let first = server.post("/api/v1/crashes", &body).expect(201);
    let second = server.post("/api/v1/crashes", &body).expect(200);
    assert_eq!(first["id"], second["id"]);

    let key = &[("content-type", "application/json"), ("idempotency-key", "k1")];
    let keyed =
        server.send("POST", "/api/v1/crashes", key, json!({ "texts": [two] }).to_string()).expect(201);
    let again =
        server.send("POST", "/api/v1/crashes", key, json!({ "texts": [two, one] }).to_string()).expect(200);
    assert_eq!(keyed["id"], again["id"]);
    assert_eq!(again["evidence"].as_array().unwrap().len(), 2);
    let done = server.wait(keyed["id"].as_str().unwrap(), &["done", "failed"]);
    assert_eq!(done["status"], "done");

    let page = server.get("/api/v1/crashes?limit=1").expect(200);
    assert_eq!(page["items"][0]["id"], keyed["id"]);
    let next = page["next_cursor"].as_str().unwrap();
    let page = server.get(&format!("/api/v1/crashes?limit=1&cursor={next}")).expect(200);
    assert_eq!((&page["items"][0]["id"], &page["next_cursor"]), (&first["id"], &json!(null)));
}

#[test]
fn what_people_decide_about_a_group_stays_and_is_not_overwritten_unseen() {
    let server = start(&[]);
    let text = server.put_stream("text", text(1).as_bytes());
    let crash = server.crash(&json!({ "texts": [text] }));
    let group = server.wait(&crash, &["done"])["group_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/groups/{group}");
    let tag = server.get(&path).headers["etag"].to_str().unwrap().to_owned();
    let patch = |tag: &str, body: Value| {
        let headers = &[("content-type", "application/json"), ("if-match", tag)];
        server.send("PATCH", &path, headers, body.to_string())
    };
    let changed = patch(&tag, json!({ "state": "resolved", "owner": "ada" })).expect(200);
    assert_eq!((&changed["state"], &changed["owner"]), (&json!("resolved"), &json!("ada")));
    assert_eq!(patch(&tag, json!({ "state": "muted" })).problem(412), "changed-meanwhile");
    assert_eq!(patch("*", json!({ "owner": "" })).expect(200)["owner"], json!(null));
    assert_eq!(patch("*", json!({ "state": "gone" })).problem(400), "bad-request");
    assert_eq!(server.get("/api/v1/groups?state=resolved").expect(200)["items"][0]["id"], group.as_str());
}

#[test]
fn a_text_without_a_crash_fails_and_says_why() {
    let server = start(&[]);
    let text = server.put_stream("text", "all is well\n".as_bytes());
    let crash = server.crash(&json!({ "texts": [text] }));
    let failed = server.wait(&crash, &["done", "failed"]);
    if failed["status"] == "failed" {
        assert!(!failed["failure"]["detail"].as_str().unwrap().is_empty());
    } else {
        assert!(matches!(failed["class"].as_str(), Some("no-crash" | "unknown")));
    }
}

#[test]
fn a_crash_whose_texts_have_nul_in_them_is_kept() {
    let server = start(&[]);
    // Behind what an upload is looked at for.
    let log = "all is well\n".repeat(20_000);
    let crash =
        "panic: bo\0om\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:5 +0x1d\nexit status 2\n";
    let evidence = server.put_stream("text", format!("{log}{crash}").as_bytes());
    let crash = server.crash(&json!({ "texts": [evidence] }));
    let done = server.wait(&crash, &["done", "failed", "quarantined"]);
    assert_eq!(done["status"], "done", "{done:#}");
    let report = server.get(&format!("/api/v1/crashes/{crash}/report")).expect(200);
    assert!(report.to_string().contains("bo\u{2400}om"), "{report:#}");
}

#[test]
fn a_process_that_is_said_later_joins_what_belongs_together() {
    let server = start(&[]);
    let fixture = get("nil-map-write", "1.26");
    let (core, binary) = (server.put_file("core", &fixture.core), server.put_file("binary", &fixture.binary));
    let whole = server.wait(&server.crash(&json!({ "core": core, "binaries": [binary] })), &["done"]);
    let printed = std::fs::read_to_string(&fixture.stderr).unwrap();
    let log = server.put_stream("text", printed.as_bytes());
    let text = server.crash(&json!({ "texts": [log] }));
    assert_eq!(server.wait(&text, &["done"])["joined_into"], Value::Null, "stacks alone are not enough");
    assert!(whole["pid"].is_i64(), "{whole:#}");
    assert_eq!(server.crash(&json!({ "texts": [log], "pid": whole["pid"] })), text);
    let joined =
        server.wait_until(&format!("/api/v1/crashes/{text}"), |crash| !crash["joined_into"].is_null());
    assert_eq!(joined["joined_into"], whole["id"]);
}
