//! Jobs that have to wait for others, who may never answer.

use jiff::Timestamp;

use crate::{Lease, Store, StoreError, time};

impl Store {
    /// Since when a job has had to wait for others, as it was last asked for: since `now` when this is the first time
    /// that it is said.
    pub async fn waits_since(&self, lease: &Lease, now: Timestamp) -> Result<Timestamp, StoreError> {
        let since: Option<(i64,)> = query!(self, db => sqlx::query_as(
            "UPDATE jobs SET waits_since = CASE WHEN waits_claim = claimed THEN COALESCE(waits_since, $3) ELSE $3 END, \
             waits_claim = claimed WHERE id = $1 AND lease_token = $2 AND state = 'running' RETURNING waits_since")
            .bind(&lease.job)
            .bind(&lease.token)
            .bind(now.as_microsecond())
            .fetch_optional(db)
            .await)?;
        time::read(since.ok_or(StoreError::LeaseLost)?.0)
    }
}
