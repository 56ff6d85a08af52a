//! What the headers of an upload say of its body: how it is encoded, and which digests it has.

use std::{error, fmt, io};

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http::{HeaderMap, StatusCode, header};
use panicle_blobs::Digest;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, BufReader};
use tokio_util::io::StreamReader;

use crate::Problem;

/// Digests of a body as it comes, encoded: those of RFC 9530, and the one that it replaced, of RFC 3230.
const OF_THE_BODY: [&str; 3] = ["content-digest", "repr-digest", "digest"];

/// The bytes that are meant, without content encoding. Reading them fails at their end when a digest of the body that was
/// announced does not come out, see [`is_of_other_bytes`].
pub(super) fn decoded(headers: &HeaderMap, body: Body) -> Result<Box<dyn AsyncRead + Unpin + Send>, Problem> {
    // RFC 9110, section 14.5: whoever sends a part, as `curl -C` does, must not have it taken for the whole.
    if headers.contains_key(header::CONTENT_RANGE) {
        return Err(Problem::bad_request(
            "Content-Range: a part cannot be put; an upload that goes on where it broke off is one by tus, at /api/v1/uploads",
        ));
    }
    let stream = body.into_data_stream().map_err(io::Error::other);
    let reader: Box<dyn AsyncRead + Unpin + Send> = match digests_of_the_body(headers)? {
        digests if digests.is_empty() => Box::new(StreamReader::new(stream)),
        digests => Box::new(StreamReader::new(checked(stream, digests).boxed())),
    };
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or_default());
    let encoding = encoding.map(|name| name.trim().to_ascii_lowercase());
    match encoding.as_deref() {
        None | Some("" | "identity") => Ok(reader),
        Some("gzip" | "x-gzip") => {
            let mut decoder = GzipDecoder::new(BufReader::new(reader));
            decoder.multiple_members(true);
            Ok(Box::new(decoder))
        }
        Some("zstd") => {
            let mut decoder = ZstdDecoder::new(BufReader::new(reader));
            decoder.multiple_members(true);
            Ok(Box::new(decoder))
        }
        Some(other) => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-encoding",
            "This content encoding is not known here",
            format!("{other} is not known here; gzip and zstd are"),
        )),
    }
}

/// The SHA-256 that the client announces of the bytes before any content encoding.
pub(super) fn announced_digest(headers: &HeaderMap) -> Result<Option<Digest>, Problem> {
    let Some(value) = headers.get("x-panicle-sha256") else { return Ok(None) };
    let digest = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    digest.map(Some).ok_or_else(|| Problem::bad_request("X-Panicle-Sha256 has to be 64 hexadecimal digits"))
}

/// Every SHA-256 that is announced of the body, each with its header. Other algorithms are not looked at, as RFC 9530 wants
/// it.
fn digests_of_the_body(headers: &HeaderMap) -> Result<Vec<(&'static str, [u8; 32])>, Problem> {
    let mut digests = Vec::new();
    for name in OF_THE_BODY {
        for value in headers.get_all(name) {
            let bad = || {
                let written = if name == "digest" { "SHA-256=<base64>" } else { "sha-256=:<base64>:" };
                Problem::bad_request(format!("{name} has to be written {written}"))
            };
            for item in value.to_str().map_err(|_| bad())?.split(',') {
                let (algorithm, digest) = item.trim().split_once('=').ok_or_else(bad)?;
                if !algorithm.eq_ignore_ascii_case("sha-256") {
                    continue;
                }
                let base64 = match name {
                    "digest" => Some(digest),
                    _ => digest.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')),
                };
                let bytes = base64.and_then(|text| STANDARD.decode(text).ok());
                digests.push((name, bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(bad)?));
            }
        }
    }
    Ok(digests)
}

/// The same bytes, and an error at their end if one of the digests is another one.
fn checked(
    stream: impl Stream<Item = io::Result<Bytes>>,
    digests: Vec<(&'static str, [u8; 32])>,
) -> impl Stream<Item = io::Result<Bytes>> {
    let state = (Box::pin(stream), Some(Sha256::new()), digests);
    stream::try_unfold(state, |(mut stream, hash, digests)| async move {
        let Some(mut hash) = hash else { return Ok(None) };
        if let Some(bytes) = stream.try_next().await? {
            hash.update(&bytes);
            return Ok(Some((bytes, (stream, Some(hash), digests))));
        }
        let found: [u8; 32] = hash.finalize().into();
        match digests.iter().find(|(_, announced)| *announced != found) {
            Some((header, _)) => Err(io::Error::other(OtherBytes { header })),
            None => Ok(None),
        }
    })
}

/// Whether reading a body failed for a digest of it.
pub(super) fn is_of_other_bytes(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<OtherBytes>()).is_some()
}

#[derive(Debug)]
struct OtherBytes {
    header: &'static str,
}

impl fmt::Display for OtherBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the SHA-256 of the body is not the one in {}", self.header)
    }
}

impl error::Error for OtherBytes {}
