//! Copies of a database that is in use.

use std::{io, path::Path, str::FromStr};

use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

use crate::StoreError;

/// Writes all that the SQLite database at `url` (`sqlite:PATH`) holds at this moment to a file that is not there yet, and
/// answers its size in bytes. Others may go on writing to the database, whose schema stays as it is. The file is there
/// whole or not at all.
///
/// PostgreSQL has programs of its own for that ([`StoreError::Invalid`]).
pub async fn backup(url: &str, to: &Path) -> Result<u64, StoreError> {
    if !url.starts_with("sqlite:") {
        return Err(StoreError::Invalid(
            "PostgreSQL makes its backups itself: pg_dump --format=custom, or whatever else backs up your server"
                .to_owned(),
        ));
    }
    let failed = |source| StoreError::Io { what: format!("writing {}", to.display()), source };
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if to.exists() {
        return Err(failed(io::ErrorKind::AlreadyExists.into()));
    }
    // The database writes to a name that is not there, so a folder holds the name.
    let scratch = tempfile::Builder::new().prefix(".panicle-backup-").tempdir_in(folder).map_err(failed)?;
    let part = scratch.path().join("panicle.db");
    let name = part.to_str().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    let mut database = SqliteConnectOptions::from_str(url)?.read_only(true).connect().await?;
    sqlx::query("VACUUM INTO $1").bind(name).execute(&mut database).await?;
    database.close().await?;
    let to = to.to_owned();
    let keep = move || {
        let file = std::fs::File::open(&part)?;
        file.sync_all()?;
        // Fails where somebody else has made a file of that name meanwhile.
        std::fs::hard_link(&part, &to)?;
        if let Some(folder) = scratch.path().parent() {
            std::fs::File::open(folder)?.sync_all()?;
        }
        file.metadata().map(|data| data.len())
    };
    let kept = tokio::task::spawn_blocking(keep).await;
    kept.map_err(|error| StoreError::Stored(error.to_string()))?.map_err(failed)
}
