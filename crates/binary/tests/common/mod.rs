//! Small programs, built on the spot by each toolchain.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]
#![allow(dead_code, clippy::allow_attributes, reason = "each test program uses a part of it")]

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use panicle_fixtures::{all, cache_root};
use panicle_image::mmap::{self, Mapped};

/// Go versions that there are fixtures of, whose toolchains are at hand then.
pub(crate) fn versions() -> BTreeSet<String> {
    all().into_iter().map(|fixture| fixture.go_version).collect()
}

pub(crate) fn map(path: &Path) -> Mapped {
    mmap::map(&File::open(path).unwrap()).unwrap()
}

/// Whether a version has a toolchain of its own in the cache; the host's Go is another matter.
pub(crate) fn has_toolchain(version: &str) -> bool {
    cache_root().unwrap().join("toolchains").join(version).join("go/bin/go").is_file()
}

/// Runs a tool; what it printed.
pub(crate) fn run(tool: &str, arguments: &[&str]) -> String {
    finish(Command::new(tool).args(arguments))
}

fn finish(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What is built.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    /// Prints a variable.
    Small,
    /// The same but for one constant.
    Changed,
}

impl Program {
    fn source(self) -> String {
        let number = match self {
            Self::Small => 5,
            Self::Changed => 6,
        };
        format!(
            "package main\n\nvar v string\n\nfunc main() {{ println(v, {number}); var m map[string]int; m[v] = {number} }}\n"
        )
    }
}

/// Builds a program with these flags.
pub(crate) fn build(version: &str, directory: &Path, program: Program, flags: &[&str]) -> PathBuf {
    fs::write(directory.join("go.mod"), "module example.com/small\n\ngo 1.21\n").unwrap();
    fs::write(directory.join("main.go"), program.source()).unwrap();
    let path = directory.join(format!("small{}", flags.join("").replace(['/', ' ', '"'], "_")));
    let root = cache_root().unwrap();
    finish(
        Command::new(root.join("toolchains").join(version).join("go/bin/go"))
            .args(["build", "-o", path.to_str().unwrap()])
            .args(flags)
            .current_dir(directory)
            .envs([("GOTOOLCHAIN", "local"), ("GOFLAGS", ""), ("GOWORK", "off"), ("CGO_ENABLED", "0")])
            .env("GOCACHE", root.join("go-build")),
    );
    path
}

/// Runs a program to its end under GOTRACEBACK=crash; where its core is.
pub(crate) fn die(program: &Path) -> PathBuf {
    let folder = tempfile::tempdir_in(program.parent().unwrap()).unwrap().keep();
    let status = Command::new("sh")
        .args(["-c", &format!("ulimit -c unlimited; exec {} die", program.display())])
        .current_dir(&folder)
        .env("GOTRACEBACK", "crash")
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
    let entry = fs::read_dir(&folder).unwrap().next().unwrap_or_else(|| {
        let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
        panic!("this host puts cores elsewhere: kernel.core_pattern is {pattern}")
    });
    entry.unwrap().path()
}

/// The executable, packed.
pub(crate) fn upx(executable: &Path) -> PathBuf {
    let packed = executable.with_extension("packed");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    run(
        &text(&panicle_fixtures::packer()),
        &["-q", "-q", "-q", "-1", "-f", "-o", &text(&packed), &text(executable)],
    );
    packed
}
