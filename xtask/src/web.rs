//! The web UI's own tools.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{paths, process};

/// The web UI's folder.
pub(crate) fn folder() -> PathBuf {
    paths::root().join("web")
}

/// npm, in the web UI's folder.
pub(crate) fn npm() -> Result<Command> {
    let npm = paths::find_program(&["npm"])
        .context("npm is not there; install Node 20 or later: apt-get install nodejs npm")?;
    let folder = folder();
    if !folder.join("package.json").is_file() {
        bail!("{} has no package.json", folder.display());
    }
    let mut command = Command::new(npm);
    command.current_dir(folder);
    Ok(command)
}

/// Installs exactly what the lock file names.
pub(crate) fn install() -> Result<()> {
    process::run(npm()?.args(["ci", "--no-audit", "--no-fund"]))
}

/// Installs unless what is installed is at least as new as the lock file.
pub(crate) fn install_if_stale() -> Result<()> {
    let modified = |name: &str| fs::metadata(folder().join(name)).and_then(|m| m.modified()).ok();
    // npm writes its own copy of the lock file when it is done.
    match (modified("node_modules/.package-lock.json"), modified("package-lock.json")) {
        (Some(installed), Some(locked)) if installed >= locked => Ok(()),
        _ => install(),
    }
}

/// Builds what the server embeds.
pub(crate) fn build() -> Result<()> {
    process::run(npm()?.args(["run", "build"]))
}
