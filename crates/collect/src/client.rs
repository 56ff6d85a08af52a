use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use ureq::{Agent, Body, RequestBuilder, http::Response};

use self::{
    answer::{Attempt, Whole, read},
    patience::{SHORT_PATIENCE, Waiting},
};
use crate::UploadError;

mod answer;
mod evidence;
mod patience;
mod resumable;
mod source;
#[cfg(test)]
mod tests;

pub use evidence::{Evidence, Piped};

/// A Panicle service.
pub struct Client {
    agent: Agent,
    server: String,
    token: Option<String>,
    /// Project of what is sent, if it is said.
    project: Option<String>,
    /// How long it may take in vain.
    patience: Duration,
    /// The same as long as nothing was answered at all.
    at_first: Duration,
    /// It has answered something.
    answered: AtomicBool,
    notice: Box<dyn Fn(&str) + Send + Sync>,
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
    /// Build ID by which it was found to be there, where that was by its build and not by its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
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
struct CrashAnswer {
    id: String,
    status: String,
}

/// An answer as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// What it says.
    pub value: serde_json::Value,
    /// The revision of what was answered, for a change of it.
    pub etag: Option<String>,
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
        Ok(Self {
            agent: config.into(),
            server,
            token,
            project: None,
            patience: SHORT_PATIENCE,
            at_first: SHORT_PATIENCE,
            answered: AtomicBool::new(false),
            notice: Box::new(|text| tracing::debug!(text)),
        })
    }

    /// The same, which waits up to `patience` for a service that has answered before and is away now, or that says
    /// it is busy. What gets on in between does not count.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience: patience.max(SHORT_PATIENCE), ..self }
    }

    /// The same, which waits so long for a service that has never answered.
    #[must_use]
    pub fn with_patience_at_first(self, at_first: Duration) -> Self {
        Self { at_first, ..self }
    }

    /// The same, which sends to a project, and asks for what is there.
    #[must_use]
    pub fn of_project(self, project: Option<String>) -> Self {
        Self { project, ..self }
    }

    /// The same, which says in sentences for people what it waits for and what cannot be done.
    #[must_use]
    pub fn with_notice(self, notice: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { notice: Box::new(notice), ..self }
    }

    /// Says which evidence belongs to one crash.
    pub fn create_crash(&self, crash: &NewCrash) -> Result<Crash, UploadError> {
        let json = serde_json::to_vec(crash)
            .map_err(|error| UploadError::Refused { what: "crash".to_owned(), detail: error.to_string() })?;
        let made = self.retry(|| {
            let request = self.agent.post(self.url("crashes")).header("content-type", "application/json");
            self.attempt(self.authorised(self.named(request)).send(&json))
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
            self.attempt(self.authorised(request).send(json.as_bytes()))
        })?;
        // It may be this client who changed it: by an attempt that held, and whose answer got lost.
        if answer.status == 412 && attempts > 1 {
            let now = self.ask(path)?;
            if now.value == *body {
                return Ok(now);
            }
        }
        let etag = answer.text("etag").map(str::to_owned);
        Ok(Answered { value: read(path, answer.status, &answer.body)?, etag })
    }

    fn ask_with(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Answered, UploadError> {
        let mut url = self.url(path);
        for (at, (name, value)) in parameters.iter().enumerate() {
            let between = if at == 0 { '?' } else { '&' };
            url.extend([between.to_string().as_str(), name, "=", &encode(value)]);
        }
        let answer = self.retry(|| self.attempt(self.authorised(self.agent.get(&url)).call()))?;
        let etag = answer.text("etag").map(str::to_owned);
        Ok(Answered { value: read(path, answer.status, &answer.body)?, etag })
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

    /// Names the project, if there is one to be named.
    fn named<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.project {
            Some(project) => request.query("project", project),
            None => request,
        }
    }

    /// An answer that stands, or trouble that may pass.
    fn attempt(&self, outcome: Result<Response<Body>, ureq::Error>) -> Attempt {
        let attempt = answer::attempt(outcome);
        if matches!(&attempt, Attempt::Answer(_)) || matches!(&attempt, Attempt::Trouble(it) if it.answered) {
            self.answered.store(true, Ordering::Relaxed);
        }
        attempt
    }

    fn retry(&self, mut attempt: impl FnMut() -> Attempt) -> Result<Whole, UploadError> {
        let mut waiting = Waiting::new(self);
        loop {
            match attempt() {
                Attempt::Answer(whole) => return Ok(whole),
                Attempt::Trouble(trouble) => waiting.wait(&trouble)?,
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
