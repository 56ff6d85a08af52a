//! The core and the text of one crash that arrive as two.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use panicle_store::{
    CrashFilter, CrashStatus, EvidenceKind, GroupFilter, JoinKey, JoinSide, NewCrash, NewEvidence, Store,
    StoreError,
};

use crate::{
    crashes::page,
    support::{blob, contract, next, outcome},
};

/// A half of a crash.
#[derive(Clone, Copy)]
struct Half<'a> {
    side: JoinSide,
    pid: Option<i64>,
    host: Option<&'a str>,
    /// Seconds after the first.
    at: Option<i64>,
    /// Of goroutine 8, beside that of the one at fault.
    stack: &'a str,
}

const CORE: Half<'_> =
    Half { side: JoinSide::Core, pid: Some(4711), host: None, at: Some(0), stack: "parked" };
const TEXT: Half<'_> = Half { side: JoinSide::Text, host: Some("a"), at: Some(2), ..CORE };

async fn arrive(store: &Store, evidence: &str, half: Half<'_>) -> String {
    let kind = match half.side {
        JoinSide::Core => EvidenceKind::Core,
        JoinSide::Text => EvidenceKind::Text,
    };
    blob(store, evidence, kind).await;
    let base: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let new = NewCrash {
        evidence: vec![NewEvidence { id: evidence.to_owned(), kind }],
        hostname: half.host.map(str::to_owned),
        occurred_at: half.at.map(|at| base + SignedDuration::from_secs(at)),
        pid: half.pid,
        labels: BTreeMap::from([(evidence.to_owned(), "x".to_owned())]),
        ..NewCrash::default()
    };
    let id = store.create_crash(&new).await.unwrap().id;
    analyse(store, &id, Some(half)).await;
    id
}

async fn analyse(store: &Store, crash: &str, half: Option<Half<'_>>) {
    let job = next(store).await;
    assert_eq!(job.subject, crash);
    let mut outcome = outcome("aa");
    outcome.join = half.map(|half| JoinKey {
        side: half.side,
        fault: "1:boom".to_owned(),
        goroutines: BTreeMap::from([(1, "boom".to_owned()), (8, half.stack.to_owned())]),
    });
    store.commit_crash(&job.lease, crash, &outcome).await.unwrap();
}

async fn count(store: &Store) -> u64 {
    store.groups(&GroupFilter::default(), &page(10)).await.unwrap().iter().map(|group| group.count).sum()
}

async fn both_orders(store: &Store, first: Half<'_>, second: Half<'_>) {
    let one = arrive(store, "e1", first).await;
    assert_eq!(count(store).await, 1);
    let two = arrive(store, "e2", second).await;
    let (whole, part) = (store.crash(&one).await.unwrap(), store.crash(&two).await.unwrap());
    assert_eq!((part.joined_into.as_ref(), part.group_id), (Some(&one), None));
    assert_eq!(
        (whole.status, whole.hostname.as_deref(), whole.labels.len()),
        (CrashStatus::Queued, Some("a"), 2)
    );
    assert_eq!(count(store).await, 1, "one crash");
    assert_eq!(store.crash_evidence(&one).await.unwrap().len(), 2);
    let join = &store.joins(&one).await.unwrap()[0];
    assert_eq!(join.joined, two);
    assert_eq!(
        join.reason,
        "process 4711, 2.0 seconds between them, 2 goroutines with their numbers, functions and lines"
    );
    assert_eq!(store.crashes(&CrashFilter::default(), 10).await.unwrap().len(), 1);
    assert_eq!(store.stats().await.unwrap().crashes, 1);

    // With both halves there is nothing more to join; whoever names a half again is shown the whole.
    analyse(store, &one, None).await;
    assert_eq!((count(store).await, store.crash(&one).await.unwrap().status), (1, CrashStatus::Done));
    for evidence in ["e1", "e2"] {
        let kind = store.evidence(evidence).await.unwrap().kind;
        let new =
            NewCrash { evidence: vec![NewEvidence { id: evidence.to_owned(), kind }], ..NewCrash::default() };
        let again = store.create_crash(&new).await.unwrap();
        assert_eq!((&again.id, again.new), (&one, false));
    }
    assert_eq!(store.crash(&one).await.unwrap().status, CrashStatus::Done, "nothing is new");
    assert!(matches!(store.reanalyse(&two).await, Err(StoreError::Invalid(_))));
    store.reanalyse(&one).await.unwrap();
    analyse(store, &one, None).await;
    assert_eq!(count(store).await, 1);
}

contract! {
    async fn a_text_that_comes_after_its_core_is_the_same_crash(store: Store) {
        both_orders(&store, CORE, TEXT).await;
    }

    async fn a_core_that_comes_after_its_text_is_the_same_crash(store: Store) {
        both_orders(&store, TEXT, CORE).await;
    }

    async fn two_crashes_of_one_bug_are_not_taken_for_one(store: Store) {
        arrive(&store, "e1", CORE).await;
        // The same number of a process an hour later, another host's, another goroutine somewhere else,
        // another core; and one that nothing is known of but its stack.
        for (evidence, other) in [
            ("e2", Half { at: Some(3600), ..TEXT }),
            ("e3", Half { pid: Some(4712), ..TEXT }),
            ("e4", Half { stack: "elsewhere", ..TEXT }),
            ("e5", Half { at: Some(1), ..CORE }),
            ("e6", Half { pid: None, host: None, ..TEXT }),
        ] {
            let crash = arrive(&store, evidence, other).await;
            assert_eq!(store.crash(&crash).await.unwrap().joined_into, None, "{evidence}");
        }
        assert_eq!(count(&store).await, 6);
        // Two cores fit: which one it is would be a guess.
        let crash = arrive(&store, "e7", TEXT).await;
        assert_eq!(store.crash(&crash).await.unwrap().joined_into, None);
        assert_eq!(count(&store).await, 7);
    }

    async fn what_a_host_alone_says_holds_for_a_moment(store: Store) {
        let of = |side, at| Half { side, pid: Some(1), host: Some("pod"), at: Some(at), ..CORE };
        arrive(&store, "e1", of(JoinSide::Core, 0)).await;
        let next_restart = arrive(&store, "e2", of(JoinSide::Text, 11)).await;
        assert_eq!(store.crash(&next_restart).await.unwrap().joined_into, None);
        arrive(&store, "e3", of(JoinSide::Text, 3)).await;
        assert_eq!(count(&store).await, 2);
    }

    async fn a_process_number_without_a_host_says_little_of_what_was_received_later(store: Store) {
        let of = |side, at, host| Half { side, host, at: Some(at), ..CORE };
        arrive(&store, "e1", Half { at: None, ..CORE }).await;
        // Both are known by when they were received alone; one of them ten minutes ago.
        let late = arrive(&store, "e2", of(JoinSide::Text, 0, None)).await;
        assert_eq!(store.crash(&late).await.unwrap().joined_into, None);
        let now = arrive(&store, "e3", Half { at: None, host: None, ..TEXT }).await;
        assert!(store.crash(&now).await.unwrap().joined_into.is_some());
    }

    async fn among_many_of_one_bug_the_right_half_is_found_and_never_one_of_two(store: Store) {
        for n in 0..30 {
            arrive(&store, &format!("c{n}"), Half { pid: Some(5000 + n), ..CORE }).await;
        }
        let text = arrive(&store, "t1", Half { pid: Some(5029), ..TEXT }).await;
        let into = store.crash(&text).await.unwrap().joined_into.unwrap();
        assert_eq!(store.crash(&into).await.unwrap().pid, Some(5029));
        analyse(&store, &into, None).await;
        // Another one fits as well, the last of all.
        arrive(&store, "c30", Half { pid: Some(5001), ..CORE }).await;
        let text = arrive(&store, "t2", Half { pid: Some(5001), ..TEXT }).await;
        assert_eq!(store.crash(&text).await.unwrap().joined_into, None);
    }

    async fn what_a_text_says_is_found_though_the_core_is_gone(store: Store) {
        let core = arrive(&store, "e1", CORE).await;
        let group = store.crash(&core).await.unwrap().group_id.unwrap();
        assert_eq!(store.expire_cores(&group, Some(0)).await.unwrap(), 1);
        let text = arrive(&store, "e2", TEXT).await;
        assert_eq!(store.crash(&text).await.unwrap().joined_into.as_ref(), Some(&core));
        assert_eq!(store.crash(&core).await.unwrap().status, CrashStatus::Done, "it cannot be analysed again");
        let facts = store.facts(&core).await.unwrap();
        for (name, value) in [("host", "a"), ("label.e1", "x"), ("label.e2", "x")] {
            assert_eq!(facts.values(name).collect::<Vec<_>>(), [(value, 1)], "{name}");
        }
    }

    async fn a_person_parts_what_was_joined_and_it_stays_parted(store: Store) {
        let one = arrive(&store, "e1", CORE).await;
        let two = arrive(&store, "e2", TEXT).await;
        analyse(&store, &one, None).await;
        assert!(matches!(store.unjoin(&one, None, None).await, Err(StoreError::Invalid(_))), "it is the whole");
        store.unjoin(&two, Some("ada"), Some("another restart")).await.unwrap();
        assert!(matches!(store.unjoin(&two, None, None).await, Err(StoreError::Invalid(_))), "once");
        assert_eq!(count(&store).await, 2, "it is in its group again");
        let (whole, part) = (store.crash(&one).await.unwrap(), store.crash(&two).await.unwrap());
        assert_eq!((whole.hostname, part.hostname.as_deref()), (None, Some("a")));
        assert_eq!((whole.labels.len(), part.labels.len(), part.joined_into), (1, 1, None));
        assert_eq!((whole.status, part.status), (CrashStatus::Queued, CrashStatus::Queued));
        for (crash, half) in [(&one, CORE), (&two, TEXT)] {
            assert_eq!(store.crash_evidence(crash).await.unwrap().len(), 1);
            analyse(&store, crash, Some(half)).await;
        }
        assert!(store.joins(&one).await.unwrap().is_empty());
        assert_eq!(store.crash(&two).await.unwrap().joined_into, None, "they are not joined again");
        assert_eq!(count(&store).await, 2);
        assert_eq!(store.events(0, None, 10).await.unwrap().len(), 1, "it is no news");
    }
}
