//! How far jobs are, and that somebody has called them off.

use jiff::Timestamp;

use super::Lease;
use crate::{CrashStatus, Failure, JobKind, Store, StoreError, facts::storable, time, tx::Tx};

/// Jobs before another one are counted up to here.
const COUNTED: i64 = 1000;

/// What a job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Evidence is laid out as local files.
    Fetching,
    /// A child takes compressed files and archives apart.
    Unpacking,
    /// A child reads the evidence.
    Reading,
    /// What came of it is stored.
    Storing,
}

impl Step {
    /// As it is stored and told.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fetching => "fetching",
            Self::Unpacking => "unpacking",
            Self::Reading => "reading",
            Self::Storing => "storing",
        }
    }
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub step: Step,
    /// Since when.
    pub since: Timestamp,
    /// Bytes that are done, of all; where that is known.
    pub bytes: Option<(u64, u64)>,
}

/// How far an analysis is that was asked for and has not come to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnalysisProgress {
    /// What its worker does; `None` while it waits, and before the worker has said so.
    pub step: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Bytes that are done, of all.
    pub bytes: Option<(u64, u64)>,
    /// Jobs of its project that are to be done before it, counted up to 1,000; `None` when it does not wait.
    pub ahead: Option<u64>,
    /// Not before then, because an attempt failed.
    pub not_before: Option<Timestamp>,
}

type Stored = (String, Option<String>, Option<i64>, Option<i64>, Option<i64>, i64, i64, i64, String);

impl Store {
    /// Notes how far a job is. `false`: its lease is lost, or it was called off; stop working.
    pub async fn note_progress(&self, lease: &Lease, progress: &Progress) -> Result<bool, StoreError> {
        let (done, total) = progress.bytes.unzip();
        let noted = query!(self, db => sqlx::query(
            "UPDATE jobs SET step = $3, step_since = $4, done_bytes = $5, total_bytes = $6 \
             WHERE id = $1 AND lease_token = $2 AND state = 'running'")
            .bind(&lease.job)
            .bind(&lease.token)
            .bind(progress.step.as_str())
            .bind(progress.since.as_microsecond())
            .bind(done.map(|bytes| bytes as i64))
            .bind(total.map(|bytes| bytes as i64))
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(noted == 1)
    }

    /// Whether a job is still this lease's.
    pub async fn holds(&self, lease: &Lease) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = query!(self, db => sqlx::query_as(
            "SELECT attempts FROM jobs WHERE id = $1 AND lease_token = $2 AND state = 'running'")
            .bind(&lease.job)
            .bind(&lease.token)
            .fetch_optional(db)
            .await)?;
        Ok(row.is_some())
    }

    /// How far the analysis of a crash is; `None` when there is none to be done.
    pub async fn analysis_progress(&self, crash: &str) -> Result<Option<AnalysisProgress>, StoreError> {
        let row: Option<Stored> = query!(self, db => sqlx::query_as(
            "SELECT state, step, step_since, done_bytes, total_bytes, priority, run_after, attempts, project FROM jobs \
             WHERE kind = $1 AND subject = $2 AND state IN ('queued', 'running')")
            .bind(JobKind::Analyse.as_str())
            .bind(crash)
            .fetch_optional(db)
            .await)?;
        let Some((state, step, since, done, total, priority, run_after, attempts, project)) = row else {
            return Ok(None);
        };
        if state == "running" {
            let bytes = done.zip(total).map(|(done, total)| (done.max(0) as u64, total.max(0) as u64));
            let since = time::read_optional(since)?;
            return Ok(Some(AnalysisProgress { step, since, bytes, ..AnalysisProgress::default() }));
        }
        let now = Timestamp::now().as_microsecond();
        let not_before = (attempts > 0 && run_after > now).then(|| time::read(run_after)).transpose()?;
        let (ahead,): (i64,) = query!(self, db => sqlx::query_as(
            "SELECT COUNT(*) FROM (SELECT id FROM jobs WHERE state = 'queued' AND project = $5 AND run_after <= $1 \
             AND (priority, run_after) < ($2, $3) LIMIT $4) AS before")
            .bind(now)
            .bind(priority)
            .bind(run_after)
            .bind(COUNTED)
            .bind(project)
            .fetch_one(db)
            .await)?;
        Ok(Some(AnalysisProgress { ahead: Some(ahead as u64), not_before, ..AnalysisProgress::default() }))
    }

    /// Calls off the analysis of a crash, whether it waits or is under way. The evidence stays, and so does the
    /// report of an earlier analysis.
    pub async fn cancel_analysis(&self, crash: &str) -> Result<(), StoreError> {
        self.crash(crash).await?;
        in_turn!(self, tx => {
            let stopped = exec!(
                tx,
                "UPDATE jobs SET state = 'cancelled', claimed = wanted, attempts = 0, lease_token = NULL, \
                 lease_until = NULL, worker = NULL, step = NULL, problem = $3 \
                 WHERE kind = $1 AND subject = $2 AND state IN ('queued', 'running')",
                JobKind::Analyse.as_str(),
                crash,
                storable("called off")
            );
            if stopped == 0 {
                return Err(StoreError::Invalid(format!("crash {crash} neither waits for an analysis nor is in one")));
            }
            goes_without(tx, crash).await?;
        });
        Ok(())
    }
}

/// The failure of a crash whose analysis was called off, as it is stored.
pub(super) fn called_off() -> Result<String, StoreError> {
    Ok(serde_json::to_string(&Failure {
        title: "The analysis was called off".to_owned(),
        detail: "somebody asked for that; the evidence is kept and can be analysed again".to_owned(),
        attempts: 0,
    })?)
}

/// A crash goes on with the outcome of an earlier analysis, or without any.
pub(crate) async fn goes_without(tx: &mut Tx, crash: &str) -> Result<(), StoreError> {
    exec!(
        tx,
        "UPDATE crashes SET started_at = NULL, \
         failure = CASE WHEN failure IS NOT NULL OR report_revision > 0 THEN failure ELSE $2 END, \
         status = CASE WHEN failure IS NOT NULL OR report_revision = 0 THEN $3 \
         WHEN missing_binary = $6 THEN $4 ELSE $5 END WHERE id = $1",
        crash,
        called_off()?,
        CrashStatus::Failed.as_str(),
        CrashStatus::WaitingForBinary.as_str(),
        CrashStatus::Done.as_str(),
        true
    );
    Ok(())
}
