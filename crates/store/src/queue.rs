//! How long work waits.

use std::time::Duration;

use jiff::Timestamp;

use crate::{Store, StoreError};

impl Store {
    /// For how long the job that waits longest could have been claimed, as of `now`; `None` when no job
    /// waits. One whose worker is gone waits since its lease expired.
    pub async fn oldest_due(&self, now: Timestamp) -> Result<Option<Duration>, StoreError> {
        let now = now.as_microsecond();
        let (queued, expired): (Option<i64>, Option<i64>) = query!(self, db => sqlx::query_as(
            "SELECT (SELECT MIN(run_after) FROM jobs WHERE state = 'queued' AND run_after <= $1), \
             (SELECT MIN(lease_until) FROM jobs WHERE state = 'running' AND lease_until <= $1)")
            .bind(now)
            .fetch_one(db)
            .await)?;
        // Leases that were taken back at once have ended in 1970.
        let expired = expired.filter(|&until| until > 0);
        let since = queued.into_iter().chain(expired).min();
        Ok(since.map(|since| Duration::from_micros(now.saturating_sub(since).max(0) as u64)))
    }
}
