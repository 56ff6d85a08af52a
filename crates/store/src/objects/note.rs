//! Which object an event is about, and what follows from it.

use super::{NewObject, Noted};
use crate::{
    JobKind, ObjectState, StoreError,
    jobs::{Priority, enqueue},
    projects::within,
    tx::Tx,
};

/// Whether what happened at `removal` happened after `event`; where one of them is not known, it did.
///
/// S3's documentation of event messages: sequencers of one key are compared as hexadecimal numbers, the shorter one
/// filled up with zeros at its right.
pub(super) fn is_after(removal: Option<&str>, event: Option<&str>) -> bool {
    let (Some(removal), Some(event)) = (removal, event) else { return true };
    let width = removal.len().max(event.len());
    let filled = |text: &str| format!("{:0<width$}", text.to_ascii_uppercase());
    filled(removal) > filled(event)
}

/// What tells the objects apart that a key has had; empty where the event says nothing of it.
fn version(object: &NewObject) -> String {
    let version = match (&object.version_id, &object.etag, &object.sequencer) {
        (Some(version), ..) | (None, Some(version), _) => version.clone(),
        // One that takes its place is put there later.
        (None, None, Some(sequencer)) => format!("put at {}", sequencer.to_ascii_uppercase()),
        (None, None, None) => String::new(),
    };
    // Whoever tells of it must not name another project with it.
    version.chars().filter(|one| !one.is_control()).collect()
}

pub(super) async fn note(tx: &mut Tx, object: &NewObject, now: i64) -> Result<Noted, StoreError> {
    let id = uuid::Uuid::now_v7().to_string();
    let version = version(object);
    let size = object.size_bytes.map(|size| size as i64);
    if version.is_empty() {
        // Whether it is the one that was taken over, nobody can say but who reads it.
        exec!(
            tx,
            "UPDATE objects SET version = CAST($4 AS TEXT) || id WHERE source = $1 AND object_key = $2 \
             AND version = $3 AND (state = 'done' OR (state = 'queued' AND size_bytes <> CAST($5 AS BIGINT)))",
            &object.source,
            &object.key,
            within(&object.project, ""),
            within(&object.project, "told of before "),
            size
        );
    }
    let version = within(&object.project, &version);
    let removals: Vec<(Option<String>, i64)> = all!(
        tx,
        "SELECT sequencer, removed_at FROM removed_objects WHERE source = $1 AND object_key = $2 \
         AND (version_id = '' OR version_id = $3)",
        within(&object.project, &object.source),
        &object.key,
        object.version_id.as_deref().unwrap_or_default()
    );
    // Without sequencers nobody knows whether it was put there anew.
    let removed = removals.into_iter().find(|(removal, _)| {
        removal.is_some()
            && object.sequencer.is_some()
            && is_after(removal.as_deref(), object.sequencer.as_deref())
    });
    let inserted = exec!(
        tx,
        "INSERT INTO objects (id, project, origin, source, bucket, object_key, raw_key, version, version_id, etag, \
         size_bytes, sequencer, state, created_at, queued_at, removed_at) \
         VALUES ($1, $2, 'event', $3, $4, $5, $6, $7, $8, $9, $10, $11, 'queued', $12, $12, $13) \
         ON CONFLICT (source, object_key, version) DO NOTHING",
        &id,
        &object.project,
        &object.source,
        &object.bucket,
        &object.key,
        &object.raw_key,
        &version,
        &object.version_id,
        &object.etag,
        size,
        &object.sequencer,
        now,
        removed.map(|removal| removal.1)
    );
    if inserted > 0 {
        enqueue(tx, JobKind::Import, &id, now, Priority::Elsewhere).await?;
        return Ok(Noted { id, new: true });
    }
    let known: Known = first!(
        tx,
        "SELECT id, state, size_bytes, etag, raw_key, sequencer FROM objects \
         WHERE source = $1 AND object_key = $2 AND version = $3",
        &object.source,
        &object.key,
        &version
    )
    .ok_or(StoreError::Conflict)?;
    tell_again(tx, object, &known, now).await?;
    Ok(Noted { id: known.id, new: false })
}

/// What is known of an object that is told of once more.
#[derive(sqlx::FromRow)]
struct Known {
    id: String,
    state: String,
    size_bytes: Option<i64>,
    etag: Option<String>,
    raw_key: String,
    sequencer: Option<String>,
}

/// One that could not be taken over may be there now, and is what the last event says of it: the one before may have
/// been wrong.
async fn tell_again(tx: &mut Tx, object: &NewObject, known: &Known, now: i64) -> Result<(), StoreError> {
    let is_older = object.sequencer.is_some()
        && known.sequencer.is_some()
        && is_after(known.sequencer.as_deref(), object.sequencer.as_deref());
    let size = object.size_bytes.map(|size| size as i64);
    let is_other = !is_older
        && (size.is_some_and(|size| known.size_bytes != Some(size))
            || (object.etag.is_some() && object.etag != known.etag)
            || object.raw_key != known.raw_key);
    let is_failed = known.state == ObjectState::Failed.as_str();
    if is_other {
        exec!(
            tx,
            "UPDATE objects SET size_bytes = COALESCE($2, size_bytes), etag = COALESCE($3, etag), raw_key = $4, \
             sequencer = COALESCE($5, sequencer) WHERE id = $1 AND state IN ('queued', 'failed')",
            &known.id,
            size,
            &object.etag,
            &object.raw_key,
            &object.sequencer
        );
    }
    // Somebody else may have said so since it was looked at.
    let again = if is_failed {
        exec!(
            tx,
            "UPDATE objects SET state = 'queued', queued_at = $2, ended_at = NULL, refused_at = NULL, \
             removed_at = NULL WHERE id = $1 AND state = 'failed'",
            &known.id,
            now
        ) > 0
    } else {
        // Whoever is at it has read what the event before said.
        is_other && known.state == ObjectState::Queued.as_str()
    };
    if again {
        enqueue(tx, JobKind::Import, &known.id, now, Priority::Elsewhere).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_after;

    #[test]
    fn sequencers_are_compared_as_s3_says() {
        assert!(is_after(Some("0055AED6DCD90281E6"), Some("0055AED6DCD90281E5")));
        assert!(is_after(Some("0055AED6DCD90281E51"), Some("0055aed6dcd90281e5")));
        assert!(!is_after(Some("0055AED6DCD90281E5"), Some("0055AED6DCD90281E5")));
        assert!(!is_after(Some("0055AED6DCD90281E5"), Some("0055AED6DCD90281E500")));
        assert!(is_after(None, Some("0")) && is_after(Some("0"), None));
    }
}
