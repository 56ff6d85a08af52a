//! `cargo xtask layouts`: the tables of `crates/goruntime/src/layout/tables`, out of the debug
//! information that each toolchain makes for each target.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use panicle_binary::{Executable, dwarf::DwarfIndex};
use panicle_goruntime::layout::{Layout, table};

use crate::fixtures::toolchain::{self, Toolchain};
use crate::{paths, process};

/// Operating systems and architectures a table covers, as Go names them.
const TARGETS: [(&str, &str); 3] = [("linux", "amd64"), ("linux", "arm64"), ("windows", "amd64")];
/// A program that makes the linker keep what the engine reads.
const PROGRAM: &str = include_str!("../layouts/main.go");

/// Options of `cargo xtask layouts`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail when a table is not what its toolchain's debug information says
    #[arg(long)]
    check: bool,
    /// Only these Go versions (1.27, 1.27.3)
    #[arg(long, value_name = "VERSION")]
    go: Vec<String>,
    /// Also this toolchain, given by its GOROOT
    #[arg(long, value_name = "DIR")]
    goroot: Vec<PathBuf>,
}

/// Runs the subcommand.
pub(crate) fn run(options: &Options) -> Result<()> {
    let cache = paths::cache()?;
    let mut toolchains = Vec::new();
    for version in toolchain::select(&options.go)? {
        toolchains.push(toolchain::ensure(&cache, version)?);
    }
    for goroot in &options.goroot {
        let text = fs::read_to_string(goroot.join("VERSION"))
            .with_context(|| format!("{} is no GOROOT", goroot.display()))?;
        let version = text.lines().next().and_then(|line| line.trim().strip_prefix("go"));
        let version = version.with_context(|| format!("{} has an odd VERSION", goroot.display()))?;
        toolchains.push(Toolchain { version: version.to_owned(), goroot: goroot.clone() });
    }
    let mut stale = Vec::new();
    for toolchain in &toolchains {
        let path = table_path(toolchain);
        let text = table(&cache, toolchain)?;
        if fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
            eprintln!("  {} is up to date", path.display());
        } else if options.check {
            stale.push(path.display().to_string());
        } else {
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            eprintln!("  wrote {}", path.display());
        }
    }
    if !stale.is_empty() {
        bail!("stale: {}; run: cargo xtask layouts", stale.join(", "));
    }
    Ok(())
}

fn table_path(toolchain: &Toolchain) -> PathBuf {
    let name = format!("go{}.txt", toolchain.minor());
    paths::root().join("crates/goruntime/src/layout/tables").join(name)
}

fn table(cache: &Path, toolchain: &Toolchain) -> Result<String> {
    let scratch = tempfile::tempdir()?;
    fs::write(scratch.path().join("main.go"), PROGRAM)?;
    let module = format!("module layouts\n\ngo {}\n", toolchain.minor());
    fs::write(scratch.path().join("go.mod"), module)?;
    let go_version = format!("go{}", toolchain.version);
    let mut layouts = BTreeMap::new();
    for (os, arch) in TARGETS {
        let binary = scratch.path().join(format!("{os}-{arch}"));
        let mut command = Command::new(toolchain.go());
        command
            .current_dir(scratch.path())
            .env("GOROOT", &toolchain.goroot)
            .env("GOCACHE", cache.join("go-build"))
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "-mod=mod")
            .env("GOPROXY", "off")
            .env("GOENV", "off")
            .env("GOWORK", "off")
            .env("CGO_ENABLED", "0")
            .env("GOOS", os)
            .env("GOARCH", arch)
            .args(["build", "-o"])
            .arg(&binary)
            .arg(".");
        process::output(&mut command)
            .with_context(|| format!("{go_version} does not build for {os}/{arch}"))?;
        let layout = layout(&fs::read(&binary)?, &go_version)
            .with_context(|| format!("what {go_version} builds for {os}/{arch} cannot be read"))?;
        layouts.insert(format!("{os}/{arch}"), layout);
    }
    Ok(table::write(&go_version, &layouts))
}

fn layout(binary: &[u8], go_version: &str) -> Result<Layout> {
    let (executable, _) = Executable::parse(binary)?;
    let (dwarf, _) = DwarfIndex::load(|name| executable.section(name).map(|section| section.data))?;
    let dwarf = dwarf.context("no debug information")?;
    Layout::from_dwarf(&dwarf, Some(go_version)).context("no runtime.g in the debug information")
}
