//! Objects of buckets that events told of.

use axum::{Json as Answer, extract::State};
use panicle_store::ObjectState;
use serde::Deserialize;

use crate::{
    AppState, Problem,
    access::{ProjectQuery, Seen},
    extract::{Path, Query},
    page::{self, Page},
    shapes::objects::BucketObject,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    state: Option<ObjectState>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

/// List objects of buckets that events told of, newest first, and what became of them.
#[utoipa::path(get, operation_id = "listObjects", path = "/objects", tag = "hooks", params(ListQuery, ProjectQuery),
    responses((status = 200, body = Page<BucketObject>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
    Seen(project): Seen,
) -> Result<Answer<Page<BucketObject>>, Problem> {
    let limit = page::limit(query.limit)?;
    let before = page::id_cursor(query.cursor.as_deref())?;
    let objects = state.store.objects(project.as_deref(), query.state, before.as_deref(), limit + 1).await?;
    let items = objects.into_iter().map(BucketObject::from).collect();
    Ok(Answer(Page::cut(items, limit, |item: &BucketObject| item.id.clone())))
}

/// One object of a bucket that an event told of.
#[utoipa::path(get, operation_id = "getObject", path = "/objects/{id}", tag = "hooks", params(("id" = String, Path)),
    responses((status = 200, body = BucketObject),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Answer<BucketObject>, Problem> {
    let object = state.store.object(&id).await?;
    if !object.of_event {
        return Err(Problem::not_found(format!("there is no object {id}")));
    }
    Ok(Answer(object.into()))
}
