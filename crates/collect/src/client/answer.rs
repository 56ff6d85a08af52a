//! What the service answers.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use serde::Deserialize;
use ureq::{
    Body,
    http::{HeaderMap, Response},
};

use crate::UploadError;

/// Answers are small; more than this is not one of ours.
const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// An answer as it came.
pub(super) struct Whole {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Whole {
    /// A header's value.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Why it is a refusal.
    pub(super) fn why(&self) -> String {
        explain(self.status, &self.body)
    }
}

/// What came of one attempt.
pub(super) enum Attempt {
    /// An answer that stands.
    Answer(Whole),
    /// Trouble that may pass.
    Trouble(Trouble),
}

/// What may be better in a moment.
#[derive(Debug)]
pub(super) struct Trouble {
    /// For people.
    pub(super) detail: String,
    /// It does not want to be asked before this has passed.
    pub(super) retry_after: Option<Duration>,
    /// It was the service that said so, and not the way to it.
    pub(super) answered: bool,
}

#[derive(Default, Deserialize)]
struct ProblemAnswer {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

pub(super) fn attempt(outcome: Result<Response<Body>, ureq::Error>) -> Attempt {
    let lost = |error: ureq::Error| {
        Attempt::Trouble(Trouble { detail: error.to_string(), retry_after: None, answered: false })
    };
    let mut response = match outcome {
        Ok(response) => response,
        Err(error) => return lost(error),
    };
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = match response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec() {
        Ok(body) => body,
        Err(error) => return lost(error),
    };
    let whole = Whole { status, headers, body };
    if status >= 500 || matches!(status, 408 | 423 | 429) {
        let retry_after = whole.text("retry-after").and_then(|text| retry_after(text, Timestamp::now()));
        return Attempt::Trouble(Trouble { detail: whole.why(), retry_after, answered: true });
    }
    Attempt::Answer(whole)
}

/// The time that `Retry-After` asks for: seconds, or until a date (RFC 9110, 10.2.3).
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    // One that has passed is no wait at all.
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

/// The answer, or what the service says instead.
pub(super) fn read<T: for<'de> Deserialize<'de>>(
    what: &str,
    status: u16,
    body: &[u8],
) -> Result<T, UploadError> {
    let refused = |detail| UploadError::Refused { what: what.to_owned(), detail };
    if !(200..300).contains(&status) {
        return Err(refused(explain(status, body)));
    }
    serde_json::from_slice(body).map_err(|error| refused(format!("an answer that cannot be read: {error}")))
}

fn explain(status: u16, body: &[u8]) -> String {
    let problem: ProblemAnswer = serde_json::from_slice(body).unwrap_or_default();
    let said = match (problem.title.as_str(), problem.detail.as_str()) {
        ("", "") => format!("HTTP status {status}"),
        (title, "") => title.to_owned(),
        ("", detail) => detail.to_owned(),
        (title, detail) => format!("{title}: {detail}"),
    };
    // A terminal shows it, and whoever answered may be anybody.
    said.chars().filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{explain, retry_after};

    #[test]
    fn what_is_said_moves_no_cursor() {
        assert_eq!(explain(500, br#"{"title": "a\u001b[2J", "detail": "b\r\nc"}"#), "a[2J: bc");
    }

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:48:37 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
