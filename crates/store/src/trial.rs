//! Trying the signatures of this program on all history: each crash is analysed again and nothing of it is
//! kept but its signature, so that people see what would move before it does.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use panicle_report::Signature;

use crate::{
    Crash, JobKind, Lease, Move, Store, StoreError,
    facts::storable,
    groups::links::Links,
    jobs::{Priority, complete, enqueue},
    projects,
};

/// Crashes at a time.
const BATCH: i64 = 1000;
/// Moves that are listed, the largest first.
const MAX_MOVES: usize = 500;

/// How far a trial has come, and what it would change so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignatureTrial {
    /// Crashes of which it is, those that there were when it began.
    pub total: u64,
    /// Nothing is left to do.
    pub finished: bool,
    /// Those that were.
    pub done: u64,
    /// Crashes that cannot be, because their core was deleted by policy; they stay where they are.
    pub without_evidence: u64,
    /// Crashes that would have another signature, also where they stay in their group.
    pub changed: u64,
    /// Crashes that would go to another group. A group goes on under the signature that most of its crashes
    /// get; `to` is null for what would be a group of its own.
    pub moves: Vec<Move>,
}

#[derive(sqlx::FromRow)]
struct Row {
    group_id: String,
    version: Option<i64>,
    fingerprint: Option<String>,
    crashes: i64,
    example: String,
}

impl Store {
    /// Begins to try signatures on all history. Answers how many crashes are analysed for it.
    pub async fn try_signatures(&self) -> Result<u64, StoreError> {
        query!(self, db => sqlx::query("DELETE FROM signature_trials").execute(db).await.map(drop))?;
        self.enqueue_history(
            JobKind::Try,
            "SELECT id FROM crashes WHERE (CAST($1 AS TEXT) IS NULL OR id < $1) AND group_id IS NOT NULL AND core_deleted_at IS NULL \
             ORDER BY id DESC LIMIT $2",
        )
        .await
    }

    /// Analyses those crashes again whose signature came out differently when it was tried. Answers how many.
    pub async fn apply_trial(&self) -> Result<u64, StoreError> {
        self.enqueue_history(
            JobKind::Analyse,
            "SELECT c.id FROM crashes c JOIN signature_trials t ON t.crash_id = c.id WHERE (CAST($1 AS TEXT) IS NULL OR c.id < $1) \
             AND c.group_id IS NOT NULL AND c.core_deleted_at IS NULL AND (t.fingerprint IS NULL \
             OR t.fingerprint <> c.fingerprint OR t.version <> c.signature_version) ORDER BY c.id DESC LIMIT $2",
        )
        .await
    }

    /// Queues jobs for crashes of the history, newest first, after all that is not history.
    async fn enqueue_history(&self, kind: JobKind, select: &'static str) -> Result<u64, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let (mut before, mut queued) = (None::<String>, 0);
        loop {
            let crashes = in_turn!(self, tx => {
                let crashes: Vec<(String,)> = all!(tx, select, &before, BATCH);
                for (at, (crash,)) in crashes.iter().enumerate() {
                    if kind == JobKind::Analyse {
                        exec!(
                            tx,
                            "UPDATE crashes SET status = 'queued' WHERE id = $1 AND status <> 'analysing'",
                            crash
                        );
                    }
                    // A moment apart, so that the newest come first.
                    enqueue(tx, kind, crash, now + queued + at as i64, Priority::History).await?;
                }
                crashes
            });
            let Some((last,)) = crashes.last().cloned() else { break };
            queued += crashes.len() as i64;
            before = Some(last);
        }
        self.announce_work();
        Ok(queued as u64)
    }

    /// Notes the signature that a crash would have, and ends the job.
    pub async fn commit_trial(
        &self,
        lease: &Lease,
        crash: &str,
        signature: Option<&Signature>,
    ) -> Result<(), StoreError> {
        let columns = signature.map(Crash::signature_columns);
        in_turn!(self, tx => {
            let _again = complete(tx, lease).await?;
            let project = projects::of_crash(tx, crash).await?;
            exec!(
                tx,
                "INSERT INTO signature_trials (crash_id, version, fingerprint, title) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (crash_id) DO UPDATE SET version = $2, fingerprint = $3, title = $4",
                crash,
                columns.map(|(version, _, _)| version),
                columns.map(|(_, fingerprint, _)| projects::within(&project, fingerprint)),
                signature.map(|signature| storable(&signature.title))
            );
        });
        Ok(())
    }

    /// What the signatures that were tried would change.
    pub async fn signature_trial(&self) -> Result<SignatureTrial, StoreError> {
        let counts: (i64, i64, i64, i64, i64) = query!(self, db => sqlx::query_as(
            // A crash that has come since has no job of this kind.
            "SELECT (SELECT COUNT(*) FROM jobs j JOIN crashes c ON c.id = j.subject WHERE j.kind = 'try' \
             AND j.state <> 'done' AND c.group_id IS NOT NULL AND c.core_deleted_at IS NULL \
             AND NOT EXISTS (SELECT 1 FROM signature_trials t WHERE t.crash_id = j.subject)), \
             (SELECT COUNT(*) FROM signature_trials), \
             (SELECT COUNT(*) FROM crashes WHERE group_id IS NOT NULL AND core_deleted_at IS NOT NULL), \
             (SELECT COUNT(*) FROM signature_trials t JOIN crashes c ON c.id = t.crash_id \
             WHERE c.group_id IS NOT NULL AND (t.fingerprint IS NULL OR t.fingerprint <> c.fingerprint \
             OR t.version <> c.signature_version)), \
             (SELECT COUNT(*) FROM jobs WHERE kind = 'try' AND state IN ('queued', 'running'))")
            .fetch_one(db)
            .await)?;
        // What people pinned and rules claim stays, whatever its signature.
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(
            "SELECT c.group_id, t.version, t.fingerprint, COUNT(*) AS crashes, MIN(c.id) AS example \
             FROM signature_trials t JOIN crashes c ON c.id = t.crash_id \
             WHERE c.group_id IS NOT NULL AND c.pinned_group_id IS NULL AND c.rule_id IS NULL \
             GROUP BY c.group_id, t.version, t.fingerprint ORDER BY COUNT(*) DESC, c.group_id, t.fingerprint")
            .fetch_all(db)
            .await)?;
        let known: Vec<(i64, String, String)> = query!(self, db => sqlx::query_as(
            "SELECT DISTINCT s.version, s.fingerprint, s.group_id FROM signatures s JOIN signature_trials t \
             ON t.version = s.version AND t.fingerprint = s.fingerprint WHERE s.group_id IS NOT NULL")
            .fetch_all(db)
            .await)?;
        let links = self.links().await?;
        Ok(SignatureTrial {
            total: (counts.0 + counts.1) as u64,
            finished: counts.4 == 0,
            done: counts.1 as u64,
            without_evidence: counts.2 as u64,
            changed: counts.3 as u64,
            moves: moves(rows, known, &links),
        })
    }
}

/// Where crashes would go. Rows with the most crashes come first and decide under which signature a group
/// goes on.
fn moves(rows: Vec<Row>, known: Vec<(i64, String, String)>, links: &Links) -> Vec<Move> {
    let mut groups: HashMap<(i64, String), Option<String>> = known
        .into_iter()
        .map(|(version, fingerprint, group)| ((version, fingerprint), Some(links.follow(group))))
        .collect();
    let mut taken: HashSet<String> = groups.values().flatten().cloned().collect();
    let mut moves: BTreeMap<(String, Option<String>), (u64, Vec<String>)> = BTreeMap::new();
    for row in rows {
        let to = match row.version.zip(row.fingerprint) {
            Some(key) => groups
                .entry(key)
                .or_insert_with(|| taken.insert(row.group_id.clone()).then(|| row.group_id.clone()))
                .clone(),
            None => None,
        };
        if to.as_ref() != Some(&row.group_id) {
            let (count, examples) = moves.entry((row.group_id, to)).or_default();
            *count += row.crashes as u64;
            examples.push(row.example);
        }
    }
    let mut moves: Vec<Move> = moves
        .into_iter()
        .map(|((from, to), (crashes, examples))| Move { from, to, crashes, examples })
        .collect();
    moves.sort_by(|one, other| other.crashes.cmp(&one.crashes).then_with(|| one.from.cmp(&other.from)));
    moves.truncate(MAX_MOVES);
    moves
}
