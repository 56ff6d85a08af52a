use jiff::Timestamp;

use super::Claim;
use crate::{JobKind, Store, database::Pool};

#[tokio::test]
async fn a_claim_reads_one_row_of_the_index_however_many_jobs_wait() {
    let directory = tempfile::tempdir().unwrap();
    let store =
        Store::connect(&format!("sqlite:{}", directory.path().join("test.db").display())).await.unwrap();
    let Pool::Sqlite(db) = &store.pool else { panic!("it is SQLite") };
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(concat!("EXPLAIN QUERY PLAN ", claim_text!(""))).fetch_all(db).await.unwrap();
    let steps: Vec<&str> = plan.iter().map(|(_, _, _, step)| step.as_str()).collect();
    let looked_up =
        steps.iter().filter(|step| step.contains("INDEX jobs_due_in (state=? AND project=?")).count();
    assert_eq!(looked_up, 2, "{steps:#?}");
    // The two that are found are sorted, and nothing else.
    assert!(steps.iter().filter(|step| step.contains("TEMP B-TREE")).count() <= 1, "{steps:#?}");
    assert!(!steps.iter().any(|step| step.contains("SCAN jobs")), "{steps:#?}");
}

#[tokio::test]
async fn whose_turn_it_is_takes_a_row_or_two_of_each_project() {
    let directory = tempfile::tempdir().unwrap();
    let store =
        Store::connect(&format!("sqlite:{}", directory.path().join("test.db").display())).await.unwrap();
    let Pool::Sqlite(db) = &store.pool else { panic!("it is SQLite") };
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", super::WAITING)))
            .fetch_all(db)
            .await
            .unwrap();
    let steps: Vec<&str> = plan.iter().map(|(_, _, _, step)| step.as_str()).collect();
    let looked_up = |index: &str| steps.iter().filter(|step| step.contains(index)).count();
    assert_eq!(looked_up("INDEX jobs_due_in (state=? AND project=?"), 2, "{steps:#?}");
    assert_eq!(looked_up("INDEX jobs_turn (project=?"), 1, "{steps:#?}");
    assert!(!steps.iter().any(|step| step.contains("SCAN j") || step.contains("TEMP B-TREE")), "{steps:#?}");
}

#[tokio::test]
async fn what_nobody_here_knows_is_left_to_others() {
    let directory = tempfile::tempdir().unwrap();
    let store =
        Store::connect(&format!("sqlite:{}", directory.path().join("test.db").display())).await.unwrap();
    let Pool::Sqlite(db) = &store.pool else { panic!("it is SQLite") };
    let add = async |kind: &'static str, state: &str| {
        sqlx::query(
            "INSERT INTO jobs (id, kind, subject, state, wanted, claimed, attempts, run_after, lease_until, priority) \
             VALUES ($1, $1, 's', $2, 1, 0, 0, 0, 0, 0)",
        )
        .bind(kind)
        .bind(state)
        .execute(db)
        .await
        .unwrap();
    };
    add("of-tomorrow", "queued").await;
    add("of-another-day", "running").await;
    let claim = Claim { worker: "w".to_owned(), lease: std::time::Duration::from_mins(1), max_attempts: 3 };
    for _ in 0..4 {
        assert!(store.claim(&claim, Timestamp::now()).await.unwrap().is_none());
    }
    let used: (i64,) = sqlx::query_as("SELECT SUM(attempts) FROM jobs").fetch_one(db).await.unwrap();
    assert_eq!(used.0, 0);
    // Behind them, what is known is found, each kind of it.
    for kind in JobKind::ALL {
        add(kind.as_str(), "queued").await;
        assert_eq!(store.claim(&claim, Timestamp::now()).await.unwrap().unwrap().kind, *kind);
    }
}
