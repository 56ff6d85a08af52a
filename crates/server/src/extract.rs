//! Extractors whose rejections are problems.

mod objects;

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::Problem;

/// A body that does not come within this time is given up.
const BODY_TIME: Duration = Duration::from_mins(2);

/// A zero character as JSON has it.
const ZERO: &[u8] = br"\u0000";

/// A body of JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::not_json());
        }
        read(&body(request, state).await?).map(Self)
    }
}

/// A body of JSON of somebody who does not send again what was refused: a zero character in its texts, which
/// PostgreSQL does not store, becomes a replacement character.
pub(crate) struct LenientJson<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for LenientJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::not_json());
        }
        let mut bytes = body(request, state).await?.to_vec();
        let mut from = 0;
        while let Some(at) = zero(&bytes[from..]) {
            from += at + ZERO.len();
            bytes[from - ZERO.len()..from].copy_from_slice(br"\ufffd");
        }
        read(&bytes).map(Self)
    }
}

/// A body of JSON that may be left out, and then says nothing.
pub(crate) struct MaybeJson<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let json = is_json(request.headers());
        let bytes = body(request, state).await?;
        match (bytes.is_empty(), json) {
            (true, _) => Ok(Self(T::default())),
            (false, true) => read(&bytes).map(Self),
            (false, false) => Err(Problem::not_json()),
        }
    }
}

pub(crate) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_TIME, Bytes::from_request(request, state)).await {
        Ok(bytes) => Ok(bytes?),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body-idle",
            "The request broke off",
            format!("the body did not come within {} seconds", BODY_TIME.as_secs()),
        )),
    }
}

/// Reads a body, in which an array is never taken for an object by the order of its items.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // PostgreSQL stores none.
    if zero(bytes).is_some() {
        return Err(Problem::bad_request("texts cannot have zero characters (\\u0000)"));
    }
    let axum::Json(value) = axum::Json::<T>::from_bytes(bytes)?;
    let plain: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| Problem::bad_request(error.to_string()))?;
    objects::check::<T>(plain).map_err(|error| Problem::bad_request(error.to_string()))?;
    Ok(value)
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Where a JSON document has its first escaped zero character; it can have no other. A backslash may itself be escaped,
/// by one before it.
fn zero(json: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(next) = json.get(at..)?.iter().position(|byte| *byte == b'\\') {
        at += next;
        if json[at..].starts_with(ZERO) {
            return Some(at);
        }
        at += 2;
    }
    None
}

/// What stands behind the `?` of an address.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(parts).map(Self)
    }
}

impl<T: DeserializeOwned> Query<T> {
    /// What stands there.
    pub(crate) fn of(parts: &Parts) -> Result<T, Problem> {
        // Bytes that are no text would be read as replacement characters, and those looked for.
        let query = parts.uri.query().unwrap_or_default();
        if percent_decode_str(query).decode_utf8().is_err() {
            return Err(Problem::bad_request("what stands behind the ? of the address is not UTF-8"));
        }
        let axum::extract::Query(value) = axum::extract::Query::try_from_uri(&parts.uri)?;
        Ok(value)
    }
}

#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub(crate) struct Path<T>(pub(crate) T);

#[cfg(test)]
mod tests {
    use axum::extract::FromRequestParts;
    use http::{HeaderMap, Request, header};
    use panicle_store::MuteUntil;
    use serde::Deserialize;

    use super::{Query, is_json, read, zero};

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Body {
        groups: Vec<String>,
        reason: Option<String>,
        mute: Option<MuteUntil>,
    }

    #[test]
    fn an_array_is_no_object_at_any_depth() {
        let body = read::<Body>(br#"{"groups": ["a"], "mute": {"count": 3, "escalation": {}}}"#).unwrap();
        assert_eq!((body.groups, body.mute.unwrap().count), (vec!["a".to_owned()], Some(3)));
        assert_eq!(read::<Body>(b"{}").unwrap(), Body::default());
        let wrong: [&[u8]; 9] = [
            b"[]",
            br#"[["a"]]"#,
            br#"{"mute": [3]}"#,
            br#"{"mute": {"escalation": [1]}}"#,
            br#"{"reason": "a", "reason": "b"}"#,
            br#"{"reason": "\u0000"}"#,
            br#"{"other": 1}"#,
            b"{",
            b"",
        ];
        for body in wrong {
            assert!(read::<Body>(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
    }

    #[tokio::test]
    async fn what_is_asked_is_text() {
        #[derive(Deserialize)]
        struct Asked {
            q: String,
        }
        for (uri, q) in [
            ("/crashes?q=a%20b+c", Some("a b c")),
            ("/crashes?q=%C3%BC", Some("ü")),
            ("/crashes?q=100%25", Some("100%")),
            ("/crashes?q=%ff%fe", None),
            ("/crashes?q=a&%c3=b", None),
        ] {
            let (mut parts, ()) = Request::get(uri).body(()).unwrap().into_parts();
            let asked = Query::<Asked>::from_request_parts(&mut parts, &()).await;
            assert_eq!(asked.ok().map(|Query(asked)| asked.q).as_deref(), q, "{uri}");
        }
    }

    #[test]
    fn json_is_told_by_its_type() {
        for (kind, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("text/json", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            assert_eq!(is_json(&headers), json, "{kind}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn only_the_escape_of_a_zero_character_is_one() {
        assert!(zero(br#"{"owner":"a\u0000b"}"#).is_some());
        assert!(zero(br#""\\\u0000""#).is_some());
        for fine in [r#""\\u0000""#, r#""u0000""#, r#""\u00""#, "\\", ""] {
            assert!(zero(fine.as_bytes()).is_none(), "{fine:?}");
        }
    }
}
