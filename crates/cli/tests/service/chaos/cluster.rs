//! Processes that are killed and started again at the same address.

use std::{
    fmt::Write as _,
    fs::File,
    net::TcpListener,
    ops::Range,
    process::{Child, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use panicle_backends::{PostgresServer, S3Server};
use tempfile::TempDir;

use crate::harness::panicle;

/// Numbers that a seed decides.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn seeded() -> Self {
        let given = std::env::var("PANICLE_CHAOS_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| uuid::Uuid::new_v4().as_u128() as u64 | 1);
        eprintln!("PANICLE_CHAOS_SEED={seed}");
        Self(seed)
    }

    /// Below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        // Marsaglia's xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    pub(super) fn between(&mut self, milliseconds: Range<u64>) -> Duration {
        Duration::from_millis(milliseconds.start + self.below(milliseconds.end - milliseconds.start))
    }
}

/// A database and a bucket that processes share.
struct Shared {
    database: Mutex<PostgresServer>,
    bucket: Mutex<S3Server>,
}

struct Member {
    arguments: Vec<String>,
    process: Mutex<Option<Child>>,
}

/// The processes of an installation.
pub(super) struct Cluster {
    members: Vec<Member>,
    /// Where its API processes listen.
    pub(super) urls: Vec<String>,
    shared: Option<Shared>,
    data: TempDir,
}

impl Cluster {
    /// One process with everything in a folder.
    pub(super) fn on_files() -> Self {
        Self::new(None, 1, &["--workers", "2"], 0)
    }

    /// Two API processes and two workers on PostgreSQL and an S3 store.
    pub(super) fn on_stores() -> Self {
        let shared =
            Shared { database: Mutex::new(PostgresServer::new()), bucket: Mutex::new(S3Server::new()) };
        Self::new(Some(shared), 2, &["--workers", "0"], 2)
    }

    fn new(shared: Option<Shared>, apis: usize, api: &[&str], workers: usize) -> Self {
        let data = tempfile::tempdir().unwrap();
        let quickly = ["--retry-after-seconds", "0", "--lease-seconds", "5"];
        let folder = |name: String| data.path().join(name).to_str().unwrap().to_owned();
        let owned = |parts: &[&[&str]]| parts.concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
        let (mut members, mut urls) = (Vec::new(), Vec::new());
        for number in 0..apis {
            let address = free_address();
            let own = folder(format!("api{number}"));
            members.push(owned(&[&["serve", "--listen", &address, "--data", &own], api, &quickly]));
            urls.push(format!("http://{address}"));
        }
        for number in 0..workers {
            let own = folder(format!("cache{number}"));
            members.push(owned(&[&["worker", "--workers", "1", "--cache-dir", &own], &quickly]));
        }
        let members =
            members.into_iter().map(|arguments| Member { arguments, process: Mutex::new(None) }).collect();
        let cluster = Self { members, urls, shared, data };
        for number in 0..cluster.members.len() {
            cluster.start(number);
        }
        cluster
    }

    fn start(&self, number: usize) {
        let log = self.data.path().join(format!("{number}.log"));
        let log = File::options().create(true).append(true).open(log).unwrap();
        let mut command = panicle();
        if let Some(shared) = &self.shared {
            let bucket = lock(&shared.bucket);
            command
                .env("PANICLE_DATABASE", lock(&shared.database).url())
                .env("PANICLE_BLOBS", bucket.url("evidence"))
                .envs(bucket.environment());
        }
        let member = &self.members[number];
        let process = command.args(&member.arguments).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        *lock(&member.process) = Some(process);
    }

    /// SIGKILLs a process and starts it again after a while.
    pub(super) fn kill_one(&self, dice: &mut Dice) {
        let number = dice.below(self.members.len() as u64) as usize;
        self.end(number);
        thread::sleep(dice.between(0..400));
        self.start(number);
    }

    fn end(&self, number: usize) {
        if let Some(mut process) = lock(&self.members[number].process).take() {
            let _ = process.kill();
            process.wait().unwrap();
        }
    }

    /// Has the database away for so long.
    pub(super) fn without_database(&self, long: Duration) {
        let mut database = lock(&self.shared.as_ref().unwrap().database);
        database.stop();
        thread::sleep(long);
        database.start();
    }

    /// Has the store away for so long.
    pub(super) fn without_store(&self, long: Duration) {
        let mut bucket = lock(&self.shared.as_ref().unwrap().bucket);
        bucket.stop();
        thread::sleep(long);
        bucket.start();
    }

    /// The names of all that is kept.
    pub(super) fn kept(&self) -> Vec<String> {
        let root = match &self.shared {
            Some(shared) => lock(&shared.bucket).bucket().join("evidence"),
            None => self.data.path().join("api0"),
        };
        let mut kept = Vec::new();
        for shard in std::fs::read_dir(root.join("blobs")).unwrap().map(Result::unwrap) {
            for file in std::fs::read_dir(shard.path()).unwrap().map(Result::unwrap) {
                let (first, rest) = (shard.file_name(), file.file_name());
                let (first, rest) = (first.to_string_lossy(), rest.to_string_lossy());
                kept.push(format!("{first}{}", rest.split('.').next().unwrap()));
            }
        }
        kept.sort();
        kept
    }

    /// What its processes said, for whoever reads why a test failed.
    fn logs(&self) -> String {
        let mut logs = String::new();
        for number in 0..self.members.len() {
            let path = self.data.path().join(format!("{number}.log"));
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let last = lines[lines.len().saturating_sub(40)..].join("\n");
            let _ = writeln!(logs, "--- process {number}\n{last}");
        }
        logs
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.logs());
        }
        for number in 0..self.members.len() {
            self.end(number);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An address where nobody listens now.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
