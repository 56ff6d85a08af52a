//! `panicle admin backup`: a copy of the database while the service runs.

use std::path::PathBuf;

use clap::Args;
use panicle_store::StoreError;

use crate::{
    exit::{Done, Failure},
    service::{database_url, run_to_end},
};

/// Arguments of `panicle admin backup`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file to write. It must not be there yet.
    file: PathBuf,
    /// Where the service has its database, unless told otherwise.
    #[arg(long, value_name = "DIR", default_value = "panicle-data", env = "PANICLE_DATA")]
    data: PathBuf,
    /// `sqlite:PATH` [default: SQLite in the data directory]. PostgreSQL has pg_dump.
    #[arg(long = "database", value_name = "URL", env = "PANICLE_DATABASE", hide_env_values = true)]
    url: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    let url = database_url(arguments.url.as_deref(), &arguments.data);
    run_to_end(async {
        let bytes = panicle_store::backup(&url, &arguments.file).await.map_err(|error| match error {
            StoreError::Invalid(_) => Failure::Arguments(error.to_string()),
            StoreError::Io { .. } => Failure::Input(error.to_string()),
            _ => Failure::Unreachable(error.to_string()),
        })?;
        println!("{bytes} bytes in {}", arguments.file.display());
        eprintln!("Evidence is not in it: copy the folder blobs, or the bucket, after this.");
        Ok(Done::Done)
    })
}
