use axum::{Json as Answer, extract::State};
use serde::Deserialize;

use crate::{
    AppState, Problem,
    extract::Query,
    shapes::{CrashSummary, SearchResult, Stats, groups::Group},
};

/// Results of each kind.
const LIMIT: u32 = 10;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// Part of a group's title, class, service or fingerprint, of a crash's service or host, or the
    /// start of a crash's id.
    q: String,
}

/// Find groups and crashes.
#[utoipa::path(get, operation_id = "search", path = "/search", tag = "search", params(SearchQuery),
    responses((status = 200, body = SearchResult),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn search(
    State(state): State<AppState>,
    Query(query): Query<SearchQuery>,
) -> Result<Answer<SearchResult>, Problem> {
    let found = state.store.search(&query.q, LIMIT).await?;
    Ok(Answer(SearchResult {
        groups: found.groups.into_iter().map(Group::from).collect(),
        crashes: found.crashes.into_iter().map(CrashSummary::from).collect(),
    }))
}

/// Counts.
#[utoipa::path(get, operation_id = "getStats", path = "/stats", tag = "search", responses((status = 200, body = Stats)))]
pub(crate) async fn stats(State(state): State<AppState>) -> Result<Answer<Stats>, Problem> {
    let stats = state.store.stats().await?;
    Ok(Answer(Stats {
        crashes: stats.crashes,
        groups: stats.groups,
        waiting_for_binary: stats.waiting_for_binary,
        queued: stats.queued + stats.analysing,
        failed: stats.failed + stats.quarantined,
    }))
}
