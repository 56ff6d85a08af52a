//! Access tokens: what is known of each, and which one a text is.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::{Scope, Store, StoreError, time};

/// What every token begins with, so that people and scanners of source code know one when they see it.
pub const TOKEN_PREFIX: &str = "pnc_";
const RANDOM_BYTES: usize = 32;
/// When a token was last used is known to so much.
const USE_GRAIN: SignedDuration = SignedDuration::from_hours(1);

/// An access token, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described where the API shows them")]
pub struct Token {
    pub id: String,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub project: Option<String>,
    pub created_at: Timestamp,
    /// To the hour.
    pub last_used_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl Token {
    /// That it was used is known to [`USE_GRAIN`].
    pub fn is_use_noted(&self, now: Timestamp) -> bool {
        self.last_used_at.is_some_and(|at| at > noted_before(now))
    }

    /// It lets somebody in at this time.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A token to make.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// For people.
    pub name: String,
    /// What it is for; those named twice count once.
    pub scopes: Vec<Scope>,
    /// From when on it lets nobody in.
    pub expires_at: Option<Timestamp>,
    /// The one project that it is for; `None` for all.
    pub project: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    scopes: String,
    project: Option<String>,
    created_at: i64,
    last_used_at: Option<i64>,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Token, StoreError> {
        // A scope that a later version knows gives nothing here.
        let scopes = self.scopes.split_ascii_whitespace().filter_map(|scope| scope.parse().ok()).collect();
        Ok(Token {
            id: self.id,
            name: self.name,
            scopes,
            project: self.project,
            created_at: time::read(self.created_at)?,
            last_used_at: time::read_optional(self.last_used_at)?,
            expires_at: time::read_optional(self.expires_at)?,
            revoked_at: time::read_optional(self.revoked_at)?,
        })
    }
}

fn noted_before(now: Timestamp) -> Timestamp {
    now.checked_sub(USE_GRAIN).unwrap_or(Timestamp::MIN)
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

impl Store {
    /// Makes a token, of a project that there is. Its text is the second part of the answer, and kept nowhere.
    pub async fn create_token(&self, new: &NewToken) -> Result<(Token, String), StoreError> {
        if let Some(project) = &new.project {
            self.project(project).await?;
        }
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).map_err(|error| StoreError::Io {
            what: "asking the system for random bytes".to_owned(),
            source: std::io::Error::other(error.to_string()),
        })?;
        let text = format!("{TOKEN_PREFIX}{}", hex::encode(random));
        let mut scopes = new.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        let scopes: Vec<&str> = scopes.into_iter().map(Scope::as_str).collect();
        let row: Row = query!(self, db => sqlx::query_as(
            "INSERT INTO tokens (id, name, digest, scopes, created_at, expires_at, project) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *")
            .bind(uuid::Uuid::now_v7().to_string())
            .bind(&new.name)
            .bind(digest(&text))
            .bind(scopes.join(" "))
            .bind(Timestamp::now().as_microsecond())
            .bind(new.expires_at.map(Timestamp::as_microsecond))
            .bind(&new.project)
            .fetch_one(db)
            .await)?;
        Ok((row.read()?, text))
    }

    /// Tokens in the order in which they were made, after that of this id. Those that let nobody in any more are
    /// among them.
    pub async fn tokens(&self, after: Option<&str>, limit: u32) -> Result<Vec<Token>, StoreError> {
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(
            "SELECT * FROM tokens WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after.unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(Row::read).collect()
    }

    /// One token.
    pub async fn token(&self, id: &str) -> Result<Token, StoreError> {
        let row: Option<Row> = query!(self, db =>
            sqlx::query_as("SELECT * FROM tokens WHERE id = $1").bind(id).fetch_optional(db).await)?;
        row.ok_or_else(|| no_token(id))?.read()
    }

    /// The token that a text is, if it is one, whether it lets anybody in or not. The look-up is by digest, so
    /// that the time that it takes tells nothing of the texts that there are.
    pub async fn token_of(&self, text: &str) -> Result<Option<Token>, StoreError> {
        let row: Option<Row> = query!(self, db => sqlx::query_as("SELECT * FROM tokens WHERE digest = $1")
            .bind(digest(text))
            .fetch_optional(db)
            .await)?;
        row.map(Row::read).transpose()
    }

    /// Whether there is a token that was not revoked: then nobody gets in without one. One that has expired still
    /// keeps the doors shut.
    pub async fn has_tokens(&self) -> Result<bool, StoreError> {
        let found: Option<(i64,)> = query!(self, db => sqlx::query_as(
            "SELECT CAST(1 AS BIGINT) FROM tokens WHERE revoked_at IS NULL LIMIT 1")
            .fetch_optional(db)
            .await)?;
        Ok(found.is_some())
    }

    /// From now on it lets nobody in. One that was revoked before stays so, as of then.
    pub async fn revoke_token(&self, id: &str) -> Result<Token, StoreError> {
        let row: Option<Row> = query!(self, db => sqlx::query_as(
            "UPDATE tokens SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1 RETURNING *")
            .bind(id)
            .bind(Timestamp::now().as_microsecond())
            .fetch_optional(db)
            .await)?;
        row.ok_or_else(|| no_token(id))?.read()
    }

    /// Notes that a token was used, unless that was noted within the hour. Answers whether it was noted now.
    pub async fn use_token(&self, token: &Token, now: Timestamp) -> Result<bool, StoreError> {
        if token.is_use_noted(now) {
            return Ok(false);
        }
        let changed = query!(self, db => sqlx::query(
            "UPDATE tokens SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)")
            .bind(&token.id)
            .bind(now.as_microsecond())
            .bind(noted_before(now).as_microsecond())
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(changed > 0)
    }
}

fn no_token(id: &str) -> StoreError {
    StoreError::NotFound { what: "token", id: id.to_owned() }
}
