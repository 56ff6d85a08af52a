//! Rules: tried, saved, applied, and taken back.

use panicle_query::Facts;
use panicle_store::{
    CrashFilter, EventKind, GroupState, JobKind, MuteUntil, NewRule, RuleChange, RuleKind, Split, Store,
    StoreError,
};

use crate::support::{contract, crash, next, outcome};

/// A crash with this fingerprint, whose stack has this function.
async fn arrive(store: &Store, core: &str, fingerprint: &str, function: &str) -> String {
    let id = crash(store, core, "shop").await;
    let job = next(store).await;
    assert_eq!(job.subject, id);
    let mut outcome = outcome(fingerprint);
    outcome.facts = Facts::new().with("class", "nil-map-write").with("frame", function);
    store.commit_crash(&job.lease, &id, &outcome).await.unwrap();
    id
}

fn rule(kind: RuleKind, predicate: &str) -> NewRule {
    NewRule {
        kind,
        name: format!("by {predicate}"),
        predicate: predicate.to_owned(),
        group: None,
        project: None,
        mute: None,
    }
}

async fn regrouped(store: &Store) {
    let job = next(store).await;
    assert_eq!(job.kind, JobKind::Regroup);
    while !store.regroup_step(&job.lease).await.unwrap() {}
    assert!(store.regrouping().await.unwrap().unwrap().finished_at.is_some());
}

async fn group_of(store: &Store, crash: &str) -> String {
    store.crash(crash).await.unwrap().group_id.unwrap()
}

async fn state_of(store: &Store, crash: &str) -> GroupState {
    store.group(&group_of(store, crash).await).await.unwrap().group.state
}

contract! {
    async fn a_merge_rule_is_tried_applied_to_history_and_put_back(store: Store) {
        let one = arrive(&store, "c1", "aa", "main.(*Cache).Put").await;
        let two = arrive(&store, "c2", "bb", "main.(*Cache).Put").await;
        let other = arrive(&store, "c3", "cc", "main.other").await;
        let homes = [group_of(&store, &one).await, group_of(&store, &two).await];
        let new = rule(RuleKind::Merge, r#""main.(*Cache).Put" && class:nil-map-write"#);

        let plan = store.preview_rule(&new).await.unwrap();
        assert_eq!((plan.looked_at, plan.matched, plan.moves.len()), (3, 2, 2));
        assert!(plan.moves.iter().all(|step| step.to.is_none() && step.crashes == 1) && plan.conflicts.is_empty());
        assert_eq!(plan.examples, [one.clone(), two.clone()]);
        assert_eq!(group_of(&store, &one).await, homes[0], "nothing is done");
        assert!(matches!(store.preview_rule(&rule(RuleKind::Merge, "main &&")).await, Err(StoreError::Invalid(_))));

        let saved = store.create_rule(&new, Some("ada"), Some("one cause")).await.unwrap();
        regrouped(&store).await;
        let group = saved.group.clone().unwrap();
        for crash in [&one, &two] {
            assert_eq!(group_of(&store, crash).await, group);
            assert_eq!(store.crash(crash).await.unwrap().rule_id.as_ref(), Some(&saved.id));
        }
        assert_ne!(group_of(&store, &other).await, group);
        let details = store.group(&group).await.unwrap();
        assert_eq!((details.origin.as_str(), details.group.count, details.variants.len()), ("rule", 2, 2));
        assert_eq!(store.regrouping().await.unwrap().unwrap().moved, 2);
        // Also what arrives later, which is no new group.
        let told = store.events(0, None, 100).await.unwrap().len();
        let later = arrive(&store, "c4", "dd", "main.(*Cache).Put").await;
        assert_eq!(group_of(&store, &later).await, group);
        assert!(store.preview_regrouping().await.unwrap().moves.is_empty());
        let events = store.events(told as u64, None, 100).await.unwrap();
        assert!(events.iter().all(|event| event.group == group), "{events:?}");

        // Off: all go back to where their signatures say.
        let off = RuleChange { enabled: Some(false), ..RuleChange::default() };
        store.change_rule(&saved.id, &off, Some("ada"), None).await.unwrap();
        regrouped(&store).await;
        assert_eq!([group_of(&store, &one).await, group_of(&store, &two).await], homes);
        assert_ne!(group_of(&store, &later).await, group);
        assert_eq!(store.group(&group).await.unwrap().group.count, 0);
        let on = RuleChange { enabled: Some(true), ..RuleChange::default() };
        store.change_rule(&saved.id, &on, None, None).await.unwrap();
        regrouped(&store).await;
        assert_eq!(store.group(&group).await.unwrap().group.count, 3);
        store.delete_rule(&saved.id, Some("bo"), None).await.unwrap();
        regrouped(&store).await;
        assert_eq!(group_of(&store, &one).await, homes[0]);
        assert!(store.rules().await.unwrap().is_empty());
        let history = store.rule_history(&saved.id).await.unwrap();
        let told: Vec<_> = history.iter().rev().map(|entry| (entry.action.as_str(), entry.actor.as_str())).collect();
        assert_eq!(told, [("created", "ada"), ("changed", "ada"), ("changed", "somebody"), ("deleted", "bo")]);
    }

    async fn a_group_in_another_one_is_no_longer_muted_by_a_rule_that_is_gone(store: Store) {
        let one = arrive(&store, "c1", "aa", "main.put").await;
        let two = arrive(&store, "c2", "bb", "main.get").await;
        let groups = [group_of(&store, &one).await, group_of(&store, &two).await];
        let muting = store.create_rule(&rule(RuleKind::Mute, r#""main.put""#), None, None).await.unwrap();
        regrouped(&store).await;
        assert_eq!(state_of(&store, &one).await, GroupState::Muted);
        store.merge_groups(&groups[1], &groups[..1], None, None).await.unwrap();
        store.delete_rule(&muting.id, None, None).await.unwrap();
        regrouped(&store).await;
        store.unmerge_group(&groups[0], None, None).await.unwrap();
        assert_eq!(group_of(&store, &one).await, groups[0]);
        assert_eq!(state_of(&store, &one).await, GroupState::New);
    }

    async fn rules_that_claim_one_crash_are_refused_and_so_is_one_against_a_person(store: Store) {
        let one = arrive(&store, "c1", "aa", "main.put").await;
        let two = arrive(&store, "c2", "aa", "main.put").await;
        let new = rule(RuleKind::Merge, r#""main.put""#);
        store.create_rule(&new, None, None).await.unwrap();
        regrouped(&store).await;
        let same = rule(RuleKind::Merge, "class:nil-map-write");
        let plan = store.preview_rule(&same).await.unwrap();
        assert_eq!(plan.conflicts.len(), 2);
        assert!(plan.conflicts[0].reason.contains("main.put"), "{:?}", plan.conflicts[0]);
        match store.create_rule(&same, None, None).await {
            Err(StoreError::Conflicts(conflicts)) => assert_eq!(conflicts[0].crash, one),
            other => panic!("{other:?}"),
        }
        // One that claims nothing of it is saved, and may not be made to claim it.
        let apart = store.create_rule(&rule(RuleKind::Merge, "class:deadlock"), None, None).await.unwrap();
        regrouped(&store).await;
        let wider = RuleChange { predicate: Some("class:nil-map-write".to_owned()), ..RuleChange::default() };
        assert!(matches!(store.change_rule(&apart.id, &wider, None, None).await, Err(StoreError::Conflicts(_))));
        assert!(store.create_rule(&rule(RuleKind::Mute, "class:nil-map-write"), None, None).await.is_ok(), "muting is no claim");
        regrouped(&store).await;

        // A person parts one of them: the rule does not take it back, and another one may not want it.
        let split = Split { crashes: vec![two.clone()], ..Split::default() };
        let parted = store.split_group(&group_of(&store, &one).await, &split).await.unwrap().group.id;
        store.regroup("test").await.unwrap();
        regrouped(&store).await;
        assert_eq!(group_of(&store, &two).await, parted);
        for rule in store.rules().await.unwrap() {
            store.delete_rule(&rule.id, None, None).await.unwrap();
            regrouped(&store).await;
        }
        match store.create_rule(&new, None, None).await {
            Err(StoreError::Conflicts(conflicts)) => {
                assert_eq!(conflicts.iter().map(|conflict| &conflict.crash).collect::<Vec<_>>(), [&two]);
            }
            other => panic!("{other:?}"),
        }
        let into = NewRule { group: Some(parted.clone()), ..new };
        store.create_rule(&into, None, None).await.unwrap();
        regrouped(&store).await;
        assert_eq!(group_of(&store, &one).await, parted, "where the person put it, there is no conflict");
    }

    async fn a_mute_rule_mutes_groups_that_have_nothing_else(store: Store) {
        let known = arrive(&store, "c1", "aa", "main.noise").await;
        let new = NewRule { mute: Some(MuteUntil { count: Some(3), ..MuteUntil::default() }), ..rule(RuleKind::Mute, r#""main.noise""#) };
        let plan = store.preview_rule(&new).await.unwrap();
        assert_eq!((plan.matched, plan.mutes[0].crashes, plan.mutes[0].of, plan.moves.len()), (1, 1, 1, 0));
        let saved = store.create_rule(&new, Some("ada"), None).await.unwrap();
        regrouped(&store).await;
        assert_eq!(state_of(&store, &known).await, GroupState::Muted);
        // A new group that is muted from the beginning is not told of; one with something else in it is.
        let fresh = arrive(&store, "c2", "bb", "main.noise").await;
        assert_eq!((state_of(&store, &fresh).await, store.events(0, None, 10).await.unwrap().len()), (GroupState::Muted, 1));
        arrive(&store, "c3", "bb", "main.other").await;
        assert_eq!(state_of(&store, &fresh).await, GroupState::New);
        let told = store.events(1, None, 10).await.unwrap();
        assert_eq!((told.len(), told[0].kind), (1, EventKind::Unmuted));
        assert!(told[0].reason.as_ref().unwrap().contains("does not match"));

        // Until there are too many, and then the rule has had its say.
        for core in ["c4", "c5", "c6", "c7"] {
            arrive(&store, core, "aa", "main.noise").await;
        }
        assert_eq!(state_of(&store, &known).await, GroupState::New);
        assert_eq!(store.events(2, None, 10).await.unwrap()[0].kind, EventKind::Escalated);

        // Off: what it still mutes is as it was before.
        let third = arrive(&store, "c8", "cc", "main.noise").await;
        assert_eq!(state_of(&store, &third).await, GroupState::Muted);
        store.change_rule(&saved.id, &RuleChange { enabled: Some(false), ..RuleChange::default() }, None, None).await.unwrap();
        assert_eq!(state_of(&store, &third).await, GroupState::New);
        regrouped(&store).await;
        let crashes = store.crashes(&CrashFilter::default(), 100).await.unwrap();
        assert_eq!(crashes.len(), 8);
        assert_eq!(state_of(&store, &third).await, GroupState::New);
    }
}

contract! {
    async fn an_older_rule_that_claims_too_ends_no_mute(store: Store) {
        let one = arrive(&store, "c1", "aa", "main.noise").await;
        let older = store.create_rule(&rule(RuleKind::Mute, "class:nil-map-write"), None, None).await.unwrap();
        regrouped(&store).await;
        store.change_rule(&older.id, &RuleChange { enabled: Some(false), ..RuleChange::default() }, None, None).await.unwrap();
        regrouped(&store).await;
        let newer = store.create_rule(&rule(RuleKind::Mute, "\"main.noise\""), None, None).await.unwrap();
        regrouped(&store).await;
        assert_eq!(state_of(&store, &one).await, GroupState::Muted);
        let told = store.events(0, None, 10).await.unwrap().len();
        store.change_rule(&older.id, &RuleChange { enabled: Some(true), ..RuleChange::default() }, None, None).await.unwrap();
        regrouped(&store).await;
        arrive(&store, "c2", "aa", "main.noise").await;
        let group = store.group(&group_of(&store, &one).await).await.unwrap();
        assert_eq!((group.group.state, group.mute.unwrap().rule), (GroupState::Muted, Some(newer.id)));
        assert_eq!(store.events(0, None, 10).await.unwrap().len(), told);
    }

    async fn the_group_of_a_rule_is_not_given_away_with_its_last_crash(store: Store) {
        let one = arrive(&store, "c1", "aa", "main.put").await;
        let saved = store.create_rule(&rule(RuleKind::Merge, "\"main.put\""), None, None).await.unwrap();
        regrouped(&store).await;
        // With another version of the signature it has another stack, which the rule does not claim.
        store.reanalyse(&one).await.unwrap();
        let job = next(&store).await;
        let mut other = outcome("bb");
        other.facts = Facts::new().with("class", "nil-map-write").with("frame", "main.other");
        other.signature = Some(panicle_report::Signature { version: 2, ..crate::support::signature("bb") });
        store.commit_crash(&job.lease, &one, &other).await.unwrap();
        let group = saved.group.unwrap();
        assert_ne!(group_of(&store, &one).await, group);
        assert_eq!(store.group(&group).await.unwrap().merged_into, None);
        let two = arrive(&store, "c2", "cc", "main.put").await;
        assert_eq!(group_of(&store, &two).await, group);
    }
}

contract! {
    async fn signatures_are_tried_on_history_before_they_hold(store: Store) {
        let mut crashes = Vec::new();
        for (core, fingerprint) in [("c1", "aa"), ("c2", "aa"), ("c3", "aa"), ("c4", "bb")] {
            crashes.push(arrive(&store, core, fingerprint, "main.f").await);
        }
        let (aa, bb) = (group_of(&store, &crashes[0]).await, group_of(&store, &crashes[3]).await);
        assert_eq!(store.try_signatures().await.unwrap(), 4);
        // The signature to come parts one from the first group, and puts another bug's crash to it.
        let to_come = [(&crashes[0], "A1"), (&crashes[1], "A1"), (&crashes[2], "A2"), (&crashes[3], "A1")];
        let due = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(10);
        let claim = crate::support::claim();
        while let Some(job) = store.claim(&claim, due).await.unwrap() {
            assert_eq!(job.kind, JobKind::Try);
            let fingerprint = to_come.iter().find(|(crash, _)| **crash == job.subject).unwrap().1;
            let signature = panicle_report::Signature { version: 2, ..crate::support::signature(fingerprint) };
            store.commit_trial(&job.lease, &job.subject, Some(&signature)).await.unwrap();
        }
        let trial = store.signature_trial().await.unwrap();
        assert_eq!((trial.total, trial.done, trial.changed), (4, 4, 4));
        let moves: Vec<_> = trial.moves.iter().map(|step| (step.from.as_str(), step.to.as_deref(), step.crashes)).collect();
        assert_eq!(moves.len(), 2);
        assert!(moves.contains(&(aa.as_str(), None, 1)) && moves.contains(&(bb.as_str(), Some(aa.as_str()), 1)), "{moves:?}");
        assert_eq!([group_of(&store, &crashes[2]).await, group_of(&store, &crashes[3]).await], [aa, bb], "nothing has moved");
        assert_eq!(store.crash(&crashes[0]).await.unwrap().status, panicle_store::CrashStatus::Done);

        assert_eq!(store.apply_trial().await.unwrap(), 4);
        let job = store.claim(&claim, due).await.unwrap().unwrap();
        assert_eq!((job.kind, job.subject.as_str()), (JobKind::Analyse, crashes[3].as_str()));
    }
}
