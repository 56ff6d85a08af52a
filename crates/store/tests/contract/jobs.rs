//! Claims, leases, attempts.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use panicle_store::{CrashStatus, JobKind, Progress, Step, Store, StoreError};

use crate::support::{claim, contract, crash, next, outcome};

contract! {
    async fn a_job_is_claimed_by_one(store: Store) {
        let first = crash(&store, "c1", "shop").await;
        let second = crash(&store, "c2", "shop").await;
        let (one, two) = (next(&store).await, next(&store).await);
        assert_eq!((one.kind, one.attempt), (JobKind::Analyse, 1));
        let mut subjects = [one.subject, two.subject];
        subjects.sort();
        assert_eq!(subjects, [first.clone(), second]);
        assert!(store.claim(&claim(), Timestamp::now()).await.unwrap().is_none());
        let crash = store.crash(&first).await.unwrap();
        assert_eq!((crash.status, crash.attempts), (CrashStatus::Analysing, 1));
        assert!(crash.started_at.is_some());
    }

    async fn an_expired_lease_can_be_claimed_and_its_holder_cannot_commit(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        let late = next(&store).await;
        let now = Timestamp::now();
        assert!(store.heartbeat(&late.lease, now + Duration::from_mins(2)).await.unwrap());
        let soon = now + Duration::from_secs(90);
        assert!(store.claim(&claim(), soon).await.unwrap().is_none(), "the heartbeat keeps it");
        let later = now + Duration::from_mins(3);
        let holder = store.claim(&claim(), later).await.unwrap().unwrap();
        assert_eq!(holder.attempt, 2);
        assert!(!store.heartbeat(&late.lease, later).await.unwrap());
        let lost = store.commit_crash(&late.lease, &id, &outcome("aa")).await;
        assert!(matches!(lost, Err(StoreError::LeaseLost)), "{lost:?}");
        assert!(store.groups(&panicle_store::GroupFilter::default(), &crate::crashes::page(10)).await.unwrap().is_empty());
        assert!(matches!(store.retry(&late, "late", later, false).await, Err(StoreError::LeaseLost)));
        assert!(matches!(store.quarantine(&late, "late").await, Err(StoreError::LeaseLost)));
        let done = store.commit_crash(&holder.lease, &id, &outcome("aa")).await.unwrap();
        assert_eq!((done.status, done.new_group), (CrashStatus::Done, true));
    }

    async fn a_job_that_takes_its_worker_along_is_quarantined(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        let mut now = Timestamp::now();
        for attempt in 1..=3 {
            assert_eq!(store.claim(&claim(), now).await.unwrap().unwrap().attempt, attempt);
            now += Duration::from_mins(2);
        }
        assert!(store.claim(&claim(), now).await.unwrap().is_none());
        let crash = store.crash(&id).await.unwrap();
        assert_eq!(crash.status, CrashStatus::Quarantined);
        assert_eq!(crash.failure.unwrap().attempts, 3);
        store.reanalyse(&id).await.unwrap();
        assert_eq!(next(&store).await.attempt, 1);
    }

    async fn a_retry_waits_and_counts_unless_it_is_none_of_the_jobs_fault(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        let job = next(&store).await;
        let now = Timestamp::now();
        store.retry(&job, "killed", now + Duration::from_secs(10), false).await.unwrap();
        assert_eq!(store.crash(&id).await.unwrap().status, CrashStatus::Queued);
        assert!(store.claim(&claim(), now + Duration::from_secs(5)).await.unwrap().is_none());
        let job = store.claim(&claim(), now + Duration::from_secs(11)).await.unwrap().unwrap();
        assert_eq!(job.attempt, 2);
        store.retry(&job, "shutdown", now, true).await.unwrap();
        assert_eq!(next(&store).await.attempt, 2);
    }

    async fn how_far_an_analysis_is_can_be_seen(store: Store) {
        let (first, second) = (crash(&store, "c1", "shop").await, crash(&store, "c2", "shop").await);
        let job = next(&store).await;
        assert_eq!(job.subject, first);
        let waiting = store.analysis_progress(&second).await.unwrap().unwrap();
        assert_eq!((waiting.ahead, waiting.step), (Some(0), None));
        let since = Timestamp::from_microsecond(1_700_000_000_000_000).unwrap();
        let mut at = Progress { step: Step::Fetching, since, bytes: Some((5, 9)) };
        assert!(store.note_progress(&job.lease, &at).await.unwrap());
        let seen = store.analysis_progress(&first).await.unwrap().unwrap();
        assert_eq!((seen.step.as_deref(), seen.since, seen.bytes), (Some("fetching"), Some(since), Some((5, 9))));
        assert_eq!(seen.ahead, None);
        (at.step, at.bytes) = (Step::Reading, None);
        assert!(store.note_progress(&job.lease, &at).await.unwrap());
        let seen = store.analysis_progress(&first).await.unwrap().unwrap();
        assert_eq!((seen.step.as_deref(), seen.bytes), (Some("reading"), None));

        // The next attempt begins anew, and waits for its time.
        let later = Timestamp::now() + Duration::from_mins(1);
        store.retry(&job, "killed", later, false).await.unwrap();
        assert!(!store.note_progress(&job.lease, &at).await.unwrap());
        let waiting = store.analysis_progress(&first).await.unwrap().unwrap();
        assert_eq!(waiting.not_before.map(Timestamp::as_microsecond), Some(later.as_microsecond()));
        assert_eq!((waiting.ahead, waiting.step), (Some(1), None), "the other one goes first");
        store.claim(&claim(), later).await.unwrap().unwrap();
        store.claim(&claim(), later).await.unwrap().unwrap();
        assert_eq!(store.analysis_progress(&first).await.unwrap().unwrap().step, None);
    }

    async fn an_analysis_can_be_called_off(store: Store) {
        let (waiting, running) = (crash(&store, "c1", "shop").await, crash(&store, "c2", "shop").await);
        store.cancel_analysis(&waiting).await.unwrap();
        let job = next(&store).await;
        assert_eq!(job.subject, running);
        assert!(store.holds(&job.lease).await.unwrap());
        store.cancel_analysis(&running).await.unwrap();
        assert!(!store.holds(&job.lease).await.unwrap());
        let late = store.commit_crash(&job.lease, &running, &outcome("aa")).await;
        assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
        for id in [&waiting, &running] {
            let crash = store.crash(id).await.unwrap();
            assert_eq!(crash.status, CrashStatus::Failed);
            assert!(crash.failure.unwrap().title.contains("called off"));
            assert!(matches!(store.cancel_analysis(id).await, Err(StoreError::Invalid(_))));
        }
        assert!(store.claim(&claim(), Timestamp::now() + Duration::from_hours(1)).await.unwrap().is_none());

        // What there was stays, and it can be asked for again.
        store.reanalyse(&running).await.unwrap();
        let job = next(&store).await;
        assert_eq!(job.attempt, 1);
        store.commit_crash(&job.lease, &running, &outcome("aa")).await.unwrap();
        store.reanalyse(&running).await.unwrap();
        store.cancel_analysis(&running).await.unwrap();
        let crash = store.crash(&running).await.unwrap();
        assert_eq!((crash.status, crash.failure), (CrashStatus::Done, None));
    }

    async fn a_restarted_worker_takes_its_work_back_at_once(store: Store) {
        crash(&store, "c1", "shop").await;
        next(&store).await;
        assert_eq!(store.recover("another").await.unwrap(), 0);
        assert!(store.claim(&claim(), Timestamp::now()).await.unwrap().is_none());
        assert_eq!(store.recover("w").await.unwrap(), 1);
        assert_eq!(next(&store).await.attempt, 2);
    }

    async fn what_is_asked_for_while_it_runs_runs_once_more(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        let job = next(&store).await;
        store.reanalyse(&id).await.unwrap();
        assert!(store.claim(&claim(), Timestamp::now()).await.unwrap().is_none());
        let committed = store.commit_crash(&job.lease, &id, &outcome("aa")).await.unwrap();
        assert_eq!(committed.status, CrashStatus::Queued);
        let again = next(&store).await;
        let committed = store.commit_crash(&again.lease, &id, &outcome("aa")).await.unwrap();
        assert_eq!((committed.status, committed.new_group), (CrashStatus::Done, false));
        assert!(store.claim(&claim(), Timestamp::now()).await.unwrap().is_none());
        assert_eq!(store.group(&committed.group.unwrap()).await.unwrap().group.count, 1);
    }

    async fn it_is_known_how_long_work_waits(store: Store) {
        let now = Timestamp::now();
        assert_eq!(store.oldest_due(now).await.unwrap(), None);
        crash(&store, "c1", "shop").await;
        let in_a_minute = Timestamp::now() + Duration::from_mins(1);
        let waited = store.oldest_due(in_a_minute).await.unwrap().unwrap();
        assert!((55..=61).contains(&waited.as_secs()), "{waited:?}");
        let job = next(&store).await;
        assert_eq!(store.oldest_due(Timestamp::now()).await.unwrap(), None, "it is being done");
        // Its worker is gone: it waits since its lease is over.
        let waited = store.oldest_due(now + Duration::from_mins(3)).await.unwrap().unwrap();
        assert!((110..=121).contains(&waited.as_secs()), "{waited:?}");
        store.retry(&job, "not yet", in_a_minute, true).await.unwrap();
        assert_eq!(store.oldest_due(Timestamp::now()).await.unwrap(), None, "it is not to be done yet");
    }

    async fn evidence_that_cannot_be_read_fails(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        let job = next(&store).await;
        store.fail(&job, "unreadable", "it is not a core").await.unwrap();
        let crash = store.crash(&id).await.unwrap();
        assert_eq!(crash.status, CrashStatus::Failed);
        assert_eq!(crash.failure.unwrap().detail, "it is not a core");
        assert!(store.claim(&claim(), Timestamp::now() + Duration::from_hours(1)).await.unwrap().is_none());
    }

    async fn a_person_comes_before_what_arrives_and_history_after_it(store: Store) {
        let mut crashes = Vec::new();
        for core in ["c1", "c2", "c3"] {
            crashes.push(crash(&store, core, "shop").await);
            let job = next(&store).await;
            store.commit_crash(&job.lease, &job.subject, &outcome("aa")).await.unwrap();
        }
        store.try_signatures().await.unwrap();
        let fresh = crash(&store, "c4", "shop").await;
        store.reanalyse(&crashes[1]).await.unwrap();
        let due = Timestamp::now() + SignedDuration::from_secs(1);
        let mut order = Vec::new();
        while let Some(job) = store.claim(&claim(), due).await.unwrap() {
            order.push((job.kind, job.subject));
        }
        let [one, two, three] = crashes.try_into().unwrap();
        let analyse = JobKind::Analyse;
        let tried = JobKind::Try;
        assert_eq!(order, [(analyse, two.clone()), (analyse, fresh), (tried, three), (tried, two), (tried, one)]);
    }

    async fn to_be_analysed_for_the_sake_of_history_delays_nothing(store: Store) {
        let one = crash(&store, "c1", "shop").await;
        let job = next(&store).await;
        store.commit_crash(&job.lease, &one, &outcome("aa")).await.unwrap();
        store.reanalyse(&one).await.unwrap();
        // The trial of another signature asks for the same job, as one of history.
        store.try_signatures().await.unwrap();
        let tried = store.claim(&claim(), Timestamp::now() + SignedDuration::from_secs(1)).await.unwrap().unwrap();
        assert_eq!(tried.kind, JobKind::Analyse);
        store.commit_crash(&tried.lease, &one, &outcome("aa")).await.unwrap();
        let tried = store.claim(&claim(), Timestamp::now() + SignedDuration::from_secs(1)).await.unwrap().unwrap();
        store.commit_trial(&tried.lease, &one, Some(&crate::support::signature("bb"))).await.unwrap();
        store.reanalyse(&one).await.unwrap();
        store.apply_trial().await.unwrap();
        let fresh = crash(&store, "c2", "shop").await;
        assert_eq!(next(&store).await.subject, one, "the person still waits");
        assert_eq!(next(&store).await.subject, fresh);
    }
}
