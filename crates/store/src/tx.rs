//! Transactions that are handed from function to function.

use sqlx::{Postgres, Sqlite};

use crate::{Store, StoreError, database::Pool};

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
