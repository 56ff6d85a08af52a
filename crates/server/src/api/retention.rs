//! The policy for full cores: how many of each group are kept.

use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use panicle_store::CorePolicy;

use crate::{
    AppState, Problem,
    extract::Json,
    limits,
    revision::{etag, if_match},
    shapes::retention::Retention,
};

/// Services that a policy can name.
const MAX_SERVICES: usize = 1000;

/// How many full cores are kept of each group. Its `ETag` can be given as `If-Match` when changing it.
#[utoipa::path(get, operation_id = "getRetention", path = "/retention", tag = "groups",
    responses((status = 200, body = Retention),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(State(state): State<AppState>) -> Result<Response, Problem> {
    let (policy, revision) = state.store.core_policy().await?;
    Ok(answer(policy, revision))
}

/// Say how many full cores are kept of each group, the newest ones. Cores beyond that are deleted within a minute;
/// whatever else is known of a crash is kept. `keep_cores` of a group holds before this.
#[utoipa::path(put, operation_id = "changeRetention", path = "/retention", tag = "groups", request_body = Retention,
    params(("If-Match" = Option<String>, Header, description = "The ETag it was read with")),
    responses((status = 200, body = Retention),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "It was changed meanwhile"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn put(
    State(state): State<AppState>,
    headers: HeaderMap,
    Json(body): Json<Retention>,
) -> Result<Response, Problem> {
    if body.services.len() > MAX_SERVICES {
        return Err(Problem::bad_request(format!("a policy names {MAX_SERVICES} services at most")));
    }
    for (service, keep) in &body.services {
        limits::name("the name of a service", Some(service))?;
        if service.trim().is_empty() {
            return Err(Problem::bad_request("a service without a name cannot be asked for"));
        }
        kept(Some(*keep))?;
    }
    kept(body.keep_cores)?;
    let policy = CorePolicy { keep_cores: body.keep_cores, services: body.services };
    let revision = state.store.set_core_policy(&policy, if_match(&headers)?).await?;
    Ok(answer(policy, revision))
}

/// The last core of a bug is what is looked at; a policy of none would be one against looking.
fn kept(keep: Option<u32>) -> Result<(), Problem> {
    if keep == Some(0) {
        return Err(Problem::bad_request("keep_cores is 1 or more; null for all"));
    }
    limits::keep_cores(keep)
}

fn answer(policy: CorePolicy, revision: u64) -> Response {
    ([etag(revision)], Answer(Retention { keep_cores: policy.keep_cores, services: policy.services }))
        .into_response()
}
