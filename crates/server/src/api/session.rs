//! Signing in with a browser. Its session is a token in a cookie that no script can read.

use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, header};

use crate::{
    AppState, Problem,
    access::{COOKIE, Caller},
    extract::Json,
    shapes::tokens::{NewSession, Session},
};

/// How long a browser stays signed in, unless the token ends before.
const DAYS: u32 = 30;

/// Who is asking, and whether that has to be known here.
#[utoipa::path(get, operation_id = "getSession", path = "/session", tag = "access",
    responses((status = 200, body = Session)))]
pub(crate) async fn get(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, Problem> {
    let session = match state.access.caller(&Method::GET, &headers).await? {
        Some(Caller::Anybody) => Session { token_needed: false, token: None },
        Some(Caller::Token(token)) => Session { token_needed: true, token: Some((*token).clone().into()) },
        None => Session { token_needed: true, token: None },
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Answer(session)).into_response())
}

/// Sign in: sets a cookie that counts as the token.
#[utoipa::path(post, operation_id = "signIn", path = "/session", tag = "access", request_body = NewSession,
    responses((status = 200, body = Session, description = "With the cookie"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No such token is valid here"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(
    State(state): State<AppState>,
    headers: HeaderMap,
    Json(body): Json<NewSession>,
) -> Result<Response, Problem> {
    let text = body.token.trim();
    let token = state.access.token(text).await?.ok_or_else(Problem::unauthorized)?;
    let cookie = cookie(&headers, text, DAYS * 24 * 60 * 60);
    let session = Session { token_needed: true, token: Some(token.into()) };
    let headers = [(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((headers, Answer(session)).into_response())
}

/// Sign out: the browser forgets the token, which stays valid.
#[utoipa::path(delete, operation_id = "signOut", path = "/session", tag = "access",
    responses((status = 204, description = "The browser knows no token any more")))]
pub(crate) async fn delete(headers: HeaderMap) -> Response {
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie(&headers, "", 0))]).into_response()
}

fn cookie(headers: &HeaderMap, value: &str, seconds: u32) -> String {
    // Behind a proxy only the browser knows that the way to it is encrypted.
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let secure = if origin.is_some_and(|origin| origin.starts_with("https://")) { "; Secure" } else { "" };
    format!("{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}")
}
