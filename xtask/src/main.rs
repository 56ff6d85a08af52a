//! `cargo xtask`: what the project does to itself.
//!
//! One subject a module: [`fixtures`] makes real crashes, [`test`] runs every check there is,
//! [`up`] builds and starts the product, [`openapi`] keeps the API document,
//! [`corpus`] scores how crashes are grouped, [`bench`] measures.
//! Everything that is downloaded, built or recorded goes below one cache root
//! (`PANICLE_CACHE_DIR`, else `~/.cache/panicle`).

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod apt;
mod bench;
mod corpus;
mod fixtures;
mod layouts;
mod measure;
mod openapi;
mod paths;
mod process;
mod test;
mod up;
mod web;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, tests and runs Panicle")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the programs of tests/programs with every Go toolchain, let them crash, keep what is left
    Fixtures(fixtures::Options),
    /// Run every check: format, lint, licences, unit, oracle, service, web, browser
    Test(test::Options),
    /// Build the web UI and the server, start it, and on a terminal send it a sample crash
    Up(up::Options),
    /// Write the tables of the runtime's structures from every toolchain's debug information
    Layouts(layouts::Options),
    /// Write web/openapi.json from the server's own description
    Openapi(openapi::Options),
    /// Let one program die of many bugs in many builds, and score how crashes are grouped
    Corpus(corpus::Options),
    /// Measure time and memory of an analysis, beside gdb when it is there
    Bench(bench::Options),
    /// Run a command and print its wall time and peak memory as JSON on stderr (used by bench)
    #[command(hide = true)]
    Measure(measure::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Fixtures(options) => fixtures::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Up(options) => up::run(&options),
        Command::Layouts(options) => layouts::run(&options),
        Command::Openapi(options) => openapi::run(&options),
        Command::Corpus(options) => corpus::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Measure(options) => measure::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Not by returning it: that would print a backtrace of xtask where RUST_BACKTRACE is set.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
