//! Resumable uploads by tus 1.0.0.

use axum::{
    Extension,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use panicle_store::{EvidenceKind, Scope};

use crate::{
    AppState, Problem,
    access::{Caller, ProjectQuery, Target},
    extract::Path,
    resumable::{self, Part},
    tus::{self, Checksum, Metadata},
};

/// What the server knows of tus.
#[utoipa::path(options, operation_id = "uploadOptions", path = "/uploads", tag = "evidence",
    responses((status = 204, description = "Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm")))]
pub(crate) async fn options(State(state): State<AppState>) -> Response {
    let headers = [
        ("tus-version", tus::VERSION),
        ("tus-extension", HeaderValue::from_static(tus::EXTENSIONS)),
        ("tus-max-size", HeaderValue::from(state.blobs.max_blob_bytes())),
        ("tus-checksum-algorithm", HeaderValue::from_static(tus::ALGORITHMS)),
    ];
    tus::answer(Ok((StatusCode::NO_CONTENT, headers).into_response()))
}

/// Start an upload that may come in several requests (tus 1.0.0).
///
/// `Upload-Metadata` may have `kind` (told by the first bytes when not given), `filename`, `sha256`
/// (checked), and `service`, `hostname`, `labels` (a JSON object) or `crash` (`true`), with which a crash is
/// made of it. A body of type `application/offset+octet-stream` is its beginning.
#[utoipa::path(post, operation_id = "createUpload", path = "/uploads", tag = "evidence",
    params(("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("Upload-Length" = Option<u64>, Header, description = "Bytes of the whole"),
        ("Upload-Defer-Length" = Option<u8>, Header, description = "1: its length is said later"),
        ("Upload-Metadata" = Option<String>, Header, description = "Keys, each with a value in base64"), ProjectQuery),
    request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"),
    responses((status = 201, description = "`Location` is where it goes on"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(state): State<AppState>,
    project: Result<Target, Problem>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    tus::answer(begin(state, project, &caller, request).await)
}

async fn begin(
    state: AppState,
    project: Result<Target, Problem>,
    caller: &Caller,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    tus::check_version(headers)?;
    let Target(project) = project?;
    tus::refuse_parts(headers)?;
    let size = tus::size(headers)?;
    let metadata = match headers.get("upload-metadata") {
        Some(value) => value.to_str().map_err(|_| Problem::bad_request("Upload-Metadata is no text"))?,
        None => "",
    };
    // Executables take less than other evidence, and it is not told by its bytes here.
    if metadata.parse::<Metadata>()?.kind != Some(EvidenceKind::Binary) {
        caller.need(&[Scope::Ingest])?;
    }
    let length = tus::number(headers, "content-length")?;
    let with_upload = headers.contains_key(header::CONTENT_TYPE) && length != Some(0);
    if with_upload {
        tus::check_content_type(headers)?;
    }
    let checksum = Checksum::announced(headers)?;
    let mut upload = resumable::create(&state, &project, metadata, size).await?;
    if with_upload {
        let part = Part { offset: 0, size: None, length, checksum, body };
        upload = resumable::append(state, upload.id, part).await?;
    }
    let location = format!("/api/v1/uploads/{}", upload.id);
    let mut response = tus::state(StatusCode::CREATED, &upload)?;
    let location = HeaderValue::from_str(&location).map_err(|error| Problem::internal(error.to_string()))?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// How much of an upload is durable: `Upload-Offset`. A complete one has `X-Panicle-Blob-Id`, and
/// `X-Panicle-Crash-Id` if a crash was made of it.
#[utoipa::path(head, operation_id = "headUpload", path = "/uploads/{id}", tag = "evidence",
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, description = "1.0.0")),
    responses((status = 200, description = "`Upload-Offset`, `Upload-Length`, `Upload-Expires`"),
        (status = "4XX", description = "There is none, or not any more")))]
pub(crate) async fn head(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let outcome = async {
        tus::check_version(&headers)?;
        tus::state(StatusCode::OK, &resumable::find(&state, &id).await?)
    };
    tus::answer(outcome.await)
}

/// Add to an upload.
///
/// What is acknowledged is on disk. Of a request that breaks off, what came counts as far as `HEAD` says, unless
/// it had an `Upload-Checksum`. With its last byte the upload becomes evidence as if it had been put.
#[utoipa::path(patch, operation_id = "appendUpload", path = "/uploads/{id}", tag = "evidence",
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("Upload-Offset" = u64, Header, description = "Where the body begins"),
        ("Upload-Length" = Option<u64>, Header, description = "Bytes of the whole, if that was not said before"),
        ("Upload-Checksum" = Option<String>, Header, description = "Of the body: sha256 or sha1, and base64")),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204, description = "`Upload-Offset`; at the end `X-Panicle-Blob-Id`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It stands elsewhere"),
        (status = 423, body = Problem, content_type = "application/problem+json", description = "Another request writes to it"),
        (status = 460, body = Problem, content_type = "application/problem+json", description = "The checksum is another one"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn patch(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    tus::answer(append(state, id, request).await)
}

async fn append(state: AppState, id: String, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    tus::check_version(headers)?;
    tus::check_content_type(headers)?;
    let part = Part {
        offset: tus::number(headers, "upload-offset")?
            .ok_or_else(|| Problem::bad_request("Upload-Offset is needed"))?,
        size: tus::number(headers, "upload-length")?,
        length: tus::number(headers, "content-length")?,
        checksum: Checksum::announced(headers)?,
        body,
    };
    tus::state(StatusCode::NO_CONTENT, &resumable::append(state, id, part).await?)
}

/// Give an upload up. Evidence that it became stays.
#[utoipa::path(delete, operation_id = "deleteUpload", path = "/uploads/{id}", tag = "evidence",
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, description = "1.0.0")),
    responses((status = 204, description = "It is forgotten"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let outcome = async {
        tus::check_version(&headers)?;
        resumable::terminate(&state, &id).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    tus::answer(outcome.await)
}

/// `PATCH` or `DELETE`, as `X-HTTP-Method-Override` says, for clients that cannot send these.
#[utoipa::path(post, operation_id = "overrideUpload", path = "/uploads/{id}", tag = "evidence",
    params(("id" = String, Path),
        ("X-HTTP-Method-Override" = String, Header, description = "PATCH or DELETE")),
    responses((status = 204, description = "As for the method"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let method = request.headers().get("x-http-method-override").map(HeaderValue::as_bytes);
    match method {
        Some(b"PATCH") => tus::answer(append(state, id, request).await),
        Some(b"DELETE") => delete(State(state), Path(id), request.headers().clone()).await,
        _ => {
            let detail = "X-HTTP-Method-Override has to be PATCH or DELETE";
            let title = "This method is not for this";
            tus::answer(Err(Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                title,
                detail,
            )))
        }
    }
}
