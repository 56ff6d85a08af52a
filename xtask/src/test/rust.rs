//! The checks of the Rust workspace.

use anyhow::{Result, bail};

use super::count::{Count, count};
use super::{Options, tools};
use crate::{corpus, fixtures, openapi, paths, process};

pub(super) fn format() -> Result<Count> {
    process::run(process::cargo().args(["fmt", "--all", "--check"]))?;
    Ok(Count::NONE)
}

pub(super) fn lint() -> Result<Count> {
    process::run(process::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    Ok(Count::NONE)
}

pub(super) fn deny() -> Result<Count> {
    let mut command = tools::cargo_tool("cargo-deny")?;
    process::run(command.args(["deny", "check", "licenses", "bans", "sources"]))?;
    Ok(Count::NONE)
}

pub(super) fn fixtures(options: &Options) -> Result<Count> {
    fixtures::run(&fixtures::Options::whole(options.matrix))?;
    Ok(Count::NONE)
}

pub(super) fn tests(options: &Options) -> Result<Count> {
    tools::for_tests()?;
    // A client of resumable uploads that was not written here.
    tools::python_package("tuspy", "1.1.0", &[])?;
    // An implementation of S3 that tells of what is put there, and an SDK that puts it.
    let more =
        ["py-partiql-parser==0.6.3", "PyYAML==6.0.3", "flask==3.1.3", "flask-cors==6.0.5", "boto3==1.44.5"];
    tools::python_package("moto", "5.2.5", &more)?;
    let mut command = match tools::cargo_tool("cargo-nextest") {
        Ok(mut command) => {
            command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
            command
        }
        Err(error) => {
            eprintln!("cargo test is used instead of nextest: {error:#}");
            let mut command = process::cargo();
            command.args(["test", "--workspace", "--all-targets", "--no-fail-fast"]);
            command
        }
    };
    if options.matrix {
        command.env(panicle_fixtures::MATRIX_VARIABLE, "1");
    }
    count(&process::tee(&mut command)?).complete()
}

/// The tests of `crates/cli/tests/service/chaos.rs`, with many more uploads and kills than they have among all
/// others. One after the other: each loads the machine.
pub(super) fn chaos() -> Result<Count> {
    tools::for_tests()?;
    let mut command = process::cargo();
    command.args(["test", "--package", "panicle", "--test", "service", "--", "chaos::"]);
    command.args(["--nocapture", "--test-threads", "1"]).env("PANICLE_CHAOS", "1");
    count(&process::tee(&mut command)?).complete()
}

pub(super) fn doc_tests() -> Result<Count> {
    let output = process::tee(process::cargo().args(["test", "--workspace", "--doc"]))?;
    if !output.contains("test result: ok.") {
        bail!("cargo test --doc printed no result");
    }
    count(&output).unskipped()
}

pub(super) fn release_build() -> Result<Count> {
    process::run(process::cargo().args(["build", "--release", "--package", "panicle"]))?;
    Ok(Count::NONE)
}

pub(super) fn openapi() -> Result<Count> {
    openapi::check(&paths::release_binary()?)?;
    Ok(Count::NONE)
}

/// Crashes of many bugs in few builds, each of which has to come into the group of its bug.
pub(super) fn corpus() -> Result<Count> {
    corpus::run(&corpus::Options::short(paths::release_binary()?))?;
    Ok(Count::NONE)
}
