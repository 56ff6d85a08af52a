//! Minidumps that the crate minidump-writer, the heir of Breakpad's, writes of a live Go process, held to
//! what that process prints when it is told to die right after.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Cursor, Read as _},
    process::{Child, Command, Stdio},
};

use minidump_writer::{app_memory::AppMemory, minidump_writer::MinidumpWriterConfig};
use panicle_binary::{Executable, matching};
use panicle_evidence::traceback::{self, TextGoroutine};
use panicle_fixtures::Fixture;
use panicle_goruntime::{Options, reconstruct};
use panicle_image::{Core, Format, Os, mmap};
use panicle_report::{BinaryMatch, Goroutine, Stage};

/// A program that waits to be ended, and is while it is looked at.
struct Running {
    child: Child,
}

impl Running {
    fn start(fixture: &Fixture) -> Self {
        let mut child = Command::new(&fixture.binary)
            .env_clear()
            .env("GOTRACEBACK", "crash")
            // The kernel would write a core.
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        std::thread::sleep(std::time::Duration::from_millis(100));
        Self { child }
    }

    fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Its minidump: as the writer is by default, or with all memory that the program can write to.
    fn dump(&self, full: bool) -> Vec<u8> {
        let mut config = MinidumpWriterConfig::new(self.pid(), self.pid());
        if full {
            let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.pid())).unwrap();
            config.set_app_memory(maps.lines().filter_map(writable).collect());
        }
        let mut file = Cursor::new(Vec::new());
        config.write(&mut file).unwrap();
        file.into_inner()
    }

    /// What it prints when it dies.
    fn end(mut self) -> String {
        // The shell has the signal by name. The number is that of our child, since nobody waited for it yet.
        let kill = Command::new("sh").args(["-c", &format!("kill -ABRT {}", self.pid())]).status().unwrap();
        assert!(kill.success());
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        self.child.wait().unwrap();
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line of `/proc/PID/maps` as memory to be dumped.
fn writable(line: &str) -> Option<AppMemory> {
    let mut columns = line.split_ascii_whitespace();
    let (start, end) = columns.next()?.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    let (start, end) = (address(start)?, address(end)?);
    columns.next()?.starts_with("rw").then_some(AppMemory { ptr: start, length: end - start })
}

/// Programs that wait, of the oldest and the newest Go: one knows a GNU build ID and the other none.
fn fixtures() -> Vec<Fixture> {
    ["1.21", "1.24", "1.27"]
        .into_iter()
        .map(|version| panicle_fixtures::get("waits", version))
        .chain([panicle_fixtures::get("goroutine-leak", "1.25")])
        .collect()
}

fn check(fixture: &Fixture, full: bool, then: impl Fn(&Core<'_>, &Executable<'_>, &str)) {
    let running = Running::start(fixture);
    let dump = running.dump(full);
    let pid = running.pid();
    let printed = running.end();
    let binary = mmap::map(&File::open(&fixture.binary).unwrap()).unwrap();
    let (binary, _) = Executable::parse(&binary).unwrap();
    let (core, notes) = Core::parse(&dump).unwrap();
    let at = fixture.directory.display();
    assert_eq!(notes, [], "{at}");
    assert_eq!((core.format, core.os, core.process.pid), (Format::Minidump, Os::Linux, Some(pid)), "{at}");
    assert_eq!(core.executable_path(), fixture.binary.to_str(), "{at}");
    assert_eq!(core.process.command_line.as_deref(), fixture.binary.to_str(), "{at}");
    // It was copied and had not died.
    assert_eq!(core.signal, None, "{at}");
    then(&core, &binary, &printed);
    // Some other program is not taken for it.
    let other = mmap::map(&File::open(panicle_fixtures::get("deadlock", "1.24").binary).unwrap()).unwrap();
    let (other, _) = Executable::parse(&other).unwrap();
    assert_eq!(matching::compare(&core, &core.memory(), &other), BinaryMatch::Mismatch, "{at}");
}

#[test]
fn a_dump_with_memory_has_the_goroutines_that_the_runtime_printed() {
    for fixture in fixtures() {
        let at = fixture.directory.display();
        check(&fixture, true, |core, binary, printed| {
            let matched = matching::compare(core, &core.memory(), binary);
            assert!(matches!(matched, BinaryMatch::BuildId | BinaryMatch::Text), "{at}: {matched:?}");
            let (found, _) = reconstruct(core, binary, &Options::default());
            let (crashes, _) = traceback::parse(printed.as_bytes());
            let theirs = crashes[0].goroutines.iter().filter(|theirs| !theirs.is_system_stack());
            let theirs: BTreeMap<u64, &TextGoroutine> = theirs.map(|theirs| (theirs.id, theirs)).collect();
            let ours: BTreeMap<u64, &Goroutine> = found.goroutines.iter().map(|g| (g.id, g)).collect();
            assert!(theirs.len() > 5, "{at}: {printed}");
            assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{at}");
            for (id, theirs) in theirs {
                let ours = ours[&id];
                // The runtime's own go on with their work between the dump and the end.
                if ours.system {
                    continue;
                }
                let state = (ours.status.as_str(), ours.wait_reason.as_deref());
                assert_eq!(state, (&*theirs.status, theirs.wait_reason.as_deref()), "{at}: goroutine {id}");
                let frames: Vec<_> = ours.frames.iter().map(|f| (f.function.as_str(), f.line)).collect();
                let expected: Vec<_> = theirs.frames.iter().map(|f| (f.function_name(), f.line)).collect();
                assert_eq!(frames, expected, "{at}: goroutine {id}");
            }
        });
    }
}

#[test]
fn a_dump_as_it_is_by_default_has_the_threads() {
    for fixture in fixtures() {
        let at = fixture.directory.display();
        check(&fixture, false, |core, binary, _| {
            let matched = matching::compare(core, &core.memory(), binary);
            assert!(matches!(matched, BinaryMatch::BuildId | BinaryMatch::Text), "{at}: {matched:?}");
            let (found, notes) = reconstruct(core, binary, &Options::default());
            assert!(found.goroutines.is_empty(), "{at}");
            assert!(notes.iter().any(|note| note.stage == Stage::Goroutines), "{at}: {notes:?}");
            assert!(found.threads.len() > 2, "{at}");
            // The scheduler's threads sleep; so does the one that watches them.
            let frames = || found.threads.iter().flat_map(|thread| &thread.frames);
            for function in ["runtime.futex", "runtime.mstart"] {
                assert!(frames().any(|frame| frame.function == function), "{at}: {function}");
            }
            assert!(frames().any(|frame| frame.inlined), "{at}");
        });
    }
}
