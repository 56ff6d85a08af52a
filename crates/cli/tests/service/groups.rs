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
    assert_eq!(server.post(&format!("{path}/history/2/undo"), &json!({})).problem(422), "cannot-be-done");

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
