//! What comes with one request, cut into pieces.

use bytes::{Bytes, BytesMut};
use panicle_blobs::{BlobError, KeptPiece, PIECE_BYTES};
use tokio::sync::mpsc;

use super::too_long;
use crate::{AppState, Problem, tus::Checksum, upload};

/// How much is read at once, and how much of it waits for the disk.
const READ_BYTES: usize = 256 << 10;
const READS_WAITING: usize = 4;

/// The body of a request on its way into the spool.
pub(super) struct Incoming<R> {
    /// Bytes that may still come.
    pub(super) room: u64,
    pub(super) checksum: Option<Checksum>,
    pub(super) reader: R,
    /// Read, and in no piece yet.
    pub(super) read: BytesMut,
    /// There is no more.
    pub(super) over: bool,
    pub(super) pace: upload::Pace,
    pub(super) came: u64,
}

impl<R: tokio::io::AsyncRead + Unpin> Incoming<R> {
    /// Takes the next piece. Whatever came before some trouble is kept with it.
    pub(super) async fn piece(&mut self, state: &AppState) -> (Option<KeptPiece>, Option<Problem>) {
        let blobs = state.blobs.clone();
        let (sender, mut receiver) = mpsc::channel::<Bytes>(READS_WAITING);
        let mut checksum = self.checksum.take();
        let writer = tokio::task::spawn_blocking(move || {
            let mut write = || {
                let mut piece = blobs.begin_piece()?;
                while let Some(bytes) = receiver.blocking_recv() {
                    if let Some(checksum) = &mut checksum {
                        checksum.update(&bytes);
                    }
                    piece.write(&bytes)?;
                }
                if piece.size_bytes() == 0 { Ok(None) } else { piece.keep().map(Some) }
            };
            let written: Result<Option<KeptPiece>, BlobError> = write();
            (written, checksum)
        });
        let mut left = PIECE_BYTES;
        let mut trouble = None;
        while left > 0 {
            if self.read.is_empty() {
                match self.more().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(problem) => {
                        trouble = Some(problem);
                        break;
                    }
                }
            }
            // What is more than a piece holds begins the next one.
            let now = self.read.split_to(left.min(self.read.len() as u64) as usize).freeze();
            left -= now.len() as u64;
            if sender.send(now).await.is_err() {
                break;
            }
        }
        drop(sender);
        match writer.await {
            Ok((Ok(kept), checksum)) => {
                self.checksum = checksum;
                (kept, trouble)
            }
            Ok((Err(error), _)) => {
                upload::drain(&mut self.reader).await;
                (None, Some(error.into()))
            }
            Err(error) => (None, Some(Problem::internal(error.to_string()))),
        }
    }

    /// Reads on. Answers whether there was more.
    async fn more(&mut self) -> Result<bool, Problem> {
        self.read.reserve(READ_BYTES);
        let count = upload::read(&mut self.reader, &mut self.read).await? as u64;
        if count > self.room {
            self.read.clear();
            return Err(too_long());
        }
        self.room -= count;
        self.came += count;
        if count > 0 {
            self.pace.check(self.came)?;
        }
        self.over = count == 0;
        Ok(!self.over)
    }
}
