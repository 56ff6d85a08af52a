//! What was set aside, and what is analysed again.

use std::time::Duration;

use panicle_store::{CrashFilter, CrashStatus, JobKind, Store, StoreError};

use crate::support::{contract, crash, next, outcome};

contract! {
    async fn what_was_set_aside_is_listed_and_tried_again(store: Store) {
        let poison = crash(&store, "c1", "shop").await;
        let job = next(&store).await;
        assert!(store.quarantined(None, None, 10).await.unwrap().is_empty());
        store.quarantine(&job, "it took its worker along").await.unwrap();
        let listed = store.quarantined(None, None, 10).await.unwrap();
        let [one] = listed.as_slice() else { panic!("{listed:?}") };
        assert_eq!((one.kind, &one.subject, one.attempts), (JobKind::Analyse, &poison, 1));
        assert_eq!((one.project.as_str(), one.problem.as_deref()), ("default", Some("it took its worker along")));
        assert_eq!(store.quarantined_job(&one.id).await.unwrap(), *one);
        assert!(store.quarantined(Some("cart"), None, 10).await.unwrap().is_empty());
        assert_eq!(store.quarantined(Some("default"), None, 10).await.unwrap().len(), 1);
        assert!(store.quarantined(None, Some(&one.id), 10).await.unwrap().is_empty());

        store.retry_quarantined(&one.id).await.unwrap();
        assert!(matches!(store.retry_quarantined(&one.id).await, Err(StoreError::NotFound { .. })));
        assert_eq!(store.crash(&poison).await.unwrap().status, CrashStatus::Queued);
        let again = next(&store).await;
        assert_eq!((&again.subject, again.attempt), (&poison, 1), "as if it had never been tried");
        store.commit_crash(&again.lease, &poison, &outcome("aa")).await.unwrap();
        assert!(store.quarantined(None, None, 10).await.unwrap().is_empty());
    }

    async fn what_went_wrong_before_is_known_when_history_is_called_off(store: Store) {
        let broken = crash(&store, "c1", "shop").await;
        store.fail(&next(&store).await, "The core is no core", "at byte 0").await.unwrap();
        let poison = crash(&store, "c2", "shop").await;
        store.quarantine(&next(&store).await, "it took its worker along").await.unwrap();
        // What is set aside is tried again one by one.
        let queued = store.reprocess(&CrashFilter::default(), 10).await.unwrap();
        assert_eq!((queued.crashes, store.waiting_history().await.unwrap()), (1, 1));
        assert_eq!(store.quarantined(None, None, 10).await.unwrap().len(), 1);
        assert_eq!(store.crash(&poison).await.unwrap().status, CrashStatus::Quarantined);
        store.call_off_history().await.unwrap();
        let broken = store.crash(&broken).await.unwrap();
        let failure = broken.failure.unwrap();
        assert_eq!((broken.status, failure.title.as_str()), (CrashStatus::Failed, "The core is no core"));
    }

    async fn history_is_analysed_again_behind_what_is_fresh(store: Store) {
        let mut known = Vec::new();
        for core in ["c1", "c2", "c3"] {
            let id = crash(&store, core, if core == "c3" { "cart" } else { "shop" }).await;
            store.commit_crash(&next(&store).await.lease, &id, &outcome("aa")).await.unwrap();
            known.push(id);
        }
        let shop = CrashFilter { service: Some("shop".to_owned()), ..CrashFilter::default() };
        let counted = store.count_to_reprocess(&shop).await.unwrap();
        assert_eq!((counted.crashes, counted.without_core), (2, 0));
        assert!(store.claim(&crate::support::claim(), jiff::Timestamp::now()).await.unwrap().is_none(), "only counted");
        // The oldest core of the group is deleted, and cannot be read again.
        let group = store.crash(&known[0]).await.unwrap().group_id.unwrap();
        store.expire_cores(&group, Some(2)).await.unwrap();
        let counted = store.count_to_reprocess(&CrashFilter::default()).await.unwrap();
        assert_eq!((counted.crashes, counted.without_core), (2, 1));
        assert!(matches!(store.reprocess_crashes(&known[..1], false).await, Err(StoreError::Invalid(_))));

        let first = store.reprocess(&CrashFilter::default(), 1).await.unwrap();
        assert_eq!((first.crashes, first.next.as_ref()), (1, Some(&known[2])), "newest first");
        let rest = CrashFilter { before: first.next, ..CrashFilter::default() };
        let rest = store.reprocess(&rest, 10).await.unwrap();
        assert_eq!((rest.crashes, rest.without_core, rest.next), (1, 1, None));
        assert_eq!(store.reprocess_crashes(&known[1..], true).await.unwrap().crashes, 2);
        assert_eq!(store.waiting_history().await.unwrap(), 2);
        // One of them is asked for by name as well.
        assert_eq!(store.reprocess_crashes(&known[1..2], false).await.unwrap().crashes, 1);
        // A person who changes their mind.
        assert_eq!(store.call_off_history().await.unwrap(), 1);
        assert_eq!((store.call_off_history().await.unwrap(), store.waiting_history().await.unwrap()), (0, 0));
        let named = next(&store).await;
        assert_eq!(named.subject, known[1], "not called off");
        store.commit_crash(&named.lease, &known[1], &outcome("aa")).await.unwrap();
        for id in &known {
            let kept = store.crash(id).await.unwrap();
            assert!(kept.status == CrashStatus::Done && kept.failure.is_none(), "{kept:?}");
        }
        assert!(store.claim(&crate::support::claim(), jiff::Timestamp::now()).await.unwrap().is_none(), "called off");
        assert_eq!(store.reprocess_crashes(&known[1..], false).await.unwrap().crashes, 2);
        // What arrives now is first nevertheless.
        let fresh = crash(&store, "c9", "shop").await;
        assert_eq!(next(&store).await.subject, fresh);
        let mut then = [next(&store).await.subject, next(&store).await.subject];
        then.sort();
        assert_eq!(then, [known[1].clone(), known[2].clone()]);
    }
}

contract! {
    async fn who_works_and_what_there_is_to_do_is_counted(store: Store) {
        let now = jiff::Timestamp::now();
        let live = async |after: u64| store.live_workers(now + Duration::from_secs(after)).await.unwrap();
        assert_eq!(live(0).await, 0);
        store.note_worker("a", 2, now).await.unwrap();
        store.note_worker("b", 2, now).await.unwrap();
        store.note_worker("a", 2, now + Duration::from_secs(30)).await.unwrap();
        assert_eq!((live(30).await, live(50).await, live(80).await), (2, 1, 0));
        store.forget_worker("b").await.unwrap();
        assert_eq!(live(30).await, 1);
        // Whoever was killed long ago is not kept for ever.
        let later = now + Duration::from_hours(2);
        store.note_worker("c", 2, later).await.unwrap();
        assert_eq!(live(30).await, 1, "c alone");

        crash(&store, "c1", "shop").await;
        crash(&store, "c2", "shop").await;
        crash(&store, "c3", "shop").await;
        let poison = next(&store).await;
        store.quarantine(&poison, "it took its worker along").await.unwrap();
        next(&store).await;
        let counts = async |now| {
            let counts = store.job_counts(now).await.unwrap();
            let one = *counts.iter().find(|count| count.kind == JobKind::Analyse).unwrap();
            assert!(counts.len() > 1 && counts.iter().all(|count| count.kind == one.kind || count.running == 0));
            (one.waiting, one.running, one.quarantined)
        };
        assert_eq!(counts(now).await, (1, 1, 1));
        assert_eq!(counts(later).await, (2, 0, 1), "its worker is gone");
    }
}
