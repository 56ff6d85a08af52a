//! What machines ask: is it alive, is it ready, how is it doing, what can it do.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};

use crate::{AppState, Problem};

/// The process runs.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// The process can take evidence: the database answers and the disk has room.
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<&'static str, Problem> {
    let not_ready = |detail: String| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not-ready",
            "Nothing can be taken in right now",
            detail,
        )
    };
    state.store.ping().await.map_err(|error| not_ready(error.to_string()))?;
    let blobs = state.blobs.clone();
    tokio::task::spawn_blocking(move || blobs.check())
        .await
        .map_err(|error| not_ready(error.to_string()))?
        .map_err(|error| not_ready(error.to_string()))?;
    Ok("ready\n")
}

/// Metrics in Prometheus' text format.
pub(crate) async fn metrics(State(state): State<AppState>) -> Result<Response, Problem> {
    let stats = state.store.stats().await?;
    let gauges = [
        ("waiting-for-binary", stats.waiting_for_binary),
        ("queued", stats.queued),
        ("analysing", stats.analysing),
        ("failed", stats.failed),
        ("quarantined", stats.quarantined),
    ];
    for (status, count) in gauges {
        ::metrics::gauge!("panicle_crashes", "status" => status).set(count as f64);
    }
    ::metrics::gauge!("panicle_groups").set(stats.groups as f64);
    state.metrics.run_upkeep();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render()).into_response())
}

/// The OpenAPI document.
pub(crate) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(crate::openapi())
}
