use crate::{Store, database::Pool};

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
