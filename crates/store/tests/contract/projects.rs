//! What is of one project is nothing to another.

use panicle_query::Query;
use panicle_store::{
    CrashFilter, CrashStatus, DEFAULT_PROJECT, EvidenceKind, GroupFilter, GroupPage, GroupSort, NewBlob,
    NewCrash, NewEvidence, NewProject, NewRule, ProjectChange, RuleKind, Split, Stats, Store, StoreError,
};

use crate::support::{contract, next, outcome};

async fn project(store: &Store, id: &str) {
    store.create_project(&NewProject { id: id.to_owned(), ..NewProject::default() }).await.unwrap();
}

async fn sent(store: &Store, project: &str, id: &str) -> bool {
    let blob = NewBlob {
        id: id.to_owned(),
        kind: EvidenceKind::Core,
        name: Some(format!("{project}.core")),
        size_bytes: 7,
        stored_bytes: 5,
    };
    store.record_blob(&blob, project).await.unwrap()
}

fn of(project: &str, core: &str) -> NewCrash {
    NewCrash {
        evidence: vec![NewEvidence { id: core.to_owned(), kind: EvidenceKind::Core }],
        service: Some(format!("{project}-service")),
        idempotency_key: Some("once".to_owned()),
        project: Some(project.to_owned()),
        ..NewCrash::default()
    }
}

/// A crash of a core that two projects may have, and its group.
async fn arrive(store: &Store, project: &str, core: &str, fingerprint: &str) -> (String, String) {
    sent(store, project, core).await;
    let new = NewCrash { idempotency_key: None, ..of(project, core) };
    let crash = store.create_crash(&new).await.unwrap().id;
    let job = next(store).await;
    let mut outcome = outcome(fingerprint);
    outcome.facts.add("frame", "main.shared");
    let group = store.commit_crash(&job.lease, &crash, &outcome).await.unwrap().group.unwrap();
    (crash, group)
}

#[expect(clippy::needless_pass_by_value, reason = "it is the answer of the call before it")]
fn not_there<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::NotFound { .. })), "{answer:?}");
}

#[expect(clippy::needless_pass_by_value, reason = "it is the answer of the call before it")]
fn invalid<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::Invalid(_))), "{answer:?}");
}

contract! {
    async fn projects_are_made_changed_and_archived(store: Store) {
        assert_eq!(store.projects(None, 10).await.unwrap().len(), 1, "the default one is there");
        let new = NewProject { id: "shop".to_owned(), requests_per_minute: Some(60), ..NewProject::default() };
        let made = store.create_project(&new).await.unwrap();
        assert_eq!((made.name.as_str(), made.requests_per_minute, made.upload_bytes_per_day), ("shop", Some(60), None));
        assert!(matches!(store.create_project(&new).await, Err(StoreError::Taken { .. })));
        invalid(store.create_project(&NewProject { id: "Shop".to_owned(), ..NewProject::default() }).await);
        let change = ProjectChange {
            name: Some("The shop".to_owned()),
            requests_per_minute: Some(None),
            upload_bytes_per_day: Some(Some(u64::MAX)),
            ..ProjectChange::default()
        };
        let changed = store.change_project("shop", &change).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.requests_per_minute), ("The shop", None));
        assert!(changed.upload_bytes_per_day.is_some());
        let archive = |archived| ProjectChange { archived: Some(archived), ..ProjectChange::default() };
        let changed = store.change_project("shop", &archive(true)).await.unwrap();
        assert!(changed.archived_at.is_some() && changed.name == "The shop" && changed.upload_bytes_per_day.is_some());
        sent(&store, "shop", "c1").await;
        invalid(store.create_crash(&of("shop", "c1")).await);
        invalid(store.open_project("shop").await);
        invalid(store.change_project(DEFAULT_PROJECT, &archive(true)).await);
        assert!(store.change_project("shop", &archive(false)).await.unwrap().archived_at.is_none());
        store.create_crash(&of("shop", "c1")).await.unwrap();
        not_there(store.change_project("cart", &archive(true)).await);
        not_there(store.create_crash(&of("cart", "c1")).await);
    }

    async fn evidence_is_named_by_those_who_sent_it(store: Store) {
        project(&store, "shop").await;
        assert!(sent(&store, "shop", "c1").await);
        assert!(!sent(&store, "shop", "c1").await);
        not_there(store.create_crash(&of(DEFAULT_PROJECT, "c1")).await);
        not_there(store.evidence_in(DEFAULT_PROJECT, "c1").await);
        assert!(!store.has_blob("cart", "c1").await.unwrap());
        assert!(sent(&store, DEFAULT_PROJECT, "c1").await, "new to that project");
        assert_eq!(store.evidence_in(DEFAULT_PROJECT, "c1").await.unwrap().name.as_deref(), Some("default.core"));
        assert_eq!(store.evidence_in("shop", "c1").await.unwrap().name.as_deref(), Some("shop.core"));
        // One core of two projects is two crashes, and a key of one is none of the other's.
        let one = store.create_crash(&of("shop", "c1")).await.unwrap();
        let other = store.create_crash(&of(DEFAULT_PROJECT, "c1")).await.unwrap();
        assert!(one.new && other.new && one.id != other.id);
        assert_eq!(store.create_crash(&of("shop", "c1")).await.unwrap().id, one.id);
        let named = &store.crash_evidence(&other.id).await.unwrap()[0].name;
        assert_eq!(named.as_deref(), Some("default.core"));
        assert_eq!(store.crash(&one.id).await.unwrap().project, "shop");
        sent(&store, "shop", "c2").await;
        let again = store.create_crash(&of("shop", "c2")).await;
        assert!(matches!(again, Err(StoreError::OtherCrash { .. })), "{again:?}");
        // Executables are shared.
        crate::support::blob(&store, "b1", EvidenceKind::Binary).await;
        assert!(store.has_blob("shop", "b1").await.unwrap());
    }

    async fn groups_do_not_cross_projects(store: Store) {
        project(&store, "shop").await;
        let (ours, our_group) = arrive(&store, "shop", "c1", "aa").await;
        let (theirs, their_group) = arrive(&store, DEFAULT_PROJECT, "c1", "aa").await;
        let (_, our_other) = arrive(&store, "shop", "c2", "bb").await;
        let (_, again) = arrive(&store, "shop", "c3", "aa").await;
        assert!(our_group != their_group && again == our_group);
        let details = store.group(&our_group).await.unwrap();
        assert_eq!((details.group.count, details.group.fingerprint.as_str()), (2, "aa"));
        assert_eq!(details.variants[0].fingerprint, "aa");
        let related: Vec<_> = details.related.iter().map(|group| group.id.clone()).collect();
        assert_eq!(related, std::slice::from_ref(&our_other), "of the same family, and of the same project");
        assert_eq!(store.crash(&ours).await.unwrap().signature.unwrap().1, "aa");
        invalid(store.merge_groups(&our_group, std::slice::from_ref(&their_group), None, None).await);
        let into = Split { fingerprints: vec!["aa".to_owned()], into: Some(their_group.clone()), ..Split::default() };
        invalid(store.split_group(&our_group, &into).await);
        store.merge_groups(&our_group, std::slice::from_ref(&our_other), None, None).await.unwrap();
        let split = Split { fingerprints: vec!["bb".to_owned()], ..Split::default() };
        let parted = store.split_group(&our_group, &split).await.unwrap();
        assert_eq!((parted.group.project.as_str(), parted.group.count), ("shop", 1));
        assert_eq!(store.crash(&theirs).await.unwrap().group_id, Some(their_group));
    }

    async fn what_is_listed_found_counted_and_offered_is_of_the_project(store: Store) {
        project(&store, "shop").await;
        let (ours, our_group) = arrive(&store, "shop", "c1", "aa").await;
        let (theirs, their_group) = arrive(&store, DEFAULT_PROJECT, "c2", "aa").await;
        let page = GroupPage { sort: GroupSort::LastSeen, after: None, limit: 10 };
        let query = |text: &str| Some(Query::parse(text).unwrap());
        for (project, text, crash, group) in [
            (Some("shop"), "", vec![&ours], vec![&our_group]),
            (Some("shop"), "class:nil-map-write main.shared", vec![&ours], vec![&our_group]),
            (Some("shop"), "project:default", vec![], vec![]),
            (None, "project:shop", vec![&ours], vec![&our_group]),
            (None, "-project:shop", vec![&theirs], vec![&their_group]),
            (None, "", vec![&theirs, &ours], vec![&their_group, &our_group]),
        ] {
            let (project, query) = (project.map(str::to_owned), query(text));
            let filter = CrashFilter { project: project.clone(), query: query.clone(), ..CrashFilter::default() };
            let crashes: Vec<_> = store.crashes(&filter, 10).await.unwrap().into_iter().map(|crash| crash.id).collect();
            assert_eq!(crashes.iter().collect::<Vec<_>>(), crash, "{text}");
            let filter = GroupFilter { project, query, ..GroupFilter::default() };
            let groups: Vec<_> = store.groups(&filter, &page).await.unwrap().into_iter().map(|group| group.id).collect();
            assert_eq!(groups.iter().collect::<Vec<_>>(), group, "{text}");
        }
        let one = Stats { crashes: 1, groups: 1, ..Stats::default() };
        assert_eq!(store.stats_in(Some("shop")).await.unwrap(), one);
        assert_eq!(store.stats().await.unwrap(), Stats { crashes: 2, groups: 2, ..Stats::default() });
        let events = store.events_in(Some("shop"), 0, None, 10).await.unwrap();
        assert_eq!(events.iter().map(|event| event.group.clone()).collect::<Vec<_>>(), [our_group]);
        assert!(store.events_in(Some("shop"), 0, Some(&their_group), 10).await.unwrap().is_empty());
        let offered = store.offers(Some("shop"), "service", "", 10).await.unwrap();
        assert_eq!(offered.iter().map(|offer| offer.value.as_str()).collect::<Vec<_>>(), ["shop-service"]);
        assert_eq!(store.offers(None, "service", "", 10).await.unwrap().len(), 2);
    }

    async fn a_merge_rule_claims_crashes_of_its_project_alone(store: Store) {
        project(&store, "shop").await;
        let (ours, _) = arrive(&store, "shop", "c1", "aa").await;
        let (theirs, their_group) = arrive(&store, DEFAULT_PROJECT, "c2", "bb").await;
        let new = NewRule {
            kind: RuleKind::Merge,
            name: "shared".to_owned(),
            predicate: "\"main.shared\"".to_owned(),
            group: None,
            project: Some("shop".to_owned()),
            mute: None,
        };
        assert_eq!(store.preview_rule(&new).await.unwrap().matched, 1);
        let rule = store.create_rule(&new, None, None).await.unwrap();
        assert_eq!(rule.project.as_deref(), Some("shop"));
        let job = next(&store).await;
        while !store.regroup_step(&job.lease).await.unwrap() {}
        assert_eq!(store.crash(&ours).await.unwrap().rule_id, Some(rule.id.clone()));
        let crash = store.crash(&theirs).await.unwrap();
        assert_eq!((crash.rule_id, crash.group_id, crash.status), (None, Some(their_group), CrashStatus::Done));
        let (late, _) = arrive(&store, DEFAULT_PROJECT, "c3", "cc").await;
        assert_eq!(store.crash(&late).await.unwrap().rule_id, None);
        assert_eq!(store.group(&rule.group.unwrap()).await.unwrap().group.project, "shop");
    }

    async fn projects_take_turns_whatever_the_backlog_of_each(store: Store) {
        project(&store, "shop").await;
        project(&store, "cart").await;
        let mut of_crash = std::collections::HashMap::new();
        let mut arrive = async |project: &'static str, count: usize| {
            let mut crashes = Vec::new();
            for n in 0..count {
                let core = format!("{project}-{n}-{}", of_crash.len());
                sent(&store, project, &core).await;
                let new = NewCrash { idempotency_key: None, ..of(project, &core) };
                let crash = store.create_crash(&new).await.unwrap().id;
                of_crash.insert(crash.clone(), project);
                crashes.push(crash);
            }
            crashes
        };
        let backlog = arrive("shop", 40).await;
        arrive("default", 3).await;
        let mut claimed = Vec::new();
        for _ in 0..4 {
            claimed.push(next(&store).await.subject);
        }
        // One crash of a third project does not wait for the others' backlogs.
        arrive("cart", 1).await;
        for _ in 0..5 {
            claimed.push(next(&store).await.subject);
        }
        let projects: Vec<&str> = claimed.iter().map(|crash| of_crash[crash]).collect();
        assert_eq!(projects, ["default", "shop", "default", "shop", "cart", "default", "shop", "shop", "shop"]);
        let own: Vec<&String> = claimed.iter().filter(|crash| of_crash[*crash] == "shop").collect();
        assert_eq!(own, backlog.iter().take(5).collect::<Vec<_>>(), "within a project, who has waited longest");
        // What a person waits for goes before, whosever turn it is.
        store.reanalyse(&backlog[39]).await.unwrap();
        assert_eq!(next(&store).await.subject, backlog[39]);
        // A job whose worker is gone is claimed again, in its project's turn.
        let later = jiff::Timestamp::now() + std::time::Duration::from_mins(5);
        let again = store.claim(&crate::support::claim(), later).await.unwrap().unwrap();
        assert_eq!(again.attempt, 2, "one of those whose leases have ended");
    }
}
