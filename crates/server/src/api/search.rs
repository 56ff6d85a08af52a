use axum::{Json as Answer, extract::State};
use panicle_query::Query as Asked;
use panicle_store::{CrashFilter, GroupFilter, GroupPage, GroupSort};
use serde::Deserialize;

use crate::{
    AppState, Problem,
    access::{ProjectQuery, Seen},
    api::{crashes, groups},
    extract::Query,
    page,
    shapes::{SearchResult, Stats},
};

/// Results of each kind, unless more are asked for.
const LIMIT: u32 = 10;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// A query: `class:nil-map-write service:auth since:24h`, or words that occur anywhere. See `/query/fields`.
    q: String,
    /// Results of each kind at most, up to 500; 10 unless given.
    limit: Option<u32>,
}

/// Find groups and crashes. More of either are in the lists of the same `q`, from `groups_cursor` and
/// `crashes_cursor` on. A group is found when one of its crashes is.
#[utoipa::path(get, operation_id = "search", path = "/search", tag = "search", params(SearchQuery, ProjectQuery),
    responses((status = 200, body = SearchResult),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn search(
    State(state): State<AppState>,
    Seen(project): Seen,
    Query(query): Query<SearchQuery>,
) -> Result<Answer<SearchResult>, Problem> {
    let limit = page::limit(query.limit.or(Some(LIMIT)))?;
    let asked = Asked::parse(&query.q)?;
    let canonical = asked.to_string();
    // Who has not yet asked for anything is not answered with everything.
    if asked.expr().is_none() {
        return Ok(Answer(SearchResult {
            query: canonical,
            groups: Vec::new(),
            groups_cursor: None,
            crashes: Vec::new(),
            crashes_cursor: None,
        }));
    }
    let filter =
        GroupFilter { query: Some(asked.clone()), project: project.clone(), ..GroupFilter::default() };
    let first = GroupPage { sort: GroupSort::LastSeen, after: None, limit: limit + 1 };
    let groups = groups::page(&state, &filter, &first).await?;
    let filter = CrashFilter { query: Some(asked), project, ..CrashFilter::default() };
    let crashes = crashes::page(&state, &filter, limit).await?;
    Ok(Answer(SearchResult {
        query: canonical,
        groups: groups.items,
        groups_cursor: groups.next_cursor,
        crashes: crashes.items,
        crashes_cursor: crashes.next_cursor,
    }))
}

/// A query of a list; `None` where nothing is asked.
pub(crate) fn asked(q: Option<&str>) -> Result<Option<Asked>, Problem> {
    let asked = q.map(Asked::parse).transpose()?;
    Ok(asked.filter(|asked| asked.expr().is_some()))
}

/// Counts.
#[utoipa::path(get, operation_id = "getStats", path = "/stats", tag = "search", params(ProjectQuery),
    responses((status = 200, body = Stats),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn stats(
    State(state): State<AppState>,
    Seen(project): Seen,
) -> Result<Answer<Stats>, Problem> {
    let stats = state.store.stats_in(project.as_deref()).await?;
    Ok(Answer(Stats {
        crashes: stats.crashes,
        groups: stats.groups,
        waiting_for_binary: stats.waiting_for_binary,
        queued: stats.queued + stats.analysing,
        failed: stats.failed + stats.quarantined,
        open_incidents: stats.open_incidents,
    }))
}
