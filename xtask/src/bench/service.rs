//! Processes of the service to measure, and the servers that they share.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::{paths, process};

/// Time for a process to come up; one that brings a large database up to date takes longest.
const START: Duration = Duration::from_mins(10);

/// PostgreSQL on lasting data, and an S3 server.
pub(super) struct Servers {
    child: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    s3: String,
    environment: Vec<(String, String)>,
}

impl Servers {
    /// Starts them.
    pub(super) fn start() -> Result<Self> {
        let build =
            ["build", "--quiet", "--release", "--package", "panicle-backends", "--example", "servers"];
        process::run(process::cargo().args(build))?;
        let mut child = Command::new(example("servers")?)
            .arg(lasting_folder()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the servers")?;
        let ask = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().context("no answers")?);
        let said = line(&mut answers)?;
        let environment = said["environment"].as_object().context("no environment")?;
        let environment = environment
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect();
        let s3 = said["s3"].as_str().context("no bucket")?.to_owned();
        Ok(Self { child, ask, answers, s3, environment })
    }

    /// The URL of a database of PostgreSQL, and whether it was made just now.
    pub(super) fn database(&mut self, name: &str) -> Result<(String, bool)> {
        let answer = self.asked(&format!("database {name}"))?;
        let url = answer["url"].as_str().context("no URL")?.to_owned();
        Ok((url, answer["made"] == true))
    }

    /// Removes a database.
    pub(super) fn remove(&mut self, name: &str) -> Result<()> {
        self.asked(&format!("remove {name}")).map(drop)
    }

    /// The URL of the bucket.
    pub(super) fn bucket(&self) -> &str {
        &self.s3
    }

    /// The credentials of the bucket, as variables.
    pub(super) fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    fn asked(&mut self, question: &str) -> Result<Value> {
        writeln!(self.ask.as_mut().context("they are gone")?, "{question}")?;
        line(&mut self.answers)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // They end with their input.
        self.ask = None;
        let _ = self.child.wait();
    }
}

fn line(answers: &mut impl BufRead) -> Result<Value> {
    let mut text = String::new();
    answers.read_line(&mut text)?;
    serde_json::from_str(&text).context("the servers ended; see what they said")
}

/// An example that was built in release.
pub(super) fn example(name: &str) -> Result<PathBuf> {
    Ok(paths::target()?.join("release").join("examples").join(name))
}

/// Below the cache; for root, who may not run PostgreSQL, where others reach it.
fn lasting_folder() -> Result<PathBuf> {
    if nix::unistd::geteuid().is_root() {
        return Ok("/var/tmp/panicle-bench".into());
    }
    Ok(folder()?.join("postgres"))
}

/// What is kept from one measurement to the next.
pub(super) fn folder() -> Result<PathBuf> {
    let folder = paths::cache()?.join("bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A process of the service; it ends when this is dropped.
pub(super) struct Process(Child);

impl Process {
    /// Starts `panicle` with these arguments; what it logs goes to a file.
    pub(super) fn start<S: AsRef<OsStr>>(
        panicle: &Path,
        arguments: impl IntoIterator<Item = S>,
        environment: &[(String, String)],
        log: &Path,
    ) -> Result<Self> {
        let log = std::fs::File::create(log)?;
        let child = Command::new(panicle)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start panicle")?;
        Ok(Self(child))
    }

    /// Waits until the API at this address is ready.
    pub(super) fn ready(&mut self, client: &Client) -> Result<()> {
        let started = Instant::now();
        while !client.get("/readyz").is_ok_and(|(status, _)| status == 200) {
            if let Some(status) = self.0.try_wait()? {
                bail!("panicle ended while it started: {status}");
            }
            if started.elapsed() > START {
                bail!("panicle was not ready after {} minutes", START.as_secs() / 60);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.0.id().cast_signed()), Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

/// An address that nobody listens at.
pub(super) fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// A client of the API, with a connection of its own.
pub(super) struct Client {
    agent: ureq::Agent,
    base: String,
}

impl Client {
    pub(super) fn new(address: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(2)))
            .proxy(None)
            .build();
        Self { agent: config.into(), base: format!("http://{address}") }
    }

    /// Status and body.
    pub(super) fn get(&self, path: &str) -> Result<(u16, String)> {
        let mut answer = self.agent.get(format!("{}{path}", self.base)).call()?;
        Ok((answer.status().as_u16(), answer.body_mut().with_config().limit(64 << 20).read_to_string()?))
    }

    /// A body of JSON.
    pub(super) fn json(&self, path: &str) -> Result<Value> {
        let (status, text) = self.get(path)?;
        if status != 200 {
            bail!("{path}: {status}: {text}");
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// Stores a piece of evidence; its identifier.
    pub(super) fn put(&self, kind: &str, bytes: &[u8]) -> Result<String> {
        let request = self.agent.put(format!("{}/api/v1/blobs/{kind}", self.base));
        let mut answer = request.content_type("application/octet-stream").send(bytes)?;
        identifier(answer.body_mut())
    }

    /// Posts JSON; the identifier of what that made.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<String> {
        identifier(self.agent.post(format!("{}{path}", self.base)).send_json(body)?.body_mut())
    }
}

fn identifier(body: &mut ureq::Body) -> Result<String> {
    let text = body.read_to_string()?;
    let value: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
    value["id"].as_str().map(str::to_owned).with_context(|| format!("the answer has no id: {text}"))
}
