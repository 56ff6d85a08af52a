use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use panicle_blobs::{BlobReader, Digest};
use panicle_store::{DEFAULT_PROJECT, EvidenceKind, Scope};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::{
    AppState, Problem,
    access::{Caller, ProjectQuery, Seen, Target},
    extract::{Path, Query},
    shapes::{Evidence, EvidenceDetails},
    upload,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadQuery {
    /// File name, for people.
    pub(super) name: Option<String>,
}

/// Store a piece of evidence.
///
/// Streams; any size. Acknowledged when it is on disk. The same bytes are stored once. `zstd` and
/// `gzip` content encodings are undone while streaming; an announced digest is checked: `X-Panicle-Sha256` of the
/// bytes before the encoding, `Content-Digest`, `Repr-Digest` (`sha-256=:…:`) and `Digest` (`SHA-256=…`) of those that come.
#[utoipa::path(put, operation_id = "putBlob", path = "/blobs/{id}", tag = "evidence",
    params(("id" = EvidenceKind, Path, description = "The kind of evidence; its id is answered"), UploadQuery, ProjectQuery,
        ("X-Panicle-Sha256" = Option<String>, Header, description = "SHA-256 in hexadecimal, checked")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Evidence, description = "It is new"),
        (status = 200, body = Evidence, description = "It was there already"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn put(
    State(state): State<AppState>,
    Path(kind): Path<String>,
    Query(query): Query<UploadQuery>,
    project: Result<Target, Problem>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let kind: EvidenceKind = kind.parse().map_err(|_| {
        let kinds: Vec<_> = EvidenceKind::ALL.iter().map(|kind| kind.as_str()).collect();
        Problem::not_found(format!("there is no kind of evidence {kind:?}; there are {}", kinds.join(", ")))
    })?;
    if kind != EvidenceKind::Binary {
        caller.need(&[Scope::Ingest])?;
    }
    store(&state, project, kind, query.name.as_deref(), request).await
}

/// Shared with `PUT /binaries`.
pub(crate) async fn store(
    state: &AppState,
    project: Result<Target, Problem>,
    kind: EvidenceKind,
    name: Option<&str>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let Target(project) = match project {
        Ok(project) => project,
        Err(problem) => {
            upload::discard(body).await;
            return Err(problem);
        }
    };
    let received = upload::receive(state, &project, kind, name, &parts.headers, body).await?;
    let evidence = Evidence { kind, ..state.store.evidence_in(&project, &received.id).await?.into() };
    let status = if received.new { StatusCode::CREATED } else { StatusCode::OK };
    let location = format!("/api/v1/blobs/{}", evidence.id);
    Ok((status, [(header::LOCATION, location)], axum::Json(evidence)).into_response())
}

/// From whose side a piece of evidence is looked at.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SideQuery {
    /// Whether it need not be sent: it is looked for in the one project that what the same caller sends would go to.
    #[serde(default)]
    to_send: bool,
}

/// What is known about a piece of evidence.
#[utoipa::path(get, operation_id = "getBlob", path = "/blobs/{id}", tag = "evidence",
    params(("id" = String, Path), SideQuery, ProjectQuery),
    responses((status = 200, body = EvidenceDetails),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(side): Query<SideQuery>,
    Seen(project): Seen,
    target: Result<Target, Problem>,
) -> Result<axum::Json<EvidenceDetails>, Problem> {
    let reader = project.clone();
    let project = if side.to_send { Some(target?.0) } else { project };
    let evidence: Evidence = seen(&state, project.as_deref(), &id).await?.into();
    let mut reference = None;
    if !state.sources.is_empty() && evidence.deleted.is_none() {
        let digest: Digest = evidence.id.parse().map_err(|_| Problem::internal("a blob without a digest"))?;
        let blobs = state.blobs.clone();
        let found = tokio::task::spawn_blocking(move || blobs.reference(&digest)).await;
        reference = found.map_err(|error| Problem::internal(error.to_string()))??;
    }
    if side.to_send && reference.is_some() {
        // What others may take away at any moment is not here for who asks whether it has to be sent.
        return Err(Problem::not_found(format!("blob {id} is an object of others, and not stored here")));
    }
    // Executables are for all projects, and the places that they are in are not.
    let reference = reference.filter(|reference| {
        reader.as_deref().is_none_or(|reader| {
            let source = state.sources.iter().find(|source| source.name == reference.source);
            source.is_some_and(|source| source.project.as_deref().unwrap_or(DEFAULT_PROJECT) == reader)
        })
    });
    Ok(axum::Json(EvidenceDetails { evidence, reference: reference.map(Into::into) }))
}

/// What one project, or all together, know of a piece of evidence.
async fn seen(state: &AppState, project: Option<&str>, id: &str) -> Result<panicle_store::Evidence, Problem> {
    Ok(match project {
        Some(project) => state.store.evidence_in(project, id).await?,
        None => state.store.evidence(id).await?,
    })
}

/// The bytes of a piece of evidence. A single `Range` is honoured.
#[utoipa::path(get, operation_id = "getBlobContent", path = "/blobs/{id}/content", tag = "evidence",
    params(("id" = String, Path), ProjectQuery),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, content_type = "application/octet-stream", body = Vec<u8>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn content(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Seen(project): Seen,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let digest: Digest = id.parse().map_err(|_| Problem::not_found(format!("there is no blob {id}")))?;
    let evidence = seen(&state, project.as_deref(), &digest.to_string()).await?;
    caller.need(match evidence.kind {
        EvidenceKind::Core => &[Scope::Memory],
        EvidenceKind::Binary => &[Scope::Read, Scope::Symbols],
        _ => &[Scope::Read],
    })?;
    if let Some((_, reason)) = evidence.deleted {
        let title = "The evidence is not kept any more";
        return Err(Problem::new(StatusCode::GONE, "evidence-gone", title, reason));
    }
    answer(&state, digest, &headers).await
}

/// The bytes of a stored blob, or the part of them that the request's headers ask for.
pub(crate) async fn answer(
    state: &AppState,
    digest: Digest,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let blobs = state.blobs.clone();
    let reader = tokio::task::spawn_blocking(move || blobs.reader(&digest))
        .await
        .map_err(|error| Problem::internal(error.to_string()))??;
    let size = reader.size_bytes();
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let (status, start, end) = match range.map(|range| byte_range(range, size)) {
        None | Some(Range::Ignored) => (StatusCode::OK, 0, size),
        Some(Range::Part(start, end)) => (StatusCode::PARTIAL_CONTENT, start, end),
        Some(Range::Unsatisfiable) => {
            let problem = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range-not-satisfiable",
                "There are no such bytes",
                format!("it has {size} bytes"),
            );
            return Ok(([(header::CONTENT_RANGE, format!("bytes */{size}"))], problem).into_response());
        }
    };
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, end - start)
        .header(header::CONTENT_DISPOSITION, "attachment")
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, format!("\"{digest}\""));
    if status == StatusCode::PARTIAL_CONTENT {
        response = response.header(header::CONTENT_RANGE, format!("bytes {start}-{}/{size}", end - 1));
    }
    response.body(stream(reader, start, end)).map_err(|error| Problem::internal(error.to_string()))
}

/// Reads on a thread of its own, a few pieces ahead of the client.
fn stream(mut reader: BlobReader, start: u64, end: u64) -> Body {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(2);
    tokio::task::spawn_blocking(move || {
        let send = |bytes: &[u8]| sender.blocking_send(Ok(Bytes::copy_from_slice(bytes))).is_ok();
        if let Err(error) = reader.read_range(start, end, send) {
            tracing::error!(%error, "evidence cannot be read");
            // Breaks the connection, so that the client does not take a part for the whole.
            let _ = sender.blocking_send(Err(std::io::Error::other(error.to_string())));
        }
    });
    Body::from_stream(futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    }))
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    /// Several ranges, or none that can be read: the whole is a correct answer.
    Ignored,
    Part(u64, u64),
    Unsatisfiable,
}

fn byte_range(text: &str, size: u64) -> Range {
    let Some(spec) = text.strip_prefix("bytes=").filter(|spec| !spec.contains(',')) else {
        return Range::Ignored;
    };
    let Some((first, last)) = spec.trim().split_once('-') else { return Range::Ignored };
    let (start, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        (Ok(first), Err(_)) if last.is_empty() => (first, size),
        (Err(_), Ok(suffix)) if first.is_empty() => (size.saturating_sub(suffix), size),
        _ => return Range::Ignored,
    };
    if start < end { Range::Part(start, end) } else { Range::Unsatisfiable }
}

#[cfg(test)]
mod tests {
    use super::{Range, byte_range};

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        assert_eq!(byte_range("bytes=0-0", 10), Range::Part(0, 1));
        assert_eq!(byte_range("bytes=5-", 10), Range::Part(5, 10));
        assert_eq!(byte_range("bytes=-3", 10), Range::Part(7, 10));
        assert_eq!(byte_range("bytes=-30", 10), Range::Part(0, 10));
        assert_eq!(byte_range("bytes=2-99", 10), Range::Part(2, 10));
        assert_eq!(byte_range("bytes=10-", 10), Range::Unsatisfiable);
        assert_eq!(byte_range("bytes=-0", 10), Range::Unsatisfiable);
        assert_eq!(byte_range("bytes=3-2", 10), Range::Ignored);
        assert_eq!(byte_range("bytes=0-1,3-4", 10), Range::Ignored);
        assert_eq!(byte_range("lines=0-1", 10), Range::Ignored);
    }
}
