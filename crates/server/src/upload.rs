//! Taking evidence in: memory use does not depend on its size.

mod body;

use std::{
    io,
    time::{Duration, Instant},
};

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use http::{HeaderMap, StatusCode};
use panicle_blobs::{BlobError, Digest, Ingested, Reservation};
use panicle_store::{EvidenceKind, NewBlob};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::mpsc,
};
use tokio_util::io::StreamReader;

use crate::{AppState, Problem, sniff};

/// What is read at once, and how many such pieces wait for the disk.
const PIECE_BYTES: usize = 256 << 10;
const PIECES_WAITING: usize = 4;
/// An upload of which nothing comes for so long is given up.
pub(crate) const IDLE_TIME: Duration = Duration::from_mins(2);
/// One that is slower than this, after that time, is given up, too.
const LEAST_BYTES_A_SECOND: u64 = 256;
/// How much of a refused upload is still read, and for how long.
pub(crate) const DRAIN_BYTES: u64 = 64 << 20;
pub(crate) const DRAIN_TIME: Duration = Duration::from_secs(2);
/// Longer names are cut; no file system has any.
const NAME_BYTES: usize = 255;

/// What is known of an upload before it comes.
pub(crate) struct Announced<'a> {
    /// The project that it is sent to.
    pub(crate) project: &'a str,
    /// What it is; told by its first bytes when not given.
    pub(crate) kind: Option<EvidenceKind>,
    /// File name.
    pub(crate) name: Option<&'a str>,
    /// What its SHA-256 has to be.
    pub(crate) sha256: Option<Digest>,
    /// Its size, for which room is kept on the disk.
    pub(crate) size: Option<u64>,
}

/// What an upload became.
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) kind: EvidenceKind,
    pub(crate) new: bool,
    pub(crate) size_bytes: u64,
}

enum Message {
    Piece(Bytes),
    Finish(Option<Digest>),
}

/// Streams a body to where evidence is kept, and records it once it is durable there.
pub(crate) async fn receive(
    state: &AppState,
    project: &str,
    kind: EvidenceKind,
    name: Option<&str>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Received, Problem> {
    let sha256 = body::announced_digest(headers)?;
    let size = body.size_hint().exact();
    let announced = Announced { project, kind: Some(kind), name, sha256, size };
    take(state, &announced, &mut body::decoded(headers, body)?).await
}

/// The same for what comes in another way.
pub(crate) async fn take(
    state: &AppState,
    announced: &Announced<'_>,
    mut reader: &mut (dyn AsyncRead + Unpin + Send),
) -> Result<Received, Problem> {
    let expected = announced.sha256;
    let mut head = BytesMut::with_capacity(sniff::HEAD_BYTES);
    while head.len() < sniff::HEAD_BYTES {
        if read(&mut reader, &mut head).await? == 0 {
            break;
        }
    }
    let start = &head[..head.len().min(sniff::HEAD_BYTES)];
    let kind = announced.kind.map_or_else(|| sniff::guess(start, announced.name), Ok);
    let kind = match kind.and_then(|kind| sniff::check(kind, start).map(|()| kind)) {
        Ok(kind) => kind,
        Err(problem) => {
            drain(&mut reader).await;
            return Err(problem);
        }
    };

    let slot = match state.writing() {
        Ok(slot) => slot,
        Err(problem) => {
            drain(&mut reader).await;
            return Err(problem);
        }
    };
    let pace = Pace::start();
    let (blobs, size) = (state.blobs.clone(), announced.size);
    let (sender, mut receiver) = mpsc::channel(PIECES_WAITING);
    // Hashing, compressing and writing block.
    let writer = tokio::task::spawn_blocking(move || -> Result<Option<Ingested>, BlobError> {
        let mut ingest = blobs.begin_announced(size)?;
        while let Some(message) = receiver.blocking_recv() {
            match message {
                Message::Piece(bytes) => ingest.write(&bytes)?,
                Message::Finish(expected) => return ingest.finish(expected).map(Some),
            }
        }
        // The client went away; dropping it removes what was written.
        Ok(None)
    });
    let mut piece = head;
    let mut came = piece.len() as u64;
    let mut open = true;
    let outcome = loop {
        if !piece.is_empty() {
            // A writer that does not take any more has failed, and says why when it is asked.
            open = sender.send(Message::Piece(piece.split().freeze())).await.is_ok();
        }
        if !open {
            break Ok(());
        }
        piece.reserve(PIECE_BYTES);
        match read(&mut reader, &mut piece).await {
            Ok(0) => break Ok(()),
            Ok(count) => came += count as u64,
            Err(problem) => break Err(problem),
        }
        if let Err(problem) = pace.check(came) {
            break Err(problem);
        }
    };
    if outcome.is_ok() && open {
        let _ = sender.send(Message::Finish(expected)).await;
    }
    drop(sender);
    if !open {
        // Refused half-way (too large, disk low): a client that is still sending would otherwise lose
        // the answer with the connection.
        drain(&mut reader).await;
    }
    let ingested = writer.await.map_err(|error| Problem::internal(error.to_string()))?;
    drop(slot);
    outcome?;
    let ingested = ingested?.ok_or_else(|| Problem::internal("the upload was not finished"))?;
    record(state, announced.project, kind, announced.name, &ingested).await
}

/// Stores and records what is in memory.
pub(crate) async fn keep(
    state: &AppState,
    project: &str,
    kind: EvidenceKind,
    name: &str,
    bytes: Vec<u8>,
) -> Result<Received, Problem> {
    sniff::check(kind, &bytes[..bytes.len().min(sniff::HEAD_BYTES)])?;
    let blobs = state.blobs.clone();
    let keeping = tokio::task::spawn_blocking(move || {
        let mut ingest = blobs.begin_announced(Some(bytes.len() as u64))?;
        ingest.write(&bytes)?;
        ingest.finish(None)
    });
    let ingested = keeping.await.map_err(|error| Problem::internal(error.to_string()))??;
    record(state, project, kind, Some(name), &ingested).await
}

/// Keeps room on the disk for what is announced.
pub(crate) async fn reserve(state: &AppState, bytes: Option<u64>) -> Result<Reservation, Problem> {
    let blobs = state.blobs.clone();
    let reserving = tokio::task::spawn_blocking(move || blobs.reserve(bytes));
    Ok(reserving.await.map_err(|error| Problem::internal(error.to_string()))??)
}

/// Records what is durable, and that it was sent to a project.
pub(crate) async fn record(
    state: &AppState,
    project: &str,
    kind: EvidenceKind,
    name: Option<&str>,
    ingested: &Ingested,
) -> Result<Received, Problem> {
    let blob = NewBlob {
        id: ingested.digest.to_string(),
        kind,
        name: name.and_then(clean_name),
        size_bytes: ingested.size_bytes,
        stored_bytes: ingested.stored_bytes,
    };
    let new = state.store.record_blob(&blob, project).await?;
    // Deleted by policy between the two: only what is there is acknowledged.
    let (blobs, digest) = (state.blobs.clone(), ingested.digest);
    let there = tokio::task::spawn_blocking(move || blobs.contains(&digest))
        .await
        .map_err(|error| Problem::internal(error.to_string()))??;
    if !there {
        let title = "The evidence was deleted at this moment";
        let detail = "the same bytes were being deleted by policy; send them again";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "deleted-meanwhile", title, detail));
    }
    metrics::counter!("panicle_uploads_total", "kind" => kind.as_str()).increment(1);
    metrics::counter!("panicle_uploaded_bytes_total", "kind" => kind.as_str()).increment(blob.size_bytes);
    Ok(Received { id: blob.id, kind, new, size_bytes: blob.size_bytes })
}

pub(crate) async fn read(
    reader: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> Result<usize, Problem> {
    let title = "The upload broke off";
    match tokio::time::timeout(IDLE_TIME, reader.read_buf(buffer)).await {
        Ok(Ok(count)) => Ok(count),
        Ok(Err(error)) if body::is_of_other_bytes(&error) => {
            let title = "The bytes are not those that were announced";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(Problem::new(status, "digest-mismatch", title, error.to_string()))
        }
        Ok(Err(error)) => {
            let detail = format!("the body could not be read to its end: {error}");
            Err(Problem::new(StatusCode::BAD_REQUEST, "body-incomplete", title, detail))
        }
        Err(_) => {
            let detail = format!("nothing came for {} seconds", IDLE_TIME.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-idle", title, detail))
        }
    }
}

/// How fast an upload comes. One that brings a byte now and then would hold for days what others wait for.
pub(crate) struct Pace(Instant);

impl Pace {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Ends what is slower than any line.
    pub(crate) fn check(&self, bytes: u64) -> Result<(), Problem> {
        let seconds = self.0.elapsed().saturating_sub(IDLE_TIME).as_secs();
        if bytes >= seconds.saturating_mul(LEAST_BYTES_A_SECOND) {
            return Ok(());
        }
        let title = "The upload broke off";
        let detail = format!("less than {LEAST_BYTES_A_SECOND} bytes a second came");
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-idle", title, detail))
    }
}

/// Takes a little more of what is refused. Many clients send all before they read an answer, and
/// would lose it with the connection.
pub(crate) async fn drain(reader: &mut (impl AsyncRead + Unpin)) {
    let mut rest = reader.take(DRAIN_BYTES);
    let _ = tokio::time::timeout(DRAIN_TIME, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
}

/// Takes a little of a body that nobody wants, see [`drain`].
pub(crate) async fn discard(body: Body) {
    let stream = body.into_data_stream().map_err(io::Error::other);
    drain(&mut StreamReader::new(stream)).await;
}

/// The last component of a name, without what a terminal or a log would stumble over.
pub(crate) fn clean_name(name: &str) -> Option<String> {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let mut clean: String = base.chars().filter(|character| !character.is_control()).collect();
    let mut end = clean.len().min(NAME_BYTES);
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    clean.truncate(end);
    (!clean.is_empty()).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::clean_name;

    #[test]
    fn names_are_reduced_to_their_last_component() {
        assert_eq!(clean_name("../../etc/core.1"), Some("core.1".to_owned()));
        assert_eq!(clean_name("C:\\dumps\\a\u{1b}[31m.core"), Some("a[31m.core".to_owned()));
        assert_eq!(clean_name("a/"), None);
        assert_eq!(clean_name(&"ü".repeat(300)).unwrap().len(), 254);
    }
}
