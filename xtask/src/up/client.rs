//! Talking to the server on this machine.

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use ureq::{Agent, SendBody};

use super::sample::{Part, Sample};

/// A client of one server.
pub(crate) struct Client {
    agent: Agent,
    base: String,
}

impl Client {
    /// For a server that listens at `HOST:PORT`.
    pub(crate) fn new(listen: &str) -> Self {
        // Every address is as good as this one for a client on the same machine.
        let address = listen.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]");
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(2)))
            .proxy(None)
            .build();
        Self { agent: config.into(), base: format!("http://{address}") }
    }

    /// The server's URL, with no slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether the server is ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.agent
            .get(format!("{}/readyz", self.base))
            .call()
            .is_ok_and(|answer| answer.status().is_success())
    }

    /// Uploads a sample's parts and makes a crash of them; its id.
    pub(crate) fn send(&self, sample: &Sample) -> Result<String> {
        let core = self.put("core", &sample.core)?;
        let binary = self.put("binary", &sample.binary)?;
        let text = self.put("text", &sample.text)?;
        let body = json!({
            "core": core,
            "binaries": [binary],
            "texts": [text],
            "service": sample.service,
            "labels": {"demo": "true"},
        });
        let answer = self.agent.post(format!("{}/api/v1/crashes", self.base)).send_json(body)?;
        id(answer)
    }

    /// A crash.
    pub(crate) fn crash(&self, id: &str) -> Result<Value> {
        json_of(self.agent.get(format!("{}/api/v1/crashes/{id}", self.base)).call()?)
    }

    fn put(&self, kind: &str, part: &Part) -> Result<String> {
        let mut reader = part.open()?;
        let url = format!("{}/api/v1/blobs/{kind}?name={}", self.base, part.name());
        let mut reader: &mut dyn Read = &mut *reader;
        let answer = self
            .agent
            .put(url)
            .content_type("application/octet-stream")
            .send(SendBody::from_reader(&mut reader))
            .with_context(|| format!("cannot upload the {kind}"))?;
        id(answer).with_context(|| format!("cannot upload the {kind}"))
    }
}

fn id(answer: http::Response) -> Result<String> {
    let value = json_of(answer)?;
    value["id"].as_str().map(str::to_owned).with_context(|| format!("the server's answer has no id: {value}"))
}

fn json_of(mut answer: http::Response) -> Result<Value> {
    let status = answer.status();
    let text = answer.body_mut().read_to_string()?;
    if !status.is_success() {
        bail!("the server answered {status}: {text}");
    }
    serde_json::from_str(&text).context("the server's answer is no JSON")
}

mod http {
    pub(super) type Response = ureq::http::Response<ureq::Body>;
}
