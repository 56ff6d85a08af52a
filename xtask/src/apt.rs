//! Programs of the system: found, or installed through apt-get where we may.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{paths, process};

/// The first of `names` in PATH; else `packages` are installed. The error says what to do by hand.
pub(crate) fn program(names: &[&str], packages: &[&str]) -> Result<PathBuf> {
    if let Some(path) = paths::find_program(names) {
        return Ok(path);
    }
    install(packages).with_context(|| format!("there is no {}", names.join(", nor ")))?;
    paths::find_program(names)
        .with_context(|| format!("apt-get installed {}, and {} is not in PATH", packages.join(" "), names[0]))
}

/// Installs packages.
fn install(packages: &[&str]) -> Result<()> {
    let by_hand = format!("install it: apt-get install {}", packages.join(" "));
    if !nix::unistd::geteuid().is_root() {
        bail!("only root may install it; {by_hand}");
    }
    if paths::find_program(&["apt-get"]).is_none() {
        bail!("there is no apt-get; {by_hand}");
    }
    eprintln!("installing {} through apt-get", packages.join(" "));
    update().with_context(|| by_hand.clone())?;
    process::run(apt_get().args(["install", "-q", "-y", "--no-install-recommends"]).args(packages))
        .context(by_hand)
}

/// Fetches the lists of what there is. Only root may.
fn update() -> Result<()> {
    process::run(apt_get().args(["update", "-q"]))
}

/// Downloads packages into a folder without installing them, which takes no rights.
pub(crate) fn download(packages: &[&str], into: &Path) -> Result<()> {
    let download = || process::run(apt_get().current_dir(into).args(["download", "-q"]).args(packages));
    match download() {
        Err(_) if nix::unistd::geteuid().is_root() => {
            update()?;
            download()
        }
        result => result,
    }
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}
