//! Work as rows with leases.

use std::time::Duration;

use jiff::Timestamp;

use crate::{CrashStatus, JobKind, Store, StoreError};

/// A job that this process holds.
#[derive(Clone, Debug)]
pub struct Job {
    /// The right to complete it.
    pub lease: Lease,
    /// What it does.
    pub kind: JobKind,
    /// The crash or blob that it is about.
    pub subject: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// The right to complete a job, as long as nobody else claimed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub(crate) job: String,
    pub(crate) token: String,
}

/// Who claims, and how.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Name of the worker, the same after a restart.
    pub worker: String,
    /// How long the lease holds without a heartbeat.
    pub lease: Duration,
    /// A job that was claimed this often is quarantined instead of claimed again.
    pub max_attempts: u32,
}

/// Asks for a job. While it runs, the request is noted and it runs once more.
macro_rules! enqueue {
    ($tx:ident, $kind:expr, $subject:expr, $now:expr) => {
        sqlx::query(
            "INSERT INTO jobs (id, kind, subject, state, wanted, claimed, attempts, run_after) \
             VALUES ($1, $2, $3, 'queued', 1, 0, 0, $4) ON CONFLICT (kind, subject) DO UPDATE SET \
             wanted = jobs.wanted + 1, run_after = $4, problem = NULL, \
             state = CASE WHEN jobs.state = 'running' THEN 'running' ELSE 'queued' END, \
             attempts = CASE WHEN jobs.state = 'running' THEN jobs.attempts ELSE 0 END",
        )
        .bind(uuid::Uuid::now_v7().to_string())
        .bind($kind.as_str())
        .bind($subject)
        .bind($now)
        .execute(&mut *$tx)
        .await?
        .rows_affected()
    };
}

/// Queues a crash's analysis, and says so in the crash unless a worker has it. Its value is the
/// number of crashes that there are of that name.
macro_rules! requeue {
    ($tx:ident, $crash:expr, $now:expr) => {{
        let found = sqlx::query(
            "UPDATE crashes SET status = CASE WHEN status = 'analysing' THEN status ELSE 'queued' END \
             WHERE id = $1",
        )
        .bind($crash)
        .execute(&mut *$tx)
        .await?
        .rows_affected();
        if found > 0 {
            enqueue!($tx, $crate::JobKind::Analyse, $crash, $now);
        }
        found
    }};
}

/// Completes a job, or answers [`StoreError::LeaseLost`]. Its value says whether it has to run
/// again, because it was asked for while it ran.
macro_rules! complete {
    ($tx:ident, $lease:expr) => {{
        let row: Option<(String,)> = sqlx::query_as(
            "UPDATE jobs SET state = CASE WHEN wanted > claimed THEN 'queued' ELSE 'done' END, attempts = 0, \
             lease_token = NULL, lease_until = NULL, worker = NULL, problem = NULL \
             WHERE id = $1 AND lease_token = $2 AND state = 'running' RETURNING state",
        )
        .bind(&$lease.job)
        .bind(&$lease.token)
        .fetch_optional(&mut *$tx)
        .await?;
        let Some((state,)) = row else { return Err($crate::StoreError::LeaseLost) };
        state == "queued"
    }};
}

/// Makes transactions that pass the same turnstile happen one after the other.
macro_rules! pass_turnstile {
    ($tx:ident, $name:literal) => {
        sqlx::query("UPDATE turnstiles SET passes = passes + 1 WHERE name = $1")
            .bind($name)
            .execute(&mut *$tx)
            .await?
            .rows_affected()
    };
}

/// Skips rows that another worker is about to claim; SQLite has one writer at a time anyway.
macro_rules! claim_text {
    ($lock:literal) => {
        concat!(
            "UPDATE jobs SET state = 'running', attempts = attempts + 1, claimed = wanted, \
             lease_token = $1, lease_until = $2, worker = $3 WHERE id = (SELECT id FROM jobs \
             WHERE (state = 'queued' AND run_after <= $4) OR (state = 'running' AND lease_until <= $4) \
             ORDER BY run_after, id LIMIT 1",
            $lock,
            ") RETURNING id, kind, subject, attempts"
        )
    };
}

type Claimed = (String, String, String, i64);

impl Store {
    /// Claims the job that has waited longest, if any is due at `now`. A job that has used up its
    /// attempts is quarantined on the way.
    pub async fn claim(&self, claim: &Claim, now: Timestamp) -> Result<Option<Job>, StoreError> {
        let until = now.as_microsecond().saturating_add(claim.lease.as_micros() as i64);
        loop {
            let token = uuid::Uuid::new_v4().to_string();
            macro_rules! run {
                ($db:ident, $text:expr) => {
                    sqlx::query_as::<_, Claimed>($text)
                        .bind(&token)
                        .bind(until)
                        .bind(&claim.worker)
                        .bind(now.as_microsecond())
                        .fetch_optional($db)
                        .await?
                };
            }
            let row = match &self.pool {
                crate::database::Pool::Sqlite(db) => run!(db, claim_text!("")),
                crate::database::Pool::Postgres(db) => run!(db, claim_text!(" FOR UPDATE SKIP LOCKED")),
            };
            let Some((job, kind, subject, attempts)) = row else { return Ok(None) };
            let lease = Lease { job, token };
            let kind: JobKind = kind.parse().map_err(|_| StoreError::Stored(format!("job kind {kind}")))?;
            let attempt = u32::try_from(attempts).unwrap_or(u32::MAX);
            let job = Job { lease, kind, subject, attempt };
            if attempt > claim.max_attempts {
                // Its last attempt took the worker with it, so nobody was left to say so.
                self.quarantine(&job, "every attempt ended with the end of its worker").await?;
                continue;
            }
            if kind == JobKind::Analyse {
                query!(self, db => sqlx::query(
                    "UPDATE crashes SET status = 'analysing', started_at = $2, attempts = $3 WHERE id = $1 \
                     AND EXISTS (SELECT 1 FROM jobs WHERE id = $4 AND lease_token = $5)")
                    .bind(&job.subject)
                    .bind(now.as_microsecond())
                    .bind(i64::from(attempt))
                    // Whoever lost the lease in between has no say any more.
                    .bind(&job.lease.job)
                    .bind(&job.lease.token)
                    .execute(db)
                    .await
                    .map(drop))?;
            }
            return Ok(Some(job));
        }
    }

    /// Extends a lease. `false`: it is lost, stop working.
    pub async fn heartbeat(&self, lease: &Lease, until: Timestamp) -> Result<bool, StoreError> {
        let done = query!(self, db => sqlx::query(
            "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND lease_token = $2 AND state = 'running'")
            .bind(&lease.job)
            .bind(&lease.token)
            .bind(until.as_microsecond())
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Gives a job back to be tried again after `run_after`. With `uncounted`, the attempt was cut
    /// short for a reason that is none of the job's, such as a shutdown.
    pub async fn retry(
        &self,
        job: &Job,
        problem: &str,
        run_after: Timestamp,
        uncounted: bool,
    ) -> Result<(), StoreError> {
        transaction!(self, tx => {
            let done = sqlx::query(
                "UPDATE jobs SET state = 'queued', run_after = $3, problem = $4, attempts = attempts - $5, \
                 lease_token = NULL, lease_until = NULL, worker = NULL \
                 WHERE id = $1 AND lease_token = $2 AND state = 'running'",
            )
            .bind(&job.lease.job)
            .bind(&job.lease.token)
            .bind(run_after.as_microsecond())
            .bind(problem)
            .bind(i64::from(uncounted))
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if done != 1 {
                return Err(StoreError::LeaseLost);
            }
            if job.kind == JobKind::Analyse {
                sqlx::query("UPDATE crashes SET status = 'queued', started_at = NULL WHERE id = $1")
                    .bind(&job.subject)
                    .execute(&mut *tx)
                    .await?;
            }
        });
        if uncounted {
            self.announce_work();
        }
        Ok(())
    }

    /// Sets a job aside for good: every attempt was killed or crashed. The evidence stays, as its
    /// reproducer.
    pub async fn quarantine(&self, job: &Job, problem: &str) -> Result<(), StoreError> {
        self.end(job, "quarantined", CrashStatus::Quarantined, "Analysis was stopped every time", problem)
            .await
    }

    /// Ends a job whose evidence cannot be read, however often it is tried.
    pub async fn fail(&self, job: &Job, title: &str, problem: &str) -> Result<(), StoreError> {
        self.end(job, "failed", CrashStatus::Failed, title, problem).await
    }

    async fn end(
        &self,
        job: &Job,
        state: &str,
        status: CrashStatus,
        title: &str,
        problem: &str,
    ) -> Result<(), StoreError> {
        let failure = serde_json::to_string(&crate::Failure {
            title: title.to_owned(),
            detail: problem.to_owned(),
            attempts: job.attempt.min(3),
        })?;
        let now = Timestamp::now().as_microsecond();
        transaction!(self, tx => {
            let row: Option<(String,)> = sqlx::query_as(
                "UPDATE jobs SET state = CASE WHEN wanted > claimed THEN 'queued' ELSE $3 END, problem = $4, \
                 attempts = CASE WHEN wanted > claimed THEN 0 ELSE attempts END, \
                 lease_token = NULL, lease_until = NULL, worker = NULL \
                 WHERE id = $1 AND lease_token = $2 AND state = 'running' RETURNING state",
            )
            .bind(&job.lease.job)
            .bind(&job.lease.token)
            .bind(state)
            .bind(problem)
            .fetch_optional(&mut *tx)
            .await?;
            let Some((state,)) = row else { return Err(StoreError::LeaseLost) };
            let again = state == "queued";
            match job.kind {
                JobKind::Analyse => sqlx::query(
                    "UPDATE crashes SET status = $2, failure = $3, analysed_at = $4, started_at = NULL, \
                     missing_binary = $5 WHERE id = $1",
                )
                .bind(&job.subject)
                .bind(if again { CrashStatus::Queued } else { status }.as_str())
                .bind(&failure)
                .bind(now)
                .bind(false)
                .execute(&mut *tx)
                .await?,
                // The crash stays as it is.
                JobKind::Try => sqlx::query("DELETE FROM signature_trials WHERE crash_id = $1")
                    .bind(&job.subject)
                    .execute(&mut *tx)
                    .await?,
                JobKind::Regroup => sqlx::query("UPDATE regrouping SET finished_at = $1, reason = $2 WHERE id = 1")
                    .bind(now)
                    .bind(problem)
                    .execute(&mut *tx)
                    .await?,
                JobKind::Identify => sqlx::query("UPDATE binaries SET identified = $2, problem = $3 WHERE id = $1")
                    .bind(&job.subject)
                    .bind(true)
                    .bind(problem)
                    .execute(&mut *tx)
                    .await?,
            };
        });
        Ok(())
    }

    /// Frees at once what `worker` held when it was last stopped. Answers how many jobs that were.
    pub async fn recover(&self, worker: &str) -> Result<u64, StoreError> {
        let freed = query!(self, db => sqlx::query(
            "UPDATE jobs SET lease_until = 0 WHERE state = 'running' AND worker = $1")
            .bind(worker)
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        if freed > 0 {
            self.announce_work();
        }
        Ok(freed)
    }
}
