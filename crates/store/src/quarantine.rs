//! Jobs that were set aside, because every attempt at them was killed or died.

use jiff::Timestamp;

use crate::{
    JobKind, Store, StoreError,
    crashes::refuse_reanalysis,
    jobs::{Priority, enqueue, requeue},
    rules::apply,
};

/// A job that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Its identifier.
    pub id: String,
    /// What it does.
    pub kind: JobKind,
    /// The crash, blob, object or request that it is about.
    pub subject: String,
    /// The project that its turn is taken from.
    pub project: String,
    /// How often it was tried.
    pub attempts: u32,
    /// What became of the last attempt.
    pub problem: Option<String>,
}

type Row = (String, String, String, String, i64, Option<String>);

impl Store {
    /// Jobs that were set aside, by their identifiers, those after `after`. Of a project, if one is given, they are the
    /// analyses of its crashes: what else there is, is of the installation.
    pub async fn quarantined(
        &self,
        project: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Quarantined>, StoreError> {
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(
            "SELECT id, kind, subject, project, attempts, problem FROM jobs WHERE state = 'quarantined' AND id > $1 \
             AND (CAST($2 AS TEXT) IS NULL OR (project = $2 AND kind = $4)) ORDER BY id LIMIT $3")
            .bind(after.unwrap_or_default())
            .bind(project)
            .bind(i64::from(limit))
            .bind(JobKind::Analyse.as_str())
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(read).collect()
    }

    /// One of them.
    pub async fn quarantined_job(&self, id: &str) -> Result<Quarantined, StoreError> {
        let row: Option<Row> = query!(self, db => sqlx::query_as(
            "SELECT id, kind, subject, project, attempts, problem FROM jobs WHERE state = 'quarantined' AND id = $1")
            .bind(id)
            .fetch_optional(db)
            .await)?;
        read(row.ok_or_else(|| not_there(id))?)
    }

    /// Queues a job again that was set aside, as if it had never been tried.
    pub async fn retry_quarantined(&self, id: &str) -> Result<(), StoreError> {
        let now = Timestamp::now().as_microsecond();
        let job = self.quarantined_job(id).await?;
        if job.kind == JobKind::Analyse {
            refuse_reanalysis(&self.crash(&job.subject).await?)?;
        }
        in_turn!(self, tx => {
            let still: Option<(String,)> =
                first!(tx, "SELECT id FROM jobs WHERE id = $1 AND state = 'quarantined'", id);
            if still.is_none() {
                return Err(not_there(id));
            }
            let subject = job.subject.as_str();
            match job.kind {
                JobKind::Analyse => drop(requeue(tx, subject, now, Priority::Person).await?),
                JobKind::Identify => {
                    exec!(tx, "UPDATE binaries SET identified = $2, problem = NULL WHERE id = $1", subject, false);
                    enqueue(tx, job.kind, subject, now, Priority::Person).await?;
                }
                JobKind::Import => {
                    exec!(
                        tx,
                        "UPDATE objects SET state = 'queued', problem = NULL, ended_at = NULL WHERE id = $1",
                        subject
                    );
                    enqueue(tx, job.kind, subject, now, Priority::Elsewhere).await?;
                }
                JobKind::Regroup => apply::request(tx, "taken out of quarantine", now).await?,
                JobKind::Fetch => enqueue(tx, job.kind, subject, now, Priority::Elsewhere).await?,
                JobKind::Try => enqueue(tx, job.kind, subject, now, Priority::History).await?,
            }
        });
        self.announce_work();
        Ok(())
    }
}

fn not_there(id: &str) -> StoreError {
    StoreError::NotFound { what: "quarantined job", id: id.to_owned() }
}

fn read((id, kind, subject, project, attempts, problem): Row) -> Result<Quarantined, StoreError> {
    let kind = kind.parse().map_err(|_| StoreError::Stored(format!("job kind {kind}")))?;
    let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
    Ok(Quarantined { id, kind, subject, project, attempts, problem })
}
