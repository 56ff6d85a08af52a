use axum::{
    Extension, Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use panicle_store::{GroupFilter, GroupPage, GroupSort, GroupState};
use serde::Deserialize;

use crate::{
    AppState, Problem,
    access::{Caller, ProjectQuery, Seen},
    api::search,
    extract::{Json, MaybeJson, Path, Query},
    limits,
    page::{self, Page},
    revision::{etag, if_match},
    shapes::groups::{Doing, Group, GroupDetails, GroupPatch, Merge, Split},
};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    state: Option<GroupState>,
    /// Root-cause class.
    class: Option<String>,
    service: Option<String>,
    /// With a crash of this version of the main module.
    version: Option<String>,
    owner: Option<String>,
    /// What ties variants of one cause together.
    family: Option<String>,
    /// A query, of which one crash of the group has to be meant; see `/query/fields`.
    q: Option<String>,
    /// `last_seen` unless given; the largest first.
    sort: Option<Sort>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GroupSort)]
pub(crate) enum Sort {
    LastSeen,
    FirstSeen,
    Count,
}

/// List groups.
#[utoipa::path(get, operation_id = "listGroups", path = "/groups", tag = "groups", params(ListQuery, ProjectQuery),
    responses((status = 200, body = Page<Group>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Seen(project): Seen,
    Query(query): Query<ListQuery>,
) -> Result<Answer<Page<Group>>, Problem> {
    let limit = page::limit(query.limit)?;
    let sort = match query.sort {
        None | Some(Sort::LastSeen) => GroupSort::LastSeen,
        Some(Sort::FirstSeen) => GroupSort::FirstSeen,
        Some(Sort::Count) => GroupSort::Count,
    };
    let filter = GroupFilter {
        project,
        state: query.state,
        class: query.class,
        service: query.service,
        query: search::asked(query.q.as_deref())?,
        family: query.family,
        owner: query.owner,
        version: query.version,
    };
    let page = GroupPage { sort, after: page::cursor(query.cursor.as_deref())?, limit: limit + 1 };
    Ok(Answer(self::page(&state, &filter, &page).await?))
}

/// Part of a list of groups, out of one more than it is to have.
pub(crate) async fn page(
    state: &AppState,
    filter: &GroupFilter,
    page: &GroupPage,
) -> Result<Page<Group>, Problem> {
    let groups = state.store.groups(filter, page).await?;
    let cut =
        Page::cut(groups, page.limit - 1, |group| format!("{}:{}", group.sort_value(page.sort), group.id));
    Ok(Page { items: cut.items.into_iter().map(Group::from).collect(), next_cursor: cut.next_cursor })
}

/// One group. Its `ETag` can be given as `If-Match` when changing it.
#[utoipa::path(get, operation_id = "getGroup", path = "/groups/{id}", tag = "groups", params(("id" = String, Path)),
    responses((status = 200, body = GroupDetails),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(State(state): State<AppState>, Path(id): Path<String>) -> Result<Response, Problem> {
    answer(&state, state.store.group(&id).await?).await
}

/// Change what people decide about a group.
///
/// A group that is resolved in a version stays so while crashes of older versions arrive, which are
/// counted, and regresses with a crash of that or a newer one. Versions that have no order, revisions and
/// builds are ordered by when they were seen first.
#[utoipa::path(patch, operation_id = "changeGroup", path = "/groups/{id}", tag = "groups", request_body = GroupPatch,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag it was read with")),
    responses((status = 200, body = GroupDetails),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "It was changed meanwhile"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn patch(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<GroupPatch>,
) -> Result<Response, Problem> {
    limits::name("owner", body.owner.as_deref())?;
    limits::text("notes", body.notes.as_deref())?;
    limits::resolved(body.resolved_in.as_ref())?;
    limits::mute(body.mute.as_ref())?;
    limits::keep_cores(body.keep_cores)?;
    limits::doing(body.actor.as_deref(), body.reason.as_deref())?;
    let change = body.change(if_match(&headers)?);
    answer(&state, state.store.change_group(&id, &change).await?).await
}

/// Merge other groups into this one, whose state and owner stay. Crashes to come follow.
#[utoipa::path(post, operation_id = "mergeGroups", path = "/groups/{id}/merge", tag = "groups", request_body = Merge,
    params(("id" = String, Path)),
    responses((status = 200, body = GroupDetails),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn merge(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Merge>,
) -> Result<Response, Problem> {
    let (actor, reason) = (body.actor.as_deref(), body.reason.as_deref());
    limits::items("groups", &body.groups)?;
    limits::doing(actor, reason)?;
    caller.sees_groups(&state.store, &body.groups).await?;
    answer(&state, state.store.merge_groups(&id, &body.groups, actor, reason).await?).await
}

/// Part a group from the one that it was merged into. It stays parted, whatever rules say.
#[utoipa::path(post, operation_id = "unmergeGroup", path = "/groups/{id}/unmerge", tag = "groups", request_body = Option<Doing>,
    params(("id" = String, Path)),
    responses((status = 200, body = GroupDetails),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn unmerge(
    State(state): State<AppState>,
    Path(id): Path<String>,
    MaybeJson(body): MaybeJson<Doing>,
) -> Result<Response, Problem> {
    let (actor, reason) = (body.actor.as_deref(), body.reason.as_deref());
    limits::doing(actor, reason)?;
    answer(&state, state.store.unmerge_group(&id, actor, reason).await?).await
}

/// Part crashes or variants from a group. Answers the group that they are in since; no later analysis
/// takes them back.
#[utoipa::path(post, operation_id = "splitGroup", path = "/groups/{id}/split", tag = "groups", request_body = Split,
    params(("id" = String, Path)),
    responses((status = 200, body = GroupDetails),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn split(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Split>,
) -> Result<Response, Problem> {
    limits::items("crashes", &body.crashes)?;
    limits::items("fingerprints", &body.fingerprints)?;
    limits::name("title", body.title.as_deref())?;
    limits::doing(body.actor.as_deref(), body.reason.as_deref())?;
    caller.sees_groups(&state.store, &body.into).await?;
    caller.sees_crashes(&state.store, &body.crashes).await?;
    let split = panicle_store::Split {
        crashes: body.crashes,
        fingerprints: body.fingerprints,
        into: body.into,
        title: body.title,
        actor: body.actor,
        reason: body.reason,
    };
    answer(&state, state.store.split_group(&id, &split).await?).await
}

pub(crate) async fn answer(
    state: &AppState,
    details: panicle_store::GroupDetails,
) -> Result<Response, Problem> {
    let incidents = state.store.incidents_of_group(&details.group.id).await?;
    Ok(([etag(details.group.revision)], Answer(GroupDetails::new(details, incidents))).into_response())
}
