//! The web UI, which is part of the program.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, Uri, header};
use rust_embed::RustEmbed;

use crate::Problem;

/// Empty in a build without `web/dist`.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

const NOT_BUILT: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Panicle</title>\
<h1>The web UI is not part of this build</h1>\
<p>The API is: see <a href=/openapi.json>/openapi.json</a>.</p>\
<p>To build both, run <code>cargo xtask up</code>; or run <code>npm ci</code> and <code>npm run build</code> \
in <code>web/</code>, and then build again.</p></html>";

/// Answers with a file of the UI, or for the UI's own routes with its page.
pub(crate) async fn serve(method: Method, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if !matches!(method, Method::GET | Method::HEAD) {
        if path.is_empty() || Dist::get(path).is_some() {
            return method_not_allowed().await.into_response();
        }
        return Problem::not_found(format!("nothing at /{path} takes {method}")).into_response();
    }
    if let Some(file) = Dist::get(path).filter(|_| !path.is_empty()) {
        return answer(path, file.metadata.mimetype(), file.data.into_owned());
    }
    // A missing asset is an error; a browser would read a page in its place as a script.
    if path.starts_with("api/")
        || path.starts_with("buildid/")
        || path.starts_with("assets/")
        || path.starts_with("problems/")
    {
        return Problem::not_found(format!("there is nothing at /{path}")).into_response();
    }
    match Dist::get("index.html") {
        Some(page) => answer("index.html", "text/html; charset=utf-8", page.data.into_owned()),
        None => (StatusCode::OK, Html(NOT_BUILT)).into_response(),
    }
}

/// The problem for a path that exists, but not with this method.
pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This cannot be done here",
        "see /openapi.json for what can",
    )
}

fn answer(path: &str, kind: &str, bytes: Vec<u8>) -> Response {
    // Vite puts a digest of the content into the names of what it places under assets/.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = HeaderValue::from_str(kind).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let cache = HeaderValue::from_static(cache);
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], bytes).into_response()
}
