//! How long storing a crash and showing groups takes where there are many: makes a SQLite database with one
//! group of many crashes and many groups of one, and measures.
//!
//! ```text
//! cargo run --release -p panicle-store --example group_speed -- /tmp/groups.db 100000 10000
//! ```
//!
//! The rows are written past the store, in one transaction; storing each as a crash would take an hour of waiting
//! for the disk.

#![expect(clippy::unwrap_used, reason = "whoever measures wants to see what fails")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use panicle_query::Facts;
use panicle_report::Signature;
use panicle_store::{
    Analysed, Claim, CrashOutcome, EvidenceKind, GroupFilter, GroupPage, GroupSort, NewBlob, NewCrash,
    NewEvidence, Store,
};
use sqlx::SqlitePool;

/// Crashes that are stored to measure it.
const STORED: u32 = 50;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "/tmp/groups.db".to_owned());
    let mut number = |usual: i64| arguments.next().map_or(usual, |text| text.parse().unwrap());
    let (crashes, groups) = (number(100_000), number(10_000));
    let fresh = !Path::new(&path).exists();
    let store = Store::connect(&format!("sqlite:{path}")).await.unwrap();
    if fresh {
        fill(&path, crashes, groups).await;
    }
    for (group, fingerprint) in [("large", "large"), ("g1", "f1")] {
        let started = Instant::now();
        for n in 0..STORED {
            store_one(&store, fingerprint, n).await;
        }
        println!(
            "{:8.2} ms to store a crash of group {group}",
            millis(started.elapsed()) / f64::from(STORED)
        );
    }
    for sort in [GroupSort::LastSeen, GroupSort::Count] {
        let started = Instant::now();
        let page = GroupPage { sort, after: None, limit: 50 };
        let listed = store.groups(&GroupFilter::default(), &page).await.unwrap().len();
        println!("{:8.2} ms to list {listed} groups by {sort:?}", millis(started.elapsed()));
    }
    let started = Instant::now();
    let group = store.group("large").await.unwrap().group;
    println!("{:8.2} ms to show a group of {} crashes", millis(started.elapsed()), group.count);
    let started = Instant::now();
    store.preview_regrouping().await.unwrap();
    println!("{:8.2} ms to try grouping all history anew", millis(started.elapsed()));
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

async fn fill(path: &str, crashes: i64, groups: i64) {
    let pool = SqlitePool::connect(&format!("sqlite:{path}")).await.unwrap();
    let now = Timestamp::now().as_microsecond();
    let mut tx = pool.begin().await.unwrap();
    let count = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1) ";
    let statements = [
        "INSERT INTO crash_groups (id, signature_version, fingerprint, family, title, class, state, frames, \
         explanation, crashes, first_seen, last_seen, revision) SELECT 'g' || n, 1, 'f' || n, 'y' || (n % 100), \
         'group ' || n, 'error-panic', 'new', '[]', '[]', 0, $2, $2, 1 FROM n",
        "INSERT INTO crashes (id, identity, status, group_id, home_group_id, labels, received_at, seen_at, attempts, \
         missing_binary, diagnostics, report_revision, service, hostname, module_version, class, signature_version, \
         fingerprint) SELECT 'o' || n, 'o' || n, 'done', 'g' || n, 'g' || n, '{}', $2, $2 - n * 60000000, 1, FALSE, \
         '[]', 0, 'service-' || (n % 30), 'host-' || (n % 500), 'v1.' || (n % 20) || '.0', 'error-panic', 1, 'f' || n \
         FROM n",
        "INSERT INTO crashes (id, identity, status, group_id, home_group_id, labels, received_at, seen_at, attempts, \
         missing_binary, diagnostics, report_revision, service, hostname, module_version, class, signature_version, \
         fingerprint) SELECT 'c' || n, 'c' || n, 'done', 'large', 'large', '{}', $2, $2 - n * 1000000, 1, FALSE, \
         '[]', 0, 'service-' || (n % 30), 'host-' || (n % 500), 'v1.' || (n % 20) || '.0', 'error-panic', 1, 'large' \
         FROM n",
    ];
    sqlx::query(
        "INSERT INTO crash_groups (id, signature_version, fingerprint, family, title, class, state, frames, \
         explanation, crashes, first_seen, last_seen, revision) \
         VALUES ('large', 1, 'large', 'y', 'large', 'error-panic', 'new', '[]', '[]', 0, $1, $1, 1)",
    )
    .bind(now)
    .execute(&mut *tx)
    .await
    .unwrap();
    for (statement, rows) in statements.into_iter().zip([groups, groups, crashes]) {
        let text = statement.replacen("SELECT", &format!("{count}SELECT"), 1);
        sqlx::query(sqlx::AssertSqlSafe(text)).bind(rows).bind(now).execute(&mut *tx).await.unwrap();
    }
    let counted = [
        "UPDATE crash_groups SET crashes = (SELECT COUNT(*) FROM crashes c WHERE c.group_id = crash_groups.id), \
         last_seen = (SELECT MAX(seen_at) FROM crashes c WHERE c.group_id = crash_groups.id)",
        "INSERT INTO signatures (version, fingerprint, family, title, class, frames, explanation, group_id, pinned) \
         SELECT 1, fingerprint, family, title, class, '[]', '[]', id, FALSE FROM crash_groups",
        "INSERT INTO group_hours (group_id, hour, crashes) SELECT group_id, seen_at / 3600000000, COUNT(*) \
         FROM crashes GROUP BY 1, 2",
        "INSERT INTO group_facets (group_id, facet, value, crashes, first_seen, last_seen) SELECT group_id, 'service', \
         service, COUNT(*), MIN(seen_at), MAX(seen_at) FROM crashes GROUP BY 1, 3",
        "INSERT INTO group_facets (group_id, facet, value, crashes, first_seen, last_seen) SELECT group_id, 'host', \
         hostname, COUNT(*), MIN(seen_at), MAX(seen_at) FROM crashes GROUP BY 1, 3",
    ];
    for statement in counted {
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    pool.close().await;
}

async fn store_one(store: &Store, fingerprint: &str, n: u32) {
    let id = format!("{fingerprint}-{n}-{}", Timestamp::now().as_microsecond());
    let blob =
        NewBlob { id: id.clone(), kind: EvidenceKind::Text, name: None, size_bytes: 1, stored_bytes: 1 };
    store.record_blob(&blob, panicle_store::DEFAULT_PROJECT).await.unwrap();
    let new = NewCrash {
        evidence: vec![NewEvidence { id, kind: EvidenceKind::Text }],
        service: Some("service-1".to_owned()),
        hostname: Some("host-1".to_owned()),
        ..NewCrash::default()
    };
    let crash = store.create_crash(&new).await.unwrap().id;
    let claim = Claim { worker: "w".to_owned(), lease: Duration::from_mins(1), max_attempts: 3 };
    let job = store.claim(&claim, Timestamp::now()).await.unwrap().unwrap();
    let outcome = CrashOutcome {
        analysed: Analysed {
            class: "error-panic".to_owned(),
            module_version: Some("v1.2.0".to_owned()),
            ..Analysed::default()
        },
        parts: Vec::new(),
        facts: Facts::new(),
        signature: Some(Signature {
            version: 1,
            fingerprint: fingerprint.to_owned(),
            family: "y".to_owned(),
            title: "t".to_owned(),
            frames: Vec::new(),
            population: Vec::new(),
            explain: Vec::new(),
        }),
        matched: Vec::new(),
        waits_for_binary: None,
        wants_debug: None,
        join: None,
    };
    store.commit_crash(&job.lease, &crash, &outcome).await.unwrap();
}
