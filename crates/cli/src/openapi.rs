//! `panicle openapi`: the document that clients are generated from.

use crate::exit::{Done, Failure};

/// Runs the command.
pub(crate) fn run() -> Result<Done, Failure> {
    let json = serde_json::to_string_pretty(&panicle_server::openapi())
        .map_err(|error| Failure::Input(error.to_string()))?;
    println!("{json}");
    Ok(Done::Done)
}
