//! Uploads that come in several requests.
//!
//! An upload is changed by whoever holds it, one at a time. A hold ends by itself when nobody extends it, so
//! that the next one can go on where a process was killed; what the first one still writes then counts for
//! nothing.

use jiff::Timestamp;

use crate::{Store, StoreError, time};

/// An upload that comes in several requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its identifier.
    pub id: String,
    /// The project that it is sent to.
    pub project: String,
    /// `Upload-Metadata`, as it was sent.
    pub metadata: String,
    /// Its size, once the client has said it.
    pub size_bytes: Option<u64>,
    /// How much of it is durable.
    pub received_bytes: u64,
    /// When it is forgotten unless more comes.
    pub expires_at: Timestamp,
    /// The blob that it became.
    pub blob_id: Option<String>,
    /// The crash that was made of it.
    pub crash_id: Option<String>,
}

/// How many uploads may be under way at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenUploads {
    /// Of all projects.
    pub all: u64,
    /// Of one, so that it leaves some to the others.
    pub of_project: u64,
}

/// A part of an upload, kept in the spool of the blob store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadPiece {
    /// Its name there.
    pub name: String,
    /// Raw size.
    pub size_bytes: u64,
}

#[derive(sqlx::FromRow)]
struct UploadRecord {
    id: String,
    project: String,
    metadata: String,
    size_bytes: Option<i64>,
    received_bytes: i64,
    expires_at: i64,
    blob_id: Option<String>,
    crash_id: Option<String>,
}

impl UploadRecord {
    fn read(self) -> Result<Upload, StoreError> {
        Ok(Upload {
            id: self.id,
            project: self.project,
            metadata: self.metadata,
            size_bytes: self.size_bytes.map(|size| size as u64),
            received_bytes: self.received_bytes as u64,
            expires_at: time::read(self.expires_at)?,
            blob_id: self.blob_id,
            crash_id: self.crash_id,
        })
    }
}

impl Store {
    /// Records an upload to a project of which nothing has come yet. When as many as may be are not complete, `None` is
    /// answered.
    pub async fn create_upload(
        &self,
        project: &str,
        metadata: &str,
        size_bytes: Option<u64>,
        expires_at: Timestamp,
        at_most: OpenUploads,
    ) -> Result<Option<Upload>, StoreError> {
        // Not to be guessed: who knows it may write to it.
        let id = uuid::Uuid::new_v4().to_string();
        let (all, of_project): (i64, i64) = query!(self, db => sqlx::query_as(
            "SELECT COUNT(*), COUNT(CASE WHEN project = $1 THEN 1 END) FROM uploads WHERE blob_id IS NULL")
            .bind(project)
            .fetch_one(db)
            .await)?;
        if all as u64 >= at_most.all || of_project as u64 >= at_most.of_project {
            return Ok(None);
        }
        query!(self, db => sqlx::query(
            "INSERT INTO uploads (id, metadata, size_bytes, received_bytes, created_at, expires_at, project) \
             VALUES ($1, $2, $3, 0, $4, $5, $6)")
            .bind(&id)
            .bind(metadata)
            .bind(size_bytes.map(|size| size as i64))
            .bind(Timestamp::now().as_microsecond())
            .bind(expires_at.as_microsecond())
            .bind(project)
            .execute(db)
            .await
            .map(drop))?;
        self.upload(&id).await.map(Some)
    }

    /// One upload.
    pub async fn upload(&self, id: &str) -> Result<Upload, StoreError> {
        let row: Option<UploadRecord> = query!(self, db => sqlx::query_as(
            "SELECT id, project, metadata, size_bytes, received_bytes, expires_at, blob_id, crash_id \
             FROM uploads WHERE id = $1")
            .bind(id)
            .fetch_optional(db)
            .await)?;
        row.ok_or_else(|| StoreError::NotFound { what: "upload", id: id.to_owned() })?.read()
    }

    /// Takes or extends the hold of `holder` on an upload. Answers whether nobody else has it.
    pub async fn hold_upload(
        &self,
        id: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let held = query!(self, db => sqlx::query(
            "UPDATE uploads SET holder = $2, held_until = $4 WHERE id = $1 \
             AND (holder IS NULL OR holder = $2 OR held_until < $3)")
            .bind(id)
            .bind(holder)
            .bind(now.as_microsecond())
            .bind(until.as_microsecond())
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(held > 0)
    }

    /// Extends a hold. Answers whether it is still the holder's.
    pub async fn extend_upload(&self, id: &str, holder: &str, until: Timestamp) -> Result<bool, StoreError> {
        let held = query!(self, db => sqlx::query(
            "UPDATE uploads SET held_until = $3 WHERE id = $1 AND holder = $2")
            .bind(id)
            .bind(holder)
            .bind(until.as_microsecond())
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(held > 0)
    }

    /// Ends a hold, if it is still the holder's.
    pub async fn release_upload(&self, id: &str, holder: &str) -> Result<(), StoreError> {
        query!(self, db => sqlx::query(
            "UPDATE uploads SET holder = NULL, held_until = NULL WHERE id = $1 AND holder = $2")
            .bind(id)
            .bind(holder)
            .execute(db)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Ends the holds of all holders whose names begin so: those of a process that is gone. Answers how many.
    pub async fn recover_uploads(&self, holders: &str) -> Result<u64, StoreError> {
        let freed = query!(self, db => sqlx::query(
            "UPDATE uploads SET holder = NULL, held_until = NULL WHERE substr(holder, 1, length($1)) = $1")
            .bind(holders)
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(freed)
    }

    /// Says how large a held upload will be.
    pub async fn size_upload(&self, id: &str, holder: &str, size_bytes: u64) -> Result<(), StoreError> {
        let changed = query!(self, db => sqlx::query(
            "UPDATE uploads SET size_bytes = $3 WHERE id = $1 AND holder = $2")
            .bind(id)
            .bind(holder)
            .bind(size_bytes as i64)
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        if changed == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
    }

    /// Adds pieces to the end of a held upload, which has `start` bytes.
    pub async fn append_upload(
        &self,
        id: &str,
        holder: &str,
        start: u64,
        pieces: &[UploadPiece],
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let size: u64 = pieces.iter().map(|piece| piece.size_bytes).sum();
        transaction!(self, tx => {
            let changed = exec!(
                tx,
                "UPDATE uploads SET received_bytes = received_bytes + $4, expires_at = $5 \
                 WHERE id = $1 AND holder = $2 AND received_bytes = $3",
                id,
                holder,
                start as i64,
                size as i64,
                expires_at.as_microsecond()
            );
            if changed == 0 {
                return Err(StoreError::LeaseLost);
            }
            let mut at = start;
            for piece in pieces {
                exec!(
                    tx,
                    "INSERT INTO upload_pieces (upload_id, start_bytes, size_bytes, name) \
                     VALUES ($1, $2, $3, $4)",
                    id,
                    at as i64,
                    piece.size_bytes as i64,
                    &piece.name
                );
                at += piece.size_bytes;
            }
        });
        Ok(())
    }

    /// The pieces of an upload, in their order.
    pub async fn upload_pieces(&self, id: &str) -> Result<Vec<UploadPiece>, StoreError> {
        let rows: Vec<(String, i64)> = query!(self, db => sqlx::query_as(
            "SELECT name, size_bytes FROM upload_pieces WHERE upload_id = $1 ORDER BY start_bytes")
            .bind(id)
            .fetch_all(db)
            .await)?;
        Ok(rows.into_iter().map(|(name, size)| UploadPiece { name, size_bytes: size as u64 }).collect())
    }

    /// A held upload has become a blob, and maybe a crash. Its pieces are not its own any more.
    pub async fn finish_upload(
        &self,
        id: &str,
        holder: &str,
        size_bytes: u64,
        blob_id: &str,
        crash_id: Option<&str>,
    ) -> Result<(), StoreError> {
        transaction!(self, tx => {
            let changed = exec!(
                tx,
                "UPDATE uploads SET size_bytes = $3, received_bytes = $3, blob_id = $4, crash_id = $5 \
                 WHERE id = $1 AND holder = $2",
                id,
                holder,
                size_bytes as i64,
                blob_id,
                crash_id
            );
            if changed == 0 {
                return Err(StoreError::LeaseLost);
            }
            exec!(tx, "DELETE FROM upload_pieces WHERE upload_id = $1", id);
        });
        Ok(())
    }

    /// Forgets a held upload.
    pub async fn delete_upload(&self, id: &str, holder: &str) -> Result<(), StoreError> {
        transaction!(self, tx => {
            let deleted = exec!(tx, "DELETE FROM uploads WHERE id = $1 AND holder = $2", id, holder);
            if deleted == 0 {
                return Err(StoreError::LeaseLost);
            }
            exec!(tx, "DELETE FROM upload_pieces WHERE upload_id = $1", id);
        });
        Ok(())
    }

    /// Uploads whose time was up at `now` and that nobody holds; a hundred at most.
    pub async fn expired_uploads(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = query!(self, db => sqlx::query_as(
            "SELECT id FROM uploads WHERE expires_at < $1 AND (holder IS NULL OR held_until < $1) \
             ORDER BY expires_at LIMIT 100")
            .bind(now.as_microsecond())
            .fetch_all(db)
            .await)?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Whether some upload has the piece of this name.
    pub async fn has_piece(&self, name: &str) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = query!(self, db => sqlx::query_as(
            "SELECT size_bytes FROM upload_pieces WHERE name = $1")
            .bind(name)
            .fetch_optional(db)
            .await)?;
        Ok(row.is_some())
    }
}
