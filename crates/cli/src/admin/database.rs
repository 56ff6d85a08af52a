//! What is asked of the database itself, whether a service runs or not.

use std::path::PathBuf;

use clap::Args;
use panicle_store::{Store, StoreError};
use serde_json::Value;

use super::{Format, print};
use crate::{
    exit::Failure,
    service::{database_url, make_directory, unreachable, warn_on_stderr},
};

/// Rows that are read at a time.
pub(super) const PAGE: u32 = 500;
const MAX_NAME_BYTES: usize = 1024;

/// Where the database is.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// Where the service has its database, unless told otherwise.
    #[arg(long, value_name = "DIR", default_value = "panicle-data", env = "PANICLE_DATA")]
    data: PathBuf,
    /// `sqlite:PATH` or `postgres://…` [default: SQLite in the data directory].
    #[arg(long = "database", value_name = "URL", env = "PANICLE_DATABASE", hide_env_values = true)]
    url: Option<String>,
}

/// The database of the service, and how it is answered.
#[derive(Debug, Args)]
pub(super) struct Database {
    #[command(flatten)]
    place: Place,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Place {
    /// Its URL, if there is one; or, with `make`, if there can be one.
    pub(super) fn url(&self, make: bool) -> Result<String, Failure> {
        if self.url.is_none() {
            if !make && !self.data.join("panicle.db").exists() {
                let detail = format!("{}: there is no database of a service", self.data.display());
                return Err(Failure::Unreachable(detail));
            }
            make_directory(&self.data)?;
        }
        Ok(database_url(self.url.as_deref(), &self.data))
    }
}

impl Database {
    /// Opens it, and makes it only if something is to be put into it.
    pub(super) async fn open(&self, make: bool) -> Result<Store, Failure> {
        let url = self.place.url(make)?;
        warn_on_stderr();
        Store::connect(&url).await.map_err(unreachable)
    }

    pub(super) fn print(&self, answer: &Value, text: impl FnOnce()) -> Result<(), Failure> {
        print(self.format, answer, |_| text())
    }
}

/// All rows of what is read in pages, each after the last one.
pub(super) async fn all<T, E>(
    mut page: impl AsyncFnMut(Option<&T>) -> Result<Vec<T>, E>,
) -> Result<Vec<T>, E> {
    let mut rows: Vec<T> = Vec::new();
    loop {
        let part = page(rows.last()).await?;
        let end = part.len() < PAGE as usize;
        rows.extend(part);
        if end {
            return Ok(rows);
        }
    }
}

/// What is not there or not possible is for whoever asked to mend.
pub(super) fn known(error: StoreError) -> Failure {
    match error {
        StoreError::NotFound { .. } | StoreError::Invalid(_) | StoreError::Taken { .. } => {
            Failure::Arguments(error.to_string())
        }
        error => unreachable(error),
    }
}

/// A name for people.
pub(super) fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_NAME_BYTES || text.chars().any(char::is_control) {
        return Err(format!("a name has from 1 to {MAX_NAME_BYTES} bytes, and no control characters"));
    }
    Ok(text.to_owned())
}
