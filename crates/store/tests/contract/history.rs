//! The history that is made for measurements is the one that real crashes would leave.

use jiff::Timestamp;
use panicle_store::{
    Store,
    history::{Plan, now},
};
use sqlx::{AssertSqlSafe, Row};

use super::support::claim;

/// Tables whose rows are compared, what is compared of them in place of identifiers, and what tells the time of the
/// work and not of the crash.
const COMPARED: [(&str, &str, &str); 13] = [
    ("blobs", "t.id", "received_at"),
    ("blob_projects", "t.blob_id", "received_at"),
    ("crash_groups", "t.fingerprint", "id state_since"),
    ("signatures", "(SELECT g.fingerprint FROM crash_groups g WHERE g.id = t.group_id)", "group_id"),
    ("builds", "t.id", ""),
    (
        "crashes",
        "(SELECT g.fingerprint FROM crash_groups g WHERE g.id = t.group_id AND g.id = t.home_group_id)",
        "id group_id home_group_id received_at analysed_at",
    ),
    (
        "events",
        "(SELECT g.fingerprint || c.identity FROM crash_groups g, crashes c WHERE g.id = t.group_id AND c.id = t.crash_id)",
        "group_id crash_id at",
    ),
    ("crash_evidence", "(SELECT c.identity FROM crashes c WHERE c.id = t.crash_id)", "crash_id added_at"),
    ("report_parts", "(SELECT c.identity FROM crashes c WHERE c.id = t.crash_id)", "crash_id"),
    (
        "crash_facts",
        "(SELECT c.identity || ' ' || f.name || ' ' || f.value || ' ' || COALESCE(f.folded, '-') || COALESCE(f.ordinal, '-') \
         FROM crashes c, facts f WHERE c.id = t.crash_id AND f.id = t.fact_id)",
        "crash_id fact_id",
    ),
    ("group_facets", "(SELECT g.fingerprint FROM crash_groups g WHERE g.id = t.group_id)", "group_id"),
    (
        "group_facts",
        "(SELECT g.fingerprint || ' ' || f.name || ' ' || f.value FROM crash_groups g, facts f \
         WHERE g.id = t.group_id AND f.id = t.fact_id)",
        "group_id fact_id",
    ),
    ("group_hours", "(SELECT g.fingerprint FROM crash_groups g WHERE g.id = t.group_id)", "group_id"),
];
/// What is only about the work itself.
const UNCOMPARED: [&str; 2] = ["_sqlx_migrations", "turnstiles"];

/// All rows of a database, by table.
macro_rules! rows_of {
    ($pool:ty, $url:expr, $tables:expr, $columns:expr) => {{
        let pool = <$pool>::connect($url).await.unwrap();
        let mut found = Vec::new();
        let tables: Vec<(String,)> = sqlx::query_as($tables).fetch_all(&pool).await.unwrap();
        for (table,) in &tables {
            let count: (i64,) = sqlx::query_as(AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}")))
                .fetch_one(&pool)
                .await
                .unwrap();
            if !UNCOMPARED.contains(&table.as_str()) {
                found.push(format!("{table} {}", count.0));
            }
        }
        let jobs = (
            "jobs",
            "(SELECT c.identity FROM crashes c WHERE c.id = t.subject)",
            "id subject run_after turn",
        );
        for (table, named, left_out) in COMPARED.into_iter().chain([jobs]) {
            let columns: Vec<(String,)> =
                sqlx::query_as($columns).bind(table).fetch_all(&pool).await.unwrap();
            let mut text = format!("SELECT COALESCE({named}, 'nothing')");
            for (column,) in &columns {
                if !left_out.split(' ').any(|left_out| left_out == column) {
                    text += &format!(" || ' {column}=' || COALESCE(CAST(t.{column} AS TEXT), 'NULL')");
                }
            }
            text += &format!(" FROM {table} t");
            let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(&pool).await.unwrap();
            let mut rows: Vec<String> =
                rows.iter().map(|row| format!("{table}: {}", row.get::<String, _>(0))).collect();
            rows.sort();
            found.extend(rows);
        }
        found
    }};
}

async fn rows(url: &str) -> Vec<String> {
    if url.starts_with("sqlite") {
        rows_of!(
            sqlx::SqlitePool,
            url,
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
            "SELECT name FROM pragma_table_info($1)"
        )
    } else {
        rows_of!(
            sqlx::PgPool,
            url,
            "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename",
            "SELECT CAST(column_name AS TEXT) FROM information_schema.columns WHERE table_name = $1"
        )
    }
}

async fn check(made: &str, stored: &str) {
    // Few enough that nobody looks at any of them.
    let plan = Plan { crashes: 90, groups: 12, until: now() };
    Store::connect(made).await.unwrap().fill_history(&plan).await.unwrap();
    let store = Store::connect(stored).await.unwrap();
    for n in 0..plan.crashes {
        let crash = plan.crash(n);
        for blob in &crash.blobs {
            store.record_blob(blob, panicle_store::DEFAULT_PROJECT).await.unwrap();
        }
        let id = store.create_crash(&crash.new).await.unwrap().id;
        let job = store.claim(&claim(), Timestamp::now()).await.unwrap().unwrap();
        store.commit_crash(&job.lease, &id, &crash.outcome).await.unwrap();
    }
    let (made, stored) = (rows(made).await, rows(stored).await);
    let (mut made, mut stored) = (made.iter(), stored.iter());
    loop {
        let (one, other) = (made.next(), stored.next());
        assert_eq!(one, other, "made, and stored");
        if one.is_none() {
            break;
        }
    }
}

#[tokio::test]
async fn on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:{}", directory.path().join(name).display());
    check(&url("made.db"), &url("stored.db")).await;
}

#[cfg(feature = "postgres-tests")]
#[tokio::test]
async fn on_postgres() {
    check(&panicle_backends::database(), &panicle_backends::database()).await;
}
