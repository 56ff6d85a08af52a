//! All entries of a map of a million, and one of them, beside Delve.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use panicle_fixtures::Fixture;

use super::{Options, measure, median, show};
use crate::paths;

/// The program whose map is read, and the variable that holds it.
const PROGRAM: &str = "big-map";
const VARIABLE: &str = "main.counters";
/// Entries of it.
const ENTRIES: usize = 1_000_000;

/// Measures both on the newest Go that there is a fixture of.
pub(super) fn run(options: &Options, panicle: &Path) -> Result<()> {
    let newest = [panicle_fixtures::all(), panicle_fixtures::matrix()]
        .concat()
        .into_iter()
        .filter(|fixture| fixture.program == PROGRAM && fixture.variant == "default")
        .max_by_key(|fixture| minor(&fixture.go_version))
        .with_context(|| format!("there is no core of {PROGRAM}; `cargo xtask fixtures` makes it"))?;
    let all = || inspect(panicle, &newest, VARIABLE);
    let out = all().output()?;
    let found = String::from_utf8_lossy(&out.stdout).matches("{\"key\":").count();
    anyhow::ensure!(found == ENTRIES, "panicle showed {found} of {ENTRIES} entries");
    show(options, &newest, "all", &median(options.runs, all)?)?;
    let one = || inspect(panicle, &newest, &format!("{VARIABLE}[\"user:0777777\"]"));
    show(options, &newest, "one", &median(options.runs, one)?)?;
    let nothing = || inspect(panicle, &newest, "1");
    show(options, &newest, "open", &median(options.runs, nothing)?)?;
    let Some(delve) = options.delve.clone().or_else(|| paths::find_program(&["dlv"])) else {
        eprintln!(
            "Delve is not there, so there is nothing to compare with; apt-get install delve, or --delve"
        );
        return Ok(());
    };
    let script = tempfile::NamedTempFile::new()?;
    let lines =
        [format!("config max-array-values {}", ENTRIES * 2), format!("print {VARIABLE}"), "exit".to_owned()];
    fs::write(script.path(), lines.join("\n"))?;
    // Once: it takes most of a minute.
    show(options, &newest, "Delve", &measure(&print(&delve, &newest, script.path()))?)
}

fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
}

fn inspect(panicle: &Path, fixture: &Fixture, expression: &str) -> Command {
    let mut command = Command::new(panicle);
    command.arg("inspect").arg(&fixture.core).arg("--binary").arg(&fixture.binary);
    command.args(["--limit", "0", "--format", "json", "-e", expression]);
    command
}

fn print(delve: &PathBuf, fixture: &Fixture, script: &Path) -> Command {
    let mut command = Command::new(delve);
    command.arg("core").arg(&fixture.binary).arg(&fixture.core);
    command.args(["--check-go-version=false", "--allow-non-terminal-interactive=true", "--init"]);
    command.arg(script);
    command
}
