use axum::{
    Json as Answer,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::header;
use panicle_report::{GoroutineCluster, Report};
use panicle_sandbox::GOROUTINES_IN_CHUNK;
use panicle_store::{Crash, Part};
use serde::Deserialize;

use crate::{
    AppState, Problem,
    extract::{Path, Query},
    page::Page,
    report_cache,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportQuery {
    /// `all`, the default, lists every goroutine; with `summary` only the one at fault is there, and
    /// the clusters tell of the others.
    goroutines: Option<Listing>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Listing {
    All,
    Summary,
}

/// The report of a crash.
#[utoipa::path(get, operation_id = "getReport", path = "/crashes/{id}/report", tag = "crashes", params(("id" = String, Path), ReportQuery),
    responses((status = 200, body = Report),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    let crash = state.store.crash(&id).await?;
    if query.goroutines != Some(Listing::Summary) {
        return whole(state, crash).await;
    }
    let json = report_cache::json(&state.store, &crash, Part::Head, 0).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// A report with all its goroutines, put together while it is sent, because it may be very large.
async fn whole(state: AppState, crash: Crash) -> Result<Response, Problem> {
    let mut head = Report::clone(&*state.reports.head(&state.store, &crash).await?);
    let chunks = state.reports.rows(&state.store, &crash).await?.rows.len().div_ceil(GOROUTINES_IN_CHUNK);
    head.goroutines.clear();
    let json = serde_json::to_string(&head).map_err(|error| Problem::internal(error.to_string()))?;
    // Quotes within JSON texts are escaped, so this cannot be found in any of them.
    let empty = "\"goroutines\":[]";
    let at = json.find(empty).ok_or_else(|| Problem::internal("the report lists no goroutines"))?;
    let (before, after) = (json[..at + empty.len() - 1].to_owned(), json[at + empty.len() - 1..].to_owned());

    let pieces = futures_util::stream::unfold(0, move |step| {
        let (state, crash) = (state.clone(), crash.clone());
        let (before, after) = (before.clone(), after.clone());
        async move {
            let piece = match step {
                0 => Ok(Bytes::from(before)),
                step if step <= chunks => {
                    let chunk =
                        report_cache::json(&state.store, &crash, Part::Goroutines, step as u32 - 1).await;
                    chunk.map_err(|_| std::io::Error::other("a part of the report is missing")).map(|json| {
                        let mut piece = if step > 1 { vec![b','] } else { Vec::new() };
                        piece.extend_from_slice(&json[1..json.len() - 1]);
                        Bytes::from(piece)
                    })
                }
                step if step == chunks + 1 => Ok(Bytes::from(after)),
                _ => return None,
            };
            Some((piece, step + 1))
        }
    });
    Ok(([(header::CONTENT_TYPE, "application/json")], Body::from_stream(pieces)).into_response())
}

/// Goroutines with one stack, state and wait reason; the largest cluster first.
#[utoipa::path(get, operation_id = "listClusters", path = "/crashes/{id}/clusters", tag = "crashes", params(("id" = String, Path)),
    responses((status = 200, body = Page<GoroutineCluster>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn clusters(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Answer<Page<GoroutineCluster>>, Problem> {
    let crash = state.store.crash(&id).await?;
    let head = state.reports.head(&state.store, &crash).await?;
    Ok(Answer(Page::all(head.goroutine_clusters.clone())))
}
