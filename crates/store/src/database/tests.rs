use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use sqlx::{Postgres, Sqlite, pool::PoolConnection};

use crate::{Store, StoreError};

/// It has no end.
const ENDLESS: &str =
    "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT 1 - x FROM n) SELECT COUNT(*) FROM n WHERE x > 1";

#[expect(dead_code, reason = "connections are held for as long as this is")]
enum Held {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

async fn one(store: &Store) -> Result<i64, StoreError> {
    let time = &mut store.search_time();
    let (one,): (i64,) =
        search!(store, time, db => sqlx::query_as("SELECT CAST(1 AS BIGINT)").fetch_one(db).await).await?;
    Ok(one)
}

async fn check(url: &str) {
    let store = Store::connect_searching_for(url, Duration::from_millis(300)).await.unwrap();
    // More than there are connections for: each of them is free again when its time is up.
    for _ in 0..6 {
        let found: Result<(i64,), _> =
            search!(store, &mut store.search_time(), db => sqlx::query_as(ENDLESS).fetch_one(db).await).await;
        assert!(matches!(found, Err(StoreError::SearchTooSlow(_))), "{found:?}");
    }
    // The database ends it by itself, too, when nobody waits for it any more.
    let ended: Result<(i64,), sqlx::Error> = match &store.searches {
        super::Pool::Sqlite(db) => sqlx::query_as(ENDLESS).fetch_one(db).await,
        super::Pool::Postgres(db) => sqlx::query_as(ENDLESS).fetch_one(db).await,
    };
    assert!(super::was_stopped(&ended.unwrap_err()));
    // What comes after is not touched by it, there and elsewhere.
    assert_eq!(one(&store).await.unwrap(), 1);
    // The time of a request is for all that it asks.
    let mut time = store.search_time();
    for _ in 0..2 {
        let ended: Result<(i64,), _> =
            search!(store, &mut time, db => sqlx::query_as(ENDLESS).fetch_one(db).await).await;
        assert!(matches!(ended, Err(StoreError::SearchTooSlow(_))), "{ended:?}");
        assert_eq!(time.left, Duration::ZERO);
    }
    // To wait for others is no part of it.
    let slow = async {
        let (store, ended) = (&store, AtomicUsize::new(0));
        let endless = || async {
            let found: Result<(i64,), _> =
                search!(store, &mut store.search_time(), db => sqlx::query_as(ENDLESS).fetch_one(db).await)
                    .await;
            assert!(matches!(found, Err(StoreError::SearchTooSlow(_))), "{found:?}");
            ended.fetch_add(1, Ordering::Relaxed);
        };
        let four = || async { tokio::join!(endless(), endless(), endless(), endless()) };
        let cheap = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(one(store).await.unwrap(), 1);
            assert!(ended.load(Ordering::Relaxed) > 4);
        };
        tokio::join!(four(), four(), cheap);
    };
    Box::pin(slow).await;
    // They do not wait for ever.
    let mut held = Vec::new();
    for _ in 0..super::SEARCHES {
        held.push(match &store.searches {
            super::Pool::Sqlite(pool) => Held::Sqlite(pool.acquire().await.unwrap()),
            super::Pool::Postgres(pool) => Held::Postgres(pool.acquire().await.unwrap()),
        });
    }
    let busy = one(&store).await;
    assert!(matches!(busy, Err(StoreError::SearchesBusy)), "{busy:?}");
    drop(held);
    assert_eq!(one(&store).await.unwrap(), 1);
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(400) {
        store.ping().await.unwrap();
    }
    store.close().await;
}

#[tokio::test]
async fn a_search_that_takes_too_long_is_ended_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    Box::pin(check(&format!("sqlite:{}", directory.path().join("test.db").display()))).await;
}

#[cfg(feature = "postgres-tests")]
#[tokio::test]
async fn a_search_that_takes_too_long_is_ended_on_postgres() {
    Box::pin(check(&panicle_backends::database())).await;
}
