//! What has become of groups: their history, their trend, and what is to be told of them.

use axum::{Json as Answer, extract::State, response::Response};
use jiff::Timestamp;
use panicle_store::TrendStep;
use serde::Deserialize;

use crate::{
    AppState, Problem,
    access::{ProjectQuery, Seen},
    api::groups::answer,
    extract::{MaybeJson, Path, Query},
    limits,
    page::{self, Page},
    shapes::groups::{Doing, Event, HistoryEntry, TrendPoint, trend as points},
};

/// Steps of a trend at most: a year of days, or a fortnight of hours.
const MAX_STEPS: u32 = 400;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

/// Who changed what about a group, newest first.
#[utoipa::path(get, operation_id = "listGroupHistory", path = "/groups/{id}/history", tag = "groups",
    params(("id" = String, Path), HistoryQuery),
    responses((status = 200, body = Page<HistoryEntry>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn history(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Result<Answer<Page<HistoryEntry>>, Problem> {
    let limit = page::limit(query.limit)?;
    let entries =
        state.store.group_history(&id, page::number_cursor(query.cursor.as_deref())?, limit + 1).await?;
    let items = entries.into_iter().map(HistoryEntry::from).collect();
    Ok(Answer(Page::cut(items, limit, |entry| entry.seq.to_string())))
}

/// Take a change back, if what it changed is still as it left it.
#[utoipa::path(post, operation_id = "undoGroupChange", path = "/groups/{id}/history/{seq}/undo", tag = "groups",
    request_body = Option<Doing>, params(("id" = String, Path), ("seq" = u64, Path)),
    responses((status = 200, body = crate::shapes::groups::GroupDetails),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn undo(
    State(state): State<AppState>,
    Path((id, seq)): Path<(String, u64)>,
    MaybeJson(body): MaybeJson<Doing>,
) -> Result<Response, Problem> {
    limits::doing(body.actor.as_deref(), body.reason.as_deref())?;
    answer(&state, state.store.undo(&id, seq, body.actor.as_deref()).await?).await
}

#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TrendStep)]
pub(crate) enum Step {
    Hour,
    Day,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrendQuery {
    /// `hour` unless given; days are in UTC.
    step: Option<Step>,
    /// How many steps, up to 400; 24 hours or 30 days unless given.
    steps: Option<u32>,
}

/// Crashes of a group by hour or day, the last step up to now.
#[utoipa::path(get, operation_id = "getGroupTrend", path = "/groups/{id}/trend", tag = "groups",
    params(("id" = String, Path), TrendQuery),
    responses((status = 200, body = Page<TrendPoint>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn trend(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<TrendQuery>,
) -> Result<Answer<Page<TrendPoint>>, Problem> {
    let (step, usual) = match query.step {
        None | Some(Step::Hour) => (TrendStep::Hour, 24),
        Some(Step::Day) => (TrendStep::Day, 30),
    };
    let steps = query.steps.unwrap_or(usual);
    if !(1..=MAX_STEPS).contains(&steps) {
        return Err(Problem::bad_request(format!("steps has to be from 1 to {MAX_STEPS}")));
    }
    // Answers that there is no such group.
    state.store.group_history(&id, None, 1).await?;
    let trend = state.store.group_trend(&id, step, steps, Timestamp::now()).await?;
    Ok(Answer(Page::all(points(trend))))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventQuery {
    /// Only of this group.
    group: Option<String>,
    /// `next_cursor` of the part before: events after it. It is answered also at the end, to go on from
    /// when there is more.
    cursor: Option<String>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

/// What there is to be told, oldest first: a new group, a regression, an escalation; each once, however
/// many crashes there are. Reading on from `next_cursor` misses nothing and repeats nothing.
#[utoipa::path(get, operation_id = "listEvents", path = "/events", tag = "groups", params(EventQuery, ProjectQuery),
    responses((status = 200, body = Page<Event>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn events(
    State(state): State<AppState>,
    Seen(project): Seen,
    Query(query): Query<EventQuery>,
) -> Result<Answer<Page<Event>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::number_cursor(query.cursor.as_deref())?.unwrap_or(0);
    if after > 0 && after > state.store.last_event().await? {
        return Err(Problem::bad_request("there was no such event yet"));
    }
    let events = state.store.events_in(project.as_deref(), after, query.group.as_deref(), limit).await?;
    let last = events.last().map_or(after, |event| event.seq);
    let items = events.into_iter().map(Event::from).collect();
    Ok(Answer(Page { items, next_cursor: Some(last.to_string()) }))
}
