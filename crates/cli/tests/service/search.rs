//! Queries over HTTP and on the command line.

use std::{
    fmt::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use panicle_fixtures::get;
use serde_json::{Value, json};

use crate::harness::{Server, Stores, panicle, text};

const JSON: (&str, &str) = ("content-type", "application/json");

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "%{byte:02X}");
        out
    })
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// What a list has for a query.
fn found(server: &Server, list: &str, query: &str) -> Vec<String> {
    ids(&server.get(&format!("/api/v1/{list}?q={}", encode(query))).expect(200)["items"])
}

/// Crashes of real cores and of a text, newest last.
fn crashes(server: &Server) -> Vec<String> {
    let mut ids = Vec::new();
    for (program, go, service) in [
        ("nil-map-write", "1.22", "shop"),
        ("nil-map-write", "1.27", "cart"),
        ("goroutine-leak", "1.26", "leak"),
    ] {
        let fixture = get(program, go);
        let core = server.put_file("core", &fixture.core);
        let binary = server.put_file("binary", &fixture.binary);
        let labels = json!({ "env": "prod", "app id": program });
        let crash = server
            .crash(&json!({ "core": core, "binaries": [binary], "service": service, "labels": labels }));
        assert_eq!(
            server.wait(&crash, &["done", "failed", "quarantined", "waiting-for-binary"])["status"],
            "done"
        );
        ids.push(crash);
    }
    let text = server.put_stream("text", text(7).as_bytes());
    ids.push(server.crash(&json!({ "texts": [text], "service": "shop", "hostname": "node-7" })));
    server.wait(&ids[3], &["done"]);
    ids
}

#[test]
fn crashes_are_found_by_what_their_reports_say() {
    let server = Server::start(&[]);
    let all = crashes(&server);
    let some = |at: &[usize]| at.iter().rev().map(|&at| all[at].clone()).collect::<Vec<_>>();
    for (query, expected) in [
        ("", &[0, 1, 2, 3][..]),
        ("class:nil-map-write", &[0, 1]),
        ("service:shop", &[0, 3]),
        ("class:nil-map-write go:<1.27", &[0]),
        ("go:>=1.24 OR host:node-7", &[1, 2, 3]),
        ("-go:*", &[3]),
        ("frame:main.*", &[0, 1, 2, 3]),
        ("frame:main.work7", &[3]),
        ("message:\"nil map\"", &[0, 1]),
        ("NODE-7", &[3]),
        ("label.\"app id\":goroutine-leak", &[2]),
        ("goroutines.status:\"chan receive\">10", &[]),
        ("goroutines:>10", &[2]),
        ("arch:amd64 os:linux", &[0, 1, 2]),
        ("since:1h -status:done", &[]),
        ("state:new since:1d", &[0, 1, 2, 3]),
    ] {
        let answer = found(&server, "crashes", query);
        if query.starts_with("goroutines.status") || query == "frame:main.*" {
            // The leak's goroutines wait in several ways; how many in each is the program's business.
            assert!(answer.iter().all(|id| all.contains(id)), "{query}");
        } else {
            assert_eq!(answer, some(expected), "{query}");
        }
    }
    // The report says how many wait for what, and that is what can be asked for.
    let report = server.get(&format!("/api/v1/crashes/{}/report?goroutines=summary", all[2])).expect(200);
    let clusters = report["goroutine_clusters"].as_array().unwrap();
    let reason = clusters.iter().find_map(|cluster| cluster["wait_reason"].as_str()).unwrap();
    let sum: u64 = clusters
        .iter()
        .filter(|cluster| cluster["wait_reason"] == reason)
        .map(|cluster| cluster["count"].as_u64().unwrap())
        .sum();
    let asked = |comparison: &str| format!("service:leak goroutines.status:\"{reason}\"{comparison}");
    assert_eq!(found(&server, "crashes", &asked(&format!("={sum}"))), some(&[2]));
    assert!(found(&server, "crashes", &asked(&format!(">{sum}"))).is_empty());

    // The old parameters go with it, and pages end where they should.
    let page = server.get("/api/v1/crashes?service=shop&q=status%3Adone&limit=1").expect(200);
    assert_eq!(ids(&page["items"]), some(&[3]));
    let next = page["next_cursor"].as_str().unwrap();
    let page = server
        .get(&format!("/api/v1/crashes?service=shop&q=status%3Adone&limit=1&cursor={next}"))
        .expect(200);
    assert_eq!((ids(&page["items"]), &page["next_cursor"]), (some(&[0]), &json!(null)));

    let groups = found(&server, "groups", "class:nil-map-write go:1.27");
    assert_eq!(groups, found(&server, "groups", "service:cart count:2"));
    assert_eq!(groups.len(), 1);
    assert!(found(&server, "groups", "service:cart go:1.22").is_empty(), "no one crash is both");

    let both = server.get("/api/v1/search?q=service:shop&limit=1").expect(200);
    assert_eq!((ids(&both["crashes"]), ids(&both["groups"]).len()), (some(&[3]), 1));
    assert_eq!(both["query"], "service:shop");
    let cursor = both["crashes_cursor"].as_str().unwrap();
    let rest = server.get(&format!("/api/v1/crashes?q=service:shop&cursor={cursor}")).expect(200);
    assert_eq!(ids(&rest["items"]), some(&[0]));
    let cursor = both["groups_cursor"].as_str().unwrap();
    let rest = server.get(&format!("/api/v1/groups?q=service:shop&cursor={cursor}")).expect(200);
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);

    command_line(&server, &all);
    completions(&server);
}

fn command_line(server: &Server, all: &[String]) {
    let search = |arguments: &[&str]| {
        panicle().arg("search").args(arguments).args(["--server", &server.url]).output().unwrap()
    };
    let output = search(&["service:shop"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    assert!(
        lines[0].starts_with("ID ") && lines[1].starts_with(&all[3]) && lines[2].starts_with(&all[0]),
        "{printed}"
    );
    assert!(lines[2].contains("nil-map-write") && lines.len() == 3, "{printed}");

    let output = search(&["status:done", "--format", "json", "--limit", "2"]);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((printed["items"].as_array().unwrap().len(), &printed["more"]), (2, &json!(true)));
    let output = search(&["go:1.27", "--groups", "--format", "json"]);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&printed["items"][0]["class"], &printed["query"]),
        (&json!("nil-map-write"), &json!("go:go1.27"))
    );

    assert_eq!(search(&["service:nobody"]).status.code(), Some(1));
    let wrong = search(&["service:shop clas:x"]);
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said.contains("\nservice:shop clas:x\n             ^^^^\nexpected: class:"), "{said}");
    let nobody = panicle().args(["search", "x", "--server", "http://127.0.0.1:1"]).output().unwrap();
    assert_eq!(nobody.status.code(), Some(4));
}

fn completions(server: &Server) {
    let complete = |query: &str| {
        let answer = server.get(&format!("/api/v1/query/complete?q={}", encode(query))).expect(200);
        let items = answer["items"].as_array().unwrap();
        let texts = items.iter().map(|item| item["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        (answer["position"].as_u64().unwrap(), answer["length"].as_u64().unwrap(), texts)
    };
    assert_eq!(
        complete("x service:"),
        (10, 0, vec!["shop".to_owned(), "cart".to_owned(), "leak".to_owned()])
    );
    assert_eq!(complete("label.").2, ["\"app id\":", "env:"]);
    let (position, length, texts) = complete("cla");
    assert_eq!((position, length, texts[0].as_str()), (0, 3, "class:"));
    assert!(complete("car").2.contains(&"service:cart".to_owned()));
    assert_eq!(complete("class:nil-m").2[0], "nil-map-write");
    assert_eq!(complete("state:").2, ["new", "ongoing", "regressed", "resolved", "muted"]);
    assert!(complete("since:").2.is_empty());
    let at = server.get("/api/v1/query/complete?q=service:ca%20x&at=10").expect(200);
    assert_eq!((&at["items"][0]["text"], &at["items"][0]["crashes"]), (&json!("cart"), &json!(1)));
}

#[test]
fn what_is_no_query_is_refused_with_its_place() {
    let server = Server::start(&["--workers", "0"]);
    for path in ["crashes", "groups", "search"] {
        let answer = server.get(&format!("/api/v1/{path}?q={}", encode("ü class:nil-map")));
        let body = answer.json();
        assert_eq!(answer.problem(400), "bad-query");
        assert_eq!((&body["position"], &body["length"]), (&json!(9), &json!(7)));
        assert_eq!(body["expected"][0], "nil-map-write");
    }
    assert_eq!(server.get("/api/v1/search?q=x&limit=501").problem(400), "bad-request");
    assert_eq!(server.get("/api/v1/query/complete").problem(400), "bad-request");
    assert_eq!(
        server.get(&format!("/api/v1/query/complete?q={}", "x".repeat(5000))).problem(400),
        "bad-request"
    );
    assert_eq!(server.get("/api/v1/search?q=").expect(200)["groups"], json!([]));
    let fields = server.get("/api/v1/query/fields").expect(200);
    let class = fields["items"].as_array().unwrap().iter().find(|field| field["name"] == "class").unwrap();
    assert_eq!((&class["kind"], &class["subject"]), (&json!("one-of"), &json!("crash")));
    assert!(class["values"].as_array().unwrap().contains(&json!("deadlock")));
}

#[test]
fn queries_are_saved_and_not_overwritten_unseen() {
    let server = Server::start(&["--workers", "0"]);
    let body = json!({ "name": " mine ", "query": "service:auth since:24h" });
    let created = server.post("/api/v1/queries", &body);
    let tag = created.headers["etag"].to_str().unwrap().to_owned();
    let location = created.headers["location"].to_str().unwrap().to_owned();
    let created = created.expect(201);
    assert_eq!((&created["name"], &created["query"]), (&json!("mine"), &json!("service:auth since:24h")));
    assert_eq!(server.post("/api/v1/queries", &body).problem(409), "name-taken");
    let wrong = json!({ "name": "other", "query": "clas:x" });
    assert_eq!(server.post("/api/v1/queries", &wrong).problem(400), "bad-query");
    assert_eq!(
        server.post("/api/v1/queries", &json!({ "name": " ", "query": "" })).problem(400),
        "bad-request"
    );
    assert_eq!(server.get(&location).expect(200), created);

    let put = |tag: &str, query: &str| {
        let body = json!({ "name": "mine", "query": query }).to_string();
        server.send("PUT", &location, &[JSON, ("if-match", tag)], body)
    };
    assert_eq!(put(&tag, "service:cart").expect(200)["query"], "service:cart");
    assert_eq!(put(&tag, "service:x").problem(412), "changed-meanwhile");
    assert_eq!(put("nonsense", "service:x").problem(400), "bad-request");
    let list = server.get("/api/v1/queries").expect(200);
    assert_eq!(
        (list["items"].as_array().unwrap().len(), &list["items"][0]["query"]),
        (1, &json!("service:cart"))
    );
    assert_eq!(
        server.send("DELETE", &location, &[("if-match", tag.as_str())], ()).problem(412),
        "changed-meanwhile"
    );
    assert_eq!(server.send("DELETE", &location, &[], ()).status, 204);
    assert_eq!(server.get(&location).problem(404), "not-found");
}

#[test]
fn a_search_that_takes_too_long_is_given_up_and_nothing_waits_for_it() {
    let stores = Stores::new();
    let server = Server::start_on(Some(stores.clone()), &["--workers", "0"]);
    // A search that finds no end: what it reads is locked for longer than it may take.
    let lock = "begin; lock table facts in access exclusive mode; select 'locked'; select pg_sleep(40)";
    let mut locking = Command::new("psql")
        .args(["-Atq", "-c", lock])
        .arg(&stores.database)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let free =
        "select count(*) from pg_locks where relation = 'facts'::regclass and mode = 'AccessExclusiveLock'";
    while panicle_backends::ask(&stores.database, free) == "0" {
        std::thread::sleep(Duration::from_millis(50));
    }
    let started = Instant::now();
    std::thread::scope(|scope| {
        let searches: Vec<_> =
            ["groups?q=frame:x", "groups?q=-os:linux", "crashes?q=word", "search?q=os:linux"]
                .into_iter()
                .map(|path| {
                    let server = &server;
                    (path, scope.spawn(move || server.get(&format!("/api/v1/{path}")).problem(422)))
                })
                .collect();
        while started.elapsed() < Duration::from_secs(3) {
            server.get("/api/v1/groups?service=shop").expect(200);
            server.get("/api/v1/stats").expect(200);
            std::thread::sleep(Duration::from_millis(100));
        }
        for (path, search) in searches {
            assert_eq!(search.join().unwrap(), "search-too-slow", "{path}");
        }
    });
    assert!(started.elapsed() > Duration::from_secs(9), "{:?}", started.elapsed());
    locking.kill().unwrap();
    locking.wait().unwrap();
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(40)%' \
               and pid <> pg_backend_pid() and datname = current_database()";
    panicle_backends::ask(&stores.database, end);
    server.get("/api/v1/groups?q=frame:x").expect(200);
}
