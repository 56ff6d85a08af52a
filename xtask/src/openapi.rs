//! `cargo xtask openapi`: web/openapi.json is what the server says of itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{paths, process, web};

/// Options of `cargo xtask openapi`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail when the file is not what the server says
    #[arg(long)]
    check: bool,
}

/// Runs the subcommand.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut command = process::cargo();
    command.args(["run", "--quiet", "--package", "panicle", "--", "openapi"]);
    let document = document(&mut command)?;
    if options.check {
        return compare(&document);
    }
    let path = web::folder().join("openapi.json");
    fs::create_dir_all(web::folder())?;
    fs::write(&path, document).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

/// Fails when web/openapi.json is not what `binary` says.
pub(crate) fn check(binary: &Path) -> Result<()> {
    compare(&document(Command::new(binary).arg("openapi"))?)
}

/// The document as it is kept: checked to be JSON, ending in one newline.
fn document(command: &mut Command) -> Result<String> {
    let text = String::from_utf8(process::output(command)?).context("the document is not UTF-8")?;
    let value: serde_json::Value = serde_json::from_str(&text).context("the document is not JSON")?;
    if !value["openapi"].is_string() {
        bail!("the document does not say which OpenAPI version it is");
    }
    Ok(format!("{}\n", text.trim_end()))
}

fn compare(document: &str) -> Result<()> {
    let path = web::folder().join("openapi.json");
    let kept = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if kept.trim_end() != document.trim_end() {
        bail!("{} is stale; run: cargo xtask openapi", paths::root().join("web/openapi.json").display());
    }
    Ok(())
}
