//! When a crash happened and of which version, as its evidence or its reporter tells.

use jiff::{SignedDuration, Timestamp};
use panicle_query::Query;
use panicle_store::{
    CrashFilter, EvidenceKind, GroupChange, GroupState, NewCrash, NewEvidence, ResolvedIn, Store, TrendStep,
};

use crate::support::{blob, contract, next, outcome};

fn hours_ago(hours: i64) -> Timestamp {
    // As the database keeps it.
    let at = Timestamp::now() - SignedDuration::from_hours(hours);
    Timestamp::from_microsecond(at.as_microsecond()).unwrap()
}

fn text(id: &str) -> NewCrash {
    let evidence = vec![NewEvidence { id: id.to_owned(), kind: EvidenceKind::Text }];
    NewCrash { evidence, ..NewCrash::default() }
}

async fn arrive(store: &Store, new: &NewCrash, found: Option<Timestamp>) -> String {
    blob(store, &new.evidence[0].id, EvidenceKind::Text).await;
    let crash = store.create_crash(new).await.unwrap().id;
    analyse(store, &crash, found, None).await;
    crash
}

async fn analyse(store: &Store, crash: &str, found: Option<Timestamp>, version: Option<&str>) {
    let job = next(store).await;
    assert_eq!(job.subject, crash);
    let mut outcome = outcome("aa");
    outcome.analysed.occurred_at = found;
    outcome.analysed.module_version = version.map(str::to_owned);
    if let Some(version) = version {
        outcome.facts.add("version", version);
    }
    store.commit_crash(&job.lease, crash, &outcome).await.unwrap();
}

async fn group_of(store: &Store, crash: &str) -> String {
    store.crash(crash).await.unwrap().group_id.unwrap()
}

async fn find(store: &Store, query: &str) -> Vec<String> {
    let filter = CrashFilter { query: Some(Query::parse(query).unwrap()), ..CrashFilter::default() };
    store.crashes(&filter, 10).await.unwrap().into_iter().map(|crash| crash.id).collect()
}

contract! {
    async fn a_crash_is_counted_when_its_log_says_that_it_happened(store: Store) {
        let (then, later) = (hours_ago(30), hours_ago(3));
        let crash = arrive(&store, &text("t1"), Some(then)).await;
        assert_eq!(store.crash(&crash).await.unwrap().occurred_at, Some(then));
        let group = group_of(&store, &crash).await;
        let found = store.group(&group).await.unwrap().group;
        assert_eq!((found.first_seen, found.last_seen), (then, then));
        let trend = async || -> Vec<u64> {
            let trend = store.group_trend(&group, TrendStep::Hour, 48, Timestamp::now()).await.unwrap();
            trend.into_iter().map(|(_, crashes)| crashes).filter(|crashes| *crashes > 0).collect()
        };
        assert_eq!(trend().await, [1]);
        assert_eq!(find(&store, "since:24h").await, Vec::<String>::new());

        // What a later program reads of it counts, once.
        store.reanalyse(&crash).await.unwrap();
        analyse(&store, &crash, Some(later), None).await;
        let found = store.group(&group).await.unwrap().group;
        assert_eq!((found.first_seen, found.last_seen, found.count), (later, later, 1));
        assert_eq!(trend().await, [1]);
        assert_eq!(find(&store, "since:24h").await, [crash.as_str()]);

        // What somebody says goes before, and stays.
        let said = hours_ago(10);
        store.create_crash(&NewCrash { occurred_at: Some(said), ..text("t1") }).await.unwrap();
        let found = store.group(&group).await.unwrap().group;
        assert_eq!((found.first_seen, found.last_seen, found.count), (said, said, 1));
        store.reanalyse(&crash).await.unwrap();
        analyse(&store, &crash, Some(then), None).await;
        store.create_crash(&NewCrash { occurred_at: Some(then), ..text("t1") }).await.unwrap();
        assert_eq!(store.crash(&crash).await.unwrap().occurred_at, Some(said));
        assert_eq!(trend().await, [1]);
    }

    async fn a_log_of_the_future_is_not_believed(store: Store) {
        let crash = arrive(&store, &text("t1"), Some(hours_ago(-48))).await;
        let crash = store.crash(&crash).await.unwrap();
        assert_eq!(crash.occurred_at, None);
        assert!(crash.diagnostics.iter().any(|said| said.text.contains("not believed")), "{:?}", crash.diagnostics);
    }

    async fn an_old_log_regresses_nothing_and_a_newer_one_does(store: Store) {
        let first = arrive(&store, &text("t1"), None).await;
        let group = group_of(&store, &first).await;
        let resolved = ResolvedIn { version: Some("v1.5.0".to_owned()), ..ResolvedIn::default() };
        let change = GroupChange {
            state: Some(GroupState::Resolved),
            resolved_in: Some(resolved),
            ..GroupChange::default()
        };
        store.change_group(&group, &change).await.unwrap();
        let state = async || store.group(&group).await.unwrap().group.state;
        arrive(&store, &text("t2"), Some(hours_ago(1))).await;
        assert_eq!(state().await, GroupState::Resolved);
        // Nor does one of an older version that happened just now.
        let old = NewCrash { version: Some("v1.4.9".to_owned()), ..text("t3") };
        arrive(&store, &old, Some(Timestamp::now())).await;
        assert_eq!(state().await, GroupState::Resolved);
        arrive(&store, &text("t4"), Some(Timestamp::now() + SignedDuration::from_secs(1))).await;
        assert_eq!(state().await, GroupState::Regressed);
    }

    async fn a_version_that_is_told_counts_where_the_evidence_has_none(store: Store) {
        let told = NewCrash { version: Some("v1.4.2".to_owned()), ..text("t1") };
        let crash = arrive(&store, &told, None).await;
        let group = group_of(&store, &crash).await;
        let versions = async || -> Vec<(String, u64)> {
            let counts = store.group(&group).await.unwrap().by_version;
            counts.into_iter().map(|count| (count.value, count.crashes)).collect()
        };
        let shown = async || {
            let crash = store.crash(&crash).await.unwrap();
            [crash.module_version, crash.reported_version].map(Option::unwrap)
        };
        assert_eq!(shown().await, ["v1.4.2", "v1.4.2"]);
        assert_eq!(versions().await, [("v1.4.2".to_owned(), 1)]);
        assert_eq!(find(&store, "version:v1.4.*").await, [crash.as_str()]);

        store.reanalyse(&crash).await.unwrap();
        analyse(&store, &crash, None, Some("v1.6.0")).await;
        assert_eq!(shown().await, ["v1.6.0", "v1.4.2"]);
        assert_eq!(versions().await, [("v1.6.0".to_owned(), 1)]);
        assert_eq!(find(&store, "version:v1.4.*").await, Vec::<String>::new());
        // Told again, it does not go before the evidence.
        store.create_crash(&told).await.unwrap();
        assert_eq!(shown().await, ["v1.6.0", "v1.4.2"]);
        assert_eq!(find(&store, "version:v1.6.0").await, [crash.as_str()]);
        assert_eq!(find(&store, "version:v1.4.*").await, Vec::<String>::new());

        // Told of a crash that is known and has none.
        let other = arrive(&store, &text("t2"), None).await;
        assert_eq!(versions().await, [("v1.6.0".to_owned(), 1)]);
        store.create_crash(&NewCrash { version: Some("v1.4.3".to_owned()), ..text("t2") }).await.unwrap();
        assert_eq!(versions().await.len(), 2);
        assert_eq!(find(&store, "version:v1.4.*").await, [other.as_str()]);
    }
}
