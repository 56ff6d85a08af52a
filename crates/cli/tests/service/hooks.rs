//! What other systems tell: events of a bucket that a real server holds, and notices of panics.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use panicle_backends::S3Server;
use panicle_fixtures::get;
use serde_json::{Value, json};

use super::{start, start_with};
use crate::harness::{Server, panicle, text};

/// The name of the object of the recorded events.
const KEY: &str = "in/a b+c/core.1";

/// A service that takes events of a bucket, whose credentials are its own.
fn with_source(bucket: &S3Server, more: &[&str]) -> Server {
    let (environment, source) = the_source(bucket);
    start_with(&environment, &[&["--s3-source", &source], more].concat())
}

/// What a service needs to be told to take them.
pub(crate) fn the_source(bucket: &S3Server) -> (Vec<(String, String)>, String) {
    let environment =
        bucket.environment().map(|(name, value)| (format!("PANICLE_SOURCE_CORES_{name}"), value));
    (environment.to_vec(), format!("cores={}&service=auth", bucket.url("in")))
}

pub(crate) fn source() -> S3Server {
    S3Server::with("the-source", "also-not-a-secret")
}

pub(crate) fn put(bucket: &S3Server, key: &str, bytes: &[u8]) {
    let path = bucket.bucket().join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Another size, no entity tag and the same sequencer, wherever they are in an event.
fn change(value: &mut Value, size: usize) {
    match value {
        Value::Object(object) => {
            object.retain(|name, _| name != "eTag" && name != "etag");
            if let Some(sequencer) = object.get_mut("sequencer") {
                *sequencer = json!("0055AED6DCD90281E5");
            }
            if let Some(said) = object.get_mut("size") {
                *said = if said.is_string() { json!(size.to_string()) } else { json!(size) };
            }
            if let Some(Value::String(inner)) = object.get_mut("Message") {
                let mut parsed = serde_json::from_str(inner).unwrap();
                change(&mut parsed, size);
                *inner = parsed.to_string();
            }
            object.values_mut().for_each(|value| change(value, size));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| change(value, size)),
        _ => {}
    }
}

/// An event as a maker writes it, of an object of this size, whose entity tag the event does not name.
fn recorded(maker: &str, size: usize) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src/hooks/s3/events").join(maker);
    let mut event: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut event, size);
    event.to_string()
}

pub(crate) fn event(name: &str, key: &str, sequencer: &str) -> Value {
    let object = json!({ "key": key, "sequencer": sequencer });
    json!({ "Records": [{ "eventName": name, "s3": { "bucket": { "name": "crashes" }, "object": object } }] })
}

pub(crate) fn tell(server: &Server, event: &Value) -> Value {
    server.post("/api/v1/hooks/s3", event).expect(200)
}

/// The object, once it has come to its end.
pub(crate) fn ended(server: &Server, told: &Value) -> Value {
    let id = told["objects"][0]["id"].as_str().unwrap_or_else(|| panic!("no object: {told:#}"));
    server.wait_until(&format!("/api/v1/objects/{id}"), |object| object["state"] != "queued")
}

fn crashes(server: &Server) -> usize {
    server.get("/api/v1/crashes").expect(200)["items"].as_array().unwrap().len()
}

#[test]
fn what_any_maker_tells_becomes_one_crash() {
    let bucket = source();
    let server = with_source(&bucket, &[]);
    let fixture = get("nil-map-write", "1.27");
    let core = fs::read(&fixture.core).unwrap();
    put(&bucket, KEY, &core);
    put(&bucket, "in/app", &fs::read(&fixture.binary).unwrap());

    let post =
        |kind: &str, body: String| server.send("POST", "/api/v1/hooks/s3", &[("content-type", kind)], body);
    let first = post("application/json", recorded("aws.json", core.len())).expect(200);
    assert_eq!(first["objects"][0]["new"], true, "{first:#}");
    for (maker, kind) in [
        ("minio.json", "application/json"),
        ("ceph.json", "application/json"),
        ("cloudevents.json", "application/cloudevents+json"),
        ("eventbridge.json", "application/json"),
        ("sns.json", "text/plain; charset=UTF-8"),
        ("aws.json", "application/json"),
    ] {
        let again = post(kind, recorded(maker, core.len())).expect(200);
        assert_eq!(again["objects"][0]["id"], first["objects"][0]["id"], "{maker}: {again:#}");
        assert_eq!(again["objects"][0]["new"], false, "{maker}");
    }
    let object = ended(&server, &first);
    assert_eq!((&object["state"], &object["kind"]), (&json!("done"), &json!("core")), "{object:#}");
    let crash = object["crash_id"].as_str().unwrap();
    let binary = tell(&server, &event("ObjectCreated:Put", "in/app", "01"));
    let binary = ended(&server, &binary);
    assert_eq!((&binary["kind"], &binary["crash_id"]), (&json!("binary"), &Value::Null), "{binary:#}");
    let crash = server.wait(crash, &["done", "failed", "quarantined"]);
    assert_eq!((&crash["status"], &crash["service"]), (&json!("done"), &json!("auth")), "{crash:#}");
    assert_eq!((&crash["class"], &crash["labels"]["object"]), (&json!("nil-map-write"), &json!(KEY)));
    // Told of once more, when all is over.
    post("application/json", recorded("aws.json", core.len())).expect(200);
    assert_eq!(crashes(&server), 1);
    let bytes = server.get(&format!("/api/v1/blobs/{}/content", object["blob_id"].as_str().unwrap())).body;
    assert!(bytes == core);
    for (_, secret) in bucket.environment() {
        assert!(!server.log().contains(&secret));
    }
}

#[test]
fn the_headers_of_a_cloudevent_are_no_hindrance() {
    let bucket = source();
    let server = with_source(&bucket, &[]);
    put(&bucket, "in/crash.log", text(1).as_bytes());
    // Ceph's binary form: attributes are headers, and the record is the body.
    let headers = [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-type", "com.amazonaws.s3.ObjectCreated:Put"),
        ("ce-id", "1"),
        ("ce-source", "ceph:s3..crashes"),
        ("ce-subject", "in/crash.log"),
    ];
    let body = event("ObjectCreated:Put", "in/crash.log", "01")["Records"][0].to_string();
    let told = server.send("POST", "/api/v1/hooks/s3", &headers, body).expect(200);
    let object = ended(&server, &told);
    assert_eq!((&object["state"], &object["kind"]), (&json!("done"), &json!("text")), "{object:#}");
    server.wait(object["crash_id"].as_str().unwrap(), &["done"]);
}

#[test]
fn what_is_not_there_is_waited_for_and_what_was_removed_is_not() {
    let mut bucket = source();
    let server = with_source(&bucket, &[]);
    let told = tell(&server, &event("s3:ObjectCreated:Put", "in/late.log", "05"));
    let path = format!("/api/v1/objects/{}", told["objects"][0]["id"].as_str().unwrap());
    server.wait_until(&path, |object| {
        object["problem"].as_str().is_some_and(|text| text.contains("no object"))
    });
    // The store goes away, and comes back with it.
    bucket.stop();
    put(&bucket, "in/late.log", text(2).as_bytes());
    bucket.start();
    assert_eq!(ended(&server, &told)["state"], "done");

    // Its removal is heard of first.
    assert_eq!(tell(&server, &event("s3:ObjectRemoved:Delete", "in/gone.log", "09"))["removed"], 0);
    let gone = ended(&server, &tell(&server, &event("s3:ObjectCreated:Put", "in/gone.log", "08")));
    assert_eq!(gone["state"], "failed", "{gone:#}");
    assert!(gone["problem"].as_str().unwrap().contains("removed"), "{gone:#}");

    // What was taken over stays when it is removed there.
    fs::remove_file(bucket.bucket().join("in/late.log")).unwrap();
    assert_eq!(tell(&server, &event("s3:ObjectRemoved:Delete", "in/late.log", "06"))["removed"], 1);
    let late = server.get(&path).expect(200);
    assert!(late["removed_at"].is_string());
    assert_eq!(
        server.get(&format!("/api/v1/blobs/{}/content", late["blob_id"].as_str().unwrap())).body,
        text(2).as_bytes()
    );
    let failed = server.get("/api/v1/objects?state=failed").expect(200);
    assert_eq!(failed["items"].as_array().unwrap().len(), 1);
}

#[test]
fn what_took_the_place_of_an_object_is_taken_over_too() {
    let bucket = source();
    let server = with_source(&bucket, &[]);
    let tell = |number: u32, size: usize, sequencer: &str| {
        put(&bucket, "in/crash.log", text(number).as_bytes());
        let mut event = event("ObjectCreated:Put", "in/crash.log", sequencer);
        event["Records"][0]["s3"]["object"]["size"] = json!(size);
        ended(&server, &tell(&server, &event))
    };
    let first = tell(1, text(1).len(), "0A");
    let second = tell(2, text(2).len(), "0B");
    assert_eq!((&first["state"], &second["state"]), (&json!("done"), &json!("done")), "{second:#}");
    assert!(first["id"] != second["id"] && first["crash_id"] != second["crash_id"]);
    // What was told wrong is corrected by the same event, told right.
    let wrong = tell(3, text(3).len() + 1, "0C");
    assert!(wrong["state"] == "failed" && wrong["problem"].as_str().unwrap().contains("bytes"), "{wrong:#}");
    let right = tell(3, text(3).len(), "0C");
    assert_eq!((&right["id"], &right["state"]), (&wrong["id"], &json!("done")), "{right:#}");
    assert_eq!(crashes(&server), 3);
}

/// One whose store takes connections, and says nothing.
pub(crate) fn silent_source() -> (TcpListener, Vec<(String, String)>, String) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = format!("dead=s3://crashes/dead?endpoint=http://{}&region=x", silent.local_addr().unwrap());
    let environment = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
        .map(|name| (format!("PANICLE_SOURCE_DEAD_{name}"), "none".to_owned()));
    (silent, environment.to_vec(), source)
}

#[test]
fn a_source_that_does_not_answer_does_not_hold_up_the_others() {
    let (_silent, mut environment, dead) = silent_source();
    let bucket = source();
    put(&bucket, "in/crash.log", text(1).as_bytes());
    let (credentials, alive) = the_source(&bucket);
    environment.extend(credentials);
    let server = start_with(&environment, &["--s3-source", &alive, "--s3-source", &dead]);
    let objects: Vec<String> = (0..6)
        .map(|number| {
            let told = tell(&server, &event("ObjectCreated:Put", &format!("dead/{number}"), "1"));
            told["objects"][0]["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let started = Instant::now();
    assert_eq!(
        ended(&server, &tell(&server, &event("ObjectCreated:Put", "in/crash.log", "1")))["state"],
        "done"
    );
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    // Those of the silent one wait without asking it one by one.
    server.wait_until(&format!("/api/v1/objects/{}", objects[5]), |object| object["problem"].is_string());
    assert!(started.elapsed() < Duration::from_secs(40), "{:?}", started.elapsed());
}

#[test]
fn an_object_under_way_is_let_go_of_at_the_end_and_taken_up_again() {
    let (silent, environment, dead) = silent_source();
    let mut server = start_with(&environment, &["--s3-source", &dead]);
    let told = tell(&server, &event("ObjectCreated:Put", "dead/1", "1"));
    let path = format!("/api/v1/objects/{}", told["objects"][0]["id"].as_str().unwrap());
    // Somebody has asked for it, and waits.
    let _connection = silent.accept().unwrap();
    let asked = Instant::now();
    server.terminate();
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    let server = server.kill_and_restart();
    assert_eq!(server.get(&path).expect(200)["state"], "queued");
    let object = server.wait_until(&path, |object| object["problem"].is_string());
    assert_eq!(object["state"], "queued", "{object:#}");
}

#[test]
fn what_is_acknowledged_survives_a_kill() {
    let bucket = source();
    let server = with_source(&bucket, &[]);
    put(&bucket, "in/crash.log", text(3).as_bytes());
    let told = tell(&server, &event("ObjectCreated:Put", "in/crash.log", "01"));
    let server = server.kill_and_restart();
    let object = ended(&server, &told);
    server.wait(object["crash_id"].as_str().unwrap(), &["done"]);
    assert_eq!(crashes(&server), 1);
}

#[test]
fn only_what_is_configured_is_fetched_and_the_rest_is_said() {
    let bucket = source();
    let server = with_source(&bucket, &["--object-patience-seconds", "2"]);
    put(&bucket, "in/strange", b"\x00\x01\x02 nothing that is known");
    put(&bucket, "elsewhere/crash.log", text(1).as_bytes());
    let ignored = |event: &Value| tell(&server, event)["ignored"][0]["reason"].as_str().unwrap().to_owned();
    assert!(ignored(&event("ObjectCreated:Put", "elsewhere/crash.log", "1")).contains("no source"));
    assert!(ignored(&event("ObjectCreated:Put", "in/folder/", "1")).contains("no bytes"));
    assert!(ignored(&event("ObjectAccessed:Get", "in/a", "1")).contains("no new object"));
    let failed = |told: &Value| {
        let object = ended(&server, told);
        assert_eq!(object["state"], "failed", "{object:#}");
        object["problem"].as_str().unwrap().to_owned()
    };
    assert!(
        failed(&tell(&server, &event("ObjectCreated:Put", "in/strange", "1"))).contains("nothing says what")
    );
    assert!(failed(&tell(&server, &event("ObjectCreated:Put", "in/never", "1"))).contains("no object"));
    let mut stale = event("ObjectCreated:Put", "in/strange", "2");
    stale["Records"][0]["s3"]["object"]["eTag"] = json!("00000000000000000000000000000000");
    assert!(failed(&tell(&server, &stale)).contains("another one"));

    assert_eq!(server.post("/api/v1/hooks/s3", &json!({ "hello": 1 })).problem(400), "bad-request");
    assert_eq!(
        server.post("/api/v1/hooks/s3?source=other", &event("ObjectCreated:Put", "in/a", "1")).problem(400),
        "bad-request"
    );
    let plain = start(&["--workers", "0"]);
    assert_eq!(
        plain.post("/api/v1/hooks/s3", &event("ObjectCreated:Put", "in/a", "1")).problem(409),
        "no-sources"
    );
}

#[test]
fn one_wrong_record_of_a_request_is_said_and_the_others_are_taken() {
    let bucket = source();
    let server = with_source(&bucket, &[]);
    put(&bucket, "in/crash.log", text(4).as_bytes());
    let mut events = event("ObjectCreated:Put", "in/crash.log", "1");
    let good = events["Records"][0].clone();
    events["Records"] = json!([{ "eventName": "ObjectCreated:Put" }, good]);
    let told = tell(&server, &events);
    assert_eq!(told["refused"].as_array().unwrap().len(), 1);
    assert_eq!(told["refused"][0]["place"], "/Records/0");
    assert!(told["refused"][0]["reason"].as_str().unwrap().contains("s3.bucket.name"), "{told:#}");
    assert_eq!(ended(&server, &told)["state"], "done");
    events["Records"] = json!([{ "eventName": "ObjectCreated:Put" }]);
    assert_eq!(server.post("/api/v1/hooks/s3", &events).problem(400), "bad-request");
}

#[test]
fn a_notice_of_a_panic_is_a_crash() {
    let server = start(&[]);
    let notice = json!({
        "message": "boom", "service": "auth", "host": "web-1", "pid": 12, "occurred_at": "2026-11-01T10:00:00Z",
        "labels": { "env": "prod" }, "build_id": "abc",
        "stack": ["goroutine 7 [running]:", "main.work(0x1)", "\t/src/main.go:10 +0x1d", "main.main()", "\t/src/main.go:5 +0x1d"],
    });
    let first = server.post("/api/v1/hooks/panic", &notice).expect(202);
    let again = server.post("/api/v1/hooks/panic", &notice).expect(202);
    assert_eq!(first["id"], again["id"]);
    let done = server.wait(first["id"].as_str().unwrap(), &["done", "failed"]);
    assert_eq!(
        (&done["status"], &done["service"], &done["hostname"]),
        (&json!("done"), &json!("auth"), &json!("web-1"))
    );
    assert_eq!((&done["pid"], &done["occurred_at"]), (&json!(12), &json!("2026-11-01T10:00:00Z")));
    assert_eq!((&done["labels"]["build_id"], &done["labels"]["env"]), (&json!("abc"), &json!("prod")));
    assert!(done["title"].as_str().unwrap().contains("boom"), "{done:#}");
    let report = server.get(&format!("/api/v1/crashes/{}/report", done["id"].as_str().unwrap())).expect(200);
    assert_eq!(report["goroutines"][0]["frames"][0]["function"], "main.work", "{:#}", report["goroutines"]);

    // Another process with the same words is another crash of the same bug.
    let mut other = notice.clone();
    other["pid"] = json!(13);
    let other = server.post("/api/v1/hooks/panic", &other).expect(202);
    assert_ne!(other["id"], first["id"]);
    let other = server.wait(other["id"].as_str().unwrap(), &["done", "failed"]);
    assert_eq!(other["group_id"], done["group_id"]);
    // So is another service, host or time.
    let mut known = vec![first["id"].clone(), other["id"].clone()];
    for (name, value) in [("service", "cart"), ("host", "web-2"), ("occurred_at", "2026-11-01T10:00:01Z")] {
        let mut another = notice.clone();
        another[name] = json!(value);
        let told = [(); 2].map(|()| server.post("/api/v1/hooks/panic", &another).expect(202)["id"].clone());
        assert!(told[0] == told[1] && !known.contains(&told[0]), "{name}");
        known.push(told[0].clone());
    }
    // Also where nothing else is said.
    let said = |service: &str| {
        let notice = json!({ "message": "boom", "service": service });
        server.post("/api/v1/hooks/panic", &notice).expect(202)["id"].clone()
    };
    assert!(said("auth") == said("auth") && said("auth") != said("cart"));
    // The client's own name for it counts, too.
    let named = |message: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", "n1")];
        let body = json!({ "message": message }).to_string();
        server.send("POST", "/api/v1/hooks/panic", &headers, body).expect(202)["id"].clone()
    };
    assert_eq!(named("one"), named("one"));

    assert_eq!(server.post("/api/v1/hooks/panic", &json!({ "service": "auth" })).problem(400), "bad-request");
    let large = json!({ "message": "a".repeat(3 << 20) });
    assert_eq!(server.post("/api/v1/hooks/panic", &large).problem(413), "too-large");
    let early = json!({ "message": "a", "occurred_at": "1960-01-01T00:00:00Z" });
    assert_eq!(server.post("/api/v1/hooks/panic", &early).problem(400), "bad-request");
}

#[test]
fn what_is_taken_by_reference_stays_where_it_is() {
    let bucket = source();
    let (environment, source) = the_source(&bucket);
    let server = start_with(&environment, &["--s3-source", &format!("{source}&take=reference")]);
    let fixture = get("nil-map-write", "1.27");
    let core = fs::read(&fixture.core).unwrap();
    put(&bucket, "in/core.7", &core);
    put(&bucket, "in/app", &fs::read(&fixture.binary).unwrap());
    let binary = ended(&server, &tell(&server, &event("ObjectCreated:Put", "in/app", "01")));
    assert_eq!((&binary["state"], &binary["kind"]), (&json!("done"), &json!("binary")), "{binary:#}");
    let object = ended(&server, &tell(&server, &event("ObjectCreated:Put", "in/core.7", "01")));
    assert_eq!((&object["state"], &object["kind"]), (&json!("done"), &json!("core")), "{object:#}");
    let crash = object["crash_id"].as_str().unwrap();
    let done = server.wait(crash, &["done", "failed", "quarantined"]);
    assert_eq!((&done["status"], &done["class"]), (&json!("done"), &json!("nil-map-write")), "{done:#}");
    assert_eq!(server.kept(), 0);
    let path = format!("/api/v1/blobs/{}", object["blob_id"].as_str().unwrap());
    let place = server.get(&path).expect(200)["reference"].clone();
    assert_eq!((&place["source"], &place["key"]), (&json!("cores"), &json!("in/core.7")));
    assert_eq!((&place["bucket"], place["etag"].is_string()), (&json!("crashes"), true));
    let content = || server.get(&format!("{path}/content"));
    assert!(content().body == core);

    // Another one in its place is not taken for it.
    let mut other = core.clone();
    *other.last_mut().unwrap() ^= 1;
    put(&bucket, "in/core.7", &other);
    let said = |answer: crate::harness::Answer| {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        // Whoever may read the evidence need not know where it was.
        assert!(!text.contains("in/core.7") && text.contains("is not the one that was taken over"), "{text}");
        assert_eq!(answer.problem(410), "evidence-gone");
    };
    said(content());
    fs::remove_file(bucket.bucket().join("in/core.7")).unwrap();
    said(content());
    // Sent here, it is kept here: nobody is told that it need not be sent.
    assert_eq!(server.get(&format!("{path}?to_send=true")).problem(404), "not-found");
    let by_build = server.get(&format!("/api/v1/binaries?build_id={}", binary["blob_id"].as_str().unwrap()));
    assert_eq!(by_build.expect(200)["items"], json!([]));
    let sent =
        panicle().args(["upload", "core", "--server", &server.url]).arg(&fixture.core).output().unwrap();
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    assert!(content().body == core);
    assert_eq!(server.get(&path).expect(200)["reference"], Value::Null);
    assert_eq!(server.kept(), 1);
}

/// An implementation of S3 and SNS that was not written here (moto), whose bucket tells a topic of what is put there,
/// and the topic the service. What comes to its input is put there.
const MOTO: &str = r#"
import sys, json, boto3
from boto3.s3.transfer import TransferConfig
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
url = "http://%s:%d" % server.get_host_and_port()
print(url, flush=True)
hook = sys.stdin.readline().strip()
args = dict(endpoint_url=url, region_name="us-east-1", aws_access_key_id="the-source", aws_secret_access_key="x")
s3, sns = boto3.client("s3", **args), boto3.client("sns", **args)
s3.create_bucket(Bucket="crashes")
topic = sns.create_topic(Name="cores")["TopicArn"]
sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook)
s3.put_bucket_notification_configuration(Bucket="crashes", NotificationConfiguration={
    "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]})
parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
for line in sys.stdin:
    path, key = json.loads(line)
    s3.upload_file(path, "crashes", key, Config=parts)
    print(s3.head_object(Bucket="crashes", Key=key)["ETag"], flush=True)
"#;

/// Ended when dropped.
struct Moto(Child);

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_s3_implementation_not_written_here_sends_its_events() {
    let packages = panicle_fixtures::cache_root().unwrap().join("tools").join("moto");
    assert!(packages.join("moto").is_dir(), "cargo xtask test installs moto into {}", packages.display());
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", &packages).args(["-c", MOTO]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut moto = Moto(python.stderr(Stdio::null()).spawn().unwrap());
    let mut said = BufReader::new(moto.0.stdout.take().unwrap()).lines();
    let endpoint = said.next().unwrap().unwrap();

    let environment = [("AWS_ACCESS_KEY_ID", "the-source"), ("AWS_SECRET_ACCESS_KEY", "x")]
        .map(|(name, value)| (format!("PANICLE_SOURCE_MOTO_{name}"), value.to_owned()));
    let source = format!("moto=s3://crashes?endpoint={endpoint}&region=us-east-1");
    let server = start_with(&environment, &["--s3-source", &source]);
    let mut asked = moto.0.stdin.take().unwrap();
    let hook = format!("{}/api/v1/hooks/s3", server.url);
    writeln!(asked, "{hook}").unwrap();
    let fixture = get("nil-map-write", "1.27");
    for (path, key) in [(&fixture.binary, "bin/app"), (&fixture.core, "cores/a b+ü/core.7")] {
        writeln!(asked, "{}", json!([path, key])).unwrap();
        let etag = said.next().expect("the object is put").unwrap();
        let list = server.wait_until("/api/v1/objects?limit=1", |list| {
            let object = &list["items"][0];
            object["key"] == key && object["state"] != "queued"
        });
        let object = &list["items"][0];
        assert_eq!(object["state"], "done", "{object:#}");
        assert_eq!(object["etag"], etag.trim_matches('"'));
        if let Some(crash) = object["crash_id"].as_str() {
            let crash = server.wait(crash, &["done", "failed", "quarantined"]);
            assert_eq!(
                (&crash["status"], &crash["class"]),
                (&json!("done"), &json!("nil-map-write")),
                "{crash:#}"
            );
        }
    }
    assert_eq!(crashes(&server), 1);
}
