//! Analysing again what was analysed before: behind everything that has just arrived.

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use crate::{
    CrashFilter, JobKind, Store, StoreError,
    crashes::refuse_reanalysis,
    facts::storable,
    jobs::{Priority, goes_without, requeue},
};

/// Crashes that are queued in one transaction, so that others get their turn.
const BATCH: usize = 100;

/// Waiting crashes are counted up to here.
const COUNTED: i64 = 100_000;

/// What was, or would be, queued.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reprocessed {
    /// Crashes that are analysed again.
    pub crashes: u64,
    /// Crashes that are not, because a policy deleted their core. Their reports stay.
    pub without_core: u64,
    /// The last crash that was looked at, where there are more.
    pub next: Option<String>,
}

impl Store {
    /// What [`Store::reprocess`] would queue in all.
    pub async fn count_to_reprocess(&self, filter: &CrashFilter) -> Result<Reprocessed, StoreError> {
        let condition = self.meant(filter, 0).await?;
        let text = format!(
            "SELECT COUNT(*), COUNT(core_deleted_at) FROM crashes WHERE joined_into IS NULL \
             AND status <> 'quarantined' AND {}",
            condition.text
        );
        let (all, without_core): (i64, i64) = query!(self, db => {
            let query = sqlx::query_as(AssertSqlSafe(text));
            bind_condition!(query, condition).fetch_one(db).await
        })?;
        Ok(Reprocessed {
            crashes: (all - without_core) as u64,
            without_core: without_core as u64,
            next: None,
        })
    }

    /// Queues crashes for another analysis behind all work that is fresh: those that a filter means, newest first,
    /// `limit` at most. What is in quarantine stays there.
    pub async fn reprocess(&self, filter: &CrashFilter, limit: u32) -> Result<Reprocessed, StoreError> {
        let condition = self.meant(filter, 1).await?;
        let text = format!(
            "SELECT id, core_deleted_at FROM crashes WHERE joined_into IS NULL AND status <> 'quarantined' AND {} \
             ORDER BY id DESC LIMIT $1",
            condition.text
        );
        let rows: Vec<(String, Option<i64>)> = query!(self, db => {
            let query = sqlx::query_as(AssertSqlSafe(text)).bind(i64::from(limit));
            bind_condition!(query, condition).fetch_all(db).await
        })?;
        let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| row.0.clone());
        let without_core = rows.iter().filter(|row| row.1.is_some()).count() as u64;
        let ids: Vec<String> = rows.into_iter().filter(|row| row.1.is_none()).map(|row| row.0).collect();
        Ok(Reprocessed { crashes: self.queue_again(&ids, Priority::Again).await?, without_core, next })
    }

    /// The same of crashes that are named. `dry` only looks whether it can be done.
    pub async fn reprocess_crashes(&self, ids: &[String], dry: bool) -> Result<Reprocessed, StoreError> {
        for id in ids {
            refuse_reanalysis(&self.crash(id).await?)?;
        }
        let crashes = if dry { ids.len() as u64 } else { self.queue_again(ids, Priority::History).await? };
        Ok(Reprocessed { crashes, ..Reprocessed::default() })
    }

    /// Crashes that wait to be analysed again since [`Store::reprocess`]; at most [`COUNTED`] are counted.
    pub async fn waiting_history(&self) -> Result<u64, StoreError> {
        let (count,): (i64,) = query!(self, db => sqlx::query_as(
            "SELECT COUNT(*) FROM (SELECT id FROM jobs WHERE state = 'queued' AND kind = $1 AND priority = $2 \
             LIMIT $3) AS waiting")
            .bind(JobKind::Analyse.as_str())
            .bind(Priority::Again as i64)
            .bind(COUNTED)
            .fetch_one(db)
            .await)?;
        Ok(count as u64)
    }

    /// Calls some of them off, and answers how many. Their reports stay. What a worker has already is not touched, nor what
    /// waits for another reason, too: for better debug information, or because a person asked for it.
    pub async fn call_off_history(&self) -> Result<u64, StoreError> {
        let stopped = in_turn!(self, tx => {
            let rows: Vec<(String,)> = all!(
                tx,
                "UPDATE jobs SET state = 'cancelled', claimed = wanted, attempts = 0, problem = $4 WHERE id IN (\
                 SELECT id FROM jobs WHERE state = 'queued' AND kind = $1 AND priority = $2 LIMIT $3) \
                 AND state = 'queued' RETURNING subject",
                JobKind::Analyse.as_str(),
                Priority::Again as i64,
                BATCH as i64,
                storable("called off")
            );
            for (crash,) in &rows {
                goes_without(tx, crash).await?;
            }
            rows.len() as u64
        });
        Ok(stopped)
    }

    async fn queue_again(&self, ids: &[String], priority: Priority) -> Result<u64, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let mut queued = 0;
        for part in ids.chunks(BATCH) {
            queued += in_turn!(self, tx => {
                let mut done = 0;
                for id in part {
                    done += requeue(tx, id, now, priority).await?;
                }
                done
            });
            self.announce_work();
        }
        Ok(queued)
    }
}
