//! Queries that people keep.

use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::{
    AppState, Problem,
    extract::{Json, Path, Query},
    limits,
    page::{self, Page},
    revision::{etag, if_match},
    shapes::query::{NewSavedQuery, SavedQuery},
};

/// Longest name.
const MAX_NAME_BYTES: usize = 200;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

/// List saved queries by name.
#[utoipa::path(get, operation_id = "listSavedQueries", path = "/queries", tag = "search", params(ListQuery),
    responses((status = 200, body = Page<SavedQuery>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Answer<Page<SavedQuery>>, Problem> {
    let limit = page::limit(query.limit)?;
    let saved =
        state.store.saved_queries(page::name_cursor(query.cursor.as_deref())?.as_deref(), limit + 1).await?;
    let items = saved.into_iter().map(SavedQuery::from).collect();
    Ok(Answer(Page::cut(items, limit, |item: &SavedQuery| page::of_name(&item.name))))
}

/// Keep a query under a name that no other one has.
#[utoipa::path(post, operation_id = "createSavedQuery", path = "/queries", tag = "search", request_body = NewSavedQuery,
    responses((status = 201, body = SavedQuery),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The name is taken"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Json(body): Json<NewSavedQuery>,
) -> Result<Response, Problem> {
    let (name, query) = checked(&body)?;
    let saved = state.store.save_query(name, query).await?;
    let location = (header::LOCATION, format!("/api/v1/queries/{}", saved.id));
    Ok((StatusCode::CREATED, [location], answer(saved)).into_response())
}

/// One saved query. Its `ETag` can be given as `If-Match` when changing it.
#[utoipa::path(get, operation_id = "getSavedQuery", path = "/queries/{id}", tag = "search", params(("id" = String, Path)),
    responses((status = 200, body = SavedQuery),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(State(state): State<AppState>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(answer(state.store.saved_query(&id).await?))
}

/// Change a saved query.
#[utoipa::path(put, operation_id = "changeSavedQuery", path = "/queries/{id}", tag = "search", request_body = NewSavedQuery,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag it was read with")),
    responses((status = 200, body = SavedQuery),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "It was changed meanwhile"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn put(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<NewSavedQuery>,
) -> Result<Response, Problem> {
    let (name, query) = checked(&body)?;
    Ok(answer(state.store.change_saved_query(&id, name, query, if_match(&headers)?).await?))
}

/// Forget a saved query.
#[utoipa::path(delete, operation_id = "deleteSavedQuery", path = "/queries/{id}", tag = "search",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag it was read with")),
    responses((status = 204, description = "It is gone"),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "It was changed meanwhile"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    state.store.delete_saved_query(&id, if_match(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn checked(body: &NewSavedQuery) -> Result<(&str, &str), Problem> {
    let name = body.name.trim();
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(limits::is_unseen) {
        return Err(Problem::bad_request(format!(
            "name has from 1 to {MAX_NAME_BYTES} bytes, and no characters that cannot be seen"
        )));
    }
    let query = body.query.trim();
    if query.is_empty() {
        return Err(Problem::bad_request("query is empty: it would find everything"));
    }
    let _ = panicle_query::Query::parse(query)?;
    if query.contains('\0') {
        return Err(Problem::bad_request("a zero character cannot be kept"));
    }
    Ok((name, query))
}

fn answer(saved: panicle_store::SavedQuery) -> Response {
    ([etag(saved.revision)], Answer(SavedQuery::from(saved))).into_response()
}

#[cfg(test)]
mod tests {
    use super::checked;
    use crate::shapes::query::NewSavedQuery;

    #[test]
    fn what_is_kept_has_a_name_and_asks_something() {
        let of = |name: &str, query: &str| {
            checked(&NewSavedQuery { name: name.to_owned(), query: query.to_owned() }).is_ok()
        };
        assert!(of("new ones", "state:new"));
        for (name, query) in
            [("", "state:new"), ("\u{202e}", "state:new"), ("a", ""), ("a", "  "), ("a", "state:x")]
        {
            assert!(!of(name, query), "{name:?} {query:?}");
        }
    }
}
