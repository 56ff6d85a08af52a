//! Uploads that come in several requests, and go on after any of them broke off.
//!
//! What comes is cut into pieces. A piece is durable in the blob store's spool before the database counts
//! it, and only what the database counts is ever acknowledged. The last piece is counted together with the
//! blob that the upload became: an upload that has all its bytes is one that has been taken over.

mod finish;
mod hold;
mod incoming;

use std::time::Duration;

use axum::body::Body;
use bytes::BytesMut;
use futures_util::TryStreamExt;
use http::StatusCode;
use jiff::Timestamp;
use panicle_blobs::{BlobError, PIECE_BYTES};
use panicle_store::{OpenUploads, StoreError, Upload, UploadPiece};
use tokio_util::io::StreamReader;

use self::{finish::finish, hold::Hold, incoming::Incoming};
use crate::{
    AppState, Problem,
    api::crashes,
    tus::{self, Checksum, Metadata},
    upload,
};

/// Uploads at most that are not complete.
const MAX_OPEN: OpenUploads = OpenUploads { all: 10_000, of_project: 2_500 };
/// Pieces of one upload at most. Whoever sends few bytes at a time would fill the spool with files.
const MAX_PIECES: usize = 100_000;
/// Pieces that nobody counts are what a process left behind that was killed.
const ORPHAN_AGE: Duration = Duration::from_hours(24);

/// What one request adds to an upload.
pub(crate) struct Part {
    /// Where it begins.
    pub(crate) offset: u64,
    /// The size of the whole, if this request says it.
    pub(crate) size: Option<u64>,
    /// Its own length, if it says so.
    pub(crate) length: Option<u64>,
    pub(crate) checksum: Option<Checksum>,
    pub(crate) body: Body,
}

/// Starts an upload.
pub(crate) async fn create(
    state: &AppState,
    project: &str,
    metadata: &str,
    size: Option<u64>,
) -> Result<Upload, Problem> {
    let read: Metadata = metadata.parse()?;
    if let Some(crash) = read.crash {
        // Better before all its bytes have come.
        crashes::checked_facts(&crash, None)?;
    }
    check_size(state, size)?;
    let blobs = state.blobs.clone();
    blocking(move || {
        // Before anything of it comes; the room is kept while its requests are under way.
        blobs.reserve(size).map(drop)?;
        Ok::<_, Problem>(blobs.begin_piece().map(drop)?)
    })
    .await?;
    let expires = tus::after(state.upload_expiry);
    state.store.create_upload(project, metadata, size, expires, MAX_OPEN).await?.ok_or_else(|| {
        let OpenUploads { all, of_project } = MAX_OPEN;
        let detail = format!("{all} uploads are under way, or {of_project} of this project; try again later");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-uploads", "Too many uploads", detail)
    })
}

fn check_size(state: &AppState, size: Option<u64>) -> Result<(), Problem> {
    let limit = state.blobs.max_blob_bytes();
    match size {
        Some(0) => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "empty-body",
            "There is nothing in it",
            "the upload has no bytes",
        )),
        Some(size) if size > limit => Err(BlobError::TooLarge { limit }.into()),
        _ => Ok(()),
    }
}

/// An upload that is there and has not expired.
pub(crate) async fn find(state: &AppState, id: &str) -> Result<Upload, Problem> {
    let upload = state.store.upload(id).await?;
    if upload.expires_at < Timestamp::now() {
        let title = "The upload was given up";
        let detail = format!("nothing came of {id} for too long; start it again");
        return Err(Problem::new(StatusCode::GONE, "upload-expired", title, detail));
    }
    Ok(upload)
}

/// Adds to an upload, to its end if the client stays so long. What came before the client went is kept.
pub(crate) async fn append(state: AppState, id: String, part: Part) -> Result<Upload, Problem> {
    // On a task of its own, so that a client who goes away does not stop it in the middle.
    let work = tokio::spawn(async move {
        find(&state, &id).await?;
        let hold = Hold::take(&state, &id).await?;
        let outcome = take(&state, &hold, part).await;
        hold.release().await;
        outcome?;
        Ok(state.store.upload(&id).await?)
    });
    work.await.map_err(|error| Problem::internal(error.to_string()))?
}

/// Gives an upload up.
pub(crate) async fn terminate(state: &AppState, id: &str) -> Result<(), Problem> {
    state.store.upload(id).await?;
    let hold = Hold::take(state, id).await?;
    forget(state, &hold).await
}

/// Forgets a held upload and its pieces.
async fn forget(state: &AppState, hold: &Hold) -> Result<(), Problem> {
    let pieces = state.store.upload_pieces(&hold.id).await?;
    state.store.delete_upload(&hold.id, &hold.holder).await.map_err(lost)?;
    discard(state, pieces.into_iter().map(|piece| piece.name).collect()).await;
    Ok(())
}

/// Takes pieces away. What stays is found a day later.
async fn discard(state: &AppState, names: Vec<String>) {
    let blobs = state.blobs.clone();
    let removing =
        blocking(move || names.iter().try_for_each(|name| blobs.remove_piece(name)).map_err(Problem::from));
    if let Err(problem) = removing.await {
        tracing::warn!(?problem, "pieces of an upload stay for a day");
    }
}

async fn take(state: &AppState, hold: &Hold, part: Part) -> Result<(), Problem> {
    let upload = find(state, &hold.id).await?;
    if part.offset != upload.received_bytes {
        let detail = format!("Upload-Offset is {}, and it has {} bytes", part.offset, upload.received_bytes);
        return Err(conflict(detail));
    }
    let size = match (upload.size_bytes, part.size) {
        (None, Some(size)) => {
            check_size(state, Some(size))?;
            if size < upload.received_bytes {
                return Err(conflict(format!("it has {} bytes already", upload.received_bytes)));
            }
            // With its last byte it is counted together with the blob: one that has all its bytes has been taken over.
            if size > upload.received_bytes {
                state.store.size_upload(&hold.id, &hold.holder, size).await.map_err(lost)?;
            }
            Some(size)
        }
        (Some(known), Some(size)) if known != size => {
            return Err(conflict(format!("Upload-Length was {known} before")));
        }
        (size, _) => size,
    };
    if upload.blob_id.is_some() {
        // Complete; there is nothing that could be added.
        return if part.length.unwrap_or(0) == 0 { Ok(()) } else { Err(too_long()) };
    }
    let mut pieces = state.store.upload_pieces(&hold.id).await?;
    let mut incoming = Incoming {
        room: size.unwrap_or(state.blobs.max_blob_bytes()).saturating_sub(upload.received_bytes),
        checksum: part.checksum,
        reader: StreamReader::new(part.body.into_data_stream().map_err(std::io::Error::other)),
        read: BytesMut::new(),
        over: false,
        pace: upload::Pace::start(),
        came: 0,
    };
    if part.length.is_some_and(|length| length > incoming.room) {
        upload::drain(&mut incoming.reader).await;
        return Err(too_long());
    }

    let ready = match state.writing() {
        Ok(slot) => {
            let announced = size.map(|size| size.saturating_sub(upload.received_bytes)).or(part.length);
            upload::reserve(state, announced).await.map(|room| (slot, room))
        }
        Err(problem) => Err(problem),
    };
    let (slot, mut room) = match ready {
        Ok(ready) => ready,
        Err(problem) => {
            upload::drain(&mut incoming.reader).await;
            return Err(problem);
        }
    };
    let checked = incoming.checksum.is_some();
    let mut at = upload.received_bytes;
    let mut waiting: Vec<UploadPiece> = Vec::new();
    let outcome = loop {
        let (kept, trouble) = incoming.piece(state).await;
        if let Some(kept) = kept {
            room.came(kept.size_bytes);
            waiting.push(UploadPiece { name: kept.name, size_bytes: kept.size_bytes });
        }
        if pieces.len() + waiting.len() > MAX_PIECES {
            let title = "The upload comes in too small parts";
            let detail = format!("at most {MAX_PIECES} parts; {PIECE_BYTES} bytes in one are fine");
            break Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-parts", title, detail));
        }
        if let Some(trouble) = trouble {
            break Err(trouble);
        }
        if incoming.over {
            break Ok(());
        }
        let came: u64 = waiting.iter().map(|piece| piece.size_bytes).sum();
        if !checked && Some(at + came) != size {
            commit(state, hold, &mut at, &mut waiting, &mut pieces).await?;
        }
    };
    drop(slot);
    let outcome = match (outcome, incoming.checksum.take()) {
        (Ok(()), Some(checksum)) => checksum.check(),
        (outcome, _) => outcome,
    };
    let came: u64 = waiting.iter().map(|piece| piece.size_bytes).sum();
    match outcome {
        Ok(()) if Some(at + came) == size => finish(state, hold, &upload, pieces, waiting).await,
        Ok(()) => commit(state, hold, &mut at, &mut waiting, &mut pieces).await,
        // The client went away: it goes on from what came. The last piece counts with the blob only.
        Err(problem) if !checked && problem.is_of_the_way() && Some(at + came) != size => {
            commit(state, hold, &mut at, &mut waiting, &mut pieces).await?;
            Err(problem)
        }
        Err(problem) => {
            discard(state, waiting.into_iter().map(|piece| piece.name).collect()).await;
            Err(problem)
        }
    }
}

/// Counts what is durable.
async fn commit(
    state: &AppState,
    hold: &Hold,
    at: &mut u64,
    waiting: &mut Vec<UploadPiece>,
    pieces: &mut Vec<UploadPiece>,
) -> Result<(), Problem> {
    let expires = tus::after(state.upload_expiry);
    if !waiting.is_empty() {
        state.store.append_upload(&hold.id, &hold.holder, *at, waiting, expires).await.map_err(lost)?;
        *at += waiting.iter().map(|piece| piece.size_bytes).sum::<u64>();
        pieces.append(waiting);
    }
    Ok(())
}

/// Removes uploads that were given up.
pub(crate) async fn tend(state: &AppState) -> Result<(), Problem> {
    for id in state.store.expired_uploads(Timestamp::now()).await? {
        if let Ok(hold) = Hold::take(state, &id).await {
            forget(state, &hold).await?;
            tracing::info!(upload = id, "an upload was given up");
        }
    }
    Ok(())
}

/// Removes what killed processes left in the spool. Looks through all of it.
pub(crate) async fn sweep(state: &AppState) -> Result<(), Problem> {
    let mut last: Option<String> = None;
    loop {
        let (blobs, after) = (state.blobs.clone(), last);
        let old = blocking(move || Ok::<_, Problem>(blobs.old_pieces(ORPHAN_AGE, after.as_deref())?)).await?;
        last = old.last().cloned();
        if last.is_none() {
            return Ok(());
        }
        let mut orphans = Vec::new();
        for name in old {
            if !state.store.has_piece(&name).await? {
                orphans.push(name);
            }
        }
        discard(state, orphans).await;
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(error.to_string()))?
}

fn locked() -> Problem {
    let title = "Another request writes to this upload";
    let detail = "wait until it has ended, ask for the offset, and go on from there";
    Problem::new(StatusCode::LOCKED, "upload-locked", title, detail)
}

/// A hold that is lost is another request's.
fn lost(error: StoreError) -> Problem {
    if matches!(error, StoreError::LeaseLost) { locked() } else { error.into() }
}

fn conflict(detail: String) -> Problem {
    Problem::new(StatusCode::CONFLICT, "offset-mismatch", "The upload stands elsewhere", detail)
}

fn too_long() -> Problem {
    let title = "More than was announced";
    let detail = "there are more bytes than Upload-Length, or the limit, allows";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", title, detail)
}
