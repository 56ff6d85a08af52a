//! `panicle upload`: evidence to a service.

use clap::Args;

use crate::exit::{Done, Failure};

/// Arguments of `panicle upload`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Runs the command.
pub(crate) fn run(_arguments: &Arguments) -> Result<Done, Failure> {
    Err(Failure::Unreachable("nothing can be sent yet".to_owned()))
}
