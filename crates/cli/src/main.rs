//! The `panicle` command.
//!
//! Exit codes are part of the contract: 0 done; 1 done, but what was asked for is not there; 2 bad
//! arguments; 3 input unreadable or not what it was said to be; 4 the service or store could not be
//! reached.

mod admin;
mod analyze;
mod child;
mod exit;
mod find;
mod inspect;
mod libraries;
mod openapi;
mod render;
mod search;
mod serve;
mod service;
mod texts;
mod token;
mod unpacked;
mod upload;
mod worker;

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
    /// Look into the memory of a crash with Go-like expressions.
    Inspect(inspect::Arguments),
    /// Run the service: API, web UI and workers.
    Serve(serve::Arguments),
    /// Run workers alone, for a service elsewhere.
    Worker(worker::Arguments),
    /// Send evidence to a service.
    Upload(upload::Arguments),
    /// Find crashes, or groups of them, by a query.
    Search(search::Arguments),
    /// Change how a service does its work.
    Admin(admin::Arguments),
    /// Print the OpenAPI document of the service.
    Openapi,
    /// The process that reads one crash's evidence; started by a worker.
    #[command(name = child::NAME, hide = true)]
    Child,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Analyze(arguments) => analyze::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Worker(arguments) => worker::run(&arguments),
        Command::Upload(arguments) => upload::run(&arguments),
        Command::Search(arguments) => search::run(&arguments),
        Command::Admin(arguments) => admin::run(&arguments),
        Command::Openapi => openapi::run(),
        Command::Child => return ExitCode::from(child::run()),
    };
    exit::code(outcome)
}
