//! One API process and workers on a database and a bucket that they share.

use std::{
    fs::File,
    process::Child,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use panicle_fixtures::get;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    harness::{Server, Stores, panicle, terminate, text},
    resumable::{add, create, header, metadata, tus},
};

/// A running `panicle worker`, killed when dropped.
struct Worker {
    process: Child,
    data: TempDir,
}

impl Worker {
    fn start(stores: &Stores, arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let log = File::create(data.path().join("worker.log")).unwrap();
        let mut command = panicle();
        stores.used_by(&mut command);
        command.arg("worker").args(arguments).arg("--cache-dir").arg(data.path().join("cache"));
        let process = command.stderr(log).spawn().unwrap();
        Self { process, data }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("worker.log")).unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn api(stores: &Arc<Stores>) -> Server {
    Server::start_on(Some(Arc::clone(stores)), &["--workers", "0"])
}

/// Real crashes, waiting for somebody to analyse them.
fn backlog(server: &Server) -> Vec<String> {
    let mut crashes = Vec::new();
    for program in ["nil-map-write", "deadlock", "goroutine-leak", "stack-overflow", "waits"] {
        for version in ["1.23", "1.26"] {
            let fixture = get(program, version);
            let core = server.put_file("core", &fixture.core);
            let binary = server.put_file("binary", &fixture.binary);
            crashes.push(server.crash(&json!({ "core": core, "binaries": [binary] })));
        }
    }
    crashes
}

fn all_done_once(server: &Server, crashes: &[String]) {
    for crash in crashes {
        assert_eq!(server.wait(crash, &["done", "failed", "quarantined"])["status"], "done");
    }
    let groups = server.get("/api/v1/groups").expect(200);
    let counted = groups["items"].as_array().unwrap().iter().map(|group| group["count"].as_u64().unwrap());
    assert_eq!(counted.sum::<u64>(), crashes.len() as u64);
}

#[test]
fn workers_share_the_work_and_take_over_from_one_that_is_killed() {
    let stores = Stores::new();
    let server = api(&stores);
    let crashes = backlog(&server);
    let lease = &["--workers", "1", "--lease-seconds", "5"];
    let (mut one, two) = (Worker::start(&stores, lease), Worker::start(&stores, lease));
    let begun = |worker: &Worker| worker.log().contains("analysed");
    let started = Instant::now();
    while !(begun(&one) && begun(&two)) {
        assert!(started.elapsed() < Duration::from_mins(1), "{}\n{}", one.log(), two.log());
        thread::sleep(Duration::from_millis(20));
    }
    one.process.kill().unwrap();
    all_done_once(&server, &crashes);
    // Nobody's secrets are in anybody's log.
    for log in [server.log(), one.log(), two.log()] {
        for (_, secret) in stores.bucket().environment() {
            assert!(!log.contains(&secret), "{log}");
        }
    }
}

#[test]
fn a_worker_that_is_stopped_gives_its_work_back_uncounted() {
    let stores = Stores::new();
    let server = api(&stores);
    let huge = server.put_stream("text", crate::limits::huge_text().as_bytes());
    let crash = server.crash(&json!({ "texts": [huge] }));
    // A lease that would outlast this test.
    let mut worker = Worker::start(&stores, &["--workers", "1", "--lease-seconds", "3600"]);
    server.wait(&crash, &["analysing"]);
    terminate(&mut worker.process);
    let back = server.get(&format!("/api/v1/crashes/{crash}")).expect(200);
    assert_eq!(back["status"], "queued", "{back:#}\n{}", worker.log());
    let _other = Worker::start(&stores, &["--workers", "1"]);
    let done = server.wait(&crash, &["done", "failed", "quarantined"]);
    assert_eq!((&done["status"], &done["attempts"]), (&json!("done"), &json!(1)), "{done:#}");
}

#[test]
fn api_processes_are_stopped_and_started_without_anybody_missing_them() {
    let stores = Stores::new();
    let (mut one, two) = (api(&stores), api(&stores));
    let kept = one.put_stream("text", text(1).as_bytes());
    assert_eq!(two.put("text", text(1)).expect(200)["id"], kept.as_str());
    let crash = two.crash(&json!({ "texts": [kept] }));
    one.terminate();
    let _worker = Worker::start(&stores, &["--workers", "1"]);
    assert_eq!(two.wait(&crash, &["done", "failed"])["status"], "done");
    assert_eq!(two.get(&format!("/api/v1/blobs/{kept}/content")).body, text(1).as_bytes());
}

#[test]
fn an_upload_begun_at_one_process_goes_on_at_another() {
    let stores = Stores::new();
    let (one, two) = (api(&stores), api(&stores));
    let (whole, kind) = (text(1), metadata(&[("kind", "text")]));
    let path = create(&one, &[("upload-length", &whole.len().to_string()), ("upload-metadata", &kind)]);
    assert_eq!(add(&one, &path, 0, &[], &whole.as_bytes()[..10]).status, 204);
    assert_eq!(header(&tus(&two, "HEAD", &path, &[], b""), "upload-offset"), "10");
    assert_eq!(add(&two, &path, 10, &[], &whole.as_bytes()[10..20]).status, 204);
    let done = add(&one, &path, 20, &[], &whole.as_bytes()[20..]);
    assert_eq!(done.status, 204);
    let kept = header(&done, "x-panicle-blob-id");
    assert_eq!(two.get(&format!("/api/v1/blobs/{kept}/content")).body, whole.as_bytes());
}

#[test]
fn a_store_that_is_away_is_said_and_waited_for() {
    let stores = Stores::new();
    let server = Server::start_on(Some(Arc::clone(&stores)), &["--workers", "1"]);
    let ready = server.get("/readyz").expect(200);
    assert_eq!((&ready["status"], &ready["oldest_job_seconds"]), (&json!("ready"), &Value::Null));
    assert!(ready["disk_free_bytes"].as_u64().unwrap() > 0);
    let evidence = server.put_stream("text", text(1).as_bytes());
    stores.bucket().stop();
    let away = server.get("/readyz");
    assert!(
        String::from_utf8_lossy(&away.body).contains("store: "),
        "who may do everything here is told why"
    );
    assert_eq!(away.problem(503), "not-ready");
    assert_eq!(server.get("/healthz").status, 200);
    // Its worker cannot have the evidence now, and that is not the evidence's fault.
    let crash = server.crash(&json!({ "texts": [evidence] }));
    server.wait(&crash, &["analysing"]);
    thread::sleep(Duration::from_secs(2));
    stores.bucket().start();
    let done = server.wait(&crash, &["done", "failed", "quarantined"]);
    assert_eq!((&done["status"], &done["attempts"]), (&json!("done"), &json!(1)), "{done:#}");
    server.get("/readyz").expect(200);
    // From the first token on, strangers are told which part it is, and nothing more.
    let token = |bearer: Option<&str>, scopes: &[&str]| {
        let bearer = bearer.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let body = json!({ "name": "test", "scopes": scopes }).to_string();
        let made = server.send("POST", "/api/v1/tokens", &headers, body).expect(201);
        made["token"].as_str().unwrap().to_owned()
    };
    stores.bucket().stop();
    let all = token(None, &["read", "manage", "ingest"]);
    let reader = token(Some(&all), &["read"]);
    let probe = |token: Option<&str>| {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.as_deref().map(|bearer| ("authorization", bearer)).into_iter().collect();
        let answer = server.send("GET", "/readyz", &headers, ());
        assert_eq!(answer.status, 503);
        answer.json()["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!([probe(None), probe(Some(&reader)), probe(Some("pnc_x"))], ["store"; 3]);
    assert!(probe(Some(&all)).starts_with("store: "));
    assert_eq!(
        server.log().matches("not ready").count(),
        2,
        "once each time, and not with each probe: {}",
        server.log()
    );
}

#[test]
fn what_cannot_be_opened_is_said_and_ends_the_process() {
    let stores = Stores::new();
    let refused = |name: &str, value: &str, code: i32, words: &str| {
        let data = tempfile::tempdir().unwrap();
        let mut command = panicle();
        stores.used_by(&mut command);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path()).env(name, value);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{said}");
    };
    let bucket = stores.bucket().url("x");
    refused("AWS_SECRET_ACCESS_KEY", "another", 4, "AWS_SECRET_ACCESS_KEY");
    refused("PANICLE_BLOBS", &bucket.replace("crashes", "elsewhere"), 4, "there is no such bucket");
    refused("PANICLE_BLOBS", "s3://id:secret@crashes", 2, "credentials do not belong into the URL");
    refused("PANICLE_BLOBS", "ftp://crashes", 2, "not in ftp:");
    refused("PANICLE_DATABASE", "mysql://me:secret@host/db", 4, "mysql… is no database URL");
}

#[test]
fn an_upload_of_unknown_length_is_not_whole_before_it_is_kept() {
    let stores = Stores::new();
    let server = Server::start_on(Some(Arc::clone(&stores)), &["--workers", "0"]);
    let kind = metadata(&[("kind", "text")]);
    let path = create(&server, &[("upload-defer-length", "1"), ("upload-metadata", &kind)]);
    let (whole, length) = (text(1), text(1).len().to_string());
    assert_eq!(add(&server, &path, 0, &[], whole.as_bytes()).status, 204);
    stores.bucket().stop();
    // Says that there is no more, and that can not be made a blob of now.
    let last = || add(&server, &path, whole.len(), &[("upload-length", &length)], b"");
    thread::scope(|scope| {
        scope.spawn(last);
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(3) {
            let head = tus(&server, "HEAD", &path, &[], b"");
            assert_eq!(header(&head, "upload-offset"), length);
            assert!(head.headers.get("upload-length").is_none(), "a client would think that it is done");
            thread::sleep(Duration::from_millis(100));
        }
        stores.bucket().start();
    });
    let started = Instant::now();
    let done = loop {
        let answer = last();
        if answer.status == 204 {
            break answer;
        }
        assert!(started.elapsed() < Duration::from_mins(1), "{}", String::from_utf8_lossy(&answer.body));
        thread::sleep(Duration::from_millis(200));
    };
    let kept = header(&done, "x-panicle-blob-id");
    assert_eq!(server.get(&format!("/api/v1/blobs/{kept}/content")).body, whole.as_bytes());
}
