//! Evidence: asked for by its digest, and sent where it is missing.

use std::{
    fs::File,
    io::{self, Cursor, Read, Seek, SeekFrom},
    path::Path,
};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use ureq::SendBody;

use super::{
    Client, Stored,
    answer::{Attempt, read},
    encode,
    patience::Waiting,
    resumable::Upload,
    source::Sending,
};
use crate::UploadError;

/// Larger files are sent so that they can go on where they broke off; and so much of a pipe is in memory.
pub(super) const RESUMABLE_BYTES: u64 = 8 << 20;
/// From this on the service is asked whether it wants the bytes before they are sent.
const EXPECT_BYTES: u64 = 1 << 20;

/// What is sent, and what it is called.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// `core`, `binary`, …
    pub kind: &'a str,
    /// File name.
    pub name: &'a str,
    /// What messages call it.
    pub what: &'a str,
}

/// Something that is read once, and whose length nobody knows.
pub struct Piped<'a> {
    /// What it is.
    pub evidence: Evidence<'a>,
    /// Where it comes from.
    pub input: &'a mut dyn Read,
    /// So many bytes have to come, where that is known.
    pub size: Option<u64>,
}

#[derive(Deserialize)]
struct EvidenceAnswer {
    id: String,
    kind: String,
    size_bytes: u64,
    #[serde(default)]
    deleted: Option<serde_json::Value>,
}

/// Bytes that can be read again, and what is known of them.
pub(super) struct Whole<'a> {
    pub(super) bytes: &'a mut dyn ReadSeek,
    pub(super) digest: &'a str,
    pub(super) size: u64,
}

pub(super) trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

impl Evidence<'_> {
    pub(super) fn failed(&self, source: io::Error) -> UploadError {
        UploadError::File { path: self.what.into(), source }
    }

    pub(super) fn refused(&self, detail: impl Into<String>) -> UploadError {
        UploadError::Refused { what: self.what.to_owned(), detail: detail.into() }
    }

    fn stored(&self, id: String, size_bytes: u64, new: bool) -> Stored {
        let (kind, name) = (self.kind.to_owned(), self.name.to_owned());
        Stored { id, kind, name, size_bytes, new, build_id: None }
    }
}

impl Client {
    /// Sends a file, unless the service has it. A large one goes on where it broke off. `progress` is told how many
    /// bytes the service has.
    pub fn upload(
        &self,
        kind: &str,
        path: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Stored, UploadError> {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let what = path.display().to_string();
        let evidence = Evidence { kind, name: &name, what: &what };
        let mut file = File::open(path).map_err(|error| evidence.failed(error))?;
        let (digest, size) = digest(&mut file).map_err(|error| evidence.failed(error))?;
        self.put_missing(&evidence, Whole { bytes: &mut file, digest: &digest, size }, progress)
    }

    /// Sends what comes out of a pipe, to its end. That the end came too early is only told by `size`: whoever
    /// writes into a pipe and dies ends it like one who is done.
    pub fn upload_piped(
        &self,
        piped: Piped<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Stored, UploadError> {
        let Piped { evidence, input, size } = piped;
        let mut part = Vec::new();
        input.take(RESUMABLE_BYTES).read_to_end(&mut part).map_err(|error| evidence.failed(error))?;
        let length = part.len() as u64;
        if length < RESUMABLE_BYTES {
            check_size(&evidence, length, size)?;
            if length == 0 {
                return Err(evidence.refused("is empty"));
            }
            let digest = hex::encode(Sha256::digest(&part));
            let whole = Whole { bytes: &mut Cursor::new(part), digest: &digest, size: length };
            return self.put_missing(&evidence, whole, progress);
        }
        let Some(upload) = Upload::begin(self, &evidence, None, None)? else {
            return self.put_piped(&evidence, Cursor::new(part).chain(input), size, progress);
        };
        let (id, size) = upload.stream(part, input, size, progress)?;
        Ok(evidence.stored(id, size, true))
    }

    /// Sends what the service does not have.
    fn put_missing(
        &self,
        evidence: &Evidence<'_>,
        mut whole: Whole<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Stored, UploadError> {
        let (digest, size) = (whole.digest, whole.size);
        let known_url = self.url(&format!("blobs/{digest}?to_send=true"));
        let known =
            self.retry(|| self.attempt(self.authorised(self.named(self.agent.get(&known_url))).call()))?;
        // What is refused to who asks is refused to who sends.
        if matches!(known.status, 401 | 403) {
            return Err(evidence.refused(known.why()));
        }
        if known.status == 200
            && let Ok(known) = serde_json::from_slice::<EvidenceAnswer>(&known.body)
            && (known.kind == evidence.kind, known.size_bytes) == (true, size)
            && known.deleted.is_none()
        {
            return Ok(evidence.stored(digest.to_owned(), size, false));
        }
        if size > RESUMABLE_BYTES
            && let Some(upload) = Upload::begin(self, evidence, Some(size), Some(digest))?
        {
            let id = upload.send(&mut whole, progress)?;
            return Ok(evidence.stored(id, size, true));
        }
        self.put(evidence, &mut whole, progress)
    }

    /// Sends it in one request.
    fn put(
        &self,
        evidence: &Evidence<'_>,
        whole: &mut Whole<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Stored, UploadError> {
        let url = self.put_url(evidence);
        let mut waiting = Waiting::new(self);
        let answer = loop {
            whole.bytes.seek(SeekFrom::Start(0)).map_err(|error| evidence.failed(error))?;
            let mut body = Sending::new(&mut whole.bytes, Some(whole.size), 0, progress);
            let mut request = self
                .agent
                .put(&url)
                .header("content-type", "application/octet-stream")
                .header("content-length", whole.size.to_string())
                .header("x-panicle-sha256", whole.digest);
            if whole.size > EXPECT_BYTES {
                request = request.header("expect", "100-continue");
            }
            let attempt =
                self.attempt(self.authorised(self.named(request)).send(SendBody::from_reader(&mut body)));
            match (attempt, body.trouble) {
                (Attempt::Answer(answer), _) => break answer,
                (_, Some(error)) => return Err(evidence.failed(error)),
                (Attempt::Trouble(trouble), None) => waiting.wait(&trouble)?,
            }
        };
        let stored: EvidenceAnswer = read(evidence.what, answer.status, &answer.body)?;
        if stored.id != whole.digest {
            let told = stored.id.escape_default();
            return Err(evidence.refused(format!("the service has {told}, and this is {}", whole.digest)));
        }
        Ok(evidence.stored(stored.id, whole.size, answer.status == 201))
    }

    /// Sends a pipe in one request, to a service that takes no others. There is one attempt.
    fn put_piped(
        &self,
        evidence: &Evidence<'_>,
        mut input: impl Read,
        size: Option<u64>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Stored, UploadError> {
        (self.notice)(&format!(
            "{}: if the connection breaks it cannot go on, because what came out of the pipe is gone",
            evidence.what
        ));
        let mut body = Sending::new(&mut input, size, 0, progress);
        let request =
            self.agent.put(self.put_url(evidence)).header("content-type", "application/octet-stream");
        let attempt =
            self.attempt(self.authorised(self.named(request)).send(SendBody::from_reader(&mut body)));
        match (attempt, body.trouble) {
            (_, Some(error)) => Err(evidence.failed(error)),
            (Attempt::Answer(answer), None) => {
                let stored: EvidenceAnswer = read(evidence.what, answer.status, &answer.body)?;
                Ok(evidence.stored(stored.id, stored.size_bytes, answer.status == 201))
            }
            (Attempt::Trouble(trouble), None) => {
                Err(UploadError::Unreachable { server: self.server.clone(), detail: trouble.detail })
            }
        }
    }

    fn put_url(&self, evidence: &Evidence<'_>) -> String {
        format!("{}?name={}", self.url(&format!("blobs/{}", evidence.kind)), encode(evidence.name))
    }
}

/// Whether a pipe had what it was said to have.
pub(super) fn check_size(
    evidence: &Evidence<'_>,
    came: u64,
    expected: Option<u64>,
) -> Result<(), UploadError> {
    match expected {
        Some(expected) if came != expected => {
            let text = format!("{came} bytes came and {expected} should have; it was not stored");
            Err(evidence.failed(io::Error::new(io::ErrorKind::UnexpectedEof, text)))
        }
        _ => Ok(()),
    }
}

fn digest(file: &mut File) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut size = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex::encode(hash.finalize()), size)),
            count => {
                size += count as u64;
                hash.update(&buffer[..count]);
            }
        }
    }
}
