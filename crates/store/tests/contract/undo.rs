//! Taking back what was decided about groups: exactly, or not at all.

use panicle_query::Facts;
use panicle_store::{
    CrashFilter, GroupState, JobKind, MuteUntil, NewRule, RuleKind, Split, Store, StoreError,
};

use crate::support::{contract, crash, next, outcome};

async fn arrive(store: &Store, core: &str, fingerprint: &str, function: &str) -> String {
    let id = crash(store, core, "shop").await;
    let job = next(store).await;
    assert_eq!(job.subject, id);
    let mut outcome = outcome(fingerprint);
    outcome.facts = Facts::new().with("class", "nil-map-write").with("frame", function);
    store.commit_crash(&job.lease, &id, &outcome).await.unwrap();
    id
}

async fn rule(
    store: &Store,
    kind: RuleKind,
    predicate: &str,
    mute: Option<MuteUntil>,
) -> panicle_store::Rule {
    let new = NewRule {
        kind,
        name: predicate.to_owned(),
        predicate: predicate.to_owned(),
        group: None,
        project: None,
        mute,
    };
    let rule = store.create_rule(&new, None, None).await.unwrap();
    regrouped(store).await;
    rule
}

async fn regrouped(store: &Store) {
    let job = next(store).await;
    assert_eq!(job.kind, JobKind::Regroup);
    while !store.regroup_step(&job.lease).await.unwrap() {}
}

async fn group_of(store: &Store, crash: &str) -> String {
    store.crash(crash).await.unwrap().group_id.unwrap()
}

/// Where every crash is, and which rule put it there.
async fn places(store: &Store) -> Vec<(String, Option<String>, Option<String>, bool)> {
    let crashes = store.crashes(&CrashFilter::default(), 100).await.unwrap();
    crashes.into_iter().map(|crash| (crash.id, crash.group_id, crash.rule_id, crash.pinned)).collect()
}

async fn entry(store: &Store, group: &str, action: &str) -> u64 {
    let history = store.group_history(group, None, 100).await.unwrap();
    history.iter().find(|entry| entry.action == action).unwrap().seq
}

contract! {
    async fn a_split_of_what_rules_had_placed_is_taken_back_exactly(store: Store) {
        rule(&store, RuleKind::Merge, "\"main.one\"", None).await;
        rule(&store, RuleKind::Merge, "\"main.two\"", None).await;
        // One signature that only rules have placed, by two rules; and one of which its own group has some.
        let first = arrive(&store, "c1", "aa", "main.one").await;
        arrive(&store, "c2", "aa", "main.two").await;
        arrive(&store, "c3", "bb", "main.none").await;
        let mixed = arrive(&store, "c4", "bb", "main.one").await;
        let keeper = arrive(&store, "c5", "cc", "main.one").await;
        let before = places(&store).await;
        let of_rule = group_of(&store, &keeper).await;
        let split = Split {
            fingerprints: vec!["aa".to_owned(), "bb".to_owned()],
            crashes: vec![keeper.clone()],
            ..Split::default()
        };
        let later = arrive(&store, "c6", "dd", "main.one").await;
        let parted = store.split_group(&of_rule, &split).await.unwrap();
        assert_eq!(parted.group.count, 5);
        assert_eq!(group_of(&store, &mixed).await, parted.group.id);
        // What arrives meanwhile is where the signature says, and afterwards where the rules do.
        let meanwhile = arrive(&store, "c7", "aa", "main.two").await;
        assert_eq!(group_of(&store, &meanwhile).await, parted.group.id);

        store.undo(&of_rule, entry(&store, &of_rule, "split").await, None).await.unwrap();
        regrouped(&store).await;
        let after = places(&store).await;
        for place in &before {
            assert!(after.contains(place), "{place:?} of {after:#?}");
        }
        assert_eq!(store.group(&parted.group.id).await.unwrap().group.count, 0);
        assert_eq!(group_of(&store, &meanwhile).await, before[3].1.clone().unwrap());
        assert_eq!([group_of(&store, &first).await, group_of(&store, &later).await], [of_rule.clone(), of_rule.clone()]);
        let again = arrive(&store, "c8", "aa", "main.one").await;
        assert_eq!(group_of(&store, &again).await, of_rule);
        assert_eq!(store.miscounted_facts().await.unwrap(), 0);
    }

    async fn what_was_split_again_since_is_not_taken_back(store: Store) {
        let one = arrive(&store, "c1", "aa", "main.f").await;
        arrive(&store, "c2", "bb", "main.f").await;
        let two = arrive(&store, "c3", "bb", "main.f").await;
        let aa = group_of(&store, &one).await;
        let bb = group_of(&store, &two).await;
        store.merge_groups(&aa, std::slice::from_ref(&bb), None, None).await.unwrap();
        let split = Split { crashes: vec![two.clone()], ..Split::default() };
        let parted = store.split_group(&aa, &split).await.unwrap().group.id;
        let third = arrive(&store, "c4", "cc", "main.f").await;
        store.merge_groups(&parted, &[group_of(&store, &third).await], None, None).await.unwrap();
        store.split_group(&parted, &Split { crashes: vec![two.clone()], ..Split::default() }).await.unwrap();
        let seq = entry(&store, &aa, "split").await;
        let before = places(&store).await;
        assert!(matches!(store.undo(&aa, seq, None).await, Err(StoreError::ChangedSince(_))));
        assert_eq!(places(&store).await, before);
        store.undo(&parted, entry(&store, &parted, "split").await, None).await.unwrap();
        store.undo(&aa, seq, None).await.unwrap();
        assert_eq!(group_of(&store, &two).await, aa);
        assert_eq!(store.miscounted_facts().await.unwrap(), 0);
    }

    async fn a_merge_is_only_taken_back_while_its_link_is_there(store: Store) {
        let mut groups = Vec::new();
        for (core, fingerprint) in [("c1", "aa"), ("c2", "bb"), ("c3", "cc")] {
            let crash = arrive(&store, core, fingerprint, "main.f").await;
            groups.push(group_of(&store, &crash).await);
        }
        let [aa, bb, cc] = groups.try_into().unwrap();
        store.merge_groups(&aa, std::slice::from_ref(&cc), None, None).await.unwrap();
        let old = entry(&store, &aa, "merge").await;
        let old_link = entry(&store, &cc, "merged").await;
        store.unmerge_group(&cc, None, None).await.unwrap();
        assert!(matches!(store.undo(&aa, old, None).await, Err(StoreError::ChangedSince(_))));
        // Somebody merged it elsewhere, and that is not what the old entries are about.
        store.merge_groups(&bb, std::slice::from_ref(&cc), None, None).await.unwrap();
        for (group, seq) in [(&aa, old), (&cc, old_link)] {
            assert!(matches!(store.undo(group, seq, None).await, Err(StoreError::ChangedSince(_))));
        }
        assert_eq!(store.group(&cc).await.unwrap().merged_into.as_ref(), Some(&bb));
        // Into the first one again: that is another link, too.
        store.undo(&bb, entry(&store, &bb, "merge").await, None).await.unwrap();
        store.merge_groups(&aa, std::slice::from_ref(&cc), None, None).await.unwrap();
        assert!(matches!(store.undo(&aa, old, None).await, Err(StoreError::ChangedSince(_))));
        assert_eq!(store.group(&cc).await.unwrap().merged_into.as_ref(), Some(&aa));
        store.undo(&aa, entry(&store, &aa, "merge").await, None).await.unwrap();
        assert_eq!(store.group(&cc).await.unwrap().merged_into, None);
        assert_eq!(store.miscounted_facts().await.unwrap(), 0);
    }

    async fn an_unmerge_taken_back_lets_rules_have_the_crashes_again(store: Store) {
        let one = arrive(&store, "c1", "aa", "main.f").await;
        let two = arrive(&store, "c2", "bb", "main.g").await;
        let (aa, bb) = (group_of(&store, &one).await, group_of(&store, &two).await);
        store.merge_groups(&aa, std::slice::from_ref(&bb), None, None).await.unwrap();
        store.unmerge_group(&bb, None, None).await.unwrap();
        assert!(store.group(&bb).await.unwrap().variants[0].pinned);
        store.undo(&bb, entry(&store, &bb, "unmerged").await, None).await.unwrap();
        assert!(store.group(&aa).await.unwrap().variants.iter().all(|variant| !variant.pinned));
        store.undo(&aa, 1, None).await.unwrap();
        let by_rule = rule(&store, RuleKind::Merge, "\"main.g\"", None).await;
        assert_eq!(store.crash(&two).await.unwrap().group_id, by_rule.group);
        assert_eq!(store.miscounted_facts().await.unwrap(), 0);
    }

    async fn a_mute_of_a_rule_that_was_taken_back_stays_so(store: Store) {
        let one = arrive(&store, "c1", "aa", "main.noise").await;
        rule(&store, RuleKind::Mute, "\"main.noise\"", None).await;
        let group = group_of(&store, &one).await;
        let state = async || store.group(&group).await.unwrap().group.state;
        assert_eq!(state().await, GroupState::Muted);
        store.undo(&group, entry(&store, &group, "muted").await, None).await.unwrap();
        assert_eq!(state().await, GroupState::New);
        arrive(&store, "c2", "aa", "main.noise").await;
        assert_eq!(state().await, GroupState::New, "a person said so");
        store.regroup("test").await.unwrap();
        regrouped(&store).await;
        assert_eq!(state().await, GroupState::New);
        assert_eq!(store.miscounted_facts().await.unwrap(), 0);
    }

    async fn a_chain_of_merges_has_no_end(store: Store) {
        let first = arrive(&store, "c0", "f0", "main.f").await;
        let mut group = group_of(&store, &first).await;
        let mut last = first.clone();
        for n in 1..70 {
            last = arrive(&store, &format!("c{n}"), &format!("f{n}"), "main.f").await;
            let into = group_of(&store, &last).await;
            store.merge_groups(&into, &[group], None, None).await.unwrap();
            group = into;
        }
        assert_eq!(store.group(&group).await.unwrap().group.count, 70);
        let again = arrive(&store, "c", "f0", "main.f").await;
        assert_eq!(group_of(&store, &again).await, group_of(&store, &last).await);
        assert!(store.preview_regrouping().await.unwrap().moves.is_empty());
        assert_eq!(store.miscounted_facts().await.unwrap(), 0);
    }
}
