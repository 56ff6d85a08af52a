//! Stripped programs that really die, and the files that tell more about them.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// Dies of a write to a nil map, with a local variable that only debug information names.
const SOURCE: &str = r#"package main

import (
	"fmt"
	"os"
)

type user struct {
	Name string
	Age  int
}

var loaded = map[string]*user{"ann": {"ann", 41}}

//go:noinline
func save(users map[string]*user, name string) {
	first := &user{Name: name, Age: len(name)}
	users[name] = first
	fmt.Println(first)
}

func main() {
	fmt.Println(len(loaded), len(os.Args))
	save(nil, "bob")
}
"#;

/// The same text but for one constant.
fn changed() -> String {
    SOURCE.replace("users[name] = first", "first.Age += 77; users[name] = first")
}

/// A folder in which programs are built and die.
struct Workshop {
    folder: TempDir,
    go: String,
}

impl Workshop {
    fn new(go: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("go.mod"), "module example.com/users\n\ngo 1.21\n").unwrap();
        Self { folder, go: go.to_owned() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn build(&self, name: &str, source: &str, flags: &[&str]) -> PathBuf {
        let root = panicle_fixtures::cache_root().unwrap();
        fs::write(self.path("main.go"), source).unwrap();
        let path = self.path(name);
        succeed(
            Command::new(root.join("toolchains").join(&self.go).join("go/bin/go"))
                .args(["build", "-o", text(&path)])
                .args(flags)
                .current_dir(self.folder.path())
                .envs([("GOTOOLCHAIN", "local"), ("GOFLAGS", ""), ("GOWORK", "off"), ("CGO_ENABLED", "0")])
                .env("GOCACHE", root.join("go-build")),
        );
        path
    }

    /// Runs the program to its end; where its core is. `filter` is what of memory the kernel dumps.
    fn die(&self, program: &Path, filter: &str) -> PathBuf {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        let script = format!(
            "ulimit -c unlimited; echo {filter} > /proc/self/coredump_filter; exec {}",
            text(program)
        );
        let status = Command::new("sh")
            .args(["-c", &script])
            .current_dir(&folder)
            .env("GOTRACEBACK", "crash")
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.path("stderr")).unwrap())
            .process_group(0)
            .status()
            .unwrap();
        assert!(!status.success());
        let entry = fs::read_dir(&folder).unwrap().next().unwrap_or_else(|| {
            let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
            panic!("this host puts cores elsewhere: kernel.core_pattern is {pattern}")
        });
        entry.unwrap().path()
    }
}

/// What the kernel dumps when nobody says otherwise: no pages of files.
const DEFAULT: &str = "0x33";
/// With the executable's own pages.
const WITH_TEXT: &str = "0x37";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn tool(name: &str, arguments: &[&str]) {
    succeed(Command::new(name).args(arguments));
}

fn analyze(arguments: &[&str]) -> (Value, Output) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_panicle"));
    let output = command.arg("analyze").args(arguments).args(["--format", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    (serde_json::from_slice(&output.stdout).unwrap(), output)
}

/// The locals of the frame that wrote, as `name=value`.
fn locals(report: &Value) -> Vec<String> {
    let frames = report["goroutines"][0]["frames"].as_array().unwrap();
    let frame = frames.iter().find(|frame| frame["function"] == "main.save").unwrap();
    let locals = frame["locals"].as_array().unwrap();
    locals.iter().map(|local| format!("{}={}", local["name"], local["value"])).collect()
}

#[track_caller]
fn assert_symbolised(report: &Value, dwarf: &str, matched: &str) {
    let binary = &report["binary"];
    assert_eq!(
        (&binary["dwarf"], &binary["match"]),
        (&dwarf.into(), &matched.into()),
        "{:#}",
        report["diagnostics"]
    );
    assert_eq!(report["verdict"]["class"], "nil-map-write", "{:#}", report["diagnostics"]);
    assert_eq!(report["layout"]["source"], "dwarf");
    let locals = locals(report).join(" ");
    assert!(locals.contains("\"name\"=\"\\\"bob\\\"\"") && locals.contains("first"), "{locals}");
}

#[test]
fn an_unstripped_twin_tells_what_the_stripped_one_does_not() {
    for go in ["1.21.13", "1.24.11", "1.27.3"] {
        for mode in [&[][..], &["-trimpath"], &["-buildmode=pie"]] {
            let shop = Workshop::new(go);
            let bare = shop.build("users", SOURCE, &[mode, &["-ldflags=-s -w"]].concat());
            let twin = shop.build("twin", SOURCE, mode);
            let core = shop.die(&bare, DEFAULT);
            let (core, bare, twin) = (text(&core), text(&bare), text(&twin));

            let (report, _) = analyze(&[core, "--binary", bare, "--binary", twin]);
            assert_symbolised(&report, "separate", "text");
            assert_eq!(report["binary"]["path"], bare, "{go} {mode:?}");
            assert_eq!(report["binary"]["debug_file"]["path"], twin);
            assert_eq!(report["binary"]["debug_file"]["match"], "text");
            let said = report["diagnostics"].to_string();
            assert!(said.contains("matched by the digest of the text"), "{said}");

            // The other way round, and with the stripped one found where the process ran it.
            let (swapped, _) = analyze(&[core, "--binary", twin, "--binary", bare]);
            assert_eq!(swapped["binary"], report["binary"], "{go} {mode:?}");
            let (found, _) = analyze(&[core, "--binary", twin]);
            assert_eq!(locals(&found), locals(&report), "{go} {mode:?}");
            assert_eq!(found["goroutines"], report["goroutines"], "{go} {mode:?}");

            // Of any name, in a folder for such files.
            let folder = shop.path("symbols");
            fs::create_dir(&folder).unwrap();
            fs::rename(twin, folder.join("users-with-symbols")).unwrap();
            let (found, output) = analyze(&[core, "--debug-dir", text(&folder)]);
            assert_symbolised(&found, "separate", "text");
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains("users-with-symbols for debug information"), "{said}");
        }
    }
}

#[test]
fn a_twin_alone_will_do_when_it_is_linked_to_the_same_places() {
    let shop = Workshop::new("1.25.5");
    let bare = shop.build("users", SOURCE, &["-trimpath", "-ldflags=-s -w"]);
    let twin = shop.build("twin", SOURCE, &["-trimpath"]);
    let cores = [DEFAULT, WITH_TEXT].map(|filter| shop.die(&bare, filter));
    fs::remove_file(&bare).unwrap();
    for core in &cores {
        let (report, _) = analyze(&[text(core), "--binary", text(&twin)]);
        assert_symbolised(&report, "full", "text");
        let said = report["diagnostics"].to_string();
        assert!(said.contains("another link of the program"), "{said}");
    }
    // With its data elsewhere it says what is missing.
    let moved = shop.build("moved", SOURCE, &[]);
    let bare = shop.build("users", SOURCE, &["-ldflags=-s -w"]);
    let core = shop.die(&bare, DEFAULT);
    fs::remove_file(&bare).unwrap();
    let (report, _) = analyze(&[text(&core), "--binary", text(&moved)]);
    assert_eq!(report["binary"]["match"], "mismatch");
    let said = report["diagnostics"].to_string();
    assert!(said.contains("Its main package is the same"), "{said}");
}

#[test]
fn other_code_is_a_mismatch_and_is_not_used() {
    let shop = Workshop::new("1.26.6");
    let bare = shop.build("users", SOURCE, &["-trimpath", "-ldflags=-s -w"]);
    let other = shop.build("other", &changed(), &["-trimpath"]);
    let cores = [DEFAULT, WITH_TEXT].map(|filter| shop.die(&bare, filter));
    let (report, _) = analyze(&[text(&cores[0]), "--binary", text(&bare), "--binary", text(&other)]);
    assert_eq!(
        (&report["binary"]["match"], &report["binary"]["dwarf"]),
        (&"build-id".into(), &"none".into())
    );
    assert_eq!(report["binary"]["debug_file"], Value::Null);
    let said = report["diagnostics"].to_string();
    assert!(said.contains("its code differs"), "{said}");

    // A wrong one was named: the right one is taken from where the process ran it.
    let (report, output) = analyze(&[text(&cores[0]), "--binary", text(&other)]);
    assert_eq!(report["binary"]["path"], text(&bare));
    assert!(String::from_utf8(output.stderr).unwrap().contains("whose build ID is that of the core"));

    fs::remove_file(&bare).unwrap();
    let wrong = [text(&cores[0]), "--binary", text(&other)];
    let (report, _) = analyze(&wrong);
    let binary = &report["binary"];
    assert_eq!((&binary["match"], &binary["path"]), (&"mismatch".into(), &text(&other).into()));
    assert_eq!((&binary["go_version"], &binary["module"]), (&Value::Null, &Value::Null));
    assert_eq!(report["goroutines"], Value::Array(Vec::new()));
    assert_eq!(report["verdict"]["class"], "unknown");
    assert!(!report["threads"].as_array().unwrap().is_empty());
    let said = report["diagnostics"].to_string();
    assert!(said.contains("not the executable that crashed") && said.contains("build ID"), "{said}");

    // The printed text helps.
    let (report, _) = analyze(&[&wrong[..], &["--text", text(&shop.path("stderr"))]].concat());
    assert_eq!(report["verdict"]["class"], "nil-map-write");
    assert!(report["process"]["pid"].is_number());
    assert!(report["diagnostics"].to_string().contains("printed text"), "{}", report["diagnostics"]);

    // Where the core has the pages of the executable, they do.
    let (report, _) = analyze(&[text(&cores[1]), "--binary", text(&other)]);
    let said = report["diagnostics"].to_string();
    assert!(said.contains("not the executable that crashed") && said.contains("code and tables"), "{said}");
    assert_eq!(
        (&report["binary"]["match"], &report["binary"]["go_version"]),
        (&"text".into(), &"go1.26.6".into())
    );
    assert_eq!(report["verdict"]["class"], "nil-map-write");
}

#[test]
fn a_packed_program_is_read_from_memory() {
    let shop = Workshop::new("1.25.5");
    let plain = shop.build("plain", SOURCE, &["-trimpath", "-ldflags=-s -w"]);
    let packed = shop.path("users");
    tool(text(&panicle_fixtures::packer()), &["-qqq", "-1", "-o", text(&packed), text(&plain)]);
    let core = shop.die(&packed, DEFAULT);
    let (with_plain, _) = analyze(&[text(&core), "--binary", text(&plain)]);
    assert_eq!(with_plain["binary"]["match"], "build-id", "{:#}", with_plain["diagnostics"]);
    assert_eq!(with_plain["verdict"]["class"], "nil-map-write");

    let (report, _) = analyze(&[text(&core), "--binary", text(&packed)]);
    assert_eq!(report["verdict"]["class"], "nil-map-write", "{:#}", report["diagnostics"]);
    assert_eq!(report["binary"]["go_version"], "go1.25.5");
    assert_eq!(report["panic"], with_plain["panic"]);
    assert_eq!(report["goroutines"], with_plain["goroutines"]);
    let said = report["diagnostics"].to_string();
    assert!(said.contains("packed with UPX") && said.contains("unpacked itself in memory"), "{said}");

    // With the unstripped twin of what was packed, variables too.
    let twin = shop.build("twin", SOURCE, &["-trimpath"]);
    let (report, _) = analyze(&[text(&core), "--binary", text(&packed), "--binary", text(&twin)]);
    assert_symbolised(&report, "full", "text");

    // Another program's core has nothing of it.
    let other = shop.build("other", &changed(), &["-trimpath", "-ldflags=-s -w"]);
    let core = shop.die(&other, DEFAULT);
    fs::remove_file(&other).unwrap();
    let (report, _) = analyze(&[text(&core), "--binary", text(&packed)]);
    let said = report["diagnostics"].to_string();
    assert!(said.contains("packed with UPX") && said.contains("upx -d"), "{said}");
    assert_eq!(report["binary"], Value::Null);
}

#[test]
fn debug_files_are_found_where_debuggers_look() {
    let shop = Workshop::new("1.24.11");
    let full = shop.build("full", SOURCE, &[]);
    let (bare, debug) = (shop.path("users"), shop.path("users.debug"));
    tool("strip", &["-o", text(&bare), text(&full)]);
    tool("objcopy", &["--only-keep-debug", text(&full), text(&debug)]);
    tool("objcopy", &[&format!("--add-gnu-debuglink={}", text(&debug)), text(&bare)]);
    fs::remove_file(&full).unwrap();
    let core = shop.die(&bare, DEFAULT);
    let core = text(&core);

    let (report, _) = analyze(&[core, "--binary", text(&bare), "--binary", text(&debug)]);
    assert_symbolised(&report, "separate", "build-id");
    assert_eq!(report["binary"]["debug_file"]["match"], "build-id");
    // Beside the executable, by the name in .gnu_debuglink.
    let (beside, _) = analyze(&[core]);
    assert_eq!(beside["binary"]["debug_file"]["path"], text(&debug));
    assert_eq!(beside["goroutines"], report["goroutines"]);

    let id = report["binary"]["build_ids"]["gnu"].as_str().unwrap().to_owned();
    let folder = shop.path("store");
    let by_id = folder.join(".build-id").join(&id[..2]);
    fs::create_dir_all(&by_id).unwrap();
    let by_id = by_id.join(format!("{}.debug", &id[2..]));
    fs::rename(&debug, &by_id).unwrap();
    let (report, _) = analyze(&[core, "--debug-dir", text(&folder)]);
    assert_symbolised(&report, "separate", "build-id");
    assert_eq!(report["binary"]["debug_file"]["path"], text(&by_id));

    // A file of the right name is checked.
    fs::copy(&bare, &debug).unwrap();
    let (report, _) = analyze(&[core]);
    assert_eq!((&report["binary"]["dwarf"], &report["binary"]["debug_file"]), (&"none".into(), &Value::Null));

    // Debug information without the code that it is about.
    fs::remove_file(&bare).unwrap();
    fs::remove_file(&debug).unwrap();
    let (report, _) = analyze(&[core, "--binary", text(&by_id)]);
    assert_eq!(report["binary"], Value::Null);
    let said = report["diagnostics"].to_string();
    assert!(said.contains("not its code and tables"), "{said}");
}

#[test]
fn an_id_that_names_no_build_matches_nothing_by_itself() {
    let shop = Workshop::new("1.23.9");
    let flags = |more: &str| format!("-ldflags=-buildid=redacted{more}");
    let bare = shop.build("users", SOURCE, &[&flags(" -s -w")]);
    let other = shop.build("other", &changed(), &[&flags("")]);
    let twin = shop.build("twin", SOURCE, &[&flags("")]);
    let core = shop.die(&bare, DEFAULT);
    let (report, _) =
        analyze(&[text(&core), "--binary", text(&other), "--binary", text(&bare), "--binary", text(&twin)]);
    assert_eq!(report["binary"]["path"], text(&bare), "{:#}", report["diagnostics"]);
    assert_eq!(report["binary"]["debug_file"]["path"], text(&twin), "{:#}", report["diagnostics"]);
    assert_eq!(report["verdict"]["class"], "nil-map-write");
    let folder = shop.path("folder");
    fs::create_dir(&folder).unwrap();
    fs::rename(&bare, folder.join("kept")).unwrap();
    fs::rename(&other, &bare).unwrap();
    let (report, _) = analyze(&[text(&core)]);
    assert_eq!(report["binary"], Value::Null, "{:#}", report["binary"]);
}
