//! What machines ask: is it alive, is it ready, how is it doing, what can it do.

use std::{
    collections::BTreeMap,
    fmt::Display,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, header};
use jiff::Timestamp;
use panicle_blobs::BlobError;
use panicle_store::{JobCount, Scope, StoreError};
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
    /// Processes that work and have said so within the last 45 seconds.
    workers: u64,
}

/// The process can take evidence: the database and the store answer, and the disk has room.
///
/// What is wrong with a part is for whoever runs the service: the log says it, and so does the answer to who may manage
/// it. Others are told which part it is.
pub(crate) async fn readyz(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<Ready>, Problem> {
    let store = state.blobs.clone();
    let disk = state.blobs.clone();
    let now = Timestamp::now();
    let asked = async {
        Ok::<_, StoreError>((state.store.oldest_due(now).await?, state.store.live_workers(now).await?))
    };
    let (database, store, disk) = tokio::join!(
        within(asked),
        within(blocking(move || store.check_store())),
        within(blocking(move || disk.check_disk())),
    );
    match (database, store, disk) {
        (Ok((oldest, workers)), Ok(()), Ok(disk_free_bytes)) => {
            state.health.note(&[]);
            let oldest_job_seconds = oldest.map(|waited| waited.as_secs());
            Ok(Json(Ready { status: "ready", disk_free_bytes, oldest_job_seconds, workers }))
        }
        (database, store, disk) => {
            let parts = [("database", database.err()), ("store", store.err()), ("disk", disk.err())];
            let title = "Nothing can be taken in right now";
            Err(not_ready(&state, (&method, &headers), title, parts).await)
        }
    }
}

/// What `/readyz` says of a worker that is ready.
#[derive(Serialize)]
pub(crate) struct Working {
    status: &'static str,
}

/// The process can work: the database and the store answer, and each of its tasks gets on.
pub(crate) async fn worker_readyz(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<Working>, Problem> {
    let store = state.blobs.clone();
    let (database, store) =
        tokio::join!(within(state.store.ping()), within(blocking(move || store.check_store())));
    let stuck = state.worker.as_ref().and_then(|stuck| stuck());
    if database.is_ok() && store.is_ok() && stuck.is_none() {
        state.health.note(&[]);
        return Ok(Json(Working { status: "ready" }));
    }
    let parts = [("database", database.err()), ("store", store.err()), ("worker", stuck)];
    Err(not_ready(&state, (&method, &headers), "Nothing can be worked on right now", parts).await)
}

/// Says which of the parts are not ready, and to whom that is due also why.
async fn not_ready(
    state: &AppState,
    (method, headers): (&Method, &HeaderMap),
    title: &'static str,
    parts: [(&'static str, Option<String>); 3],
) -> Problem {
    let wrong: Vec<(&str, String)> =
        parts.into_iter().filter_map(|(part, error)| Some((part, error?))).collect();
    state.health.note(&wrong);
    // Who somebody is the database knows.
    let away = wrong.iter().any(|(part, _)| *part == "database");
    let manages = !away && manages(state, method, headers).await;
    let said = |(part, error): &(&str, String)| {
        if manages { format!("{part}: {error}") } else { (*part).to_owned() }
    };
    let detail = wrong.iter().map(said).collect::<Vec<_>>().join(if manages { "; " } else { ", " });
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", title, detail)
}

async fn manages(state: &AppState, method: &Method, headers: &HeaderMap) -> bool {
    match tokio::time::timeout(PATIENCE, state.access.caller(method, headers)).await {
        Ok(Ok(Some(caller))) => caller.project().is_none() && caller.need(&[Scope::Manage]).is_ok(),
        Ok(Ok(None) | Err(_)) | Err(_) => false,
    }
}

/// What is wrong with this process, as its log was last told.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// By part, without words that have digits, which differ from time to time: how much is free, how long it took.
    known: Mutex<BTreeMap<&'static str, String>>,
}

impl Health {
    /// Logs what has changed. Answers how many sentences that were.
    fn note(&self, wrong: &[(&'static str, String)]) -> usize {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut said = 0;
        known.retain(|part, _| {
            let still = wrong.iter().any(|(now, _)| now == part);
            if !still {
                tracing::info!(part, "ready again");
                said += 1;
            }
            still
        });
        for (part, error) in wrong {
            let same = |word: &&str| !word.contains(|character: char| character.is_ascii_digit());
            let bare = error.split_whitespace().filter(same).collect::<Vec<_>>().join(" ");
            if known.get(part) != Some(&bare) {
                tracing::error!(part, error, "not ready");
                known.insert(part, bare);
                said += 1;
            }
        }
        said
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
    let now = Timestamp::now();
    ::metrics::gauge!("panicle_workers").set(state.store.live_workers(now).await? as f64);
    for JobCount { kind, waiting, running, quarantined } in state.store.job_counts(now).await? {
        for (is, count) in [("waiting", waiting), ("running", running), ("quarantined", quarantined)] {
            ::metrics::gauge!("panicle_jobs", "kind" => kind.as_str(), "state" => is).set(count as f64);
        }
    }
    let oldest = state.store.oldest_due(now).await?;
    ::metrics::gauge!("panicle_oldest_job_seconds").set(oldest.map_or(0.0, |waited| waited.as_secs_f64()));
    Ok(rendered(&state))
}

/// What this process counts of its own. What the database knows, the API tells.
pub(crate) async fn worker_metrics(State(state): State<AppState>) -> Response {
    rendered(&state)
}

fn rendered(state: &AppState) -> Response {
    state.metrics.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render()).into_response()
}

/// The OpenAPI document.
pub(crate) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(crate::openapi())
}

#[cfg(test)]
mod tests {
    use super::Health;

    #[test]
    fn what_is_wrong_is_logged_when_it_changes() {
        let health = Health::default();
        let disk = |free: u64| ("disk", format!("only {free} bytes left, said in 1{free}.5µs"));
        assert_eq!(health.note(&[]), 0);
        assert_eq!(health.note(&[disk(17)]), 1);
        assert_eq!(health.note(&[disk(9)]), 0, "the same with another number");
        assert_eq!(health.note(&[disk(9), ("store", "refused".to_owned())]), 1);
        assert_eq!(health.note(&[("store", "no such bucket".to_owned())]), 2);
        assert_eq!(health.note(&[]), 1);
        assert_eq!(health.note(&[disk(9)]), 1, "it came back");
    }
}
