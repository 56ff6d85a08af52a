//! Clients that send evidence and do not stop before it is acknowledged, and what they remember.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Write as _,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use panicle_fixtures::Fixture;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use ureq::{Agent, SendBody, http};

use super::cluster::Cluster;
use crate::harness::{id, text};

/// How long a client goes on trying, and how long anybody waits for the last analysis.
const PATIENCE: Duration = Duration::from_mins(8);
const PAUSE: Duration = Duration::from_millis(150);
/// A crash of so many is one of a core and its executable, the others are of texts.
const CORE_EACH: u32 = 4;

/// What is to be sent.
pub(super) struct Load {
    crashes: Vec<Vec<(&'static str, Vec<u8>)>>,
}

/// What was acknowledged.
pub(super) struct Acknowledged {
    /// By SHA-256.
    bytes: BTreeMap<String, usize>,
    /// With the evidence of each.
    crashes: BTreeMap<String, Vec<String>>,
}

impl Load {
    /// So many crashes, no two with the same evidence.
    pub(super) fn of(count: u32) -> Self {
        let mut fixtures = panicle_fixtures::all();
        fixtures.sort_by_key(|fixture| fs::metadata(&fixture.core).unwrap().len());
        let mut fixtures = fixtures.into_iter();
        let crashes = (0..count).map(|number| {
            if number % CORE_EACH == 0 {
                let Fixture { core, binary, .. } = fixtures.next().unwrap();
                vec![("core", fs::read(core).unwrap()), ("binary", fs::read(binary).unwrap())]
            } else {
                vec![("text", long_text(number).into_bytes())]
            }
        });
        Self { crashes: crashes.collect() }
    }

    /// Sends everything at the same time, and goes on until all is acknowledged.
    pub(super) fn send(self, cluster: &Cluster) -> Acknowledged {
        let acknowledged = Mutex::new(Acknowledged { bytes: BTreeMap::new(), crashes: BTreeMap::new() });
        thread::scope(|scope| {
            for (number, pieces) in self.crashes.iter().enumerate() {
                let acknowledged = &acknowledged;
                scope.spawn(move || {
                    let client = Client::new(cluster, number);
                    let mut sent = Vec::new();
                    for (kind, bytes) in pieces {
                        let name = match number / CORE_EACH as usize % 4 {
                            0 => client.put(kind, bytes),
                            1 => client.tus(kind, bytes, true),
                            2 => client.tus(kind, bytes, false),
                            _ => client.form(kind, bytes),
                        };
                        assert_eq!(name, hex::encode(Sha256::digest(bytes)), "other bytes were acknowledged");
                        acknowledged.lock().unwrap().bytes.insert(name.clone(), bytes.len());
                        sent.push(name);
                    }
                    let crash = client.crash(&sent);
                    acknowledged.lock().unwrap().crashes.insert(crash, sent);
                });
            }
        });
        acknowledged.into_inner().unwrap()
    }
}

/// A crash with enough goroutines that it is not read in an instant.
fn long_text(number: u32) -> String {
    let mut whole = text(number);
    for goroutine in 2..500 {
        write!(whole, "\ngoroutine {goroutine} [select]:\nmain.wait(0x{number:x})\n\t/src/wait.go:7 +0x1d\n")
            .unwrap();
    }
    whole
}

/// Somebody who asks until there is an answer.
struct Client<'a> {
    cluster: &'a Cluster,
    /// Which of its processes is asked first.
    first: usize,
    agent: Agent,
}

struct Reply {
    status: u16,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn number(&self, header: &str) -> Option<usize> {
        self.headers.get(header)?.to_str().ok()?.parse().ok()
    }

    fn text(&self, header: &str) -> String {
        let value = self.headers.get(header).unwrap_or_else(|| panic!("no {header}: {:?}", self.headers));
        value.to_str().unwrap().to_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// It is there now, or was before.
    #[track_caller]
    fn stored(&self) {
        let said = String::from_utf8_lossy(&self.body);
        assert!(matches!(self.status, 200 | 201), "{} {said}", self.status);
    }
}

impl<'a> Client<'a> {
    fn new(cluster: &'a Cluster, first: usize) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(0)
            .timeout_global(Some(Duration::from_mins(2)))
            .build()
            .into();
        Self { cluster, first, agent }
    }

    /// One request to one process; `None` when it died over it, or said that it cannot now.
    fn ask(
        &self,
        turn: usize,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Reply> {
        let urls = &self.cluster.urls;
        let url = format!("{}{path}", urls[(self.first + turn) % urls.len()]);
        let mut request = http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut body = body;
        // Without its length where the client did not say so.
        let sized = method != "PUT" || self.first.is_multiple_of(3);
        let answer = if sized {
            self.agent.run(request.body(body).unwrap())
        } else {
            self.agent.run(request.body(SendBody::from_reader(&mut body)).unwrap())
        };
        let mut answer = answer.ok()?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        // An acknowledgement whose end did not come is none.
        let body = answer.body_mut().with_config().limit(1 << 32).read_to_vec().ok()?;
        // Who cannot reach a database or a store says so (503); whatever else goes wrong inside is a mistake.
        assert_ne!(status, 500, "{method} {path}: {}", String::from_utf8_lossy(&body));
        // 423: the process that had the upload was killed, and its hold lasts a while longer.
        let passing = matches!(status, 423 | 429 | 503);
        if passing { None } else { Some(Reply { status, headers, body }) }
    }

    /// Asks until `take` is content with an answer.
    #[track_caller]
    fn until<T>(&self, mut ask: impl FnMut(&Self, usize) -> Option<T>) -> T {
        let started = Instant::now();
        for turn in 0.. {
            if let Some(answer) = ask(self, turn) {
                return answer;
            }
            assert!(started.elapsed() < PATIENCE, "client {} has no answer", self.first);
            thread::sleep(PAUSE);
        }
        unreachable!("turns do not end")
    }

    fn get(&self, path: &str) -> Reply {
        self.until(|client, turn| client.ask(turn, "GET", path, &[], b""))
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        let body = body.to_string();
        let json = [("content-type", "application/json")];
        self.until(|client, turn| client.ask(turn, "POST", path, &json, body.as_bytes()))
    }

    fn put(&self, kind: &str, bytes: &[u8]) -> String {
        let path = format!("/api/v1/blobs/{kind}");
        let reply = self.until(|client, turn| client.ask(turn, "PUT", &path, &[], bytes));
        reply.stored();
        id(&reply.json())
    }

    /// With the form of a browser.
    fn form(&self, kind: &str, bytes: &[u8]) -> String {
        let mut form = Vec::new();
        for (field, value) in [("kind", kind), ("crash", "false")] {
            write!(form, "--edge\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n")
                .unwrap();
        }
        form.extend(
            b"--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"evidence\"\r\n\r\n",
        );
        form.extend(bytes);
        form.extend(b"\r\n--edge--\r\n");
        let of_a_form = [("content-type", "multipart/form-data; boundary=edge")];
        let reply =
            self.until(|client, turn| client.ask(turn, "POST", "/api/v1/uploads/form", &of_a_form, &form));
        reply.stored();
        id(&reply.json()["evidence"][0])
    }

    /// In parts, each from where the service says that it is. Its length is said at the beginning, or with the last part.
    fn tus(&self, kind: &str, bytes: &[u8], sized: bool) -> String {
        let version = ("tus-resumable", "1.0.0");
        let whole = bytes.len().to_string();
        let length = ("upload-length", whole.as_str());
        let kind = match kind {
            "text" => "dGV4dA==",
            "core" => "Y29yZQ==",
            _ => "YmluYXJ5",
        };
        let metadata = format!("kind {kind}");
        let announced = if sized { length } else { ("upload-defer-length", "1") };
        let start = [version, announced, ("upload-metadata", metadata.as_str())];
        let part = (bytes.len() / 3).max(1);
        self.until(|client, turn| {
            let path = client.ask(turn, "POST", "/api/v1/uploads", &start, b"")?.text("location");
            let name = client.until(|client, turn| {
                let head = client.ask(turn, "HEAD", &path, &[version], b"")?;
                let at = head.number("upload-offset").unwrap();
                let known = head.number("upload-length").is_some();
                if at == bytes.len() && known {
                    return Some(head.text("x-panicle-blob-id"));
                }
                let offset = at.to_string();
                let piece = &bytes[at..bytes.len().min(at + part)];
                let mut more = vec![
                    version,
                    ("upload-offset", &offset),
                    ("content-type", "application/offset+octet-stream"),
                ];
                if !known && at + piece.len() == bytes.len() {
                    more.push(length);
                }
                let reply = client.ask(turn, "PATCH", &path, &more, piece)?;
                // Another process may have counted what a killed one had begun to.
                assert!(matches!(reply.status, 204 | 409), "{}", String::from_utf8_lossy(&reply.body));
                (reply.number("upload-offset") == Some(bytes.len())).then(|| reply.text("x-panicle-blob-id"))
            });
            Some(name)
        })
    }

    fn crash(&self, evidence: &[String]) -> String {
        let body = match evidence {
            [core, binary] => json!({ "core": core, "binaries": [binary] }),
            texts => json!({ "texts": texts }),
        };
        let reply = self.post("/api/v1/crashes", &body);
        reply.stored();
        id(&reply.json())
    }
}

impl Acknowledged {
    /// Waits until every crash has one of these states; the others that are final are asked for again once.
    /// Answers how many are not `done`.
    #[track_caller]
    pub(super) fn end(&self, cluster: &Cluster, states: &[&str]) -> usize {
        let client = Client::new(cluster, 0);
        let state = |crash: &str| client.get(&format!("/api/v1/crashes/{crash}")).json();
        let started = Instant::now();
        let mut others = 0;
        for crash in self.crashes.keys() {
            let found = state(crash);
            if found["status"] == "quarantined" && !states.contains(&"quarantined") {
                client.post(&format!("/api/v1/crashes/{crash}/reanalyse"), &json!({}));
            }
            loop {
                let found = state(crash);
                let status = found["status"].as_str().unwrap();
                if states.contains(&status) {
                    others += usize::from(status != "done");
                    break;
                }
                assert!(started.elapsed() < PATIENCE, "still {found:#}");
                thread::sleep(PAUSE);
            }
        }
        others
    }

    /// Every byte is there, every crash has its evidence and its report, and nothing is there twice.
    #[track_caller]
    pub(super) fn check(&self, cluster: &Cluster) {
        let client = Client::new(cluster, 0);
        for (name, length) in &self.bytes {
            let content = client.get(&format!("/api/v1/blobs/{name}/content"));
            assert_eq!((content.status, content.body.len()), (200, *length), "{name}");
            assert_eq!(hex::encode(Sha256::digest(&content.body)), *name);
        }
        let names: Vec<String> = self.bytes.keys().cloned().collect();
        assert_eq!(cluster.kept(), names, "what is kept is what was acknowledged");
        for (crash, evidence) in &self.crashes {
            let found = client.get(&format!("/api/v1/crashes/{crash}/evidence")).json();
            let mut listed: Vec<String> = found["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned())
                .collect();
            let mut evidence = evidence.clone();
            listed.sort();
            evidence.sort();
            assert_eq!(listed, evidence, "{crash}");
            let report = client.get(&format!("/api/v1/crashes/{crash}/report"));
            assert_eq!((report.status, &report.json()["schema"]), (200, &json!("panicle.report/1")));
        }
        let stats = client.get("/api/v1/stats").json();
        assert_eq!(
            (&stats["crashes"], &stats["queued"]),
            (&json!(self.crashes.len()), &json!(0)),
            "{stats:#}"
        );
        let mut counted = 0;
        let mut cursor = String::new();
        loop {
            let page = client.get(&format!("/api/v1/groups?limit=100{cursor}")).json();
            counted += page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|group| group["count"].as_u64().unwrap())
                .sum::<u64>();
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(counted, self.crashes.len() as u64, "every crash is in one group");
    }
}
