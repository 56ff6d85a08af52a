//! Compressed and archived evidence.

use std::{fs, path::Path, process::Command};

use panicle_fixtures::get;
use serde_json::json;

use crate::harness::{Server, panicle};

fn run(directory: &Path, program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Whether the service has left anything of what it unpacked.
fn scratch(server: &Server) -> usize {
    let cache = fs::read_dir(server.data()).unwrap().map(|entry| entry.unwrap().path());
    let folders = cache.filter(|path| path.is_dir()).flat_map(|path| fs::read_dir(path).unwrap());
    folders
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("scratch-"))
        .count()
}

#[test]
fn an_archive_is_unpacked_in_the_child_and_analysed() {
    let fixture = get("nil-map-write", "1.26");
    let directory = tempfile::tempdir().unwrap();
    fs::copy(&fixture.core, directory.path().join("core.7")).unwrap();
    fs::copy(&fixture.binary, directory.path().join("server")).unwrap();
    fs::copy(&fixture.stderr, directory.path().join("stderr.log")).unwrap();
    run(directory.path(), "tar", &["--zstd", "-cf", "crash.tar.zst", "stderr.log", "core.7", "server"]);
    let server = Server::start(&["--workers", "1"]);
    let archive = server.put_file("core", &directory.path().join("crash.tar.zst"));
    let crash = server.crash(&json!({ "core": archive, "service": "packed" }));
    let done = server.wait(&crash, &["done", "failed", "quarantined", "waiting-for-binary"]);
    assert_eq!(done["status"], "done", "{done:#}\n{}", server.log());
    assert_eq!(done["class"], "nil-map-write");
    let report = server.get(&format!("/api/v1/crashes/{crash}/report")).expect(200);
    assert_eq!(report["binary"]["match"], "build-id");
    assert_eq!(report["source"]["core"]["size_bytes"], fixture.core.metadata().unwrap().len());
    assert_eq!(report["source"]["core"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(report["source"]["texts"].as_array().unwrap().len(), 1);
    assert!(report["diagnostics"].to_string().contains("was unpacked from"), "{}", report["diagnostics"]);
    assert_eq!(scratch(&server), 0);
    // What one question unpacked is there for the next.
    for expression in ["len(runtime.allgs) > 0", "runtime.allgs[0].goid == 1"] {
        let expression = expression.replace('>', "%3E").replace(' ', "%20").replace('=', "%3D");
        let expression = expression.replace('[', "%5B").replace(']', "%5D");
        let answer = server.get(&format!("/api/v1/crashes/{crash}/eval?expr={expression}")).expect(200);
        assert_eq!(answer["value"], true, "{answer:#}");
        assert_eq!(scratch(&server), 1);
    }
}

#[test]
fn a_compressed_core_waits_for_its_executable_like_any_other() {
    let fixture = get("deadlock", "1.25");
    let directory = tempfile::tempdir().unwrap();
    fs::copy(&fixture.core, directory.path().join("core.9")).unwrap();
    run(directory.path(), "xz", &["-0", "core.9"]);
    let server = Server::start(&["--workers", "1"]);
    let core = directory.path().join("core.9.xz");
    let sent =
        panicle().args(["upload", "core"]).arg(&core).args(["--server", &server.url]).output().unwrap();
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let crash = server.get("/api/v1/crashes").expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    server.wait(&crash, &["waiting-for-binary"]);
    server.put_file("binary", &fixture.binary);
    let done = server.wait(&crash, &["done", "failed", "quarantined"]);
    assert_eq!((&done["status"], &done["class"]), (&json!("done"), &json!("deadlock")), "{done:#}");
}

#[test]
fn what_cannot_be_unpacked_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&["--workers", "1", "--unpacked-mib", "10"]);
    let failure = |name: &str| {
        let core = server.put_file("core", &directory.path().join(name));
        let crash = server.crash(&json!({ "core": core }));
        let failed = server.wait(&crash, &["done", "failed", "quarantined", "waiting-for-binary"]);
        assert_eq!(failed["status"], "failed", "{name}: {failed:#}");
        failed["failure"]["detail"].as_str().unwrap().to_owned()
    };
    fs::write(directory.path().join("zeros"), vec![0; 50 << 20]).unwrap();
    run(directory.path(), "gzip", &["-k", "zeros"]);
    assert!(failure("zeros.gz").contains("unknown kind"), "zeros");
    let mut core = fs::read(get("nil-map-write", "1.26").core).unwrap();
    core.resize(50 << 20, 0);
    fs::write(directory.path().join("core"), core).unwrap();
    run(directory.path(), "zstd", &["-q", "core"]);
    let said = failure("core.zst");
    assert!(said.contains("more than 10485760 bytes"), "{said}");
    fs::write(directory.path().join("garbage.gz"), b"\x1f\x8b\x08 this is not gzip").unwrap();
    assert!(failure("garbage.gz").contains("damaged"));
    assert_eq!(scratch(&server), 0);
}

#[test]
fn a_compressed_text_is_read_like_any_other() {
    let fixture = get("index-out-of-range", "1.26");
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&["--workers", "1"]);
    let mut groups = Vec::new();
    for (program, name) in [
        ("gzip", "crash.log.gz"),
        ("zstd", "crash.log.zst"),
        ("xz", "crash.log.xz"),
        ("lz4", "crash.log.lz4"),
    ] {
        let path = directory.path().join(name);
        let output = Command::new(program).arg("-c").arg(&fixture.stderr).output().unwrap();
        assert!(output.status.success(), "{program}");
        fs::write(&path, output.stdout).unwrap();
        let text = server.put_file("text", &path);
        let crash = server.crash(&json!({ "texts": [text], "service": "packed" }));
        let done = server.wait(&crash, &["done", "failed", "quarantined"]);
        assert_eq!(
            (&done["status"], &done["class"]),
            (&json!("done"), &json!("index-out-of-range")),
            "{done:#}"
        );
        groups.push(done["group_id"].clone());
        let report = server.get(&format!("/api/v1/crashes/{crash}/report")).expect(200);
        assert_eq!(report["source"]["texts"][0]["size_bytes"], path.metadata().unwrap().len());
    }
    assert!(groups.iter().all(|group| group == &groups[0]), "{groups:?}");
    let archive = directory.path().join("logs.tar");
    run(directory.path(), "tar", &["-cf", "logs.tar", "crash.log.gz"]);
    assert_eq!(server.put("text", fs::read(archive).unwrap()).problem(422), "not-text");
}
