//! Grouping all history as the rules have it now: a job, in steps that each hold on their own.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Compiled, Plan, claims_of, enabled};
use crate::{
    JobKind, Lease, RuleKind, Store, StoreError,
    groups::{
        counters,
        decision::{Decision, Standing},
        place::{Before, place, signature_of},
        react::{mute_by_rule, of_the_rule},
    },
    jobs::{Priority, complete, enqueue},
    time,
    tx::Tx,
};

/// What the job is about; there is one.
const SUBJECT: &str = "history";
/// Crashes in one transaction, so that others get their turn.
const BATCH: i64 = 100;

/// How far the newest grouping of all history has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regrouping {
    /// Why it is done.
    pub reason: String,
    /// Crashes that were looked at.
    pub done: u64,
    /// Crashes that there were at the beginning.
    pub total: u64,
    /// Crashes that are in another group since.
    pub moved: u64,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
    /// Why that was before all were looked at.
    pub error: Option<String>,
}

/// Asks for all history to be grouped anew, from the beginning. In turn with the steps of a grouping, which
/// would otherwise go on from where they were.
pub(crate) async fn request(tx: &mut Tx, reason: &str, now: i64) -> Result<(), StoreError> {
    exec!(tx, "DELETE FROM regrouping WHERE id = 1");
    exec!(
        tx,
        "INSERT INTO regrouping (id, reached, done, total, moved, started_at, reason) \
         VALUES (1, '', 0, (SELECT COUNT(*) FROM crashes WHERE group_id IS NOT NULL), 0, $1, $2)",
        now,
        reason
    );
    enqueue(tx, JobKind::Regroup, SUBJECT, now, Priority::Person).await
}

/// The group of a merge rule that names none.
pub(super) async fn group_of_rule(
    tx: &mut Tx,
    (rule, project): (&str, &str),
    name: &str,
    plan: &Plan,
    now: i64,
) -> Result<String, StoreError> {
    let first: Option<(Option<String>, Option<String>)> = match plan.examples.first() {
        Some(crash) => first!(tx, "SELECT class, family FROM crashes WHERE id = $1", crash),
        None => None,
    };
    let (class, family) = first.unwrap_or_default();
    let id = uuid::Uuid::now_v7().to_string();
    exec!(
        tx,
        "INSERT INTO crash_groups (id, signature_version, fingerprint, family, title, class, state, frames, \
         explanation, crashes, first_seen, last_seen, revision, origin, state_since, project) \
         VALUES ($1, 0, $2, $3, $4, $5, 'new', '[]', '[]', 0, $6, $6, 1, 'rule', $6, $7)",
        &id,
        format!("rule:{rule}"),
        family.unwrap_or_default(),
        name,
        class.unwrap_or_else(|| "unknown".to_owned()),
        now,
        project
    );
    Ok(id)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    class: Option<String>,
    group_id: Option<String>,
    pinned_group_id: Option<String>,
    signature_version: Option<i64>,
    fingerprint: Option<String>,
    seen_at: i64,
    rule_id: Option<String>,
    mute_rule_id: Option<String>,
    project: String,
}

impl Store {
    /// Asks for all history to be grouped anew.
    pub async fn regroup(&self, reason: &str) -> Result<Regrouping, StoreError> {
        in_turn!(self, tx => request(tx, reason, Timestamp::now().as_microsecond()).await?);
        self.announce_work();
        let found = self.regrouping().await?;
        found.ok_or_else(|| StoreError::Stored("the regrouping that was asked for".to_owned()))
    }

    /// How far the newest grouping of all history has come.
    pub async fn regrouping(&self) -> Result<Option<Regrouping>, StoreError> {
        type Row = (String, i64, i64, i64, i64, Option<i64>, Option<String>);
        let row: Option<Row> = query!(self, db => sqlx::query_as(
            "SELECT reason, done, total, moved, started_at, finished_at, (SELECT problem FROM jobs \
             WHERE kind = $1 AND state IN ('failed', 'quarantined') LIMIT 1) FROM regrouping WHERE id = 1")
            .bind(JobKind::Regroup.as_str())
            .fetch_optional(db)
            .await)?;
        row.map(|(reason, done, total, moved, started_at, finished_at, error)| {
            Ok(Regrouping {
                reason,
                done: done as u64,
                total: total as u64,
                moved: moved as u64,
                started_at: time::read(started_at)?,
                finished_at: time::read_optional(finished_at)?,
                error: error.filter(|_| finished_at.is_some()),
            })
        })
        .transpose()
    }

    /// Does the next step of a regrouping. `true`: that was the last one, and the job is done.
    pub async fn regroup_step(&self, lease: &Lease) -> Result<bool, StoreError> {
        let now = Timestamp::now().as_microsecond();
        Ok(in_turn!(self, tx => step(tx, lease, now).await?))
    }
}

async fn step(tx: &mut Tx, lease: &Lease, now: i64) -> Result<bool, StoreError> {
    let held: Option<(String,)> = first!(
        tx,
        "SELECT id FROM jobs WHERE id = $1 AND lease_token = $2 AND state = 'running'",
        &lease.job,
        &lease.token
    );
    if held.is_none() {
        return Err(StoreError::LeaseLost);
    }
    let reached: Option<(String,)> = first!(tx, "SELECT reached FROM regrouping WHERE id = 1");
    let rows: Vec<Row> = all!(
        tx,
        "SELECT id, class, group_id, pinned_group_id, signature_version, fingerprint, seen_at, rule_id, \
         mute_rule_id, project FROM crashes WHERE id > $1 AND group_id IS NOT NULL ORDER BY id LIMIT $2",
        reached.map(|row| row.0).unwrap_or_default(),
        BATCH
    );
    let Some(last) = rows.last().map(|row| row.id.clone()) else {
        exec!(tx, "UPDATE regrouping SET finished_at = $1 WHERE id = 1", now);
        let _again = complete(tx, lease).await?;
        return Ok(true);
    };
    let rules = enabled(tx).await?;
    let (done, mut moved) = (rows.len() as i64, 0);
    let mut touched = BTreeSet::new();
    for row in rows {
        moved += i64::from(regroup(tx, row, &rules, &mut touched, now).await?);
    }
    for (group, rule) in touched {
        mute(tx, &group, &rule, &rules, now).await?;
    }
    exec!(
        tx,
        "UPDATE regrouping SET reached = $1, done = done + $2, moved = moved + $3 WHERE id = 1",
        &last,
        done,
        moved
    );
    Ok(false)
}

/// Puts one crash where it belongs now. Nobody is told: it is no news.
async fn regroup(
    tx: &mut Tx,
    row: Row,
    rules: &[Compiled],
    touched: &mut BTreeSet<(String, String)>,
    now: i64,
) -> Result<bool, StoreError> {
    let Some((version, fingerprint)) = row.signature_version.zip(row.fingerprint.clone()) else {
        return Ok(false);
    };
    let Some((signature, class)) = signature_of(tx, version, &fingerprint).await? else { return Ok(false) };
    let (claims, _) = claims_of(tx, rules, &row.id).await?;
    let before = Before {
        group_id: row.group_id.clone(),
        pinned_group_id: row.pinned_group_id,
        signature_version: row.signature_version,
        fingerprint: row.fingerprint,
        seen_at: row.seen_at,
        joined_into: None,
    };
    let class = row.class.unwrap_or(class);
    let place = place(tx, &before, (&row.project, &signature), &class, &claims, now).await?;
    let mute_rule = claims.mute(tx, &place.group).await?.map(|(rule, _)| rule.clone());
    if let Some(rule) = &mute_rule {
        touched.insert((place.group.clone(), rule.clone()));
    }
    let moved = row.group_id.as_ref() != Some(&place.group);
    if !moved && place.rule == row.rule_id && mute_rule == row.mute_rule_id {
        return Ok(false);
    }
    let share = counters::share(tx, &row.id).await?;
    exec!(
        tx,
        "UPDATE crashes SET group_id = $2, home_group_id = $3, rule_id = $4, mute_rule_id = $5 WHERE id = $1",
        &row.id,
        &place.group,
        &place.home,
        &place.rule,
        &mute_rule
    );
    let after = counters::share(tx, &row.id).await?;
    counters::change(tx, share.as_ref(), after.as_ref()).await?;
    Ok(moved)
}

/// Mutes a group once all its crashes are the rule's.
async fn mute(tx: &mut Tx, group: &str, rule: &str, rules: &[Compiled], now: i64) -> Result<(), StoreError> {
    let standing = Standing::read(tx, group, now).await?;
    if of_the_rule(tx, group, rule).await? != standing.crashes {
        return Ok(());
    }
    let until = rules.iter().find(|known| known.id == rule && known.kind == RuleKind::Mute);
    let Some(until) = until.map(|rule| rule.mute.clone().unwrap_or_default()) else { return Ok(()) };
    let before = Decision::read(tx, group).await?;
    mute_by_rule(tx, group, &before, &standing, rule, &until, now).await
}
