//! What an upload becomes with its last byte: a blob, and a crash if one is wanted.

use panicle_blobs::{Ingested, KeptPiece};
use panicle_store::{EvidenceKind, NewEvidence, Upload, UploadPiece};

use super::{blocking, discard, forget, hold::Hold, lost};
use crate::{AppState, Problem, api::crashes, shapes::NewCrash, sniff, tus::Metadata, upload};

/// Makes the blob, and the crash if one is wanted, and counts what was waiting with them.
pub(super) async fn finish(
    state: &AppState,
    hold: &Hold,
    upload: &Upload,
    mut pieces: Vec<UploadPiece>,
    waiting: Vec<UploadPiece>,
) -> Result<(), Problem> {
    let metadata: Metadata = upload.metadata.parse()?;
    let last: Vec<String> = waiting.iter().map(|piece| piece.name.clone()).collect();
    pieces.extend(waiting);
    match take_over(state, &upload.project, &metadata, &pieces).await {
        Ok((size, blob, crash)) => {
            let finished = state.store.finish_upload(&hold.id, &hold.holder, size, &blob, crash.as_deref());
            finished.await.map_err(lost)?;
            discard(state, pieces.into_iter().map(|piece| piece.name).collect()).await;
            Ok(())
        }
        Err(Refusal { problem, last_word }) => {
            discard(state, last).await;
            if last_word {
                forget(state, hold).await?;
            }
            Err(problem)
        }
    }
}

/// Why an upload did not become a blob.
struct Refusal {
    problem: Problem,
    /// It is for what its bytes are: nothing that may still come would make it any better.
    last_word: bool,
}

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self { problem: error.into(), last_word: false }
    }
}

async fn take_over(
    state: &AppState,
    project: &str,
    metadata: &Metadata,
    pieces: &[UploadPiece],
) -> Result<(u64, String, Option<String>), Refusal> {
    let kept: Vec<KeptPiece> = pieces
        .iter()
        .map(|piece| KeptPiece { name: piece.name.clone(), size_bytes: piece.size_bytes })
        .collect();
    let (blobs, expected) = (state.blobs.clone(), metadata.sha256);
    let (given, name) = (metadata.kind, metadata.name.clone());
    let (kind, ingested) = blocking(move || {
        let mut kind = given;
        let ingested = blobs.assemble(&kept, expected, sniff::HEAD_BYTES, |head| {
            let found = match given {
                Some(kind) => kind,
                None => sniff::guess(head, name.as_deref())?,
            };
            kind = Some(found);
            sniff::check(found, head)
        })?;
        Ok::<(Option<EvidenceKind>, Ingested), Problem>((kind, ingested))
    })
    .await
    .map_err(|problem| Refusal { last_word: problem.is_final(), problem })?;
    let kind = kind.ok_or_else(|| Problem::internal("the kind of an upload is not known"))?;
    let received = upload::record(state, project, kind, metadata.name.as_deref(), &ingested).await?;
    let crash = match &metadata.crash {
        Some(crash) if kind != EvidenceKind::Binary => {
            Some(crash_of(state, project, crash, vec![NewEvidence { id: received.id.clone(), kind }]).await?)
        }
        _ => None,
    };
    Ok((ingested.size_bytes, received.id, crash))
}

/// The crash that this is the evidence of.
async fn crash_of(
    state: &AppState,
    project: &str,
    known: &NewCrash,
    evidence: Vec<NewEvidence>,
) -> Result<String, Problem> {
    let crash = panicle_store::NewCrash {
        evidence,
        project: Some(project.to_owned()),
        ..crashes::checked_facts(known, None)?
    };
    Ok(state.store.create_crash(&crash).await?.id)
}
