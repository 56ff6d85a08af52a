//! `panicle admin`, and what it changes.

use std::process::Output;

use serde_json::{Value, json};

use crate::harness::{Server, id, panicle, text};

fn admin(server: &str, arguments: &[&str]) -> Output {
    panicle().arg("admin").args(arguments).args(["--server", server]).output().unwrap()
}

#[track_caller]
fn json_of(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn history_is_grouped_anew_from_the_command_line() {
    let server = Server::start(&[]);
    for n in 1..=3 {
        let blob = server.put_stream("text", text(n).as_bytes());
        let crash = server.crash(&json!({ "texts": [blob] }));
        server.wait(&crash, &["done"]);
    }
    let plan = json_of(&admin(&server.url, &["regroup", "--dry-run", "--format", "json"]));
    assert_eq!((&plan["looked_at"], &plan["moves"]), (&json!(3), &json!([])));
    assert_eq!(server.get("/api/v1/regroup").expect(200), Value::Null, "nothing was done");
    let done = json_of(&admin(&server.url, &["regroup", "--format", "json"]));
    assert_eq!((&done["done"], &done["moved"]), (&json!(3), &json!(0)));
    assert!(!done["finished_at"].is_null());
    let said = admin(&server.url, &["regroup"]);
    assert_eq!(String::from_utf8_lossy(&said.stdout), "looked at 3 crashes; 0 are in another group since\n");
    let nobody = admin("http://127.0.0.1:9", &["regroup"]);
    assert_eq!(nobody.status.code(), Some(4));
}

#[test]
fn what_was_set_aside_is_seen_and_tried_again_from_the_command_line() {
    // No analysis has any time.
    let server = Server::start(&["--workers", "1", "--analysis-seconds", "0", "--retry-after-seconds", "0"]);
    let none = json_of(&admin(&server.url, &["quarantine", "list", "--format", "json"]));
    assert_eq!(none, json!({ "items": [] }));
    let blob = server.put_stream("text", text(1).as_bytes());
    let crash = server.crash(&json!({ "texts": [blob] }));
    server.wait(&crash, &["quarantined"]);
    let listed = json_of(&admin(&server.url, &["quarantine", "list", "--format", "json"]));
    let job = &listed["items"][0];
    assert_eq!(
        (&job["kind"], &job["crash_id"], &job["attempts"]),
        (&json!("analyse"), &json!(crash), &json!(3))
    );
    assert!(job["problem"].is_string(), "{job}");
    let job = id(job);
    let shown = admin(&server.url, &["quarantine", "show", &job]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains(&crash) && shown.contains(&format!("{} bytes  {blob}", text(1).len())), "{shown}");
    let elsewhere = admin(&server.url, &["quarantine", "list", "--project", "nothing"]);
    assert_eq!(elsewhere.status.code(), Some(2));
    // It is set aside again, since there still is no time.
    let path = format!("/api/v1/crashes/{crash}");
    let before = server.get(&path).expect(200)["analysed_at"].clone();
    assert!(admin(&server.url, &["quarantine", "retry", &job]).status.success());
    server.wait_until(&path, |now| now["status"] == "quarantined" && now["analysed_at"] != before);
    for wrong in ["retry", "show"] {
        let unknown = "00000000-0000-7000-8000-000000000000";
        assert_eq!(admin(&server.url, &["quarantine", wrong, unknown]).status.code(), Some(2));
        assert_eq!(admin(&server.url, &["quarantine", wrong, "../tokens"]).status.code(), Some(2));
    }
}

#[test]
fn history_is_analysed_again_from_the_command_line_once_it_is_counted() {
    let server = Server::start(&[]);
    let crashes: Vec<String> = (1..=3)
        .map(|n| {
            let blob = server.put_stream("text", text(n).as_bytes());
            let service = if n == 3 { "cart" } else { "shop" };
            let crash = server.crash(&json!({ "texts": [blob], "service": service }));
            server.wait(&crash, &["done"]);
            crash
        })
        .collect();
    let revision =
        |n: usize| server.get(&format!("/api/v1/crashes/{}", crashes[n])).expect(200)["analysed_at"].clone();
    let first = [revision(0), revision(1), revision(2)];
    assert!(first.iter().all(Value::is_string), "{first:?}");
    let said = admin(&server.url, &["reprocess"]);
    assert!(
        String::from_utf8_lossy(&said.stdout).starts_with("3 crashes would be analysed again (--yes); 0 "),
        "{said:?}"
    );
    let query = ["reprocess", "--query", "service:shop", "--format", "json"];
    let counted = json_of(&admin(&server.url, &query));
    assert_eq!(counted, json!({ "crashes": 2, "without_core": 0, "queued": false }));
    assert_eq!(revision(0), first[0], "only counted");
    let queued = json_of(&admin(&server.url, &[&query[..], &["--yes"]].concat()));
    assert_eq!(queued, json!({ "crashes": 2, "without_core": 0, "queued": true }));
    for (crash, first) in crashes[..2].iter().zip(&first) {
        server.wait_until(&format!("/api/v1/crashes/{crash}"), |now| {
            now["status"] == "done" && now["analysed_at"] != *first
        });
    }
    assert_eq!(revision(2), first[2], "of another service");
    let one = json_of(&admin(&server.url, &["reprocess", &crashes[2], "--yes", "--format", "json"]));
    assert_eq!(one["crashes"], 1);
    server.wait_until(&format!("/api/v1/crashes/{}", crashes[2]), |now| now["analysed_at"] != first[2]);
    let none = json_of(&admin(&server.url, &["reprocess", "--cancel", "--format", "json"]));
    assert_eq!(none, json!({ "called_off": 0, "waiting": 0 }));
    for wrong in [
        &["reprocess", "--query", "("][..],
        &["reprocess", "--cancel", "--yes"],
        &["reprocess", "--project", "x"],
        &["reprocess", "x", "--query", "a"],
    ] {
        assert_eq!(admin(&server.url, wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn what_of_history_waits_is_called_off_from_the_command_line() {
    let server = Server::start(&[]);
    let crashes: Vec<String> = (1..=3)
        .map(|n| {
            let blob = server.put_stream("text", text(n).as_bytes());
            let crash = server.crash(&json!({ "texts": [blob] }));
            server.wait(&crash, &["done"]);
            crash
        })
        .collect();
    // The same without anybody who works.
    let server = server.killed_and_started_with(&["--workers", "0"]);
    let queued = admin(&server.url, &["reprocess", "--yes"]);
    let queued = String::from_utf8_lossy(&queued.stdout).into_owned();
    assert!(queued.contains("3 crashes were queued") && queued.contains("3 wait to be analysed"), "{queued}");
    let state =
        |n: usize| server.get(&format!("/api/v1/crashes/{}", crashes[n])).expect(200)["status"].clone();
    assert_eq!(state(0), "queued");
    let said = admin(&server.url, &["reprocess", "--cancel"]);
    assert_eq!(String::from_utf8_lossy(&said.stdout), "3 crashes were called off; 0 wait\n");
    assert_eq!([state(0), state(1), state(2)], ["done", "done", "done"]);

    // What never was analysed is not done by being called off, and forgets that it was when it is asked for again.
    let blob = server.put_stream("text", text(4).as_bytes());
    let fresh = server.crash(&json!({ "texts": [blob] }));
    let path = format!("/api/v1/crashes/{fresh}");
    server.post(&format!("{path}/cancel"), &json!({}));
    let off = server.get(&path).expect(200);
    assert_eq!((&off["status"], off["failure"].is_null()), (&json!("failed"), false), "{off:#}");
    server.post(&format!("{path}/reanalyse"), &json!({}));
    let again = server.get(&path).expect(200);
    assert_eq!((&again["status"], &again["failure"]), (&json!("queued"), &Value::Null), "{again:#}");
}

#[test]
fn a_policy_says_how_many_cores_of_a_service_are_kept() {
    let server = Server::start(&[]);
    let fixture = |go: &str| panicle_fixtures::get("nil-map-write", go);
    let mut cores = Vec::new();
    for (go, service) in [("1.22", "shop"), ("1.25", "shop"), ("1.26", "auth"), ("1.27", "auth")] {
        let binary = server.put_file("binary", &fixture(go).binary);
        let core = server.put_file("core", &fixture(go).core);
        let crash = server.crash(&json!({ "core": core, "binaries": [binary], "service": service }));
        let crash = server.wait(&crash, &["done", "failed", "quarantined"]);
        cores.push((core, id(&crash)));
    }
    let gone = |n: usize| {
        let crash = server.get(&format!("/api/v1/crashes/{}", cores[n].1)).expect(200);
        let evidence = crash["evidence"].as_array().unwrap();
        evidence.iter().find(|evidence| evidence["kind"] == "core").unwrap()["deleted"]["reason"].clone()
    };
    let path = "/api/v1/retention";
    let answer = server.get(path);
    let etag = answer.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(answer.expect(200), json!({ "keep_cores": null, "services": {} }));
    let put = |tag: &str, body: &Value| {
        server.send("PUT", path, &[("content-type", "application/json"), ("if-match", tag)], body.to_string())
    };
    for wrong in [
        json!({ "keep_cores": 0 }),
        json!({ "services": { "a": 0 } }),
        json!({ "services": { "": 1 } }),
        json!([5]),
        json!({ "keep_cores": 2_000_000 }),
    ] {
        assert_eq!(put(&etag, &wrong).problem(400), "bad-request", "{wrong}");
    }
    assert_eq!(put("\"9\"", &json!({})).problem(412), "changed-meanwhile");

    let policy = json_of(&admin(
        &server.url,
        &["retention", "--service-cores", "shop=1", "--keep-cores", "5", "--format", "json"],
    ));
    assert_eq!(policy, json!({ "keep_cores": 5, "services": { "shop": 1 } }));
    // Of the crashes that there are, too, without another one.
    server.wait_until(&format!("/api/v1/crashes/{}", cores[0].1), |crash| {
        crash["evidence"].as_array().unwrap().iter().any(|evidence| !evidence["deleted"].is_null())
    });
    let reason = gone(0);
    assert!(reason.as_str().unwrap().ends_with("is kept, for service shop"), "{reason}");
    assert_eq!([gone(1), gone(2), gone(3)], [Value::Null, Value::Null, Value::Null]);
    let said =
        admin(&server.url, &["retention", "--service-cores", "shop=default", "--keep-cores", "default"]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("all unless told otherwise"), "{said:?}");
    assert_eq!(admin(&server.url, &["retention", "--keep-cores", "0"]).status.code(), Some(2));
    assert_eq!(admin(&server.url, &["retention", "--service-cores", "shop"]).status.code(), Some(2));
}

#[test]
fn the_process_of_a_text_is_known_when_whoever_sends_it_knows_it() {
    let server = Server::start(&["--workers", "0"]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("crash.log");
    std::fs::write(&file, text(1)).unwrap();
    let output = panicle()
        .args(["upload", "text"])
        .arg(&file)
        .args(["--pid", "4242", "--format", "json", "--server", &server.url])
        .output()
        .unwrap();
    let crash = id(&json_of(&output)["crashes"][0]);
    assert_eq!(server.get(&format!("/api/v1/crashes/{crash}")).expect(200)["pid"], 4242);
    let wrong = panicle().args(["upload", "text", "x", "--pid", "0"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}
