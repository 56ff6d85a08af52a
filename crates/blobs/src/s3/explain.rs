//! What the store's errors mean to whoever runs the service.

use std::error::Error as _;

use object_store::Error;

use crate::{BlobError, S3Url};

/// Errors of a store that another try does not change: somebody has to correct something.
const REFUSALS: [(&str, &str); 9] = [
    ("NoSuchBucket", "there is no such bucket"),
    ("InvalidAccessKeyId", "it does not know the access key; check AWS_ACCESS_KEY_ID"),
    ("NotSignedUp", "it does not know the access key; check AWS_ACCESS_KEY_ID"),
    ("ExpiredToken", "the credentials have expired"),
    ("RequestTimeTooSkewed", "its clock and ours differ"),
    (
        "SignatureDoesNotMatch",
        "the keys do not fit each other; check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    ("AuthorizationHeaderMalformed", "it wants another region; name it with region= in the store's URL"),
    ("PermanentRedirect", "the bucket is in another region; name it with region= in the store's URL"),
    ("AccessDenied", "the credentials do not allow this"),
];

pub(crate) fn explain(url: &S3Url, what: &str, error: &Error) -> BlobError {
    let text = chain(error);
    let code = element(&text, "Code");
    let known = code.and_then(|code| REFUSALS.iter().find(|(name, _)| *name == code));
    if let Some((_, meaning)) = known {
        return BlobError::Refused { what: what.to_owned(), reason: format!("{url}: {meaning}") };
    }
    // The store's own words, without the request that it quotes.
    let said = match (code, element(&text, "Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => text.clone(),
    };
    let reason = format!("{url}: {said}");
    match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => BlobError::Refused {
            what: what.to_owned(),
            reason: format!(
                "{reason}; check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what they allow"
            ),
        },
        _ => BlobError::Unavailable { what: what.to_owned(), reason },
    }
}

/// An error with its causes, as far as one does not already repeat the next.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

/// The text of an XML element that has nothing but text.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split('<').next().filter(|content| !content.is_empty())
}

#[cfg(test)]
mod tests {
    use super::element;

    #[test]
    fn a_stores_words_are_found() {
        let body = "<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>";
        assert_eq!(
            (element(body, "Code"), element(body, "Message")),
            (Some("SlowDown"), Some("Reduce your rate"))
        );
        assert_eq!(element("<Code></Code>", "Code"), None);
        assert_eq!(element("no document", "Code"), None);
    }
}
