//! Executables and debug files by build ID, as debuginfod serves them, so that gdb and its kin find here what CI
//! sent. Source of the protocol: debuginfod(8) of elfutils.

use axum::{extract::State, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use panicle_blobs::Digest;
use panicle_store::Artifact;

use crate::{AppState, Problem, api::blobs, extract::Path};

const SIZE: HeaderName = HeaderName::from_static("x-debuginfod-size");
const FILE: HeaderName = HeaderName::from_static("x-debuginfod-file");
const MAX_SIZE: HeaderName = HeaderName::from_static("x-debuginfod-maxsize");
/// A GNU build ID has 40 digits as a rule; a Go build ID, written in hexadecimal, 166.
const MAX_ID_DIGITS: usize = 512;

/// `/buildid/<id>/debuginfo` and `/buildid/<id>/executable`.
pub(crate) async fn get(
    State(state): State<AppState>,
    Path((id, artifact)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let artifact = match artifact.as_str() {
        "debuginfo" => Artifact::DebugInfo,
        "executable" => Artifact::Executable,
        other => {
            return Err(Problem::not_found(format!("{other} is not served; debuginfo and executable are")));
        }
    };
    let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if id.is_empty() || id.len() > MAX_ID_DIGITS || !id.len().is_multiple_of(2) || !id.bytes().all(digits) {
        return Err(Problem::bad_request(
            "a build ID is written as lower case hexadecimal digits, two a byte",
        ));
    }
    let missing =
        || Problem::not_found(format!("no such file of the program with build ID {id} was sent here"));
    let file = state.store.symbol_file(&id, artifact).await?.ok_or_else(missing)?;
    let most = headers.get(MAX_SIZE).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    if let Some(most) = most.filter(|&most| most > 0 && file.size_bytes > most) {
        let detail = format!("it has {} bytes, and {most} are wanted at most", file.size_bytes);
        let title = "The file is larger than wanted";
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "larger-than-wanted", title, detail));
    }
    let digest: Digest = file.id.parse().map_err(|_| Problem::internal(format!("blob {}", file.id)))?;
    let mut response = blobs::answer(&state, digest, &headers).await?;
    let headers = response.headers_mut();
    headers.insert(SIZE, HeaderValue::from(file.size_bytes));
    if let Some(name) = file.name.as_deref().and_then(|name| HeaderValue::from_str(name).ok()) {
        headers.insert(FILE, name);
    }
    Ok(response)
}

/// `/buildid/<id>/source/<path>` and `/buildid/<id>/section/<name>`, of which there are none: sources are not sent
/// here, and a process that answers strangers does not take executables apart.
pub(crate) async fn part(Path((_, artifact, _)): Path<(String, String, String)>) -> Problem {
    Problem::not_found(format!("{artifact} is not served; debuginfo and executable are"))
}
