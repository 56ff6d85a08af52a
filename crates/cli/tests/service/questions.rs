//! Questions about a crash's memory.

use std::{
    fmt::Write as _,
    io::Write as _,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use panicle_fixtures::get;
use serde_json::{Value, json};

use crate::harness::{Server, text};

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn crash(server: &Server, program: &str) -> String {
    let fixture = get(program, "1.24");
    let core = server.put_file("core", &fixture.core);
    let binary = server.put_file("binary", &fixture.binary);
    let crash = server.crash(&json!({ "core": core, "binaries": [binary] }));
    assert_eq!(
        server.wait(&crash, &["done", "failed", "quarantined", "waiting-for-binary"])["status"],
        "done"
    );
    crash
}

#[test]
fn expressions_are_evaluated_in_a_child() {
    let server = Server::start(&[]);
    let crash = crash(&server, "values");
    let path = |expression: &str, more: &str| {
        format!("/api/v1/crashes/{crash}/eval?expr={}{more}", encoded(expression))
    };
    let value = server.get(&path("Bob.Tags", "")).expect(200);
    assert_eq!((&value["expr"], &value["type"]), (&json!("Bob.Tags"), &json!("[]string")));
    assert_eq!(value["value"]["elements"], json!(["x", "y"]));
    assert_eq!(value["text"], r#"[]string len=2 ["x", "y"]"#);
    assert!(value["address"].as_str().unwrap().starts_with("0x"));
    assert_eq!(server.get(&path("seven * 2", "&goroutine=1")).expect(200)["value"], 14);
    let cut = server.get(&path("Many", "&limit=3")).expect(200);
    assert_eq!((&cut["value"]["len"], &cut["value"]["truncated"]), (&json!(1000), &json!(true)));
    assert_eq!(cut["value"]["elements"], json!([0, 1, 2]));
    assert_eq!(cut["text"], "[]uint32 len=1000 [0, 1, 2, … 997 more]");
    let map = server.get(&path("Map", "")).expect(200);
    let entries = format!(
        "/api/v1/crashes/{crash}/maps/{}/entries?type_address={}",
        map["value"]["address"].as_str().unwrap(),
        map["type_address"].as_str().unwrap()
    );
    let unquoted = server.get(&format!("{entries}&key=b"));
    assert!(unquoted.json()["detail"].as_str().unwrap().contains("in quotes"));
    assert_eq!(unquoted.problem(422), "expression");
    assert_eq!(server.get(&format!("{entries}&key=%22b%22")).expect(200)["entries"][0]["value"], "2");
    let map = server.get(&path("Map[\"b\"]", "")).expect(200);
    assert_eq!(map["value"], 2);

    let answer = server.get(&path("Bob.Nobody", ""));
    let problem = answer.json();
    assert_eq!((&problem["kind"], &problem["position"]), (&json!("unknown-name"), &json!(3)));
    assert_eq!(answer.problem(422), "expression");
    assert_eq!(server.get(&path("1", "&goroutine=99999")).problem(404), "not-found");
    assert_eq!(server.get(&path("1", "&limit=100000")).problem(400), "bad-request");
    assert_eq!(server.get(&path("1", "&depth=1000")).problem(400), "bad-request");
    assert_eq!(server.get(&format!("/api/v1/crashes/{crash}/eval")).problem(400), "bad-request");
    assert_eq!(server.get("/api/v1/crashes/nothing/eval?expr=1").problem(404), "not-found");
    // Whatever is asked is answered, and the server lives.
    for hostile in ["(".repeat(3000), "Cycle".to_owned() + &".Next".repeat(900), "Many[1<<63]".to_owned()] {
        let answer = server.get(&path(&hostile, ""));
        assert!(matches!(answer.status, 200 | 422), "{}", answer.status);
    }
}

#[test]
fn entries_of_a_map_are_sorted_filtered_and_paged() {
    let server = Server::start(&[]);
    let crash = crash(&server, "values");
    let map = server.get(&format!("/api/v1/crashes/{crash}/eval?expr=BigMap&limit=1")).expect(200);
    let address = map["value"]["address"].as_str().unwrap();
    let type_address = map["type_address"].as_str().unwrap();
    let entries = |more: &str| {
        let path =
            format!("/api/v1/crashes/{crash}/maps/{address}/entries?type_address={type_address}{more}");
        server.get(&path)
    };
    let keys = |answer: &Value| -> Vec<String> {
        let entries = answer["entries"].as_array().unwrap().iter();
        entries.map(|entry| entry["key"].as_str().unwrap().to_owned()).collect()
    };
    // In pages, each key once.
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = entries(&format!("&limit=13{cursor}")).expect(200);
        assert_eq!(page["len"], 100);
        seen.extend(keys(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={}", encoded(next)),
            None => break,
        }
    }
    seen.sort_by_key(|key| key.parse::<u32>().unwrap());
    assert_eq!(seen, (0..100).map(|key| key.to_string()).collect::<Vec<_>>());

    let first = entries("&sort=key&limit=40").expect(200);
    assert_eq!(keys(&first), (0..40).map(|key| key.to_string()).collect::<Vec<_>>());
    assert_eq!((&first["found"], &first["matching"]), (&json!(100), &json!(100)));
    let next = encoded(first["next_cursor"].as_str().unwrap());
    let second = entries(&format!("&sort=key&limit=60&cursor={next}")).expect(200);
    assert_eq!(keys(&second), (40..100).map(|key| key.to_string()).collect::<Vec<_>>());
    assert_eq!(second["next_cursor"], json!(null));
    let down = entries("&sort=key-descending&limit=2").expect(200);
    assert_eq!(keys(&down), ["99", "98"]);

    let filtered = entries("&filter=9&sort=key").expect(200);
    assert_eq!(filtered["matching"], 19);
    assert_eq!(keys(&filtered)[..3], ["9", "19", "29"]);
    assert_eq!(keys(&entries("&key=42").expect(200)), ["42"]);
    assert_eq!(keys(&entries("&key=1000").expect(200)), Vec::<String>::new());
    assert_eq!(entries("&key=%22a%22").problem(422), "expression");
    // A cursor goes with its question.
    assert_eq!(entries("&sort=key&cursor=nonsense").problem(400), "bad-request");
    assert_eq!(entries("&cursor=nonsense").problem(400), "bad-request");
    for other in ["", "&sort=value", "&sort=key&filter=9"] {
        let answer = entries(&format!("{other}&cursor={next}"));
        assert!(answer.json()["detail"].as_str().unwrap().contains("another map, sort or filter"), "{other}");
        assert_eq!(answer.problem(400), "bad-request");
    }
    assert_eq!(entries("&limit=0").problem(400), "bad-request");
    let path = format!("/api/v1/crashes/{crash}/maps/{address}/layout?type_address={type_address}");
    let layout = server.get(&format!("{path}&limit=4&key=42")).expect(200);
    assert_eq!(layout["rows"].as_array().unwrap().len(), 4);
    assert!(layout["total"].as_u64().unwrap() >= 100 / 8);
    assert_eq!(layout["key"]["key"], "42");
    assert!(layout["key"]["hash"].as_str().unwrap().starts_with("0x"), "{layout:#}");
    assert!(layout["key"]["found_in"].as_u64().is_some());
    assert_eq!(server.get(&format!("{path}&limit=5000")).problem(400), "bad-request");
    let nowhere = format!("/api/v1/crashes/{crash}/maps/0x10/entries?type_address={type_address}");
    assert_eq!(server.get(&nowhere).problem(404), "not-found");
}

#[test]
fn a_server_without_workers_answers_too_and_says_what_is_missing() {
    let server = Server::start(&[]);
    let crash = crash(&server, "nil-map-write");
    let text = server.put_stream("text", text(1).as_bytes());
    let printed = server.crash(&json!({ "texts": [text] }));
    let path = format!("/api/v1/crashes/{printed}/eval?expr=1");
    assert_eq!(server.get(&path).problem(409), "no-memory");
    let path = format!("/api/v1/crashes/{crash}/eval?expr=len(runtime.allgs)");
    assert!(server.get(&path).expect(200)["value"].as_u64().unwrap() > 1);

    // A core alone has no names.
    let fixture = get("nil-dereference", "1.24");
    let core = server.put_file("core", &fixture.core);
    let lonely = server.crash(&json!({ "core": core }));
    server.wait(&lonely, &["waiting-for-binary"]);
    let path = format!("/api/v1/crashes/{lonely}/eval?expr=1");
    assert_eq!(server.get(&path).problem(409), "no-memory");
    for part in ["entries", "layout"] {
        let path = format!("/api/v1/crashes/{lonely}/maps/0x1/{part}");
        assert_eq!(server.get(&path).problem(409), "no-memory");
    }
}

#[test]
fn a_sync_map_of_a_report_has_entries() {
    let server = Server::start(&[]);
    let crash = crash(&server, "maps");
    let base = format!("/api/v1/crashes/{crash}/maps");
    let all = server.get(&format!("{base}?type=sync.Map&limit=500")).expect(200);
    let maps = all["items"].as_array().unwrap();
    assert!(!maps.is_empty());
    for map in maps {
        let path = format!("{base}/{}", map["address"].as_str().unwrap());
        let found = server.get(&format!("{path}/entries")).expect(200);
        assert_eq!(found["len"], map["count"], "{map:#}");
        assert!(found["entries"].is_array());
        let layout = server.get(&format!("{path}/layout")).expect(200);
        assert!(layout["rows"].is_array());
    }
}

#[test]
fn too_many_questions_at_once_are_sent_away_and_nobody_waits_in_vain() {
    let server = Server::start(&[]);
    let crash = crash(&server, "big-map");
    // All entries have to be looked at for it.
    let map = server.get(&format!("/api/v1/crashes/{crash}/eval?expr=main.counters&limit=1")).expect(200);
    let (address, of) = (map["value"]["address"].as_str().unwrap(), map["type_address"].as_str().unwrap());
    let path = format!(
        "/api/v1/crashes/{crash}/maps/{address}/entries?type_address={of}&sort=value-descending&limit=1"
    );
    let answers: Vec<_> = thread::scope(|scope| {
        let asked: Vec<_> = (0..24).map(|_| scope.spawn(|| server.get(&path))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let mut sent_away = 0;
    let mut answered = 0;
    for answer in answers {
        if answer.status == 503 {
            assert!(answer.headers.contains_key("retry-after"));
            assert_eq!(answer.problem(503), "busy");
            sent_away += 1;
        } else {
            let answer = answer.expect(200);
            assert_eq!(answer["entries"][0]["key"], "\"user:0999999\"");
            assert_eq!(answer["found"], 1_000_000);
            answered += 1;
        }
    }
    assert!(sent_away > 0 && answered > 0, "{sent_away} {answered}");

    // A client that goes away takes the work with it: then there is room at once for as many again.
    let address = server.url.strip_prefix("http://").unwrap();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
        thread::sleep(Duration::from_millis(50));
    }
    let started = Instant::now();
    while server.get(&path).status == 503 {
        assert!(started.elapsed() < Duration::from_mins(1));
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn maps_of_a_report_are_listed_and_looked_into() {
    let server = Server::start(&[]);
    let crash = crash(&server, "concurrent-map-writes");
    let base = format!("/api/v1/crashes/{crash}/maps");
    let all = server.get(&base).expect(200);
    let maps = all["items"].as_array().unwrap();
    assert!(maps.len() > 1, "{all:#}");
    let written = &maps[0];
    assert_eq!((&written["type"], &written["state"]), (&json!("map[string]int"), &json!("writing")));
    let only =
        |filter: &str| server.get(&format!("{base}?{filter}")).expect(200)["items"].as_array().unwrap().len();
    assert_eq!(only("state=writing"), 1);
    assert_eq!(only("type=map%5Bstring%5DINT&flag=writing"), 1);
    assert_eq!(only("flag=nonsense"), 0);
    assert_eq!(only("goroutine=99999"), 0);
    let holder = written["users"][0]["goroutine"].as_u64().unwrap();
    assert!(only(&format!("goroutine={holder}")) >= 1);
    let sorted = server.get(&format!("{base}?sort=count&limit=1")).expect(200);
    let most = maps.iter().filter_map(|map| map["count"].as_u64()).max().unwrap();
    assert_eq!(sorted["items"][0]["count"], most);
    assert!(sorted["next_cursor"].is_string());

    let details = server.get(&format!("{base}/{}", written["address"].as_str().unwrap())).expect(200);
    assert_eq!(details["map"], *written);
    assert_eq!(details["unavailable"], json!(null));
    assert_eq!(details["entries"]["len"], written["count"]);
    assert!(!details["layout"]["rows"].as_array().unwrap().is_empty());
    assert_eq!(server.get(&format!("{base}/0x123456")).problem(404), "not-found");
    // The way to a map that a report gives is an expression that leads there.
    let mut followed = 0;
    for map in maps {
        for root in map["roots"].as_array().unwrap().iter().filter(|root| root["certain"] == true) {
            let Some(variable) = root["variable"].as_str() else { continue };
            let mut path = format!("/api/v1/crashes/{crash}/eval?expr={}", encoded(variable));
            for name in ["goroutine", "frame"] {
                if let Some(number) = root[name].as_u64() {
                    write!(path, "&{name}={number}").unwrap();
                }
            }
            let answer = server.get(&path);
            // What debug information has lost sight of is still known from the code that uses it.
            if answer.status == 422 {
                assert_eq!(answer.json()["kind"], "not-kept", "{variable}");
                continue;
            }
            let found = answer.expect(200);
            assert_eq!(found["type"], map["type"], "{variable}");
            let there =
                if map["type"] == "sync.Map" { &found["address"] } else { &found["value"]["address"] };
            assert_eq!(*there, map["address"], "{variable}: {found:#}");
            followed += 1;
        }
    }
    assert!(followed > 0);
}
