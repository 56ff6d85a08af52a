//! Evidence, crashes, groups, reports.

use std::collections::BTreeMap;

use jiff::Timestamp;
use panicle_query::Query;
use panicle_report::BuildIds;
use panicle_store::{
    CrashFilter, CrashStatus, EvidenceKind, GroupChange, GroupFilter, GroupPage, GroupSort, GroupState,
    JobKind, NewCrash, NewEvidence, Part, Store, StoreError,
};

use crate::support::{blob, contract, crash, facts, next, outcome, waiting};

pub(crate) fn page(limit: u32) -> GroupPage {
    GroupPage { sort: GroupSort::LastSeen, after: None, limit }
}

async fn analysed(store: &Store, core: &str, service: &str, fingerprint: &str) -> String {
    let id = crash(store, core, service).await;
    let job = next(store).await;
    store.commit_crash(&job.lease, &id, &outcome(fingerprint)).await.unwrap();
    id
}

contract! {
    async fn a_blob_is_recorded_once(store: Store) {
        assert!(blob(&store, "t1", EvidenceKind::Text).await);
        assert!(!blob(&store, "t1", EvidenceKind::Race).await);
        let evidence = store.evidence("t1").await.unwrap();
        assert_eq!((evidence.kind, evidence.size_bytes, evidence.name.as_deref()), (EvidenceKind::Text, 7, Some("t1.x")));
        assert!(evidence.binary.is_none());
        assert!(matches!(store.evidence("t2").await, Err(StoreError::NotFound { .. })));
        store.ping().await.unwrap();
    }

    async fn an_executable_is_looked_at_and_wakes_who_waits_for_it(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        let job = next(&store).await;
        let committed = store.commit_crash(&job.lease, &id, &waiting("g1", &[])).await.unwrap();
        assert_eq!((committed.status, committed.group), (CrashStatus::WaitingForBinary, None));
        assert!(store.crash(&id).await.unwrap().missing_binary);

        assert!(blob(&store, "b0", EvidenceKind::Binary).await && blob(&store, "b1", EvidenceKind::Binary).await);
        let other = next(&store).await;
        assert_eq!((other.kind, other.subject.as_str()), (JobKind::Identify, "b0"));
        assert!(store.commit_binary(&other.lease, "b0", Err("no executable")).await.unwrap().is_empty());
        let right = next(&store).await;
        assert_eq!(store.commit_binary(&right.lease, "b1", Ok(&facts("g1"))).await.unwrap(), std::slice::from_ref(&id));
        let ids = BuildIds { gnu: Some("g1".to_owned()), ..BuildIds::default() };
        assert_eq!(store.matching_binaries(&ids).await.unwrap(), ["b1"]);
        assert!(store.matching_binaries(&BuildIds::default()).await.unwrap().is_empty());

        let job = next(&store).await;
        assert_eq!((job.kind, job.subject.as_str()), (JobKind::Analyse, id.as_str()));
        let mut done = outcome("aa");
        done.matched = vec!["b1".to_owned()];
        store.commit_crash(&job.lease, &id, &done).await.unwrap();
        let evidence = store.crash_evidence(&id).await.unwrap();
        assert_eq!(evidence.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["b1", "c1"]);
        assert_eq!(evidence[0].binary.as_ref().unwrap().facts, facts("g1"));
        let listed = store.binaries(None, 1).await.unwrap();
        let rest = (listed[0].received_at.as_microsecond(), listed[0].id.clone());
        assert_eq!(listed[0].id, "b1");
        let listed = store.binaries(Some(rest), 10).await.unwrap();
        assert_eq!((listed[0].id.as_str(), listed[0].problem.as_deref()), ("b0", Some("no executable")));
    }

    async fn an_executable_that_arrives_during_the_analysis_is_not_missed(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        let analysis = next(&store).await;
        blob(&store, "b1", EvidenceKind::Binary).await;
        let identification = next(&store).await;
        let woken = store.commit_binary(&identification.lease, "b1", Ok(&facts("g1"))).await.unwrap();
        assert!(woken.is_empty(), "nothing waits yet");
        let committed = store.commit_crash(&analysis.lease, &id, &waiting("g1", &[])).await.unwrap();
        assert_eq!(committed.status, CrashStatus::Queued);
        let again = next(&store).await;
        let committed = store.commit_crash(&again.lease, &id, &waiting("g1", &["b1"])).await.unwrap();
        assert_eq!(committed.status, CrashStatus::WaitingForBinary, "tried, and not it");
    }

    async fn a_stripped_executable_is_settled_until_its_debug_information_arrives(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        let other = crash(&store, "c2", "shop").await;
        let mut stripped = outcome("aa");
        stripped.analysed.build_ids.text_sha256 = Some("t1".to_owned());
        for crash in [&id, &other] {
            let job = next(&store).await;
            stripped.wants_debug = (*crash == id).then(Vec::new);
            let committed = store.commit_crash(&job.lease, crash, &stripped).await.unwrap();
            assert_eq!(committed.status, CrashStatus::Done);
        }
        let with_text = |text: &str, dwarf: &str| {
            let build_ids = BuildIds { text_sha256: Some(text.to_owned()), ..BuildIds::default() };
            panicle_store::BinaryFacts { build_ids, dwarf: Some(dwarf.to_owned()), ..facts("g2") }
        };
        let mut woken = Vec::new();
        for (binary, facts) in [("b1", with_text("t1", "none")), ("b2", with_text("t2", "full")), ("b3", with_text("t1", "full"))] {
            blob(&store, binary, EvidenceKind::Binary).await;
            let job = next(&store).await;
            woken.push(store.commit_binary(&job.lease, binary, Ok(&facts)).await.unwrap());
        }
        assert_eq!(woken, [vec![], vec![], vec![id.clone()]]);
        assert_eq!(store.binaries_with_text("t1").await.unwrap(), ["b3"]);

        // One that arrived while the analysis ran is not missed, and one that was tried is of no use.
        for (tried, status) in [("b1", CrashStatus::Queued), ("b3", CrashStatus::Done)] {
            let job = next(&store).await;
            stripped.wants_debug = Some(vec![tried.to_owned()]);
            let committed = store.commit_crash(&job.lease, &id, &stripped).await.unwrap();
            assert_eq!(committed.status, status);
        }
    }

    async fn a_crash_is_known_by_its_core_and_by_its_key(store: Store) {
        blob(&store, "c1", EvidenceKind::Core).await;
        blob(&store, "t1", EvidenceKind::Text).await;
        let evidence = |id: &str, kind| NewEvidence { id: id.to_owned(), kind };
        let mut new = NewCrash {
            evidence: vec![evidence("c1", EvidenceKind::Core)],
            labels: BTreeMap::from([("pod".to_owned(), "a".to_owned())]),
            idempotency_key: Some("k".to_owned()),
            occurred_at: Some("2026-01-02T03:04:05.000006Z".parse().unwrap()),
            ..NewCrash::default()
        };
        let first = store.create_crash(&new).await.unwrap();
        assert!(first.new);
        let job = next(&store).await;
        store.commit_crash(&job.lease, &first.id, &outcome("aa")).await.unwrap();

        new.evidence.push(evidence("t1", EvidenceKind::Text));
        new.idempotency_key = None;
        new.service = Some("shop".to_owned());
        new.labels = BTreeMap::from([("zone".to_owned(), "b".to_owned())]);
        let second = store.create_crash(&new).await.unwrap();
        assert_eq!((&second.id, second.new), (&first.id, false));
        let crash = store.crash(&first.id).await.unwrap();
        assert_eq!((crash.status, crash.service.as_deref(), crash.labels.len()), (CrashStatus::Queued, Some("shop"), 2));
        assert_eq!(crash.occurred_at, Some("2026-01-02T03:04:05.000006Z".parse().unwrap()));

        new.evidence = vec![evidence("t1", EvidenceKind::Text)];
        new.idempotency_key = Some("k".to_owned());
        assert_eq!(store.create_crash(&new).await.unwrap().id, first.id);
        new.evidence = vec![evidence("t1", EvidenceKind::Core)];
        assert!(matches!(store.create_crash(&new).await, Err(StoreError::WrongKind { .. })));
        new.evidence = vec![evidence("x", EvidenceKind::Core)];
        assert!(matches!(store.create_crash(&new).await, Err(StoreError::NotFound { .. })));
        // The key again, for another core: two crashes are never mixed.
        blob(&store, "c2", EvidenceKind::Core).await;
        new.evidence = vec![evidence("c2", EvidenceKind::Core)];
        match store.create_crash(&new).await {
            Err(StoreError::OtherCrash { id }) => assert_eq!(id, first.id),
            other => panic!("{other:?}"),
        }
    }

    async fn crashes_are_listed_newest_first_and_filtered(store: Store) {
        let one = analysed(&store, "c1", "shop", "aa").await;
        let two = analysed(&store, "c2", "cart", "aa").await;
        let three = crash(&store, "c3", "shop").await;
        let ids = async |filter: CrashFilter, limit| -> Vec<String> {
            store.crashes(&filter, limit).await.unwrap().into_iter().map(|crash| crash.id).collect()
        };
        let all = CrashFilter::default();
        assert_eq!(ids(all.clone(), 10).await, [three.clone(), two.clone(), one.clone()]);
        assert_eq!(ids(CrashFilter { before: Some(three.clone()), ..all.clone() }, 1).await, std::slice::from_ref(&two));
        let shop = CrashFilter { service: Some("shop".to_owned()), ..all.clone() };
        assert_eq!(ids(shop.clone(), 10).await, [three.clone(), one.clone()]);
        let done = CrashFilter { status: Some(CrashStatus::Done), class: Some("nil-map-write".to_owned()), ..shop };
        assert_eq!(ids(done, 10).await, std::slice::from_ref(&one));
        let group = store.crash(&one).await.unwrap().group_id;
        assert_eq!(ids(CrashFilter { group, ..all }, 10).await, [two, one]);
        let stats = store.stats().await.unwrap();
        assert_eq!((stats.crashes, stats.groups, stats.queued), (3, 1, 1));
    }

    async fn groups_count_each_crash_once(store: Store) {
        let one = analysed(&store, "c1", "shop", "aa").await;
        analysed(&store, "c2", "cart", "aa").await;
        analysed(&store, "c3", "cart", "bb").await;
        let by_count = GroupPage { sort: GroupSort::Count, ..page(10) };
        let groups = store.groups(&GroupFilter::default(), &by_count).await.unwrap();
        assert_eq!(groups.iter().map(|group| group.count).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(groups[0].services, ["cart", "shop"]);
        assert_eq!(groups[0].trend.len(), 24);
        assert_eq!(groups[0].trend.iter().map(|(_, count)| count).sum::<u64>(), 2);

        // Analysed again, and it turns out to be the other one.
        store.reanalyse(&one).await.unwrap();
        let job = next(&store).await;
        store.commit_crash(&job.lease, &one, &outcome("bb")).await.unwrap();
        let groups = store.groups(&GroupFilter::default(), &by_count).await.unwrap();
        assert_eq!(groups.iter().map(|group| (group.fingerprint.as_str(), group.count)).collect::<Vec<_>>(), [("bb", 2), ("aa", 1)]);
        let after = Some((groups[0].sort_value(GroupSort::Count), groups[0].id.clone()));
        let rest = store.groups(&GroupFilter::default(), &GroupPage { after, ..by_count }).await.unwrap();
        assert_eq!(rest.iter().map(|group| group.fingerprint.as_str()).collect::<Vec<_>>(), ["aa"]);
    }

    async fn groups_are_found_and_changed(store: Store) {
        let one = analysed(&store, "c1", "shop", "aa").await;
        let found = async |text: &str| store.search(&Query::parse(text).unwrap(), 10).await.unwrap();
        assert_eq!(found("NIL-MAP").await.groups.len(), 1);
        assert!(found("nil_map").await.groups.is_empty());
        assert_eq!(found("SHO").await.crashes[0].id, one);
        assert_eq!(found(&one[..13]).await.crashes.len(), 1);
        assert!(found(" ").await.groups.is_empty());

        let id = store.crash(&one).await.unwrap().group_id.unwrap();
        let details = store.group(&id).await.unwrap();
        assert_eq!((details.frames.as_slice(), details.latest_crash.as_ref()), (["main.f".to_owned()].as_slice(), Some(&one)));
        let revision = details.group.revision;
        let change = GroupChange { state: Some(GroupState::Resolved), owner: Some("ada".to_owned()), if_revision: Some(revision), ..GroupChange::default() };
        let changed = store.change_group(&id, &change).await.unwrap().group;
        assert_eq!((changed.state, changed.owner.as_deref()), (GroupState::Resolved, Some("ada")));
        assert!(matches!(store.change_group(&id, &change).await, Err(StoreError::Conflict)));
        assert!(matches!(store.change_group("x", &change).await, Err(StoreError::NotFound { .. })));
        let filter = GroupFilter { state: Some(GroupState::Resolved), class: Some("nil-map-write".to_owned()), service: Some("shop".to_owned()), ..GroupFilter::default() };
        assert_eq!(store.groups(&filter, &page(10)).await.unwrap().len(), 1);

        // The same crash again says nothing new; another one says that it is not resolved.
        store.reanalyse(&one).await.unwrap();
        let job = next(&store).await;
        store.commit_crash(&job.lease, &one, &outcome("aa")).await.unwrap();
        assert_eq!(store.group(&id).await.unwrap().group.state, GroupState::Resolved);
        analysed(&store, "c2", "shop", "aa").await;
        assert_eq!(store.group(&id).await.unwrap().group.state, GroupState::Regressed);
    }

    async fn a_report_is_stored_in_parts_and_replaced_as_a_whole(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        assert!(store.report_part(&id, 0, Part::Head, 0).await.unwrap().is_none());
        let job = next(&store).await;
        let mut first = outcome("aa");
        first.parts.push(panicle_store::ReportPart { part: Part::Goroutines, seq: 1, body: vec![0, 255] });
        store.commit_crash(&job.lease, &id, &first).await.unwrap();
        assert_eq!(store.report_part(&id, 1, Part::Goroutines, 1).await.unwrap(), Some(vec![0, 255]));
        store.reanalyse(&id).await.unwrap();
        let job = next(&store).await;
        store.commit_crash(&job.lease, &id, &outcome("aa")).await.unwrap();
        assert_eq!(store.report_part(&id, 2, Part::Head, 0).await.unwrap(), Some(vec![1, 2, 3]));
        assert!(store.report_part(&id, 2, Part::Goroutines, 1).await.unwrap().is_none());
        // Who was reading the report before goes on with it, and nothing of the new one passes for it.
        assert_eq!(store.report_part(&id, 1, Part::Goroutines, 1).await.unwrap(), Some(vec![0, 255]));
        store.reanalyse(&id).await.unwrap();
        let job = next(&store).await;
        store.commit_crash(&job.lease, &id, &outcome("aa")).await.unwrap();
        assert_eq!(store.report_part(&id, 2, Part::Head, 0).await.unwrap(), Some(vec![1, 2, 3]));
        assert!(store.report_part(&id, 1, Part::Head, 0).await.unwrap().is_none());
        let crash = store.crash(&id).await.unwrap();
        assert_eq!(crash.report_revision, 3);
        assert!(crash.analysed_at.unwrap() <= Timestamp::now());
    }

    async fn texts_out_of_a_process_may_have_any_character(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        let job = next(&store).await;
        store.retry(&job, "a\0b", Timestamp::now(), true).await.unwrap();
        let job = next(&store).await;
        let mut odd = outcome("aa");
        "a\0b".clone_into(&mut odd.analysed.title);
        odd.analysed.hostname = Some("h\0".to_owned());
        odd.analysed.executable = Some("/bin/\0".to_owned());
        odd.analysed.module_version = Some("\0".to_owned());
        odd.analysed.build_ids.gnu = Some("\0".to_owned());
        "t\0".clone_into(&mut odd.signature.as_mut().unwrap().title);
        store.commit_crash(&job.lease, &id, &odd).await.unwrap();
        let stored = store.crash(&id).await.unwrap();
        assert_eq!((stored.title.as_deref(), stored.hostname.as_deref()), (Some("a\u{fffd}b"), Some("h\u{fffd}")));
        assert_eq!(store.group(&stored.group_id.unwrap()).await.unwrap().group.title, "t\u{fffd}");
        store.reanalyse(&id).await.unwrap();
        store.fail(&next(&store).await, "t\0", "p\0").await.unwrap();
    }
}
