use std::time::{Duration, Instant};

use crate::{Store, StoreError};

/// It has no end.
const ENDLESS: &str =
    "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT 1 - x FROM n) SELECT COUNT(*) FROM n WHERE x > 1";

async fn check(url: &str) {
    let store = Store::connect_searching_for(url, Duration::from_millis(300)).await.unwrap();
    // More than there are connections for: each of them is free again when its time is up.
    for _ in 0..6 {
        let found: Result<(i64,), _> =
            search!(&store, db => sqlx::query_as(ENDLESS).fetch_one(db).await).await;
        assert!(matches!(found, Err(StoreError::SearchTooSlow(_))), "{found:?}");
    }
    // The database ends it by itself, too, when nobody waits for it any more.
    let ended: Result<(i64,), sqlx::Error> = match &store.searches {
        super::Pool::Sqlite(db) => sqlx::query_as(ENDLESS).fetch_one(db).await,
        super::Pool::Postgres(db) => sqlx::query_as(ENDLESS).fetch_one(db).await,
    };
    assert!(super::was_stopped(&ended.unwrap_err()));
    // What comes after is not touched by it, there and elsewhere.
    let one: (i64,) =
        search!(&store, db => sqlx::query_as("SELECT CAST(1 AS BIGINT)").fetch_one(db).await).await.unwrap();
    assert_eq!(one, (1,));
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(400) {
        store.ping().await.unwrap();
    }
    store.close().await;
}

#[tokio::test]
async fn a_search_that_takes_too_long_is_ended_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    check(&format!("sqlite:{}", directory.path().join("test.db").display())).await;
}

#[cfg(feature = "postgres-tests")]
#[tokio::test]
async fn a_search_that_takes_too_long_is_ended_on_postgres() {
    check(&panicle_backends::database()).await;
}
