use axum::{
    Extension, Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use panicle_store::{CrashFilter, CrashStatus, EvidenceKind, MAX_CLOCK_AHEAD, MAX_NAME, NewEvidence};
use serde::Deserialize;

use crate::{
    AppState, Problem,
    access::{Caller, ProjectQuery, Seen},
    api::search,
    extract::{Json, MaybeJson, Path, Query},
    limits,
    page::{self, Page},
    shapes::{Crash, CrashSummary, Evidence, NewCrash, groups::Doing},
};

/// Pieces of evidence that one request may name.
const MAX_EVIDENCE: usize = 1000;
const MAX_LABELS: usize = 100;
/// Numbers of processes, on any system.
const PIDS: std::ops::RangeInclusive<i64> = 1..=u32::MAX as i64;

#[derive(Deserialize)]
pub(crate) struct CreateQuery {
    project: Option<String>,
}

/// Say which evidence belongs together.
///
/// The same core, or the same set of texts, is the same crash, and so is the same
/// `Idempotency-Key`. Evidence that was not yet known is added to it, and it is analysed again.
#[utoipa::path(post, operation_id = "createCrash", path = "/crashes", tag = "crashes", request_body = NewCrash,
    params(("Idempotency-Key" = Option<String>, Header, description = "The client's name for this request"), ProjectQuery),
    responses((status = 201, body = Crash, description = "It is new"),
        (status = 200, body = Crash, description = "It was known already"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Query(query): Query<CreateQuery>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Json(mut body): Json<NewCrash>,
) -> Result<Response, Problem> {
    let named = body.project.take().or(query.project.filter(|project| !project.is_empty()));
    let project = caller.target(&state.store, named.as_deref()).await?;
    let (crash, new) = make(&state, project, body, idempotency_key(&headers)?).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    let location = format!("/api/v1/crashes/{}", crash.summary.id);
    Ok((status, [(header::LOCATION, location)], Answer(crash)).into_response())
}

/// Records a crash of a project. Answers whether it is new.
pub(crate) async fn make(
    state: &AppState,
    project: String,
    body: NewCrash,
    key: Option<String>,
) -> Result<(Crash, bool), Problem> {
    let created = state
        .store
        .create_crash(&panicle_store::NewCrash { project: Some(project), ..checked(body, key)? })
        .await?;
    Ok((load(state, &created.id).await?, created.new))
}

/// The client's own name for its request.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    headers
        .get("idempotency-key")
        .map(|value| value.to_str().map(str::to_owned))
        .transpose()
        .map_err(|_| Problem::bad_request("Idempotency-Key has to be printable ASCII"))
}

fn checked(body: NewCrash, key: Option<String>) -> Result<panicle_store::NewCrash, Problem> {
    let facts = checked_facts(&body, key)?;
    let named = [
        (EvidenceKind::Core, body.core.into_iter().collect()),
        (EvidenceKind::Binary, body.binaries),
        (EvidenceKind::Text, body.texts),
        (EvidenceKind::Trace, body.traces),
        (EvidenceKind::Profile, body.profiles),
        (EvidenceKind::Race, body.races),
    ];
    let evidence: Vec<NewEvidence> = named
        .into_iter()
        .flat_map(|(kind, ids): (_, Vec<String>)| {
            ids.into_iter().map(move |id| NewEvidence { id: id.to_ascii_lowercase(), kind })
        })
        .collect();
    if evidence.iter().all(|evidence| evidence.kind == EvidenceKind::Binary) {
        return Err(Problem::bad_request(
            "a crash needs a core or another piece of evidence besides executables",
        ));
    }
    if evidence.len() > MAX_EVIDENCE {
        return Err(Problem::bad_request(format!("at most {MAX_EVIDENCE} pieces of evidence")));
    }
    Ok(panicle_store::NewCrash { evidence, ..facts })
}

/// What is known of a crash besides its evidence.
pub(crate) fn checked_facts(
    body: &NewCrash,
    key: Option<String>,
) -> Result<panicle_store::NewCrash, Problem> {
    let texts = [&body.service, &body.hostname, &body.version, &key];
    let labels = body.labels.iter().flat_map(|(name, value)| [name, value]);
    let too_long = texts.into_iter().flatten().chain(labels).any(|text| text.len() > MAX_NAME);
    if too_long || body.labels.len() > MAX_LABELS {
        return Err(Problem::bad_request(format!("at most {MAX_LABELS} labels and {MAX_NAME} bytes a text")));
    }
    for (what, text) in [("service", &body.service), ("hostname", &body.hostname), ("version", &body.version)]
    {
        limits::key(what, text.as_deref())?;
    }
    for name in body.labels.keys() {
        if name.trim().is_empty() {
            return Err(Problem::bad_request("labels: a key is empty"));
        }
        limits::key("labels: a key", Some(name))?;
    }
    // Lists are ordered by this time, and a clock that is a day ahead is no clock.
    let latest = Timestamp::now().checked_add(MAX_CLOCK_AHEAD).unwrap_or(Timestamp::MAX);
    if body.occurred_at.is_some_and(|at| at < Timestamp::UNIX_EPOCH || at > latest) {
        return Err(Problem::bad_request(
            "occurred_at is before 1970 or more than a day ahead of this service's clock",
        ));
    }
    // Whoever cannot name it, as a shipper of logs, can label it.
    let labelled = body.labels.get("pid").and_then(|text| text.trim().parse().ok());
    if body.pid.is_some_and(|pid| !PIDS.contains(&pid)) {
        return Err(Problem::bad_request(format!("pid is from {} to {}", PIDS.start(), PIDS.end())));
    }
    let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    Ok(panicle_store::NewCrash {
        evidence: Vec::new(),
        service: said(&body.service),
        hostname: said(&body.hostname),
        labels: body.labels.clone(),
        occurred_at: body.occurred_at,
        pid: body.pid.or(labelled.filter(|pid| PIDS.contains(pid))),
        version: said(&body.version),
        idempotency_key: key,
        project: None,
    })
}

pub(crate) async fn load(state: &AppState, id: &str) -> Result<Crash, Problem> {
    let crash = state.store.crash(id).await?;
    let evidence = state.store.crash_evidence(id).await?;
    let progress = match crash.status {
        CrashStatus::Queued | CrashStatus::Analysing => state.store.analysis_progress(id).await?,
        _ => None,
    };
    let incidents = state.store.incidents_of_crash(id).await?;
    Ok(Crash::new(crash, evidence, progress, incidents))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Id of a group.
    group: Option<String>,
    status: Option<CrashStatus>,
    /// Root-cause class.
    class: Option<String>,
    service: Option<String>,
    /// A query; see `/query/fields`.
    q: Option<String>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

/// List crashes, newest first.
#[utoipa::path(get, operation_id = "listCrashes", path = "/crashes", tag = "crashes", params(ListQuery, ProjectQuery),
    responses((status = 200, body = Page<CrashSummary>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Seen(project): Seen,
    Query(query): Query<ListQuery>,
) -> Result<Answer<Page<CrashSummary>>, Problem> {
    let limit = page::limit(query.limit)?;
    let filter = CrashFilter {
        project,
        group: query.group,
        status: query.status,
        class: query.class,
        service: query.service,
        query: search::asked(query.q.as_deref())?,
        before: page::id_cursor(query.cursor.as_deref())?,
    };
    Ok(Answer(page(&state, &filter, limit).await?))
}

/// Part of the list of crashes.
pub(crate) async fn page(
    state: &AppState,
    filter: &CrashFilter,
    limit: u32,
) -> Result<Page<CrashSummary>, Problem> {
    let crashes = state.store.crashes(filter, limit + 1).await?;
    let items = crashes.into_iter().map(CrashSummary::from).collect();
    Ok(Page::cut(items, limit, |item: &CrashSummary| item.id.clone()))
}

/// One crash.
#[utoipa::path(get, operation_id = "getCrash", path = "/crashes/{id}", tag = "crashes", params(("id" = String, Path)),
    responses((status = 200, body = Crash),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Answer<Crash>, Problem> {
    Ok(Answer(load(&state, &id).await?))
}

/// The evidence of a crash.
#[utoipa::path(get, operation_id = "listCrashEvidence", path = "/crashes/{id}/evidence", tag = "crashes", params(("id" = String, Path)),
    responses((status = 200, body = Page<Evidence>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn evidence(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Answer<Page<Evidence>>, Problem> {
    Ok(Answer(Page::all(load(&state, &id).await?.evidence)))
}

/// Part a crash from the one that it was joined into: they are two after all, and are not joined again.
#[utoipa::path(post, operation_id = "unjoinCrash", path = "/crashes/{id}/unjoin", tag = "crashes", request_body = Option<Doing>,
    params(("id" = String, Path, description = "The crash whose `joined_into` is set")),
    responses((status = 202, body = Crash),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn unjoin(
    State(state): State<AppState>,
    Path(id): Path<String>,
    MaybeJson(body): MaybeJson<Doing>,
) -> Result<(StatusCode, Answer<Crash>), Problem> {
    limits::doing(body.actor.as_deref(), body.reason.as_deref())?;
    state.store.unjoin(&id, body.actor.as_deref(), body.reason.as_deref()).await?;
    Ok((StatusCode::ACCEPTED, Answer(load(&state, &id).await?)))
}

/// Analyse a crash again.
#[utoipa::path(post, operation_id = "reanalyseCrash", path = "/crashes/{id}/reanalyse", tag = "crashes", params(("id" = String, Path)),
    responses((status = 202, body = Crash),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn reanalyse(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Answer<Crash>), Problem> {
    state.store.reanalyse(&id).await?;
    Ok((StatusCode::ACCEPTED, Answer(load(&state, &id).await?)))
}

/// Call off the analysis of a crash.
///
/// Whether it waits or is under way. The evidence stays, and so does the report of an earlier analysis; a crash
/// without one is `failed`, and can be analysed again.
#[utoipa::path(post, operation_id = "cancelAnalysis", path = "/crashes/{id}/cancel", tag = "crashes", params(("id" = String, Path)),
    responses((status = 200, body = Crash),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn cancel(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Answer<Crash>, Problem> {
    state.store.cancel_analysis(&id).await?;
    Ok(Answer(load(&state, &id).await?))
}

#[cfg(test)]
mod tests {
    use super::checked;
    use crate::shapes::NewCrash;

    #[test]
    fn what_crashes_are_told_by_can_be_seen() {
        let of = |service: &str, label: &str| {
            let labels = [(label.to_owned(), "x".to_owned())].into();
            let texts = vec!["a".repeat(64)];
            checked(
                NewCrash { texts, service: Some(service.to_owned()), labels, ..NewCrash::default() },
                None,
            )
            .is_ok()
        };
        assert!(of("auth service", "env") && of("", "k8s.io/name"));
        for (service, label) in
            [("a\nb", "env"), (" a ", "env"), ("a", ""), ("a", " "), ("a", "x\ty"), ("a", " env")]
        {
            assert!(!of(service, label), "{service:?} {label:?}");
        }
    }
}
