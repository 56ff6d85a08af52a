//! Extractors whose rejections are problems.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Request, rejection::JsonRejection},
};
use serde::de::DeserializeOwned;

use crate::Problem;

/// A JSON body. Texts in it have no zero character: PostgreSQL does not store any.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let body = Bytes::from_request(request, state).await.map_err(JsonRejection::from)?;
        if has_zero(&body) {
            return Err(Problem::bad_request("texts cannot have zero characters (\\u0000)"));
        }
        let request = Request::from_parts(parts, Body::from(body));
        let axum::Json(value) = axum::Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// Whether a JSON document has an escaped zero character; it can have no other. A backslash may itself be escaped,
/// by one before it.
fn has_zero(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        if rest[at..].starts_with(br"\u0000") {
            return true;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub(crate) struct Query<T>(pub(crate) T);

#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub(crate) struct Path<T>(pub(crate) T);

#[cfg(test)]
mod tests {
    use super::has_zero;

    #[test]
    fn only_the_escape_of_a_zero_character_is_one() {
        assert!(has_zero(br#"{"owner":"a\u0000b"}"#));
        assert!(has_zero(br#""\\\u0000""#));
        for fine in [r#""\\u0000""#, r#""u0000""#, r#""\u00""#, "\\", ""] {
            assert!(!has_zero(fine.as_bytes()), "{fine:?}");
        }
    }
}
