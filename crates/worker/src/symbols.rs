//! Executables and debug files that other servers have, over the debuginfod protocol.

use std::{
    fmt,
    io::Read,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use panicle_blobs::{BlobStore, Ingested};
use panicle_report::BuildIds;
use panicle_sandbox::Stopped;
use panicle_store::{Artifact, EvidenceKind, Job, NewBlob, SymbolRequest};
use tokio::time::timeout;
use ureq::{
    Agent,
    http::{HeaderName, HeaderValue, header},
};

use crate::{JobError, Worker, names::base_name, tend::Tended};

/// A file that no server has is asked for again after this, as long as a crash waits for it.
const NOBODY_HAS_IT: Duration = Duration::from_hours(1);
/// When a server could not be asked.
const OUT_OF_REACH: Duration = Duration::from_mins(5);
const MOST_REDIRECTS: u32 = 10;
const CONNECT: Duration = Duration::from_secs(10);
/// Nothing comes for so long: elfutils' own client gives up then too (`DEBUGINFOD_TIMEOUT`). A server may have to
/// unpack an archive before it answers.
const SILENCE: Duration = Duration::from_secs(90);
const TRANSFER: Duration = Duration::from_hours(1);
const PIECE_BYTES: usize = 256 << 10;
/// How often it is looked whether an answer is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What a server said.
enum Said {
    Found {
        name: Option<String>,
        ingested: Ingested,
    },
    HasNot,
    /// It answers, and not with the file.
    Trouble(String),
    /// It does not answer.
    Away(String),
}

/// An address without the user and the password that may be in it, for logs.
fn without_user(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// Headers of requests, which may be secret. As elfutils' clients have them: one in a line.
#[derive(Clone, Default)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name.as_str())).finish()
    }
}

impl FromStr for Headers {
    /// The line that is none, from 1.
    type Err = usize;

    fn from_str(text: &str) -> Result<Self, usize> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let header = |(at, line): (usize, &str)| {
            let (name, value) = line.split_once(':').ok_or(at + 1)?;
            let name: HeaderName = name.trim().parse().map_err(|_| at + 1)?;
            // Those are the client's own.
            if [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION]
                .contains(&name)
            {
                return Err(at + 1);
            }
            let mut value: HeaderValue = value.trim().parse().map_err(|_| at + 1)?;
            value.set_sensitive(true);
            Ok((name, value))
        };
        lines.map(header).collect::<Result<_, usize>>().map(Self)
    }
}

impl Worker {
    /// Has other servers asked for a file of a program, where there are any to ask.
    pub(crate) async fn want_symbols(&self, ids: &BuildIds, artifact: Artifact) {
        if self.inner.settings.debuginfod.is_empty() {
            return;
        }
        let Some(request) = SymbolRequest::of(ids, artifact) else { return };
        if let Err(error) = self.inner.store.want_symbols(&request, Timestamp::now()).await {
            // The next analysis of a crash of this program asks again.
            tracing::error!(%request, %error, "cannot ask other servers");
        }
    }

    /// Asks each server for a file until one has it. Where none has, the job waits for its next turn.
    pub(crate) async fn fetch(&self, job: &Job, tended: &Tended) -> Result<(), JobError> {
        let store = &self.inner.store;
        let request: SymbolRequest =
            job.subject.parse().map_err(|_| Stopped::Output(format!("{} names no file", job.subject)))?;
        if !store.symbols_wanted(&request).await? {
            return Ok(store.finish_fetch(&job.lease, false).await?);
        }
        let mut trouble = None;
        for address in &self.inner.settings.debuginfod {
            let server = &without_user(address);
            if self.inner.away.has(address) {
                trouble = Some(format!("{server} did not answer a moment ago"));
                continue;
            }
            match self.ask_server(address, &request, tended).await? {
                Said::Found { name, ingested } => {
                    let blob = NewBlob {
                        id: ingested.digest.to_string(),
                        kind: EvidenceKind::Binary,
                        name,
                        size_bytes: ingested.size_bytes,
                        stored_bytes: ingested.stored_bytes,
                    };
                    let new = store.record_blob(&blob, panicle_store::DEFAULT_PROJECT).await?;
                    tracing::info!(%request, server, blob = blob.id, new, "another server had the file");
                    return Ok(store.finish_fetch(&job.lease, true).await?);
                }
                Said::HasNot => {}
                Said::Away(problem) => {
                    // Of an address, the library may show all.
                    let problem = problem.replace(address, server);
                    tracing::warn!(%request, server, problem, "a debuginfod server does not answer");
                    self.inner.away.note(address, OUT_OF_REACH);
                    trouble = Some(format!("{server}: {problem}"));
                }
                Said::Trouble(problem) => {
                    tracing::warn!(%request, server, problem, "a debuginfod server does not have it ready");
                    trouble = Some(format!("{server}: {problem}"));
                }
            }
        }
        let (problem, pause) = match trouble {
            Some(problem) => (problem, OUT_OF_REACH),
            None => ("no server has it".to_owned(), NOBODY_HAS_IT),
        };
        Ok(store.retry(job, &problem, Timestamp::now() + pause, true).await?)
    }

    async fn ask_server(
        &self,
        server: &str,
        request: &SymbolRequest,
        tended: &Tended,
    ) -> Result<Said, JobError> {
        let (url, called_off) = (format!("{server}/buildid/{request}"), tended.called_off());
        let blobs = self.inner.cache.blobs().clone();
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            // What is for these servers is not for whoever they name.
            .max_redirects(if self.inner.settings.debuginfod_headers.0.is_empty() {
                MOST_REDIRECTS
            } else {
                0
            })
            .max_redirects_will_error(false)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(SILENCE))
            .timeout_recv_body(Some(TRANSFER))
            .user_agent(concat!("panicle/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        let (asked, stopped) = (agent.clone(), Arc::clone(&called_off));
        let headers = self.inner.settings.debuginfod_headers.clone();
        let mut asking = tokio::task::spawn_blocking(move || ask(&asked, &url, &headers, &blobs, &stopped));
        loop {
            match timeout(LOOK_EVERY, &mut asking).await {
                Ok(said) => {
                    return said.unwrap_or_else(|error| Err(Stopped::Output(error.to_string()).into()));
                }
                Err(_) if called_off.load(Ordering::Relaxed) => {
                    // Ends the request, too, wherever it is waiting.
                    agent.shutdown();
                    return Err(Stopped::Cancelled.into());
                }
                Err(_) => {}
            }
        }
    }
}

fn ask(
    agent: &Agent,
    url: &str,
    headers: &Headers,
    blobs: &BlobStore,
    called_off: &Arc<AtomicBool>,
) -> Result<Said, JobError> {
    let request = headers.0.iter().fold(agent.get(url), |request, (name, value)| request.header(name, value));
    let response = match request.call() {
        Ok(response) => response,
        Err(error) => return Ok(Said::Away(error.to_string())),
    };
    match response.status().as_u16() {
        200 => {}
        404 => return Ok(Said::HasNot),
        status => return Ok(Said::Trouble(format!("status {status}"))),
    }
    let name =
        response.headers().get("x-debuginfod-file").and_then(|value| value.to_str().ok()).and_then(base_name);
    let announced = response.body().content_length();
    // The blob store has a limit of its own.
    let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
    let mut ingest = blobs.begin()?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut received = 0_u64;
    loop {
        if called_off.load(Ordering::Relaxed) {
            return Err(Stopped::Cancelled.into());
        }
        match body.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => {
                ingest.write(&piece[..count])?;
                received += count as u64;
            }
            Err(error) => return Ok(Said::Away(error.to_string())),
        }
    }
    if let Some(announced) = announced.filter(|&announced| announced != received) {
        return Ok(Said::Trouble(format!("{received} of {announced} bytes came")));
    }
    Ok(Said::Found { name, ingested: ingest.finish(None)? })
}

#[cfg(test)]
mod tests {
    use super::{Headers, without_user};

    #[test]
    fn headers_are_one_in_a_line_and_not_shown() {
        let headers: Headers = "Authorization: Bearer a:b\n\nX-Team:  ops \n".parse().unwrap();
        assert_eq!(headers.0[0].1, "Bearer a:b");
        assert_eq!(headers.0[1].1, "ops");
        assert_eq!(format!("{headers:?}"), r#"["authorization", "x-team"]"#);
        assert_eq!("A: b\nno header".parse::<Headers>().unwrap_err(), 2);
        assert_eq!("Host: evil".parse::<Headers>().unwrap_err(), 1);
        assert_eq!("A b: c".parse::<Headers>().unwrap_err(), 1);
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        for (address, shown) in [
            ("https://ada:secret@symbols.example/x", "https://symbols.example/x"),
            ("https://a@b:secret@symbols.example:8002", "https://symbols.example:8002"),
            ("http://symbols.example/a@b", "http://symbols.example/a@b"),
            ("http://[::1]:8002", "http://[::1]:8002"),
        ] {
            assert_eq!(without_user(address), shown);
        }
    }
}
