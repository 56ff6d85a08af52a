//! Who works, and what there is to do, for those who watch an installation.

use std::time::Duration;

use jiff::Timestamp;

use crate::{JobKind, Store, StoreError};

/// How often a process that works says that it does.
pub const WORKER_SAYS_EVERY: Duration = Duration::from_secs(15);
/// How long one counts as alive after it said so; two that were lost do no harm.
pub const WORKER_SEEN_FOR: Duration = Duration::from_secs(45);
/// When one is forgotten that says nothing any more.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);

/// Jobs of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobCount {
    /// What they do.
    pub kind: JobKind,
    /// Those that wait, also those for their time, and those whose worker is gone.
    pub waiting: u64,
    /// Those that somebody works on.
    pub running: u64,
    /// Those that were set aside.
    pub quarantined: u64,
}

impl Store {
    /// A worker says that it works, `tasks` jobs at a time. What died long ago is forgotten.
    pub async fn note_worker(&self, name: &str, tasks: usize, now: Timestamp) -> Result<(), StoreError> {
        query!(self, db => sqlx::query(
            "INSERT INTO workers (name, tasks, started_at, seen_at) VALUES ($1, $2, $3, $3) \
             ON CONFLICT (name) DO UPDATE SET tasks = $2, seen_at = $3")
            .bind(name)
            .bind(i64::try_from(tasks).unwrap_or(i64::MAX))
            .bind(now.as_microsecond())
            .execute(db)
            .await
            .map(drop))?;
        query!(self, db => sqlx::query("DELETE FROM workers WHERE seen_at < $1")
            .bind((now - FORGOTTEN_AFTER).as_microsecond())
            .execute(db)
            .await
            .map(drop))
    }

    /// A worker ends.
    pub async fn forget_worker(&self, name: &str) -> Result<(), StoreError> {
        query!(self, db => sqlx::query("DELETE FROM workers WHERE name = $1")
            .bind(name)
            .execute(db)
            .await
            .map(drop))
    }

    /// How many processes work, as of `now`: those that said so within [`WORKER_SEEN_FOR`].
    pub async fn live_workers(&self, now: Timestamp) -> Result<u64, StoreError> {
        let (count,): (i64,) = query!(self, db => sqlx::query_as("SELECT COUNT(*) FROM workers WHERE seen_at > $1")
                .bind((now - WORKER_SEEN_FOR).as_microsecond())
                .fetch_one(db)
                .await)?;
        Ok(count as u64)
    }

    /// How many jobs of each kind there are that are not done, as of `now`. Kinds of a later version are left out.
    pub async fn job_counts(&self, now: Timestamp) -> Result<Vec<JobCount>, StoreError> {
        let rows: Vec<(String, String, i64)> = query!(self, db => sqlx::query_as(
            "SELECT kind, state, COUNT(*) FROM (SELECT kind, CASE WHEN state = 'running' AND lease_until <= $1 \
             THEN 'queued' ELSE state END AS state FROM jobs WHERE state IN ('queued', 'running', 'quarantined')) \
             AS open GROUP BY kind, state")
            .bind(now.as_microsecond())
            .fetch_all(db)
            .await)?;
        let count = |kind: JobKind, state: &str| {
            let row = rows.iter().find(|row| row.0 == kind.as_str() && row.1 == state);
            row.map_or(0, |row| row.2 as u64)
        };
        let of = |&kind: &JobKind| JobCount {
            kind,
            waiting: count(kind, "queued"),
            running: count(kind, "running"),
            quarantined: count(kind, "quarantined"),
        };
        Ok(JobKind::ALL.iter().map(of).collect())
    }
}
