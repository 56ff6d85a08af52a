//! What people do with groups, over HTTP, with crash texts.

use serde_json::{Value, json};

use crate::harness::{Server, text};

/// A crash of this text and host, once it is analysed.
fn crash(server: &Server, text: &str, body: Value) -> Value {
    let blob = server.put_stream("text", text.as_bytes());
    let mut body = body;
    body["texts"] = json!([blob]);
    let crash = server.crash(&body);
    server.wait(&crash, &["done", "failed", "quarantined"])
}

fn group_path(crash: &Value) -> String {
    format!("/api/v1/groups/{}", crash["group_id"].as_str().unwrap())
}

fn patch(server: &Server, path: &str, etag: Option<&str>, body: &Value) -> crate::harness::Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(etag.map(|etag| ("if-match", etag)));
    server.send("PATCH", path, &headers, body.to_string())
}

#[test]
fn a_group_is_decided_upon_with_history_and_taken_back() {
    let server = Server::start(&[]);
    let one = crash(&server, &text(1), json!({ "hostname": "h1" }));
    let path = group_path(&one);
    let answer = server.get(&path);
    let etag = answer.headers["etag"].to_str().unwrap().to_owned();
    let group = answer.expect(200);
    assert_eq!((&group["state"], &group["by_host"][0]["value"]), (&json!("new"), &json!("h1")));
    let body = json!({ "state": "resolved", "resolved_in": { "version": "v1.4.2" }, "owner": "ada",
        "notes": "known", "actor": "ada", "reason": "mended" });
    let changed = patch(&server, &path, Some(&etag), &body).expect(200);
    assert_eq!((&changed["state"], &changed["resolved"]["version"]), (&json!("resolved"), &json!("v1.4.2")));
    assert!(changed["resolved"]["at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(patch(&server, &path, Some(&etag), &body).problem(412), "changed-meanwhile");
    let nonsense = json!({ "state": "resolved", "resolved_in": { "version": "latest" } });
    assert_eq!(patch(&server, &path, None, &nonsense).problem(422), "cannot-be-done");
    let until = json!({ "state": "muted", "mute": { "count": 5, "escalation": {} } });
    let muted = patch(&server, &path, None, &until).expect(200);
    assert_eq!(
        (&muted["mute"]["until"]["count"], &muted["mute"]["state_before"]),
        (&json!(5), &json!("resolved"))
    );
    assert!(muted["mute"]["until"]["escalation"]["per_hour"].as_u64().unwrap() >= 10);

    let history = server.get(&format!("{path}/history")).expect(200);
    let entries = history["items"].as_array().unwrap();
    assert_eq!(
        (entries.len(), &entries[1]["to"]["owner"], &entries[1]["actor"]),
        (2, &json!("ada"), &json!("ada"))
    );
    let page = server.get(&format!("{path}/history?limit=1")).expect(200);
    let rest =
        server.get(&format!("{path}/history?cursor={}", page["next_cursor"].as_str().unwrap())).expect(200);
    assert_eq!(rest["items"], json!([entries[1]]));
    let back = server.post(&format!("{path}/history/2/undo"), &json!({ "actor": "bo" })).expect(200);
    assert_eq!(back["state"], "resolved");
    assert_eq!(server.post(&format!("{path}/history/2/undo"), &json!({})).problem(409), "changed-since");

    // A crash that happened after, whose build nobody can tell.
    let again = text(1).replace("main.main()", "main.main(...)");
    let two = crash(&server, &again, json!({}));
    assert_eq!(two["group_id"], one["group_id"]);
    let group = server.get(&path).expect(200);
    assert_eq!((&group["state"], &group["count"]), (&json!("regressed"), &json!(2)));
    let events = server.get("/api/v1/events").expect(200);
    let kinds: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|event| event["kind"].clone()).collect();
    assert_eq!(kinds, ["group.new", "group.regressed"]);
    let cursor = events["next_cursor"].as_str().unwrap();
    let more = server.get(&format!("/api/v1/events?cursor={cursor}")).expect(200);
    assert_eq!((&more["items"], &more["next_cursor"]), (&json!([]), &json!(cursor)));
    let trend = server.get(&format!("{path}/trend?step=day&steps=7")).expect(200);
    let counts = trend["items"].as_array().unwrap();
    assert_eq!(
        (counts.len(), counts.iter().map(|point| point["count"].as_u64().unwrap()).sum::<u64>()),
        (7, 2)
    );
    assert_eq!(server.get(&format!("{path}/trend?steps=0")).problem(400), "bad-request");
    assert_eq!(server.get("/api/v1/groups/none/trend").problem(404), "not-found");
    assert_eq!(
        server.get("/api/v1/groups?state=regressed&owner=ada").expect(200)["items"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn groups_are_merged_and_parted_over_http() {
    let server = Server::start(&[]);
    let crashes: Vec<Value> = (1..=3).map(|n| crash(&server, &text(n), json!({}))).collect();
    let (one, two) = (group_path(&crashes[0]), group_path(&crashes[1]));
    assert_ne!(one, two);
    let merged = server
        .post(&format!("{one}/merge"), &json!({ "groups": [crashes[1]["group_id"]], "actor": "ada" }))
        .expect(200);
    assert_eq!((&merged["count"], merged["variants"].as_array().unwrap().len()), (&json!(2), 2));
    assert_eq!(server.get(&two).expect(200)["merged_into"], crashes[0]["group_id"]);
    let split = server
        .post(&format!("{one}/split"), &json!({ "crashes": [crashes[1]["id"]], "title": "not this" }))
        .expect(200);
    assert_eq!((&split["title"], &split["origin"]), (&json!("not this"), &json!("split")));
    let path = format!("/api/v1/crashes/{}", crashes[1]["id"].as_str().unwrap());
    assert_eq!(server.get(&path).expect(200)["pinned"], true);
    server.post(&format!("{path}/reanalyse"), &json!({})).expect(202);
    let done = server.wait_until(&path, |crash| {
        crash["status"] == "done" && crash["analysed_at"] != crashes[1]["analysed_at"]
    });
    assert_eq!(done["group_id"], split["id"]);
    let parted = server.post(&format!("{two}/unmerge"), &json!({})).expect(200);
    assert_eq!(parted["merged_into"], Value::Null);
    assert_eq!(server.post(&format!("{two}/unmerge"), &json!({})).problem(422), "cannot-be-done");
    assert_eq!(server.post(&format!("{one}/split"), &json!({})).problem(422), "cannot-be-done");
    assert_eq!(
        server.post(&format!("{one}/merge"), &json!({ "groups": ["none"] })).problem(404),
        "not-found"
    );
}

#[test]
fn four_hundred_restarts_are_one_group_and_one_notification_with_the_newest_cores() {
    let server = Server::start(&["--keep-cores", "2"]);
    let body = json!({ "service": "shop" });
    let blobs: Vec<String> = (0..396)
        .map(|n| {
            // As many pods as restarts: what differs is what differs between pods.
            let text =
                format!("pod-{n}\n{}", text(7).replace("goroutine 1 ", &format!("goroutine {} ", n + 1)));
            let text = text.replace("0x1)", &format!("0xc000{n:06x})"));
            server.put_stream("text", text.as_bytes())
        })
        .collect();
    for (n, blob) in blobs.iter().enumerate() {
        server.crash(&json!({ "texts": [blob], "service": "shop", "hostname": format!("pod-{n}") }));
    }
    let mut groups = Value::Null;
    // In steps, each with its own patience.
    for some in (36..=396).step_by(60) {
        groups = server.wait_until("/api/v1/groups", |groups| {
            groups["items"][0]["count"].as_u64().is_some_and(|count| count >= some)
        });
    }
    assert_eq!(groups["items"][0]["count"], 396);
    assert_eq!(groups["items"].as_array().unwrap().len(), 1, "{groups:#}");
    let events = server.get("/api/v1/events").expect(200);
    assert_eq!(events["items"].as_array().unwrap().len(), 1);

    // Real cores, of one bug.
    let mut crashes = Vec::new();
    for go in ["1.22", "1.25", "1.26", "1.27"] {
        let fixture = panicle_fixtures::get("nil-map-write", go);
        let binary = server.put_file("binary", &fixture.binary);
        let core = server.put_file("core", &fixture.core);
        let mut body = body.clone();
        body["core"] = json!(core);
        body["binaries"] = json!([binary]);
        let crash = server.crash(&body);
        crashes.push((core, server.wait(&crash, &["done", "failed", "quarantined"])));
    }
    let group = group_path(&crashes[3].1);
    assert_eq!(server.get(&group).expect(200)["count"], 4);
    let oldest = format!("/api/v1/crashes/{}", crashes[0].1["id"].as_str().unwrap());
    server.wait_until(&oldest, |crash| !evidence_of(crash, "core")["deleted"].is_null());
    let kept: Vec<bool> = crashes
        .iter()
        .map(|(_, crash)| {
            let crash = server.get(&format!("/api/v1/crashes/{}", crash["id"].as_str().unwrap())).expect(200);
            assert!(crash["has_report"].as_bool().unwrap());
            evidence_of(&crash, "core")["deleted"].is_null()
        })
        .collect();
    assert_eq!(kept, [false, false, true, true]);
    for ((core, crash), kept) in crashes.iter().zip(kept) {
        let (shard, rest) = core.split_at(2);
        let file = server.data().join("blobs").join(shard).join(format!("{rest}.zst"));
        assert_eq!(file.exists(), kept, "its disk is free again");
        let content = server.get(&format!("/api/v1/blobs/{core}/content"));
        if kept {
            assert_eq!(content.status, 200);
        } else {
            assert_eq!(content.problem(410), "evidence-gone");
            // The report is all there.
            let report = server.get(&format!("/api/v1/crashes/{}/report", crash["id"].as_str().unwrap()));
            assert_eq!(report.expect(200)["verdict"]["class"], "nil-map-write");
        }
    }
}

fn evidence_of<'a>(crash: &'a Value, kind: &str) -> &'a Value {
    crash["evidence"].as_array().unwrap().iter().find(|evidence| evidence["kind"] == kind).unwrap()
}

#[test]
fn a_core_and_its_own_text_are_one_crash_in_whatever_order_they_come() {
    let server = Server::start(&[]);
    for (program, core_first) in [("nil-map-write", true), ("nil-dereference", false)] {
        let fixture = panicle_fixtures::get(program, "1.26");
        let printed = std::fs::read_to_string(&fixture.stderr).unwrap();
        let binary = server.put_file("binary", &fixture.binary);
        let core = server.put_file("core", &fixture.core);
        let text = server.put_stream("text", printed.as_bytes());
        // The same program died of the same an hour before, on the same host.
        let near = server.put_stream("text", format!("{printed}\nand so on\n").as_bytes());
        let near = json!({ "texts": [near], "hostname": program, "occurred_at": "2026-01-02T02:04:05Z" });
        let near = server.wait(&server.crash(&near), &["done"]);
        let mut halves = [
            json!({ "core": core, "binaries": [binary], "hostname": program, "occurred_at": "2026-01-02T03:04:05Z" }),
            json!({ "texts": [text], "hostname": program, "occurred_at": "2026-01-02T03:04:07Z" }),
        ];
        if !core_first {
            halves.reverse();
        }
        let first = server.wait(&server.crash(&halves[0]), &["done"]);
        let id = first["id"].as_str().unwrap();
        let second = server.crash(&halves[1]);
        let joined =
            server.wait_until(&format!("/api/v1/crashes/{second}"), |crash| !crash["joined_into"].is_null());
        assert_eq!((&joined["joined_into"], &joined["group_id"]), (&json!(id), &Value::Null));
        let whole = server.wait_until(&format!("/api/v1/crashes/{id}"), |crash| {
            crash["status"] == "done" && crash["analysed_at"] != first["analysed_at"]
        });
        assert_eq!(whole["evidence"].as_array().unwrap().len(), 3);
        let diagnostics = whole["diagnostics"].as_array().unwrap();
        let said = diagnostics.iter().find(|said| said["ref"] == format!("crash {second}")).unwrap();
        assert!(said["text"].as_str().unwrap().contains(&format!("host {program}, 2.0 seconds")), "{said}");
        assert_eq!(whole["group_id"], near["group_id"]);
        let group = server.get(&group_path(&whole)).expect(200);
        assert_eq!(group["count"], 2, "this one, and the one an hour before");
        let near = server.get(&format!("/api/v1/crashes/{}", near["id"].as_str().unwrap())).expect(200);
        assert_eq!(near["joined_into"], Value::Null);
        // Whoever sends a half again is shown the whole.
        assert_eq!(server.crash(&halves[1]), id);
    }
}

#[test]
fn a_rule_is_previewed_saved_applied_and_put_back_over_http() {
    let server = Server::start(&[]);
    let one = crash(&server, &text(1), json!({ "labels": { "env": "prod" } }));
    let two = crash(&server, &text(2), json!({ "labels": { "env": "prod" } }));
    let other = crash(&server, &text(3), json!({ "labels": { "env": "test" } }));
    let new = json!({ "kind": "merge", "name": "production", "predicate": "label.env:prod && \"main.main\"", "actor": "ada" });
    let plan = server.post("/api/v1/rules/preview", &new).expect(200);
    assert_eq!((&plan["looked_at"], &plan["matched"]), (&json!(3), &json!(2)), "{plan:#}");
    assert_eq!(plan["moves"].as_array().unwrap().len(), 2);
    let wrong = json!({ "kind": "merge", "name": "x", "predicate": "label.env:prod &&" });
    assert_eq!(server.post("/api/v1/rules/preview", &wrong).problem(400), "bad-query");

    let rule = server.post("/api/v1/rules", &new).expect(201);
    let done = |value: &Value| !value["finished_at"].is_null();
    server.wait_until("/api/v1/regroup", done);
    let group_of = |crash: &Value| {
        server.get(&format!("/api/v1/crashes/{}", crash["id"].as_str().unwrap())).expect(200)["group_id"]
            .clone()
    };
    assert_eq!([group_of(&one), group_of(&two)], [rule["group_id"].clone(), rule["group_id"].clone()]);
    assert_eq!(group_of(&other), other["group_id"]);
    let group = format!("/api/v1/groups/{}", rule["group_id"].as_str().unwrap());
    assert_eq!(server.get(&group).expect(200)["title"], "production");
    // What arrives later goes there, too.
    let later = crash(&server, &text(4), json!({ "labels": { "env": "prod" } }));
    assert_eq!(later["group_id"], rule["group_id"]);
    let same = json!({ "kind": "merge", "name": "all", "predicate": "class:string-panic || class:error-panic || \"main.main\"" });
    let answer = server.post("/api/v1/rules", &same);
    assert_eq!(answer.status, 409);
    let problem = answer.json();
    assert_eq!(problem["type"], "/problems/rule-conflict");
    assert!(
        problem["conflicts"].as_array().unwrap().iter().any(|conflict| conflict["crash_id"] == one["id"])
    );

    let path = format!("/api/v1/rules/{}", rule["id"].as_str().unwrap());
    assert_eq!(
        patch(&server, &path, Some("\"7\""), &json!({ "enabled": false })).problem(412),
        "changed-meanwhile"
    );
    patch(&server, &path, Some("\"1\""), &json!({ "enabled": false, "actor": "bo" })).expect(200);
    server.wait_until("/api/v1/regroup", done);
    assert_eq!([group_of(&one), group_of(&two)], [one["group_id"].clone(), two["group_id"].clone()]);
    let history = server.get(&format!("{path}/history")).expect(200);
    assert_eq!(history["items"].as_array().unwrap().len(), 2);
    let json = &[("content-type", "application/json")];
    assert_eq!(server.send("DELETE", &path, json, "{}").status, 204);
    assert_eq!(server.get("/api/v1/rules").expect(200)["items"], json!([]));
    let plan = server.post("/api/v1/regroup?dry_run=true", &json!({})).expect(200);
    assert_eq!(plan["looked_at"], 4);

    // The signatures of this program are what all of them have.
    assert_eq!(server.post("/api/v1/signature-trial", &json!({})).expect(202)["queued"], 4);
    let trial = server.wait_until("/api/v1/signature-trial", |trial| trial["done"] == 4);
    assert_eq!((&trial["changed"], &trial["moves"]), (&json!(0), &json!([])));
    assert_eq!(server.post("/api/v1/signature-trial/apply", &json!({})).expect(202)["queued"], 0);
}
