//! Which scopes each route asks for. This is the one place; a test holds it complete.

use http::Method;
use panicle_store::Scope::{self, Ingest, Manage, Memory, Read, Symbols};

/// Method, path as it is routed, and the scopes of which a token needs one; none of them for what anybody may do.
pub(super) const ROUTES: &[(&str, &str, &[Scope])] = &[
    // What machines ask before they have anything, and signing in.
    ("GET", "/healthz", &[]),
    ("GET", "/readyz", &[]),
    ("GET", "/api/v1/session", &[]),
    ("POST", "/api/v1/session", &[]),
    ("DELETE", "/api/v1/session", &[]),
    ("GET", "/metrics", &[Read]),
    ("GET", "/openapi.json", &[Read]),
    ("GET", "/buildid/{id}/{artifact}", &[Read, Symbols]),
    ("GET", "/buildid/{id}/{artifact}/{*rest}", &[Read, Symbols]),
    // Evidence. The handlers look closer: executables take less than cores do.
    ("PUT", "/api/v1/blobs/{id}", &[Ingest, Symbols]),
    // Who sends evidence asks first whether it is there.
    ("GET", "/api/v1/blobs/{id}", &[Read, Ingest, Symbols]),
    ("GET", "/api/v1/blobs/{id}/content", &[Read, Symbols, Memory]),
    ("GET", "/api/v1/binaries", &[Read, Symbols]),
    ("PUT", "/api/v1/binaries", &[Ingest, Symbols]),
    // Uploads in several requests: as evidence, and the handler looks closer, too.
    ("POST", "/api/v1/uploads/form", &[Ingest]),
    ("OPTIONS", "/api/v1/uploads", &[Ingest, Symbols]),
    ("POST", "/api/v1/uploads", &[Ingest, Symbols]),
    ("HEAD", "/api/v1/uploads/{id}", &[Ingest, Symbols]),
    ("PATCH", "/api/v1/uploads/{id}", &[Ingest, Symbols]),
    ("POST", "/api/v1/uploads/{id}", &[Ingest, Symbols]),
    ("DELETE", "/api/v1/uploads/{id}", &[Ingest, Symbols]),
    // An executable's handler looks closer, as above.
    ("POST", "/api/v1/uploads/presigned", &[Ingest, Symbols]),
    ("GET", "/api/v1/uploads/presigned/{id}", &[Ingest, Symbols]),
    ("POST", "/api/v1/uploads/presigned/{id}/complete", &[Ingest, Symbols]),
    // What other systems tell.
    ("POST", "/api/v1/hooks/s3", &[Ingest]),
    ("POST", "/api/v1/hooks/panic", &[Ingest]),
    ("POST", "/api/v1/hooks/alertmanager", &[Ingest]),
    ("GET", "/api/v1/incidents", &[Read]),
    ("GET", "/api/v1/incidents/{id}", &[Read]),
    ("GET", "/api/v1/objects", &[Read]),
    ("GET", "/api/v1/objects/{id}", &[Read]),
    // Crashes.
    ("GET", "/api/v1/crashes", &[Read]),
    ("POST", "/api/v1/crashes", &[Ingest]),
    ("GET", "/api/v1/crashes/{id}", &[Read]),
    ("GET", "/api/v1/crashes/{id}/evidence", &[Read]),
    ("POST", "/api/v1/crashes/{id}/reanalyse", &[Manage]),
    ("POST", "/api/v1/crashes/{id}/cancel", &[Manage]),
    ("POST", "/api/v1/crashes/{id}/unjoin", &[Manage]),
    ("GET", "/api/v1/crashes/{id}/report", &[Read]),
    ("GET", "/api/v1/crashes/{id}/clusters", &[Read]),
    ("GET", "/api/v1/crashes/{id}/goroutines", &[Read]),
    ("GET", "/api/v1/crashes/{id}/goroutines/{gid}", &[Read]),
    ("GET", "/api/v1/crashes/{id}/maps", &[Read]),
    ("GET", "/api/v1/reprocess", &[Read, Manage]),
    ("POST", "/api/v1/reprocess", &[Manage]),
    ("POST", "/api/v1/reprocess/cancel", &[Manage]),
    ("GET", "/api/v1/quarantine", &[Read]),
    ("GET", "/api/v1/quarantine/{id}", &[Read]),
    ("POST", "/api/v1/quarantine/{id}/retry", &[Manage]),
    // Questions about memory.
    ("GET", "/api/v1/crashes/{id}/maps/{address}", &[Memory]),
    ("GET", "/api/v1/crashes/{id}/maps/{address}/entries", &[Memory]),
    ("GET", "/api/v1/crashes/{id}/maps/{address}/layout", &[Memory]),
    ("GET", "/api/v1/crashes/{id}/eval", &[Memory]),
    // Groups.
    ("GET", "/api/v1/groups", &[Read]),
    ("GET", "/api/v1/groups/{id}", &[Read]),
    ("PATCH", "/api/v1/groups/{id}", &[Manage]),
    ("POST", "/api/v1/groups/{id}/merge", &[Manage]),
    ("POST", "/api/v1/groups/{id}/unmerge", &[Manage]),
    ("POST", "/api/v1/groups/{id}/split", &[Manage]),
    ("GET", "/api/v1/groups/{id}/history", &[Read]),
    ("POST", "/api/v1/groups/{id}/history/{seq}/undo", &[Manage]),
    ("GET", "/api/v1/groups/{id}/trend", &[Read]),
    ("GET", "/api/v1/events", &[Read]),
    // Rules, and what they are tried on.
    ("GET", "/api/v1/rules", &[Read]),
    ("POST", "/api/v1/rules", &[Manage]),
    ("POST", "/api/v1/rules/preview", &[Read]),
    ("GET", "/api/v1/rules/{id}", &[Read]),
    ("PATCH", "/api/v1/rules/{id}", &[Manage]),
    ("DELETE", "/api/v1/rules/{id}", &[Manage]),
    ("GET", "/api/v1/rules/{id}/history", &[Read]),
    ("GET", "/api/v1/regroup", &[Read]),
    ("POST", "/api/v1/regroup", &[Manage]),
    ("GET", "/api/v1/signature-trial", &[Read]),
    ("POST", "/api/v1/signature-trial", &[Manage]),
    ("POST", "/api/v1/signature-trial/apply", &[Manage]),
    ("GET", "/api/v1/retention", &[Read]),
    ("PUT", "/api/v1/retention", &[Manage]),
    // Finding things.
    ("GET", "/api/v1/search", &[Read]),
    ("GET", "/api/v1/stats", &[Read]),
    ("GET", "/api/v1/query/fields", &[Read]),
    ("GET", "/api/v1/query/complete", &[Read]),
    ("GET", "/api/v1/queries", &[Read]),
    ("POST", "/api/v1/queries", &[Manage]),
    ("GET", "/api/v1/queries/{id}", &[Read]),
    ("PUT", "/api/v1/queries/{id}", &[Manage]),
    ("DELETE", "/api/v1/queries/{id}", &[Manage]),
    ("GET", "/api/v1/tokens", &[Manage]),
    ("POST", "/api/v1/tokens", &[Manage]),
    ("DELETE", "/api/v1/tokens/{id}", &[Manage]),
    ("GET", "/api/v1/projects", &[Read, Ingest]),
    ("POST", "/api/v1/projects", &[Manage]),
    ("GET", "/api/v1/projects/{id}", &[Read]),
    ("PATCH", "/api/v1/projects/{id}", &[Manage]),
];

/// What a request has to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Anybody may.
    Nothing,
    /// Whoever has a token that is valid here.
    Token,
    /// A token with one of these.
    OneOf(&'static [Scope]),
}

/// What a request takes that was routed to `matched`, or to no route, and so to the UI's files.
pub(super) fn need(method: &Method, matched: Option<&str>, path: &str) -> Need {
    let Some(matched) = matched else {
        // Strangers do not learn which parts of the API there are.
        let api = ["/api/", "/buildid/"].iter().any(|start| path.starts_with(start));
        return if api { Need::Token } else { Need::Nothing };
    };
    let of = |method: &Method| {
        ROUTES.iter().find(|(verb, route, _)| *verb == method.as_str() && *route == matched)
    };
    // Where nothing else is said, it is a GET without its body.
    let found = of(method).or_else(|| if *method == Method::HEAD { of(&Method::GET) } else { None });
    match found {
        Some((_, _, [])) => Need::Nothing,
        Some((_, _, scopes)) => Need::OneOf(scopes),
        // A method that the route does not have; or, against the test, a route that was forgotten here.
        None => Need::OneOf(&[Manage]),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use http::Method;

    use super::{Need, ROUTES, need};
    use panicle_store::Scope;

    /// Served beside the API, and not in its document.
    const BESIDE: [&str; 6] = [
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/buildid/{id}/{artifact}",
        "/buildid/{id}/{artifact}/{*rest}",
    ];

    fn documented() -> BTreeSet<(String, String)> {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        let mut routes = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                routes.insert((method.to_uppercase(), path.clone()));
            }
        }
        routes
    }

    #[test]
    fn every_route_says_what_it_takes_once() {
        let named: BTreeSet<(String, String)> = ROUTES
            .iter()
            .filter(|(_, path, _)| !BESIDE.contains(path))
            .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
            .collect();
        let documented = documented();
        let missing: Vec<_> = documented.difference(&named).collect();
        let gone: Vec<_> = named.difference(&documented).collect();
        assert!(missing.is_empty() && gone.is_empty(), "without a scope: {missing:?}; not served: {gone:?}");
        assert_eq!(named.len() + BESIDE.len(), ROUTES.len(), "twice");
    }

    #[test]
    fn only_this_is_open_to_anybody() {
        let open: Vec<_> =
            ROUTES.iter().filter(|(.., scopes)| scopes.is_empty()).map(|route| route.1).collect();
        assert_eq!(open, ["/healthz", "/readyz", "/api/v1/session", "/api/v1/session", "/api/v1/session"]);
    }

    #[test]
    fn what_changes_something_takes_more_than_reading() {
        for (method, path, scopes) in ROUTES {
            let harmless = ["/api/v1/rules/preview", "/api/v1/session"].contains(path);
            assert!(*method == "GET" || harmless || !scopes.contains(&Scope::Read), "{method} {path}");
        }
    }

    #[test]
    fn what_is_forgotten_is_not_open() {
        let get = Method::GET;
        assert_eq!(need(&get, Some("/api/v1/new"), "/api/v1/new"), Need::OneOf(&[Scope::Manage]));
        assert_eq!(need(&Method::DELETE, Some("/healthz"), "/healthz"), Need::OneOf(&[Scope::Manage]));
        assert_eq!(need(&get, None, "/api/v1/nothing"), Need::Token);
        assert_eq!(need(&get, None, "/buildid/"), Need::Token);
        assert_eq!(need(&get, None, "/sign-in"), Need::Nothing);
        assert_eq!(need(&Method::HEAD, Some("/metrics"), "/metrics"), Need::OneOf(&[Scope::Read]));
    }

    #[test]
    fn the_document_tells_what_each_operation_takes() {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
        let of = |path: &str, method: &str| document["paths"][path][method]["security"].clone();
        assert_eq!(
            of("/api/v1/blobs/{id}", "put"),
            serde_json::json!([{"token": ["ingest"]}, {"token": ["symbols"]}, {"session": ["ingest"]}, {"session": ["symbols"]}])
        );
        assert_eq!(of("/api/v1/session", "post"), serde_json::json!([]));
    }
}
