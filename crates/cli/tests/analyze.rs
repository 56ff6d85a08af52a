//! `panicle analyze` as a user runs it, on real crashes.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn analyze(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_panicle")).arg("analyze").args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An executable that is not the core's, for a mismatch.
fn other_binary() -> std::path::PathBuf {
    panicle_fixtures::get("deadlock", "1.24").binary
}

#[test]
fn a_core_with_its_binary_gives_a_report() {
    let fixture = panicle_fixtures::get("nil-map-write", "1.25");
    let output = analyze(&[path(&fixture.core), "--binary", path(&fixture.binary), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = json(&output);
    assert_eq!(report["schema"], "panicle.report/1");
    assert_eq!(report["verdict"]["class"], "nil-map-write");
    assert_eq!(report["binary"]["match"], "build-id");
    assert_eq!(report["source"]["core"]["sha256"].as_str().unwrap().len(), 64);
    let count = report["goroutine_count"].as_u64().unwrap();
    assert_eq!(report["goroutines"].as_array().unwrap().len() as u64, count);
    let clustered: u64 =
        report["goroutine_clusters"].as_array().unwrap().iter().map(|c| c["count"].as_u64().unwrap()).sum();
    assert_eq!(clustered, count);
    assert_eq!(report["goroutines"][0]["id"], report["verdict"]["goroutine"]);
}

#[test]
fn a_minidump_of_windows_gives_a_report() {
    let folder = tempfile::tempdir().unwrap();
    for crash in panicle_fixtures::windows() {
        let read = |name: &str, dump: &[u8]| {
            let file = folder.path().join(name);
            fs::write(&file, dump).unwrap();
            let output = analyze(&[path(&file), "--binary", path(&crash.binary()), "--format", "json"]);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            json(&output)
        };
        let full = read("full.dmp", &crash.full);
        let core = &full["source"]["core"];
        assert_eq!(
            (&core["format"], &core["os"], &core["arch"]),
            (&"minidump".into(), &"windows".into(), &"amd64".into())
        );
        assert_eq!(full["verdict"]["class"], crash.program);
        assert_eq!(full["binary"]["match"], "build-id");
        assert!(full["goroutine_count"].as_u64().unwrap() > 1);
        let small = read("small.dmp", &crash.small);
        assert_eq!(small["goroutine_count"], 0);
        assert_ne!(small["verdict"]["class"], "no-crash");
        assert!(small["threads"].as_array().unwrap().iter().all(|t| t["frames"][0]["trust"] == "scan"));
        let told = |text: &str| small["diagnostics"].to_string().contains(text);
        assert!(told("Have it written with full memory"), "{}", small["diagnostics"]);
    }
}

#[test]
fn a_summary_lists_no_goroutines_and_counts_them() {
    let fixture = panicle_fixtures::get("goroutine-leak", "1.26");
    let output = analyze(&[path(&fixture.core), "--format", "json", "--goroutines", "summary"]);
    let report = json(&output);
    assert_eq!(report["goroutines"], serde_json::json!([]));
    assert!(report["goroutine_count"].as_u64().unwrap() > 200);
    assert_eq!(report["verdict"]["class"], "goroutine-leak");
    assert_eq!(report["verdict"]["confidence"], "possible");
}

#[test]
fn the_binary_is_found_where_the_process_ran_it() {
    let fixture = panicle_fixtures::get("string-panic", "1.27");
    let output = analyze(&[path(&fixture.core)]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("whose build ID is that of the core"), "{}", stderr(&output));
    assert!(stdout(&output).contains("string-panic"), "{}", stdout(&output));
}

#[test]
fn the_binary_is_found_in_a_folder_and_checked() {
    let fixture = panicle_fixtures::get("string-panic", "1.27");
    let folder = tempfile::tempdir().unwrap();
    let right = folder.path().join("string-panic");
    let used = || {
        let output = analyze(&[path(&fixture.core), "--debug-dir", path(folder.path()), "--format", "json"]);
        json(&output)["binary"]["path"].as_str().unwrap().to_owned()
    };
    // Of the right name, but another program: passed over.
    fs::copy(other_binary(), &right).unwrap();
    assert_eq!(used(), path(&fixture.binary));
    fs::copy(&fixture.binary, &right).unwrap();
    assert_eq!(used(), path(&right));
}

#[test]
fn of_several_binaries_the_right_one_is_used() {
    let fixture = panicle_fixtures::get("nil-map-write", "1.24");
    let output = analyze(&[
        path(&fixture.core),
        "--binary",
        path(&other_binary()),
        "--binary",
        path(&fixture.binary),
        "--format",
        "json",
    ]);
    let report = json(&output);
    assert_eq!(report["binary"]["path"], path(&fixture.binary));
    assert_eq!(report["verdict"]["class"], "nil-map-write");
}

#[test]
fn a_wrong_binary_is_told_and_the_right_one_taken_from_where_it_ran() {
    let fixture = panicle_fixtures::get("nil-map-write", "1.24");
    let output = analyze(&[path(&fixture.core), "--binary", path(&other_binary()), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let report = json(&output);
    assert_eq!(report["binary"]["path"], path(&fixture.binary));
    assert_eq!(report["verdict"]["class"], "nil-map-write");
    let said = report["diagnostics"].to_string();
    assert!(said.contains("not the executable that crashed") && said.contains("build ID"), "{said}");
}

#[test]
fn a_text_alone_gives_the_same_verdict_and_signature() {
    let fixture = panicle_fixtures::get("index-out-of-range", "1.23");
    let by_core = json(&analyze(&[path(&fixture.core), "--format", "json"]));
    let by_text = json(&analyze(&["--text", path(&fixture.stderr), "--format", "json"]));
    assert_eq!(by_core["verdict"]["class"], by_text["verdict"]["class"]);
    assert_eq!(by_core["signature"]["fingerprint"], by_text["signature"]["fingerprint"]);
    assert_eq!(by_core["signature"]["family"], by_text["signature"]["family"]);
}

#[test]
fn what_cannot_be_read_has_its_own_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let fixture = panicle_fixtures::get("nil-map-write", "1.24");
    let empty = file("empty", b"");
    let garbage = file("garbage", &[0xa5; 5000]);
    let text = file("log", b"nothing happened here\n");
    let cut = file("cut", &fs::read(&fixture.core).unwrap()[..19]);
    let absent = folder.path().join("absent");
    for (arguments, words) in [
        (vec![path(&empty)], "empty"),
        (vec![path(&garbage)], "no core"),
        (vec![path(&fixture.binary)], "an executable"),
        (vec![path(&cut)], "ends within its own headers"),
        (vec![path(&absent)], "No such file"),
        (vec![path(folder.path())], "folder"),
        (vec![path(&fixture.core), "--binary", path(&garbage)], "no executable"),
        (vec![path(&fixture.core), "--binary", path(&fixture.core)], "a core, not an executable"),
        (vec!["--text", path(&text)], "no Go traceback"),
        (vec!["--text", path(&empty)], "the text is empty"),
    ] {
        let output = analyze(&arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn bad_arguments_are_told() {
    for arguments in [vec![], vec!["--format", "xml"], vec!["--goroutines", "some", "core"]] {
        assert_eq!(analyze(&arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_truncated_core_still_gives_what_is_there() {
    let fixture = panicle_fixtures::get("nil-map-write", "1.24");
    let folder = tempfile::tempdir().unwrap();
    let core = fs::read(&fixture.core).unwrap();
    let cut = folder.path().join("core");
    fs::write(&cut, &core[..core.len() / 3]).unwrap();
    let output = analyze(&[path(&cut), "--binary", path(&fixture.binary), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = json(&output);
    let truncated = &report["source"]["core"]["truncated"];
    assert!(truncated["present_bytes"].as_u64() < truncated["expected_bytes"].as_u64(), "{truncated}");
    assert!(report["process"]["pid"].is_number());
}

#[test]
fn a_dump_without_a_crash_is_exit_code_one() {
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump");
    fs::write(
        &dump,
        "goroutine 1 [chan receive, 5 minutes]:\nmain.main()\n\t/src/main.go:9 +0x1d\n\n\
         goroutine 7 [select]:\nmain.loop()\n\t/src/main.go:20 +0x2f\ncreated by main.main in goroutine 1\n\t/src/main.go:7 +0x1c\n",
    )
    .unwrap();
    let output = analyze(&["--text", path(&dump)]);
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("no-crash"), "{}", stdout(&output));
}

#[test]
fn a_core_of_no_go_program_says_so() {
    let folder = tempfile::tempdir().unwrap();
    // The kernel writes the core where its pattern says; gcore-like tools are not everywhere. A core
    // of a native program is made by a shell that kills itself, where the pattern is a plain name.
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    assert!(!pattern.starts_with('|'), "kernel.core_pattern pipes cores elsewhere: {pattern}");
    let status = Command::new("sh")
        .args(["-c", "ulimit -c unlimited && exec sh -c 'kill -SEGV $$'"])
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(!status.success());
    let core = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("core")))
        .unwrap_or_else(|| {
            panic!("no core in {}; kernel.core_pattern is {pattern}", folder.path().display())
        });
    let output = analyze(&[path(&core), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = json(&output);
    assert!(report["verdict"]["title"].as_str().unwrap().contains("No Go program"), "{}", report["verdict"]);
    assert!(
        report["diagnostics"].to_string().contains("no core of a Go program"),
        "{}",
        report["diagnostics"]
    );
}

#[test]
fn a_text_comes_through_a_pipe() {
    let fixture = panicle_fixtures::get("nil-map-write", "1.27");
    let text = fs::File::open(&fixture.stderr).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_panicle"))
        .args(["analyze", "--text", "-", "--format", "json"])
        .stdin(text)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = json(&output);
    assert_eq!(report["verdict"]["class"], "nil-map-write");
    let source = &report["source"]["texts"][0];
    assert_eq!(source["name"], "standard input");
    assert_eq!(source["size_bytes"], fixture.stderr.metadata().unwrap().len());
    let named = json(&analyze(&["--text", path(&fixture.stderr), "--format", "json"]));
    assert_eq!(named["source"]["texts"][0]["sha256"], source["sha256"]);
    // Compressed too, and a named pipe as well.
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    let line = format!(
        "mkfifo '{fifo}' && {{ zstd -qc '{text}' > '{fifo}' & }} && exec '{panicle}' analyze --format json --text '{fifo}'",
        fifo = fifo.display(),
        text = fixture.stderr.display(),
        panicle = env!("CARGO_BIN_EXE_panicle"),
    );
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert_eq!(json(&output)["verdict"]["class"], "nil-map-write");
    assert_eq!(analyze(&["--text", "-", "--race", "-"]).status.code(), Some(2));
}

#[test]
fn races_alone_give_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("race.log");
    fs::write(
        &file,
        "==================\nWARNING: DATA RACE\nWrite at 0x00c00009c0f0 by goroutine 7:\n  main.put()\n      \
         /src/main.go:11 +0xbd\n\nPrevious read at 0x00c00009c0f0 by main goroutine:\n  main.main()\n      \
         /src/main.go:25 +0x1fa\n\nGoroutine 7 (running) created at:\n  main.main()\n      /src/main.go:19 +0xd5\n\
         ==================\nFound 1 data race(s)\nexit status 66\n",
    )
    .unwrap();
    let output = analyze(&["--race", path(&file), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = json(&output);
    assert_eq!(report["verdict"]["class"], "data-race");
    assert_eq!(report["races"][0]["accesses"][1]["main"], true);
    fs::write(&file, "ok  example.com/cache 0.3s\n").unwrap();
    let output = analyze(&["--race", path(&file)]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("no report of the race detector"), "{}", stderr(&output));
}

#[test]
fn devices_are_refused_and_not_read() {
    for arguments in [["analyze", "/dev/zero"], ["analyze", "--text=/dev/zero"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_panicle")).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&output.stderr).contains("no regular file"), "{output:?}");
    }
}
