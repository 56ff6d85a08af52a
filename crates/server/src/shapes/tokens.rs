//! Access tokens and sessions.

use std::fmt;

use jiff::Timestamp;
use panicle_store::Scope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An access token, without its text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
    pub(crate) scopes: Vec<Scope>,
    /// The one project that it is for; null for all that there are.
    pub(crate) project: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
    /// To the hour; null for one that was never used.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) last_used_at: Option<Timestamp>,
    /// From when on it lets nobody in; null for one that does not end by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) revoked_at: Option<Timestamp>,
}

impl From<panicle_store::Token> for Token {
    fn from(token: panicle_store::Token) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scopes: token.scopes,
            project: token.project,
            created_at: token.created_at,
            last_used_at: token.last_used_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
        }
    }
}

/// An access token to make.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    pub(crate) name: String,
    /// One or more.
    pub(crate) scopes: Vec<Scope>,
    /// The one project that it is for; null for all that there are.
    #[serde(default)]
    pub(crate) project: Option<String>,
    /// From when on it lets nobody in; null for never.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
}

/// A token that was made just now.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedToken {
    /// Its text, which is shown this once.
    pub(crate) token: String,
    #[serde(flatten)]
    pub(crate) made: Token,
}

/// To sign in with.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSession {
    /// The text of a token.
    pub(crate) token: String,
}

impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewSession")
    }
}

/// Who is asking.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// Nothing is shown without a token.
    pub(crate) token_needed: bool,
    /// That of who asks; null for who has none that is valid.
    pub(crate) token: Option<Token>,
}
