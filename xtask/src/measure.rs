//! Runs one command and says what it took.
//!
//! A process of its own, because the kernel keeps one number for the peak memory of all children.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// Options of the hidden `measure` subcommand.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where to write the result
    #[arg(long)]
    out: PathBuf,
    /// The command
    #[arg(trailing_var_arg = true, required = true)]
    command: Vec<OsString>,
}

/// What a command took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measure {
    /// Wall time.
    pub(crate) seconds: f64,
    /// Time on processors, the program's and the kernel's for it.
    pub(crate) cpu_seconds: f64,
    /// Largest resident set of the command and what it waited for.
    pub(crate) peak_rss_bytes: u64,
    /// Whether it ended well.
    pub(crate) success: bool,
}

/// Runs the subcommand. The command's output is thrown away.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (program, arguments) = options.command.split_first().context("no command")?;
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let seconds = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    // Linux counts in KiB.
    let peak_rss_bytes = u64::try_from(usage.max_rss())? * 1024;
    let time = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    let cpu_seconds = time(usage.user_time()) + time(usage.system_time());
    let measure = Measure { seconds, cpu_seconds, peak_rss_bytes, success: status.success() };
    fs::write(&options.out, serde_json::to_vec(&measure)?)?;
    Ok(())
}
