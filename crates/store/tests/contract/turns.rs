//! Many at once: nobody waits for another in a circle, and nothing is lost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use panicle_query::Facts;
use panicle_store::{
    EvidenceKind, GroupChange, GroupState, Job, JobKind, MuteUntil, NewCrash, NewEvidence, NewRule, Outdated,
    RuleChange, RuleKind, Split, Store, StoreError,
};

use crate::{
    groups::counts_are_true,
    support::{blob, claim, contract, crash, next, outcome},
};

/// What is refused because of what others did is no failure.
fn allowed<T>(done: Result<T, StoreError>) -> Option<T> {
    match done {
        Ok(value) => Some(value),
        Err(
            StoreError::Invalid(_)
            | StoreError::Conflict
            | StoreError::Conflicts(_)
            | StoreError::ChangedSince(_)
            | StoreError::LeaseLost,
        ) => None,
        Err(error) => panic!("{error:?}"),
    }
}

struct Bustle {
    store: Store,
    crashes: Vec<String>,
    over: AtomicBool,
    turns: AtomicU64,
}

impl Bustle {
    /// Some crash, another one each time.
    fn some(&self) -> &String {
        let turn = self.turns.fetch_add(7, Ordering::Relaxed) as usize;
        &self.crashes[turn % self.crashes.len()]
    }

    async fn some_group(&self) -> Option<String> {
        self.store.crash(self.some()).await.unwrap().group_id
    }

    async fn job(&self, job: &Job, fingerprint: u64) {
        match job.kind {
            JobKind::Regroup => while allowed(self.store.regroup_step(&job.lease).await) == Some(false) {},
            _ if fingerprint.is_multiple_of(5) => {
                allowed(self.store.retry(job, "again", Timestamp::now(), true).await);
            }
            _ => {
                let mut outcome = outcome(&format!("f{}", fingerprint % 4));
                outcome.facts.add("frame", &format!("main.f{}", fingerprint % 3));
                outcome.analysed.build_ids.gnu = Some(format!("b{}", fingerprint % 2));
                allowed(self.store.commit_crash(&job.lease, &job.subject, &outcome).await);
            }
        }
    }

    async fn work(&self) {
        let mut turn = 0;
        while !self.over.load(Ordering::Relaxed) {
            turn += 1;
            match self.store.claim(&claim(), Timestamp::now()).await.unwrap() {
                Some(job) => self.job(&job, turn).await,
                None => tokio::time::sleep(std::time::Duration::from_millis(2)).await,
            }
        }
    }

    async fn ask_again(&self) {
        while !self.over.load(Ordering::Relaxed) {
            let crash = self.some();
            allowed(self.store.reanalyse(crash).await);
            let revision = self.store.crash(crash).await.unwrap().report_revision;
            let outdated = Outdated { crash: crash.clone(), report_revision: revision };
            self.store.fill_facts(&outdated, &Facts::new().with("class", "old")).await.unwrap();
            let core = format!("core-{}", self.turns.load(Ordering::Relaxed) % 8);
            let new = NewCrash {
                evidence: vec![NewEvidence { id: core, kind: EvidenceKind::Core }],
                hostname: Some("late".to_owned()),
                ..NewCrash::default()
            };
            self.store.create_crash(&new).await.unwrap();
        }
    }

    async fn decide(&self) {
        let mute = |until| GroupChange {
            state: Some(GroupState::Muted),
            mute: Some(until),
            ..GroupChange::default()
        };
        while !self.over.load(Ordering::Relaxed) {
            let Some(group) = self.some_group().await else { continue };
            let time = Some(Timestamp::now() + SignedDuration::from_millis(20));
            allowed(self.store.change_group(&group, &mute(MuteUntil { time, ..MuteUntil::default() })).await);
            self.store.end_mutes(Timestamp::now() + SignedDuration::from_secs(1)).await.unwrap();
            let resolved = GroupChange { state: Some(GroupState::Resolved), ..GroupChange::default() };
            allowed(self.store.change_group(&group, &resolved).await);
            self.store.expire_cores(&group, Some(100)).await.unwrap();
        }
    }

    async fn merge_and_part(&self) {
        while !self.over.load(Ordering::Relaxed) {
            let (Some(one), Some(other)) = (self.some_group().await, self.some_group().await) else {
                continue;
            };
            if allowed(self.store.merge_groups(&one, std::slice::from_ref(&other), None, None).await)
                .is_some()
            {
                allowed(self.store.unmerge_group(&other, None, None).await);
            }
            let split = Split { crashes: vec![self.some().clone()], ..Split::default() };
            if let Some(parted) = allowed(self.store.split_group(&one, &split).await) {
                allowed(self.store.undo(&one, 1, None).await);
                allowed(self.store.undo(&parted.group.id, 1, None).await);
            }
        }
    }

    async fn make_rules(&self) {
        for n in 0_u32.. {
            if self.over.load(Ordering::Relaxed) {
                break;
            }
            let kind = if n % 2 == 0 { RuleKind::Mute } else { RuleKind::Merge };
            let predicate = format!("\"main.f{}\"", n % 3);
            let new =
                NewRule { kind, name: format!("r{n}"), predicate, group: None, project: None, mute: None };
            if let Some(rule) = allowed(self.store.create_rule(&new, None, None).await) {
                let off = RuleChange { enabled: Some(false), ..RuleChange::default() };
                allowed(self.store.change_rule(&rule.id, &off, None, None).await);
                allowed(self.store.delete_rule(&rule.id, None, None).await);
            }
        }
    }
}

/// Everything that can be done, by several at once, for a while; and then the counts are true.
async fn bustle(store: Store, millis: u64) {
    let mut crashes = Vec::new();
    for n in 0..24 {
        let core = format!("core-{n}");
        blob(&store, &core, EvidenceKind::Core).await;
        let new = NewCrash {
            evidence: vec![NewEvidence { id: core, kind: EvidenceKind::Core }],
            hostname: Some("a".to_owned()),
            ..NewCrash::default()
        };
        crashes.push(store.create_crash(&new).await.unwrap().id);
        let job = next(&store).await;
        store.commit_crash(&job.lease, &job.subject, &outcome(&format!("f{}", n % 4))).await.unwrap();
    }
    let all = Bustle { store, crashes, over: AtomicBool::new(false), turns: AtomicU64::new(0) };
    let end = async {
        tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
        all.over.store(true, Ordering::Relaxed);
    };
    tokio::join!(
        all.work(),
        all.work(),
        all.work(),
        all.ask_again(),
        all.ask_again(),
        all.decide(),
        all.decide(),
        all.merge_and_part(),
        all.make_rules(),
        end
    );
    let store = &all.store;
    let due = Timestamp::now() + SignedDuration::from_hours(1);
    while let Some(job) = store.claim(&claim(), due).await.unwrap() {
        all.job(&job, 1).await;
    }
    counts_are_true(store).await;
    assert!(store.preview_regrouping().await.unwrap().moves.is_empty());
    for crash in &all.crashes {
        let crash = store.crash(crash).await.unwrap();
        assert_eq!(crash.status, panicle_store::CrashStatus::Done, "{crash:?}");
    }
}

#[tokio::test]
async fn many_at_once_lose_nothing_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("test.db").display());
    Box::pin(bustle(Store::connect(&url).await.unwrap(), 1000)).await;
}

#[cfg(feature = "postgres-tests")]
#[tokio::test]
async fn many_at_once_never_wait_in_a_circle_on_postgres() {
    let url = panicle_backends::database();
    Box::pin(bustle(Store::connect(&url).await.unwrap(), 4000)).await;
    // What was done again after a deadlock would not be seen otherwise.
    assert_eq!(
        panicle_backends::ask(
            &url,
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ),
        "0"
    );
}

contract! {
    async fn a_rule_that_is_saved_during_a_grouping_is_applied_to_all(store: Store) {
        for n in 0..130 {
            blob(&store, &format!("core-{n}"), EvidenceKind::Core).await;
            crash(&store, &format!("core-{n}"), "shop").await;
            let job = next(&store).await;
            store.commit_crash(&job.lease, &job.subject, &outcome("aa")).await.unwrap();
        }
        store.regroup("test").await.unwrap();
        let job = next(&store).await;
        let new = NewRule { kind: RuleKind::Merge, name: "r".to_owned(), predicate: "\"main.f\"".to_owned(), group: None, project: None, mute: None };
        // Both at the same moment, whichever is first.
        let (step, rule) = tokio::join!(store.regroup_step(&job.lease), store.create_rule(&new, None, None));
        step.unwrap();
        let group = rule.unwrap().group.unwrap();
        while !store.regroup_step(&job.lease).await.unwrap() {}
        let again = next(&store).await;
        while !store.regroup_step(&again.lease).await.unwrap() {}
        assert_eq!(store.group(&group).await.unwrap().group.count, 130);
    }

    async fn facts_of_an_old_report_never_take_the_place_of_new_ones(store: Store) {
        for n in 0..20 {
            let id = crash(&store, &format!("core-{n}"), "shop").await;
            let job = next(&store).await;
            let outdated = Outdated { crash: id.clone(), report_revision: 0 };
            let mut newer = outcome("aa");
            newer.facts = Facts::new().with("class", &format!("new-{n}"));
            let old = Facts::new().with("class", "old");
            let (filled, committed) = tokio::join!(store.fill_facts(&outdated, &old), store.commit_crash(&job.lease, &id, &newer));
            committed.unwrap();
            filled.unwrap();
            let facts = store.facts(&id).await.unwrap();
            assert_eq!(facts.values("class").map(|(value, _)| value.to_owned()).collect::<Vec<_>>(), [format!("new-{n}")]);
        }
    }
}
