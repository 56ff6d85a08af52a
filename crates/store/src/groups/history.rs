//! Who changed what about a group, and taking it back.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{Store, StoreError, time, tx::Tx};

/// The actor of what happens by itself: nobody else goes by this name.
pub const BY_ITSELF: &str = "panicle";

/// An entry of a group's history.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupHistory {
    /// Numbered from 1 in each group.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// By whom; `panicle` for what happened by itself.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// What it was before, by field.
    pub from: Map<String, Value>,
    /// What it was changed to, by field.
    pub to: Map<String, Value>,
    /// Why.
    pub reason: Option<String>,
    /// The entry that took this one back.
    pub undone_by: Option<u64>,
}

/// An entry on its way in.
pub(crate) struct Entry<'a> {
    pub(crate) actor: &'a str,
    pub(crate) action: &'a str,
    pub(crate) from: Map<String, Value>,
    pub(crate) to: Map<String, Value>,
    pub(crate) reason: Option<&'a str>,
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    actor: String,
    action: String,
    changed_from: String,
    changed_to: String,
    reason: Option<String>,
    undone_by: Option<i64>,
}

impl Row {
    fn read(self) -> Result<GroupHistory, StoreError> {
        Ok(GroupHistory {
            seq: self.seq as u64,
            at: time::read(self.at)?,
            actor: self.actor,
            action: self.action,
            from: serde_json::from_str(&self.changed_from)?,
            to: serde_json::from_str(&self.changed_to)?,
            reason: self.reason,
            undone_by: self.undone_by.map(|seq| seq as u64),
        })
    }
}

/// Adds an entry, and makes the group another revision. Its value is the entry's number.
pub(crate) async fn record(tx: &mut Tx, group: &str, now: i64, entry: Entry<'_>) -> Result<i64, StoreError> {
    // The row of the group is locked by this, so that no other entry takes the same number.
    exec!(tx, "UPDATE crash_groups SET revision = revision + 1 WHERE id = $1", group);
    let last: Option<(i64,)> =
        first!(tx, "SELECT COALESCE(MAX(seq), 0) FROM group_history WHERE group_id = $1", group);
    let seq = last.map_or(0, |row| row.0) + 1;
    let (from, to) = (serde_json::to_string(&entry.from)?, serde_json::to_string(&entry.to)?);
    exec!(
        tx,
        "INSERT INTO group_history (group_id, seq, at, actor, action, changed_from, changed_to, reason) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        group,
        seq,
        now,
        entry.actor,
        entry.action,
        &from,
        &to,
        entry.reason
    );
    Ok(seq)
}

/// One entry.
pub(crate) async fn entry(tx: &mut Tx, group: &str, seq: u64) -> Result<GroupHistory, StoreError> {
    let row: Option<Row> =
        first!(tx, "SELECT * FROM group_history WHERE group_id = $1 AND seq = $2", group, seq as i64);
    row.ok_or_else(|| StoreError::NotFound { what: "history entry", id: format!("{group}/{seq}") })?.read()
}

/// Says of an entry that another one took it back.
pub(crate) async fn mark_undone(tx: &mut Tx, group: &str, seq: u64, by: i64) -> Result<(), StoreError> {
    exec!(
        tx,
        "UPDATE group_history SET undone_by = $3 WHERE group_id = $1 AND seq = $2",
        group,
        seq as i64,
        by
    );
    Ok(())
}

/// An object of one field.
pub(crate) fn field(name: &str, value: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.into())])
}

impl Store {
    /// A group's history, newest first, the entries before `before`.
    pub async fn group_history(
        &self,
        group: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<GroupHistory>, StoreError> {
        let known: Option<(i64,)> = query!(self, db => {
            sqlx::query_as("SELECT revision FROM crash_groups WHERE id = $1").bind(group).fetch_optional(db).await
        })?;
        known.ok_or_else(|| StoreError::NotFound { what: "group", id: group.to_owned() })?;
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(
            "SELECT * FROM group_history WHERE group_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3")
            .bind(group)
            .bind(before.map_or(i64::MAX, |seq| seq as i64))
            .bind(i64::from(limit))
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(Row::read).collect()
    }
}
