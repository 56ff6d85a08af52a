//! Objects that become evidence: of buckets that send events, and those that clients put into our own bucket.
//!
//! An object is recorded with the job that takes it over. Events repeat and come in any order, so that an object is
//! known by its key and its version or entity tag, or by the sequencer of the event where that says neither; and of its
//! removal what was heard last is kept beside it.

use jiff::Timestamp;

use crate::{
    EvidenceKind, JobKind, Lease, ObjectState, Store, StoreError,
    facts::storable,
    jobs::{Priority, complete, enqueue},
    projects::within,
    time,
};

mod note;

use note::{is_after, note};

/// An object that an event told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewObject {
    /// Name of the source.
    pub source: String,
    /// The project that its evidence is for.
    pub project: String,
    /// The bucket.
    pub bucket: String,
    /// Its key, decoded.
    pub key: String,
    /// Its key as the event has it.
    pub raw_key: String,
    /// Of a bucket that keeps versions.
    pub version_id: Option<String>,
    /// Without quotation marks.
    pub etag: Option<String>,
    /// Its size.
    pub size_bytes: Option<u64>,
    /// Orders the events of one key.
    pub sequencer: Option<String>,
}

/// An object that a client is about to put into our own bucket.
#[derive(Clone, Debug)]
pub struct NewIncoming {
    /// Its name, not to be guessed.
    pub id: String,
    /// The project that it is for.
    pub project: String,
    /// The bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// What it is.
    pub kind: EvidenceKind,
    /// File name, for people.
    pub name: Option<String>,
    /// Its size.
    pub size_bytes: u64,
    /// What has to come out.
    pub sha256: Option<String>,
    /// The upload in parts, as the store calls it, and the number of its parts.
    pub upload: Option<(String, u64)>,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described where the API shows them")]
pub struct Object {
    pub id: String,
    pub project: String,
    /// An event told of it; else a client puts it into our own bucket.
    pub of_event: bool,
    pub source: String,
    pub bucket: String,
    pub key: String,
    pub raw_key: String,
    pub version_id: Option<String>,
    pub etag: Option<String>,
    pub size_bytes: Option<u64>,
    pub kind: Option<EvidenceKind>,
    pub name: Option<String>,
    pub sha256: Option<String>,
    /// The upload in parts, as the store calls it, and the number of its parts.
    pub upload: Option<(String, u64)>,
    pub expires_at: Option<Timestamp>,
    pub state: ObjectState,
    pub problem: Option<String>,
    pub blob_id: Option<String>,
    pub crash_id: Option<String>,
    pub created_at: Timestamp,
    /// Since when it is waited for.
    pub queued_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// It was refused for what it is, and nothing will change that.
    pub refused_at: Option<Timestamp>,
    pub removed_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    project: String,
    origin: String,
    source: String,
    bucket: String,
    object_key: String,
    raw_key: String,
    version_id: Option<String>,
    etag: Option<String>,
    size_bytes: Option<i64>,
    kind: Option<String>,
    name: Option<String>,
    sha256: Option<String>,
    upload_id: Option<String>,
    parts: Option<i64>,
    expires_at: Option<i64>,
    state: String,
    problem: Option<String>,
    blob_id: Option<String>,
    crash_id: Option<String>,
    created_at: i64,
    queued_at: Option<i64>,
    ended_at: Option<i64>,
    refused_at: Option<i64>,
    removed_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Object, StoreError> {
        let kind = self.kind.map(|kind| kind.parse()).transpose();
        Ok(Object {
            kind: kind.map_err(|error: crate::NotAWord| StoreError::Stored(error.to_string()))?,
            state: self
                .state
                .parse()
                .map_err(|_| StoreError::Stored(format!("object state {}", self.state)))?,
            id: self.id,
            project: self.project,
            of_event: self.origin == "event",
            source: self.source,
            bucket: self.bucket,
            key: self.object_key,
            raw_key: self.raw_key,
            version_id: self.version_id,
            etag: self.etag,
            size_bytes: self.size_bytes.map(|size| size as u64),
            name: self.name,
            sha256: self.sha256,
            upload: self.upload_id.zip(self.parts.map(|parts| parts as u64)),
            expires_at: time::read_optional(self.expires_at)?,
            problem: self.problem,
            blob_id: self.blob_id,
            crash_id: self.crash_id,
            created_at: time::read(self.created_at)?,
            queued_at: time::read_optional(self.queued_at)?,
            ended_at: time::read_optional(self.ended_at)?,
            refused_at: time::read_optional(self.refused_at)?,
            removed_at: time::read_optional(self.removed_at)?,
        })
    }
}

/// What became of an object that an event told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// Its identifier here.
    pub id: String,
    /// It was not known before.
    pub new: bool,
}

impl Store {
    /// Records objects that events told of, each with the job that takes it over. One that is known stays as it is,
    /// except that one that could not be taken over is tried again.
    pub async fn note_objects(
        &self,
        objects: &[NewObject],
        now: Timestamp,
    ) -> Result<Vec<Noted>, StoreError> {
        let now = now.as_microsecond();
        let noted = transaction!(self, tx => {
            let mut noted = Vec::with_capacity(objects.len());
            for object in objects {
                noted.push(note(tx, object, now).await?);
            }
            noted
        });
        self.announce_work();
        Ok(noted)
    }

    /// Notes for its project that an object was removed at its place. What was taken over stays.
    pub async fn note_removal(&self, object: &NewObject, now: Timestamp) -> Result<u64, StoreError> {
        let now = now.as_microsecond();
        let source = within(&object.project, &object.source);
        Ok(transaction!(self, tx => {
            let version_id = object.version_id.as_deref().unwrap_or_default();
            let known: Option<(Option<String>,)> = first!(
                tx,
                "SELECT sequencer FROM removed_objects WHERE source = $1 AND object_key = $2 AND version_id = $3",
                &source,
                &object.key,
                version_id
            );
            let is_newer = known.is_none_or(|(known,)| is_after(object.sequencer.as_deref(), known.as_deref()));
            if is_newer {
                exec!(
                    tx,
                    "INSERT INTO removed_objects (source, object_key, version_id, sequencer, removed_at) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (source, object_key, version_id) DO UPDATE SET \
                     sequencer = $4, removed_at = $5",
                    &source,
                    &object.key,
                    version_id,
                    &object.sequencer,
                    now
                );
            }
            let there: Vec<(String, Option<String>)> = all!(
                tx,
                "SELECT id, sequencer FROM objects WHERE source = $1 AND object_key = $2 AND removed_at IS NULL \
                 AND ($3 = '' OR version_id = $3) AND project = $4",
                &object.source,
                &object.key,
                version_id,
                &object.project
            );
            let mut removed = 0;
            for (id, sequencer) in there {
                if is_after(object.sequencer.as_deref(), sequencer.as_deref()) {
                    removed += exec!(tx, "UPDATE objects SET removed_at = $2 WHERE id = $1", &id, now);
                }
            }
            removed
        }))
    }

    /// Records what a client is about to put into our own bucket.
    pub async fn create_incoming(&self, new: &NewIncoming) -> Result<Object, StoreError> {
        query!(self, db => sqlx::query(
            "INSERT INTO objects (id, project, origin, source, bucket, object_key, raw_key, version, size_bytes, \
             kind, name, sha256, upload_id, parts, expires_at, state, created_at) \
             VALUES ($1, $2, 'upload', '', $3, $4, $4, '', $5, $6, $7, $8, $9, $10, $11, 'open', $12)")
            .bind(&new.id)
            .bind(&new.project)
            .bind(&new.bucket)
            .bind(&new.key)
            .bind(new.size_bytes as i64)
            .bind(new.kind.as_str())
            .bind(new.name.as_deref().map(storable))
            .bind(&new.sha256)
            .bind(new.upload.as_ref().map(|upload| upload.0.clone()))
            .bind(new.upload.as_ref().map(|upload| upload.1 as i64))
            .bind(new.expires_at.as_microsecond())
            .bind(Timestamp::now().as_microsecond())
            .execute(db)
            .await
            .map(drop))?;
        self.object(&new.id).await
    }

    /// How many uploads into our own bucket of a project are neither completed nor expired.
    pub async fn open_incoming(&self, project: &str) -> Result<u64, StoreError> {
        let row: (i64,) = query!(self, db => sqlx::query_as(
            "SELECT COUNT(*) FROM objects WHERE project = $1 AND origin = 'upload' AND state = 'open'")
            .bind(project)
            .fetch_one(db)
            .await)?;
        Ok(row.0 as u64)
    }

    /// The client says that it has put it there: it is taken over. One that was said before stays as it is, except that
    /// one that could not be taken over, for no reason of its own, is tried again.
    pub async fn complete_incoming(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let now = now.as_microsecond();
        transaction!(self, tx => {
            let changed = exec!(
                tx,
                "UPDATE objects SET state = 'queued', queued_at = $2, ended_at = NULL WHERE id = $1 \
                 AND origin = 'upload' AND (state = 'open' OR (state = 'failed' AND refused_at IS NULL))",
                id,
                now
            );
            if changed > 0 {
                enqueue(tx, JobKind::Import, id, now, Priority::Elsewhere).await?;
            }
        });
        self.announce_work();
        Ok(())
    }

    /// One object.
    pub async fn object(&self, id: &str) -> Result<Object, StoreError> {
        let row: Option<Row> = query!(self, db =>
            sqlx::query_as("SELECT * FROM objects WHERE id = $1").bind(id).fetch_optional(db).await)?;
        row.ok_or_else(|| StoreError::NotFound { what: "object", id: id.to_owned() })?.read()
    }

    /// Objects that events told a project of, or all, newest first, in this state and before the one of this
    /// identifier.
    pub async fn objects(
        &self,
        project: Option<&str>,
        state: Option<ObjectState>,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Object>, StoreError> {
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(
            "SELECT * FROM objects WHERE origin = 'event' AND (CAST($1 AS TEXT) IS NULL OR state = $1) \
             AND (CAST($2 AS TEXT) IS NULL OR id < $2) AND (CAST($4 AS TEXT) IS NULL OR project = $4) \
             ORDER BY id DESC LIMIT $3")
            .bind(state.map(ObjectState::as_str))
            .bind(before)
            .bind(i64::from(limit))
            .bind(project)
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(Row::read).collect()
    }

    /// An object was taken over: this is its evidence, and the crash that was made of it.
    pub async fn finish_object(
        &self,
        lease: &Lease,
        id: &str,
        kind: EvidenceKind,
        blob: &str,
        crash: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = Timestamp::now().as_microsecond();
        transaction!(self, tx => {
            complete(tx, lease).await?;
            exec!(
                tx,
                "UPDATE objects SET state = 'done', problem = NULL, refused_at = NULL, kind = $2, blob_id = $3, \
                 crash_id = $4, ended_at = $5 WHERE id = $1",
                id,
                kind.as_str(),
                blob,
                crash,
                now
            );
        });
        Ok(())
    }

    /// What keeps an object from being taken over for now.
    pub async fn delay_object(&self, id: &str, problem: &str) -> Result<(), StoreError> {
        query!(self, db => sqlx::query("UPDATE objects SET problem = $2 WHERE id = $1 AND state = 'queued'")
            .bind(id)
            .bind(storable(problem))
            .execute(db)
            .await
            .map(drop))?;
        Ok(())
    }

    /// What clients were about to put into our own bucket and have not by `now`, and what of it is not kept there: what
    /// was taken over, and what is nothing that is taken. What failed for other reasons may be the only copy.
    pub async fn expired_incoming(&self, now: Timestamp, limit: u32) -> Result<Vec<Object>, StoreError> {
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(
            "SELECT * FROM objects WHERE expires_at <= $1 AND origin = 'upload' \
             AND (state IN ('open', 'done', 'expired') OR (state = 'failed' AND refused_at IS NOT NULL)) ORDER BY expires_at LIMIT $2")
            .bind(now.as_microsecond())
            .bind(i64::from(limit))
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(Row::read).collect()
    }

    /// An upload that was not completed by `now` has expired, and cannot be completed any more. `false`: it has not, so
    /// that its bytes may be needed.
    pub async fn expire_incoming(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let changed = query!(self, db => sqlx::query(
            "UPDATE objects SET state = 'expired' WHERE id = $1 AND state = 'open' AND expires_at <= $2")
            .bind(id)
            .bind(now.as_microsecond())
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// What was left of an upload in the bucket is removed.
    pub async fn cleaned_incoming(&self, id: &str) -> Result<(), StoreError> {
        query!(self, db => sqlx::query(
            "UPDATE objects SET expires_at = NULL WHERE id = $1 AND state IN ('done', 'failed', 'expired')")
            .bind(id)
            .execute(db)
            .await
            .map(drop))?;
        Ok(())
    }
}
