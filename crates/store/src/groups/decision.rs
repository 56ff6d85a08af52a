//! What people decide about a group: its state, owner, notes, and what they are until.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    counters::HOUR_MICROS,
    history::{self, BY_ITSELF, Entry},
    mute::{Mute, MuteUntil, usual_limit},
    regression::{ResolvedIn, has_order},
};
use crate::{GroupDetails, GroupState, Store, StoreError, tx::Tx};

/// Longest name, title or identifier that is taken from people, in bytes.
pub const MAX_NAME: usize = 1024;
/// Longest notes, reasons and other texts of people, in bytes.
pub const MAX_TEXT: usize = 64 << 10;
const WEEK_HOURS: i64 = 7 * 24;

/// A resolution as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// What it was resolved in.
    #[serde(rename = "in")]
    pub resolved_in: ResolvedIn,
    /// When somebody said so, in microseconds since 1970.
    pub at: i64,
}

/// What people change about a group.
#[derive(Clone, Debug, Default)]
pub struct GroupChange {
    /// New state.
    pub state: Option<GroupState>,
    /// New owner; an empty one clears it.
    pub owner: Option<String>,
    /// New notes; empty ones clear them.
    pub notes: Option<String>,
    /// What it is resolved in, with the state `resolved`.
    pub resolved_in: Option<ResolvedIn>,
    /// What ends its being muted, with the state `muted`.
    pub mute: Option<MuteUntil>,
    /// Full cores to keep of it; 0 goes back to what holds for all groups.
    pub keep_cores: Option<u32>,
    /// Why.
    pub reason: Option<String>,
    /// Who changes it.
    pub actor: Option<String>,
    /// Only if the group still has this revision.
    pub if_revision: Option<u64>,
}

/// All that people decide about one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) state: GroupState,
    pub(crate) owner: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) resolved: Option<Resolved>,
    pub(crate) mute: Option<Mute>,
    pub(crate) keep_cores: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct Row {
    state: String,
    owner: Option<String>,
    notes: Option<String>,
    resolved: Option<String>,
    mute: Option<String>,
    keep_cores: Option<i64>,
}

/// Somebody's name, or that nobody gave one.
pub(crate) fn actor(given: Option<&str>) -> &str {
    given.map(str::trim).filter(|name| !name.is_empty()).unwrap_or("somebody")
}

impl Decision {
    pub(crate) async fn read(tx: &mut Tx, group: &str) -> Result<Self, StoreError> {
        let row: Option<Row> = first!(
            tx,
            // Locks the row: what is decided on it is written in the same transaction.
            "UPDATE crash_groups SET revision = revision WHERE id = $1 \
             RETURNING state, owner, notes, resolved, mute, keep_cores",
            group
        );
        let row = row.ok_or_else(|| StoreError::NotFound { what: "group", id: group.to_owned() })?;
        Ok(Self {
            state: read_state(&row.state)?,
            owner: row.owner,
            notes: row.notes,
            resolved: row.resolved.as_deref().map(serde_json::from_str).transpose()?,
            mute: row.mute.as_deref().map(serde_json::from_str).transpose()?,
            keep_cores: row.keep_cores,
        })
    }

    /// Nobody has decided anything.
    pub(crate) fn is_blank(&self) -> bool {
        self.state == GroupState::New
            && self.owner.is_none()
            && self.notes.is_none()
            && self.keep_cores.is_none()
    }

    pub(super) fn fields(&self) -> Result<Map<String, Value>, StoreError> {
        match serde_json::to_value(self)? {
            Value::Object(fields) => Ok(fields),
            _ => Err(StoreError::Stored("a decision is no object".to_owned())),
        }
    }

    /// Makes this hold for a group that had `before`, and tells of it. Answers the entry's number, or
    /// `None` where nothing changes.
    pub(crate) async fn write(
        &self,
        tx: &mut Tx,
        group: &str,
        before: &Self,
        now: i64,
        who: (&str, &str),
        reason: Option<&str>,
    ) -> Result<Option<i64>, StoreError> {
        let (mut from, mut to) = (before.fields()?, self.fields()?);
        from.retain(|field, value| to.get(field) != Some(value));
        to.retain(|field, _| from.contains_key(field));
        if to.is_empty() {
            return Ok(None);
        }
        let resolved = self.resolved.as_ref().map(serde_json::to_string).transpose()?;
        let mute = self.mute.as_ref().map(serde_json::to_string).transpose()?;
        let until = self.mute.as_ref().and_then(|mute| mute.until.time).map(Timestamp::as_microsecond);
        exec!(
            tx,
            "UPDATE crash_groups SET state = $2, owner = $3, notes = $4, resolved = $5, mute = $6, \
             mute_until = $7, keep_cores = $8 WHERE id = $1",
            group,
            self.state.as_str(),
            &self.owner,
            &self.notes,
            &resolved,
            &mute,
            until,
            self.keep_cores
        );
        if to.contains_key("mute") {
            exec!(tx, "UPDATE crash_groups SET mute_crashes = 0 WHERE id = $1", group);
        }
        if to.contains_key("state") {
            exec!(
                tx,
                "UPDATE crash_groups SET state_since = $2, state_reason = $3 WHERE id = $1",
                group,
                now,
                reason
            );
        }
        let entry = Entry { actor: who.0, action: who.1, from, to, reason };
        history::record(tx, group, now, entry).await.map(Some)
    }

    fn changed(&self, change: &GroupChange, group: &Standing, now: i64) -> Result<Self, StoreError> {
        let invalid = |text: String| Err(StoreError::Invalid(text));
        let mut after = self.clone();
        let cleared = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        if let Some(owner) = &change.owner {
            after.owner = cleared(owner);
        }
        if let Some(notes) = &change.notes {
            after.notes = cleared(notes);
        }
        let texts = [&after.owner, &after.notes, &change.reason, &change.actor];
        if texts.into_iter().flatten().any(|text| text.len() > MAX_TEXT) {
            return invalid(format!("a text may have {MAX_TEXT} bytes"));
        }
        if let Some(keep) = change.keep_cores {
            after.keep_cores = (keep > 0).then_some(i64::from(keep));
        }
        after.state = change.state.unwrap_or(self.state);
        if after.state != GroupState::Resolved && change.resolved_in.is_some() {
            return invalid("what it is resolved in goes with the state resolved".to_owned());
        }
        if after.state != GroupState::Muted && change.mute.is_some() {
            return invalid("what ends its being muted goes with the state muted".to_owned());
        }
        match after.state {
            GroupState::Resolved if change.state.is_some() || change.resolved_in.is_some() => {
                let resolved_in = change.resolved_in.clone().unwrap_or_default();
                check_version(resolved_in.version.as_deref())?;
                after.resolved = Some(Resolved { resolved_in, at: now });
                after.mute = None;
            }
            GroupState::Muted if change.state.is_some() || change.mute.is_some() => {
                let until = checked(change.mute.clone().unwrap_or_default(), group, now)?;
                let state_before = self.mute.as_ref().map_or(self.state, |mute| mute.state_before);
                after.mute = Some(Mute { until, crashes_at_start: group.crashes, state_before, rule: None });
            }
            GroupState::Resolved | GroupState::Muted => {}
            GroupState::New | GroupState::Ongoing | GroupState::Regressed => {
                after.mute = None;
                if change.state.is_some() {
                    after.resolved = None;
                }
            }
        }
        Ok(after)
    }
}

/// Counts that a decision is made on.
pub(crate) struct Standing {
    pub(crate) crashes: u64,
    /// Crashes in the fullest hour of the last week.
    pub(crate) fullest_hour: u64,
}

impl Standing {
    pub(crate) async fn read(tx: &mut Tx, group: &str, now: i64) -> Result<Self, StoreError> {
        let crashes: Option<(i64,)> = first!(tx, "SELECT crashes FROM crash_groups WHERE id = $1", group);
        let fullest: Option<(i64,)> = first!(
            tx,
            "SELECT COALESCE(MAX(crashes), 0) FROM group_hours WHERE group_id = $1 AND hour > $2",
            group,
            now.div_euclid(HOUR_MICROS) - WEEK_HOURS
        );
        Ok(Self {
            crashes: crashes.map_or(0, |row| row.0 as u64),
            fullest_hour: fullest.map_or(0, |row| row.0 as u64),
        })
    }
}

/// Conditions that can come true, with an escalation's limit as a number.
pub(crate) fn checked(mut until: MuteUntil, group: &Standing, now: i64) -> Result<MuteUntil, StoreError> {
    check_version(until.version.as_deref())?;
    if until.count == Some(0) {
        return Err(StoreError::Invalid("muted until a count: 1 or more".to_owned()));
    }
    if until.time.is_some_and(|time| time.as_microsecond() <= now) {
        return Err(StoreError::Invalid("muted until a time: one to come".to_owned()));
    }
    if let Some(escalation) = &mut until.escalation {
        escalation.per_hour = Some(escalation.per_hour.unwrap_or_else(|| usual_limit(group.fullest_hour)));
    }
    Ok(until)
}

fn check_version(version: Option<&str>) -> Result<(), StoreError> {
    match version {
        // Only what has an order can be compared with others than itself.
        Some(version) if !has_order(version) => Err(StoreError::Invalid(format!(
            "{version} is no version of a Go module, such as v1.4.2; name a revision or a build instead"
        ))),
        _ => Ok(()),
    }
}

pub(crate) fn read_state(text: &str) -> Result<GroupState, StoreError> {
    text.parse().map_err(|_| StoreError::Stored(format!("group state {text}")))
}

/// The revision and merge of a group, which it has to have.
pub(crate) async fn expect(tx: &mut Tx, group: &str, revision: Option<u64>) -> Result<(), StoreError> {
    let row: Option<(i64, Option<String>)> = first!(
        tx,
        "UPDATE crash_groups SET revision = revision WHERE id = $1 RETURNING revision, merged_into",
        group
    );
    let (actual, merged) = row.ok_or_else(|| StoreError::NotFound { what: "group", id: group.to_owned() })?;
    if revision.is_some_and(|revision| revision as i64 != actual) {
        return Err(StoreError::Conflict);
    }
    match merged {
        Some(into) => Err(StoreError::Invalid(format!("group {group} was merged into {into}"))),
        None => Ok(()),
    }
}

impl Store {
    /// Changes what people decide about a group.
    pub async fn change_group(&self, id: &str, change: &GroupChange) -> Result<GroupDetails, StoreError> {
        let now = Timestamp::now().as_microsecond();
        in_turn!(self, tx => {
            expect(tx, id, change.if_revision).await?;
            let before = Decision::read(tx, id).await?;
            let standing = Standing::read(tx, id, now).await?;
            let after = before.changed(change, &standing, now)?;
            let who = (actor(change.actor.as_deref()), "changed");
            after.write(tx, id, &before, now, who, change.reason.as_deref()).await?;
        });
        self.group(id).await
    }

    /// Ends mutes whose time is up at `now`, but not of groups that are merged into others. Answers how many.
    pub async fn end_mutes(&self, now: Timestamp) -> Result<u64, StoreError> {
        let now = now.as_microsecond();
        let due: Vec<(String,)> = query!(self, db => sqlx::query_as(
            "SELECT id FROM crash_groups WHERE mute_until <= $1 AND merged_into IS NULL LIMIT 1000")
            .bind(now)
            .fetch_all(db)
            .await)?;
        let mut ended = 0;
        for (group,) in due {
            ended += in_turn!(self, tx => {
                let before = Decision::read(tx, &group).await?;
                let merged: Option<(Option<String>,)> =
                    first!(tx, "SELECT merged_into FROM crash_groups WHERE id = $1", &group);
                let end = before.mute.as_ref().and_then(|mute| mute.ended_by_time(now));
                match end {
                    // Once it is parted again, it is looked at again.
                    Some(end) if merged.is_some_and(|row| row.0.is_none()) => {
                        unmute(tx, &group, &before, None, now, &end).await?;
                        1
                    }
                    _ => 0,
                }
            });
        }
        Ok(ended)
    }
}

/// Ends a mute by itself, and tells of it.
pub(crate) async fn unmute(
    tx: &mut Tx,
    group: &str,
    before: &Decision,
    crash: Option<&str>,
    now: i64,
    end: &super::mute::MuteEnd,
) -> Result<Decision, StoreError> {
    let state = before.mute.as_ref().map_or(GroupState::Ongoing, |mute| mute.state_before);
    let after = Decision { state, mute: None, ..before.clone() };
    after.write(tx, group, before, now, (BY_ITSELF, "unmuted"), Some(&end.reason)).await?;
    let kind = if end.escalated { crate::EventKind::Escalated } else { crate::EventKind::Unmuted };
    super::events::emit(tx, kind, group, crash, now, Some(&end.reason)).await?;
    Ok(after)
}
