use axum::{Router, middleware, routing::get};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::{Modify, OpenApi, openapi};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{AppState, Problem, access, api, debuginfod, embed, guard, observe, operations};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Panicle",
        description = "Crashes of Go services: evidence in, verdicts and groups out.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "evidence", description = "Cores, executables and what was printed or recorded"),
        (name = "hooks", description = "What other systems tell"),
        (name = "crashes", description = "What happened"),
        (name = "goroutines", description = "What everybody was doing"),
        (name = "memory", description = "Maps, and questions about memory"),
        (name = "groups", description = "Crashes with one signature"),
        (name = "search", description = "Finding things"),
        (name = "access", description = "Who gets in")
    ),
    // Named by query parameters only, which do not bring their schemas along.
    components(schemas(api::reports::Listing, api::goroutines::Sort, api::groups::Sort, api::history::Step, api::maps::Sort,
        panicle_report::MapState, panicle_report::MapSort))
)]
struct Document;

fn api() -> OpenApiRouter<AppState> {
    let v1 = OpenApiRouter::new()
        .routes(routes!(api::blobs::get, api::blobs::put))
        .routes(routes!(api::blobs::content))
        .routes(routes!(api::form::post))
        .routes(routes!(api::uploads::options, api::uploads::create))
        .routes(routes!(api::uploads::head, api::uploads::patch, api::uploads::delete, api::uploads::post))
        .routes(routes!(api::binaries::list, api::binaries::put))
        .routes(routes!(api::crashes::list, api::crashes::create))
        .routes(routes!(api::crashes::get))
        .routes(routes!(api::crashes::evidence))
        .routes(routes!(api::crashes::reanalyse))
        .routes(routes!(api::crashes::cancel))
        .routes(routes!(api::crashes::unjoin))
        .routes(routes!(api::reprocess::reprocess, api::reprocess::waiting))
        .routes(routes!(api::reprocess::cancel))
        .routes(routes!(api::quarantine::list))
        .routes(routes!(api::quarantine::get))
        .routes(routes!(api::quarantine::retry))
        .routes(routes!(api::reports::get))
        .routes(routes!(api::reports::clusters))
        .routes(routes!(api::goroutines::list))
        .routes(routes!(api::goroutines::get))
        .routes(routes!(api::maps::list))
        .routes(routes!(api::maps::get))
        .routes(routes!(api::maps::entries))
        .routes(routes!(api::maps::layout))
        .routes(routes!(api::eval::get))
        .routes(routes!(api::groups::list))
        .routes(routes!(api::groups::get, api::groups::patch))
        .routes(routes!(api::groups::merge))
        .routes(routes!(api::groups::unmerge))
        .routes(routes!(api::groups::split))
        .routes(routes!(api::history::history))
        .routes(routes!(api::history::undo))
        .routes(routes!(api::history::trend))
        .routes(routes!(api::history::events))
        .routes(routes!(api::rules::list, api::rules::create))
        .routes(routes!(api::rules::preview))
        .routes(routes!(api::rules::get, api::rules::patch, api::rules::delete))
        .routes(routes!(api::rules::history))
        .routes(routes!(api::rules::regrouping, api::rules::regroup))
        .routes(routes!(api::rules::trial, api::rules::try_signatures))
        .routes(routes!(api::rules::apply_trial))
        .routes(routes!(api::retention::get, api::retention::put))
        .routes(routes!(api::search::search))
        .routes(routes!(api::query::fields))
        .routes(routes!(api::query::complete))
        .routes(routes!(api::queries::list, api::queries::create))
        .routes(routes!(api::queries::get, api::queries::put, api::queries::delete))
        .routes(routes!(api::search::stats))
        .routes(routes!(api::hooks::s3))
        .routes(routes!(api::hooks::panic))
        .routes(routes!(api::incidents::take))
        .routes(routes!(api::incidents::list))
        .routes(routes!(api::incidents::get))
        .routes(routes!(api::objects::list))
        .routes(routes!(api::objects::get))
        .routes(routes!(api::presigned::create))
        .routes(routes!(api::presigned::get))
        .routes(routes!(api::presigned::complete))
        .routes(routes!(api::session::get, api::session::post, api::session::delete))
        .routes(routes!(api::tokens::list, api::tokens::create))
        .routes(routes!(api::tokens::revoke))
        .routes(routes!(api::projects::list, api::projects::create))
        .routes(routes!(api::projects::get, api::projects::patch));
    OpenApiRouter::with_openapi(Document::openapi()).nest("/api/v1", v1)
}

/// The OpenAPI document of the API.
pub fn openapi() -> openapi::OpenApi {
    let mut document = api().into_openapi();
    access::Security.modify(&mut document);
    document
}

/// Everything that is served.
pub fn router(state: AppState) -> Router {
    let (router, _) = api().split_for_parts();
    let router = router
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(operations::metrics))
        .route("/openapi.json", get(operations::openapi))
        .route("/buildid/{id}/{artifact}", get(debuginfod::get))
        .route("/buildid/{id}/{artifact}/{*rest}", get(debuginfod::part))
        .method_not_allowed_fallback(embed::method_not_allowed)
        .fallback(embed::serve);
    behind_the_doors(router, state)
}

/// What a process serves that only works: how it is.
pub fn worker_router(state: AppState) -> Router {
    let router = Router::new()
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::worker_readyz))
        .route("/metrics", get(operations::worker_metrics))
        .fallback(async || Problem::not_found("this process works; an API process serves the rest"));
    behind_the_doors(router, state)
}

/// What keeps out who has no business here, and counts what there is.
fn behind_the_doors(router: Router<AppState>, state: AppState) -> Router {
    router
        .layer(middleware::from_fn_with_state(state.clone(), access::admit))
        .layer(CatchPanicLayer::custom(|_panic| {
            use axum::response::IntoResponse;
            Problem::internal("a defect of the server; its log says more").into_response()
        }))
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .layer(middleware::from_fn(observe::request))
        .with_state(state)
}
