//! The `panicle` command.
//!
//! Exit codes are part of the contract: 0 done; 1 done, but what was asked for is not there; 2 bad
//! arguments; 3 input unreadable or not what it was said to be; 4 the service or store could not be
//! reached.

mod analyze;
mod exit;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Takes the crashes of Go services and shows the stem.
#[derive(Debug, Parser)]
#[command(name = "panicle", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Analyse a crash here and now, with no service.
    Analyze(analyze::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Analyze(arguments) => analyze::run(&arguments),
    };
    exit::code(outcome)
}
