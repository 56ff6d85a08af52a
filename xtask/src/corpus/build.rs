//! Building the program in one of the ways.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Job, modules::Modules};
use crate::fixtures::{Ground, files};
use crate::{paths, process};

/// Builds the program below `folder` and returns the executable's path.
pub(super) fn build(job: Job, ground: &Ground, modules: &Modules, folder: &Path) -> Result<PathBuf> {
    let sources = paths::root().join("tests/corpus/shop");
    let copy = folder.join(job.build.folder);
    for file in files(&sources)? {
        let to = copy.join(&file);
        fs::create_dir_all(to.parent().context("a file without a folder")?)?;
        let mut text = fs::read_to_string(sources.join(&file))?;
        if file.extension().is_some_and(|extension| extension == "go") {
            text = moved(&text, job.build.moved);
        }
        fs::write(to, text)?;
    }
    let go = |arguments: &[&str]| {
        let mut command = ground.go(job.version)?;
        command
            .current_dir(&copy)
            .env("GOPROXY", modules.proxy())
            .env("GOSUMDB", "off")
            .env("GOPATH", &modules.path)
            .env("GOARCH", job.build.arch.name())
            .env("CGO_ENABLED", "0")
            // Without -modcacherw nobody could delete the cache.
            .env("GOFLAGS", "-modcacherw")
            .args(arguments);
        process::output(&mut command).map(drop)
    };
    go(&["get", &Modules::requirement(job.build.ledger)])?;
    if job.build.vendored {
        go(&["mod", "vendor"])?;
    }
    let binary = folder.join("shopd");
    let mut arguments = vec!["build"];
    arguments.extend(job.build.flags);
    let output = binary.to_str().context("a folder whose name is no text")?;
    let source = if job.build.vendored { "-mod=vendor" } else { "-mod=mod" };
    arguments.extend([source, "-o", output, "./cmd/shopd"]);
    go(&arguments)?;
    Ok(binary)
}

/// A source file whose lines are further down.
fn moved(text: &str, lines: usize) -> String {
    format!("{}\n{text}", "// An older line.\n".repeat(lines))
}

/// A command that runs the program with one bug.
pub(super) fn command(job: Job, ground: &Ground, binary: &Path, bug: &str) -> Result<Command> {
    let mut command = ground.machine(job.build.arch)?.command(binary);
    command.arg(bug).env_clear();
    Ok(command)
}
