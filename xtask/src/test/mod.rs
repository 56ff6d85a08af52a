//! `cargo xtask test`: every check there is.
//!
//! Steps run one after the other; a step whose needs failed is not run and counts as failed, all
//! others run whatever happened before. A tool that is missing is installed where that is possible
//! without asking, and else named with the command that gets it. Nothing is skipped in silence:
//! what is left out by design is named in the summary.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};

mod browser;
mod count;
mod rust;
mod tools;
mod web;

pub(crate) use count::Count;

/// Options of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run these steps alone (and not what they need); `--list` names them
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Name the steps and end
    #[arg(long)]
    list: bool,
    /// Use the whole matrix of fixtures, not the chosen part of it
    #[arg(long)]
    matrix: bool,
    /// Run the long form of the tests that kill processes and take databases away, and nothing else
    #[arg(long, conflicts_with_all = ["only", "matrix"])]
    chaos: bool,
}

/// A check.
struct Step {
    name: &'static str,
    /// Steps without which it makes no sense.
    needs: &'static [&'static str],
    run: fn(&Options) -> Result<Count>,
}

const STEPS: &[Step] = &[
    Step { name: "format", needs: &[], run: |_| rust::format() },
    Step { name: "lint", needs: &[], run: |_| rust::lint() },
    Step { name: "compose", needs: &[], run: |_| tools::compose() },
    Step { name: "licences", needs: &[], run: |_| rust::deny() },
    Step { name: "fixtures", needs: &[], run: rust::fixtures },
    Step { name: "rust-tests", needs: &["fixtures"], run: rust::tests },
    Step { name: "doc-tests", needs: &[], run: |_| rust::doc_tests() },
    Step { name: "web-install", needs: &[], run: |_| web::install() },
    Step { name: "web-types", needs: &["web-install"], run: |_| web::types() },
    Step { name: "web-lint", needs: &["web-install"], run: |_| web::lint() },
    Step { name: "web-unit", needs: &["web-install"], run: |_| web::unit() },
    Step { name: "web-build", needs: &["web-install"], run: |_| web::build() },
    Step { name: "release-build", needs: &[], run: |_| rust::release_build() },
    Step { name: "corpus", needs: &["fixtures", "release-build"], run: |_| rust::corpus() },
    Step { name: "openapi", needs: &["release-build"], run: |_| rust::openapi() },
    Step { name: "browser", needs: &["fixtures", "web-build", "release-build"], run: |_| browser::run() },
];

/// What `--chaos` runs.
const CHAOS_STEPS: &[Step] = &[
    Step { name: "fixtures", needs: &[], run: rust::fixtures },
    Step { name: "chaos", needs: &["fixtures"], run: |_| rust::chaos() },
];

/// What is not checked here, and why.
const LEFT_OUT: &[&str] = &[
    "cargo deny check advisories: it fetches the advisory database from a git host; run it where that can be \
     reached: cargo deny check advisories",
    "crashes of race-enabled arm64 programs, unless this is an arm64 host: ThreadSanitizer does not run under qemu-user",
    "fuzzing: it needs a nightly compiler and time; see fuzz/Cargo.toml for the targets",
];

/// What `--matrix` adds.
const MATRIX_LEFT_OUT: &str = "the rest of the matrix (every program for every Go version and architecture, every way to \
     build): cargo xtask test --matrix";

/// What `--chaos` adds.
const CHAOS_LEFT_OUT: &str =
    "the long form of the tests that kill processes and take databases away: cargo xtask test --chaos";

/// How a step came out.
enum Outcome {
    Passed(Count),
    Failed(String),
    /// A step that it needs did not pass.
    NotRun(&'static str),
}

/// Runs the subcommand.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.list {
        for step in STEPS {
            println!("{}", step.name);
        }
        return Ok(());
    }
    for name in &options.only {
        STEPS.iter().find(|s| s.name == name).with_context(|| format!("there is no step {name}"))?;
    }
    let steps = if options.chaos { CHAOS_STEPS } else { STEPS };
    let chosen: Vec<&Step> = steps
        .iter()
        .filter(|s| options.only.is_empty() || options.only.iter().any(|o| o == s.name))
        .collect();

    let begun = Instant::now();
    let mut results: Vec<(&Step, Outcome, f64)> = Vec::new();
    for (number, step) in chosen.iter().enumerate() {
        eprintln!("\n=== [{}/{}] {} ===", number + 1, chosen.len(), step.name);
        let start = Instant::now();
        let missing = step.needs.iter().find(|need| {
            results.iter().any(|(s, outcome, _)| s.name == **need && !matches!(outcome, Outcome::Passed(_)))
        });
        let outcome = match missing {
            Some(need) => Outcome::NotRun(need),
            None => match (step.run)(options) {
                Ok(count) => Outcome::Passed(count),
                Err(error) => Outcome::Failed(format!("{error:#}")),
            },
        };
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("=== {}: {} ({seconds:.1}s)", step.name, describe(&outcome));
        results.push((step, outcome, seconds));
    }
    summary(&results, options, begun.elapsed().as_secs_f64())
}

fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed(Count { passed: 0, .. }) => "ok".to_owned(),
        Outcome::Passed(count) => format!("ok, {} tests", count.passed),
        Outcome::Failed(why) => format!("FAILED: {why}"),
        Outcome::NotRun(need) => format!("NOT RUN: it needs {need}, which did not pass"),
    }
}

/// Prints the summary; an error when any step did not pass.
fn summary(results: &[(&Step, Outcome, f64)], options: &Options, seconds: f64) -> Result<()> {
    eprintln!("\n=== summary ===");
    let mut tests = 0;
    let mut bad = 0;
    for (step, outcome, seconds) in results {
        let text = describe(outcome);
        // A failure's whole text stands above, at its step.
        let line = text.lines().next().unwrap_or_default();
        eprintln!("{:>8.1}s  {:<14} {line}", seconds, step.name);
        match outcome {
            Outcome::Passed(count) => tests += count.passed,
            Outcome::Failed(_) | Outcome::NotRun(_) => bad += 1,
        }
    }
    let matrix = (!options.matrix).then_some(MATRIX_LEFT_OUT);
    let chaos = (!options.chaos).then_some(CHAOS_LEFT_OUT);
    for left_out in LEFT_OUT.iter().copied().chain(matrix).chain(chaos) {
        eprintln!("left out: {left_out}");
    }
    if bad > 0 {
        eprintln!("{tests} tests passed, {bad} of {} steps did not, in {seconds:.0}s", results.len());
        bail!("{bad} of {} steps did not pass", results.len());
    }
    eprintln!("{tests} tests passed, 0 skipped, in {} steps and {seconds:.0}s", results.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_need_is_a_step_that_comes_before() {
        for (at, step) in STEPS.iter().enumerate() {
            for need in step.needs {
                assert!(STEPS[..at].iter().any(|s| s.name == *need), "{} needs {need}", step.name);
            }
        }
    }
}
