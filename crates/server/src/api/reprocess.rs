//! Analysing history again.

use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use panicle_store::CrashFilter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AppState, Problem, api::search, extract::Json, page};

/// Crashes that one request looks at.
const BATCH: u32 = 1000;

/// Which crashes to analyse again.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Reprocess {
    /// Those that a query means; see `/query/fields`. All when not given.
    q: Option<String>,
    /// Those of this project.
    project: Option<String>,
    /// These crashes, and no others.
    crashes: Vec<String>,
    /// Only count them.
    dry_run: bool,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
}

/// What of history waits to be analysed again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Waiting {
    /// Crashes that wait since they were meant by a request without names; at most 100,000 are counted.
    waiting: u64,
    /// Crashes that were called off by this request.
    called_off: u64,
}

/// How much of history waits to be analysed again.
#[utoipa::path(get, operation_id = "getReprocessing", path = "/reprocess", tag = "crashes",
    responses((status = 200, body = Waiting),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn waiting(State(state): State<AppState>) -> Result<Answer<Waiting>, Problem> {
    Ok(Answer(Waiting { waiting: state.store.waiting_history().await?, called_off: 0 }))
}

/// Call off what of history waits to be analysed again.
///
/// Crashes keep the reports that they have. Those that a worker has at this moment are not called off, nor those that
/// wait for another reason, too: named by somebody, or because better debug information came. One request
/// calls up to 1000 off: repeat it while `waiting` is above 0.
#[utoipa::path(post, operation_id = "cancelReprocessing", path = "/reprocess/cancel", tag = "crashes",
    responses((status = 200, body = Waiting),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn cancel(State(state): State<AppState>) -> Result<Answer<Waiting>, Problem> {
    let mut called_off = 0;
    while called_off < u64::from(BATCH) {
        match state.store.call_off_history().await? {
            0 => break,
            some => called_off += some,
        }
    }
    tracing::info!(crashes = called_off, "analyses of history were called off");
    Ok(Answer(Waiting { waiting: state.store.waiting_history().await?, called_off }))
}

/// What is analysed again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Reprocessed {
    /// Crashes that were queued by this request; with `dry_run`, those that would be in all.
    crashes: u64,
    /// Crashes that are meant and left as they are, because their core was deleted by policy.
    without_core: u64,
    /// Send the same again with this as `cursor` for the others; null when there are no more.
    next_cursor: Option<String>,
}

impl From<panicle_store::Reprocessed> for Reprocessed {
    fn from(done: panicle_store::Reprocessed) -> Self {
        Self { crashes: done.crashes, without_core: done.without_core, next_cursor: done.next }
    }
}

/// Analyse crashes again that were analysed before.
///
/// They wait behind everything that arrives, so that fresh work is not
/// held up. Their reports stay until there are new ones. What is in quarantine stays there unless it is named. One request
/// queues up to 1000.
#[utoipa::path(post, operation_id = "reprocess", path = "/reprocess", tag = "crashes", request_body = Reprocess,
    responses((status = 200, body = Reprocessed, description = "With `dry_run`: nothing was queued"),
        (status = 202, body = Reprocessed, description = "They are queued"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn reprocess(
    State(state): State<AppState>,
    Json(body): Json<Reprocess>,
) -> Result<Response, Problem> {
    let done = if body.crashes.is_empty() {
        let project = match &body.project {
            Some(project) => Some(state.store.project(project).await?.id),
            None => None,
        };
        let filter = CrashFilter {
            project,
            query: search::asked(body.q.as_deref())?,
            before: page::id_cursor(body.cursor.as_deref())?,
            ..CrashFilter::default()
        };
        if body.dry_run {
            state.store.count_to_reprocess(&filter).await?
        } else {
            state.store.reprocess(&filter, BATCH).await?
        }
    } else {
        if body.q.is_some() || body.project.is_some() || body.cursor.is_some() {
            return Err(Problem::bad_request("crashes are named alone, or by q and project"));
        }
        if body.crashes.len() > BATCH as usize {
            return Err(Problem::bad_request(format!("at most {BATCH} crashes are named at once")));
        }
        state.store.reprocess_crashes(&body.crashes, body.dry_run).await?
    };
    let status = if body.dry_run { StatusCode::OK } else { StatusCode::ACCEPTED };
    if !body.dry_run {
        tracing::info!(crashes = done.crashes, "history is analysed again");
    }
    Ok((status, Answer(Reprocessed::from(done))).into_response())
}
