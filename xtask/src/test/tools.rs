//! Tools that the checks need: found, or installed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::count::Count;
use crate::{apt, fixtures::toolchain, paths, process};

/// cargo with a subcommand at hand that is a program of its own; installed below the cache when it
/// is in neither place.
pub(super) fn cargo_tool(name: &str) -> Result<Command> {
    let root = paths::cache()?.join("tools");
    let bin = root.join("bin");
    if paths::find_program(&[name]).is_none() && !bin.join(name).is_file() {
        eprintln!("installing {name} (once) into {}", root.display());
        let mut install = process::cargo();
        // Outside the work tree, whose lock file and configuration are not meant for it.
        install.current_dir(&paths::cache()?).args(["install", "--locked", "--root"]).arg(&root).arg(name);
        process::run(&mut install).with_context(|| {
            format!("{name} is not there and could not be installed; by hand: cargo install --locked {name}")
        })?;
    }
    let mut command = process::cargo();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::env::split_paths(&path).chain([bin]))?;
    command.env("PATH", path);
    Ok(command)
}

/// What tests run beside the product: a debugger that copies a living process, an emulator that writes
/// cores of its own, the programs that take symbols off executables, and PostgreSQL.
pub(super) fn for_tests() -> Result<()> {
    let programs = [
        ("gcore", "gdb"),
        ("qemu-x86_64", "qemu-user"),
        ("objcopy", "binutils"),
        // The server's own programs are found beside the path.
        ("psql", "postgresql"),
    ];
    programs.into_iter().try_for_each(|(program, package)| apt::program(&[program], &[package]).map(drop))
}

/// Whether docker compose takes the file of the tree; it need not reach an engine for that.
pub(super) fn compose() -> Result<Count> {
    let program = apt::program(&["docker-compose"], &["docker-compose"])?;
    let mut command = Command::new(program);
    process::run(command.current_dir(paths::root()).args(["config", "--quiet"]))?;
    Ok(Count::NONE)
}

/// A package for Python, below the cache, where tests look for it, and what else it needs there.
pub(super) fn python_package(name: &str, version: &str, more: &[&str]) -> Result<()> {
    let place = paths::cache()?.join("tools").join(name);
    let found = std::fs::read_dir(&place).is_ok_and(|mut entries| {
        let info = format!("{name}-{version}.dist-info");
        entries.any(|entry| entry.is_ok_and(|entry| entry.file_name().to_str() == Some(info.as_str())))
    });
    if found {
        return Ok(());
    }
    eprintln!("installing {name} (once) into {}", place.display());
    let mut install = toolchain::pip()?;
    install
        .args(["install", "--quiet", "--upgrade", "--target"])
        .arg(&place)
        .arg(format!("{name}=={version}"))
        .args(more);
    process::run(&mut install).with_context(|| format!("{name} is not there and could not be installed"))
}

/// A Chromium for the browser tests; installed through apt-get when we may.
pub(super) fn chromium() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("PANICLE_CHROMIUM").filter(|p| !p.is_empty()) {
        let path = PathBuf::from(path);
        if !path.is_file() {
            bail!("PANICLE_CHROMIUM names {}, which is not there", path.display());
        }
        return Ok(path);
    }
    apt::program(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"], &["chromium"])
        .context("a Chromium can also be named in PANICLE_CHROMIUM")
}
