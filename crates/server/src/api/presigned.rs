//! Uploads straight into the bucket that evidence is in.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Extension, Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use jiff::Timestamp;
use panicle_blobs::{Bucket, Digest, ObjectError, ObjectVersion};
use panicle_store::{EvidenceKind, NewIncoming, Object, ObjectState, Scope};
use tokio::time::{Instant, sleep};

use crate::{
    AppState, Problem,
    access::{Caller, ProjectQuery, Target},
    extract::{Json, MaybeJson, Path},
    shapes::objects::{CompletePresigned, NewPresigned, Presigned, PresignedPart, PutPart},
    upload,
};

/// Up to this size it is put with one request.
const WHOLE_BYTES: u64 = 64 << 20;
/// Sizes of parts that S3 takes.
const PART_BYTES: std::ops::RangeInclusive<u64> = 5 << 20..=5 << 30;
/// Uploads of one project that are neither completed nor expired.
const MAX_OPEN: u64 = 1000;
/// Parts of an upload, of 10,000 that S3 takes: each has a URL in the answer.
const MOST_PARTS: u64 = 1000;
/// Signatures of AWS are valid for no longer.
const LONGEST: Duration = Duration::from_hours(7 * 24);
/// What was put in time may be completed later than that, by so much at most.
const GRACE: Duration = Duration::from_hours(1);
/// How long whoever completes an upload waits for what it becomes.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Start an upload straight into the bucket that evidence is in.
///
/// The answer has a URL to PUT the whole to, or one for each part. Complete it when all is there. Where evidence is kept
/// on a disk there is no such bucket: 409. Its size counts at once as what is sent on a day.
#[utoipa::path(post, operation_id = "createPresignedUpload", path = "/uploads/presigned", tag = "evidence", params(ProjectQuery),
    request_body = NewPresigned,
    responses((status = 201, body = Presigned),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Target(project): Target,
    Extension(caller): Extension<Caller>,
    Json(body): Json<NewPresigned>,
) -> Result<Response, Problem> {
    check_scope(&caller, body.kind)?;
    let bucket = bucket(&state)?;
    let limit = state.blobs.max_blob_bytes();
    if body.size_bytes == 0 {
        return Err(Problem::bad_request("size_bytes is 1 at least"));
    }
    if body.size_bytes > limit {
        let detail = format!("at most {limit} bytes are taken");
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The upload is too large",
            detail,
        ));
    }
    let sha256 = body.sha256.as_deref().map(str::parse::<Digest>).transpose();
    let sha256 = sha256.map_err(|_| Problem::bad_request("sha256 has to be 64 hexadecimal digits"))?;
    let part_bytes = part_bytes(body.size_bytes, body.part_size_bytes)?;

    // A few more, of requests at the same moment, do no harm.
    if state.store.open_incoming(&project).await? >= MAX_OPEN {
        let detail =
            format!("{MAX_OPEN} uploads into the bucket are open; complete them, or wait until some expire");
        let (slug, title) = ("too-many-uploads", "Too many uploads");
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, slug, title, detail));
    }
    state.access.charge(&caller, &project, body.size_bytes).await?;

    // Not to be guessed.
    let id = uuid::Uuid::new_v4().to_string();
    let key = bucket.incoming(&id);
    let valid = state.upload_expiry.clamp(Duration::from_secs(1), LONGEST);
    let until = Timestamp::now() + valid;
    let upload = match part_bytes {
        None => None,
        Some(_) => Some(bucket.begin_parts(&key).await.map_err(trouble)?),
    };
    let count = part_bytes.map_or(1, |bytes| body.size_bytes.div_ceil(bytes));
    let new = NewIncoming {
        id: id.clone(),
        project,
        bucket: bucket.url().bucket.clone(),
        key: key.clone(),
        kind: body.kind,
        name: body.name.as_deref().and_then(upload::clean_name),
        size_bytes: body.size_bytes,
        sha256: sha256.map(|digest| digest.to_string()),
        upload: upload.clone().map(|upload| (upload, count)),
        expires_at: until + valid.min(GRACE),
    };
    let object = state.store.create_incoming(&new).await?;
    let mut answer = shape(&state, object).await?;
    answer.expires_at = Some(until);
    match (upload, part_bytes) {
        (Some(upload), Some(bytes)) => {
            for number in 1..=count {
                let url = bucket
                    .signed_put(&key, Some((&upload, number as usize)), valid)
                    .await
                    .map_err(trouble)?;
                let offset = (number - 1) * bytes;
                let size_bytes = bytes.min(body.size_bytes - offset);
                answer.parts.push(PresignedPart { number, url, offset, size_bytes });
            }
        }
        _ => answer.url = Some(bucket.signed_put(&key, None, valid).await.map_err(trouble)?),
    }
    let location = format!("/api/v1/uploads/presigned/{id}");
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, headers, Answer(answer)).into_response())
}

/// Where an upload straight into the bucket stands.
#[utoipa::path(get, operation_id = "getPresignedUpload", path = "/uploads/presigned/{id}", tag = "evidence",
    params(("id" = String, Path)),
    responses((status = 200, body = Presigned),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Answer<Presigned>, Problem> {
    let object = incoming(&state, &id).await?;
    Ok(Answer(shape(&state, object).await?))
}

/// Say that an upload is in the bucket.
///
/// Its bytes are read and checked, and become evidence as if they had been put here: 201 with the evidence. Where that
/// takes longer than a few seconds, 202, and `GET` says when it is done. The same request again does no harm.
#[utoipa::path(post, operation_id = "completePresignedUpload", path = "/uploads/presigned/{id}/complete", tag = "evidence",
    params(("id" = String, Path)), request_body = Option<CompletePresigned>,
    responses((status = 201, body = Presigned, description = "It is evidence"),
        (status = 202, body = Presigned, description = "It is being taken over"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn complete(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    MaybeJson(body): MaybeJson<CompletePresigned>,
) -> Result<Response, Problem> {
    let mut object = incoming(&state, &id).await?;
    check_scope(&caller, object.kind.unwrap_or(EvidenceKind::Core))?;
    if object.state == ObjectState::Failed {
        // What failed for no reason of its own is tried again.
        state.store.complete_incoming(&id, Timestamp::now()).await?;
    }
    if object.state == ObjectState::Open {
        if object.expires_at.is_some_and(|end| end <= Timestamp::now()) {
            return Err(expired());
        }
        check_there(&bucket(&state)?, &object, body.parts).await?;
        state.store.complete_incoming(&id, Timestamp::now()).await?;
    }
    let started = Instant::now();
    loop {
        object = state.store.object(&id).await?;
        let status = match object.state {
            ObjectState::Done => StatusCode::CREATED,
            ObjectState::Failed => {
                let detail = object.problem.unwrap_or_else(|| "it could not be taken over".to_owned());
                let title = "The upload is no evidence";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "upload-refused", title, detail));
            }
            ObjectState::Expired => return Err(expired()),
            _ if started.elapsed() > PATIENCE => StatusCode::ACCEPTED,
            _ => {
                sleep(LOOK_EVERY).await;
                continue;
            }
        };
        return Ok((status, Answer(shape(&state, object).await?)).into_response());
    }
}

/// The size of parts; `None` for an upload with one request.
fn part_bytes(size: u64, asked: Option<u64>) -> Result<Option<u64>, Problem> {
    let least = size.div_ceil(MOST_PARTS).next_multiple_of(1 << 20);
    match asked {
        None if size <= WHOLE_BYTES => Ok(None),
        None => Ok(Some(least.max(WHOLE_BYTES))),
        Some(asked) if !PART_BYTES.contains(&asked) || size.div_ceil(asked) > MOST_PARTS => {
            let (first, last) = (PART_BYTES.start(), PART_BYTES.end());
            Err(Problem::bad_request(format!(
                "part_size_bytes is from {first} to {last}, and there are {MOST_PARTS} parts at most"
            )))
        }
        Some(asked) => Ok(Some(asked)),
    }
}

/// Makes the object whole, and refuses what is not there or of another size.
async fn check_there(bucket: &Bucket, object: &Object, mut parts: Vec<PutPart>) -> Result<(), Problem> {
    let mut found = bucket.object(&object.key, &ObjectVersion::default()).await;
    // With a client's own credentials.
    let was_put_whole = found.is_ok();
    if let (Some((upload, count)), Err(ObjectError::NotThere { .. })) = (&object.upload, &found) {
        parts.sort_by_key(|part| part.number);
        let numbers = parts.iter().map(|part| part.number);
        if !numbers.eq(1..=*count) || parts.iter().any(|part| part.etag.is_empty() || part.etag.len() > 200) {
            return Err(Problem::bad_request(format!(
                "all {count} parts are needed, each with its number and etag"
            )));
        }
        let etags: Vec<String> = parts.into_iter().map(|part| part.etag).collect();
        if !bucket.complete_parts(&object.key, upload, &etags).await.map_err(trouble)? {
            let (slug, title) = ("parts-do-not-fit", "The parts are not those that were put");
            let detail = "the store has no such parts; put them again, and say the ETag of each answer";
            return Err(Problem::new(StatusCode::CONFLICT, slug, title, detail));
        }
        found = bucket.object(&object.key, &ObjectVersion::default()).await;
    }
    let found = match found {
        Err(ObjectError::NotThere { .. }) => {
            let detail = "nothing was put to the upload's URL yet";
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "not-there-yet",
                "The upload is not there",
                detail,
            ));
        }
        found => found.map_err(trouble)?,
    };
    match object.size_bytes {
        Some(size) if size != found.size_bytes() => Err(Problem::new(
            StatusCode::CONFLICT,
            "size-mismatch",
            "The upload has another size",
            format!("{size} bytes were announced, and {} are there", found.size_bytes()),
        )),
        _ => {
            if let (true, Some((upload, _))) = (was_put_whole, &object.upload)
                && let Err(error) = bucket.abort_parts(&object.key, upload).await
            {
                // It ends by itself where the bucket has a rule for that; what was put is there.
                tracing::warn!(%error, upload = object.id, "parts that are not needed stay in the bucket");
            }
            Ok(())
        }
    }
}

fn check_scope(caller: &Caller, kind: EvidenceKind) -> Result<(), Problem> {
    if kind == EvidenceKind::Binary { Ok(()) } else { caller.need(&[Scope::Ingest]) }
}

fn bucket(state: &AppState) -> Result<Bucket, Problem> {
    state.blobs.bucket().ok_or_else(|| {
        let detail =
            "evidence is kept on a disk here; send it with PUT /api/v1/blobs or POST /api/v1/uploads";
        Problem::new(StatusCode::CONFLICT, "no-bucket", "There is no bucket to upload to", detail)
    })
}

async fn incoming(state: &AppState, id: &str) -> Result<Object, Problem> {
    let object = state.store.object(id).await?;
    if object.of_event {
        return Err(Problem::not_found(format!("there is no upload {id}")));
    }
    Ok(object)
}

async fn shape(state: &AppState, object: Object) -> Result<Presigned, Problem> {
    let evidence = match &object.blob_id {
        Some(blob) => Some(state.store.evidence_in(&object.project, blob).await?.into()),
        None => None,
    };
    Ok(Presigned {
        complete_url: format!("/api/v1/uploads/presigned/{}/complete", object.id),
        id: object.id,
        state: object.state,
        kind: object.kind.unwrap_or(EvidenceKind::Core),
        size_bytes: object.size_bytes.unwrap_or_default(),
        bucket: object.bucket,
        key: object.key,
        method: "PUT",
        url: None,
        headers: BTreeMap::new(),
        parts: Vec::new(),
        expires_at: object.expires_at,
        evidence,
        problem: object.problem,
    })
}

fn expired() -> Problem {
    let detail = "nothing was put there in time; start another upload";
    Problem::new(StatusCode::GONE, "upload-expired", "The upload has expired", detail)
}

fn trouble(error: ObjectError) -> Problem {
    match error {
        ObjectError::Store(error) => error.into(),
        error => Problem::internal(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::part_bytes;

    #[test]
    fn large_uploads_are_in_parts_of_which_there_are_not_too_many() {
        const MIB: u64 = 1 << 20;
        assert_eq!(part_bytes(64 * MIB, None).unwrap(), None);
        assert_eq!(part_bytes(64 * MIB + 1, None).unwrap(), Some(64 * MIB));
        let large = 256 << 30;
        let bytes = part_bytes(large, None).unwrap().unwrap();
        assert!(large.div_ceil(bytes) <= 1000 && bytes.is_multiple_of(MIB));
        assert_eq!(part_bytes(7 * MIB, Some(5 * MIB)).unwrap(), Some(5 * MIB));
        assert!(part_bytes(7 * MIB, Some(MIB)).is_err() && part_bytes(large, Some(5 * MIB)).is_err());
    }
}
