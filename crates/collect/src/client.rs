use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::Path,
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ureq::{Agent, Body, RequestBuilder, SendBody, http::Response};

use crate::UploadError;

/// Attempts at each request.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(300);
/// Answers are small; more than this is not one of ours.
const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// A Panicle service.
pub struct Client {
    agent: Agent,
    server: String,
    token: Option<String>,
}

/// A piece of evidence that the service has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stored {
    /// SHA-256 in hexadecimal.
    pub id: String,
    /// What it was sent as.
    pub kind: String,
    /// File name.
    pub name: String,
    /// Size.
    pub size_bytes: u64,
    /// The service did not have it before.
    pub new: bool,
}

/// Which evidence belongs to one crash.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "as in the API")]
pub struct NewCrash {
    pub core: Option<String>,
    pub binaries: Vec<String>,
    pub texts: Vec<String>,
    pub traces: Vec<String>,
    pub profiles: Vec<String>,
    pub races: Vec<String>,
    pub service: Option<String>,
    pub hostname: Option<String>,
    pub pid: Option<i64>,
    /// RFC 3339.
    pub occurred_at: Option<String>,
    pub version: Option<String>,
    pub labels: BTreeMap<String, String>,
}

/// A crash that the service knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Crash {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: String,
    /// Where people see it.
    pub url: String,
    /// The service did not know it before.
    pub new: bool,
}

#[derive(Deserialize)]
struct EvidenceAnswer {
    id: String,
    kind: String,
    size_bytes: u64,
}

#[derive(Deserialize)]
struct CrashAnswer {
    id: String,
    status: String,
}

#[derive(Default, Deserialize)]
struct ProblemAnswer {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

/// An answer as it came.
struct Whole {
    status: u16,
    body: Vec<u8>,
    etag: Option<String>,
}

/// An answer as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// What it says.
    pub value: serde_json::Value,
    /// The revision of what was answered, for a change of it.
    pub etag: Option<String>,
}

/// What came of one attempt.
enum Attempt {
    /// An answer that stands.
    Answer(Whole),
    /// Trouble that may pass.
    Trouble(String),
}

/// An `http://` or `https://` address without slashes at its end; `None` when `text` is none.
pub fn web_address(text: &str) -> Option<String> {
    let address = text.trim_end_matches('/');
    let bare = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://"))?;
    (!bare.is_empty()).then(|| address.to_owned())
}

impl Client {
    /// A client of the service at `server`, an `http://` or `https://` address.
    pub fn new(server: &str, token: Option<String>) -> Result<Self, UploadError> {
        let server = web_address(server).ok_or_else(|| UploadError::Server(server.to_owned()))?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .user_agent(concat!("panicle/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { agent: config.into(), server, token })
    }

    /// Sends a file, unless the service has it. `progress` is told of bytes as they go.
    pub fn upload(
        &self,
        kind: &str,
        path: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Stored, UploadError> {
        let failed = |source| UploadError::File { path: path.to_owned(), source };
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let (digest, size) = digest(path).map_err(failed)?;
        let stored = |new| Stored {
            id: digest.clone(),
            kind: kind.to_owned(),
            name: name.clone(),
            size_bytes: size,
            new,
        };

        let known_url = self.url(&format!("blobs/{digest}"));
        let known = self.retry(|| Self::attempt(self.authorised(self.agent.get(&known_url)).call()))?;
        // What is refused to who asks is refused to who sends.
        if matches!(known.status, 401 | 403) {
            let detail = explain(known.status, &known.body);
            return Err(UploadError::Refused { what: path.display().to_string(), detail });
        }
        if known.status == 200
            && let Ok(known) = serde_json::from_slice::<EvidenceAnswer>(&known.body)
            && (known.kind == kind, known.size_bytes) == (true, size)
        {
            return Ok(stored(false));
        }
        let url = format!("{}?name={}", self.url(&format!("blobs/{kind}")), encode(&name));
        let mut unreadable = None;
        let answer = self.retry(|| {
            let file = match File::open(path) {
                Ok(file) => file,
                Err(error) => {
                    unreadable = Some(error);
                    return Attempt::Answer(Whole { status: 0, body: Vec::new(), etag: None });
                }
            };
            let mut reader = Counted { inner: file.take(size), progress };
            let request = self
                .agent
                .put(&url)
                .header("content-type", "application/octet-stream")
                .header("content-length", size.to_string())
                .header("x-panicle-sha256", &digest);
            Self::attempt(self.authorised(request).send(SendBody::from_reader(&mut reader)))
        })?;
        if let Some(error) = unreadable {
            return Err(failed(error));
        }
        let evidence: EvidenceAnswer = read(&path.display().to_string(), answer.status, &answer.body)?;
        Ok(Stored { id: evidence.id, ..stored(answer.status == 201) })
    }

    /// Says which evidence belongs to one crash.
    pub fn create_crash(&self, crash: &NewCrash) -> Result<Crash, UploadError> {
        let json = serde_json::to_vec(crash)
            .map_err(|error| UploadError::Refused { what: "crash".to_owned(), detail: error.to_string() })?;
        let made = self.retry(|| {
            let request = self.agent.post(self.url("crashes")).header("content-type", "application/json");
            Self::attempt(self.authorised(request).send(&json))
        })?;
        let answer: CrashAnswer = read("crash", made.status, &made.body)?;
        let url = format!("{}/crashes/{}", self.server, answer.id);
        Ok(Crash { url, id: answer.id, status: answer.status, new: made.status == 201 })
    }

    /// What the service answers to a question, as JSON: `get("crashes", &[("q", "service:auth")])`.
    pub fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<serde_json::Value, UploadError> {
        self.ask_with(path, parameters).map(|answered| answered.value)
    }

    /// The same without parameters, and with the revision of what is answered.
    pub fn ask(&self, path: &str) -> Result<Answered, UploadError> {
        self.ask_with(path, &[])
    }

    /// Has the service do something: `send("PUT", "retention", &body, etag)`. With an `etag`, only if what is there is
    /// still of that revision. `method` is `POST`, or `PUT` for anything else.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        body: &serde_json::Value,
        etag: Option<&str>,
    ) -> Result<Answered, UploadError> {
        let json = body.to_string();
        let url = self.url(path);
        let mut attempts = 0;
        let answer = self.retry(|| {
            attempts += 1;
            let request = if method == "POST" { self.agent.post(&url) } else { self.agent.put(&url) };
            let request = request.header("content-type", "application/json");
            let request = match etag {
                Some(etag) => request.header("if-match", etag),
                None => request,
            };
            Self::attempt(self.authorised(request).send(json.as_bytes()))
        })?;
        // It may be this client who changed it: by an attempt that held, and whose answer got lost.
        if answer.status == 412 && attempts > 1 {
            let now = self.ask(path)?;
            if now.value == *body {
                return Ok(now);
            }
        }
        Ok(Answered { value: read(path, answer.status, &answer.body)?, etag: answer.etag })
    }

    fn ask_with(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Answered, UploadError> {
        let mut url = self.url(path);
        for (at, (name, value)) in parameters.iter().enumerate() {
            let between = if at == 0 { '?' } else { '&' };
            url.extend([between.to_string().as_str(), name, "=", &encode(value)]);
        }
        let answer = self.retry(|| Self::attempt(self.authorised(self.agent.get(&url)).call()))?;
        Ok(Answered { value: read(path, answer.status, &answer.body)?, etag: answer.etag })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1/{path}", self.server)
    }

    fn authorised<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn attempt(outcome: Result<Response<Body>, ureq::Error>) -> Attempt {
        let mut response = match outcome {
            Ok(response) => response,
            Err(error) => return Attempt::Trouble(error.to_string()),
        };
        let status = response.status().as_u16();
        let etag = response.headers().get("etag").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec();
        match body {
            // 507 says that the disk is full; a moment later it still is.
            Ok(body) if status != 507 && (status >= 500 || status == 429) => {
                Attempt::Trouble(explain(status, &body))
            }
            Ok(body) => Attempt::Answer(Whole { status, body, etag }),
            Err(error) => Attempt::Trouble(error.to_string()),
        }
    }

    fn retry(&self, mut attempt: impl FnMut() -> Attempt) -> Result<Whole, UploadError> {
        let mut pause = FIRST_PAUSE;
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            match attempt() {
                Attempt::Answer(whole) => return Ok(whole),
                Attempt::Trouble(detail) if left == 0 => {
                    return Err(UploadError::Unreachable { server: self.server.clone(), detail });
                }
                Attempt::Trouble(detail) => tracing::debug!(detail, "trying again"),
            }
            thread::sleep(pause);
            pause *= 3;
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(what: &str, status: u16, body: &[u8]) -> Result<T, UploadError> {
    let refused = |detail| UploadError::Refused { what: what.to_owned(), detail };
    if !(200..300).contains(&status) {
        return Err(refused(explain(status, body)));
    }
    serde_json::from_slice(body).map_err(|error| refused(format!("an answer that cannot be read: {error}")))
}

fn explain(status: u16, body: &[u8]) -> String {
    let problem: ProblemAnswer = serde_json::from_slice(body).unwrap_or_default();
    match (problem.title.as_str(), problem.detail.as_str()) {
        ("", "") => format!("HTTP status {status}"),
        (title, "") => title.to_owned(),
        ("", detail) => detail.to_owned(),
        (title, detail) => format!("{title}: {detail}"),
    }
}

fn digest(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
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

/// Percent-encodes all that has a meaning in a query.
fn encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

struct Counted<'a, R> {
    inner: R,
    progress: &'a mut dyn FnMut(u64),
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        (self.progress)(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
    };

    use serde_json::json;

    use super::{Client, encode};

    #[test]
    fn names_are_encoded() {
        assert_eq!(encode("core.1"), "core.1");
        assert_eq!(encode("a b&c=ü"), "a%20b%26c%3D%C3%BC");
    }

    /// Reads the head and the body of a request, and answers it unless `answer` is empty.
    fn serve(listener: &TcpListener, answer: &str) {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&request).to_lowercase();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                    break;
                }
            }
            let mut piece = [0; 1024];
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0);
            request.extend_from_slice(&piece[..count]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
    }

    #[test]
    fn a_change_whose_answer_got_lost_was_made_by_this_client() {
        let answer = |status: &str, body: &str| {
            let length = body.len();
            format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\netag: \"2\"\r\n\r\n{body}"
            )
        };
        for (there, ours) in [(json!({ "keep": 1 }), true), (json!({ "keep": 9 }), false)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let server = format!("http://{}", listener.local_addr().unwrap());
            let answers = [
                String::new(),
                answer("412 Precondition Failed", "{}"),
                answer("200 OK", &there.to_string()),
            ];
            let serving =
                std::thread::spawn(move || answers.iter().for_each(|answer| serve(&listener, answer)));
            let client = Client::new(&server, None).unwrap();
            let sent = client.send("PUT", "retention", &json!({ "keep": 1 }), Some("\"1\""));
            serving.join().unwrap();
            match sent {
                Ok(now) => assert!(ours && now.etag.as_deref() == Some("\"2\"")),
                Err(error) => assert!(!ours, "{error}"),
            }
        }
    }

    #[test]
    fn a_server_has_a_scheme() {
        assert!(Client::new("localhost:7171", None).is_err());
        assert!(Client::new("http://", None).is_err());
        assert!(Client::new("http://localhost:7171/", None).is_ok());
    }
}
