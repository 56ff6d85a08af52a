//! The headers of tus 1.0.0, the protocol of resumable uploads (<https://tus.io/protocols/resumable-upload>).

use std::{collections::BTreeMap, str::FromStr};

use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use panicle_blobs::Digest;
use panicle_store::{EvidenceKind, Upload};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::{Problem, shapes::NewCrash};

pub(crate) const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
pub(crate) const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(crate) const EXTENSIONS: &str =
    "creation,creation-with-upload,creation-defer-length,checksum,termination,expiration";
pub(crate) const ALGORITHMS: &str = "sha256,sha1";

/// The content type of what is sent with POST and PATCH.
pub(crate) const CONTENT_TYPE: &str = "application/offset+octet-stream";
/// `Upload-Metadata` at most.
const MAX_METADATA_BYTES: usize = 16 << 10;

/// Refuses what is not of this version of the protocol.
pub(crate) fn check_version(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(RESUMABLE) == Some(&VERSION) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "tus-version",
        "Another version of the protocol",
        "Tus-Resumable has to be 1.0.0",
    ))
}

/// An answer with the headers that every answer has.
pub(crate) fn answer(outcome: Result<Response, Problem>) -> Response {
    let mut response = outcome.unwrap_or_else(IntoResponse::into_response);
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, VERSION);
    if response.status() == StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert("tus-version", VERSION);
    }
    response
}

/// What an upload has come to, in headers.
pub(crate) fn state(status: StatusCode, upload: &Upload) -> Result<Response, Problem> {
    let mut response = Response::builder()
        .status(status)
        .header("upload-offset", upload.received_bytes)
        .header("upload-expires", upload.expires_at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .header(header::CACHE_CONTROL, "no-store");
    response = match upload.size_bytes {
        Some(size) => response.header("upload-length", size),
        None => response.header("upload-defer-length", 1),
    };
    if !upload.metadata.is_empty() {
        response = response.header("upload-metadata", &upload.metadata);
    }
    for (name, id) in [("x-panicle-blob-id", &upload.blob_id), ("x-panicle-crash-id", &upload.crash_id)] {
        if let Some(id) = id {
            response = response.header(name, id);
        }
    }
    response.body(axum::body::Body::empty()).map_err(|error| Problem::internal(error.to_string()))
}

/// The value of a header that is a number.
pub(crate) fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    // As a database has it.
    let number = value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok());
    number
        .filter(|number| i64::try_from(*number).is_ok())
        .map(Some)
        .ok_or_else(|| Problem::bad_request(format!("{name} has to be a number of bytes")))
}

/// The size that a new upload will have; `None` when the client will say it later.
pub(crate) fn size(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let deferred = match headers.get("upload-defer-length").map(HeaderValue::as_bytes) {
        None => false,
        Some(b"1") => true,
        Some(_) => return Err(Problem::bad_request("Upload-Defer-Length can only be 1")),
    };
    match (number(headers, "upload-length")?, deferred) {
        (Some(size), false) => Ok(Some(size)),
        (None, true) => Ok(None),
        _ => Err(Problem::bad_request("either Upload-Length or Upload-Defer-Length: 1 is needed")),
    }
}

/// Refuses what would have to be put together of several uploads. Who is not told takes each for a whole.
pub(crate) fn refuse_parts(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key("upload-concat") {
        let detail = "Upload-Concat: uploads are not put together here; send the whole as one, in as many requests as you like";
        return Err(Problem::bad_request(detail));
    }
    Ok(())
}

/// Refuses bodies that are no part of an upload.
pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encoded = headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity");
    if kind.split(';').next().unwrap_or_default().trim() == CONTENT_TYPE && !encoded {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "The body is no part of an upload",
        format!("send it as {CONTENT_TYPE}, without Content-Encoding"),
    ))
}

/// What is computed over the bytes of one request, and has to come out.
pub(crate) enum Checksum {
    Sha1(Sha1, Vec<u8>),
    Sha256(Sha256, Vec<u8>),
}

impl Checksum {
    /// What `Upload-Checksum` announces.
    pub(crate) fn announced(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get("upload-checksum") else { return Ok(None) };
        let bad = || {
            Problem::bad_request(format!(
                "Upload-Checksum is an algorithm ({ALGORITHMS}), a space and the checksum in base64"
            ))
        };
        let (algorithm, text) =
            value.to_str().ok().and_then(|text| text.trim().split_once(' ')).ok_or_else(bad)?;
        let expected = STANDARD.decode(text.trim()).map_err(|_| bad())?;
        match (algorithm, expected.len()) {
            ("sha1", 20) => Ok(Some(Self::Sha1(Sha1::new(), expected))),
            ("sha256", 32) => Ok(Some(Self::Sha256(Sha256::new(), expected))),
            _ => Err(bad()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hash, _) => hash.update(bytes),
            Self::Sha256(hash, _) => hash.update(bytes),
        }
    }

    /// Whether it has come out.
    pub(crate) fn check(self) -> Result<(), Problem> {
        let same = match self {
            Self::Sha1(hash, expected) => hash.finalize()[..] == expected[..],
            Self::Sha256(hash, expected) => hash.finalize()[..] == expected[..],
        };
        if same {
            return Ok(());
        }
        let status = StatusCode::from_u16(460).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        let title = "The checksum is another one";
        Err(Problem::new(
            status,
            "checksum-mismatch",
            title,
            "nothing of this request was kept; send it again",
        ))
    }
}

/// What a client says of an upload.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    /// What it is; told by its first bytes when not given.
    pub(crate) kind: Option<EvidenceKind>,
    /// File name.
    pub(crate) name: Option<String>,
    /// What its SHA-256 has to be.
    pub(crate) sha256: Option<Digest>,
    /// A crash is made of it, of which this is known besides.
    pub(crate) crash: Option<NewCrash>,
}

impl FromStr for Metadata {
    type Err = Problem;

    /// Reads `Upload-Metadata`: keys, each with a value in base64, with commas in between. Keys that mean
    /// nothing here are for others.
    fn from_str(text: &str) -> Result<Self, Problem> {
        let bad = |detail: String| Problem::bad_request(format!("Upload-Metadata: {detail}"));
        if text.len() > MAX_METADATA_BYTES {
            return Err(bad(format!("it has more than {MAX_METADATA_BYTES} bytes")));
        }
        let mut metadata = Self::default();
        let mut crash = NewCrash::default();
        let mut wanted = false;
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = STANDARD.decode(value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let Some(value) = value.filter(|value| !value.contains('\0')) else {
                return Err(bad(format!("the value of {key} is no text in base64")));
            };
            if value.is_empty() {
                continue;
            }
            match key {
                "kind" => {
                    let kind = value.parse().map_err(|_| bad(format!("there is no kind {value:?}")))?;
                    metadata.kind = Some(kind);
                }
                "filename" | "name" => metadata.name = Some(value),
                "sha256" => {
                    let digest = value.trim().parse();
                    let digest =
                        digest.map_err(|_| bad("sha256 has to be 64 hexadecimal digits".to_owned()))?;
                    metadata.sha256 = Some(digest);
                }
                "crash" => wanted |= value == "true",
                "service" => (crash.service, wanted) = (Some(value), true),
                "hostname" => (crash.hostname, wanted) = (Some(value), true),
                "version" => (crash.version, wanted) = (Some(value), true),
                "pid" => {
                    let pid = value.trim().parse().map_err(|_| bad("pid is a number".to_owned()))?;
                    (crash.pid, wanted) = (Some(pid), true);
                }
                "occurred_at" => {
                    let at = value.trim().parse();
                    let at = at.map_err(|_| bad("occurred_at is no time of RFC 3339".to_owned()))?;
                    (crash.occurred_at, wanted) = (Some(at), true);
                }
                "labels" => {
                    crash.labels = serde_json::from_str::<BTreeMap<String, String>>(&value)
                        .map_err(|_| bad("labels have to be a JSON object of texts".to_owned()))?;
                    wanted = true;
                }
                _ => {}
            }
        }
        if wanted && metadata.kind == Some(EvidenceKind::Binary) {
            let detail = "an executable alone is no crash; leave out what is said of one";
            return Err(bad(detail.to_owned()));
        }
        metadata.crash = wanted.then_some(crash);
        Ok(metadata)
    }
}

/// A time as `Upload-Expires` and others have it.
pub(crate) fn after(duration: std::time::Duration) -> Timestamp {
    Timestamp::now().checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use http::HeaderMap;
    use panicle_store::EvidenceKind;

    use super::{Checksum, Metadata, size};

    fn metadata(pairs: &[(&str, &str)]) -> String {
        let pairs: Vec<_> =
            pairs.iter().map(|(key, value)| format!("{key} {}", STANDARD.encode(value))).collect();
        pairs.join(",")
    }

    #[test]
    fn metadata_is_read() {
        let text = metadata(&[("filename", "a core.1"), ("kind", "core"), ("filetype", "x")]);
        let read: Metadata = text.parse().unwrap();
        assert_eq!((read.name.as_deref(), read.kind), (Some("a core.1"), Some(EvidenceKind::Core)));
        assert!(read.crash.is_none() && read.sha256.is_none());
        let text = metadata(&[("service", "shop"), ("labels", r#"{"env":"prod"}"#)]);
        let crash = text.parse::<Metadata>().unwrap().crash.unwrap();
        assert_eq!((crash.service.as_deref(), crash.labels["env"].as_str()), (Some("shop"), "prod"));
        assert!("".parse::<Metadata>().unwrap().kind.is_none());
        assert!("is_confidential".parse::<Metadata>().is_ok(), "a key may have no value");
        for bad in [
            "kind x!",
            &metadata(&[("kind", "cake")]),
            &metadata(&[("sha256", "12")]),
            &metadata(&[("name", "a\0")]),
        ] {
            assert!(bad.parse::<Metadata>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_size_is_said_now_or_later() {
        let size = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            size(&headers).ok()
        };
        assert_eq!(size(&[("upload-length", "12")]), Some(Some(12)));
        assert_eq!(size(&[("upload-defer-length", "1")]), Some(None));
        for bad in [
            &[][..],
            &[("upload-length", "-1")],
            &[("upload-length", "18446744073709551615")],
            &[("upload-defer-length", "2")],
            &[("upload-defer-length", "1"), ("upload-length", "1")],
        ] {
            assert_eq!(size(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn checksums_are_of_two_kinds() {
        let check = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("upload-checksum", value.parse().unwrap());
            let mut checksum = Checksum::announced(&headers).ok().flatten()?;
            checksum.update(b"abc");
            Some(checksum.check().is_ok())
        };
        // FIPS 180-2, A.1 and B.1.
        assert_eq!(check("sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0="), Some(true));
        assert_eq!(check("sha256 ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), Some(true));
        assert_eq!(check("sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA="), Some(false));
        assert_eq!(check("md5 AAAA"), None);
        assert_eq!(check("sha1 AAAA"), None);
    }
}
