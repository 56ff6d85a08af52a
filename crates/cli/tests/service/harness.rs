//! Starts servers and talks to them.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use panicle_backends::S3Server;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::{Agent, AsSendBody, SendBody};

/// How long anything may take that the service does by itself.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) fn panicle() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_panicle"));
    command.env("RUST_LOG", "info").env_remove("PANICLE_SERVER").env_remove("PANICLE_TOKEN");
    command
}

/// A running `panicle serve`, killed when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    data: Option<TempDir>,
    stores: Option<Arc<Stores>>,
    agent: Agent,
}

/// A database on PostgreSQL and a bucket, for processes that share them.
pub(crate) struct Stores {
    pub(crate) database: String,
    pub(crate) bucket: Mutex<S3Server>,
}

impl Stores {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { database: panicle_backends::database(), bucket: Mutex::new(S3Server::new()) })
    }

    pub(crate) fn bucket(&self) -> MutexGuard<'_, S3Server> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a process use them, as a deployment would: all by its environment.
    pub(crate) fn used_by(&self, command: &mut Command) {
        let bucket = self.bucket();
        command
            .env("PANICLE_DATABASE", &self.database)
            .env("PANICLE_BLOBS", bucket.url("evidence"))
            .envs(bucket.environment());
    }
}

/// A server on SQLite and local files.
pub(crate) fn on_files(arguments: &[&str]) -> Server {
    Server::start(arguments)
}

/// A server on a database on PostgreSQL and a bucket of its own.
pub(crate) fn on_stores(arguments: &[&str]) -> Server {
    Server::start_on(Some(Stores::new()), arguments)
}

/// The same two, with more variables in their environment.
pub(crate) fn on_files_with(environment: &[(String, String)], arguments: &[&str]) -> Server {
    Server::start_with(None, environment, arguments)
}

pub(crate) fn on_stores_with(environment: &[(String, String)], arguments: &[&str]) -> Server {
    Server::start_with(Some(Stores::new()), environment, arguments)
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Its JSON, given that it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Its problem's slug, given that it is a well-formed problem of this status.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> String {
        assert_eq!(self.kind, "application/problem+json", "{}", String::from_utf8_lossy(&self.body));
        let problem = self.expect(status);
        assert_eq!(problem["status"], status);
        assert!(
            !problem["title"].as_str().unwrap().is_empty() && !problem["detail"].as_str().unwrap().is_empty()
        );
        problem["type"].as_str().unwrap().strip_prefix("/problems/").unwrap().to_owned()
    }
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_on(None, arguments)
    }

    pub(crate) fn start_on(stores: Option<Arc<Stores>>, arguments: &[&str]) -> Self {
        Self::start_with(stores, &[], arguments)
    }

    /// One on SQLite and local files, with what is in a folder.
    pub(crate) fn start_in(data: TempDir, arguments: &[&str]) -> Self {
        Self::launch(data, None, Vec::new(), arguments.iter().map(|&text| text.to_owned()).collect())
    }

    pub(crate) fn start_with(
        stores: Option<Arc<Stores>>,
        environment: &[(String, String)],
        arguments: &[&str],
    ) -> Self {
        let data = tempfile::tempdir().unwrap();
        let arguments = arguments.iter().map(|&text| text.to_owned()).collect();
        Self::launch(data, stores, environment.to_vec(), arguments)
    }

    fn launch(
        data: TempDir,
        stores: Option<Arc<Stores>>,
        environment: Vec<(String, String)>,
        arguments: Vec<String>,
    ) -> Self {
        let mut command = panicle();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path()).args(&arguments);
        if let Some(stores) = &stores {
            stores.used_by(&mut command);
        }
        command.envs(environment.iter().cloned());
        let mut server = Self::run(command, data);
        (server.arguments, server.environment, server.stores) = (arguments, environment, stores);
        server
    }

    /// Has a command use the same database, where it is not in the data directory.
    pub(crate) fn share_database(&self, command: &mut Command) {
        if let Some(stores) = &self.stores {
            stores.used_by(command);
        }
    }

    /// Runs a command that serves, and whose log goes into `data`.
    pub(crate) fn run(mut command: Command, data: TempDir) -> Self {
        let log = File::options().create(true).append(true).open(data.path().join("server.log")).unwrap();
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("Panicle listens on ").unwrap_or_else(|| {
            panic!("no address: {}", std::fs::read_to_string(data.path().join("server.log")).unwrap())
        });
        // A refused request may leave its connection unusable, which a client notices too late.
        let agent =
            Agent::config_builder().http_status_as_error(false).max_idle_connections(0).build().into();
        let url = url.replace("0.0.0.0", "127.0.0.1");
        Self {
            process,
            url,
            arguments: Vec::new(),
            environment: Vec::new(),
            data: Some(data),
            stores: None,
            agent,
        }
    }

    /// SIGKILL, and the same again.
    pub(crate) fn kill_and_restart(mut self) -> Self {
        self.kill();
        let (environment, arguments) = (self.environment.clone(), self.arguments.clone());
        Self::launch(self.data.take().unwrap(), self.stores.clone(), environment, arguments)
    }

    /// SIGKILL, and with other arguments on the same data.
    pub(crate) fn killed_and_started_with(mut self, arguments: &[&str]) -> Self {
        self.kill();
        Self::start_in(self.data.take().unwrap(), arguments)
    }

    fn kill(&mut self) {
        // It may have ended already, and been waited for.
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.as_ref().unwrap().path()
    }

    /// How many pieces of evidence are kept where they are kept.
    pub(crate) fn kept(&self) -> usize {
        let root = match &self.stores {
            Some(stores) => stores.bucket().bucket().join("evidence"),
            None => self.data().to_owned(),
        };
        let shards = std::fs::read_dir(root.join("blobs")).into_iter().flatten();
        let files = shards.flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap());
        files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "zst")).count()
    }

    /// Where pieces of uploads are kept, as files.
    pub(crate) fn spool(&self) -> PathBuf {
        match &self.stores {
            Some(stores) => stores.bucket().bucket().join("evidence").join("spool"),
            None => self.data().join("spool"),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// SIGTERM, and its end.
    pub(crate) fn terminate(&mut self) {
        terminate(&mut self.process);
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.data().join("server.log")).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], ())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string())
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsSendBody,
    ) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(body).unwrap()).unwrap();
        let kind = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: response.status().as_u16(),
            kind: kind.unwrap_or_default(),
            headers: response.headers().clone(),
            body: response.body_mut().with_config().limit(1 << 32).read_to_vec().unwrap(),
        }
    }

    pub(crate) fn put(&self, kind: &str, body: impl AsSendBody) -> Answer {
        self.send("PUT", &format!("/api/v1/blobs/{kind}"), &[], body)
    }

    /// Uploads a stream whose length nobody knows, and answers its id.
    pub(crate) fn put_stream(&self, kind: &str, mut body: impl Read) -> String {
        id(&self.put(kind, SendBody::from_reader(&mut body)).json())
    }

    pub(crate) fn put_file(&self, kind: &str, path: &Path) -> String {
        self.put_stream(kind, File::open(path).unwrap())
    }

    /// Records a crash and answers its id.
    pub(crate) fn crash(&self, body: &Value) -> String {
        let answer = self.post("/api/v1/crashes", body);
        assert!(matches!(answer.status, 200 | 201), "{}", String::from_utf8_lossy(&answer.body));
        id(&answer.json())
    }

    pub(crate) fn crash_of_core(&self, core: &Path) -> String {
        let core = self.put_file("core", core);
        self.crash(&json!({ "core": core }))
    }

    /// The crash, once it has one of these states.
    #[track_caller]
    pub(crate) fn wait(&self, crash: &str, states: &[&str]) -> Value {
        let path = format!("/api/v1/crashes/{crash}");
        self.wait_until(&path, |crash| states.contains(&crash["status"].as_str().unwrap()))
    }

    #[track_caller]
    pub(crate) fn wait_until(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let value = self.get(path).expect(200);
            if done(&value) {
                return value;
            }
            assert!(started.elapsed() < PATIENCE, "still {value:#}\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// SIGTERM, and the end of the process, which has to be a good one.
pub(crate) fn terminate(process: &mut Child) {
    assert!(Command::new("kill").arg(process.id().to_string()).status().unwrap().success());
    let status = process.wait().unwrap();
    assert!(status.success(), "{status}");
}

pub(crate) fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("no id in {value:#}")).to_owned()
}

/// A small crash text; `n` makes it another one.
pub(crate) fn text(n: u32) -> String {
    format!(
        "panic: boom {n}\n\ngoroutine 1 [running]:\nmain.work{n}(0x1)\n\t/src/main.go:{} +0x1d\n\
         main.main()\n\t/src/main.go:5 +0x1d\nexit status 2\n",
        n + 10
    )
}

/// The core of a program that Go has nothing to do with.
pub(crate) fn core_without_go(directory: &Path) -> PathBuf {
    let shell = "ulimit -c unlimited && exec sleep 60";
    let mut process = Command::new("sh").args(["-c", shell]).current_dir(directory).spawn().unwrap();
    // Until the shell has become the program that is to die.
    let name = format!("/proc/{}/comm", process.id());
    while std::fs::read_to_string(&name).unwrap().trim() != "sleep" {
        thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-SEGV", &process.id().to_string()]).status().unwrap().success());
    process.wait().unwrap();
    let mut found = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let core = found.find(|path| path.file_name().unwrap().to_string_lossy().starts_with("core"));
    core.unwrap_or_else(|| {
        let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
        panic!("this host puts cores elsewhere; for tests, set kernel.core_pattern to core (it is {pattern})")
    })
}
