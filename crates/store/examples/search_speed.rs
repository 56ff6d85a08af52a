//! How long searches take: makes a SQLite database of many crashes, and asks.
//!
//! ```text
//! cargo run --release -p panicle-store --example search_speed -- /tmp/many.db 200000
//! ```
//!
//! The rows are written past the store, in one transaction, because storing each as a crash would take an hour of
//! waiting for the disk. A database that is there is asked as it is.

#![expect(clippy::unwrap_used, reason = "whoever measures wants to see what fails")]

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use panicle_query::{Kind, Query, fields};
use panicle_store::{CrashFilter, GroupFilter, GroupPage, GroupSort, Store};
use sqlx::{SqliteConnection, SqlitePool};

const CLASSES: [&str; 8] = [
    "nil-map-write",
    "concurrent-map-write",
    "nil-dereference",
    "index-out-of-range",
    "deadlock",
    "goroutine-leak",
    "error-panic",
    "out-of-memory",
];
const REASONS: [&str; 6] = ["chan receive", "select", "IO wait", "sync.Mutex.Lock", "sleep", "semacquire"];
const QUERIES: [&str; 27] = [
    "",
    "class:nil-map-write",
    "service:service-7",
    "service:service-7 class:deadlock",
    "class:nil-map-write service:service-7 go:>=1.24 goroutines.status:\"chan receive\">1000 version:v1.4.* since:24h",
    "goroutines.status:\"chan receive\">4900",
    "goroutines:>9990",
    "frame:example.com/shop/pkg17.(*T).F4",
    "frame:F4",
    "frame:*pkg17*",
    "go:<1.22",
    "version:v1.3..v1.4",
    "-class:nil-map-write",
    "-(class:nil-map-write OR service:service-7)",
    "label.pod:pod-4711",
    "label.pod:pod-47*",
    "label.pod:nothing",
    "host:host-1 OR host:host-2",
    "pkg17",
    "nothing like it",
    "state:new class:deadlock",
    "since:1h",
    "since:24h",
    "since:24h class:deadlock service:service-4",
    "service:service-4",
    "os:linux",
    "-os:linux",
];

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// Small numbers more often than large ones.
    fn skewed(&mut self, end: u64) -> u64 {
        let (one, other) = (self.below(end), self.below(end));
        one * other / end
    }
}

#[derive(Default)]
struct Dictionary(HashMap<(String, String), i64>);

impl Dictionary {
    async fn id(&mut self, db: &mut SqliteConnection, name: &str, value: &str) -> i64 {
        let next = self.0.len() as i64 + 1;
        let known = *self.0.entry((name.to_owned(), value.to_owned())).or_insert(next);
        if known == next {
            let ordinal = fields::of_fact(name).and_then(|field| match field.kind {
                Kind::Version(scheme) => scheme.key(value),
                _ => None,
            });
            sqlx::query("INSERT INTO facts (id, name, value, folded, ordinal) VALUES ($1, $2, $3, $4, $5)")
                .bind(known)
                .bind(name)
                .bind(value)
                .bind(value.to_lowercase())
                .bind(ordinal)
                .execute(db)
                .await
                .unwrap();
        }
        known
    }
}

async fn make(path: &Path, crashes: u64) {
    let pool = SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    let (mut chance, mut dictionary) = (Chance(7), Dictionary::default());
    let groups = (crashes / 60).max(1);
    let now = jiff::Timestamp::now().as_microsecond();
    let step = 90 * 86_400_000_000 / crashes as i64;
    for group in 0..groups {
        sqlx::query(
            "INSERT INTO crash_groups (id, signature_version, fingerprint, family, title, class, state, frames, \
             explanation, crashes, first_seen, last_seen, revision) \
             VALUES ($1, 1, $2, $2, $3, $4, $5, '[]', '[]', 1, $6, $7, 1)",
        )
        .bind(format!("group-{group:08}"))
        .bind(format!("{group:032x}"))
        .bind(format!("Group {group}"))
        .bind(CLASSES[group as usize % CLASSES.len()])
        .bind(["new", "ongoing", "muted", "resolved"][group as usize % 4])
        .bind(now - 1_000_000 * group as i64)
        .bind(now - 1000 * group as i64)
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    for crash in 0..crashes {
        let id = format!("0199{crash:08x}-0000-7000-8000-{crash:012x}");
        let group = chance.skewed(groups);
        let class = CLASSES[group as usize % CLASSES.len()];
        let seen = now - (crashes - crash) as i64 * step;
        let service = format!("service-{}", group % 40);
        let go = format!("go1.{}.{}", 20 + chance.below(8), chance.below(12));
        let version = format!("v1.{}.{}", chance.below(12), chance.below(20));
        let host = format!("host-{}", chance.below(300));
        sqlx::query(
            "INSERT INTO crashes (id, identity, status, group_id, class, title, service, go_version, module_version, \
             hostname, labels, received_at, seen_at, analysed_at, attempts, missing_binary, diagnostics, \
             report_revision, facts_version) \
             VALUES ($1, $1, 'done', $2, $3, 'A title of usual length', $4, $5, $6, $7, '{\"env\":\"prod\"}', $8, $8, $8, \
             0, FALSE, $9, 1, 1)",
        )
        .bind(&id)
        .bind(format!("group-{group:08}"))
        .bind(class)
        .bind(&service)
        .bind(&go)
        .bind(&version)
        .bind(&host)
        .bind(seen)
        .bind(format!("[{{\"stage\":\"service\",\"severity\":\"info\",\"text\":\"{}\",\"ref\":null}}]", "x".repeat(300)))
        .execute(&mut *tx)
        .await
        .unwrap();
        let mut facts: Vec<(&str, String, u64)> = vec![
            ("class", class.to_owned(), 1),
            ("title", format!("{class} in function {}", group % 500), 1),
            ("service", service, 1),
            ("go", go, 1),
            ("version", version, 1),
            ("host", host, 1),
            ("confidence", "certain".to_owned(), 1),
            ("fingerprint", format!("{group:032x}"), 1),
            ("label.env", ["prod", "test"][chance.below(2) as usize].to_owned(), 1),
            ("label.pod", format!("pod-{}", chance.below(20_000)), 1),
            ("arch", ["amd64", "arm64"][chance.below(2) as usize].to_owned(), 1),
            ("os", "linux".to_owned(), 1),
            ("message", format!("panic: something about {}", group % 2000), 1),
            ("goroutines", String::new(), chance.skewed(10_000)),
            ("goroutines.status", "waiting".to_owned(), 1000),
        ];
        for frame in 0..8 {
            let function = format!("example.com/shop/pkg{}.(*T).F{}", (group + frame) % 400, frame);
            facts.push(("frame", function, 1));
        }
        for reason in REASONS {
            facts.push(("goroutines.status", reason.to_owned(), 1 + chance.skewed(5000)));
        }
        for (name, value, amount) in facts {
            let fact = dictionary.id(&mut tx, name, &value).await;
            sqlx::query("INSERT INTO crash_facts (crash_id, fact_id, amount) VALUES ($1, $2, $3)")
                .bind(&id)
                .bind(fact)
                .bind(amount as i64)
                .execute(&mut *tx)
                .await
                .unwrap();
        }
    }
    // As the store keeps them with every crash.
    for (facet, column) in [
        ("class", "class"),
        ("service", "service"),
        ("go-version", "go_version"),
        ("version", "module_version"),
        ("host", "hostname"),
    ] {
        let text = format!(
            "INSERT INTO group_facets (group_id, facet, value, crashes, first_seen, last_seen) \
             SELECT group_id, '{facet}', {column}, COUNT(*), MIN(seen_at), MAX(seen_at) FROM crashes GROUP BY 1, 3"
        );
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await.unwrap();
    }
    sqlx::query(
        "UPDATE crash_groups SET (crashes, first_seen, last_seen) = (SELECT COUNT(*), COALESCE(MIN(seen_at), 0), \
         COALESCE(MAX(seen_at), 0) FROM crashes WHERE group_id = crash_groups.id)",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

/// Processor time of all threads so far: whatever else the machine does, it is the same.
fn busy() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let nanoseconds = threads.map(|thread| {
        let path = thread.unwrap().path().join("schedstat");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(0)
    });
    Duration::from_nanos(nanoseconds.sum())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("the path of the database");
    let crashes: u64 = arguments.next().map_or(200_000, |text| text.parse().unwrap());
    let path = Path::new(&path);
    let known = path.exists();
    let store = Store::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    if !known {
        let started = Instant::now();
        make(path, crashes).await;
        println!(
            "{crashes} crashes in {:.0?}, {} MiB",
            started.elapsed(),
            path.metadata().unwrap().len() >> 20
        );
    }
    println!("{:>10} {:>10}  the first 50, in milliseconds of processor time", "crashes", "groups");
    for text in QUERIES {
        let query = Some(Query::parse(text).unwrap());
        let filter = CrashFilter { query: query.clone(), ..CrashFilter::default() };
        let started = busy();
        let found = store.crashes(&filter, 51).await.unwrap().len();
        let for_crashes = busy().saturating_sub(started);
        let filter = GroupFilter { query, ..GroupFilter::default() };
        let page = GroupPage { sort: GroupSort::LastSeen, after: None, limit: 51 };
        let started = busy();
        let groups = store.groups(&filter, &page).await.unwrap().len();
        let for_groups = busy().saturating_sub(started);
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        println!(
            "{:>7.1} ({found:>2}) {:>5.1} ({groups:>2})  {text}",
            milliseconds(for_crashes),
            milliseconds(for_groups)
        );
    }
    for (fact, text) in [("service", ""), ("frame", "pkg17"), ("label.pod", "pod-4"), ("class", "n")] {
        let started = Instant::now();
        let offers = store.offers(None, fact, text, 20).await.unwrap().len();
        println!("{:>7.1} ms, {offers} offers for {fact}:{text}", started.elapsed().as_secs_f64() * 1e3);
    }
}
