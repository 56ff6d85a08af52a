//! What those see who watch an installation: workers from within and from outside, and what is said while the database or
//! the store is away.

use std::{
    fs::File,
    net::TcpListener,
    process::{Child, Command},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use panicle_backends::{PostgresServer, S3Server};
use serde_json::json;

use crate::{
    harness::{Server, Stores, panicle, text},
    resumable::{add, create, metadata},
};

/// A `panicle worker` that tells how it is.
fn worker(stores: &Stores, address: &str) -> Server {
    let data = tempfile::tempdir().unwrap();
    let mut command = panicle();
    stores.used_by(&mut command);
    command.args(["worker", "--workers", "1", "--listen", address]);
    command.arg("--cache-dir").arg(data.path().join("cache"));
    Server::run(command, data)
}

fn metrics(server: &Server) -> String {
    let answer = server.get("/metrics");
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.body).unwrap()
}

#[test]
fn a_worker_tells_how_it_is_and_the_api_how_many_there_are() {
    let stores = Stores::new();
    let api = Server::start_on(Some(Arc::clone(&stores)), &["--workers", "0"]);
    assert_eq!(api.get("/readyz").expect(200)["workers"], 0);
    let evidence = api.put_stream("text", text(1).as_bytes());
    let crash = api.crash(&json!({ "texts": [evidence] }));
    let before = metrics(&api);
    for line in [
        "panicle_workers 0",
        "panicle_jobs{kind=\"analyse\",state=\"waiting\"} 1",
        "panicle_jobs{kind=\"analyse\",state=\"running\"} 0",
        "panicle_jobs{kind=\"import\",state=\"quarantined\"} 0",
    ] {
        assert!(before.contains(line), "no {line} in {before}");
    }

    let mut worker = worker(&stores, "127.0.0.1:0");
    assert_eq!(api.wait(&crash, &["done", "failed"])["status"], "done");
    api.wait_until("/readyz", |ready| ready["workers"] == 1);
    let after = metrics(&api);
    assert!(after.contains("panicle_workers 1"), "{after}");
    assert!(after.contains("panicle_jobs{kind=\"analyse\",state=\"waiting\"} 0"), "{after}");
    let own = metrics(&worker);
    assert!(own.contains("panicle_jobs_total{kind=\"analyse\",ended=\"done\"} 1"), "{own}");
    assert!(!own.contains("panicle_workers"), "sums over all processes would be wrong: {own}");
    assert_eq!(worker.get("/readyz").expect(200), json!({ "status": "ready" }));
    assert_eq!(worker.get("/healthz").status, 200);
    assert_eq!(worker.get("/api/v1/crashes").problem(404), "not-found");
    assert_eq!(worker.get("/").problem(404), "not-found");

    stores.bucket().stop();
    for _ in 0..3 {
        let away = worker.get("/readyz");
        assert!(String::from_utf8_lossy(&away.body).contains("store: "));
        assert_eq!(away.problem(503), "not-ready");
        assert_eq!(api.get("/readyz").status, 503);
    }
    assert_eq!(worker.get("/healthz").status, 200);
    stores.bucket().start();
    let started = Instant::now();
    while [&api, &worker].iter().any(|server| server.get("/readyz").status != 200) {
        assert!(started.elapsed() < Duration::from_mins(1), "{}", worker.log());
        thread::sleep(Duration::from_millis(100));
    }
    for log in [api.log(), worker.log()] {
        assert_eq!(log.matches(" not ready").count(), 1, "once, and not with each probe: {log}");
        assert!(!log.contains("/readyz"), "{log}");
    }
    worker.terminate();
    assert_eq!(api.get("/readyz").expect(200)["workers"], 0, "who ends says so");
}

#[test]
fn strangers_reach_no_worker_without_a_token() {
    let stores = Stores::new();
    let mut command = panicle();
    stores.used_by(&mut command);
    let refused = command.args(["worker", "--listen", "0.0.0.0:0"]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("no access tokens yet"), "{said}");

    let token = |scopes: &str| {
        let mut command = panicle();
        stores.used_by(&mut command);
        let made =
            command.args(["admin", "token", "create", "--name", "x", "--scopes", scopes]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        format!("Bearer {}", String::from_utf8(made.stdout).unwrap().trim())
    };
    let (read, ingest) = (token("read"), token("ingest"));
    let worker = worker(&stores, "0.0.0.0:0");
    let ask = |path: &str, token: &str| {
        worker.send("GET", path, &[("authorization", token), ("host", "10.1.2.3:7171")], ())
    };
    assert_eq!(ask("/metrics", "").problem(401), "token-needed");
    assert_eq!(ask("/metrics", &ingest).problem(403), "missing-scope");
    assert_eq!(ask("/metrics", &read).status, 200);
    assert_eq!((ask("/healthz", "").status, ask("/readyz", "").status), (200, 200));
}

/// The status of adding to an upload that has four bytes.
fn patch(server: &Server, upload: &str) -> u16 {
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("upload-offset", "4"),
        ("content-type", "application/offset+octet-stream"),
    ];
    server.send("PATCH", upload, &headers, "more").status
}

#[test]
fn requests_fail_soon_while_the_database_is_away_and_the_log_says_why() {
    let mut database = PostgresServer::new();
    let bucket = Mutex::new(S3Server::new());
    let stores = Arc::new(Stores { database: database.url(), bucket });
    let server = Server::start_on(Some(Arc::clone(&stores)), &["--workers", "0"]);
    let kind = metadata(&[("kind", "text")]);
    let upload = create(&server, &[("upload-length", "100000"), ("upload-metadata", &kind)]);
    assert_eq!(add(&server, &upload, 0, &[], b"some").status, 204);
    database.stop();
    let soon = |what: &str, status: u16, started: Instant| {
        assert_eq!(status, 503, "{what}");
        assert!(started.elapsed() < Duration::from_secs(7), "{what} took {:?}", started.elapsed());
    };
    for _ in 0..2 {
        let started = Instant::now();
        soon("PATCH", patch(&server, &upload), started);
        let started = Instant::now();
        soon("GET", server.get("/api/v1/groups").status, started);
        let started = Instant::now();
        soon("readyz", server.get("/readyz").status, started);
    }
    let log = server.log();
    assert!(log.contains(".s.PGSQL.5432 cannot be reached: "), "{log}");
    assert!(!log.contains("pool timed out") && !log.contains("at line"), "{log}");
    database.start();
    let started = Instant::now();
    while patch(&server, &upload) != 204 {
        assert!(started.elapsed() < Duration::from_mins(1), "{}", server.log());
        thread::sleep(Duration::from_millis(200));
    }
}

/// A process that waits, ended when dropped.
struct Waiting(Child);

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_process_says_at_its_start_what_it_waits_for_and_not_too_often() {
    let data = tempfile::tempdir().unwrap();
    let stores = Stores::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let database = format!("postgres://me:hidden-from-all@{nobody}/panicle");
    let endpoint = stores.bucket().endpoint();
    let bucket = stores.bucket().url("x").replace(&endpoint, &format!("http://{nobody}"));
    let start = |name: &str, arguments: &[&str], variable: (&str, &str)| {
        let log = data.path().join(name);
        let mut command: Command = panicle();
        stores.used_by(&mut command);
        command
            .args(arguments)
            .env(variable.0, variable.1)
            .env("PANICLE_DATA", data.path().join(format!("{name}-d")));
        (Waiting(command.stderr(File::create(&log).unwrap()).spawn().unwrap()), log)
    };
    let serve = &["serve", "--listen", "127.0.0.1:0"];
    let token = &["admin", "token", "create", "--name", "x", "--scopes", "read"];
    let waiting = [
        start("serve", serve, ("PANICLE_DATABASE", &database)),
        start("worker", &["worker"], ("PANICLE_DATABASE", &database)),
        start("admin", token, ("PANICLE_DATABASE", &database)),
        start("store", serve, ("PANICLE_BLOBS", &bucket)),
    ];
    let said = |log| {
        let log = std::fs::read_to_string(log).unwrap();
        assert!(!log.contains("hidden-from-all"), "{log}");
        let lines = log.lines().filter(|line| line.contains("waiting for the ")).map(str::to_owned);
        lines.collect::<Vec<_>>()
    };
    thread::sleep(Duration::from_secs(5));
    for (_, log) in &waiting {
        let [line] = said(log).try_into().unwrap();
        assert!(line.contains(&nobody) && line.to_lowercase().contains("refused"), "{line}");
    }
    thread::sleep(Duration::from_secs(8));
    for (_, log) in &waiting {
        assert_eq!(said(log).len(), 2);
    }
}
