//! `panicle admin backup`: a copy of the database while the service runs.

use std::path::PathBuf;

use clap::Args;
use panicle_store::StoreError;

use super::database::Place;
use crate::{
    exit::{Done, Failure},
    service::run_to_end,
};

/// Arguments of `panicle admin backup`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file to write. It must not be there yet.
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    let url = arguments.place.url(false)?;
    run_to_end(async {
        let bytes = panicle_store::backup(&url, &arguments.file).await.map_err(|error| match error {
            StoreError::Invalid(_) => Failure::Arguments(error.to_string()),
            StoreError::Io { .. } => Failure::Input(error.to_string()),
            _ => Failure::Unreachable(error.to_string()),
        })?;
        println!("{bytes} bytes in {}", arguments.file.display());
        eprintln!("Evidence is not in it: copy the folders blobs and spool, or the bucket, after this.");
        Ok(Done::Done)
    })
}
