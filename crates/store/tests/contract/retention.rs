//! What is deleted by policy, and what is not.

use panicle_store::{
    CorePolicy, EvidenceKind, GroupChange, NewBlob, NewCrash, NewEvidence, NewProject, Store, StoreError,
};

use crate::support::{blob, contract, crash, next, outcome};

async fn done(store: &Store, core: &str) -> String {
    let id = crash(store, core, "shop").await;
    let job = next(store).await;
    store.commit_crash(&job.lease, &id, &outcome("aa")).await.unwrap();
    id
}

async fn free(store: &Store) -> Vec<String> {
    let mut freed = Vec::new();
    for id in store.blobs_to_free(100).await.unwrap() {
        if store.free_blob(&id, || Ok(())).await.unwrap() {
            freed.push(id);
        }
    }
    freed
}

contract! {
    async fn the_newest_cores_of_a_group_are_kept_and_all_that_is_known(store: Store) {
        let mut crashes = Vec::new();
        for core in ["c1", "c2", "c3", "c4"] {
            crashes.push(done(&store, core).await);
        }
        let group = store.crash(&crashes[0]).await.unwrap().group_id.unwrap();
        assert_eq!(store.expire_cores(&group, None).await.unwrap(), 0, "all, unless somebody says otherwise");
        // The oldest waits to be analysed again, and the next one's core is also another crash's.
        store.reanalyse(&crashes[0]).await.unwrap();
        blob(&store, "t1", EvidenceKind::Text).await;
        let shared = NewCrash {
            evidence: vec![NewEvidence { id: "t1".to_owned(), kind: EvidenceKind::Text }, NewEvidence { id: "c2".to_owned(), kind: EvidenceKind::Core }],
            ..NewCrash::default()
        };
        store.create_crash(&shared).await.unwrap();
        assert_eq!(store.expire_cores(&group, Some(1)).await.unwrap(), 1);
        assert_eq!(free(&store).await, ["c3"]);
        assert!(free(&store).await.is_empty());
        let crash = store.crash(&crashes[2]).await.unwrap();
        assert!(crash.core_deleted_at.is_some() && crash.report_revision == 1 && crash.group_id.is_some());
        let evidence = &store.crash_evidence(&crashes[2]).await.unwrap()[0];
        let (_, reason) = evidence.deleted.as_ref().unwrap();
        assert!(reason.starts_with("deleted by policy, on 2"), "{reason}");
        assert_eq!(store.evidence("c3").await.unwrap().deleted.as_ref().unwrap().1, *reason);
        assert!(matches!(store.reanalyse(&crashes[2]).await, Err(StoreError::Invalid(_))));
        // What is gone cannot be named; other evidence can be added, and does not cost the report.
        let gone = NewCrash { evidence: vec![NewEvidence { id: "c3".to_owned(), kind: EvidenceKind::Core }], ..NewCrash::default() };
        assert!(matches!(store.create_crash(&gone).await, Err(StoreError::NotFound { .. })));

        // It is sent again, and the crash is whole again.
        assert!(blob(&store, "c3", EvidenceKind::Core).await);
        assert!(store.evidence("c3").await.unwrap().deleted.is_none());
        assert_eq!(store.create_crash(&gone).await.unwrap().id, crashes[2]);
        assert!(store.crash_evidence(&crashes[2]).await.unwrap()[0].deleted.is_none());
        assert!(store.crash(&crashes[2]).await.unwrap().core_deleted_at.is_none());
    }

    async fn an_upload_during_the_deletion_keeps_its_bytes(store: Store) {
        let crashes = [done(&store, "c1").await, done(&store, "c2").await];
        let group = store.crash(&crashes[0]).await.unwrap().group_id.unwrap();
        let keep = GroupChange { keep_cores: Some(1), ..GroupChange::default() };
        store.change_group(&group, &keep).await.unwrap();
        assert_eq!(store.expire_cores(&group, None).await.unwrap(), 1, "decided for this group");
        assert_eq!(store.blobs_to_free(10).await.unwrap(), ["c1"]);
        assert!(blob(&store, "c1", EvidenceKind::Core).await);
        assert!(!store.free_blob("c1", || panic!("it is wanted again")).await.unwrap());
        // Bytes that could not be removed are tried again.
        store.expire_cores(&group, None).await.unwrap();
        let crash = done(&store, "c3").await;
        store.expire_cores(&group, None).await.unwrap();
        let failed = store.free_blob("c2", || Err(std::io::Error::other("no"))).await;
        assert!(matches!(failed, Err(StoreError::Io { .. })));
        assert_eq!(store.blobs_to_free(10).await.unwrap(), ["c2"]);
        assert!(store.crash(&crash).await.unwrap().core_deleted_at.is_none());
    }

    async fn cores_that_are_needed_still_are_kept_and_hold_up_no_others(store: Store) {
        let mut crashes = Vec::new();
        for core in ["c1", "c2", "c3", "c4", "c5"] {
            crashes.push(crash(&store, core, "shop").await);
            let job = next(&store).await;
            let mut outcome = outcome("aa");
            outcome.wants_debug = (core == "c4").then(Vec::new);
            store.commit_crash(&job.lease, &job.subject, &outcome).await.unwrap();
        }
        let group = store.crash(&crashes[0]).await.unwrap().group_id.unwrap();
        store.try_signatures().await.unwrap();
        assert_eq!(store.expire_cores(&group, Some(1)).await.unwrap(), 0, "each is to be tried");
        let due = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1);
        while let Some(job) = store.claim(&crate::support::claim(), due).await.unwrap() {
            store.commit_trial(&job.lease, &job.subject, None).await.unwrap();
        }
        // Stripped executables are the rule: a burst of them is no reason to keep all cores.
        assert_eq!(store.expire_cores(&group, Some(1)).await.unwrap(), 4);
    }

    async fn groups_with_more_cores_than_are_kept_are_found_at_once(store: Store) {
        let mut crashes = Vec::new();
        for core in ["c1", "c2", "c3"] {
            crashes.push(done(&store, core).await);
        }
        let group = store.crash(&crashes[0]).await.unwrap().group_id.unwrap();
        let found = async |keep| store.groups_to_expire(keep, "", 10).await.unwrap();
        assert!(found(None).await.is_empty() && found(Some(3)).await.is_empty());
        assert_eq!(found(Some(2)).await, std::slice::from_ref(&group));
        assert!(store.groups_to_expire(Some(2), &group, 10).await.unwrap().is_empty());
        let keep = GroupChange { keep_cores: Some(1), ..GroupChange::default() };
        store.change_group(&group, &keep).await.unwrap();
        assert_eq!(found(None).await, std::slice::from_ref(&group));
        assert_eq!(store.expire_cores(&group, None).await.unwrap(), 2);
        assert!(found(None).await.is_empty());
    }

    async fn cores_of_a_service_are_counted_apart_where_a_policy_says_so(store: Store) {
        let mut crashes = Vec::new();
        for (core, service) in [("c1", "shop"), ("c2", "auth"), ("c3", "shop"), ("c4", "mail"), ("c5", "mail"), ("c6", "shop")] {
            let id = crash(&store, core, service).await;
            let job = next(&store).await;
            store.commit_crash(&job.lease, &id, &outcome("aa")).await.unwrap();
            crashes.push(id);
        }
        let group = store.crash(&crashes[0]).await.unwrap().group_id.unwrap();
        assert_eq!(store.core_policy().await.unwrap(), (CorePolicy::default(), 0));
        let policy = CorePolicy { keep_cores: Some(2), services: [("shop".to_owned(), 1), ("none".to_owned(), 1)].into() };
        assert!(matches!(store.set_core_policy(&policy, Some(1)).await, Err(StoreError::Conflict)));
        assert_eq!(store.set_core_policy(&policy, Some(0)).await.unwrap(), 1);
        assert_eq!(store.core_policy().await.unwrap(), (policy, 1));
        assert_eq!(store.groups_to_expire(None, "", 10).await.unwrap(), std::slice::from_ref(&group));
        // Two of the shop, and one of the others together; not what the worker was started with.
        assert_eq!(store.expire_cores(&group, Some(100)).await.unwrap(), 3);
        assert!(store.groups_to_expire(None, "", 10).await.unwrap().is_empty());
        // A group that has nothing of the service is left alone, however many cores it has.
        for (core, service) in [("d1", "auth"), ("d2", "mail"), ("d3", "shop")] {
            let id = crash(&store, core, service).await;
            store.commit_crash(&next(&store).await.lease, &id, &outcome("bb")).await.unwrap();
        }
        assert!(store.groups_to_expire(None, "", 10).await.unwrap().is_empty());
        let id = crash(&store, "d4", "shop").await;
        store.commit_crash(&next(&store).await.lease, &id, &outcome("bb")).await.unwrap();
        let other = store.crash(&id).await.unwrap().group_id.unwrap();
        assert_eq!(store.groups_to_expire(None, "", 10).await.unwrap(), [other]);
        let mut freed = free(&store).await;
        freed.sort();
        assert_eq!(freed, ["c1", "c2", "c3"]);
        let evidence = &store.crash_evidence(&crashes[0]).await.unwrap()[0];
        assert!(evidence.deleted.as_ref().unwrap().1.ends_with(": the newest core of each group is kept, for service shop"));
        // What is decided for the group holds before.
        let keep = GroupChange { keep_cores: Some(3), ..GroupChange::default() };
        store.change_group(&group, &keep).await.unwrap();
        assert_eq!(store.set_core_policy(&CorePolicy { keep_cores: Some(1), ..CorePolicy::default() }, None).await.unwrap(), 2);
        assert_eq!(store.expire_cores(&group, None).await.unwrap(), 0);
    }

    async fn what_another_project_has_sent_and_not_yet_named_stays(store: Store) {
        let new = NewProject { id: "cart".to_owned(), ..NewProject::default() };
        store.create_project(&new).await.unwrap();
        let crashes = [done(&store, "c1").await, done(&store, "c2").await];
        let group = store.crash(&crashes[0]).await.unwrap().group_id.unwrap();
        // The same bytes, acknowledged to somebody who has not said yet what they belong to.
        let same = NewBlob { id: "c1".to_owned(), kind: EvidenceKind::Core, name: None, size_bytes: 7, stored_bytes: 5 };
        assert!(store.record_blob(&same, "cart").await.unwrap());
        assert_eq!(store.expire_cores(&group, Some(1)).await.unwrap(), 1);
        assert!(store.blobs_to_free(10).await.unwrap().is_empty());
        let theirs = NewCrash {
            evidence: vec![NewEvidence { id: "c1".to_owned(), kind: EvidenceKind::Core }],
            project: Some("cart".to_owned()),
            ..NewCrash::default()
        };
        let theirs = store.create_crash(&theirs).await.unwrap().id;
        store.commit_crash(&next(&store).await.lease, &theirs, &outcome("aa")).await.unwrap();
        // With their own policy it goes.
        let group = store.crash(&theirs).await.unwrap().group_id.unwrap();
        assert_eq!(store.expire_cores(&group, Some(0)).await.unwrap(), 1);
        assert_eq!(free(&store).await, ["c1"]);
    }
}
