//! Uploads that go on where they broke off, by tus 1.0.0.

use std::io::{Cursor, Read, SeekFrom};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use ureq::SendBody;

use super::{
    Client,
    answer::{Attempt, Trouble, Whole as Answer},
    evidence::{Evidence, RESUMABLE_BYTES, Whole, check_size},
    patience::Waiting,
    source::Sending,
};
use crate::UploadError;

/// What one request has at most. Proxies refuse large bodies, or keep all of one before they hand it on.
const PART_BYTES: u64 = 64 << 20;
/// Times that an upload is begun anew because the service does not know it any more.
const MOST_BEGINNINGS: u32 = 3;

/// An upload under way.
pub(super) struct Upload<'c> {
    client: &'c Client,
    evidence: Evidence<'c>,
    metadata: String,
    size: Option<u64>,
    url: String,
    /// So much the service has on disk.
    offset: u64,
    waiting: Waiting<'c>,
}

/// Where an upload stands after a request.
enum Stands {
    /// As it says, having taken the part.
    There(Answer),
    /// As it says when asked.
    Found(Answer),
    /// The service does not know it, or not any more.
    Gone(String),
}

/// One request's content.
struct Part<'a> {
    body: &'a mut dyn Read,
    length: u64,
    /// Of its bytes; without them nothing of it is kept.
    sha256: Option<String>,
    /// The size of all, now that it is known.
    size: Option<u64>,
}

impl<'c> Upload<'c> {
    /// Begins an upload; `None` when the service does not know the protocol, which is said.
    pub(super) fn begin(
        client: &'c Client,
        evidence: &Evidence<'c>,
        size: Option<u64>,
        sha256: Option<&str>,
    ) -> Result<Option<Self>, UploadError> {
        let mut pairs = vec![("kind", evidence.kind), ("filename", evidence.name)];
        pairs.extend(sha256.map(|digest| ("sha256", digest)));
        let pairs: Vec<_> =
            pairs.iter().map(|(key, value)| format!("{key} {}", STANDARD.encode(value))).collect();
        let mut upload = Self {
            client,
            evidence: *evidence,
            metadata: pairs.join(","),
            size,
            url: String::new(),
            offset: 0,
            waiting: Waiting::new(client),
        };
        Ok(upload.create()?.then_some(upload))
    }

    fn create(&mut self) -> Result<bool, UploadError> {
        let client = self.client;
        loop {
            let request = client
                .agent
                .post(client.url("uploads"))
                .header("tus-resumable", "1.0.0")
                .header("upload-metadata", &self.metadata);
            let request = match self.size {
                Some(size) => request.header("upload-length", size.to_string()),
                None => request.header("upload-defer-length", "1"),
            };
            match client.attempt(client.authorised(client.named(request)).send_empty()) {
                Attempt::Answer(answer) if answer.status == 201 => {
                    let place = answer.text("location").and_then(|place| client.place(place));
                    self.url = place.ok_or_else(|| self.refused("the service says no place to go on"))?;
                    self.offset = 0;
                    return Ok(true);
                }
                // Older services have nothing there.
                Attempt::Answer(answer)
                    if matches!(answer.status, 404 | 405) && answer.text("tus-resumable").is_none() =>
                {
                    let text = "the service is older than this program and takes no resumable uploads (tus)";
                    (client.notice)(&format!("{}: {text}; sending it in one request", self.evidence.what));
                    return Ok(false);
                }
                Attempt::Answer(answer) => return Err(self.refused(answer.why())),
                Attempt::Trouble(trouble) => self.waiting.wait(&trouble)?,
            }
        }
    }

    /// Sends a file, and answers the id of what it became.
    pub(super) fn send(
        mut self,
        whole: &mut Whole<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<String, UploadError> {
        let evidence = self.evidence;
        let mut beginnings = 1;
        loop {
            whole.bytes.seek(SeekFrom::Start(self.offset)).map_err(|error| evidence.failed(error))?;
            let length = whole.size.saturating_sub(self.offset).min(PART_BYTES);
            let part = Part { body: &mut whole.bytes, length, sha256: None, size: None };
            match self.patch(part, progress)? {
                Stands::There(answer) | Stands::Found(answer) if self.offset == whole.size => {
                    return self.end(&answer, whole.digest);
                }
                Stands::There(_) | Stands::Found(_) => {}
                Stands::Gone(why) if beginnings == MOST_BEGINNINGS => return Err(self.refused(why)),
                Stands::Gone(why) => {
                    beginnings += 1;
                    (self.client.notice)(&format!("{}: {why}; beginning anew", evidence.what));
                    if !self.create()? {
                        return Err(self.refused(why));
                    }
                }
            }
        }
    }

    /// Sends a pipe that began with `part`. Answers the id of what it became, and its size.
    pub(super) fn stream(
        mut self,
        mut part: Vec<u8>,
        input: &mut dyn Read,
        expected: Option<u64>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(String, u64), UploadError> {
        let evidence = self.evidence;
        let mut hash = Sha256::new();
        let mut start = 0;
        loop {
            hash.update(&part);
            let size = start + part.len() as u64;
            let last = (part.len() as u64) < RESUMABLE_BYTES;
            if last || expected.is_some_and(|expected| size > expected) {
                self.or_give_up(check_size(&evidence, size, expected))?;
            }
            let end = loop {
                let from = self.offset.checked_sub(start).and_then(|from| usize::try_from(from).ok());
                let Some(rest) = from.and_then(|from| part.get(from..)) else {
                    // What came before is not here any more.
                    return Err(self.refused("the service lost a part of it"));
                };
                if rest.is_empty() && !last {
                    break None;
                }
                let sent = Part {
                    length: rest.len() as u64,
                    sha256: Some(STANDARD.encode(Sha256::digest(rest))),
                    body: &mut Cursor::new(rest),
                    size: last.then_some(size),
                };
                match self.patch(sent, progress)? {
                    Stands::There(answer) if last && self.offset == size => break Some(answer),
                    // It may have all bytes and not know yet that these are all.
                    Stands::Found(answer) if last && answer.text("x-panicle-blob-id").is_some() => {
                        break Some(answer);
                    }
                    Stands::There(_) | Stands::Found(_) => {}
                    Stands::Gone(why) => return Err(self.refused(why)),
                }
            };
            if let Some(answer) = end {
                return Ok((self.end(&answer, &hex::encode(hash.finalize()))?, size));
            }
            start = size;
            part.clear();
            let read = input.take(RESUMABLE_BYTES).read_to_end(&mut part);
            self.or_give_up(read.map_err(|error| evidence.failed(error)))?;
        }
    }

    /// Gives the upload up where something went wrong that no service can mend.
    fn or_give_up<T>(&self, outcome: Result<T, UploadError>) -> Result<T, UploadError> {
        if outcome.is_err() {
            let request = self.client.agent.delete(&self.url).header("tus-resumable", "1.0.0");
            // If it does not come through, the upload ends by itself.
            let _ = self.client.authorised(request).call();
        }
        outcome
    }

    /// Sends a part from where the upload stands, and finds out where it stands then.
    fn patch(&mut self, part: Part<'_>, progress: &mut dyn FnMut(u64)) -> Result<Stands, UploadError> {
        let client = self.client;
        let mut body = Sending::new(part.body, Some(part.length), self.offset, progress);
        let mut request = client
            .agent
            .patch(&self.url)
            .header("tus-resumable", "1.0.0")
            .header("upload-offset", self.offset.to_string())
            .header("content-type", "application/offset+octet-stream")
            .header("content-length", part.length.to_string());
        if part.length > 0 {
            // What is refused is not sent, and the answer that says why arrives.
            request = request.header("expect", "100-continue");
        }
        if let Some(sha256) = part.sha256 {
            request = request.header("upload-checksum", format!("sha256 {sha256}"));
        }
        if let Some(size) = part.size {
            request = request.header("upload-length", size.to_string());
        }
        let attempt = client.attempt(client.authorised(request).send(SendBody::from_reader(&mut body)));
        if let Some(error) = body.trouble {
            return self.or_give_up(Err(self.evidence.failed(error)));
        }
        let (before, length) = (self.offset, part.length);
        let trouble = match attempt {
            Attempt::Answer(answer) if answer.status == 204 => {
                self.stands(&answer)?;
                if self.offset > before || length == 0 {
                    return Ok(Stands::There(answer));
                }
                Trouble {
                    detail: "the service took a part and has no more than before".to_owned(),
                    retry_after: None,
                    answered: true,
                }
            }
            Attempt::Answer(answer) if matches!(answer.status, 404 | 410) => {
                return Ok(Stands::Gone(answer.why()));
            }
            // It stands elsewhere, or its checksum is another one: a part of it was lost.
            Attempt::Answer(answer) if matches!(answer.status, 409 | 460) => {
                Trouble { detail: answer.why(), retry_after: None, answered: true }
            }
            Attempt::Answer(answer) => return Err(self.refused(answer.why())),
            Attempt::Trouble(trouble) => trouble,
        };
        self.waiting.wait(&trouble)?;
        let stands = self.head()?;
        progress(self.offset);
        Ok(stands)
    }

    fn head(&mut self) -> Result<Stands, UploadError> {
        let client = self.client;
        loop {
            let request = client.agent.head(&self.url).header("tus-resumable", "1.0.0");
            match client.attempt(client.authorised(request).call()) {
                Attempt::Answer(answer) if answer.status == 200 => {
                    self.stands(&answer)?;
                    return Ok(Stands::Found(answer));
                }
                Attempt::Answer(answer) if matches!(answer.status, 404 | 410) => {
                    return Ok(Stands::Gone("the service does not know the upload any more".to_owned()));
                }
                Attempt::Answer(answer) => return Err(self.refused(answer.why())),
                Attempt::Trouble(trouble) => self.waiting.wait(&trouble)?,
            }
        }
    }

    /// Takes over how much the service says it has.
    fn stands(&mut self, answer: &Answer) -> Result<(), UploadError> {
        let offset = answer.text("upload-offset").and_then(|text| text.parse().ok());
        let offset: u64 = offset.ok_or_else(|| self.refused("the service does not say what it has"))?;
        if self.size.is_some_and(|size| offset > size) {
            return Err(self.refused("the service has more than there is"));
        }
        if offset > self.offset {
            self.waiting.progress();
        }
        self.offset = offset;
        Ok(())
    }

    fn end(&self, answer: &Answer, digest: &str) -> Result<String, UploadError> {
        match answer.text("x-panicle-blob-id") {
            Some(id) if id == digest => Ok(id.to_owned()),
            Some(id) => Err(self.refused(format!("it has SHA-256 {id} there and {digest} here"))),
            None => Err(self.refused("the service does not say what became of it")),
        }
    }

    fn refused(&self, detail: impl Into<String>) -> UploadError {
        self.evidence.refused(detail)
    }
}

impl Client {
    /// Where a `Location` of the service is. Never anywhere else: the token goes there.
    fn place(&self, location: &str) -> Option<String> {
        let path = location.strip_prefix(&self.server).unwrap_or(location);
        path.starts_with("/api/v1/uploads/").then(|| format!("{}{path}", self.server))
    }
}
