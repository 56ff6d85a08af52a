//! Queries that people keep.

use jiff::Timestamp;

use crate::{Store, StoreError, time};

/// A query that somebody keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described where the API shows them")]
pub struct SavedQuery {
    pub id: String,
    pub name: String,
    pub query: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: u64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    query: String,
    created_at: i64,
    updated_at: i64,
    revision: i64,
}

impl Row {
    fn read(self) -> Result<SavedQuery, StoreError> {
        Ok(SavedQuery {
            id: self.id,
            name: self.name,
            query: self.query,
            created_at: time::read(self.created_at)?,
            updated_at: time::read(self.updated_at)?,
            revision: self.revision as u64,
        })
    }
}

impl Store {
    /// Keeps a query under a name that no other one has.
    pub async fn save_query(&self, name: &str, query: &str) -> Result<SavedQuery, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let row: Option<Row> = query!(self, db => sqlx::query_as(
            "INSERT INTO saved_queries (id, name, query, created_at, updated_at, revision) \
             VALUES ($1, $2, $3, $4, $4, 1) ON CONFLICT (name) DO NOTHING RETURNING *")
            .bind(uuid::Uuid::now_v7().to_string())
            .bind(name)
            .bind(query)
            .bind(now)
            .fetch_optional(db)
            .await)?;
        row.ok_or_else(|| StoreError::Taken { what: "query", name: name.to_owned() })?.read()
    }

    /// Queries by name, after this one.
    pub async fn saved_queries(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<SavedQuery>, StoreError> {
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(
            "SELECT * FROM saved_queries WHERE (CAST($1 AS TEXT) IS NULL OR name > $1) ORDER BY name LIMIT $2")
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(Row::read).collect()
    }

    /// One of them.
    pub async fn saved_query(&self, id: &str) -> Result<SavedQuery, StoreError> {
        let row: Option<Row> = query!(self, db => {
            sqlx::query_as("SELECT * FROM saved_queries WHERE id = $1").bind(id).fetch_optional(db).await
        })?;
        row.ok_or_else(|| StoreError::NotFound { what: "saved query", id: id.to_owned() })?.read()
    }

    /// Gives it another name and text, if it still has this revision.
    pub async fn change_saved_query(
        &self,
        id: &str,
        name: &str,
        query: &str,
        if_revision: Option<u64>,
    ) -> Result<SavedQuery, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let taken: Option<(String,)> = query!(self, db => {
            sqlx::query_as("SELECT id FROM saved_queries WHERE name = $1 AND id <> $2")
                .bind(name)
                .bind(id)
                .fetch_optional(db)
                .await
        })?;
        let before = self.saved_query(id).await?;
        if taken.is_some() {
            return Err(StoreError::Taken { what: "query", name: name.to_owned() });
        }
        let expected = if_revision.unwrap_or(before.revision);
        let row: Option<Row> = query!(self, db => sqlx::query_as(
            "UPDATE saved_queries SET name = $3, query = $4, updated_at = $5, revision = revision + 1 \
             WHERE id = $1 AND revision = $2 RETURNING *")
            .bind(id)
            .bind(expected as i64)
            .bind(name)
            .bind(query)
            .bind(now)
            .fetch_optional(db)
            .await)?;
        row.ok_or(StoreError::Conflict)?.read()
    }

    /// Forgets it, if it still has this revision.
    pub async fn delete_saved_query(&self, id: &str, if_revision: Option<u64>) -> Result<(), StoreError> {
        let before = self.saved_query(id).await?;
        let deleted = query!(self, db => {
            sqlx::query("DELETE FROM saved_queries WHERE id = $1 AND revision = $2")
                .bind(id)
                .bind(if_revision.unwrap_or(before.revision) as i64)
                .execute(db)
                .await
                .map(|done| done.rows_affected())
        })?;
        if deleted == 0 { Err(StoreError::Conflict) } else { Ok(()) }
    }
}
