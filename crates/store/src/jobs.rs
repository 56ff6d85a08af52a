//! Work as rows with leases.

mod progress;

use std::time::Duration;

use jiff::Timestamp;

use self::progress::called_off;
pub(crate) use self::progress::goes_without;
pub use self::progress::{AnalysisProgress, Progress, Step};
use crate::{CrashStatus, JobKind, Store, StoreError, facts::storable, tx::Tx};

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

/// How soon a job is done: those of a lower number first, and among the same those that have waited longest.
/// Between two of them there is room for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// A person asked for it and waits.
    Person = 0,
    /// It has just arrived.
    Fresh = 100,
    /// It is about what was known before.
    History = 200,
    /// It was asked for of history as a whole, and is called off as a whole.
    Again = 250,
    /// It waits for others, who may take their time. Work of [`Lane::Elsewhere`] alone.
    Elsewhere = 1000,
}

/// Which work is claimed. What waits for others has a lane of its own, so that it never keeps anybody from work that
/// can be done at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Whatever comes first.
    Any,
    /// What needs nothing but this installation.
    Here,
    /// What asks other servers.
    Elsewhere,
}

impl Lane {
    /// The least and the greatest priority of its work.
    const fn priorities(self) -> (i64, i64) {
        let first_elsewhere = Priority::Elsewhere as i64;
        match self {
            Self::Any => (i64::MIN, i64::MAX),
            Self::Here => (i64::MIN, first_elsewhere - 1),
            Self::Elsewhere => (first_elsewhere, i64::MAX),
        }
    }
}

/// Asks for a job, from `run_after` on. While it runs, the request is noted and it runs once more. One that
/// waits already waits no longer for it. It is of the project of its crash, or of the first that sent its file.
pub(crate) async fn enqueue(
    tx: &mut Tx,
    kind: JobKind,
    subject: &str,
    run_after: i64,
    priority: Priority,
) -> Result<(), StoreError> {
    exec!(
        tx,
        "INSERT INTO jobs (id, kind, subject, state, wanted, claimed, attempts, run_after, priority, project) \
         VALUES ($1, $2, $3, 'queued', 1, 0, 0, $4, $5, COALESCE((SELECT c.project FROM crashes c WHERE c.id = $3), \
         (SELECT p.project FROM blob_projects p WHERE p.blob_id = $3 ORDER BY p.received_at, p.project LIMIT 1), \
         (SELECT o.project FROM objects o WHERE o.id = $3), 'default')) ON CONFLICT (kind, subject) DO UPDATE SET \
         wanted = jobs.wanted + 1, problem = NULL, \
         run_after = CASE WHEN jobs.state = 'queued' AND jobs.run_after < $4 THEN jobs.run_after ELSE $4 END, \
         priority = CASE WHEN jobs.state IN ('queued', 'running') AND jobs.priority < $5 THEN jobs.priority \
         ELSE $5 END, \
         state = CASE WHEN jobs.state = 'running' THEN 'running' ELSE 'queued' END, \
         attempts = CASE WHEN jobs.state = 'running' THEN jobs.attempts ELSE 0 END",
        uuid::Uuid::now_v7().to_string(),
        kind.as_str(),
        subject,
        run_after,
        priority as i64
    );
    Ok(())
}

/// Queues a crash's analysis, and says so in the crash unless a worker has it. Answers the number of
/// crashes that there are of that name.
pub(crate) async fn requeue(
    tx: &mut Tx,
    crash: &str,
    now: i64,
    priority: Priority,
) -> Result<u64, StoreError> {
    let there: Option<(String,)> = first!(tx, "SELECT id FROM crashes WHERE id = $1", crash);
    if there.is_none() {
        return Ok(0);
    }
    // The job before its crash, as everybody else who changes both.
    enqueue(tx, JobKind::Analyse, crash, now, priority).await?;
    // What went wrong before is known until there is another outcome, but not that nobody tried.
    Ok(exec!(
        tx,
        "UPDATE crashes SET failure = CASE WHEN failure = $2 THEN NULL ELSE failure END, \
         status = CASE WHEN status = 'analysing' THEN status ELSE 'queued' END WHERE id = $1",
        crash,
        called_off()?
    ))
}

/// Completes a job, or answers [`StoreError::LeaseLost`]. Its value says whether it has to run
/// again, because it was asked for while it ran.
pub(crate) async fn complete(tx: &mut Tx, lease: &Lease) -> Result<bool, StoreError> {
    let row: Option<(String,)> = first!(
        tx,
        "UPDATE jobs SET state = CASE WHEN wanted > claimed THEN 'queued' ELSE 'done' END, attempts = 0, \
         lease_token = NULL, lease_until = NULL, worker = NULL, problem = NULL \
         WHERE id = $1 AND lease_token = $2 AND state = 'running' RETURNING state",
        &lease.job,
        &lease.token
    );
    let Some((state,)) = row else { return Err(StoreError::LeaseLost) };
    Ok(state == "queued")
}

/// The kinds of work that this process knows. Others stay for those who do: a version after this one may have more, and
/// claims of what nobody here can do would use up the attempts of its jobs.
macro_rules! known_kinds {
    () => {
        "('identify', 'analyse', 'regroup', 'try', 'fetch', 'import')"
    };
}

/// The first job of a project and state that may be claimed, in the order of the index `jobs_due_in`, so that one row of
/// it is read however many there are.
macro_rules! first_text {
    ($which:literal, $lock:literal) => {
        concat!(
            "SELECT * FROM (SELECT id, priority, run_after FROM jobs WHERE ",
            $which,
            " <= $4 AND project = $7 AND priority BETWEEN $5 AND $6 AND kind IN ",
            known_kinds!(),
            " ORDER BY priority, run_after, id LIMIT 1",
            $lock,
            ") AS due"
        )
    };
}

/// Skips rows that another worker is about to claim; SQLite has one writer at a time anyway.
macro_rules! claim_text {
    ($lock:literal) => {
        concat!(
            "UPDATE jobs SET state = 'running', attempts = attempts + 1, claimed = wanted, \
             lease_token = $1, lease_until = $2, worker = $3, turn = $8, step = NULL, step_since = NULL, \
             done_bytes = NULL, total_bytes = NULL WHERE id = (SELECT id FROM (",
            first_text!("state = 'queued' AND run_after", $lock),
            " UNION ALL ",
            first_text!("state = 'running' AND lease_until", $lock),
            ") AS one ORDER BY priority, run_after, id LIMIT 1) RETURNING id, kind, subject, attempts"
        )
    };
}

type Claimed = (String, String, String, i64);

/// Each project, its last turn, and the priorities of the first of its jobs that may be claimed: of those that wait, and
/// of those whose worker is gone. So many rows are read as there are projects, a few times.
const WAITING: &str = concat!(
    "SELECT p.id, COALESCE((SELECT MAX(j.turn) FROM jobs j WHERE j.project = p.id), 0), \
     (SELECT j.priority FROM jobs j WHERE j.state = 'queued' AND j.project = p.id AND j.run_after <= $1 \
     AND j.priority BETWEEN $2 AND $3 AND j.kind IN ",
    known_kinds!(),
    " ORDER BY j.priority, j.run_after, j.id LIMIT 1), \
     (SELECT j.priority FROM jobs j WHERE j.state = 'running' AND j.project = p.id AND j.lease_until <= $1 \
     AND j.priority BETWEEN $2 AND $3 AND j.kind IN ",
    known_kinds!(),
    " ORDER BY j.priority LIMIT 1) FROM projects p"
);

/// Projects with something to claim, the one first whose turn it is, and the number of the next turn.
struct Turns {
    projects: Vec<String>,
    next: i64,
}

impl Turns {
    /// Those of the lowest priority number come first, and among the same, those whose last turn is longest ago.
    fn of(rows: Vec<(String, i64, Option<i64>, Option<i64>)>) -> Self {
        let next = rows.iter().map(|row| row.1).max().unwrap_or_default() + 1;
        let mut waiting: Vec<(i64, i64, String)> = rows
            .into_iter()
            .filter_map(|(project, turn, queued, expired)| {
                Some((queued.into_iter().chain(expired).min()?, turn, project))
            })
            .collect();
        waiting.sort_unstable();
        Self { projects: waiting.into_iter().map(|(.., project)| project).collect(), next }
    }
}

impl Store {
    /// Claims the job that is due at `now` and soonest by its priority, if there is any. Where several projects have one
    /// of the same priority, they take turns, whatever else each of them has; of one project, the job comes first that
    /// has waited longest. A job that has used up its attempts is quarantined on the way.
    pub async fn claim(&self, claim: &Claim, now: Timestamp) -> Result<Option<Job>, StoreError> {
        self.claim_in(Lane::Any, claim, now).await
    }

    /// The same of one lane.
    pub async fn claim_in(
        &self,
        lane: Lane,
        claim: &Claim,
        now: Timestamp,
    ) -> Result<Option<Job>, StoreError> {
        let (first, last) = lane.priorities();
        let until = now.as_microsecond().saturating_add(claim.lease.as_micros() as i64);
        loop {
            let rows = query!(self, db => sqlx::query_as(WAITING)
                .bind(now.as_microsecond())
                .bind(first)
                .bind(last)
                .fetch_all(db)
                .await)?;
            let turns = Turns::of(rows);
            let mut claimed = None;
            // Others may have taken what the first ones had.
            for project in &turns.projects {
                let token = uuid::Uuid::new_v4().to_string();
                macro_rules! run {
                    ($db:ident, $text:expr) => {
                        sqlx::query_as::<_, Claimed>($text)
                            .bind(&token)
                            .bind(until)
                            .bind(&claim.worker)
                            .bind(now.as_microsecond())
                            .bind(first)
                            .bind(last)
                            .bind(project)
                            .bind(turns.next)
                            .fetch_optional($db)
                            .await?
                    };
                }
                let claiming = Box::pin(async {
                    Ok::<_, sqlx::Error>(match &self.pool {
                        crate::database::Pool::Sqlite(db) => run!(db, claim_text!("")),
                        crate::database::Pool::Postgres(db) => {
                            run!(db, claim_text!(" FOR UPDATE SKIP LOCKED"))
                        }
                    })
                });
                let row = self.during(claiming).await?;
                if let Some(row) = row {
                    claimed = Some((row, token));
                    break;
                }
            }
            let Some(((job, kind, subject, attempts), token)) = claimed else { return Ok(None) };
            let lease = Lease { job, token };
            let kind: JobKind = kind.parse().map_err(|_| StoreError::Stored(format!("job kind {kind}")))?;
            let attempt = u32::try_from(attempts).unwrap_or(u32::MAX);
            let job = Job { lease, kind, subject, attempt };
            if attempt > claim.max_attempts {
                // Its last attempt took the worker with it, so nobody was left to say so.
                self.quarantine(&job, "every attempt ended with the end of its worker").await?;
                continue;
            }
            if kind == JobKind::Analyse && !self.say_analysing(&job, now).await? {
                // It was called off in between.
                continue;
            }
            return Ok(Some(job));
        }
    }

    /// Says in a crash that it is being analysed. `false`: the job is not this lease's any more.
    async fn say_analysing(&self, job: &Job, now: Timestamp) -> Result<bool, StoreError> {
        Ok(transaction!(self, tx => {
            // Held until the end: whoever calls the job off waits, or has done so and is seen.
            let held = exec!(
                tx,
                "UPDATE jobs SET worker = worker WHERE id = $1 AND lease_token = $2 AND state = 'running'",
                &job.lease.job,
                &job.lease.token
            );
            if held == 1 {
                exec!(
                    tx,
                    "UPDATE crashes SET status = 'analysing', started_at = $2, attempts = $3 WHERE id = $1",
                    &job.subject,
                    now.as_microsecond(),
                    i64::from(job.attempt)
                );
            }
            held == 1
        }))
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
        in_turn!(self, tx => {
            let done = exec!(
                tx,
                "UPDATE jobs SET state = 'queued', run_after = $3, problem = $4, attempts = attempts - $5, \
                 lease_token = NULL, lease_until = NULL, worker = NULL \
                 WHERE id = $1 AND lease_token = $2 AND state = 'running'",
                &job.lease.job,
                &job.lease.token,
                run_after.as_microsecond(),
                storable(problem),
                i64::from(uncounted)
            );
            if done != 1 {
                return Err(StoreError::LeaseLost);
            }
            if job.kind == JobKind::Analyse {
                exec!(tx, "UPDATE crashes SET status = 'queued', started_at = NULL WHERE id = $1", &job.subject);
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
        let title = "Analysis was stopped every time";
        self.end(job, "quarantined", CrashStatus::Quarantined, title, problem, false).await
    }

    /// Ends a job whose evidence cannot be read, however often it is tried.
    pub async fn fail(&self, job: &Job, title: &str, problem: &str) -> Result<(), StoreError> {
        self.end(job, "failed", CrashStatus::Failed, title, problem, false).await
    }

    /// Ends a job whose object is nothing that is taken, and never will be: nobody needs its bytes any more.
    pub async fn refuse(&self, job: &Job, title: &str, problem: &str) -> Result<(), StoreError> {
        self.end(job, "failed", CrashStatus::Failed, title, problem, true).await
    }

    async fn end(
        &self,
        job: &Job,
        state: &str,
        status: CrashStatus,
        title: &str,
        problem: &str,
        refused: bool,
    ) -> Result<(), StoreError> {
        let failure = serde_json::to_string(&crate::Failure {
            title: title.to_owned(),
            detail: problem.to_owned(),
            attempts: job.attempt.min(3),
        })?;
        let now = Timestamp::now().as_microsecond();
        let problem = &storable(problem);
        in_turn!(self, tx => {
            let row: Option<(String,)> = first!(
                tx,
                "UPDATE jobs SET state = CASE WHEN wanted > claimed THEN 'queued' ELSE $3 END, problem = $4, \
                 attempts = CASE WHEN wanted > claimed THEN 0 ELSE attempts END, \
                 lease_token = NULL, lease_until = NULL, worker = NULL \
                 WHERE id = $1 AND lease_token = $2 AND state = 'running' RETURNING state",
                &job.lease.job,
                &job.lease.token,
                state,
                problem
            );
            let Some((state,)) = row else { return Err(StoreError::LeaseLost) };
            let again = state == "queued";
            match job.kind {
                JobKind::Analyse => exec!(
                    tx,
                    "UPDATE crashes SET status = $2, failure = $3, analysed_at = $4, started_at = NULL, \
                     missing_binary = $5 WHERE id = $1",
                    &job.subject,
                    if again { CrashStatus::Queued } else { status }.as_str(),
                    &failure,
                    now,
                    false
                ),
                // The crash stays as it is.
                JobKind::Try => exec!(tx, "DELETE FROM signature_trials WHERE crash_id = $1", &job.subject),
                // Why, the job tells.
                JobKind::Regroup => exec!(tx, "UPDATE regrouping SET finished_at = $1 WHERE id = 1", now),
                // Nothing but the job itself tells of it.
                JobKind::Fetch => 0,
                JobKind::Import => exec!(
                    tx,
                    "UPDATE objects SET state = $2, problem = $3, ended_at = $4, refused_at = $5 WHERE id = $1",
                    &job.subject,
                    if again { "queued" } else { "failed" },
                    problem,
                    now,
                    (refused && !again).then_some(now)
                ),
                JobKind::Identify => exec!(
                    tx,
                    "UPDATE binaries SET identified = $2, problem = $3 WHERE id = $1",
                    &job.subject,
                    true,
                    problem
                ),
            };
        });
        Ok(())
    }

    /// Frees at once what `worker` held when it was last stopped. Answers how many jobs that were.
    pub async fn recover(&self, worker: &str) -> Result<u64, StoreError> {
        let freed = in_turn!(self, tx => exec!(
            tx,
            "UPDATE jobs SET lease_until = 0 WHERE state = 'running' AND worker = $1",
            worker
        ));
        if freed > 0 {
            self.announce_work();
        }
        Ok(freed)
    }
}

#[cfg(test)]
mod tests;
