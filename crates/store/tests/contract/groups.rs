//! States, history, merging and splitting of groups.

use jiff::{SignedDuration, Timestamp};
use panicle_store::{
    Escalation, EventKind, GroupChange, GroupDetails, GroupFilter, GroupState, MuteUntil, NewCrash,
    NewEvidence, ResolvedIn, Split, Store, StoreError, TrendStep,
};
use serde_json::json;

use crate::{
    crashes::page,
    support::{blob, contract, next, outcome, signature},
};

/// What a crash of a test is of.
#[derive(Clone, Copy, Default)]
struct Of<'a> {
    fingerprint: &'a str,
    /// Of its signature; 1 unless it is given.
    signature: u32,
    version: Option<&'a str>,
    build: Option<&'a str>,
    revision: Option<&'a str>,
    /// Minutes ago.
    ago: i64,
}

fn minutes_ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

async fn arrive(store: &Store, core: &str, of: Of<'_>) -> String {
    blob(store, core, panicle_store::EvidenceKind::Core).await;
    let new = NewCrash {
        evidence: vec![NewEvidence { id: core.to_owned(), kind: panicle_store::EvidenceKind::Core }],
        occurred_at: Some(minutes_ago(of.ago)),
        hostname: Some(format!("host-{core}")),
        service: Some("shop".to_owned()),
        ..NewCrash::default()
    };
    let id = store.create_crash(&new).await.unwrap().id;
    analyse(store, &id, of).await;
    id
}

async fn analyse(store: &Store, crash: &str, of: Of<'_>) {
    let job = next(store).await;
    assert_eq!(job.subject, crash);
    let mut outcome = outcome(of.fingerprint);
    outcome.signature =
        Some(panicle_report::Signature { version: of.signature.max(1), ..signature(of.fingerprint) });
    outcome.analysed.module = Some("example.com/shop".to_owned());
    outcome.analysed.module_version = of.version.map(str::to_owned);
    outcome.analysed.vcs_revision = of.revision.map(str::to_owned);
    outcome.analysed.build_ids.gnu = of.build.map(str::to_owned);
    store.commit_crash(&job.lease, crash, &outcome).await.unwrap();
}

async fn again(store: &Store, crash: &str, of: Of<'_>) {
    store.reanalyse(crash).await.unwrap();
    analyse(store, crash, of).await;
}

async fn group_of(store: &Store, crash: &str) -> GroupDetails {
    let id = store.crash(crash).await.unwrap().group_id.unwrap();
    store.group(&id).await.unwrap()
}

fn state(state: GroupState) -> GroupChange {
    GroupChange { state: Some(state), actor: Some("ada".to_owned()), ..GroupChange::default() }
}

fn resolved_in(version: &str) -> GroupChange {
    let resolved = ResolvedIn { version: Some(version.to_owned()), ..ResolvedIn::default() };
    GroupChange { resolved_in: Some(resolved), ..state(GroupState::Resolved) }
}

async fn events(store: &Store) -> Vec<(EventKind, String)> {
    store.events(0, None, 100).await.unwrap().into_iter().map(|event| (event.kind, event.group)).collect()
}

async fn actions(store: &Store, group: &str) -> Vec<String> {
    let entries = store.group_history(group, None, 100).await.unwrap();
    entries.into_iter().rev().map(|entry| entry.action).collect()
}

/// The counts that are kept are those of the crashes.
pub(crate) async fn counts_are_true(store: &Store) {
    assert_eq!(store.miscounted_facts().await.unwrap(), 0);
    let groups = store.groups(&GroupFilter::default(), &page(500)).await.unwrap();
    let filter =
        |group: &str| panicle_store::CrashFilter { group: Some(group.to_owned()), ..Default::default() };
    for group in groups {
        let details = store.group(&group.id).await.unwrap();
        let crashes = store.crashes(&filter(&group.id), 1000).await.unwrap();
        let count = crashes.len() as u64;
        let seen = || crashes.iter().map(|crash| crash.occurred_at.unwrap_or(crash.received_at));
        assert_eq!(
            (group.count, Some(group.first_seen), Some(group.last_seen)),
            (count, seen().min(), seen().max())
        );
        assert_eq!(details.by_host.iter().map(|host| host.crashes).sum::<u64>(), count);
        assert_eq!(details.variants.iter().map(|variant| variant.crashes).sum::<u64>(), count);
        for version in details.by_version {
            let of_it =
                || crashes.iter().filter(|crash| crash.module_version.as_ref() == Some(&version.value));
            let seen = || of_it().map(|crash| crash.occurred_at.unwrap());
            assert_eq!(version.crashes, of_it().count() as u64);
            assert_eq!((Some(version.first_seen), Some(version.last_seen)), (seen().min(), seen().max()));
        }
        let trend = store.group_trend(&group.id, TrendStep::Day, 400, Timestamp::now()).await.unwrap();
        assert_eq!(trend.iter().map(|step| step.1).sum::<u64>(), count);
    }
}

contract! {
    async fn a_resolved_group_regresses_with_the_version_and_says_why(store: Store) {
        let of = |version| Of { fingerprint: "aa", version: Some(version), build: Some(version), ..Of::default() };
        let one = arrive(&store, "c1", of("v1.4.1")).await;
        let group = group_of(&store, &one).await.group;
        assert_eq!((group.state, events(&store).await), (GroupState::New, vec![(EventKind::New, group.id.clone())]));
        assert!(matches!(store.change_group(&group.id, &resolved_in("1.4")).await, Err(StoreError::Invalid(_))));
        store.change_group(&group.id, &resolved_in("v1.4.2")).await.unwrap();

        // Pods of the old version go on crashing: counted, and nobody is called.
        arrive(&store, "c2", of("v1.4.1")).await;
        arrive(&store, "c3", of("v1.4.2-rc.1")).await;
        let details = store.group(&group.id).await.unwrap();
        assert_eq!((details.group.state, details.group.count), (GroupState::Resolved, 3));
        assert_eq!(events(&store).await.len(), 1);

        arrive(&store, "c4", of("v1.4.2")).await;
        arrive(&store, "c5", of("v1.4.2")).await;
        let details = store.group(&group.id).await.unwrap();
        assert_eq!((details.group.state, details.group.count), (GroupState::Regressed, 5));
        let reason = details.group.state_reason.unwrap();
        assert_eq!(reason, "it was resolved in v1.4.2, and this crash is of v1.4.2");
        assert_eq!(details.resolved.unwrap().resolved_in.version.as_deref(), Some("v1.4.2"));
        let told = store.events(1, Some(&group.id), 10).await.unwrap();
        assert_eq!(told.len(), 1, "once, however many crashes there are");
        assert_eq!((told[0].kind, told[0].reason.as_ref()), (EventKind::Regressed, Some(&reason)));
        assert_eq!(actions(&store, &group.id).await, ["changed", "regressed"]);
        let versions: Vec<_> = details.by_version.into_iter().map(|row| (row.value, row.crashes)).collect();
        assert_eq!(versions, [("v1.4.1".to_owned(), 2), ("v1.4.2".to_owned(), 2), ("v1.4.2-rc.1".to_owned(), 1)]);
        counts_are_true(&store).await;
    }

    async fn builds_without_versions_are_ordered_by_when_they_were_seen_first(store: Store) {
        let of = |build, ago| Of { fingerprint: "aa", version: Some("(devel)"), build: Some(build), ago, ..Of::default() };
        let one = arrive(&store, "c1", of("b1", 60)).await;
        let group = group_of(&store, &one).await.group.id;
        store.change_group(&group, &state(GroupState::Resolved)).await.unwrap();
        arrive(&store, "c2", of("b1", 0)).await;
        assert_eq!(store.group(&group).await.unwrap().group.state, GroupState::Resolved);
        // A crash that happened before, of a build nobody knew of, and arrives late.
        arrive(&store, "c3", of("b0", 90)).await;
        assert_eq!(store.group(&group).await.unwrap().group.state, GroupState::Resolved);
        let later = Of { ago: -1, ..of("b2", 0) };
        arrive(&store, "c4", later).await;
        let details = store.group(&group).await.unwrap();
        assert_eq!(details.group.state, GroupState::Regressed);
        assert!(details.group.state_reason.unwrap().contains("seen first"));
        assert_eq!(details.by_build.len(), 3);

        // By the build that mends it: what came after that is newer.
        let fixed = ResolvedIn { build: Some("b1".to_owned()), ..ResolvedIn::default() };
        let change = GroupChange { resolved_in: Some(fixed), ..state(GroupState::Resolved) };
        store.change_group(&group, &change).await.unwrap();
        arrive(&store, "c5", of("b0", 0)).await;
        assert_eq!(store.group(&group).await.unwrap().group.state, GroupState::Resolved);
        arrive(&store, "c6", later).await;
        assert_eq!(store.group(&group).await.unwrap().group.state, GroupState::Regressed);

        let fixed = ResolvedIn { revision: Some("0123456789".to_owned()), ..ResolvedIn::default() };
        let change = GroupChange { resolved_in: Some(fixed), ..state(GroupState::Resolved) };
        store.change_group(&group, &change).await.unwrap();
        arrive(&store, "c7", Of { revision: Some("0123456789abcdef"), ..of("b0", 0) }).await;
        assert_eq!(store.group(&group).await.unwrap().group.state, GroupState::Regressed);
        counts_are_true(&store).await;
    }

    async fn a_mute_ends_by_itself_and_says_why(store: Store) {
        let of = |version| Of { fingerprint: "aa", version: Some(version), ..Of::default() };
        let one = arrive(&store, "c1", of("v1.0.0")).await;
        let group = group_of(&store, &one).await.group.id;
        let mute = |until: MuteUntil| GroupChange { mute: Some(until), ..state(GroupState::Muted) };
        let now = async || store.group(&group).await.unwrap().group;
        let told = async || store.events(1, None, 100).await.unwrap().into_iter().map(|event| event.kind).collect::<Vec<_>>();
        store.change_group(&group, &state(GroupState::Ongoing)).await.unwrap();

        let until = MuteUntil { count: Some(2), ..MuteUntil::default() };
        store.change_group(&group, &mute(until.clone())).await.unwrap();
        arrive(&store, "c2", of("v1.0.0")).await;
        assert_eq!(now().await.state, GroupState::Muted);
        assert!(told().await.is_empty());
        arrive(&store, "c3", of("v1.0.0")).await;
        assert_eq!(now().await.state, GroupState::Ongoing, "what it was before");
        assert!(now().await.state_reason.unwrap().contains("2 more crashes"));
        assert_eq!(told().await, [EventKind::Escalated]);

        let until = MuteUntil { version: Some("v1.1.0".to_owned()), ..MuteUntil::default() };
        store.change_group(&group, &mute(until)).await.unwrap();
        arrive(&store, "c4", of("v1.0.9")).await;
        assert_eq!(now().await.state, GroupState::Muted);
        arrive(&store, "c5", of("v1.1.0")).await;
        assert_eq!((now().await.state, told().await), (GroupState::Ongoing, vec![EventKind::Escalated, EventKind::Unmuted]));

        let escalation = Some(Escalation { per_hour: Some(1000) });
        let time = Some(Timestamp::now() + SignedDuration::from_hours(1));
        store.change_group(&group, &mute(MuteUntil { escalation, time, ..MuteUntil::default() })).await.unwrap();
        arrive(&store, "c6", of("v1.1.0")).await;
        assert_eq!(store.end_mutes(Timestamp::now()).await.unwrap(), 0);
        assert_eq!(now().await.state, GroupState::Muted);
        assert_eq!(store.end_mutes(Timestamp::now() + SignedDuration::from_hours(2)).await.unwrap(), 1);
        assert_eq!(now().await.state, GroupState::Ongoing);

        // Without a number, an escalation is measured by what was usual.
        let escalation = Some(Escalation::default());
        store.change_group(&group, &mute(MuteUntil { escalation, ..MuteUntil::default() })).await.unwrap();
        let muted = store.group(&group).await.unwrap().mute.unwrap();
        assert!(muted.until.escalation.unwrap().per_hour.unwrap() >= 10);
        let invalid = [
            GroupChange { mute: Some(until_past()), ..state(GroupState::Muted) },
            GroupChange { mute: Some(MuteUntil { count: Some(0), ..MuteUntil::default() }), ..state(GroupState::Muted) },
            GroupChange { mute: Some(MuteUntil::default()), ..state(GroupState::Ongoing) },
        ];
        for change in invalid {
            assert!(matches!(store.change_group(&group, &change).await, Err(StoreError::Invalid(_))), "{change:?}");
        }
    }

    async fn a_mute_counts_what_arrives_and_not_what_is_merged(store: Store) {
        let of = |fingerprint| Of { fingerprint, ..Of::default() };
        let one = arrive(&store, "c1", of("aa")).await;
        let group = group_of(&store, &one).await.group.id;
        for core in ["c2", "c3", "c4"] {
            arrive(&store, core, of("bb")).await;
        }
        let bb = group_of(&store, &arrive(&store, "c5", of("bb")).await).await.group.id;
        let until = MuteUntil { count: Some(3), ..MuteUntil::default() };
        let mute = GroupChange { mute: Some(until), ..state(GroupState::Muted) };
        store.change_group(&group, &mute).await.unwrap();
        let at_start = async || store.group(&group).await.unwrap().mute.unwrap().crashes_at_start;
        assert_eq!(at_start().await, 1);
        let state = async || store.group(&group).await.unwrap().group.state;
        store.merge_groups(&group, std::slice::from_ref(&bb), None, None).await.unwrap();
        arrive(&store, "c6", of("bb")).await;
        assert_eq!((state().await, at_start().await), (GroupState::Muted, 5));
        // Nor does it take longer when they are parted again.
        store.unmerge_group(&bb, None, None).await.unwrap();
        arrive(&store, "c7", of("aa")).await;
        assert_eq!(state().await, GroupState::Muted);
        arrive(&store, "c8", of("aa")).await;
        assert_eq!(state().await, GroupState::New);
    }

    async fn a_mute_of_a_group_that_is_merged_does_not_end(store: Store) {
        let one = arrive(&store, "c1", Of { fingerprint: "aa", ..Of::default() }).await;
        let two = arrive(&store, "c2", Of { fingerprint: "bb", ..Of::default() }).await;
        let (aa, bb) = (group_of(&store, &one).await.group.id, group_of(&store, &two).await.group.id);
        let time = Some(Timestamp::now() + SignedDuration::from_hours(1));
        let mute = GroupChange { mute: Some(MuteUntil { time, ..MuteUntil::default() }), ..state(GroupState::Muted) };
        store.change_group(&bb, &mute).await.unwrap();
        store.merge_groups(&aa, std::slice::from_ref(&bb), None, None).await.unwrap();
        let told = events(&store).await.len();
        let later = Timestamp::now() + SignedDuration::from_hours(2);
        assert_eq!(store.end_mutes(later).await.unwrap(), 0);
        assert_eq!(events(&store).await.len(), told);
        store.unmerge_group(&bb, None, None).await.unwrap();
        assert_eq!(store.end_mutes(later).await.unwrap(), 1);
    }

    async fn a_short_revision_names_its_build(store: Store) {
        let of = |build, revision, ago| Of { fingerprint: "aa", build: Some(build), revision: Some(revision), ago, ..Of::default() };
        let one = arrive(&store, "c1", of("b1", "aaaaaaaaaaaaaaaa", 60)).await;
        arrive(&store, "c2", of("b2", "bbbbbbbbbbbbbbbb", 30)).await;
        let group = group_of(&store, &one).await.group.id;
        let fixed = ResolvedIn { revision: Some("BBBBBBBBB".to_owned()), ..ResolvedIn::default() };
        store.change_group(&group, &GroupChange { resolved_in: Some(fixed), ..state(GroupState::Resolved) }).await.unwrap();
        // Of a build between the one that mends it and the moment somebody said so.
        arrive(&store, "c3", of("b3", "cccccccccccccccc", 10)).await;
        assert_eq!(store.group(&group).await.unwrap().group.state, GroupState::Regressed);
    }

    async fn what_people_change_is_written_down_and_taken_back(store: Store) {
        let one = arrive(&store, "c1", Of { fingerprint: "aa", ..Of::default() }).await;
        let group = group_of(&store, &one).await.group.id;
        let change = GroupChange {
            owner: Some(" bo ".to_owned()),
            notes: Some("see the runbook".to_owned()),
            reason: Some("on call".to_owned()),
            ..resolved_in("v1.2.3")
        };
        store.change_group(&group, &change).await.unwrap();
        store.change_group(&group, &GroupChange { owner: Some(String::new()), ..GroupChange::default() }).await.unwrap();
        // Nothing changes, so there is nothing to tell.
        store.change_group(&group, &GroupChange { owner: Some(String::new()), ..GroupChange::default() }).await.unwrap();
        let history = store.group_history(&group, None, 10).await.unwrap();
        assert_eq!(history.len(), 2);
        let first = &history[1];
        assert_eq!((first.seq, first.actor.as_str(), first.reason.as_deref()), (1, "ada", Some("on call")));
        assert_eq!((&first.from["state"], &first.to["state"], &first.to["owner"]), (&json!("new"), &json!("resolved"), &json!("bo")));
        assert_eq!(history[0].actor, "somebody");
        assert!(matches!(store.group_history("x", None, 1).await, Err(StoreError::NotFound { .. })));

        // The owner has changed since, so that the first entry cannot be taken back as a whole.
        assert!(matches!(store.undo(&group, 1, None).await, Err(StoreError::ChangedSince(_))));
        let back = store.undo(&group, 2, Some("cy")).await.unwrap();
        assert_eq!(back.group.owner.as_deref(), Some("bo"));
        assert!(matches!(store.undo(&group, 2, None).await, Err(StoreError::ChangedSince(_))), "once");
        let back = store.undo(&group, 1, Some("cy")).await.unwrap();
        assert_eq!((back.group.state, back.notes, back.resolved), (GroupState::New, None, None));
        let history = store.group_history(&group, None, 10).await.unwrap();
        assert_eq!(history.iter().map(|entry| (entry.seq, entry.undone_by)).collect::<Vec<_>>(), [(4, None), (3, None), (2, Some(3)), (1, Some(4))]);
        assert!(matches!(store.undo(&group, 9, None).await, Err(StoreError::NotFound { .. })));
    }

    async fn groups_are_merged_and_parted_exactly(store: Store) {
        let mut crashes = Vec::new();
        for (core, fingerprint) in [("c1", "aa"), ("c2", "bb"), ("c3", "cc"), ("c4", "bb")] {
            crashes.push(arrive(&store, core, Of { fingerprint, version: Some("v1.0.0"), ..Of::default() }).await);
        }
        let group = async |n: usize| store.crash(&crashes[n]).await.unwrap().group_id.unwrap();
        let (aa, bb, cc) = (group(0).await, group(1).await, group(2).await);
        store.merge_groups(&bb, std::slice::from_ref(&cc), Some("ada"), Some("one cause")).await.unwrap();
        let merged = store.merge_groups(&aa, std::slice::from_ref(&bb), Some("ada"), None).await.unwrap();
        assert_eq!((merged.group.count, merged.merged, merged.variants.len()), (4, vec![bb.clone()], 3));
        assert_eq!(store.group(&bb).await.unwrap().merged_into.as_ref(), Some(&aa));
        assert_eq!(store.groups(&GroupFilter::default(), &page(10)).await.unwrap().len(), 1);
        // What comes later, and what is analysed again, falls into the group that has the others.
        let later = arrive(&store, "c5", Of { fingerprint: "cc", ..Of::default() }).await;
        again(&store, &crashes[1], Of { fingerprint: "bb", ..Of::default() }).await;
        assert_eq!((group_of(&store, &later).await.group.id, group(1).await), (aa.clone(), aa.clone()));
        assert_eq!(events(&store).await.len(), 3, "a group that is merged is nothing new");
        for (into, group) in [(&aa, &aa), (&bb, &aa), (&aa, &bb)] {
            let error = store.merge_groups(into, std::slice::from_ref(group), None, None).await;
            assert!(matches!(error, Err(StoreError::Invalid(_))), "{error:?}");
        }
        counts_are_true(&store).await;

        // Parted again: with all that was merged into it, and also for what is yet to come.
        let parted = store.unmerge_group(&bb, Some("ada"), None).await.unwrap();
        assert_eq!((parted.group.count, store.group(&aa).await.unwrap().group.count), (4, 1));
        again(&store, &crashes[3], Of { fingerprint: "bb", ..Of::default() }).await;
        assert_eq!(group(3).await, bb);
        assert!(parted.variants.iter().any(|variant| variant.pinned));
        assert_eq!(actions(&store, &bb).await, ["merge", "merged", "unmerged"]);
        counts_are_true(&store).await;

        // Taking the parting back, and then the merge.
        store.undo(&bb, 3, Some("ada")).await.unwrap();
        assert_eq!(store.group(&aa).await.unwrap().group.count, 5);
        let merge = store.group_history(&aa, None, 10).await.unwrap().into_iter().rfind(|entry| entry.action == "merge").unwrap();
        store.undo(&aa, merge.seq, Some("ada")).await.unwrap();
        assert_eq!(store.group(&aa).await.unwrap().group.count, 1);
        counts_are_true(&store).await;
    }

    async fn a_split_holds_whatever_the_analysis_says_later(store: Store) {
        let of = Of { fingerprint: "aa", ..Of::default() };
        let mut crashes = Vec::new();
        for core in ["c1", "c2", "c3"] {
            crashes.push(arrive(&store, core, of).await);
        }
        let other = arrive(&store, "c4", Of { fingerprint: "bb", ..of }).await;
        let aa = group_of(&store, &crashes[0]).await.group.id;
        let split = Split { crashes: vec![crashes[0].clone()], title: Some("another bug".to_owned()), actor: Some("ada".to_owned()), ..Split::default() };
        let parted = store.split_group(&aa, &split).await.unwrap();
        assert_eq!((parted.group.title.as_str(), parted.group.count, parted.origin.as_str()), ("another bug", 1, "split"));
        assert_eq!(store.group(&aa).await.unwrap().group.count, 2);
        again(&store, &crashes[0], of).await;
        again(&store, &crashes[0], Of { fingerprint: "zz", ..of }).await;
        assert_eq!(group_of(&store, &crashes[0]).await.group.id, parted.group.id);
        assert!(store.crash(&crashes[0]).await.unwrap().pinned);
        assert_eq!(events(&store).await.len(), 2, "what a person parted is nothing new");
        counts_are_true(&store).await;

        // By fingerprint, all of them and those to come.
        store.merge_groups(&aa, &[group_of(&store, &other).await.group.id], None, None).await.unwrap();
        let split = Split { fingerprints: vec!["bb".to_owned()], ..Split::default() };
        let by_fingerprint = store.split_group(&aa, &split).await.unwrap();
        assert_eq!(by_fingerprint.group.count, 1);
        let later = arrive(&store, "c5", Of { fingerprint: "bb", ..of }).await;
        assert_eq!(group_of(&store, &later).await.group.id, by_fingerprint.group.id);
        counts_are_true(&store).await;

        for split in [
            Split::default(),
            Split { fingerprints: vec!["none".to_owned()], ..Split::default() },
            Split { crashes: vec![other.clone()], ..Split::default() },
            Split { fingerprints: vec!["aa".to_owned()], ..Split::default() },
        ] {
            assert!(matches!(store.split_group(&aa, &split).await, Err(StoreError::Invalid(_))), "{split:?}");
        }

        // Asked of the group that has but one of them, which a person put there: the others come from theirs.
        let strays = [arrive(&store, "c6", Of { fingerprint: "ee", ..of }).await, arrive(&store, "c7", Of { fingerprint: "ee", ..of }).await];
        let ee = group_of(&store, &strays[0]).await.group.id;
        let split = Split { crashes: vec![strays[0].clone()], into: Some(aa.clone()), ..Split::default() };
        store.split_group(&ee, &split).await.unwrap();
        counts_are_true(&store).await;
        let split = Split { fingerprints: vec!["ee".to_owned()], ..Split::default() };
        store.split_group(&aa, &split).await.unwrap();
        counts_are_true(&store).await;
        for group in [&aa, &ee] {
            let history = store.group_history(group, None, 10).await.unwrap();
            let split = history.iter().find(|entry| entry.action == "split").unwrap();
            store.undo(group, split.seq, None).await.unwrap();
            counts_are_true(&store).await;
        }

        // Both are taken back.
        let history = store.group_history(&aa, None, 10).await.unwrap();
        for entry in history.iter().filter(|entry| entry.action == "split" && entry.undone_by.is_none()) {
            store.undo(&aa, entry.seq, Some("ada")).await.unwrap();
        }
        assert_eq!(store.group(&aa).await.unwrap().group.count, 5);
        assert!(!store.crash(&crashes[0]).await.unwrap().pinned);
        counts_are_true(&store).await;
    }

    async fn groups_carry_over_to_a_new_version_of_the_signature(store: Store) {
        let old = |fingerprint| Of { fingerprint, version: Some("v1.0.0"), ..Of::default() };
        let new = |fingerprint| Of { signature: 2, ..old(fingerprint) };
        let mut crashes = Vec::new();
        for (core, fingerprint) in [("c1", "aa"), ("c2", "aa"), ("c3", "bb"), ("c4", "cc"), ("c5", "dd"), ("c6", "dd")] {
            crashes.push(arrive(&store, core, old(fingerprint)).await);
        }
        let group = async |n: usize| group_of(&store, &crashes[n]).await;
        let (aa, bb, cc, dd) = (group(0).await.group.id, group(2).await.group.id, group(3).await.group.id, group(4).await.group.id);
        for id in [&aa, &cc, &dd] {
            store.change_group(id, &GroupChange { owner: Some("bo".to_owned()), ..resolved_in("v2.0.0") }).await.unwrap();
        }
        let told = events(&store).await.len();

        // One becomes one: the same group under the new signature.
        again(&store, &crashes[0], new("AA")).await;
        again(&store, &crashes[1], new("AA")).await;
        let details = store.group(&aa).await.unwrap();
        assert_eq!((details.group.signature_version, details.group.fingerprint.as_str(), details.group.count), (2, "AA", 2));
        assert_eq!((details.group.state, details.group.owner.as_deref()), (GroupState::Resolved, Some("bo")));
        assert_eq!(actions(&store, &aa).await, ["changed", "signature"]);

        // One becomes two: both have the decisions.
        again(&store, &crashes[4], new("D1")).await;
        again(&store, &crashes[5], new("D2")).await;
        let (one, two) = (group(4).await, group(5).await);
        assert_eq!(one.group.id, dd);
        assert_ne!(two.group.id, dd);
        assert_eq!((two.group.state, two.group.owner.as_deref()), (GroupState::Resolved, Some("bo")));

        // Two become one that a new crash made meanwhile: the decisions go along with the last of each.
        let fresh = arrive(&store, "c7", new("BC")).await;
        let target = group_of(&store, &fresh).await.group.id;
        again(&store, &crashes[3], new("BC")).await;
        let details = store.group(&target).await.unwrap();
        assert_eq!((details.group.state, details.group.owner.as_deref()), (GroupState::Resolved, Some("bo")));
        again(&store, &crashes[2], new("BC")).await;
        for moved in [&cc, &bb] {
            assert_eq!(store.group(moved).await.unwrap().merged_into.as_ref(), Some(&target), "links to it go on");
        }
        assert_eq!(store.group(&target).await.unwrap().group.count, 3);
        assert_eq!(events(&store).await.len(), told + 1, "only the new crash is news");
        counts_are_true(&store).await;

        // What is known still holds for what is yet to come.
        arrive(&store, "c8", Of { version: Some("v2.0.0"), ..new("AA") }).await;
        assert_eq!(store.group(&aa).await.unwrap().group.state, GroupState::Regressed);
    }
}

fn until_past() -> MuteUntil {
    MuteUntil { time: Some(minutes_ago(1)), ..MuteUntil::default() }
}
