//! `cargo xtask corpus`: labelled crashes, and how well signatures tell bugs apart.
//!
//! One program with many bugs (tests/corpus) is built by every toolchain in the ways of [`plan::BUILDS`],
//! dies of each bug, and is analysed from its core, from what it printed at two traceback levels, and from a
//! log that holds the text. Every crash of one bug has to come into one group and no group may hold two bugs.
//! Cores are deleted once they are analysed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

mod build;
mod crash;
mod modules;
mod plan;
mod score;

use crate::fixtures::{Ground, toolchain};
use crate::{paths, process};
use plan::{BUILDS, Bugs, Build};
use score::{Crash, Score};

/// Options of `cargo xtask corpus`.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Only these bugs (tests/corpus/bugs.toml)
    #[arg(long, value_name = "NAME")]
    bug: Vec<String>,
    /// Only these toolchains (1.27 or 1.27.3)
    #[arg(long, value_name = "VERSION")]
    go: Vec<String>,
    /// Only built in these ways
    #[arg(long, value_name = "NAME")]
    build: Vec<String>,
    /// The oldest and the newest toolchain, each with one way to build: what `cargo xtask test` runs
    #[arg(long)]
    short: bool,
    /// Use this binary instead of building one
    #[arg(long, value_name = "FILE")]
    panicle: Option<PathBuf>,
    /// Write each crash with its group to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Options {
    /// What is a part of the tests.
    pub(crate) fn short(panicle: PathBuf) -> Self {
        Self { short: true, panicle: Some(panicle), ..Self::default() }
    }
}

/// Runs the subcommand and fails when a bug has two groups or a group two bugs.
pub(crate) fn run(options: &Options) -> Result<()> {
    let score = make(options)?;
    score.print();
    if let Some(out) = &options.out {
        fs::write(out, score.lines()?).with_context(|| format!("cannot write {}", out.display()))?;
    }
    if !score.is_clean() {
        bail!("crashes are not grouped by their bugs");
    }
    Ok(())
}

/// One executable of the corpus, to be built.
#[derive(Clone, Copy)]
struct Job {
    build: &'static Build,
    version: &'static str,
}

/// Makes the crashes and scores them.
pub(crate) fn make(options: &Options) -> Result<Score> {
    let start = Instant::now();
    let cache = paths::cache()?;
    let bugs = Bugs::load(&paths::root().join("tests/corpus"), &options.bug)?;
    let jobs = jobs(options)?;
    let panicle = if let Some(panicle) = &options.panicle {
        panicle.clone()
    } else {
        process::run(process::cargo().args(["build", "--release", "--package", "panicle"]))?;
        paths::release_binary()?
    };
    let versions: BTreeSet<_> = jobs.iter().map(|job| job.version).collect();
    let archs: BTreeSet<_> = jobs.iter().map(|job| job.build.arch).collect();
    let ground = Ground::prepare(&cache, &Vec::from_iter(versions), &Vec::from_iter(archs))?;
    let modules = modules::Modules::prepare(&cache.join("corpus"))?;
    eprintln!("corpus: {} bugs, {} builds", bugs.names().count(), jobs.len());
    let queue = Mutex::new(jobs.iter());
    let crashes = Mutex::new(Vec::new());
    let failures = Mutex::new(Vec::new());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(job) = next() {
                    let label = format!("Go {} {}", job.version, job.build.name);
                    let began = Instant::now();
                    match one(*job, &bugs, &ground, &modules, &panicle) {
                        Ok(found) => {
                            eprintln!(
                                "  {label}: {} crashes ({:.0}s)",
                                found.len(),
                                began.elapsed().as_secs_f64()
                            );
                            crashes.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
                        }
                        Err(error) => failures
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(format!("{label}: {error:#}")),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_default();
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    let crashes = crashes.into_inner().unwrap_or_default();
    eprintln!("corpus: {} crashes in {:.0}s", crashes.len(), start.elapsed().as_secs_f64());
    Ok(Score::of(crashes, &bugs))
}

fn jobs(options: &Options) -> Result<Vec<Job>> {
    for name in &options.build {
        if !BUILDS.iter().any(|build| build.name == name) {
            bail!("{name} is none of {}", BUILDS.iter().map(|b| b.name).collect::<Vec<_>>().join(", "));
        }
    }
    let versions = toolchain::select(&options.go)?;
    let wanted = |build: &&Build| options.build.is_empty() || options.build.iter().any(|b| b == build.name);
    if options.short {
        let [first, .., last] = versions.as_slice() else { bail!("--short takes two toolchains or more") };
        return Ok(vec![
            Job { build: &BUILDS[plan::PLAIN], version: first },
            Job { build: &BUILDS[plan::NEXT], version: last },
        ]);
    }
    Ok(versions
        .iter()
        .flat_map(|version| BUILDS.iter().filter(wanted).map(|build| Job { build, version }))
        .collect())
}

fn one(
    job: Job,
    bugs: &Bugs,
    ground: &Ground,
    modules: &modules::Modules,
    panicle: &Path,
) -> Result<Vec<Crash>> {
    let folder = tempfile::tempdir()?;
    let binary = build::build(job, ground, modules, folder.path())?;
    let mut crashes = Vec::new();
    for bug in bugs.names() {
        let died = crash::Died::of(bug, job, &binary, ground, folder.path())
            .with_context(|| format!("{bug} did not die"))?;
        crashes.extend(died.analyse(panicle)?);
    }
    Ok(crashes)
}
