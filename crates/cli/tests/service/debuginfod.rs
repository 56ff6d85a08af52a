//! gdb, and whoever else speaks debuginfod, finds here what CI sent; and a service finds what others have.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use panicle_fixtures::get;

use crate::harness::{Server, panicle, text};

/// An executable as it is shipped, and its debug information in a file of its own.
struct Parted {
    build_id: String,
    stripped: PathBuf,
    debug: PathBuf,
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
    text
}

fn part(binary: &Path, folder: &Path) -> Parted {
    let (stripped, debug) = (folder.join("program"), folder.join("program.debug"));
    run(Command::new("objcopy").arg("--only-keep-debug").args([binary, &debug]));
    run(Command::new("objcopy").arg("--strip-all").args([binary, &stripped]));
    let notes = run(Command::new("readelf").arg("-n").arg(&stripped));
    let (_, id) = notes.split_once("Build ID: ").unwrap();
    Parted { build_id: id.split_whitespace().next().unwrap().to_owned(), stripped, debug }
}

fn identified(server: &Server, path: &Path) -> String {
    let id = server.put_file("binary", path);
    server.wait_until(&format!("/api/v1/blobs/{id}"), |blob| blob["binary"]["identified"] == true);
    id
}

/// What gdb says of where a function of the program is.
fn gdb(program: &Path, server: &str, folder: &Path) -> String {
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-batch", "-iex", "set debuginfod enabled on"])
        .arg(program)
        .args(["-ex", "info line main.main"]);
    gdb.env("DEBUGINFOD_URLS", server).env("DEBUGINFOD_CACHE_PATH", folder.join("cache")).env("HOME", folder);
    let output = gdb.output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn gdb_fetches_debug_information_by_build_id() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let parted = part(&get("nil-map-write", "1.27").binary, folder.path());
    let before = gdb(&parted.stripped, &server.url, folder.path());
    assert!(!before.contains("main.go"), "{before}");
    identified(&server, &parted.debug);
    // Clients remember for a while what a server does not have.
    fs::remove_dir_all(folder.path().join("cache")).unwrap();
    let after = gdb(&parted.stripped, &server.url, folder.path());
    assert!(after.contains("main.go\" starts at address"), "{after}");
}

#[test]
fn files_are_answered_by_either_build_id_as_debuginfod_does() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let parted = part(&get("nil-map-write", "1.27").binary, folder.path());
    let debug = identified(&server, &parted.debug);
    let path = |id: &str, artifact: &str| format!("/buildid/{id}/{artifact}");
    let gnu = parted.build_id.as_str();

    let answer = server.get(&path(gnu, "debuginfo"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, fs::read(&parted.debug).unwrap());
    assert_eq!(answer.headers["x-debuginfod-size"], answer.body.len().to_string());
    assert_eq!(answer.headers["etag"], format!("\"{debug}\""));
    // A debug file has no instructions to run.
    assert_eq!(server.get(&path(gnu, "executable")).problem(404), "not-found");

    let program = identified(&server, &parted.stripped);
    let answer = server.get(&path(gnu, "executable"));
    assert_eq!(answer.headers["etag"], format!("\"{program}\""));
    assert_eq!(server.get(&path(gnu, "debuginfo")).headers["etag"], format!("\"{debug}\""));
    let known = server.get(&format!("/api/v1/blobs/{program}")).expect(200);
    let go = hex::encode(known["binary"]["build_ids"]["go"].as_str().unwrap());
    assert_eq!(server.get(&path(&go, "executable")).headers["etag"], format!("\"{program}\""));

    let part = server.send("GET", &path(gnu, "debuginfo"), &[("range", "bytes=1-3")], ());
    assert_eq!((part.status, part.body.as_slice()), (206, &b"ELF"[..]));
    let small = server.send("GET", &path(gnu, "debuginfo"), &[("x-debuginfod-maxsize", "1000")], ());
    assert_eq!(small.problem(406), "larger-than-wanted");
    assert_eq!(server.get(&path(gnu, "section/.text")).problem(404), "not-found");
    assert_eq!(server.get(&path(gnu, "source/main.go")).problem(404), "not-found");
    assert_eq!(server.get(&path("00", "debuginfo")).problem(404), "not-found");
    assert_eq!(server.get(&path("../etc", "debuginfo")).status, 404);
    assert_eq!(server.get(&path("xyz", "debuginfo")).problem(400), "bad-request");
    assert_eq!(server.get(&path(&"ab".repeat(400), "debuginfo")).problem(400), "bad-request");
}

/// How often a server was asked for a file of a program.
fn asked(server: &Server) -> u64 {
    let metrics = String::from_utf8(server.get("/metrics").body).unwrap();
    let lines = metrics.lines().filter(|line| {
        line.starts_with("panicle_http_requests_total") && line.contains("/buildid/{id}/{artifact}")
    });
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

#[test]
fn what_a_crash_waits_for_is_fetched_from_others() {
    let others = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let fixture = get("nil-map-write", "1.27");
    let parted = part(&fixture.binary, folder.path());
    let program = identified(&others, &parted.stripped);
    let debug = identified(&others, &parted.debug);

    // The first address answers nobody.
    let server = Server::start(&["--debuginfod", "http://127.0.0.1:9", "--debuginfod", &others.url]);
    let crash = server.crash_of_core(&fixture.core);
    let evidence = format!("/api/v1/crashes/{crash}/evidence");
    let has = |list: &serde_json::Value, id: &str| {
        list["items"].as_array().unwrap().iter().any(|item| item["id"] == id)
    };
    server.wait_until(&evidence, |list| has(list, &program) && has(list, &debug));
    assert_eq!(server.wait(&crash, &["done", "failed"])["status"], "done");
    let report = server.get(&format!("/api/v1/crashes/{crash}/report")).expect(200);
    assert_eq!(report["binary"]["dwarf"], "separate");
}

#[test]
fn servers_that_want_a_token_are_shown_one() {
    let others = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let fixture = get("nil-map-write", "1.27");
    let parted = part(&fixture.binary, folder.path());
    let program = identified(&others, &parted.stripped);
    let mut make = panicle();
    make.args(["admin", "token", "create", "--name", "peer", "--scopes", "symbols", "--data"]);
    let made = make.arg(others.data()).output().unwrap();
    let headers = folder.path().join("headers");
    fs::write(&headers, format!("Authorization: Bearer {}", String::from_utf8(made.stdout).unwrap()))
        .unwrap();
    let headers = headers.to_str().unwrap();
    let server = Server::start(&["--debuginfod", &others.url, "--debuginfod-headers-file", headers]);
    let crash = server.crash_of_core(&fixture.core);
    server.wait_until(&format!("/api/v1/crashes/{crash}/evidence"), |list| {
        list["items"].as_array().unwrap().iter().any(|item| item["id"] == program)
    });
    assert!(!server.log().contains("pnc_"), "{}", server.log());
}

#[test]
fn what_nobody_has_is_asked_for_once() {
    let others = Server::start(&[]);
    let server = Server::start(&["--debuginfod", &others.url]);
    let crash = server.crash_of_core(&get("nil-map-write", "1.27").core);
    server.wait(&crash, &["waiting-for-binary"]);
    for _ in 0..100 {
        if asked(&others) > 0 {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    let path = format!("/api/v1/crashes/{crash}");
    let analysed = server.get(&path).expect(200)["analysed_at"].clone();
    server.post(&format!("{path}/reanalyse"), &serde_json::json!({}));
    server.wait_until(&path, |crash| {
        crash["analysed_at"] != analysed && crash["status"] == "waiting-for-binary"
    });
    // Longer than a worker takes to find a job that is due.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(asked(&others), 1);
}

#[test]
fn a_server_that_never_answers_holds_nobody_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    // As people write them who have one address more to come.
    let addresses = format!(" http://ada:secret@{}  \n", silent.local_addr().unwrap());
    let (asked, was_asked) = mpsc::channel();
    thread::spawn(move || silent.incoming().for_each(|stream| asked.send(stream.unwrap()).unwrap_or(())));
    let server = Server::start(&["--debuginfod", &addresses, "--workers", "1"]);
    let waiting = server.crash_of_core(&get("nil-map-write", "1.27").core);
    server.wait(&waiting, &["waiting-for-binary"]);
    let _asked = was_asked.recv_timeout(Duration::from_mins(1)).unwrap();

    let started = Instant::now();
    let blob = server.put_stream("text", text(1).as_bytes());
    let crash = server.crash(&serde_json::json!({ "texts": [blob] }));
    server.wait(&crash, &["done"]);
    assert!(started.elapsed() < Duration::from_secs(45), "{:?}", started.elapsed());

    let started = Instant::now();
    let pid = server.pid().to_string();
    run(Command::new("kill").args(["-TERM", &pid]));
    // Until somebody asks for its exit code, an ended process is a zombie.
    while !fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().contains(") Z ") {
        assert!(started.elapsed() < Duration::from_secs(45), "it is still there\n{}", server.log());
        thread::sleep(Duration::from_millis(50));
    }
    assert!(!server.log().contains("secret"), "{}", server.log());
}
