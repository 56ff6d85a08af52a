//! Uploads that come in several requests, by tus 1.0.0.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use panicle_fixtures::get;
use sha2::{Digest, Sha256};

use super::start;
use crate::harness::{Answer, Server, id, text};

const PART: &str = "application/offset+octet-stream";
/// Of which the service makes pieces that it counts.
const PIECE: usize = 16 << 20;

/// The core of a program, and noise behind it up to a size.
fn core(size: usize) -> Vec<u8> {
    let mut core = fs::read(get("nil-map-write", "1.25").core).unwrap();
    let mut state = 1_u64;
    while core.len() < size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        core.extend_from_slice(&state.to_le_bytes());
    }
    core.truncate(size.max(1));
    core
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = alphabet[(word >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { digit as char } else { '=' });
        }
    }
    out
}

pub(crate) fn metadata(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> =
        pairs.iter().map(|(key, value)| format!("{key} {}", base64(value.as_bytes()))).collect();
    pairs.join(",")
}

pub(crate) fn header(answer: &Answer, name: &str) -> String {
    let value = answer.headers.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", answer.headers));
    value.to_str().unwrap().to_owned()
}

/// A request with the protocol's version.
pub(crate) fn tus(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut all = vec![("tus-resumable", "1.0.0")];
    all.extend_from_slice(headers);
    let answer = server.send(method, path, &all, body);
    assert_eq!(header(&answer, "tus-resumable"), "1.0.0");
    answer
}

pub(crate) fn create(server: &Server, headers: &[(&str, &str)]) -> String {
    let answer = tus(server, "POST", "/api/v1/uploads", headers, b"");
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    header(&answer, "location")
}

fn offset(server: &Server, path: &str) -> u64 {
    let answer = tus(server, "HEAD", path, &[], b"");
    assert_eq!(answer.status, 200);
    assert_eq!(header(&answer, "cache-control"), "no-store");
    header(&answer, "upload-offset").parse().unwrap()
}

pub(crate) fn add(server: &Server, path: &str, at: usize, more: &[(&str, &str)], body: &[u8]) -> Answer {
    let at = at.to_string();
    let mut headers = vec![("content-type", PART), ("upload-offset", at.as_str())];
    headers.extend_from_slice(more);
    tus(server, "PATCH", path, &headers, body)
}

fn content(server: &Server, id: &str) -> Vec<u8> {
    server.get(&format!("/api/v1/blobs/{id}/content")).body
}

#[test]
fn what_the_service_knows_is_said() {
    let server = start(&["--workers", "0", "--max-upload-bytes", "1000000"]);
    let answer = server.send("OPTIONS", "/api/v1/uploads", &[], ());
    assert_eq!(answer.status, 204);
    assert_eq!(header(&answer, "tus-version"), "1.0.0");
    assert_eq!(header(&answer, "tus-max-size"), "1000000");
    assert_eq!(header(&answer, "tus-checksum-algorithm"), "sha256,sha1");
    for extension in
        ["creation", "creation-with-upload", "creation-defer-length", "checksum", "termination", "expiration"]
    {
        assert!(header(&answer, "tus-extension").split(',').any(|known| known == extension), "{extension}");
    }
    let other =
        server.send("POST", "/api/v1/uploads", &[("tus-resumable", "0.2.2"), ("upload-length", "1")], ());
    assert_eq!(header(&other, "tus-version"), "1.0.0");
    assert_eq!(other.problem(412), "tus-version");
    let post = |headers: &[(&str, &str)]| tus(&server, "POST", "/api/v1/uploads", headers, b"");
    assert_eq!(post(&[]).problem(400), "bad-request");
    assert_eq!(post(&[("upload-length", "1000001")]).problem(413), "too-large");
    assert_eq!(post(&[("upload-length", "0")]).problem(422), "empty-body");
    let kind = metadata(&[("kind", "cake")]);
    assert_eq!(post(&[("upload-length", "1"), ("upload-metadata", &kind)]).problem(400), "bad-request");
    let crash_of_nothing = metadata(&[("kind", "binary"), ("service", "shop")]);
    let refused = post(&[("upload-length", "1"), ("upload-metadata", &crash_of_nothing)]);
    assert_eq!(refused.problem(400), "bad-request");
    let a_part = [("upload-length", "1"), ("upload-concat", "partial")];
    assert_eq!(post(&a_part).problem(400), "bad-request");
}

#[test]
fn an_upload_comes_in_parts_and_is_what_a_put_would_have_made() {
    let server = start(&["--workers", "0"]);
    let whole = text(1);
    let length = whole.len().to_string();
    let said =
        metadata(&[("kind", "text"), ("filename", "dir/crash.log"), ("sha256", &sha256(whole.as_bytes()))]);
    let path = create(&server, &[("upload-length", &length), ("upload-metadata", &said)]);
    let bytes = whole.as_bytes();
    let first = add(&server, &path, 0, &[], &bytes[..20]);
    assert_eq!((first.status, header(&first, "upload-offset").as_str()), (204, "20"));
    assert!(header(&first, "upload-expires").ends_with(" GMT"));

    assert_eq!(add(&server, &path, 0, &[], &bytes[..20]).problem(409), "offset-mismatch");
    let wrong = [("content-type", "text/plain"), ("upload-offset", "20")];
    assert_eq!(tus(&server, "PATCH", &path, &wrong, b"x").problem(415), "unsupported-media-type");
    let sum = format!("sha256 {}", base64(&Sha256::digest(b"other")));
    let answer = add(&server, &path, 20, &[("upload-checksum", &sum)], &bytes[20..40]);
    assert_eq!(answer.problem(460), "checksum-mismatch");
    assert_eq!(offset(&server, &path), 20, "nothing of it was kept");
    assert_eq!(add(&server, &path, 20, &[], &vec![b'x'; 10_000]).problem(413), "too-large");
    assert_eq!(offset(&server, &path), 20);

    let sum = format!("sha256 {}", base64(&Sha256::digest(&bytes[20..])));
    let last = add(&server, &path, 20, &[("upload-checksum", &sum)], &bytes[20..]);
    assert_eq!(last.status, 204);
    let blob = header(&last, "x-panicle-blob-id");
    assert_eq!(blob, sha256(bytes));
    let head = tus(&server, "HEAD", &path, &[], b"");
    assert_eq!((header(&head, "upload-offset"), header(&head, "x-panicle-blob-id")), (length, blob.clone()));
    assert_eq!(header(&head, "upload-metadata"), said);
    let put = server.put("text", text(1)).expect(200);
    assert_eq!((id(&put), put["name"].as_str()), (blob, Some("crash.log")));
    assert_eq!(pieces(&server), 0, "its pieces are gone");
}

#[test]
fn a_pipe_says_its_length_at_the_end() {
    let server = start(&["--workers", "0"]);
    // Told by its first bytes, and taken for a crash.
    let said = metadata(&[("service", "shop"), ("labels", r#"{"env":"prod"}"#)]);
    let begin = [("upload-defer-length", "1"), ("upload-metadata", &said), ("content-type", PART)];
    let answer = tus(&server, "POST", "/api/v1/uploads", &begin, &text(2).as_bytes()[..30]);
    let path = header(&answer, "location");
    assert_eq!((answer.status, header(&answer, "upload-offset").as_str()), (201, "30"));
    assert_eq!(header(&answer, "upload-defer-length"), "1");
    assert_eq!(add(&server, &path, 30, &[], &text(2).as_bytes()[30..]).status, 204);
    let length = text(2).len().to_string();
    let last = add(&server, &path, text(2).len(), &[("upload-length", &length)], b"");
    assert_eq!(last.status, 204, "{}", String::from_utf8_lossy(&last.body));
    let crash = server.get(&format!("/api/v1/crashes/{}", header(&last, "x-panicle-crash-id"))).expect(200);
    assert_eq!((crash["service"].as_str(), crash["labels"]["env"].as_str()), (Some("shop"), Some("prod")));
    assert_eq!(crash["evidence"][0]["id"].as_str(), Some(sha256(text(2).as_bytes()).as_str()));
    assert_eq!(crash["evidence"][0]["kind"], "text");
}

#[test]
fn what_is_wrong_or_given_up_leaves_nothing() {
    let server = start(&["--workers", "0", "--upload-expiry-seconds", "2"]);
    let spool = || pieces(&server);
    let said = metadata(&[("kind", "core")]);
    let path = create(&server, &[("upload-length", "7"), ("upload-metadata", &said)]);
    assert_eq!(add(&server, &path, 0, &[], b"garbage").problem(422), "not-a-core");
    assert_eq!(tus(&server, "DELETE", &path, &[], b"").problem(404), "not-found");
    let said = metadata(&[("sha256", &sha256(b"abd"))]);
    let path = create(&server, &[("upload-length", "3"), ("upload-metadata", &said)]);
    assert_eq!(add(&server, &path, 0, &[], b"abc").problem(422), "digest-mismatch");
    assert_eq!(spool(), 0);

    let ended = create(&server, &[("upload-length", "9")]);
    assert_eq!(add(&server, &ended, 0, &[], b"abc").status, 204);
    assert_eq!(spool(), 1);
    assert_eq!(tus(&server, "DELETE", &ended, &[], b"").status, 204);
    assert_eq!(tus(&server, "DELETE", &ended, &[], b"").problem(404), "not-found");
    assert_eq!(spool(), 0);

    let forgotten = create(&server, &[("upload-length", "9")]);
    assert_eq!(add(&server, &forgotten, 0, &[], b"abc").status, 204);
    let started = Instant::now();
    while spool() > 0 {
        assert!(started.elapsed() < Duration::from_secs(20), "nobody removes it");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(add(&server, &forgotten, 3, &[], b"abc").problem(404), "not-found");
}

/// Pieces of uploads that are kept, whether on a disk or in a bucket that is one.
fn pieces(server: &Server) -> usize {
    fs::read_dir(server.spool()).map_or(0, Iterator::count)
}

/// A request whose body stops half-way.
fn half(server: &Server, path: &str, at: usize, length: usize, body: &[u8]) -> TcpStream {
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "PATCH {path} HTTP/1.1\r\nhost: {address}\r\ntus-resumable: 1.0.0\r\ncontent-type: {PART}\r\n\
         upload-offset: {at}\r\ncontent-length: {length}\r\n\r\n"
    )
    .unwrap();
    stream.write_all(body).unwrap();
    stream
}

fn wait_for_offset(server: &Server, path: &str, at_least: usize) {
    let started = Instant::now();
    while offset(server, path) < at_least as u64 {
        assert!(started.elapsed() < Duration::from_mins(1), "only {} bytes are kept", offset(server, path));
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn one_writes_at_a_time_and_what_came_before_it_broke_off_counts() {
    let server = start(&["--workers", "0"]);
    let whole = core(3 << 20);
    let path = create(&server, &[("upload-length", &whole.len().to_string())]);
    let stream = half(&server, &path, 0, whole.len(), &whole[..1 << 20]);
    let started = Instant::now();
    while fs::read_dir(server.data().join("tmp")).unwrap().count() == 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "nobody writes");
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(add(&server, &path, 0, &[], b"x").problem(423), "upload-locked");
    assert_eq!(tus(&server, "DELETE", &path, &[], b"").problem(423), "upload-locked");
    drop(stream);
    wait_for_offset(&server, &path, 1 << 20);
    assert_eq!(offset(&server, &path), 1 << 20);
    let started = Instant::now();
    let last = loop {
        let last = add(&server, &path, 1 << 20, &[], &whole[1 << 20..]);
        if last.status != 423 || started.elapsed() > Duration::from_secs(30) {
            break last;
        }
    };
    assert_eq!(last.status, 204);
    assert!(content(&server, &header(&last, "x-panicle-blob-id")) == whole);
}

#[test]
fn an_upload_goes_on_after_the_service_was_killed() {
    let server = start(&["--workers", "0"]);
    let whole = core(PIECE * 5 / 2);
    let said = metadata(&[("kind", "core"), ("sha256", &sha256(&whole))]);
    let path = create(&server, &[("upload-length", &whole.len().to_string()), ("upload-metadata", &said)]);
    let mut stream = half(&server, &path, 0, whole.len(), &whole[..PIECE * 2 + 5000]);
    wait_for_offset(&server, &path, PIECE);
    let acknowledged = offset(&server, &path);
    let server = server.kill_and_restart();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty(), "half an upload was acknowledged");

    let at = offset(&server, &path);
    assert!(at >= acknowledged && at as usize <= PIECE * 2 + 5000, "{acknowledged}, {at}");
    let last = add(&server, &path, at as usize, &[], &whole[at as usize..]);
    assert_eq!(last.status, 204, "{}", String::from_utf8_lossy(&last.body));
    assert!(content(&server, &header(&last, "x-panicle-blob-id")) == whole);
    // Once more after another end: it is complete, and stays so.
    let server = server.kill_and_restart();
    assert_eq!(offset(&server, &path), whole.len() as u64);
}

/// tuspy, the protocol's own client for Python; `cargo xtask test` installs it.
const TUSPY: &str = r#"
import sys
from tusclient import client
url, path, stop = sys.argv[1], sys.argv[2], sys.argv[3]
metadata = {"filename": "core.7", "kind": "core", "service": "shop"}
service = client.TusClient(url + "/api/v1/uploads")
if stop == "half":
    uploader = service.uploader(path, chunk_size=1 << 20, metadata=metadata, upload_checksum=True)
    uploader.upload(stop_at=2 << 20)
else:
    uploader = service.uploader(path, chunk_size=1 << 20, url=stop, upload_checksum=True)
    assert uploader.offset == 2 << 20, uploader.offset
    uploader.upload()
print(uploader.url)
"#;

#[test]
fn a_client_not_written_here_uploads_and_resumes() {
    let packages = panicle_fixtures::cache_root().unwrap().join("tools").join("tuspy");
    assert!(
        packages.join("tusclient").is_dir(),
        "cargo xtask test installs tuspy into {}",
        packages.display()
    );
    let server = start(&["--workers", "0"]);
    let whole = core((3 << 20) + 77);
    let path = server.data().join("core.7");
    fs::write(&path, &whole).unwrap();
    let run = |stop: &str| {
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", &packages).args(["-c", TUSPY, &server.url]).arg(&path).arg(stop);
        let output = python.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let url = run("half");
    assert_eq!(run(&url), url);
    let head = tus(&server, "HEAD", url.strip_prefix(&server.url).unwrap(), &[], b"");
    let blob = header(&head, "x-panicle-blob-id");
    assert_eq!(blob, sha256(&whole));
    assert!(content(&server, &blob) == whole);
    let crash = server.get(&format!("/api/v1/crashes/{}", header(&head, "x-panicle-crash-id"))).expect(200);
    assert_eq!(
        (crash["service"].as_str(), crash["evidence"][0]["name"].as_str()),
        (Some("shop"), Some("core.7"))
    );
}
