//! `panicle upload` and servers that are busy, gone, old or full; and pipes, which can be read once.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::PathBuf,
    process::{Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    harness::{Server, panicle, text},
    link::Link,
    sending::{MIB, core, file, is_there, printed, said, upload, wait_for_pieces},
    start,
};

/// What `panicle upload` makes of bytes in a pipe.
fn through_a_pipe(server: &str, arguments: &[&str], bytes: Vec<u8>) -> Output {
    let mut child = upload(server, arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let writing = thread::spawn(move || {
        // It may not want them all.
        let _ = pipe.write_all(&bytes);
    });
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    output
}

#[test]
fn pipes_are_asked_for_by_their_digest_and_held_to_their_size() {
    let server = start(&["--workers", "0"]);
    let log = text(1).into_bytes();
    let first = printed(&through_a_pipe(&server.url, &["text", "-"], log.clone()));
    assert_eq!(
        (&first["evidence"][0]["name"], &first["evidence"][0]["new"]),
        (&"stdin".into(), &true.into())
    );
    let again = printed(&through_a_pipe(&server.url, &["text", "-"], log.clone()));
    assert_eq!(again["evidence"][0]["new"], false);
    // A pipe that is a multiple of what is sent at once.
    let even = core(16 * MIB);
    is_there(&server, &printed(&through_a_pipe(&server.url, &["core", "-"], even.clone())), &even);
    let kept = server.kept();
    for (size, bytes) in [
        ("2000000", core(MIB)),
        ("1000000", core(MIB)),
        ("50000000", core(20 * MIB)),
        ("10000000", core(20 * MIB)),
    ] {
        let output = through_a_pipe(&server.url, &["core", "-", "--size", size], bytes);
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        assert!(said(&output).contains("it was not stored"), "{}", said(&output));
    }
    assert_eq!(server.kept(), kept);
    assert_eq!(fs::read_dir(server.spool()).map_or(0, Iterator::count), 0, "what came of it is gone");
    let nothing = through_a_pipe(&server.url, &["text", "-"], Vec::new());
    assert_eq!(nothing.status.code(), Some(3), "{}", said(&nothing));
    let garbage = through_a_pipe(&server.url, &["core", "-"], b"no core".to_vec());
    assert_eq!(garbage.status.code(), Some(3), "{}", said(&garbage));
    let directory = tempfile::tempdir().unwrap();
    let log = file(directory.path(), "log", &log);
    let no_pipe = upload(&server.url, &["text", log.to_str().unwrap(), "--size", "3"]).output().unwrap();
    assert_eq!(no_pipe.status.code(), Some(2), "{}", said(&no_pipe));
}

#[test]
fn an_older_server_gets_it_in_one_request() {
    let server = start(&["--workers", "0"]);
    let link = Link::to(&server.url);
    link.grow_old();
    let directory = tempfile::tempdir().unwrap();
    let whole = core(9 * MIB);
    let path = file(directory.path(), "core.1", &whole);
    let output = upload(&link.url, &["core", path.to_str().unwrap()]).output().unwrap();
    is_there(&server, &printed(&output), &whole);
    assert!(said(&output).contains("takes no resumable uploads"), "{}", said(&output));
    let piped = core(10 * MIB);
    let output = through_a_pipe(&link.url, &["core", "-"], piped.clone());
    is_there(&server, &printed(&output), &piped);
    assert!(said(&output).contains("cannot go on"), "{}", said(&output));
    assert_eq!(link.old_was_asked(), 2);
    // There, too, what has another size is not stored.
    let kept = server.kept();
    let output = through_a_pipe(&link.url, &["core", "-", "--size", "20000000"], core(11 * MIB));
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert_eq!(server.kept(), kept);
}

#[test]
fn a_busy_server_is_waited_for_and_a_lost_one_is_not_for_ever() {
    let server = start(&["--workers", "0", "--requests-per-minute", "20"]);
    let directory = tempfile::tempdir().unwrap();
    let logs: Vec<PathBuf> =
        (0..10).map(|n| file(directory.path(), &format!("{n}.log"), text(n).as_bytes())).collect();
    let mut arguments = vec!["text"];
    arguments.extend(logs.iter().map(|path| path.to_str().unwrap()));
    let output = upload(&server.url, &arguments).output().unwrap();
    assert_eq!(printed(&output)["evidence"].as_array().unwrap().len(), 10);
    assert!(
        said(&output).contains("requests a minute are taken from one token; trying again in"),
        "{}",
        said(&output)
    );

    let server = start(&["--workers", "0"]);
    let link = Link::to(&server.url);
    let path = file(directory.path(), "core.1", &core(40 * MIB));
    link.slow_down(12 << 20);
    let mut child = upload(&link.url, &["core", path.to_str().unwrap(), "--max-wait", "4"]).spawn().unwrap();
    wait_for_pieces(&server, 1, &mut child);
    drop(server);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("gave up after"), "{}", said(&output));
}

#[test]
fn whoever_says_how_long_waits_for_a_service_that_was_never_there() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (url, directory) = (format!("http://{address}"), tempfile::tempdir().unwrap());
    let path = file(directory.path(), "a.log", text(1).as_bytes());
    let path = path.to_str().unwrap();
    let started = Instant::now();
    let output = upload(&url, &["text", path]).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let child = upload(&url, &["text", path, "--max-wait", "60"]).spawn().unwrap();
    thread::sleep(Duration::from_secs(6));
    let data = tempfile::tempdir().unwrap();
    let mut serve = panicle();
    serve.args(["serve", "--workers", "0", "--listen", &address.to_string(), "--data"]).arg(data.path());
    let server = Server::run(serve, data);
    let output = child.wait_with_output().unwrap();
    is_there(&server, &printed(&output), text(1).as_bytes());
    assert!(started.elapsed() < Duration::from_mins(1));
}

#[test]
fn a_quota_that_is_used_up_is_said_at_once() {
    let server = start(&["--workers", "0", "--upload-bytes-per-day", "12000000"]);
    let directory = tempfile::tempdir().unwrap();
    let small = file(directory.path(), "core.1", &core(7 * MIB));
    let (medium, large) = (core(6 * MIB), core(40 * MIB));
    let medium = file(directory.path(), "core.2", &medium);
    let large = file(directory.path(), "core.3", &large);
    printed(&upload(&server.url, &["core", small.to_str().unwrap()]).output().unwrap());
    for path in [medium, large] {
        let started = Instant::now();
        let output = upload(&server.url, &["core", path.to_str().unwrap()]).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{}", said(&output));
        assert!(said(&output).contains("12000000 bytes a day are taken"), "{}", said(&output));
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}
