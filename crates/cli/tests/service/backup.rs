//! A copy that is made while the service is busy is a whole one.

use std::{
    path::Path,
    process::{Command, Output},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use panicle_backends::S3Server;
use panicle_fixtures::get;
use serde_json::{Value, json};

use crate::harness::{Server, Stores, panicle, text};

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    run(Command::new("cp").arg("-aT").arg(from).arg(to));
}

/// Analysed, waiting for its executable, and a group that somebody has changed.
struct Before {
    core: String,
    done: Value,
    waiting: Value,
    group: Value,
}

fn fill(server: &Server) -> Before {
    let fixture = get("nil-map-write", "1.26");
    let core = server.put_file("core", &fixture.core);
    let binary = server.put_file("binary", &fixture.binary);
    let done = server.crash(&json!({ "core": core, "binaries": [binary], "service": "shop" }));
    let done = server.wait(&done, &["done"]);
    let waiting = server.crash_of_core(&get("deadlock", "1.26").core);
    let waiting = server.wait(&waiting, &["waiting-for-binary"]);
    let path = format!("/api/v1/groups/{}", done["group_id"].as_str().unwrap());
    let change = json!({ "owner": "night watch" }).to_string();
    let json = [("content-type", "application/json")];
    let group = server.send("PATCH", &path, &json, change).expect(200);
    Before { core, done, waiting, group }
}

/// Sends and reports until `copying` has come to its end, and answers what was sent before it began.
fn while_sending<T>(server: &Server, copying: impl FnOnce() -> T) -> T {
    let (stop, sent) = (AtomicBool::new(false), Mutex::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 100.. {
                let blob = server.put_stream("text", text(number).as_bytes());
                server.crash(&json!({ "texts": [blob] }));
                *sent.lock().unwrap() += 1;
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        while *sent.lock().unwrap() < 3 {
            thread::sleep(std::time::Duration::from_millis(5));
        }
        let copied = copying();
        stop.store(true, Ordering::Relaxed);
        copied
    })
}

/// Everything is there, and what had not come to its end goes on.
fn check(server: &Server, before: &Before) {
    let crash = |crash: &Value| format!("/api/v1/crashes/{}", crash["id"].as_str().unwrap());
    assert_eq!(server.get(&crash(&before.done)).expect(200), before.done);
    let report = server.get(&format!("{}/report", crash(&before.done))).expect(200);
    assert_eq!(report["verdict"]["class"], "nil-map-write");
    let fixture = get("nil-map-write", "1.26");
    let content = server.get(&format!("/api/v1/blobs/{}/content", before.core)).body;
    assert!(content == std::fs::read(fixture.core).unwrap());
    let group = server.get(&format!("/api/v1/groups/{}", before.group["id"].as_str().unwrap())).expect(200);
    assert_eq!((&group["owner"], &group["count"]), (&json!("night watch"), &json!(1)));
    server.put_file("binary", &get("deadlock", "1.26").binary);
    server.wait(before.waiting["id"].as_str().unwrap(), &["done"]);
    server.wait_until("/api/v1/stats", |stats| stats["queued"] == 0);
    let crashes = server.get("/api/v1/crashes?limit=200").expect(200);
    let statuses: Vec<&Value> =
        crashes["items"].as_array().unwrap().iter().map(|item| &item["status"]).collect();
    assert!(statuses.len() >= 5 && statuses.iter().all(|&status| status == "done"), "{crashes:#}");
}

#[test]
fn a_database_on_sqlite_is_copied_while_it_is_used() {
    let server = Server::start(&["--workers", "1"]);
    let before = fill(&server);
    let kept = tempfile::tempdir().unwrap();
    let backup = kept.path().join("panicle.db");
    let command = || {
        let mut command = panicle();
        command.args(["admin", "backup"]).arg(&backup).arg("--data").arg(server.data());
        command
    };
    while_sending(&server, || {
        run(&mut command());
        for folder in ["blobs", "spool"] {
            copy(&server.data().join(folder), &kept.path().join(folder));
        }
    });
    let again = command().output().unwrap();
    assert_eq!(again.status.code(), Some(3), "{again:?}");
    assert_eq!(std::fs::read_dir(kept.path()).unwrap().count(), 3, "nothing else is left");
    drop(server);
    let restored = Server::start_in(kept, &["--workers", "1"]);
    check(&restored, &before);
}

#[test]
fn a_database_on_postgresql_and_a_bucket_are_copied_while_they_are_used() {
    let stores = Stores::new();
    let server = Server::start_on(Some(Arc::clone(&stores)), &["--workers", "1"]);
    let before = fill(&server);
    let mut refused = panicle();
    stores.used_by(&mut refused);
    let refused = refused.args(["admin", "backup", "/tmp/nowhere.db"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("pg_dump"));

    let kept = tempfile::tempdir().unwrap();
    let dump = kept.path().join("panicle.dump");
    let bucket = S3Server::new();
    while_sending(&server, || {
        run(Command::new("pg_dump").args(["--format=custom", "--file"]).arg(&dump).arg(&stores.database));
        copy(&stores.bucket().bucket(), &bucket.bucket());
    });
    drop((server, stores));
    let restored = Arc::new(Stores { database: panicle_backends::database(), bucket: Mutex::new(bucket) });
    let restore = ["--clean", "--if-exists", "--no-owner", "--dbname"];
    run(Command::new("pg_restore").args(restore).arg(&restored.database).arg(&dump));
    let server = Server::start_on(Some(restored), &["--workers", "1", "--lease-seconds", "5"]);
    check(&server, &before);
}
