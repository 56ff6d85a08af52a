//! Errors as RFC 9457 problem details.

use std::num::NonZeroU32;

use axum::{
    Json,
    extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use panicle_blobs::BlobError;
use panicle_query::ParseError;
use panicle_report::{EvalError, QueryError};
use panicle_store::{CrashStatus, StoreError};
use serde::Serialize;

use crate::{AskError, shapes::rules::RuleConflict};

/// What went wrong, as every error of the API is answered.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Names the kind of problem: `/problems/not-a-core`.
    #[serde(rename = "type", serialize_with = "type_uri")]
    #[schema(value_type = String)]
    slug: &'static str,
    /// The kind in a few words.
    title: &'static str,
    /// The HTTP status.
    #[serde(serialize_with = "status_number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    /// What happened this time.
    #[schema(value_type = String)]
    detail: Box<str>,
    /// Where the crash stands, for a report that is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    crash_status: Option<CrashStatus>,
    /// What is wrong with an expression or key: `kind` of the evaluation error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    kind: Option<Box<str>>,
    /// Crashes that others have a claim to, for a rule in conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<RuleConflict>>)]
    conflicts: Option<Box<Conflicts>>,
    /// Byte of the expression or query that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    /// How many bytes of the query it is about; 0 for a place between two.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u32>,
    /// What would be right there, best first.
    #[serde(skip_serializing_if = "is_empty")]
    #[schema(value_type = Vec<String>, required = false)]
    expected: Box<[String]>,
    /// Seconds after which to try again.
    #[serde(skip)]
    retry_after: Option<NonZeroU32>,
}

fn type_uri<S: serde::Serializer>(slug: &&'static str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("/problems/{slug}"))
}

fn is_empty(list: &[String]) -> bool {
    list.is_empty()
}

/// Apart from the problem, which is returned by value everywhere.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
struct Conflicts(Vec<RuleConflict>);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn status_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        slug: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            slug,
            title,
            status,
            detail: detail.into().into_boxed_str(),
            crash_status: None,
            kind: None,
            conflicts: None,
            position: None,
            length: None,
            expected: Box::default(),
            retry_after: None,
        }
    }

    /// The way was to blame, and what came before is good.
    pub(crate) fn is_of_the_way(&self) -> bool {
        matches!(self.slug, "body-incomplete" | "body-idle")
    }

    /// It would be the same the next time.
    pub(crate) fn is_final(&self) -> bool {
        self.status.is_client_error()
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request cannot be understood", detail)
    }

    pub(crate) fn not_json() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The body is not JSON",
            "send it as application/json",
        )
    }

    /// The same for whoever shows no token, one that never was, and one that is not valid any more.
    pub(crate) fn unauthorized() -> Self {
        let detail = "send a token that is valid here, as Authorization: Bearer TOKEN; in a browser, sign in";
        Self::new(StatusCode::UNAUTHORIZED, "token-needed", "A token is needed", detail)
    }

    /// The same, about one of several things.
    pub(crate) fn about(self, what: &str) -> Self {
        Self { detail: format!("{what}: {}", self.detail).into_boxed_str(), ..self }
    }

    /// The same, to be tried again after this time.
    pub(crate) fn after(self, wait: std::time::Duration) -> Self {
        let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        Self { retry_after: NonZeroU32::new(seconds), ..self }
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) const fn slug(&self) -> &'static str {
        self.slug
    }

    #[cfg(test)]
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", detail)
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong here", detail)
    }

    pub(crate) fn report_not_ready(status: CrashStatus, detail: impl Into<String>) -> Self {
        let title = "There is no report yet";
        let problem = Self::new(StatusCode::CONFLICT, "report-not-ready", title, detail);
        Self { crash_status: Some(status), ..problem }
    }

    fn expression(error: EvalError) -> Self {
        let title = "The expression has no value";
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "expression", title, error.message);
        Self { kind: Some(error.kind.into()), position: error.position, ..problem }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let busy = status == StatusCode::SERVICE_UNAVAILABLE;
        let retry_after = self.retry_after.map(NonZeroU32::get).or_else(|| busy.then_some(30));
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"panicle\""));
        }
        response
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let detail = error.to_string();
        match error {
            AskError::NoMemory(_) => {
                Self::new(StatusCode::CONFLICT, "no-memory", "There is no memory to ask", detail)
            }
            AskError::Gone(_) => {
                Self::new(StatusCode::GONE, "evidence-gone", "The evidence is not kept any more", detail)
            }
            AskError::Query(QueryError::Expression(error)) => Self::expression(error),
            AskError::Query(QueryError::Parameter(text)) => Self::bad_request(text),
            AskError::Query(QueryError::NotFound(text)) => Self::not_found(text),
            AskError::TooMuch(_) => {
                let title = "The answer takes more than a question may";
                let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "too-much", title, detail);
                Self { kind: Some("limit".into()), ..problem }
            }
            AskError::Busy => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many questions", detail)
            }
            AskError::Failed(_) => {
                tracing::error!(%detail, "a question could not be answered");
                Self::internal("the question could not be answered; the server's log says more")
            }
        }
    }
}

impl From<ParseError> for Problem {
    fn from(error: ParseError) -> Self {
        let detail = match error.expected.as_slice() {
            [] => error.to_string(),
            expected => format!("{error}; expected: {}", expected.join(", ")),
        };
        let problem =
            Self::new(StatusCode::BAD_REQUEST, "bad-query", "The query cannot be understood", detail);
        Self {
            position: Some(error.span.start as u64),
            length: Some(error.span.length as u32),
            expected: error.expected.into(),
            ..problem
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { .. } => Self::not_found(error.to_string()),
            StoreError::WrongKind { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "wrong-kind",
                "Evidence of another kind",
                error.to_string(),
            ),
            StoreError::OtherCrash { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The idempotency key was used for another crash",
                error.to_string(),
            ),
            StoreError::Conflicts(conflicts) => {
                let title = "Others have a claim to these crashes";
                let detail = StoreError::Conflicts(conflicts.clone()).to_string();
                let problem = Self::new(StatusCode::CONFLICT, "rule-conflict", title, detail);
                let conflicts = conflicts.into_iter().map(RuleConflict::from).collect();
                Self { conflicts: Some(Box::new(Conflicts(conflicts))), ..problem }
            }
            StoreError::Invalid(detail) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "cannot-be-done",
                "That cannot be done as things stand",
                detail,
            ),
            StoreError::ChangedSince(detail) => {
                Self::new(StatusCode::CONFLICT, "changed-since", "It was changed again since", detail)
            }
            StoreError::Taken { .. } => {
                Self::new(StatusCode::CONFLICT, "name-taken", "The name is taken", error.to_string())
            }
            StoreError::Conflict => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "changed-meanwhile",
                "It was changed meanwhile",
                "read it again, and decide again",
            ),
            StoreError::SearchTooSlow(_) => {
                let title = "The search takes longer than one may";
                let detail = format!(
                    "{error}; ask for less: add a field that few crashes have (service:, class:, since:), write \
                     field:word in place of a word alone, or take wildcards and negations away"
                );
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "search-too-slow", title, detail)
            }
            StoreError::SearchesBusy => {
                let title = "Other searches take too long";
                let detail = format!("{error}; search again in a while");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-searches", title, detail)
                    .after(std::time::Duration::from_secs(5))
            }
            StoreError::Database(_)
            | StoreError::Unreachable { .. }
            | StoreError::Refused { .. }
            | StoreError::Io { .. } => {
                tracing::error!(%error, "the database failed");
                let title = "The database cannot be used";
                let detail = "the database cannot be used right now; nothing of this request was kept";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "database-unavailable", title, detail)
            }
            error => {
                tracing::error!(%error, "a request failed");
                Self::internal("the server's log says more")
            }
        }
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        let (status, slug, title) = match &error {
            BlobError::TooLarge { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The upload is too large")
            }
            BlobError::DiskLow { .. } => {
                tracing::error!(%error, "an upload was refused");
                // How much there is on the disk is for whoever runs the service.
                let detail = "the disk has no room for this upload right now; send it again later";
                let title = "There is no room left";
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, "disk-low", title, detail);
            }
            BlobError::DigestMismatch { .. } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "digest-mismatch",
                "The bytes are not those that were announced",
            ),
            BlobError::PieceLost => (StatusCode::GONE, "upload-expired", "The upload has to begin anew"),
            // Where that was is not for everybody who may read the evidence.
            BlobError::NotTheSame { .. } => {
                tracing::warn!(%error, "evidence by reference is gone");
                let title = "The evidence is not where it was any more";
                let detail =
                    "the object that it is in is not the one that was taken over: it was changed or removed";
                return Self::new(StatusCode::GONE, "evidence-gone", title, detail);
            }
            BlobError::NotFound(_) => (StatusCode::NOT_FOUND, "not-found", "There is no such thing"),
            BlobError::Unavailable { .. } | BlobError::Refused { .. } => {
                tracing::error!(%error, "the store of evidence cannot be used");
                let title = "The store of evidence cannot be used";
                let detail = "the store of evidence cannot be used right now; send the request again later";
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, "store-unavailable", title, detail);
            }
            BlobError::Io { .. } | BlobError::Damaged { .. } => {
                tracing::error!(%error, "evidence could not be stored or read");
                return Self::internal("evidence could not be stored or read; the server's log says more");
            }
        };
        Self::new(status, slug, title, error.to_string())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            status @ StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(status, "too-large", "The body is too large", rejection.body_text())
            }
            _ => Self::bad_request(rejection.body_text()),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}
