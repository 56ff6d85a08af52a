//! Questions about a crash's memory.

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
    assert_eq!(entries("&sort=key&cursor=nonsense").problem(422), "expression");
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
}
