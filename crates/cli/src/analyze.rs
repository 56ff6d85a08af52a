//! `panicle analyze`: the analysis with no service.

use clap::Args;

use crate::exit::{Done, Failure};

/// Arguments of `panicle analyze`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The core file.
    core: Option<std::path::PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    Err(Failure::Input(format!(
        "{}: cannot be analysed yet",
        arguments.core.as_deref().unwrap_or("-".as_ref()).display()
    )))
}
