//! The one place that knows which drivers there are.

use std::{
    path::Path,
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{
    AssertSqlSafe, Database, Executor, PgPool, Sqlite, SqliteConnection, SqlitePool,
    pool::PoolConnection,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use sqlx_core::transaction::TransactionManager as _;
use tokio::sync::Notify;

use crate::{StoreError, listen, reach::Reach};

/// How long a search may take. Whoever asked has gone by then, and the database is there for others, too.
const SEARCH_PATIENCE: Duration = Duration::from_secs(10);
/// How long a request waits for connections that others search with. What PostgreSQL is away for is known by then.
const SEARCH_WAIT: Duration = Duration::from_secs(5);
/// Searches at the same time; others wait for them.
const SEARCHES: u32 = 4;
/// Steps of SQLite's machine between two looks at the clock: some tenths of a millisecond.
const STEPS: i32 = 10_000;

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: Pool,
    /// Connections for searches alone: what takes long there keeps nobody else from a connection.
    pub(crate) searches: Pool,
    /// How long a search may take.
    pub(crate) patience: Duration,
    /// The way to PostgreSQL.
    reach: Option<Arc<Reach>>,
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
        $store
            .during(Box::pin(async {
                match &$store.pool {
                    $crate::database::Pool::Sqlite($db) => $body,
                    $crate::database::Pool::Postgres($db) => $body,
                }
            }))
            .await
    };
}

/// Runs `$body`, one query of a search that has so much time left, with a connection `$db`. It ends with
/// [`StoreError::SearchTooSlow`] when it takes longer than searches may; the database then ends it, too.
macro_rules! search {
    ($store:expr, $time:expr, $db:ident => $body:expr) => {
        async {
            let (store, time): (&$crate::Store, &mut $crate::database::SearchTime) = (&$store, $time);
            match &store.searches {
                $crate::database::Pool::Sqlite(pool) => {
                    let mut connection = store.for_search(pool, time).await?;
                    let limit = time.left;
                    $crate::database::limit(&mut connection, limit).await?;
                    store
                        .in_time(time, async {
                            let $db = &mut *connection;
                            $body
                        })
                        .await
                }
                $crate::database::Pool::Postgres(pool) => {
                    let mut connection = store.for_search(pool, time).await?;
                    let limit = $crate::database::statement_timeout(time.left);
                    store
                        .in_time(time, async {
                            let $db = &mut *connection;
                            sqlx::Executor::execute(&mut *$db, sqlx::raw_sql(sqlx::AssertSqlSafe(limit)))
                                .await?;
                            $body
                        })
                        .await
                }
            }
        }
    };
}

/// What one request that searches has left, for all its queries together.
#[derive(Debug)]
pub(crate) struct SearchTime {
    /// To look for it.
    pub(crate) left: Duration,
    /// To wait for connections.
    waiting: Duration,
}

impl Store {
    /// Connects to `sqlite:<path>` or `postgres://…` and brings the schema up to date.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_searching_for(url, SEARCH_PATIENCE).await
    }

    /// The same, where a search may take this long in place of ten seconds.
    pub async fn connect_searching_for(url: &str, patience: Duration) -> Result<Self, StoreError> {
        let work = Arc::default();
        let (pool, searches, reach) = if let Some(path) = url.strip_prefix("sqlite:") {
            let (pool, searches) = sqlite(url, Path::new(path.trim_start_matches("//")), patience).await?;
            (Pool::Sqlite(pool), Pool::Sqlite(searches), None)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let reach = Reach::find(url).await?;
            let (pool, searches) = postgres(&reach, patience).await?;
            // What other processes make is heard of, too.
            listen::listen(pool.clone(), &work);
            (Pool::Postgres(pool), Pool::Postgres(searches), Some(Arc::new(reach)))
        } else {
            // Not the whole: there may be a password in it.
            let scheme = url.split(':').next().unwrap_or_default();
            return Err(StoreError::Url(scheme.chars().take(20).collect()));
        };
        Ok(Self { pool, searches, patience, reach, work, looked_up: None })
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
        for pool in [&self.searches, &self.pool] {
            match pool {
                Pool::Sqlite(pool) => pool.close().await,
                Pool::Postgres(pool) => pool.close().await,
            }
        }
    }

    /// What a request that searches has at its beginning.
    pub(crate) fn search_time(&self) -> SearchTime {
        SearchTime { left: self.patience, waiting: SEARCH_WAIT }
    }

    /// A connection for a search. To wait for it is no part of the time that the search may take itself.
    pub(crate) async fn for_search<D: Database>(
        &self,
        pool: &sqlx::Pool<D>,
        time: &mut SearchTime,
    ) -> Result<PoolConnection<D>, StoreError> {
        let started = Instant::now();
        let connection = tokio::time::timeout(time.waiting, self.during(Box::pin(pool.acquire()))).await;
        time.waiting = time.waiting.saturating_sub(started.elapsed());
        connection.map_err(|_| StoreError::SearchesBusy)?
    }

    /// What one query of a search comes to, if it does in time.
    pub(crate) async fn in_time<T>(
        &self,
        time: &mut SearchTime,
        query: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let slow = || StoreError::SearchTooSlow(self.patience);
        let started = Instant::now();
        let in_time = async {
            let done = tokio::time::timeout(time.left, query).await.map_err(|_| slow())?;
            done.map_err(|error| if was_stopped(&error) { slow() } else { error.into() })
        };
        let done = self.during(Box::pin(in_time)).await;
        time.left = time.left.saturating_sub(started.elapsed());
        done
    }

    /// What work with the database comes to. Where it is away, that is said as soon as it is known. Large futures come
    /// boxed.
    pub(crate) async fn during<T, E: Into<StoreError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, StoreError> {
        match &self.reach {
            Some(reach) => reach.during(work).await,
            None => work.await.map_err(Into::into),
        }
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

/// The database ended a query because its time was up: query_canceled of PostgreSQL, SQLITE_INTERRUPT of SQLite.
fn was_stopped(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    matches!(error.code().as_deref(), Some("57014" | "9"))
}

async fn postgres(reach: &Reach, patience: Duration) -> Result<(PgPool, PgPool), StoreError> {
    let options = reach.options();
    // One group has a crash and another one a hundred thousand, so what is found by a value is found best on a way
    // that was looked for with that value. Compiling a query takes longer than most of them.
    let usual = "SET plan_cache_mode = force_custom_plan; SET jit = off";
    let searching = format!("{usual}; {}", statement_timeout(patience));
    let pool = pool_of(usual.to_owned()).max_connections(16).connect_with(options.clone()).await?;
    // Takes an advisory lock of its own.
    migrated(sqlx::migrate!("../../migrations/postgres")).run(&pool).await?;
    let searches = pool_of(searching).max_connections(SEARCHES).connect_lazy_with(options);
    Ok((pool, searches))
}

/// Connections that begin with these settings.
fn pool_of(settings: String) -> PgPoolOptions {
    let settings: Arc<str> = settings.into();
    // For a busy one; whether it is away at all is found out sooner (`reach`).
    PgPoolOptions::new().acquire_timeout(Duration::from_secs(10)).after_connect(move |connection, _| {
        let settings = settings.clone();
        Box::pin(async move {
            connection.execute(sqlx::raw_sql(AssertSqlSafe(settings.to_string()))).await.map(drop)
        })
    })
}

/// Has PostgreSQL end what a connection does when its time is up.
pub(crate) fn statement_timeout(patience: Duration) -> String {
    format!("SET statement_timeout = {}", patience.as_millis().max(1))
}

/// Has SQLite end what this connection does when its time is up.
pub(crate) async fn limit(connection: &mut SqliteConnection, patience: Duration) -> Result<(), sqlx::Error> {
    let started = Instant::now();
    connection.lock_handle().await?.set_progress_handler(STEPS, move || started.elapsed() < patience);
    Ok(())
}

async fn sqlite(url: &str, path: &Path, patience: Duration) -> Result<(SqlitePool, SqlitePool), StoreError> {
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
        .connect_with(options.clone())
        .await?;
    migrated(sqlx::migrate!("../../migrations/sqlite")).run(&pool).await?;
    // Each time that somebody gets a connection, the time begins anew.
    let searches = SqlitePoolOptions::new()
        .max_connections(SEARCHES)
        .acquire_timeout(Duration::from_secs(30))
        .after_connect(move |connection, _| Box::pin(limit(connection, patience)))
        .before_acquire(move |connection, _| {
            Box::pin(async move { limit(connection, patience).await.map(|()| true) })
        })
        .connect_lazy_with(options);
    Ok((pool, searches))
}

#[cfg(test)]
mod tests;
