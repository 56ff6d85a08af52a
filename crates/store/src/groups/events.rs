//! What somebody may want to be told of: written in the transaction that makes it true, and numbered in
//! the order of commits, so that whoever reads on from the last number misses nothing.

use jiff::Timestamp;

use crate::{Store, StoreError, time, tx::Tx, words::EventKind};

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Numbered from 1, in the order of commits.
    pub seq: u64,
    /// What happened.
    pub kind: EventKind,
    /// To which group.
    pub group: String,
    /// The crash that made it happen.
    pub crash: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
}

type Row = (i64, String, String, Option<String>, i64, Option<String>);

pub(crate) async fn emit(
    tx: &mut Tx,
    kind: EventKind,
    group: &str,
    crash: Option<&str>,
    now: i64,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    // The row stays locked until the commit, so that no later number is seen before this one.
    let seq: Option<(i64,)> =
        first!(tx, "UPDATE turnstiles SET passes = passes + 1 WHERE name = 'events' RETURNING passes");
    let (seq,) = seq.ok_or_else(|| StoreError::Stored("the turnstile of events is missing".to_owned()))?;
    exec!(
        tx,
        "INSERT INTO events (seq, kind, group_id, crash_id, at, reason) VALUES ($1, $2, $3, $4, $5, $6)",
        seq,
        kind.as_str(),
        group,
        crash,
        now,
        reason
    );
    Ok(())
}

impl Store {
    /// The number of the last event; 0 before the first.
    pub async fn last_event(&self) -> Result<u64, StoreError> {
        let row: Option<(i64,)> = query!(self, db => {
            sqlx::query_as("SELECT passes FROM turnstiles WHERE name = 'events'").fetch_optional(db).await
        })?;
        Ok(row.map_or(0, |row| row.0 as u64))
    }

    /// Events after number `after`, oldest first; of one group if it is given.
    pub async fn events(
        &self,
        after: u64,
        group: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.events_in(None, after, group, limit).await
    }

    /// The same of one project, if it is given.
    pub async fn events_in(
        &self,
        project: Option<&str>,
        after: u64,
        group: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(
            "SELECT seq, kind, group_id, crash_id, at, reason FROM events WHERE seq > $1 \
             AND (CAST($2 AS TEXT) IS NULL OR group_id = $2) AND (CAST($4 AS TEXT) IS NULL OR EXISTS \
             (SELECT 1 FROM crash_groups g WHERE g.id = events.group_id AND g.project = $4)) ORDER BY seq LIMIT $3")
            .bind(after as i64)
            .bind(group)
            .bind(i64::from(limit))
            .bind(project)
            .fetch_all(db)
            .await)?;
        rows.into_iter()
            .map(|(seq, kind, group, crash, at, reason)| {
                Ok(Event {
                    seq: seq as u64,
                    kind: kind.parse().map_err(|_| StoreError::Stored(format!("event kind {kind}")))?,
                    group,
                    crash,
                    at: time::read(at)?,
                    reason,
                })
            })
            .collect()
    }
}
