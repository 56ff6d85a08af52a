//! What the OpenAPI document says about access.

use utoipa::{
    Modify,
    openapi::{
        OpenApi,
        path::PathItem,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use super::{COOKIE, scopes::ROUTES};

/// Adds the ways to show a token, and to each operation the scopes of which it takes one.
pub(crate) struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description =
            Some("A token that `panicle admin token create` or `POST /api/v1/tokens` made".to_owned());
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let cookie = ApiKeyValue::with_description(COOKIE, "What `POST /api/v1/session` sets, for browsers");
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        for (method, path, scopes) in ROUTES {
            let Some(operation) =
                document.paths.paths.get_mut(*path).and_then(|item| operation(item, method))
            else {
                continue;
            };
            let ways = ["token", "session"].into_iter();
            let ways = ways.flat_map(|way| {
                scopes.iter().map(move |scope| SecurityRequirement::new(way, [scope.as_str()]))
            });
            operation.security = Some(ways.collect());
        }
    }
}

fn operation<'a>(item: &'a mut PathItem, method: &str) -> Option<&'a mut utoipa::openapi::path::Operation> {
    match method {
        "GET" => item.get.as_mut(),
        "PUT" => item.put.as_mut(),
        "POST" => item.post.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "DELETE" => item.delete.as_mut(),
        "HEAD" => item.head.as_mut(),
        "OPTIONS" => item.options.as_mut(),
        _ => None,
    }
}
