//! Projects.

use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::Deserialize;

use crate::{
    AppState, Problem,
    access::Seen,
    extract::{Json, Path, Query},
    limits,
    page::{self, Page},
    shapes::projects::{NewProject, Project, ProjectPatch},
};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

/// List projects by their identifiers; with a token of one project, that one.
#[utoipa::path(get, operation_id = "listProjects", path = "/projects", tag = "access", params(ListQuery),
    responses((status = 200, body = Page<Project>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Seen(one): Seen,
    Query(query): Query<ListQuery>,
) -> Result<Answer<Page<Project>>, Problem> {
    let limit = page::limit(query.limit)?;
    if let Some(one) = one {
        return Ok(Answer(Page::all(vec![state.store.project(&one).await?.into()])));
    }
    let after = page::id_cursor(query.cursor.as_deref())?;
    let projects = state.store.projects(after.as_deref(), limit + 1).await?;
    let items = projects.into_iter().map(Project::from).collect();
    Ok(Answer(Page::cut(items, limit, |item: &Project| item.id.clone())))
}

/// Make a project. It stays for good; it can be archived.
#[utoipa::path(post, operation_id = "createProject", path = "/projects", tag = "access", request_body = NewProject,
    responses((status = 201, body = Project),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "There is one of this name"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Json(body): Json<NewProject>,
) -> Result<Response, Problem> {
    named(body.name.as_deref())?;
    limited(body.requests_per_minute, body.upload_bytes_per_day)?;
    let new = panicle_store::NewProject {
        id: body.id,
        name: body.name.map(|name| name.trim().to_owned()),
        requests_per_minute: body.requests_per_minute,
        upload_bytes_per_day: body.upload_bytes_per_day,
    };
    let project = state.store.create_project(&new).await?;
    tracing::info!(project = project.id, "a project was made");
    let location = format!("/api/v1/projects/{}", project.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Answer(Project::from(project))).into_response())
}

/// One project.
#[utoipa::path(get, operation_id = "getProject", path = "/projects/{id}", tag = "access", params(("id" = String, Path)),
    responses((status = 200, body = Project),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Answer<Project>, Problem> {
    Ok(Answer(state.store.project(&id).await?.into()))
}

/// Change a project. What is not named stays; a limit of null is that of the server. An archived project takes nothing
/// new in.
#[utoipa::path(patch, operation_id = "changeProject", path = "/projects/{id}", tag = "access", request_body = ProjectPatch,
    params(("id" = String, Path)),
    responses((status = 200, body = Project),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn patch(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Json(body): Json<ProjectPatch>,
) -> Result<Answer<Project>, Problem> {
    named(body.name.as_deref())?;
    limited(body.requests_per_minute.flatten(), body.upload_bytes_per_day.flatten())?;
    let project = state.store.change_project(&id, &body.into()).await?;
    tracing::info!(project = project.id, "a project was changed");
    Ok(Answer(project.into()))
}

/// What takes nothing in is archived, which says why.
fn limited(requests: Option<u32>, bytes: Option<u64>) -> Result<(), Problem> {
    if requests == Some(0) || bytes.is_some_and(|bytes| bytes == 0 || i64::try_from(bytes).is_err()) {
        return Err(Problem::bad_request(
            "a limit is from 1 on, to 9223372036854775807 bytes; to take nothing in any more, archive the project",
        ));
    }
    Ok(())
}

fn named(name: Option<&str>) -> Result<(), Problem> {
    limits::name("the name of a project", name)?;
    match name {
        Some(name) if name.trim().is_empty() => Err(Problem::bad_request("the name of a project is empty")),
        _ => Ok(()),
    }
}
