//! Cores as other writers make them, and as the kernel is told to: each of a real process, held to
//! what its own runtime printed.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

mod common;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use common::{compare_headers, compare_labels, compare_stacks};
use panicle_binary::Executable;
use panicle_evidence::traceback;
use panicle_fixtures::{Fixture, get};
use panicle_goruntime::{Options, Reconstruction, reconstruct};
use panicle_image::{Core, mmap};
use panicle_report::{Diagnostic, Goroutine};

/// How long a program may take to do what it is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// Starts a fixture's program by a shell that says more first; it writes what it prints to `stderr`.
fn start(fixture: &Fixture, directory: &Path, prefix: &str) -> Child {
    let stderr = File::create(directory.join("stderr")).unwrap();
    Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -c unlimited; {prefix} \"$0\""))
        .arg(&fixture.binary)
        .current_dir(directory)
        .env("GOTRACEBACK", "crash")
        .stdout(File::create(directory.join("stdout")).unwrap())
        .stderr(stderr)
        .spawn()
        .unwrap()
}

/// The file in `directory` that is a core.
fn core(directory: &Path) -> PathBuf {
    let mut names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let is_core = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().contains("core");
    names.find(is_core).unwrap_or_else(|| {
        let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
        panic!(
            "no core in {}; for tests, set kernel.core_pattern to core (it is {pattern})",
            directory.display()
        )
    })
}

fn read(core: &Path, binary: &Path) -> (Reconstruction, Vec<Diagnostic>) {
    let core = mmap::map(&File::open(core).unwrap()).unwrap();
    let binary = mmap::map(&File::open(binary).unwrap()).unwrap();
    let (core, mut said) = Core::parse(&core).unwrap();
    assert_eq!(core.truncated, None);
    let (binary, _) = Executable::parse(&binary).unwrap();
    let (found, more) = reconstruct(&core, &binary, &Options::default());
    said.extend(more);
    (found, said)
}

/// Compares all goroutines that stood still, and answers how many that were.
fn compare(found: &Reconstruction, directory: &Path, still: fn(&Goroutine) -> bool) -> usize {
    let text = fs::read(directory.join("stderr")).unwrap();
    let (crashes, _) = traceback::parse(&text);
    let ours: BTreeMap<u64, _> = found.goroutines.iter().map(|goroutine| (goroutine.id, goroutine)).collect();
    let (mut misses, mut compared) = (String::new(), 0);
    let printed =
        crashes[0].goroutines.iter().filter(|theirs| !theirs.is_system_stack() && !theirs.unavailable);
    for theirs in printed {
        let ours = ours.get(&theirs.id).unwrap_or_else(|| panic!("goroutine {} is missing", theirs.id));
        if !still(ours) {
            continue;
        }
        compare_headers(&mut misses, ours, theirs);
        compare_labels(&mut misses, ours, theirs);
        compare_stacks(&mut misses, ours, theirs);
        compared += 1;
    }
    assert!(misses.is_empty(), "{misses}");
    compared
}

#[test]
fn whatever_the_filter_selects_is_read() {
    let fixture = get("order-service", "1.26");
    // All of the default's bits, and all there are; private anonymous memory alone.
    for filter in ["0x33", "0x7f", "0x1", "0x11"] {
        let directory = tempfile::tempdir().unwrap();
        let prefix = format!("echo {filter} > /proc/self/coredump_filter; exec");
        assert!(!start(&fixture, directory.path(), &prefix).wait().unwrap().success());
        let (found, said) = read(&core(directory.path()), &fixture.binary);
        assert!(compare(&found, directory.path(), |_| true) > 20, "{filter}");
        assert!(found.panic.is_some(), "{filter}");
        assert_eq!(said, [], "{filter}");
    }
    // Nothing, headers of files, and memory that Go programs have none of.
    for filter in ["0", "0x10", "0x2"] {
        let directory = tempfile::tempdir().unwrap();
        let prefix = format!("echo {filter} > /proc/self/coredump_filter; exec");
        assert!(!start(&fixture, directory.path(), &prefix).wait().unwrap().success());
        let (found, said) = read(&core(directory.path()), &fixture.binary);
        assert!(found.goroutines.is_empty(), "{filter}");
        assert!(said.iter().any(|said| said.text.contains("coredump_filter")), "{filter}: {said:?}");
    }
}

#[test]
fn a_core_that_qemu_wrote_is_read() {
    let fixture = get("order-service", "1.26");
    let directory = tempfile::tempdir().unwrap();
    // qemu dumps the program's memory, and then itself unless it may not.
    start(&fixture, directory.path(), "exec qemu-x86_64").wait().unwrap();
    let core = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "core"))
        .expect("qemu-x86_64 (Debian's qemu-user) writes qemu_*.core");
    let (found, _) = read(&core, &fixture.binary);
    assert!(compare(&found, directory.path(), |_| true) > 20);
    assert!(found.panic.is_some());
}

#[test]
fn a_process_that_gdb_copied_is_read_and_has_not_crashed() {
    let fixture = get("waits", "1.26");
    let directory = tempfile::tempdir().unwrap();
    let mut process = start(&fixture, directory.path(), "exec");
    let started = Instant::now();
    // It says when everything waits.
    while fs::metadata(directory.path().join("stdout")).unwrap().len() == 0 {
        assert!(started.elapsed() < PATIENCE, "the program does not come to its waits");
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(200));
    let pid = process.id().to_string();
    let copied = Command::new("gcore")
        .args(["-o", "gcore", &pid])
        .current_dir(directory.path())
        .output()
        .expect("gcore (Debian's gdb)");
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    // Its own account, from a moment later.
    assert!(Command::new("kill").args(["-QUIT", &pid]).status().unwrap().success());
    process.wait().unwrap();
    let copy = directory.path().join(format!("gcore.{pid}"));
    let (found, said) = read(&copy, &fixture.binary);
    // The runtime's own go on working between the one and the other.
    let still = |goroutine: &Goroutine| goroutine.status == "waiting" && !goroutine.system;
    assert!(compare(&found, directory.path(), still) > 10);
    assert_eq!((found.panic, said), (None, Vec::new()));
    let whole = found.goroutines.iter().filter(|goroutine| !goroutine.truncated).count();
    assert_eq!(whole, found.goroutines.len());
}
