//! What other systems tell.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Json as Answer,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use panicle_blobs::S3Source;
use panicle_store::{DEFAULT_PROJECT, EvidenceKind, NewEvidence, NewObject, Store, StoreError};
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
/// recorded; the objects are taken over after that. What cannot be understood is in `refused`, and does not keep the
/// others from being taken; where there is nothing else, it is 400. The same object is taken over once, however often it is told of.
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
    let mut taken = EventsTaken { refused: told.refused, ..EventsTaken::default() };
    if let Some((topic, address)) = told.subscription {
        // Whoever has the address can confirm: it is for the answer alone.
        tracing::warn!(
            topic = topic.escape_debug().take(256).collect::<String>(),
            host = s3::topic_host(&address),
            "a topic of SNS asks whether it may send events; the address to confirm is in the answer"
        );
        taken.confirm = Some(address);
    }
    let mut sorted = Vec::with_capacity(told.events.len());
    for event in told.events {
        sorted.push((sort(&state.sources, project.as_deref(), query.source.as_deref(), &event), event));
    }
    let projects = sorted.iter().filter_map(|(object, _)| object.as_ref().ok()).map(|object| &object.project);
    let closed = closed_projects(&state.store, projects).await?;
    let (mut created, mut removed) = (Vec::new(), Vec::new());
    for (object, event) in sorted {
        let object = object.and_then(|object| match closed.get(&object.project) {
            Some(reason) => Err(reason.clone()),
            None => Ok(object),
        });
        match object {
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
    if let Some(first) = taken.refused.first() {
        tracing::warn!(count = taken.refused.len(), %first, "parts of what was told of buckets are not understood");
    }
    let now = Timestamp::now();
    let noted = state.store.note_objects(&created, now).await?;
    for object in &removed {
        taken.removed += state.store.note_removal(object, now).await?;
    }
    metrics::counter!("panicle_bucket_events_total", "ended" => "taken")
        .increment((created.len() + removed.len()) as u64);
    metrics::counter!("panicle_bucket_events_total", "ended" => "refused")
        .increment(taken.refused.len() as u64);
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

/// Those of `projects` that take nothing in, and why; an error where that is all of them.
async fn closed_projects(
    store: &Store,
    projects: impl Iterator<Item = &String>,
) -> Result<BTreeMap<String, String>, Problem> {
    let projects: BTreeSet<&String> = projects.collect();
    let mut closed = BTreeMap::new();
    for &project in &projects {
        match store.open_project(project).await {
            Ok(_) => {}
            Err(error @ (StoreError::NotFound { .. } | StoreError::Invalid(_))) => {
                closed.insert(project.clone(), error.to_string());
                if closed.len() == projects.len() {
                    // Whoever tells of them does so again when that is set right.
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(closed)
}

/// The object that an event is of, or why it is of none that `project`, or anybody, may tell of.
fn sort(
    sources: &[S3Source],
    project: Option<&str>,
    named: Option<&str>,
    event: &Event,
) -> Result<NewObject, String> {
    if event.happened == Happened::Other {
        return Err("it tells of no new object".to_owned());
    }
    let is_seen = |source: &S3Source| project.is_none_or(|project| project == project_of(source));
    // Of sources within each other, the one that says most has what is in both.
    let innermost = |fits: &dyn Fn(&S3Source) -> bool| {
        let has = |source: &&S3Source| {
            let has = |key: &str| source.has(&event.bucket, key);
            (has(&event.key) || has(&event.raw_key)) && fits(source)
        };
        sources.iter().filter(has).max_by_key(|source| source.url.prefix.len())
    };
    let source = innermost(&|source| is_seen(source) && named.is_none_or(|name| source.name == name));
    let source = source
        .filter(|source| innermost(&|other| other.url.endpoint == source.url.endpoint).is_none_or(is_seen))
        .ok_or("no source has this bucket and key")?;
    if event.happened == Happened::Created && (event.key.ends_with('/') || event.size == Some(0)) {
        return Err("it has no bytes".to_owned());
    }
    // Not every maker encodes keys. What is outside of the source by one of the two readings is not looked for.
    let within = |key: &String| source.has(&event.bucket, key).then(|| key.clone());
    let (key, raw_key) = (within(&event.key), within(&event.raw_key));
    let (Some(first), Some(other)) = (key.clone().or_else(|| raw_key.clone()), raw_key.or(key)) else {
        return Err("no source has this bucket and key".to_owned());
    };
    Ok(NewObject {
        source: source.name.clone(),
        project: project_of(source).to_owned(),
        bucket: event.bucket.clone(),
        key: first,
        raw_key: other,
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

#[cfg(test)]
mod tests {
    use panicle_blobs::S3Source;

    use super::{
        s3::{Event, Happened},
        sort,
    };

    fn event(key: &str, raw_key: &str) -> Event {
        Event {
            name: "ObjectCreated:Put".to_owned(),
            happened: Happened::Created,
            bucket: "b".to_owned(),
            key: key.to_owned(),
            raw_key: raw_key.to_owned(),
            size: None,
            etag: None,
            version_id: None,
            sequencer: None,
        }
    }

    #[test]
    fn an_object_is_of_the_innermost_source_and_its_project_alone() {
        let sources: Vec<S3Source> = [
            "all=s3://b?endpoint=http://h:1&project=shop",
            "cart=s3://b/cart?endpoint=http://h:1&project=cart",
            "plus=s3://b/a+b?endpoint=http://h:1&project=shop",
            "blank=s3://b/a%20b?endpoint=http://h:1",
            "other=s3://b/cart/x?endpoint=http://h:2&project=shop",
        ]
        .map(|source| source.parse().unwrap())
        .to_vec();
        let of = |project: Option<&str>, named: Option<&str>, key: &str| {
            let sorted = sort(&sources, project, named, &event(key, key));
            sorted.map(|object| (object.source, object.project)).ok()
        };
        let is = |source: &str, project: &str| Some((source.to_owned(), project.to_owned()));
        assert_eq!(of(None, None, "x"), is("all", "shop"));
        assert_eq!(of(None, None, "cart/1"), is("cart", "cart"));
        assert_eq!(of(Some("cart"), None, "cart/1"), is("cart", "cart"));
        assert_eq!(of(Some("cart"), None, "x"), None);
        // What is in both is not the outer one's, also when that is named.
        assert_eq!(of(Some("shop"), None, "cart/1"), None);
        assert_eq!(of(Some("shop"), Some("all"), "cart/1"), None);
        assert_eq!(of(Some("shop"), Some("cart"), "cart/1"), None);
        // A bucket of the same name elsewhere is another one.
        assert_eq!(of(Some("shop"), None, "cart/x/1"), is("other", "shop"));
        assert_eq!(of(Some("cart"), None, "cart/x/1"), is("cart", "cart"));
    }

    #[test]
    fn a_key_is_not_read_so_that_it_is_in_another_source() {
        let sources: Vec<S3Source> = vec!["plus=s3://b/a+b?endpoint=http://h:1".parse().unwrap()];
        let read = |key: &str, raw_key: &str| {
            sort(&sources, None, None, &event(key, raw_key)).map(|object| (object.key, object.raw_key)).ok()
        };
        let both = |key: &str| Some((key.to_owned(), key.to_owned()));
        assert_eq!(read("a b/1", "a+b/1"), both("a+b/1"));
        assert_eq!(read("a+b/1", "a%2Bb/1"), both("a+b/1"));
        assert_eq!(read("a+b/1 2", "a+b/1+2"), Some(("a+b/1 2".to_owned(), "a+b/1+2".to_owned())));
        assert_eq!(read("a b/1", "a b/1"), None);
    }
}
