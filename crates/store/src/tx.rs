//! Transactions that are handed from function to function, and the order in which they lock.
//!
//! On SQLite one transaction writes at a time. On PostgreSQL two that lock the same rows in another order wait
//! for each other in a circle, and one of them fails. So there is one order:
//!
//! 1. The turnstile `binaries`, which is passed by [`in_turn!`] before anything is read. Every transaction passes
//!    it that changes more than one of: jobs, crashes, facts, groups, their histories, rules, events. They
//!    happen one after the other, and each sees all that those before it have done, so that within one there is
//!    no order to keep.
//! 2. The turnstile `rules`, which says whether rules were changed since they were looked at.
//! 3. Everything else. The turnstile `events` numbers what is told ([`crate::groups::events`]); it is only
//!    reached within a turn.
//!
//! What takes no turn locks one row, or rows that nothing else reaches after it: a heartbeat changes one job; a claim
//! changes one job and then its crash, and so does everybody who changes both; a blob is recorded with the job that looks at it, which no turn holds before it holds the blob; a
//! blob is freed alone; an object of a bucket is recorded and ended with its own job; saved queries are alone, and so
//! are tokens.
//!
//! What fails nevertheless because of others ([`StoreError::is_passing`]) is done again by [`transaction!`].

use std::time::Duration;

use sqlx::{Postgres, Sqlite};

use crate::{Store, StoreError, database::Pool};

/// How often a transaction is tried again that failed because of others.
pub(crate) const RETRIES: u32 = 5;

/// A transaction on one of the databases; rolled back unless it comes to [`Tx::commit`].
pub(crate) enum Tx {
    /// On SQLite.
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// Runs `$body` with the connection `$db` of a transaction.
macro_rules! on {
    ($tx:expr, $db:ident => $body:expr) => {
        match &mut *$tx {
            $crate::tx::Tx::Sqlite(tx) => {
                let $db = &mut **tx;
                $body
            }
            $crate::tx::Tx::Postgres(tx) => {
                let $db = &mut **tx;
                $body
            }
        }
    };
}

/// Executes a statement in a transaction. Its value is the number of rows that it changed.
macro_rules! exec {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        on!($tx, db => sqlx::query($sql)$(.bind($bind))*.execute(&mut *db).await?.rows_affected())
    };
}

/// The first row of a query in a transaction, if there is one.
macro_rules! first {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        on!($tx, db => sqlx::query_as($sql)$(.bind($bind))*.fetch_optional(&mut *db).await?)
    };
}

/// All rows of a query in a transaction.
macro_rules! all {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        on!($tx, db => sqlx::query_as($sql)$(.bind($bind))*.fetch_all(&mut *db).await?)
    };
}

/// Runs `$body` with a transaction `$tx: &mut Tx`, which is kept when the body comes to its end and rolled back
/// when it returns early. The body is run again when others made the transaction fail. Its value is that
/// of the body, which may also `return` one, as a `Result`, and then nothing is kept.
macro_rules! transaction {
    ($store:expr, $tx:ident => $body:expr) => {
        transaction!($store, begin, $tx => $body)
    };
    ($store:expr, $begin:ident, $tx:ident => $body:expr) => {{
        let mut failures = 0;
        loop {
            let work = Box::pin(async {
                let mut owned = $store.$begin().await?;
                let $tx = &mut owned;
                let value = $body;
                owned.commit().await?;
                Ok::<_, $crate::StoreError>(value)
            });
            let done = $store.during(work).await;
            match done {
                Err(error) if failures < $crate::tx::RETRIES && error.is_passing() => {
                    failures += 1;
                    $crate::tx::pause(failures).await;
                }
                done => break done?,
            }
        }
    }};
}

/// [`transaction!`] in turn with all others that change more than one row.
macro_rules! in_turn {
    ($store:expr, $tx:ident => $body:expr) => {
        transaction!($store, begin_in_turn, $tx => $body)
    };
}

/// Waits before a transaction is tried again, so that the others come to their end.
pub(crate) async fn pause(failures: u32) {
    tokio::time::sleep(Duration::from_millis(5 << failures.min(6))).await;
}

impl Store {
    /// Begins a transaction. On SQLite it takes the write lock at once, because a transaction that
    /// reads first and writes later fails when another one wrote in between.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match &self.pool {
            Pool::Sqlite(pool) => Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Pool::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }
}

impl Store {
    /// Begins a transaction that waits for its turn; see the head of this module.
    pub(crate) async fn begin_in_turn(&self) -> Result<Tx, StoreError> {
        let mut tx = self.begin().await?;
        exec!(&mut tx, "UPDATE turnstiles SET passes = passes + 1 WHERE name = 'binaries'");
        Ok(tx)
    }
}

impl Tx {
    /// Keeps what was done.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}
