use thiserror::Error;

/// What can go wrong with the database.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database failed or could not be reached.
    #[error("the database failed: {}", said(.0))]
    Database(#[from] sqlx::Error),
    /// There is no way to the database right now.
    #[error("the database at {place} cannot be reached: {reason}")]
    Unreachable {
        /// Host and port, or the socket.
        place: String,
        /// What was wrong at the last attempt.
        reason: String,
    },
    /// The database does not let this process in.
    #[error("the database at {place} cannot be used: {reason}")]
    Refused {
        /// Host and port, or the socket.
        place: String,
        /// Why not.
        reason: String,
    },
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be brought up to date: {}", of_migration(.0))]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database URL, which begins so, names no database that is known here.
    #[error("{0}… is no database URL: it starts with sqlite: or postgres:")]
    Url(String),
    /// A file beside the database could not be used.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// The cause.
        source: std::io::Error,
    },
    /// What is asked for is not there.
    #[error("there is no {what} {id}")]
    NotFound {
        /// `crash`, `group`, `blob`, …
        what: &'static str,
        /// Its identifier.
        id: String,
    },
    /// A piece of evidence is not of the kind that it was named as.
    #[error("{id} was stored as a {actual}, not as a {wanted}")]
    WrongKind {
        /// The blob.
        id: String,
        /// How it was named.
        wanted: &'static str,
        /// What it is.
        actual: &'static str,
    },
    /// Somebody else changed it meanwhile.
    #[error("it was changed meanwhile")]
    Conflict,
    /// What is to be taken back is not as it was left.
    #[error("{0}")]
    ChangedSince(String),
    /// Others have a claim to these crashes.
    #[error("others have a claim to crashes that this rule claims: {}", named(.0))]
    Conflicts(Vec<crate::RuleConflict>),
    /// It makes no sense, or not as things stand.
    #[error("{0}")]
    Invalid(String),
    /// Something else has the name.
    #[error("there is another {what} of the name {name}")]
    Taken {
        /// `query`, …
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The idempotency key stands for a crash with another core.
    #[error("the idempotency key was used for crash {id}, which has another core")]
    OtherCrash {
        /// That crash.
        id: String,
    },
    /// A search took longer than it may, and was given up.
    #[error("the search was given up after {0:?}")]
    SearchTooSlow(std::time::Duration),
    /// Others search, and none of them was done for seconds.
    #[error("other searches take all there is for searches")]
    SearchesBusy,
    /// The job's lease expired and somebody else holds it now; nothing was written.
    #[error("the lease is lost")]
    LeaseLost,
    /// A stored value cannot be read back.
    #[error("a stored value cannot be read back: {0}")]
    Stored(String),
}

impl StoreError {
    /// It failed because of others that used the database at the same time, and may go well when it is done again:
    /// a deadlock or a failed serialization on PostgreSQL (40P01, 40001), a lock on SQLite (SQLITE_BUSY and its
    /// extended codes).
    pub(crate) fn is_passing(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        matches!(error.code().as_deref(), Some("40P01" | "40001" | "5" | "261" | "517"))
    }
}

/// What a driver says, without where in PostgreSQL's own source that is.
pub(crate) fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => match error.code() {
            Some(code) => format!("{} ({code})", error.message()),
            None => error.message().to_owned(),
        },
        error => error.to_string(),
    }
}

fn of_migration(error: &sqlx::migrate::MigrateError) -> String {
    use sqlx::migrate::MigrateError;
    match error {
        MigrateError::Execute(error) => said(error),
        MigrateError::ExecuteMigration(error, version) => format!("migration {version}: {}", said(error)),
        error => error.to_string(),
    }
}

fn named(conflicts: &[crate::RuleConflict]) -> String {
    let named: Vec<String> = conflicts
        .iter()
        .take(5)
        .map(|conflict| format!("crash {}, since {}", conflict.crash, conflict.reason))
        .collect();
    named.join("; ")
}

impl StoreError {
    /// The database cannot be reached or cannot do anything right now, whatever is asked of it.
    ///
    /// PostgreSQL's codes are those of its documentation, appendix A: connections, resources, an operator's
    /// intervention, and transactions that others were faster than. SQLite's are SQLITE_BUSY, SQLITE_IOERR,
    /// SQLITE_FULL and SQLITE_CANTOPEN of its `rescode.html`.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.code().is_some_and(|code| {
                let sqlite = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|code| code & 0xff);
                match sqlite {
                    Some(code) => matches!(code, 5 | 10 | 13 | 14),
                    None => ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class)),
                }
            }),
            Self::Database(error) => matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
            ),
            Self::Io { .. } | Self::Unreachable { .. } => true,
            _ => false,
        }
    }
}

impl StoreError {
    /// The way to the database is at fault, and not what was asked of it.
    pub(crate) fn is_of_the_way(&self) -> bool {
        let Self::Database(error) = self else { return matches!(self, Self::Unreachable { .. }) };
        matches!(
            error,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut
        )
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Stored(error.to_string())
    }
}
