//! What other systems tell.

use std::collections::BTreeSet;

use axum::{
    Json as Answer,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use panicle_blobs::S3Source;
use panicle_store::{DEFAULT_PROJECT, EvidenceKind, NewEvidence, NewObject};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    AppState, Problem,
    access::{ProjectQuery, Seen, Target},
    api::crashes,
    extract::{self, Json, Query},
    hooks::{
        notice,
        s3::{self, Event, Happened},
    },
    shapes::{
        Crash,
        objects::{EventsTaken, IgnoredEvent, NotedObject},
    },
    upload,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Name of the source that the events are of, where several have a bucket of this name.
    source: Option<String>,
}

/// Events of buckets.
///
/// As AWS S3, MinIO, Ceph, EventBridge and CloudEvents write them, or in notifications of SNS. Acknowledged when they are
/// recorded; the objects are taken over after that. The same object is taken over once, however often it is told of.
/// It is for the project of its source; those of other projects are as if they were not there.
#[utoipa::path(post, operation_id = "takeBucketEvents", path = "/hooks/s3", tag = "hooks", params(EventsQuery, ProjectQuery),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = EventsTaken),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn s3(
    State(state): State<AppState>,
    Query(query): Query<EventsQuery>,
    Seen(project): Seen,
    request: Request,
) -> Result<Answer<EventsTaken>, Problem> {
    let kind = content_type(request.headers());
    // SNS sends JSON as text.
    if kind != "text/plain" && !extract::is_json(request.headers()) {
        return Err(Problem::not_json());
    }
    let body = extract::body(request, &state).await?;
    let document: Value = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("the body is no JSON: {error}")))?;
    let told = s3::read(&document).map_err(Problem::bad_request)?;
    if state.sources.is_empty() {
        let detail = "no bucket is known here: the service has to be started with --s3-source";
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "no-sources",
            "Events of buckets are not taken",
            detail,
        ));
    }
    // Sources of other projects are as if they were not there.
    let is_seen = |source: &&S3Source| project.as_deref().is_none_or(|project| project == project_of(source));
    let sources: Vec<&S3Source> = state.sources.iter().filter(is_seen).collect();
    if query.source.as_ref().is_some_and(|name| sources.iter().all(|source| source.name != *name)) {
        return Err(Problem::bad_request("there is no source of this name"));
    }
    let is_near = |event: &Event| sources.iter().any(|source| source.url.bucket == event.bucket);
    if project.is_some() && !told.events.is_empty() && !told.events.iter().any(is_near) {
        let detail =
            "no source of this project has any of these buckets; whose a source is, is said in --s3-source";
        return Err(Problem::not_found(detail));
    }
    let mut taken = EventsTaken::default();
    if let Some((topic, address)) = told.subscription {
        // Whoever has the address can confirm: it is for the answer alone.
        tracing::warn!(
            topic = topic.escape_debug().take(256).collect::<String>(),
            host = s3::topic_host(&address),
            "a topic of SNS asks whether it may send events; the address to confirm is in the answer"
        );
        taken.confirm = Some(address);
    }
    let (mut created, mut removed) = (Vec::new(), Vec::new());
    for event in told.events {
        match sort(&sources, query.source.as_deref(), &event) {
            Ok(object) if event.happened == Happened::Removed => removed.push(object),
            Ok(object) => created.push(object),
            Err(reason) => {
                tracing::info!(
                    event = event.name,
                    bucket = event.bucket,
                    key = event.key,
                    reason,
                    "an event is ignored"
                );
                taken.ignored.push(IgnoredEvent {
                    event: event.name,
                    bucket: event.bucket,
                    key: event.key,
                    reason,
                });
            }
        }
    }
    let projects: BTreeSet<&str> =
        created.iter().chain(&removed).map(|object| object.project.as_str()).collect();
    for project in projects {
        state.store.open_project(project).await?;
    }
    let now = Timestamp::now();
    let noted = state.store.note_objects(&created, now).await?;
    for object in &removed {
        taken.removed += state.store.note_removal(object, now).await?;
    }
    metrics::counter!("panicle_bucket_events_total", "ended" => "taken")
        .increment((created.len() + removed.len()) as u64);
    metrics::counter!("panicle_bucket_events_total", "ended" => "ignored")
        .increment(taken.ignored.len() as u64);
    taken.objects = created
        .into_iter()
        .zip(noted)
        .map(|(object, noted)| NotedObject {
            id: noted.id,
            bucket: object.bucket,
            key: object.key,
            new: noted.new,
        })
        .collect();
    Ok(Answer(taken))
}

/// The project that all objects of a source are of, whoever tells of them.
fn project_of(source: &S3Source) -> &str {
    source.project.as_deref().unwrap_or(DEFAULT_PROJECT)
}

/// The object that an event is of, or why it is of none.
fn sort(sources: &[&S3Source], named: Option<&str>, event: &Event) -> Result<NewObject, String> {
    if event.happened == Happened::Other {
        return Err("it tells of no new object".to_owned());
    }
    let has = |source: &&&S3Source| {
        named.is_none_or(|name| source.name == name)
            && (source.has(&event.bucket, &event.key) || source.has(&event.bucket, &event.raw_key))
    };
    // The one that says most about it.
    let source = sources.iter().filter(has).max_by_key(|source| source.url.prefix.len());
    let source = source.ok_or("no source has this bucket and key")?;
    if event.happened == Happened::Created && (event.key.ends_with('/') || event.size == Some(0)) {
        return Err("it has no bytes".to_owned());
    }
    Ok(NewObject {
        source: source.name.clone(),
        project: project_of(source).to_owned(),
        bucket: event.bucket.clone(),
        key: event.key.clone(),
        raw_key: event.raw_key.clone(),
        version_id: event.version_id.clone(),
        etag: event.etag.clone(),
        size_bytes: event.size,
        sequencer: event.sequencer.clone(),
    })
}

fn content_type(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A notice of a panic.
///
/// Needs `message` (or `panic`), `stack`, or `stderr`: a text or a list of its lines. May have `service`, `version`,
/// `hostname`, `pid`, `occurred_at`, `build_id` and `labels`. Names of OpenTelemetry and the Elastic Common Schema are
/// understood, too. Becomes a text and a crash of it. The same notice, or the same `Idempotency-Key`, is the same crash.
#[utoipa::path(post, operation_id = "takePanicNotice", path = "/hooks/panic", tag = "hooks",
    params(("Idempotency-Key" = Option<String>, Header, description = "The client's name for this request"), ProjectQuery),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 202, body = Crash),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn panic(
    State(state): State<AppState>,
    Target(project): Target,
    headers: HeaderMap,
    Json(document): Json<Value>,
) -> Result<Response, Problem> {
    let notice = notice::read(&document).map_err(Problem::bad_request)?;
    // Before anything is kept.
    let facts = crashes::checked_facts(&notice.about, crashes::idempotency_key(&headers)?)?;
    let text =
        upload::keep(&state, &project, EvidenceKind::Text, "panic-notice.txt", notice.text.into_bytes())
            .await?;
    let evidence = vec![NewEvidence { id: text.id, kind: EvidenceKind::Text }];
    let created = state
        .store
        .create_crash(&panicle_store::NewCrash { evidence, project: Some(project), ..facts })
        .await?;
    metrics::counter!("panicle_panic_notices_total").increment(1);
    let crash = crashes::load(&state, &created.id).await?;
    let location = format!("/api/v1/crashes/{}", created.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Answer(crash)).into_response())
}
