//! Jobs that were set aside, because every attempt at them was killed or died.

use axum::{Json as Answer, extract::State};
use http::StatusCode;
use panicle_store::JobKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AppState, Problem,
    access::{ProjectQuery, Seen},
    extract::{Path, Query},
    page::{self, Page},
};

/// A job that was set aside.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct QuarantinedJob {
    pub(crate) id: String,
    pub(crate) kind: JobKind,
    /// The crash (`analyse`), executable (`identify`), object of a bucket (`import`) or request that it is about.
    subject: String,
    /// The crash that it is about, if it is about one. Its evidence is kept.
    crash_id: Option<String>,
    project: String,
    /// How often it was tried.
    attempts: u32,
    /// What became of the last attempt.
    problem: Option<String>,
}

impl From<panicle_store::Quarantined> for QuarantinedJob {
    fn from(job: panicle_store::Quarantined) -> Self {
        let of_crash = matches!(job.kind, JobKind::Analyse | JobKind::Try);
        Self {
            id: job.id,
            kind: job.kind,
            crash_id: of_crash.then(|| job.subject.clone()),
            subject: job.subject,
            project: job.project,
            attempts: job.attempts,
            problem: job.problem,
        }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

/// List jobs that were set aside because every attempt at them was killed or died.
///
/// Of one project these are the analyses of its crashes.
#[utoipa::path(get, operation_id = "listQuarantine", path = "/quarantine", tag = "crashes", params(ListQuery, ProjectQuery),
    responses((status = 200, body = Page<QuarantinedJob>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Seen(project): Seen,
    Query(query): Query<ListQuery>,
) -> Result<Answer<Page<QuarantinedJob>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::id_cursor(query.cursor.as_deref())?;
    let jobs = state.store.quarantined(project.as_deref(), after.as_deref(), limit + 1).await?;
    let items = jobs.into_iter().map(QuarantinedJob::from).collect();
    Ok(Answer(Page::cut(items, limit, |item: &QuarantinedJob| item.id.clone())))
}

/// One job that was set aside.
#[utoipa::path(get, operation_id = "getQuarantined", path = "/quarantine/{id}", tag = "crashes", params(("id" = String, Path)),
    responses((status = 200, body = QuarantinedJob),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Answer<QuarantinedJob>, Problem> {
    Ok(Answer(state.store.quarantined_job(&id).await?.into()))
}

/// Queue a job again that was set aside, as if it had never been tried.
#[utoipa::path(post, operation_id = "retryQuarantined", path = "/quarantine/{id}/retry", tag = "crashes", params(("id" = String, Path)),
    responses((status = 202, body = QuarantinedJob, description = "It is queued; this is how it was"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn retry(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Answer<QuarantinedJob>), Problem> {
    let job = state.store.quarantined_job(&id).await?;
    state.store.retry_quarantined(&id).await?;
    tracing::info!(job = id, subject = job.subject, "a job that was set aside is tried again");
    Ok((StatusCode::ACCEPTED, Answer(job.into())))
}
