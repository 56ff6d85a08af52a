//! `ETag` and `If-Match` of what people edit.

use http::{HeaderMap, HeaderName, header};
use panicle_store::StoreError;

use crate::Problem;

/// The header that names a revision.
pub(crate) fn etag(revision: u64) -> (HeaderName, String) {
    (header::ETAG, format!("\"{revision}\""))
}

/// The revision that a change is meant for; `None` where any is. Tags are compared strongly (RFC 9110, 13.1.1): a weak
/// one, or one that nothing here was ever answered with, is well-formed and does not match.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let mut values = headers.get_all(header::IF_MATCH).iter().peekable();
    if values.peek().is_none() {
        return Ok(None);
    }
    let wrong = || Problem::bad_request("If-Match has to be * or a list of ETags, each in quotes");
    let mut text = String::new();
    for value in values {
        text.push_str(if text.is_empty() { "" } else { "," });
        text.push_str(value.to_str().map_err(|_| wrong())?);
    }
    if text.trim() == "*" {
        return Ok(None);
    }
    // Revisions only grow. Of several that were answered, only the last can be what there is now.
    let revisions = tags(&text).ok_or_else(wrong)?.into_iter().filter_map(|(weak, tag)| {
        let revision: u64 = tag.parse().ok()?;
        (!weak && revision.to_string() == tag).then_some(revision)
    });
    revisions.max().map(Some).ok_or_else(|| StoreError::Conflict.into())
}

/// The tags of a list, each with whether it is weak; `None` for what is no list of tags.
fn tags(text: &str) -> Option<Vec<(bool, &str)>> {
    let mut tags = Vec::new();
    let mut rest = text.trim();
    loop {
        let (weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |rest| (true, rest));
        let (tag, behind) = quoted.strip_prefix('"')?.split_once('"')?;
        if tag.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return None;
        }
        tags.push((weak, tag));
        let behind = behind.trim_start();
        if behind.is_empty() {
            return Some(tags);
        }
        rest = behind.strip_prefix(',')?.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode, header};

    use super::if_match;

    fn asked(values: &[&str]) -> Result<Option<u64>, StatusCode> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, value.parse().unwrap());
        }
        if_match(&headers).map_err(|problem| problem.status())
    }

    #[test]
    fn tags_are_compared_strongly() {
        assert_eq!(asked(&[]), Ok(None));
        assert_eq!(asked(&["*"]), Ok(None));
        assert_eq!(asked(&["\"7\""]), Ok(Some(7)));
        assert_eq!(asked(&["\"3\", W/\"9\" ,\"7\""]), Ok(Some(7)));
        assert_eq!(asked(&["\"3\"", "\"7\""]), Ok(Some(7)));
        for never in ["W/\"7\"", "\"x\"", "\"07\"", "\"\"", "\"-1\""] {
            assert_eq!(asked(&[never]), Err(StatusCode::PRECONDITION_FAILED), "{never}");
        }
        for wrong in ["7", "\"7", "\"7\" \"8\"", "\"7\",", "w/\"7\"", "\"7\", *", "\"a b\""] {
            assert_eq!(asked(&[wrong]), Err(StatusCode::BAD_REQUEST), "{wrong}");
        }
    }
}
