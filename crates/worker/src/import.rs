//! Takes objects of buckets over as evidence: what events told of, and what clients put into our own bucket.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use panicle_blobs::{
    BlobError, BlobStore, Bucket, Digest, Ingested, ObjectError, ObjectReader, ObjectVersion, Reference,
    S3Source, Take,
};
use panicle_sandbox::Stopped;
use panicle_store::{
    EvidenceKind, Job, MAX_NAME, NewBlob, NewCrash, NewEvidence, Object, ObjectState, StoreError,
};
use sha2::{Digest as _, Sha256};
use tokio::{runtime::Handle, time::timeout};

use crate::{JobError, Worker, away::SOURCE_AWAY, names::base_name, tend::Tended};

/// Tells what some bytes are the beginning of, of this kind if it is said, in a file of this name; or why they are
/// nothing that is taken.
pub type Sniff = fn(Option<EvidenceKind>, &[u8], Option<&str>) -> Result<EvidenceKind, String>;

/// Between two looks for an object that is not there yet, or whose store is away.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);
/// How often what cannot be interrupted is asked whether it is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Objects that are cleaned up at a time.
const BATCH: u32 = 100;

/// Why an object is not evidence.
enum Trouble {
    /// It may go well later.
    Later(String),
    /// Its store does not answer.
    Away(String),
    /// It will not.
    Final(String),
    /// Another object is in its place.
    Changed(String),
    Job(JobError),
}

impl<E: Into<JobError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Job(error.into())
    }
}

impl From<ObjectError> for Trouble {
    fn from(error: ObjectError) -> Self {
        match error {
            // Events are faster than some stores' own lists.
            ObjectError::Store(BlobError::Unavailable { .. }) => Self::Away(error.to_string()),
            ObjectError::NotThere { .. } | ObjectError::Store(_) => Self::Later(error.to_string()),
            ObjectError::Changed { .. } => Self::Changed(error.to_string()),
            ObjectError::Key(_) => Self::Final(error.to_string()),
        }
    }
}

/// An object whose bytes are ours.
struct Taken {
    kind: EvidenceKind,
    name: Option<String>,
    ingested: Ingested,
}

impl Worker {
    /// Takes an object over, and makes a crash of what an event told of.
    pub(crate) async fn import(&self, job: &Job, tended: &Tended) -> Result<(), JobError> {
        let object = self.inner.store.object(&job.subject).await?;
        let sources = &self.inner.sources_away;
        if object.of_event && !sources.may_ask(&object.source, SOURCE_AWAY) {
            // There is other work. Nobody has looked for this one, so that its time does not run.
            let problem = format!("the store of the source {} did not answer lately", object.source);
            return self.delay_import(job, &object, &problem).await;
        }
        let taken = self.take_over(&object, job, tended).await;
        if object.of_event {
            match &taken {
                Err(Trouble::Away(_)) => sources.note(&object.source, SOURCE_AWAY),
                Err(Trouble::Job(_)) => {}
                _ => sources.answers(&object.source),
            }
        }
        match taken {
            Ok(()) => Ok(()),
            Err(Trouble::Job(error)) => Err(error),
            Err(Trouble::Final(problem)) => Ok(self.give_up_object(job, &object, &problem, true).await?),
            // An event was about the one that was there. What a client puts anew is what it wants to be taken.
            Err(Trouble::Changed(problem)) if object.of_event => {
                Ok(self.give_up_object(job, &object, &problem, true).await?)
            }
            Err(Trouble::Later(problem) | Trouble::Away(problem) | Trouble::Changed(problem)) => {
                let now = Timestamp::now();
                let since = self.inner.store.waits_since(&job.lease, now).await?;
                if now.duration_since(since).unsigned_abs() > self.inner.settings.object_patience {
                    return Ok(self.give_up_object(job, &object, &problem, false).await?);
                }
                self.delay_import(job, &object, &problem).await
            }
        }
    }

    /// It is looked for later, and the less often, the longer it has been so.
    async fn delay_import(&self, job: &Job, object: &Object, problem: &str) -> Result<(), JobError> {
        tracing::info!(object = object.id, key = object.key, problem, "an object is not taken over yet");
        self.inner.store.delay_object(&object.id, problem).await?;
        // An upload may have taken a day before it was complete.
        let since = object.queued_at.unwrap_or(object.created_at);
        let now = Timestamp::now();
        let pause = now.duration_since(since).unsigned_abs().clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        Ok(self.inner.store.retry(job, problem, now + pause, true).await?)
    }

    /// `is_final`: for what it is, so that its bytes are of no use.
    async fn give_up_object(
        &self,
        job: &Job,
        object: &Object,
        problem: &str,
        is_final: bool,
    ) -> Result<(), StoreError> {
        tracing::warn!(
            object = object.id,
            bucket = object.bucket,
            key = object.key,
            problem,
            is_final,
            "an object is not evidence"
        );
        metrics::counter!("panicle_objects_total", "ended" => "failed").increment(1);
        let title = "The object cannot be taken over";
        if is_final {
            return self.inner.store.refuse(job, title, problem).await;
        }
        self.inner.store.fail(job, title, problem).await
    }

    async fn take_over(&self, object: &Object, job: &Job, tended: &Tended) -> Result<(), Trouble> {
        let store = &self.inner.store;
        let (bucket, source) = self.bucket_of(object)?;
        // Whoever stops this worker does not wait for a store that is away.
        let reader = unless(&tended.called_off(), open(&bucket, object)).await??;
        if let Some(size) = object.size_bytes.filter(|&size| size != reader.size_bytes()) {
            return Err(Trouble::Final(format!(
                "it has {} bytes, and not {size} as was said",
                reader.size_bytes()
            )));
        }
        let place = match source {
            Some(source) if source.take == Take::Reference => Some(reference_to(&reader, object, source)?),
            _ => None,
        };
        let taken = self.fetch_object(reader, object, place, tended).await?;
        let blob = NewBlob {
            id: taken.ingested.digest.to_string(),
            kind: taken.kind,
            name: taken.name,
            size_bytes: taken.ingested.size_bytes,
            stored_bytes: taken.ingested.stored_bytes,
        };
        store.record_blob(&blob, &object.project).await?;
        self.still_there(taken.ingested.digest).await?;
        let crash = match source {
            Some(source) if taken.kind != EvidenceKind::Binary => {
                Some(store.create_crash(&crash_of(object, source, &blob)).await?.id)
            }
            _ => None,
        };
        store.finish_object(&job.lease, &object.id, blob.kind, &blob.id, crash.as_deref()).await?;
        metrics::counter!("panicle_objects_total", "ended" => "done").increment(1);
        tracing::info!(
            object = object.id,
            key = object.key,
            blob = blob.id,
            crash,
            "an object is evidence now"
        );
        if source.is_none()
            && let Err(error) = bucket.remove(&object.key).await
        {
            // It goes when it expires.
            tracing::warn!(%error, "what a client put into our bucket stays there for now");
        }
        Ok(())
    }

    /// The bucket that an object is in, and the source that it is of, if it is not our own.
    fn bucket_of(&self, object: &Object) -> Result<(Bucket, Option<&S3Source>), Trouble> {
        if !object.of_event {
            let bucket = self.inner.cache.blobs().bucket();
            let bucket =
                bucket.ok_or_else(|| Trouble::Later("evidence is not in a bucket here".to_owned()))?;
            return Ok((bucket, None));
        }
        let found = self.inner.settings.sources.iter().find(|(source, _)| source.name == object.source);
        let (source, bucket) =
            found.ok_or_else(|| Trouble::Later(format!("this worker knows no source {}", object.source)))?;
        Ok((bucket.clone(), Some(source)))
    }

    /// Streams an object to where evidence is kept; one that stays at `place` is only read.
    async fn fetch_object(
        &self,
        reader: ObjectReader,
        object: &Object,
        place: Option<Reference>,
        tended: &Tended,
    ) -> Result<Taken, Trouble> {
        let name = object.name.clone().or_else(|| base_name(&object.key));
        let expected = object.sha256.as_deref().map(str::parse::<Digest>).transpose();
        let expected = expected.map_err(|_| Trouble::Final("its SHA-256 is none".to_owned()))?;
        let (kind, sniff) = (object.kind, self.inner.settings.sniff);
        let (blobs, called_off) = (self.inner.cache.blobs().clone(), tended.called_off());
        let handle = Handle::current();
        let stopped = tended.called_off();
        let copying = tokio::task::spawn_blocking(move || {
            let sniff = |head: &[u8]| sniff(kind, head, name.as_deref());
            let (kind, ingested) = match place {
                Some(place) => refer(reader, &blobs, &handle, &place, &called_off, sniff),
                None => copy(reader, &blobs, &handle, expected, &called_off, sniff),
            }?;
            Ok(Taken { kind, name, ingested })
        });
        unless(&stopped, copying)
            .await?
            .map_err(|error| JobError::from(Stopped::Output(format!("a defect in the worker: {error}"))))?
    }

    /// Deleted by policy since it was stored: then it has to be stored again.
    async fn still_there(&self, digest: Digest) -> Result<(), JobError> {
        let blobs = self.inner.cache.blobs().clone();
        let there = tokio::task::spawn_blocking(move || blobs.contains(&digest)).await;
        if there.map_err(|error| Stopped::Output(error.to_string()))?? {
            return Ok(());
        }
        let what = "storing evidence".to_owned();
        Err(BlobError::Unavailable { what, reason: "it was deleted at this moment".to_owned() }.into())
    }

    /// Removes what clients put into our bucket, or began to, and that nobody waits for any more.
    pub(crate) async fn expire_incoming(&self) -> Result<(), StoreError> {
        let Some(bucket) = self.inner.cache.blobs().bucket() else { return Ok(()) };
        let now = Timestamp::now();
        for object in self.inner.store.expired_incoming(now, BATCH).await? {
            // First, so that it is not completed while it goes.
            if object.state == ObjectState::Open && !self.inner.store.expire_incoming(&object.id, now).await?
            {
                continue;
            }
            let removed = async {
                if let Some((upload, _)) = &object.upload {
                    bucket.abort_parts(&object.key, upload).await?;
                }
                bucket.remove(&object.key).await
            };
            match removed.await {
                Ok(()) => self.inner.store.cleaned_incoming(&object.id).await?,
                Err(error) => {
                    tracing::warn!(%error, object = object.id, "an upload that expired stays for now");
                }
            }
        }
        Ok(())
    }
}

/// What becomes of `work`, unless it is called off before.
async fn unless<T>(called_off: &AtomicBool, work: impl Future<Output = T>) -> Result<T, Trouble> {
    let mut work = pin!(work);
    loop {
        match timeout(LOOK_EVERY, &mut work).await {
            Ok(done) => return Ok(done),
            Err(_) if called_off.load(Ordering::Relaxed) => {
                return Err(Trouble::Job(Stopped::Cancelled.into()));
            }
            Err(_) => {}
        }
    }
}

/// The next bytes of an object, on a thread that may block.
fn next(
    reader: &mut ObjectReader,
    handle: &Handle,
    called_off: &AtomicBool,
) -> Result<Option<Bytes>, Trouble> {
    // Also while the store is slow enough for nothing to come.
    if called_off.load(Ordering::Relaxed) {
        return Err(Trouble::Job(Stopped::Cancelled.into()));
    }
    Ok(handle.block_on(unless(called_off, reader.next()))??)
}

async fn open(bucket: &Bucket, object: &Object) -> Result<ObjectReader, Trouble> {
    let version = ObjectVersion { id: object.version_id.clone(), etag: object.etag.clone() };
    let mut opened = bucket.object(&object.key, &version).await;
    if object.raw_key != object.key && matches!(opened, Err(ObjectError::NotThere { .. })) {
        // Not every store encodes the keys of its events.
        opened = bucket.object(&object.raw_key, &version).await;
    }
    match opened {
        Err(ObjectError::NotThere { .. }) if object.removed_at.is_some() => {
            Err(Trouble::Final("it was removed before it could be taken over".to_owned()))
        }
        opened => Ok(opened?),
    }
}

fn copy(
    mut reader: ObjectReader,
    blobs: &BlobStore,
    handle: &Handle,
    expected: Option<Digest>,
    called_off: &AtomicBool,
    sniff: impl FnOnce(&[u8]) -> Result<EvidenceKind, String>,
) -> Result<(EvidenceKind, Ingested), Trouble> {
    let mut piece = next(&mut reader, handle, called_off)?;
    let kind = sniff(piece.as_deref().unwrap_or_default()).map_err(Trouble::Final)?;
    let stored = |error: BlobError| match error {
        BlobError::TooLarge { .. } | BlobError::DigestMismatch { .. } => Trouble::Final(error.to_string()),
        BlobError::DiskLow { .. } => Trouble::Later(error.to_string()),
        error => Trouble::Job(error.into()),
    };
    let mut ingest = blobs.begin_announced(Some(reader.size_bytes())).map_err(stored)?;
    while let Some(bytes) = piece {
        ingest.write(&bytes).map_err(stored)?;
        piece = next(&mut reader, handle, called_off)?;
    }
    Ok((kind, ingest.finish(expected).map_err(stored)?))
}

/// Which object it is that stays where it is.
fn reference_to(reader: &ObjectReader, object: &Object, source: &S3Source) -> Result<Reference, Trouble> {
    let etag = reader.etag().filter(|etag| !etag.is_empty());
    let etag = etag.ok_or_else(|| {
        Trouble::Final(
            "its store says no entity tag, without which nobody can tell whether it is changed".to_owned(),
        )
    })?;
    Ok(Reference {
        source: source.name.clone(),
        bucket: object.bucket.clone(),
        key: reader.key().to_owned(),
        version_id: object.version_id.clone(),
        etag: etag.to_owned(),
        size_bytes: reader.size_bytes(),
    })
}

/// Reads an object once and notes where it is.
fn refer(
    mut reader: ObjectReader,
    blobs: &BlobStore,
    handle: &Handle,
    place: &Reference,
    called_off: &AtomicBool,
    sniff: impl FnOnce(&[u8]) -> Result<EvidenceKind, String>,
) -> Result<(EvidenceKind, Ingested), Trouble> {
    let limit = blobs.max_blob_bytes();
    if place.size_bytes > limit {
        return Err(Trouble::Final(BlobError::TooLarge { limit }.to_string()));
    }
    let mut piece = next(&mut reader, handle, called_off)?;
    let kind = sniff(piece.as_deref().unwrap_or_default()).map_err(Trouble::Final)?;
    let mut hash = Sha256::new();
    while let Some(bytes) = piece {
        hash.update(&bytes);
        piece = next(&mut reader, handle, called_off)?;
    }
    let digest = Digest::from_bytes(hash.finalize().into());
    let new = !blobs.contains(&digest)?;
    if new || is_lost(blobs, &digest)? {
        blobs.keep_reference(&digest, place)?;
    }
    Ok((kind, Ingested { digest, size_bytes: place.size_bytes, stored_bytes: 0, new }))
}

/// Whether bytes are noted at a place where they cannot be had any more. A place that serves is not given up for another
/// one: that may be somebody else's, who removes it sooner.
fn is_lost(blobs: &BlobStore, digest: &Digest) -> Result<bool, BlobError> {
    Ok(blobs.reference(digest)?.is_some() && blobs.reader(digest).is_err())
}

fn crash_of(object: &Object, source: &S3Source, blob: &NewBlob) -> NewCrash {
    let labels = [("bucket", &object.bucket), ("object", &object.key)];
    let labels: BTreeMap<String, String> = labels
        .into_iter()
        .filter(|(_, value)| value.len() <= MAX_NAME)
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    NewCrash {
        evidence: vec![NewEvidence { id: blob.id.clone(), kind: blob.kind }],
        service: source.service.clone(),
        labels,
        project: Some(object.project.clone()),
        ..NewCrash::default()
    }
}
