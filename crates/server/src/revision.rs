//! `ETag` and `If-Match` of what people edit.

use http::{HeaderMap, HeaderName, header};

use crate::Problem;

/// The header that names a revision.
pub(crate) fn etag(revision: u64) -> (HeaderName, String) {
    (header::ETAG, format!("\"{revision}\""))
}

/// The revision that a change is meant for; `None` where any is.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim().trim_matches('"');
    if text == "*" {
        return Ok(None);
    }
    let wrong = |_| Problem::bad_request("If-Match has to be an ETag that this was answered with");
    text.parse().map(Some).map_err(wrong)
}
