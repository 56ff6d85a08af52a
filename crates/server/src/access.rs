//! Who gets in: tokens, what each allows, and how much.
//!
//! While nobody has made a token the service is open to this machine, and to nobody else. From the first one on
//! every request needs one; the routes and their scopes are in [`mod@scopes`].

mod document;
mod project;
mod quota;
mod rates;
mod scopes;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    body::{Body, HttpBody},
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt;
use http::{HeaderMap, Method, StatusCode, header, request::Parts};
use jiff::Timestamp;
use panicle_store::{Scope, Store, StoreError, TOKEN_PREFIX, Token};

pub use self::rates::Rates;
pub(crate) use self::{
    document::Security,
    project::{ProjectQuery, Seen, Target},
};
use self::{
    quota::Quotas,
    rates::{Exceeded, Meters},
    scopes::{Need, need},
};
use crate::{AppState, Problem, upload};

/// What browsers keep a token in.
pub(crate) const COOKIE: &str = "panicle_session";
/// Longer texts are no tokens of ours.
const MAX_TOKEN_BYTES: usize = 200;

/// The doors.
pub(crate) struct Access {
    store: Store,
    /// Nobody gets in without a token. Once so, it stays so while the process runs: that the last token was revoked
    /// lets nobody in.
    shut: AtomicBool,
    meters: Arc<Meters>,
    quotas: Arc<Quotas>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// There are no tokens, so whoever reaches this machine may do everything.
    Anybody,
    /// Somebody who showed a valid one.
    Token(Arc<Token>),
}

impl Caller {
    /// Whose requests and bytes are counted together.
    fn name(&self) -> &str {
        match self {
            Self::Anybody => "",
            Self::Token(token) => &token.id,
        }
    }

    /// Refuses who has none of these scopes.
    pub(crate) fn need(&self, scopes: &[Scope]) -> Result<(), Problem> {
        match self {
            Self::Token(token) if !scopes.iter().any(|scope| token.scopes.contains(scope)) => {
                Err(missing_scope(scopes))
            }
            _ => Ok(()),
        }
    }
}

impl Access {
    pub(crate) fn new(store: Store) -> Self {
        let quotas = Arc::new(Quotas::new(store.clone(), Rates::default()));
        Self { store, shut: AtomicBool::new(false), meters: Arc::default(), quotas }
    }

    pub(crate) fn with_rates(self, rates: Rates) -> Self {
        Self { meters: Arc::new(Meters::new(rates)), ..self }
    }

    /// What is taken of a project that has no limits of its own.
    pub(crate) fn with_project_rates(self, rates: Rates) -> Self {
        Self { quotas: Arc::new(Quotas::new(self.store.clone(), rates)), ..self }
    }

    /// Nobody gets in without a token from now on, even if there is none.
    pub(crate) fn shut(&self) {
        self.shut.store(true, Ordering::Relaxed);
    }

    /// Whether a token is needed.
    pub(crate) async fn is_shut(&self) -> Result<bool, StoreError> {
        if self.shut.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let shut = self.store.has_tokens().await?;
        if shut {
            self.shut();
        }
        Ok(shut)
    }

    /// The token that a text is, if it lets anybody in.
    pub(crate) async fn token(&self, text: &str) -> Result<Option<Token>, StoreError> {
        if !text.starts_with(TOKEN_PREFIX) || text.len() > MAX_TOKEN_BYTES {
            return Ok(None);
        }
        let now = Timestamp::now();
        let Some(token) = self.store.token_of(text).await?.filter(|token| token.is_valid(now)) else {
            return Ok(None);
        };
        if !token.is_use_noted(now) {
            let (store, used) = (self.store.clone(), token.clone());
            // Nobody waits for it, and a request does not fail by it.
            tokio::spawn(async move {
                if let Err(error) = store.use_token(&used, now).await {
                    tracing::warn!(%error, token = used.id, "the use of a token was not noted");
                }
            });
        }
        Ok(Some(token))
    }

    /// Counts bytes that a caller is about to send to our bucket, for a project, as those of a body are.
    pub(crate) async fn charge(&self, caller: &Caller, project: &str, bytes: u64) -> Result<(), Problem> {
        self.meters
            .bytes(caller.name(), bytes, Instant::now())
            .map_err(|(what, wait)| too_much("token", what, wait))?;
        let counted = self.quotas.bytes(project, bytes).await?;
        counted.map(drop).map_err(|(what, wait)| too_much("project", what, wait))
    }

    /// Who sends a request of these headers, if a token of theirs is valid.
    pub(crate) async fn caller(
        &self,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Option<Caller>, Problem> {
        if !self.is_shut().await? {
            return Ok(Some(Caller::Anybody));
        }
        let Some(text) = shown(method, headers) else { return Ok(None) };
        Ok(self.token(text).await?.map(|token| Caller::Token(Arc::new(token))))
    }
}

/// The token that a request shows.
fn shown<'a>(method: &Method, headers: &'a HeaderMap) -> Option<&'a str> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then_some(token.trim());
    }
    if is_of_this_site(method, headers) { session(headers) } else { None }
}

/// The token in the cookie of a browser that has signed in.
pub(crate) fn session(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// A browser sends the cookie because one of our own pages, or a person, asked. `SameSite` keeps other sites away, but
/// not our siblings: other ports and names of the same domain.
fn is_of_this_site(method: &Method, headers: &HeaderMap) -> bool {
    let safe = matches!(*method, Method::GET | Method::HEAD);
    match headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or_default()) {
        Some("same-origin") => true,
        Some("none") => safe,
        Some(_) => false,
        // The guard has compared the origin with the host. Browsers before these headers name it in every change.
        None => safe || headers.contains_key(header::ORIGIN),
    }
}

/// Lets requests through that have what their route takes.
pub(crate) async fn admit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let matched = matched.as_ref().map(MatchedPath::as_str);
    let need = need(request.method(), matched, request.uri().path());
    if need == Need::Nothing {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let announced = body.size_hint().exact();
    match check(&state.access, need, (&parts, matched), announced).await {
        Ok((caller, project)) => {
            let body = counted(&state.access, caller.name(), project, announced, body);
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => {
            metrics::counter!("panicle_requests_refused_total", "reason" => problem.slug()).increment(1);
            // Whoever is in the middle of sending a file would lose the answer with the connection. Who asked before
            // sending is not told to.
            if !parts.headers.contains_key(header::EXPECT) {
                upload::discard(body).await;
            }
            problem.into_response()
        }
    }
}

async fn check(
    access: &Access,
    need: Need,
    (parts, matched): (&Parts, Option<&str>),
    announced: Option<u64>,
) -> Result<(Caller, Option<String>), Problem> {
    let caller = access.caller(&parts.method, &parts.headers).await?.ok_or_else(Problem::unauthorized)?;
    if let Need::OneOf(scopes) = need {
        caller.need(scopes)?;
    }
    access
        .meters
        .request(caller.name(), announced, Instant::now())
        .map_err(|(what, wait)| too_much("token", what, wait))?;
    let Some(matched) = matched else { return Ok((caller, None)) };
    project::check(&access.store, &caller, &parts.method, (matched, parts.uri.path())).await?;
    let Some(project) = project::charged(&access.store, &caller, parts, matched).await? else {
        return Ok((caller, None));
    };
    match access.quotas.request(&project, announced).await? {
        Ok(counted) => Ok((caller, counted.then_some(project))),
        Err((what, wait)) => Err(too_much("project", what, wait)),
    }
}

/// The body, which counts what comes of it.
fn counted(access: &Access, who: &str, project: Option<String>, announced: Option<u64>, body: Body) -> Body {
    let Access { meters, quotas, .. } = access;
    if announced == Some(0) || (!meters.counts_bytes() && project.is_none()) {
        return body;
    }
    let of_token = meters.counts_bytes().then(|| (Arc::clone(meters), who.to_owned()));
    let of_project = project.map(|project| (Arc::clone(quotas), project));
    Body::from_stream(body.into_data_stream().inspect_ok(move |piece| {
        let bytes = piece.len() as u64;
        if let Some((meters, who)) = &of_token {
            meters.add(who, bytes);
        }
        if let Some((quotas, project)) = &of_project {
            quotas.add(project, bytes);
        }
    }))
}

fn missing_scope(scopes: &[Scope]) -> Problem {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let detail = match names.as_slice() {
        [scope] => format!("this takes the scope {scope}, which the token does not have"),
        _ => format!("this takes one of the scopes {}, none of which the token has", names.join(", ")),
    };
    Problem::new(StatusCode::FORBIDDEN, "missing-scope", "The token does not allow this", detail)
}

fn too_much(whose: &str, what: Exceeded, wait: Duration) -> Problem {
    let (slug, detail) = match what {
        Exceeded::Requests(most) => {
            ("too-many-requests", format!("{most} requests a minute are taken from one {whose}"))
        }
        Exceeded::Bytes(most) => ("quota-used-up", format!("{most} bytes a day are taken from one {whose}")),
    };
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, slug, "That is more than is taken", detail);
    problem.after(wait)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, Method};

    use super::shown;

    fn token(method: &Method, headers: &[(&'static str, &str)]) -> Option<String> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        shown(method, &headers).map(str::to_owned)
    }

    #[test]
    fn a_token_is_shown_in_a_header() {
        assert_eq!(token(&Method::POST, &[("authorization", "bearer  pnc_1 ")]).as_deref(), Some("pnc_1"));
        assert_eq!(token(&Method::GET, &[("authorization", "Basic pnc_1")]), None);
        assert_eq!(token(&Method::GET, &[("authorization", "pnc_1")]), None);
        // Who shows one does not fall back to another.
        assert_eq!(token(&Method::GET, &[("authorization", "x"), ("cookie", "panicle_session=pnc_1")]), None);
    }

    #[test]
    fn a_cookie_counts_where_our_own_pages_sent_it() {
        let cookie = ("cookie", "theme=dark; panicle_session=pnc_1; panicle_sessions=x");
        assert_eq!(token(&Method::GET, &[cookie]).as_deref(), Some("pnc_1"));
        assert_eq!(token(&Method::POST, &[cookie]), None);
        assert!(token(&Method::POST, &[cookie, ("origin", "http://localhost")]).is_some());
        assert!(token(&Method::POST, &[cookie, ("sec-fetch-site", "same-origin")]).is_some());
        assert!(token(&Method::GET, &[cookie, ("sec-fetch-site", "none")]).is_some());
        for site in ["same-site", "cross-site", ""] {
            assert_eq!(token(&Method::GET, &[cookie, ("sec-fetch-site", site)]), None, "{site}");
        }
        assert_eq!(token(&Method::POST, &[cookie, ("sec-fetch-site", "none")]), None);
    }
}
