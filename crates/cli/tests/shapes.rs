//! `panicle analyze` on cores as they come: cut, compressed, in archives, huge.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

use std::{
    fs::{self, File},
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use panicle_fixtures::{Fixture, get};
use panicle_synth::{CoreFile, Memory, ThreadNotes};
use serde_json::Value;
use tempfile::TempDir;

fn panicle() -> Command {
    Command::new(env!("CARGO_BIN_EXE_panicle"))
}

fn analyze(arguments: &[&str]) -> Output {
    panicle().arg("analyze").args(arguments).args(["--format", "json"]).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn report(arguments: &[&str]) -> Value {
    let output = analyze(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder with a crash under the names that people give: `core.7`, `server`, `stderr.log`.
fn crash(fixture: &Fixture) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (from, to) in
        [(&fixture.core, "core.7"), (&fixture.binary, "server"), (&fixture.stderr, "stderr.log")]
    {
        fs::copy(from, directory.path().join(to)).unwrap();
    }
    directory
}

fn run(directory: &TempDir, program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(directory.path()).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", stderr(&output));
}

/// What has to be the same, however a crash is packed.
fn essence(report: &Value) -> Value {
    let core = &report["source"]["core"];
    serde_json::json!([
        report["verdict"]["class"],
        report["panic"],
        report["goroutines"],
        core["size_bytes"],
        core["sha256"],
        report["binary"]["match"],
        report["signature"]["fingerprint"],
    ])
}

#[test]
fn compressed_cores_are_read_whatever_their_name() {
    let fixture = get("nil-map-write", "1.26");
    let directory = crash(&fixture);
    let expected = essence(&report(&[path(&fixture.core), "--binary", path(&fixture.binary)]));
    let scratch = tempfile::tempdir().unwrap();
    for (program, options) in [("zstd", "-1"), ("gzip", "-1"), ("lz4", "-1"), ("xz", "-0")] {
        let packed = directory.path().join("packed");
        for (from, to) in [("core.7", "packed"), ("server", "packed-server")] {
            let command = format!("{program} {options} -q -c {from} > {to}");
            run(&directory, "sh", &["-c", &command]);
        }
        let server = directory.path().join("packed-server");
        let found = report(&[path(&packed), "--binary", path(&server), "--work-dir", path(scratch.path())]);
        assert_eq!(essence(&found), expected, "{program}");
        assert!(found["diagnostics"].to_string().contains("was unpacked from"), "{}", found["diagnostics"]);
        // Without its end it is a core that was cut short. Most of it is zeros, which take next to nothing.
        let bytes = fs::read(&packed).unwrap();
        fs::write(&packed, &bytes[..bytes.len() * 95 / 100]).unwrap();
        let found = report(&[path(&packed), "--binary", path(&server), "--work-dir", path(scratch.path())]);
        let truncated = &found["source"]["core"]["truncated"];
        assert!(
            truncated["expected_bytes"].as_u64() > truncated["present_bytes"].as_u64(),
            "{program}: {truncated}"
        );
    }
    // Texts, too.
    run(&directory, "gzip", &["stderr.log"]);
    let found = report(&["--text", path(&directory.path().join("stderr.log.gz"))]);
    assert_eq!(found["verdict"]["class"], "nil-map-write");
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "something was left behind");
}

#[test]
fn an_archive_is_a_whole_crash() {
    let fixture = get("nil-map-write", "1.26");
    let directory = crash(&fixture);
    let expected =
        report(&[path(&fixture.core), "--binary", path(&fixture.binary), "--text", path(&fixture.stderr)]);
    let zip = "import zipfile\nz = zipfile.ZipFile('crash.zip', 'w', zipfile.ZIP_DEFLATED, compresslevel=1)\n\
               [z.write(n) for n in ['stderr.log', 'core.7', 'server']]\nz.close()";
    run(&directory, "python3", &["-c", zip]);
    let tar = |name: &str, option: &str| {
        run(&directory, "tar", &[option, "-cf", name, "stderr.log", "core.7", "server"]);
    };
    tar("crash.tar", "--sparse");
    tar("crash.tar.gz", "--gzip");
    tar("crash.tar.zst", "--zstd");
    for name in ["crash.zip", "crash.tar", "crash.tar.gz", "crash.tar.zst"] {
        let archive = directory.path().join(name);
        let found = report(&[path(&archive)]);
        assert_eq!(essence(&found), essence(&expected), "{name}");
        assert_eq!(found["binary"]["path"], format!("{}:server", path(&archive)));
        assert_eq!(found["source"]["texts"][0]["sha256"], expected["source"]["texts"][0]["sha256"], "{name}");
    }
    // Asked for something else than is in it.
    run(&directory, "tar", &["-czf", "logs.tgz", "stderr.log"]);
    let logs = directory.path().join("logs.tgz");
    let output = analyze(&[path(&fixture.core), "--binary", path(&logs)]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("no executable in it, but"), "{}", stderr(&output));
}

#[test]
fn bombs_are_refused_and_leave_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    // A core's first bytes and a terabyte of zeros would be worse; this suffices.
    let mut core = CoreFile { threads: vec![ThreadNotes::at(1, 2, 3)], ..CoreFile::default() }.write();
    core.resize(300 << 20, 0);
    fs::write(directory.path().join("core"), core).unwrap();
    run(&directory, "zstd", &["-q", "--rm", "core"]);
    let bomb = directory.path().join("core.zst");
    assert!(bomb.metadata().unwrap().len() < 100_000);
    let arguments = [path(&bomb), "--work-dir", path(scratch.path()), "--max-unpacked-bytes", "200000000"];
    let output = analyze(&arguments);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("more than 200000000 bytes"), "{}", stderr(&output));
    // Layers in layers in layers.
    for _ in 0..3 {
        run(&directory, "tar", &["-czf", "next", "core.zst"]);
        run(&directory, "mv", &["next", "core.zst"]);
    }
    let output = analyze(&arguments);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("layers"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn a_core_cut_anywhere_gives_a_report() {
    let fixture = get("order-service", "1.25");
    let directory = tempfile::tempdir().unwrap();
    let cut = directory.path().join("core");
    let whole = fs::read(&fixture.core).unwrap();
    // Within its header, its program headers, its notes, and in the midst of memory.
    for length in [20, 63, 64, 100, 121, 1000, 5000, 9000, 500_000, 3_000_000, whole.len() - 1] {
        fs::write(&cut, &whole[..length]).unwrap();
        let output = analyze(&[path(&cut), "--binary", path(&fixture.binary)]);
        assert_eq!(output.status.code(), Some(0), "{length}: {}", stderr(&output));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let truncated = &found["source"]["core"]["truncated"];
        assert_eq!(truncated["present_bytes"], length, "{found:#}");
        assert!(truncated["expected_bytes"].as_u64().unwrap() > length as u64);
        assert!(found["diagnostics"].to_string().contains("cut short"), "{}", found["diagnostics"]);
        assert_ne!(found["verdict"]["class"], "no-crash", "{length}");
    }
}

/// Runs `panicle analyze` under GNU time: its report, and its peak memory in bytes.
fn measured(arguments: &[&str]) -> (Value, u64) {
    let output = Command::new("python3")
        .arg("-c")
        .arg(
            "import resource, subprocess, sys\nr = subprocess.run(sys.argv[1:], stdout=open('/dev/stdout', 'wb'))\n\
             print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\nsys.exit(r.returncode)",
        )
        .arg(env!("CARGO_BIN_EXE_panicle"))
        .arg("analyze")
        .args(arguments)
        .args(["--format", "json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let peak: u64 = stderr(&output).lines().last().unwrap().parse().unwrap();
    (serde_json::from_slice(&output.stdout).unwrap(), peak << 10)
}

#[test]
fn a_sparse_core_of_64_gib_takes_seconds() {
    const SIZE: u64 = 64 << 30;
    let directory = tempfile::tempdir().unwrap();
    let name = directory.path().join("core");
    let core = CoreFile {
        threads: vec![ThreadNotes::at(1, 2, 0xc000_0000_1000)],
        memory: vec![Memory { address: 0xc000_0000_0000, size: SIZE, dumped: vec![1; 4096], flags: 6 }],
        ..CoreFile::default()
    };
    let mut bytes = core.write();
    let offset = bytes.len() as u64 - 4096;
    // p_filesz of the second program header.
    bytes[64 + 56 + 32..][..8].copy_from_slice(&SIZE.to_le_bytes());
    let file = File::create(&name).unwrap();
    file.write_all_at(&bytes, 0).unwrap();
    file.write_all_at(&[9], offset + SIZE - 1).unwrap();
    assert!(file.metadata().unwrap().blocks() * 512 < 1 << 20, "this file system has no holes");

    let started = Instant::now();
    let (found, peak) = measured(&[path(&name)]);
    let taken = started.elapsed();
    println!("{taken:?}, {} MiB", peak >> 20);
    assert!(taken < Duration::from_secs(10), "{taken:?}");
    assert!(peak < 300 << 20, "{} MiB", peak >> 20);
    let core = &found["source"]["core"];
    assert_eq!((&core["size_bytes"], &core["truncated"]), (&(offset + SIZE).into(), &Value::Null));
    // Unknown, and said, because its zeros would take longer than everything else.
    assert_eq!(core["sha256"], Value::Null);
    assert!(found["diagnostics"].to_string().contains("--digest computes it"));
}
