//! Which projects a request is about. A token of one project sees and changes what is of that project; everything else
//! is to it as if it were not there, and what is about the whole installation is not for it.
//!
//! What each route reaches is in [`REACH`]. A route that is not in it is closed to tokens of one project.

use axum::extract::FromRequestParts;
use http::{Method, StatusCode, request::Parts};
use panicle_store::{DEFAULT_PROJECT, Store, StoreError};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::Caller;
use crate::{AppState, Problem, extract::Query};

/// What a route is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// What all projects share, and what is of none: executables and debug files, what can be asked.
    Shared,
    /// The crash that its `{id}` names.
    Crash,
    /// The group that its `{id}` names.
    Group,
    /// The upload that its `{id}` names.
    Upload,
    /// The object of a bucket that its `{id}` names.
    Object,
    /// The incident that its `{id}` names.
    Incident,
    /// The handler asks for [`Seen`] or [`Target`].
    Handler,
    /// The whole installation.
    Everything,
}

/// Paths as they are routed, or their beginning where a `*` follows, and what they are about; the first that fits. An
/// empty method stands for all of them.
pub(super) const REACH: &[(&str, &str, Reach)] = &[
    ("", "/api/v1/crashes/{id}*", Reach::Crash),
    ("", "/api/v1/groups/{id}*", Reach::Group),
    ("", "/api/v1/uploads/{id}", Reach::Upload),
    ("POST", "/api/v1/uploads", Reach::Handler),
    ("POST", "/api/v1/uploads/form", Reach::Handler),
    ("POST", "/api/v1/uploads/presigned", Reach::Handler),
    ("", "/api/v1/uploads/presigned/{id}*", Reach::Object),
    ("POST", "/api/v1/hooks/panic", Reach::Handler),
    ("POST", "/api/v1/hooks/s3", Reach::Handler),
    ("POST", "/api/v1/hooks/alertmanager", Reach::Handler),
    ("", "/api/v1/objects", Reach::Handler),
    ("", "/api/v1/objects/{id}", Reach::Object),
    ("", "/api/v1/incidents", Reach::Handler),
    ("", "/api/v1/incidents/{id}", Reach::Incident),
    ("OPTIONS", "/api/v1/uploads", Reach::Shared),
    ("", "/api/v1/crashes", Reach::Handler),
    ("", "/api/v1/groups", Reach::Handler),
    ("", "/api/v1/blobs/{id}", Reach::Handler),
    ("", "/api/v1/blobs/{id}/content", Reach::Handler),
    ("GET", "/api/v1/binaries", Reach::Shared),
    ("PUT", "/api/v1/binaries", Reach::Handler),
    ("", "/api/v1/events", Reach::Handler),
    ("", "/api/v1/search", Reach::Handler),
    ("", "/api/v1/stats", Reach::Handler),
    ("", "/api/v1/query/complete", Reach::Handler),
    ("", "/api/v1/query/fields", Reach::Shared),
    ("GET", "/api/v1/queries", Reach::Shared),
    ("GET", "/api/v1/queries/{id}", Reach::Shared),
    ("", "/api/v1/queries*", Reach::Everything),
    // What is of a project is done with its crashes.
    ("", "/api/v1/reprocess*", Reach::Everything),
    ("GET", "/api/v1/quarantine", Reach::Handler),
    ("", "/api/v1/quarantine*", Reach::Everything),
    ("", "/api/v1/rules*", Reach::Everything),
    ("", "/api/v1/regroup", Reach::Everything),
    ("", "/api/v1/signature-trial*", Reach::Everything),
    ("", "/api/v1/retention", Reach::Everything),
    ("", "/api/v1/tokens*", Reach::Everything),
    ("GET", "/api/v1/projects", Reach::Handler),
    ("", "/api/v1/projects*", Reach::Everything),
    ("", "/openapi.json", Reach::Shared),
    ("", "/buildid/*", Reach::Shared),
    ("", "/metrics", Reach::Everything),
];

/// What a route is about; `None` for one that nobody has thought of.
pub(super) fn reach(method: &Method, matched: &str) -> Option<Reach> {
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    let fits = |(verb, path, _): &&(&str, &str, Reach)| {
        (verb.is_empty() || *verb == method)
            && path.strip_suffix('*').map_or(matched == *path, |start| matched.starts_with(start))
    };
    REACH.iter().find(fits).map(|(.., reach)| *reach)
}

/// Refuses a token of one project what is not of that project.
pub(super) async fn check(
    store: &Store,
    caller: &Caller,
    method: &Method,
    (matched, path): (&str, &str),
) -> Result<(), Problem> {
    let Some(own) = caller.project() else { return Ok(()) };
    let (what, id) = match reach(method, matched) {
        Some(Reach::Shared | Reach::Handler) => return Ok(()),
        Some(Reach::Everything) | None => return Err(not_for_one()),
        Some(Reach::Crash) => ("crash", named(matched, path)),
        Some(Reach::Group) => ("group", named(matched, path)),
        Some(Reach::Upload) => ("upload", named(matched, path)),
        Some(Reach::Object) => ("object", named(matched, path)),
        Some(Reach::Incident) => ("incident", named(matched, path)),
    };
    // What is no text the handler refuses.
    let Some(id) = id else { return Ok(()) };
    caller.sees(store, own, what, &id).await
}

/// The project whose quota a request is counted in: the token's own, or the one that something is sent to. What reads
/// from all of them is of none.
pub(super) async fn charged(
    store: &Store,
    caller: &Caller,
    parts: &Parts,
    matched: &str,
) -> Result<Option<String>, Problem> {
    if let Some(own) = caller.project() {
        return Ok(Some(own.to_owned()));
    }
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let asked = Query::<Named>::of(parts)?.project.filter(|project| !project.is_empty());
    Ok(match (reach(&parts.method, matched), asked) {
        (Some(Reach::Upload), _) if !reads => match named(matched, parts.uri.path()) {
            Some(id) => store.upload_project(&id).await?,
            None => None,
        },
        (Some(Reach::Object), _) if !reads => match named(matched, parts.uri.path()) {
            Some(id) => store.object_project(&id).await?,
            None => None,
        },
        (Some(Reach::Handler), Some(asked)) => Some(asked),
        (Some(Reach::Handler), None) if !reads => Some(DEFAULT_PROJECT.to_owned()),
        _ => None,
    })
}

/// The part of a path that stands where `{id}` does in the route.
fn named(matched: &str, path: &str) -> Option<String> {
    let at = matched.split('/').position(|part| part == "{id}")?;
    let part = path.split('/').nth(at)?;
    percent_decode_str(part).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

impl Caller {
    /// The one project whose token this is; `None` for who may see all.
    pub(crate) fn project(&self) -> Option<&str> {
        match self {
            Self::Anybody => None,
            Self::Token(token) => token.project.as_deref(),
        }
    }

    /// Refuses the groups of other projects, as if they were not there.
    pub(crate) async fn sees_groups(
        &self,
        store: &Store,
        groups: impl IntoIterator<Item = &String>,
    ) -> Result<(), Problem> {
        let Some(own) = self.project() else { return Ok(()) };
        for group in groups {
            self.sees(store, own, "group", group).await?;
        }
        Ok(())
    }

    /// The same of crashes.
    pub(crate) async fn sees_crashes(&self, store: &Store, crashes: &[String]) -> Result<(), Problem> {
        let Some(own) = self.project() else { return Ok(()) };
        for crash in crashes {
            self.sees(store, own, "crash", crash).await?;
        }
        Ok(())
    }

    async fn sees(&self, store: &Store, own: &str, what: &'static str, id: &str) -> Result<(), Problem> {
        let of = match what {
            "crash" => store.crash_project(id).await?,
            "group" => store.group_project(id).await?,
            "object" => store.object_project(id).await?,
            "incident" => store.incident_project(id).await?,
            _ => store.upload_project(id).await?,
        };
        if of.as_deref() == Some(own) {
            return Ok(());
        }
        Err(StoreError::NotFound { what, id: id.to_owned() }.into())
    }

    /// The project that something is sent to: the token's own, or the one that is named, or the default one.
    pub(crate) async fn target(&self, store: &Store, named: Option<&str>) -> Result<String, Problem> {
        let project = match (self.project(), named) {
            (Some(own), Some(named)) if own != named => return Err(other_project()),
            (Some(own), _) => own,
            (None, named) => named.unwrap_or(DEFAULT_PROJECT),
        };
        store.open_project(project).await?;
        Ok(project.to_owned())
    }
}

fn not_for_one() -> Problem {
    let detail = "this is about the whole installation, and the token is for one project";
    Problem::new(StatusCode::FORBIDDEN, "one-project", "The token is for one project", detail)
}

/// The same whether there is such a project or not.
fn other_project() -> Problem {
    let detail = "the token is for one project, and another one is named";
    Problem::new(StatusCode::FORBIDDEN, "other-project", "The token is for another project", detail)
}

#[derive(Deserialize)]
struct Named {
    project: Option<String>,
}

async fn named_by(parts: &mut Parts, state: &AppState) -> Result<(Caller, Option<String>), Problem> {
    let Query(Named { project }) = Query::from_request_parts(parts, state).await?;
    let caller = parts.extensions.get::<Caller>().cloned();
    let caller = caller.ok_or_else(|| Problem::internal("a request that nobody has let in"))?;
    Ok((caller, project.filter(|project| !project.is_empty())))
}

/// The one project that is to be seen; `None` for all of them. Named by `project` behind the `?` of the address.
pub(crate) struct Seen(pub(crate) Option<String>);

impl FromRequestParts<AppState> for Seen {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let (caller, named) = named_by(parts, state).await?;
        match (caller.project(), named) {
            (Some(own), Some(named)) if own != named => Err(other_project()),
            (Some(own), _) => Ok(Self(Some(own.to_owned()))),
            (None, Some(named)) => Ok(Self(Some(state.store.project(&named).await?.id))),
            (None, None) => Ok(Self(None)),
        }
    }
}

/// The project that something is sent to, which is there and takes it. Named by `project` behind the `?` of the address.
pub(crate) struct Target(pub(crate) String);

impl FromRequestParts<AppState> for Target {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let (caller, named) = named_by(parts, state).await?;
        caller.target(&state.store, named.as_deref()).await.map(Self)
    }
}

/// The parameter of [`Seen`] and [`Target`], for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct ProjectQuery {
    /// Only this project; that of the token, or all, when not given. What is sent goes to `default` then.
    project: Option<String>,
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::{super::scopes::ROUTES, Reach, named, reach};

    #[test]
    fn every_route_says_what_it_is_about() {
        let forgotten: Vec<_> = ROUTES
            .iter()
            .filter(|(.., scopes)| !scopes.is_empty())
            .filter(|(method, path, _)| reach(&method.parse().unwrap(), path).is_none())
            .collect();
        assert!(forgotten.is_empty(), "closed to tokens of one project until somebody says: {forgotten:?}");
    }

    #[test]
    fn what_is_named_is_looked_for_where_the_route_has_it() {
        let of = |matched: &str, path: &str| named(matched, path);
        assert_eq!(of("/api/v1/crashes/{id}/report", "/api/v1/crashes/a%20b/report").as_deref(), Some("a b"));
        assert_eq!(of("/api/v1/crashes", "/api/v1/crashes"), None);
        assert_eq!(reach(&Method::GET, "/api/v1/crashes/{id}/new"), Some(Reach::Crash));
        assert_eq!(reach(&Method::GET, "/api/v1/new"), None);
        assert_eq!(reach(&Method::DELETE, "/api/v1/queries/{id}"), Some(Reach::Everything));
        assert_eq!(reach(&Method::HEAD, "/api/v1/queries"), Some(Reach::Shared));
    }
}
