//! What keeps other web sites, and frames of them, away from this one.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};

use crate::{AppState, Problem};

/// Styles may be inline because components set them on elements; scripts may not.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// Refuses requests that a foreign web site makes a browser send, and sets the security headers.
pub(crate) async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    // Where a token is needed, what a foreign name brings along opens nothing. A database that does not answer
    // is none that says so.
    let local = host(uri, headers).is_none_or(is_local);
    let served = local || state.access.is_shut().await.unwrap_or(false);
    let mut response = match check(method, uri, headers, served) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The host that is asked for.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let named = || headers.get(header::HOST).and_then(|value| value.to_str().ok());
    uri.authority().map(http::uri::Authority::as_str).or_else(named)
}

/// `served` says whether the host that is asked for is one of ours.
fn check(method: &Method, uri: &Uri, headers: &HeaderMap, served: bool) -> Result<(), Problem> {
    let host = host(uri, headers);
    // Without tokens only this machine is served. A name that a foreign site points at this address would make a
    // browser take that site's scripts for ours.
    if let Some(host) = host.filter(|_| !served) {
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "foreign-host",
            "This is not the host that was asked for",
            format!(
                "{host} is not served here while there are no access tokens; localhost and loopback addresses are"
            ),
        ));
    }
    // Of which there is none in any name or text; PostgreSQL fails where one is asked for.
    if uri.path_and_query().is_some_and(|text| text.as_str().contains("%00")) {
        return Err(Problem::bad_request("a path or a query cannot have zero characters (%00)"));
    }
    let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    // A form of another site can be sent to any address, with files in it (Fetch Metadata, 2.3).
    let site = headers.get("sec-fetch-site").filter(|_| !safe);
    if let Some(site) = site.map(|site| site.to_str().unwrap_or_default())
        && !matches!(site, "same-origin" | "none")
    {
        return Err(foreign(&format!("requests that are {site} are not taken")));
    }
    let origin = headers.get(header::ORIGIN).filter(|_| !safe);
    if let Some(origin) = origin.map(|origin| origin.to_str().unwrap_or_default()) {
        let site = origin.split_once("://").map_or(origin, |(_, site)| site);
        if host != Some(site) {
            return Err(foreign(&format!("requests from {origin} are not taken")));
        }
    }
    Ok(())
}

fn foreign(detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "foreign-origin", "Another web site sent this", detail)
}

/// `localhost`, or a loopback address, with or without a port.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method, Uri};

    use super::{check, is_local};

    #[test]
    fn only_names_of_this_machine_are_served() {
        for host in ["localhost", "localhost:7171", "127.0.0.1:7171", "[::1]:7171", "[::1]", "127.3.2.1"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["rebound.example:7171", "10.0.0.1", "localhost.example", "", "[::2]:1"] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn zero_characters_are_asked_for_nowhere() {
        let mut headers = HeaderMap::new();
        headers.insert("host", "localhost:7171".parse().unwrap());
        let check = |uri: &'static str| check(&Method::GET, &Uri::from_static(uri), &headers, true);
        assert!(check("/api/v1/groups?service=%2500&q=%20").is_ok());
        assert!(check("/api/v1/groups?service=a%00").is_err());
        assert!(check("/api/v1/groups/%00").is_err());
    }

    #[test]
    fn forms_of_other_sites_are_not_taken() {
        let check = |method, site: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("host", "localhost:7171".parse().unwrap());
            headers.insert("sec-fetch-site", site.parse().unwrap());
            check(&method, &Uri::from_static("/api/v1/uploads/form"), &headers, true)
        };
        assert!(check(Method::POST, "same-origin").is_ok() && check(Method::POST, "none").is_ok());
        assert!(check(Method::POST, "cross-site").is_err() && check(Method::POST, "same-site").is_err());
        assert!(check(Method::GET, "cross-site").is_ok());
    }

    #[test]
    fn other_sites_cannot_change_anything() {
        let check = |method, origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("host", "localhost:7171".parse().unwrap());
            headers.insert("origin", origin.parse().unwrap());
            check(&method, &Uri::from_static("/api/v1/crashes"), &headers, true)
        };
        assert!(check(Method::POST, "http://localhost:7171").is_ok());
        assert!(check(Method::POST, "http://localhost:8080").is_err());
        assert!(check(Method::POST, "null").is_err());
        assert!(check(Method::GET, "https://elsewhere.example").is_ok());
    }
}
