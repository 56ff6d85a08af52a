use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use panicle_store::EvidenceKind;
use serde::Deserialize;

use super::blobs::{UploadQuery, store};
use crate::{
    AppState, Problem,
    access::{ProjectQuery, Target},
    extract::Query,
    page::{self, Page},
    shapes::{Binary, Evidence},
};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only executables and debug files of this build: a GNU build ID in hexadecimal, a Go build ID, the bytes of a
    /// Go build ID in hexadecimal, or the SHA-256 of a file or of its code (`text_sha256`).
    build_id: Option<String>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

/// List executables and debug files, newest first.
///
/// With `build_id` a build finds out what of it is here already, before it sends anything.
#[utoipa::path(get, operation_id = "listBinaries", path = "/binaries", tag = "evidence", params(ListQuery),
    responses((status = 200, body = Page<Binary>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Binary>>, Problem> {
    let limit = page::limit(query.limit)?;
    let before = page::cursor(query.cursor.as_deref())?;
    let rows = match query.build_id.as_deref() {
        Some(build_id) => state.store.binaries_of_build(build_id.trim(), before, limit + 1).await?,
        None => state.store.binaries(before, limit + 1).await?,
    };
    let items = rows.into_iter().map(Binary::from).collect();
    Ok(Json(Page::cut(items, limit, |item| format!("{}:{}", item.received_at.as_microsecond(), item.id))))
}

/// Store an executable, the same as `PUT /blobs/binary`.
#[utoipa::path(put, operation_id = "putBinary", path = "/binaries", tag = "evidence", params(UploadQuery, ProjectQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Evidence), (status = 200, body = Evidence),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn put(
    State(state): State<AppState>,
    Query(query): Query<UploadQuery>,
    project: Result<Target, Problem>,
    request: Request,
) -> Result<Response, Problem> {
    store(&state, project, EvidenceKind::Binary, query.name.as_deref(), request).await
}
