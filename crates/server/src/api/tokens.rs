//! Access tokens.

use axum::{
    Extension, Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    AppState, Problem,
    access::Caller,
    extract::{Json, Path, Query},
    limits,
    page::{self, Page},
    shapes::tokens::{CreatedToken, NewToken, Token},
};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

/// List access tokens in the order in which they were made, those that let nobody in any more among them. Their texts
/// are kept nowhere.
#[utoipa::path(get, operation_id = "listTokens", path = "/tokens", tag = "access", params(ListQuery),
    responses((status = 200, body = Page<Token>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Answer<Page<Token>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::id_cursor(query.cursor.as_deref())?;
    let tokens = state.store.tokens(after.as_deref(), limit + 1).await?;
    let items = tokens.into_iter().map(Token::from).collect();
    Ok(Answer(Page::cut(items, limit, |item: &Token| item.id.clone())))
}

/// Make an access token. Its text is in this answer and nowhere else. It allows nothing that the token does not that it
/// is made with. From the first one on, every request needs a token.
#[utoipa::path(post, operation_id = "createToken", path = "/tokens", tag = "access", request_body = NewToken,
    responses((status = 201, body = CreatedToken),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<NewToken>,
) -> Result<Response, Problem> {
    let name = body.name.trim();
    limits::name("the name of a token", Some(name))?;
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Problem::bad_request("a token has a name, without control characters"));
    }
    if body.scopes.is_empty() {
        return Err(Problem::bad_request("a token without scopes would allow nothing"));
    }
    if body.expires_at.is_some_and(|end| end <= Timestamp::now()) {
        return Err(Problem::bad_request("expires_at has to be ahead"));
    }
    for scope in &body.scopes {
        caller.need(&[*scope])?;
    }
    let new = panicle_store::NewToken {
        name: name.to_owned(),
        scopes: body.scopes,
        expires_at: body.expires_at,
        project: body.project,
    };
    let (token, text) = state.store.create_token(&new).await?;
    tracing::info!(token = token.id, name = token.name, "an access token was made");
    let created = CreatedToken { token: text, made: token.into() };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Answer(created)).into_response())
}

/// Revoke an access token: it lets nobody in from now on.
#[utoipa::path(delete, operation_id = "revokeToken", path = "/tokens/{id}", tag = "access", params(("id" = String, Path)),
    responses((status = 200, body = Token),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Answer<Token>, Problem> {
    let token = state.store.revoke_token(&id).await?;
    tracing::info!(token = token.id, name = token.name, "an access token was revoked");
    Ok(Answer(token.into()))
}
