//! `cargo xtask bench`: what an analysis takes in time and memory, on real crashes.
//!
//! gdb's backtrace of all threads stands beside it when gdb is there: a peer that does less (it
//! sees threads, not goroutines), so a bound and not a goal. `--map` reads a map of a million entries, beside
//! Delve; `--text` a goroutine dump of a gibibyte. `--history` asks a service for pages of groups over a million crashes,
//! and `--workers` compares two workers with one.

mod history;
mod map;
mod service;
mod text;
mod workers;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use panicle_fixtures::Fixture;

use crate::fixtures::toolchain::VERSIONS;
use crate::measure::Measure;
use crate::{paths, process};

/// Small, many goroutines, many frames, large stack, large binary.
const PROGRAMS: [&str; 5] = ["nil-map-write", "goroutine-leak", "calls", "stack-overflow", "http-server"];

/// Options of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Options {
    /// Programs of tests/programs
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Runs of each; the median is shown
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Measure this binary instead of building one (to compare two versions)
    #[arg(long, value_name = "FILE")]
    panicle: Option<PathBuf>,
    /// Read a map of a million entries instead, with Delve beside it when Delve is there
    #[arg(long)]
    map: bool,
    /// Read a goroutine dump of a gibibyte instead, on one core; fails below 300 MB/s or above 100 MiB
    #[arg(long, conflicts_with = "map")]
    text: bool,
    /// Size of that dump
    #[arg(long, default_value_t = 1024, requires = "text")]
    mib: u64,
    /// The Delve to compare with; without it, the one on the path
    #[arg(long, value_name = "FILE", requires = "map")]
    delve: Option<PathBuf>,
    /// Ask a service for pages of groups instead, over a history of 1,000,000 crashes on PostgreSQL and of 200,000 on
    /// SQLite, while crashes arrive; fails when 1 of 100 requests takes 50 ms
    #[arg(long, conflicts_with_all = ["map", "text"])]
    history: bool,
    /// On this database alone
    #[arg(long, requires = "history")]
    database: Option<history::Kind>,
    /// Crashes of that history
    #[arg(long, requires = "history")]
    crashes: Option<u32>,
    /// Groups that they are in
    #[arg(long, default_value_t = 10_000, requires = "history")]
    groups: u32,
    /// How long to ask
    #[arg(long, default_value_t = 60, requires = "history")]
    seconds: u64,
    /// Look at lists and groups alone, and search nothing
    #[arg(long, requires = "history")]
    no_searches: bool,
    /// Compare two workers with one on a backlog of analyses instead; fails below 1.8 times the speed
    #[arg(long, conflicts_with_all = ["map", "text", "history"])]
    workers: bool,
    /// Analyses of that backlog
    #[arg(long, default_value_t = 60, requires = "workers")]
    jobs: u32,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub(crate) fn run(options: &Options) -> Result<()> {
    let panicle = if let Some(panicle) = &options.panicle {
        panicle.clone()
    } else {
        process::run(process::cargo().args(["build", "--release", "--package", "panicle"]))?;
        paths::release_binary()?
    };
    if options.history {
        return history::run(options, &panicle);
    }
    if options.workers {
        return workers::run(options, &panicle);
    }
    if !options.json {
        println!("{:<20} {:>9}   {:<8} {:>9} {:>10}", "program", "Go", "tool", "median", "peak RSS");
    }
    if options.map {
        return map::run(options, &panicle);
    }
    if options.text {
        return text::run(options, &panicle);
    }
    let gdb = paths::find_program(&["gdb"]);
    if gdb.is_none() {
        eprintln!("gdb is not there, so there is nothing to compare with; apt-get install gdb");
    }
    let programs: Vec<&str> = if options.only.is_empty() {
        PROGRAMS.to_vec()
    } else {
        options.only.iter().map(String::as_str).collect()
    };
    for version in [VERSIONS[0], VERSIONS[VERSIONS.len() - 1]] {
        for program in &programs {
            let fixture = panicle_fixtures::get(program, version);
            let took = median(options.runs, || analyze(&panicle, &fixture))?;
            show(options, &fixture, "panicle", &took)?;
            if let Some(gdb) = &gdb {
                let took = median(options.runs, || backtrace(gdb, &fixture))?;
                show(options, &fixture, "gdb", &took)?;
            }
        }
    }
    Ok(())
}

fn analyze(panicle: &Path, fixture: &Fixture) -> Command {
    let mut command = Command::new(panicle);
    command.arg("analyze").arg(&fixture.core).arg("--binary").arg(&fixture.binary).args(["--format", "json"]);
    command
}

fn backtrace(gdb: &Path, fixture: &Fixture) -> Command {
    let mut command = Command::new(gdb);
    command.args(["-nx", "-batch", "-ex", "thread apply all bt"]).arg(&fixture.binary).arg(&fixture.core);
    command
}

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }
}

/// The run whose time is in the middle.
fn median(runs: usize, command: impl Fn() -> Command) -> Result<Measure> {
    let mut taken = Vec::new();
    for _ in 0..runs.max(1) {
        taken.push(measure(&command())?);
    }
    taken.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    Ok(taken.swap_remove(taken.len() / 2))
}

fn measure(command: &Command) -> Result<Measure> {
    let out = tempfile::NamedTempFile::new()?;
    let mut outer = Command::new(std::env::current_exe()?);
    outer
        .arg("measure")
        .arg("--out")
        .arg(out.path())
        .arg("--")
        .arg(command.get_program())
        .args(command.get_args());
    process::run(&mut outer)?;
    let took: Measure = serde_json::from_slice(&std::fs::read(out.path())?).context("no measurement")?;
    if !took.success {
        bail!("{} failed", process::name(command));
    }
    Ok(took)
}

fn show(options: &Options, fixture: &Fixture, tool: &str, took: &Measure) -> Result<()> {
    if options.json {
        let line = serde_json::json!({
            "program": fixture.program,
            "go_version": fixture.go_version,
            "tool": tool,
            "median_seconds": took.seconds,
            "peak_rss_bytes": took.peak_rss_bytes,
        });
        println!("{}", serde_json::to_string(&line)?);
    } else {
        println!(
            "{:<20} {:>9}   {:<8} {:>8.3}s {:>6} MiB",
            fixture.program,
            fixture.go_version,
            tool,
            took.seconds,
            took.peak_rss_bytes >> 20
        );
    }
    Ok(())
}
