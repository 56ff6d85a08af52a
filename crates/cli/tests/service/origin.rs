//! Where crashes come from and when they happened, as the logs say that carry them: from the command line to the group.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Output,
};

use jiff::{SignedDuration, Timestamp};
use panicle_fixtures::{Fixture, get};
use serde_json::{Value, json};

use crate::harness::{Server, panicle, text};

fn run(server: &Server, arguments: &[&str]) -> Output {
    panicle().args(arguments).args(["--server", &server.url]).output().unwrap()
}

/// The crash that an upload makes, once it is analysed.
fn upload(server: &Server, arguments: &[&str]) -> Value {
    let output = run(server, &[&["upload"], arguments, &["--format", "json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    server.wait(printed["crashes"][0]["id"].as_str().unwrap(), &["done", "failed", "quarantined"])
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Lines made of the lines of a text, with their numbers.
fn each(text: &str, line: impl Fn(i64, &str) -> String) -> String {
    text.lines().zip(0..).map(|(text, n)| line(n, text)).collect::<Vec<_>>().concat()
}

/// A text as `journalctl -o json` writes it, a line each.
fn journal(text: &str, pid: i64, host: &str, at: Timestamp) -> String {
    each(text, |n, line| {
        let at = at.as_microsecond() + n * 20;
        let record = json!({ "__REALTIME_TIMESTAMP": at.to_string(), "_HOSTNAME": host, "_PID": pid.to_string(),
            "PRIORITY": "3", "SYSLOG_IDENTIFIER": "shopd", "MESSAGE": line });
        format!("{record}\n")
    })
}

struct Files {
    directory: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn log(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The core of a fixture, in a file of that time.
    fn core(&self, fixture: &Fixture, at: Timestamp) -> String {
        let path = self.directory.path().join("core");
        fs::copy(&fixture.core, &path).unwrap();
        File::options().append(true).open(&path).unwrap().set_modified(at.into()).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn process(core: &Path, binary: &Path) -> i64 {
    let paths: Vec<PathBuf> = vec![core.to_owned(), binary.to_owned()];
    let output = panicle()
        .arg("analyze")
        .arg(&paths[0])
        .arg("--binary")
        .arg(&paths[1])
        .args(["--format", "json"])
        .output();
    let report: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    report["process"]["pid"].as_i64().unwrap()
}

#[test]
fn a_core_and_its_text_in_a_journal_are_joined_from_the_command_line() {
    let happened = time("2026-01-02T03:04:05Z");
    for (program, core_first) in [("nil-map-write", true), ("nil-dereference", false)] {
        let server = Server::start(&[]);
        let files = Files::new();
        let fixture = get(program, "1.26");
        let printed = fs::read_to_string(&fixture.stderr).unwrap();
        let pid = process(&fixture.core, &fixture.binary);
        let journal = |name: &str, pid: i64, seconds: i64| {
            let at = happened + SignedDuration::from_secs(seconds);
            files.log(name, &journal(&printed, pid, "box", at))
        };
        let core = files.core(&fixture, happened);
        let core = ["core", core.as_str(), "--binary", fixture.binary.to_str().unwrap(), "--service", "shop"];
        let (own, other, earlier) =
            (journal("own", pid, 1), journal("other", pid + 1, 1), journal("earlier", pid, -3600));
        let text = |log: &str| upload(&server, &["text", log, "--service", "shop"]);
        let near = [text(&other), text(&earlier)];

        let (first, second) = if core_first {
            (upload(&server, &core), text(&own))
        } else {
            (text(&own), upload(&server, &core))
        };
        let path = |crash: &Value| format!("/api/v1/crashes/{}", crash["id"].as_str().unwrap());
        let joined = server.wait_until(&path(&second), |crash| !crash["joined_into"].is_null());
        assert_eq!(joined["joined_into"], first["id"]);
        let whole = server.wait_until(&path(&first), |crash| {
            crash["status"] == "done" && crash["analysed_at"] != first["analysed_at"]
        });
        assert_eq!(whole["evidence"].as_array().unwrap().len(), 3, "{whole:#}");
        assert_eq!((whole["pid"].as_i64(), whole["hostname"].as_str()), (Some(pid), Some("box")));
        for near in near {
            let near = server.get(&path(&near)).expect(200);
            assert_eq!((&near["joined_into"], &near["group_id"]), (&Value::Null, &whole["group_id"]));
        }
    }
}

#[test]
fn a_log_tells_when_and_where_a_crash_happened() {
    let server = Server::start(&[]);
    let files = Files::new();
    let happened = time("2026-01-02T03:04:05.25Z");
    let log = files.log("journal", &journal(&text(1), 4711, "box", happened));
    let crash = upload(&server, &["text", &log]);
    assert_eq!(
        (&crash["occurred_at"], &crash["pid"], &crash["hostname"]),
        (&json!("2026-01-02T03:04:05.25Z"), &json!(4711), &json!("box"))
    );
    let group = format!("/api/v1/groups/{}", crash["group_id"].as_str().unwrap());
    assert_eq!(server.get(&group).expect(200)["first_seen"], "2026-01-02T03:04:05.25Z");
    let report = format!("/api/v1/crashes/{}/report", crash["id"].as_str().unwrap());
    assert_eq!(server.get(&report).expect(200)["process"]["occurred_at"], "2026-01-02T03:04:05.25Z");

    // Syslog writes no year, so that the time is not known; what was said is taken.
    let lines = each(&text(2), |_, line| format!("Jan  2 03:04:05 box shopd[4712]: {line}\n"));
    let log = files.log("syslog", &lines);
    let crash = upload(&server, &["text", &log]);
    assert_eq!((&crash["occurred_at"], &crash["pid"]), (&Value::Null, &json!(4712)));
    let said = crash["diagnostics"].to_string();
    assert!(said.contains("`Jan  2 03:04:05` has no year"), "{said}");
    let given = [
        "--occurred-at",
        "2026-01-02T04:04:05+01:00",
        "--pid",
        "1",
        "--version",
        "v1.4.2",
        "--hostname",
        "b",
    ];
    let plain = files.log("plain", &text(3));
    for log in [&log, &plain] {
        let crash = upload(&server, &[&["text", log.as_str()], &given[..]].concat());
        assert_eq!(crash["occurred_at"], "2026-01-02T03:04:05Z");
        assert_eq!(
            (&crash["module_version"], &crash["reported_version"]),
            (&json!("v1.4.2"), &json!("v1.4.2"))
        );
    }
    let found = server.get("/api/v1/crashes?q=version:v1.4.*").expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 2);
}

#[test]
fn an_old_log_does_not_regress_a_group_and_a_new_one_does() {
    let server = Server::start(&[]);
    let files = Files::new();
    let cri = |name: &str, at: Timestamp| {
        let lines = each(&text(1), |_, line| format!("{at} stderr F {line}\n"));
        files.log(name, &lines)
    };
    let hour = SignedDuration::from_hours(1);
    let first = upload(&server, &["text", &cri("first", Timestamp::now() - hour - hour)]);
    let group = format!("/api/v1/groups/{}", first["group_id"].as_str().unwrap());
    let body = json!({ "state": "resolved", "resolved_in": { "version": "v1.5.0" } }).to_string();
    server.send("PATCH", &group, &[("content-type", "application/json")], body).expect(200);
    upload(&server, &["text", &cri("old", Timestamp::now() - hour)]);
    let stays = server.get(&group).expect(200);
    assert_eq!((&stays["state"], &stays["count"]), (&json!("resolved"), &json!(2)));
    let old = files.log("older-version", &text(1));
    upload(&server, &["text", &old, "--version", "v1.4.9"]);
    assert_eq!(server.get(&group).expect(200)["state"], "resolved");
    upload(&server, &["text", &cri("new", Timestamp::now())]);
    assert_eq!(server.get(&group).expect(200)["state"], "regressed");
}

#[test]
fn a_query_may_begin_with_what_is_not_meant() {
    let server = Server::start(&[]);
    let files = Files::new();
    let crash =
        upload(&server, &["text", &files.log("log", &text(1)), "--occurred-at", "2026-01-02T03:04:05Z"]);
    for (query, found) in [("-since:1h", 1), ("-class:string-panic", 0)] {
        let output = run(&server, &["search", query, "--format", "json"]);
        let nothing = i32::from(found == 0);
        assert_eq!(output.status.code(), Some(nothing), "{}", String::from_utf8_lossy(&output.stderr));
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["items"].as_array().unwrap().len(), found, "{query} {crash}");
    }
}

#[test]
fn several_cores_have_no_process_in_common() {
    let server = Server::start(&["--workers", "0"]);
    let fixture = get("nil-map-write", "1.26");
    let core = fixture.core.to_str().unwrap();
    let output = run(&server, &["upload", "core", core, core, "--pid", "7"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("each core is a crash of its own"));
}
