//! What machines ask: is it alive, is it ready, how is it doing, what can it do.

use std::{fmt::Display, future::Future, time::Duration};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use jiff::Timestamp;
use panicle_blobs::BlobError;
use serde::Serialize;

use crate::{AppState, Problem};

/// The process runs.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// How long each part may take to answer.
const PATIENCE: Duration = Duration::from_secs(6);

/// What `/readyz` says of a process that is ready.
#[derive(Serialize)]
pub(crate) struct Ready {
    status: &'static str,
    /// Bytes that are free where uploads are written first.
    disk_free_bytes: u64,
    /// How long the oldest job that could be done by now has waited; `null` when none does. That is for
    /// whoever runs the workers: this process takes evidence however long the queue is.
    oldest_job_seconds: Option<u64>,
}

/// The process can take evidence: the database and the store answer, and the disk has room.
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<Json<Ready>, Problem> {
    let store = state.blobs.clone();
    let disk = state.blobs.clone();
    let (database, store, disk) = tokio::join!(
        within(state.store.oldest_due(Timestamp::now())),
        within(blocking(move || store.check_store())),
        within(blocking(move || disk.check_disk())),
    );
    match (database, store, disk) {
        (Ok(oldest), Ok(()), Ok(disk_free_bytes)) => {
            let oldest_job_seconds = oldest.map(|waited| waited.as_secs());
            Ok(Json(Ready { status: "ready", disk_free_bytes, oldest_job_seconds }))
        }
        (database, store, disk) => {
            let parts = [("database", database.err()), ("store", store.err()), ("disk", disk.err())];
            let said = parts.into_iter().filter_map(|(part, error)| Some(format!("{part}: {}", error?)));
            let detail = said.collect::<Vec<_>>().join("; ");
            let title = "Nothing can be taken in right now";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", title, detail))
        }
    }
}

async fn blocking<T: Send + 'static>(
    check: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(check).await {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

async fn within<T, E: Display>(check: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, check).await {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
    }
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
    let oldest = state.store.oldest_due(Timestamp::now()).await?;
    ::metrics::gauge!("panicle_oldest_job_seconds").set(oldest.map_or(0.0, |waited| waited.as_secs_f64()));
    state.metrics.run_upkeep();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render()).into_response())
}

/// The OpenAPI document.
pub(crate) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(crate::openapi())
}
