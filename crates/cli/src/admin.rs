//! `panicle admin`: what whoever runs a service asks of it.

mod backup;
mod database;
mod project;
mod quarantine;
mod regroup;
mod reprocess;
mod retention;
mod token;

use clap::{Args, Subcommand, ValueEnum};
use panicle_collect::{Client, UploadError};
use serde_json::Value;

use crate::{
    exit::{Done, Failure},
    token::TokenArguments,
};

/// Arguments of `panicle admin`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Copy the database while the service runs; works on SQLite itself.
    Backup(backup::Arguments),
    /// Make, list, change and archive projects; works on the database, whether a service runs or not.
    Project(project::Arguments),
    /// List, show and retry jobs that were set aside because every attempt at them failed; asks a running service.
    Quarantine(quarantine::Arguments),
    /// Group all history anew, as signatures, rules and people's decisions have it now; asks a running service.
    Regroup(regroup::Arguments),
    /// Analyse crashes again, behind what arrives; counts them first; asks a running service.
    Reprocess(reprocess::Arguments),
    /// Show or change how many full cores are kept of each group; asks a running service.
    Retention(retention::Arguments),
    /// Make, list and revoke access tokens; works on the database, whether a service runs or not.
    Token(token::Arguments),
}

/// The service, and how it is answered.
#[derive(Debug, Args)]
struct Service {
    /// The service.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7171", env = "PANICLE_SERVER")]
    server: String,
    #[command(flatten)]
    token: TokenArguments,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Service {
    fn client(&self) -> Result<Client, Failure> {
        Client::new(&self.server, self.token.token()?).map_err(failure)
    }

    fn print(&self, answer: &Value, text: impl FnOnce(&Value)) -> Result<(), Failure> {
        print(self.format, answer, text)
    }
}

/// Prints an answer as it is, or as `text` has it.
fn print(format: Format, answer: &Value, text: impl FnOnce(&Value)) -> Result<(), Failure> {
    if format == Format::Text {
        text(answer);
        return Ok(());
    }
    let json = serde_json::to_string_pretty(answer).map_err(|error| Failure::Input(error.to_string()))?;
    println!("{json}");
    Ok(())
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    match &arguments.task {
        Task::Backup(arguments) => backup::run(arguments),
        Task::Project(arguments) => project::run(arguments),
        Task::Quarantine(arguments) => quarantine::run(arguments),
        Task::Regroup(arguments) => regroup::run(arguments),
        Task::Reprocess(arguments) => reprocess::run(arguments),
        Task::Retention(arguments) => retention::run(arguments),
        Task::Token(arguments) => token::run(arguments),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn failure(error: UploadError) -> Failure {
    match error {
        UploadError::Server(_) | UploadError::Refused { .. } => Failure::Arguments(error.to_string()),
        UploadError::File { .. } => Failure::Input(error.to_string()),
        UploadError::Unreachable { .. } => Failure::Unreachable(error.to_string()),
    }
}
