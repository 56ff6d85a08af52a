//! The one place that knows which drivers there are.

use std::{
    path::Path,
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, Connection, Database, PgPool, Sqlite, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use sqlx_core::transaction::TransactionManager as _;
use tokio::sync::Notify;

use crate::{StoreError, listen};

/// How long PostgreSQL may take to answer when a process starts.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: Pool,
    work: Arc<Notify>,
    /// Crashes of a term up to which a search looks them up, see `condition::frequency`; `None` for the usual.
    pub(crate) looked_up: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Runs `$body`, one query, with the pool `$db`.
macro_rules! query {
    ($store:expr, $db:ident => $body:expr) => {
        match &$store.pool {
            $crate::database::Pool::Sqlite($db) => $body,
            $crate::database::Pool::Postgres($db) => $body,
        }
    };
}

impl Store {
    /// Connects to `sqlite:<path>` or `postgres://…` and brings the schema up to date.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let work = Arc::default();
        let pool = if let Some(path) = url.strip_prefix("sqlite:") {
            Pool::Sqlite(sqlite(url, Path::new(path.trim_start_matches("//"))).await?)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pool = postgres(url).await?;
            // What other processes make is heard of, too.
            listen::listen(pool.clone(), &work);
            Pool::Postgres(pool)
        } else {
            // Not the whole: there may be a password in it.
            let scheme = url.split(':').next().unwrap_or_default();
            return Err(StoreError::Url(scheme.chars().take(20).collect()));
        };
        Ok(Self { pool, work, looked_up: None })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        query!(self, db => sqlx::query("SELECT 1").execute(db).await.map(drop))?;
        Ok(())
    }

    /// The same store, searching as if a term with more crashes than this were frequent: what is found is the same,
    /// on another way.
    #[must_use]
    pub fn looking_up(self, crashes: i64) -> Self {
        Self { looked_up: Some(crashes), ..self }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        query!(self, db => db.close().await);
    }

    /// Returns when there may be work for a worker. On SQLite, work that other processes made is found by
    /// polling; on PostgreSQL they are heard.
    pub async fn work(&self) {
        self.work.notified().await;
    }

    /// Wakes one that waits in [`Store::work`], because there may be more to do.
    pub fn announce(&self) {
        self.announce_work();
    }

    pub(crate) fn announce_work(&self) {
        self.work.notify_one();
    }
}

/// Migrations only add, so that processes of the version before go on while a new one has brought the schema up to date;
/// and so they also start.
fn migrated(mut migrator: sqlx::migrate::Migrator) -> sqlx::migrate::Migrator {
    migrator.set_ignore_missing(true);
    migrator
}

async fn postgres(url: &str) -> Result<PgPool, StoreError> {
    let options = PgConnectOptions::from_str(url)?.application_name("panicle");
    // A pool would only say that its time is up, and not why.
    let started = Instant::now();
    loop {
        match options.connect().await {
            Ok(connection) => break connection.close().await?,
            Err(error) => {
                let error = StoreError::from(error);
                if !error.is_outage() || started.elapsed() > START_PATIENCE {
                    return Err(error);
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let pool = PgPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(Duration::from_secs(10))
        // One group has a crash and another one a hundred thousand, so what is found by a value is found best on a way
        // that was looked for with that value.
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::query("SET plan_cache_mode = force_custom_plan").execute(connection).await.map(drop)
            })
        })
        .connect_with(options)
        .await?;
    // Takes an advisory lock of its own.
    migrated(sqlx::migrate!("../../migrations/postgres")).run(&pool).await?;
    Ok(pool)
}

async fn sqlite(url: &str, path: &Path) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // What was acknowledged survives a power cut; with WAL, NORMAL would not promise that.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(30))
        // In KiB, of each connection: lists of groups go through indexes of some MiB, again and again.
        .pragma("cache_size", "-16384");
    // sqlx' migrations lock PostgreSQL but not SQLite, and a server and a worker may start at once.
    let lock_path = path.with_extension("lock");
    let failed = |source| StoreError::Io { what: format!("locking {}", lock_path.display()), source };
    let lock = std::fs::File::create(&lock_path).map_err(failed)?;
    let _lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock))
        .await
        .map_err(|error| StoreError::Stored(error.to_string()))?
        .map_err(failed)?;
    let pool = SqlitePoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(30))
        // A full disk can fail a rollback, too. Whoever got such a connection next would find another's transaction.
        .after_release(|connection, _| {
            Box::pin(async move {
                Ok(<Sqlite as Database>::TransactionManager::get_transaction_depth(connection) == 0)
            })
        })
        .connect_with(options)
        .await?;
    migrated(sqlx::migrate!("../../migrations/sqlite")).run(&pool).await?;
    Ok(pool)
}
