//! Claims work, runs it in a child process, commits what came of it.
//!
//! Nothing here reads evidence: it is laid out as local files and handed to a child, whose answers
//! are stored. A job is claimed with a lease that is extended while its child runs. Whatever ends
//! the worker meanwhile leaves the lease to expire, and another claim does the work again.

mod analyse;
mod ask;
mod away;
mod facts;
mod identify;
mod import;
mod join;
mod names;
mod nul;
mod parts;
mod pulse;
mod retention;
mod run;
mod symbols;
mod tend;

use std::{sync::Arc, time::Duration};

use panicle_blobs::{BlobError, BlobStore, Bucket, LocalCache, S3Source};
use panicle_sandbox::{Limits, Sandbox, Stopped};
use panicle_store::{Claim, Store, StoreError};
use thiserror::Error;

use crate::away::Away;

pub use ask::{AskError, Questions};
pub use import::Sniff;
pub use symbols::Headers;

/// Does the work that the store knows of.
#[derive(Clone)]
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    cache: LocalCache,
    sandbox: Sandbox,
    settings: Settings,
    pulse: pulse::Pulse,
    /// debuginfod servers that do not answer.
    away: Away,
    /// The same of sources, by their names.
    sources_away: Away,
}

/// How to work.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of this worker. Whoever starts under the same name again takes back at once what it
    /// held, so no two workers may run under one name.
    pub name: String,
    /// Jobs at the same time.
    pub tasks: usize,
    /// What each child may use.
    pub limits: Limits,
    /// How long a lease holds without a heartbeat.
    pub lease: Duration,
    /// Attempts before a job is set aside.
    pub max_attempts: u32,
    /// Full cores to keep of each group, the newest; all of them when not given.
    pub keep_cores: Option<u32>,
    /// What debuginfod servers are told with each request.
    pub debuginfod_headers: Headers,
    /// Addresses of debuginfod servers that are asked for executables and debug files that crashes wait for.
    pub debuginfod: Vec<String>,
    /// Buckets of others whose objects become evidence, with whoever reads them.
    pub sources: Vec<(S3Source, Bucket)>,
    /// How long an object that an event told of is looked for, while it is not there or its store is away.
    pub object_patience: Duration,
    /// Tells what objects are.
    pub sniff: Sniff,
    /// Pause before the second attempt; four times as long before the third.
    pub retry_after: Duration,
}

impl Settings {
    /// Settings for a worker of this name; the rest as it should be.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            tasks: std::thread::available_parallelism().map_or(1, usize::from),
            limits: Limits::default(),
            lease: Duration::from_mins(1),
            max_attempts: 3,
            keep_cores: None,
            debuginfod_headers: Headers::default(),
            debuginfod: Vec::new(),
            sources: Vec::new(),
            object_patience: Duration::from_hours(24),
            sniff: |_, _, _| Err("nobody here tells what objects are".to_owned()),
            retry_after: Duration::from_secs(5),
        }
    }

    fn claim(&self) -> Claim {
        Claim { worker: self.name.clone(), lease: self.lease, max_attempts: self.max_attempts }
    }
}

/// Why a job did not come to its end.
#[derive(Debug, Error)]
enum JobError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// Evidence that stayed in a bucket of others cannot be had now.
    #[error(transparent)]
    Elsewhere(BlobError),
    /// An input is not what it was said to be.
    #[error("{input}: {reason}")]
    Input { input: String, reason: String },
}

impl Worker {
    /// A worker that children of `sandbox` work for.
    pub fn new(store: Store, cache: LocalCache, sandbox: Sandbox, settings: Settings) -> Self {
        let (pulse, away, sources_away) = (pulse::Pulse::default(), Away::default(), Away::default());
        Self { inner: Arc::new(Inner { store, cache, sandbox, settings, pulse, away, sources_away }) }
    }

    /// Why this worker does not get on; `None` while all its tasks ask for work or look after some.
    pub fn stuck(&self) -> Option<String> {
        self.inner.pulse.wrong(std::time::Instant::now())
    }

    /// A cache of this size for evidence under `directory`.
    pub fn cache(
        blobs: BlobStore,
        directory: std::path::PathBuf,
        bytes: u64,
    ) -> Result<LocalCache, BlobError> {
        LocalCache::open(blobs, directory, bytes)
    }
}
