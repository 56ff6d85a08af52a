//! What `panicle serve` and `panicle worker` have in common.

use std::{
    fs::{self, File, TryLockError},
    io::IsTerminal,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use clap::{Args, ValueEnum};
use panicle_blobs::{BlobStore, BlobUrl, Bucket, LocalCache, NotASource, S3Source, Take};
use panicle_report::Query;
use panicle_sandbox::{Limits, Sandbox};
use panicle_server::{Answering, AskError, CrashMemory};
use panicle_store::Store;
use panicle_worker::{Headers, Questions, Settings, Worker};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::{
    child,
    exit::{Done, Failure},
};

const MIB: u64 = 1 << 20;

/// What an analysis may use, and how logs are written.
#[derive(Debug, Args)]
pub(crate) struct WorkArguments {
    /// Analyses at the same time [default: one for each core].
    #[arg(long, value_name = "N", env = "PANICLE_WORKERS")]
    pub(crate) workers: Option<usize>,
    /// Memory that one analysis may use, mapped evidence not counted.
    #[arg(long, value_name = "MIB", default_value_t = 4096, env = "PANICLE_ANALYSIS_MEMORY_MIB")]
    analysis_memory_mib: u64,
    /// Processor time that one analysis may use.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, env = "PANICLE_ANALYSIS_CPU_SECONDS")]
    analysis_cpu_seconds: u64,
    /// Time that one analysis may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 900, env = "PANICLE_ANALYSIS_SECONDS")]
    analysis_seconds: u64,
    /// What compressed evidence may unpack to, holes counted.
    #[arg(long, value_name = "MIB", default_value_t = 128 << 10, env = "PANICLE_UNPACKED_MIB")]
    unpacked_mib: u64,
    /// Pause before the second attempt at an analysis that was stopped; four times that before the third.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, env = "PANICLE_RETRY_AFTER_SECONDS")]
    retry_after_seconds: u64,
    /// How long others wait for a worker that is gone before they take its analyses over.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, env = "PANICLE_LEASE_SECONDS",
        value_parser = clap::value_parser!(u64).range(2..))]
    lease_seconds: u64,
    /// Disk that evidence laid out for analysis may take while it is not in use.
    #[arg(long, value_name = "MIB", default_value_t = 16384, env = "PANICLE_CACHE_MIB")]
    cache_mib: u64,
    /// Where evidence is laid out for analysis; processes may share it, each with a cache of its own
    /// [default: in the data directory, or a temporary one].
    #[arg(long, value_name = "DIR", env = "PANICLE_EVIDENCE_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Full cores to keep of each group, the newest [default: all]. What else is known of a crash is always kept.
    #[arg(long, value_name = "N", env = "PANICLE_KEEP_CORES", value_parser = clap::value_parser!(u32).range(1..))]
    keep_cores: Option<u32>,
    /// debuginfod servers, asked for executables and debug files that crashes wait for; several
    /// in one text stand apart by white space.
    #[arg(long, value_name = "URL", env = "PANICLE_DEBUGINFOD_URLS", hide_env_values = true,
        value_parser = web_addresses)]
    debuginfod: Vec<WebAddresses>,
    /// A file of headers, one in a line, that are sent to debuginfod servers along with each request, such as
    /// `Authorization: Bearer …`. All of them are sent to all servers.
    #[arg(long, value_name = "FILE", env = "DEBUGINFOD_HEADERS_FILE")]
    debuginfod_headers_file: Option<PathBuf>,
    /// A bucket whose events are taken (`POST /api/v1/hooks/s3`), `NAME=s3://BUCKET/PREFIX?endpoint=URL`; may be given
    /// several times, and several in one text stand apart by white space.
    #[arg(long, value_name = "SOURCE", env = "PANICLE_S3_SOURCES", value_parser = s3_sources)]
    s3_source: Vec<Sources>,
    /// How long an object that an event told of is looked for while it is not there.
    #[arg(long, value_name = "SECONDS", default_value_t = 24 * 60 * 60, env = "PANICLE_OBJECT_PATIENCE_SECONDS")]
    object_patience_seconds: u64,
    /// How log lines are written to stderr.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, env = "PANICLE_LOG_FORMAT")]
    log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON document a line.
    Json,
}

impl WorkArguments {
    /// Starts logging. `RUST_LOG` chooses what is logged.
    pub(crate) fn start_log(&self) {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        let started = match self.log_format {
            LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
            LogFormat::Json => builder.json().flatten_event(true).try_init(),
        };
        if let Err(error) = started {
            eprintln!("panicle: there will be no log: {error}");
        }
    }

    /// Room for laid out evidence in `directory`, which it has to itself.
    pub(crate) fn cache(&self, blobs: BlobStore, directory: PathBuf) -> Result<LocalCache, Failure> {
        LocalCache::open(blobs, directory, self.cache_mib.saturating_mul(MIB)).map_err(unreachable)
    }

    /// Somebody who answers questions about memory.
    pub(crate) fn questions(&self, store: Store, cache: LocalCache) -> Questions {
        let at_once = thread::available_parallelism().map_or(2, usize::from).max(2);
        Questions::new(store, cache, sandbox(), at_once, &self.limits())
    }

    fn limits(&self) -> Limits {
        Limits {
            memory_bytes: self.analysis_memory_mib.saturating_mul(MIB),
            cpu_seconds: self.analysis_cpu_seconds,
            wall: Duration::from_secs(self.analysis_seconds),
            unpacked_bytes: self.unpacked_mib.saturating_mul(MIB),
            ..Limits::default()
        }
    }

    /// Buckets of others that evidence comes from, each of another name.
    pub(crate) fn sources(&self) -> Result<Vec<S3Source>, Failure> {
        let sources: Vec<S3Source> = self.s3_source.iter().flat_map(|some| some.0.clone()).collect();
        for (at, source) in sources.iter().enumerate() {
            if sources[..at].iter().any(|other| other.name == source.name) {
                return Err(Failure::Arguments(format!("there are two S3 sources named {}", source.name)));
            }
        }
        Ok(sources)
    }

    /// Evidence that can be read from the buckets in which it stayed, too.
    pub(crate) fn with_sources(&self, blobs: BlobStore) -> Result<BlobStore, Failure> {
        let mut buckets = Vec::new();
        for source in self.sources()? {
            match Bucket::open(&source.url, &source.environment(&environment())) {
                Ok(bucket) => buckets.push((source.name, bucket)),
                Err(error) if source.take == Take::Reference => return Err(unreachable(error)),
                // Whoever copies nothing out of it need not have its credentials.
                Err(error) => tracing::debug!(%error, source = source.name, "a source cannot be read here"),
            }
        }
        Ok(blobs.with_sources(buckets))
    }

    /// What debuginfod servers are told besides.
    fn debuginfod_headers(&self) -> Result<Headers, Failure> {
        let Some(path) = &self.debuginfod_headers_file else { return Ok(Headers::default()) };
        let wrong =
            |why: String| Failure::Arguments(format!("--debuginfod-headers-file {}: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        // What stands in a line is not said: it may be secret.
        text.parse().map_err(|line| wrong(format!("line {line} is no header that can be sent, NAME: VALUE")))
    }

    /// A worker of this name.
    pub(crate) fn worker(&self, name: String, store: Store, cache: LocalCache) -> Result<Worker, Failure> {
        let defaults = Settings::new(name);
        let environment = environment();
        let open = |source: S3Source| {
            let bucket = Bucket::open(&source.url, &source.environment(&environment)).map_err(unreachable)?;
            Ok((source, bucket))
        };
        let sources = self.sources()?.into_iter().map(open).collect::<Result<_, Failure>>()?;
        let settings = Settings {
            tasks: self.workers.unwrap_or(defaults.tasks),
            limits: self.limits(),
            lease: Duration::from_secs(self.lease_seconds),
            retry_after: Duration::from_secs(self.retry_after_seconds),
            keep_cores: self.keep_cores,
            debuginfod_headers: self.debuginfod_headers()?,
            debuginfod: self.debuginfod.iter().flat_map(|addresses| addresses.0.clone()).collect(),
            sources,
            sniff: panicle_server::sniff,
            object_patience: Duration::from_secs(self.object_patience_seconds),
            ..defaults
        };
        Ok(Worker::new(store, cache, sandbox(), settings))
    }
}

/// What one argument or variable names, which may be nothing: compose files set a variable to nothing that is not
/// used.
#[derive(Clone)]
struct WebAddresses(Vec<String>);

/// There may be passwords in them.
impl std::fmt::Debug for WebAddresses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} addresses", self.0.len())
    }
}

fn web_addresses(text: &str) -> Result<WebAddresses, String> {
    let addresses = text.split_whitespace().map(|text| {
        panicle_collect::web_address(text)
            .ok_or_else(|| "an address begins with http:// or https://".to_owned())
    });
    addresses.collect::<Result<_, _>>().map(WebAddresses)
}

/// What one argument or variable names, which may be nothing.
#[derive(Clone, Debug)]
struct Sources(Vec<S3Source>);

fn s3_sources(text: &str) -> Result<Sources, NotASource> {
    text.split_whitespace().map(str::parse).collect::<Result<_, _>>().map(Sources)
}

/// Variables of the environment that are text.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Children are the program that runs, even if another version took its place on disk meanwhile.
pub(crate) fn sandbox() -> Sandbox {
    Sandbox::new("/proc/self/exe", &[child::NAME])
}

/// Gives the server the answers of [`Questions`].
pub(crate) struct Memory(pub(crate) Questions);

impl CrashMemory for Memory {
    fn ask<'a>(&'a self, crash: &'a str, query: Query) -> Answering<'a> {
        Box::pin(async move {
            self.0.ask(crash, query).await.map_err(|error| match error {
                panicle_worker::AskError::NoMemory(text) => AskError::NoMemory(text),
                panicle_worker::AskError::Gone(text) => AskError::Gone(text),
                panicle_worker::AskError::Query(error) => AskError::Query(error),
                panicle_worker::AskError::TooMuch(text) => AskError::TooMuch(text),
                panicle_worker::AskError::Busy => AskError::Busy,
                error => AskError::Failed(error.to_string()),
            })
        })
    }
}

/// A failure that means that a store or service is out of reach.
pub(crate) fn unreachable(error: impl std::fmt::Display) -> Failure {
    Failure::Unreachable(error.to_string())
}

/// Runs a service to its end, and does not wait for what blocks then: requests to a store that is away are
/// repeated for a minute, and whoever wanted an answer has been let go.
pub(crate) fn run_to_end(service: impl Future<Output = Result<Done, Failure>>) -> Result<Done, Failure> {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(panicle_server::BLOCKING_THREADS)
        .build()
        .map_err(unreachable)?;
    let done = runtime.block_on(service);
    runtime.shutdown_background();
    done
}

/// Has a command that keeps no log say what it waits for.
pub(crate) fn warn_on_stderr() {
    let builder =
        tracing_subscriber::fmt().with_env_filter(EnvFilter::new("warn")).with_writer(std::io::stderr);
    // There may be a log already, which says it, too.
    let _ = builder.with_ansi(std::io::stderr().is_terminal()).without_time().with_target(false).try_init();
}

/// Opens where evidence is kept. What is on its way into a bucket, or out of it, goes by `temporary`.
pub(crate) async fn open_blobs(
    url: &BlobUrl,
    temporary: PathBuf,
    limits: panicle_blobs::Limits,
) -> Result<BlobStore, Failure> {
    match url {
        BlobUrl::Directory(path) => BlobStore::open(make_directory(path)?, limits).map_err(unreachable),
        BlobUrl::S3(url) => {
            tracing::info!(store = %url, "evidence is kept in a bucket");
            // Other variables than AWS_* are not looked at; those are text.
            BlobStore::connect(url, environment(), temporary, limits).await.map_err(unreachable)
        }
    }
}

/// Where evidence is laid out: a folder below a directory that processes may share, and the lock on it.
pub(crate) struct CacheFolder {
    pub(crate) path: PathBuf,
    _lock: File,
}

/// Processes that share a directory for their caches.
const MOST_SHARING: u32 = 1000;

impl CacheFolder {
    /// The first folder below `directory` that no other process has. What a process left there that was
    /// killed is taken away by the next one.
    pub(crate) fn below(directory: &Path) -> Result<Self, Failure> {
        let directory = make_directory(directory)?;
        for number in 0..MOST_SHARING {
            let path = directory.join(format!("panicle-cache-{number}.lock"));
            let failed = |error| Failure::Unreachable(format!("{}: {error}", path.display()));
            let lock = File::create(&path).map_err(failed)?;
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path: path.with_extension(""), _lock: lock }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Err(Failure::Unreachable(format!("{}: {MOST_SHARING} processes use it", directory.display())))
    }
}

/// The database that is meant: the one that is named, or SQLite in the data directory.
pub(crate) fn database_url(named: Option<&str>, data: &Path) -> String {
    named.map_or_else(|| format!("sqlite:{}", data.join("panicle.db").display()), str::to_owned)
}

/// Makes a directory and answers its absolute path.
pub(crate) fn make_directory(path: &Path) -> Result<PathBuf, Failure> {
    fs::create_dir_all(path)
        .and_then(|()| path.canonicalize())
        .map_err(|error| Failure::Unreachable(format!("{}: {error}", path.display())))
}

/// A token that SIGTERM and SIGINT cancel.
pub(crate) fn shutdown() -> Result<CancellationToken, Failure> {
    let token = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signal = signal(kind).map_err(unreachable)?;
        let token = token.clone();
        tokio::spawn(async move {
            signal.recv().await;
            tracing::info!("stopping");
            token.cancel();
        });
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::web_addresses;

    #[test]
    fn addresses_stand_apart_by_white_space_and_may_be_none() {
        let read = |text: &str| web_addresses(text).map(|addresses| addresses.0);
        assert_eq!(read(""), Ok(Vec::new()));
        let two = ["http://a".to_owned(), "https://u:secret@b/c".to_owned()];
        assert_eq!(read(" http://a/  \n https://u:secret@b/c\n"), Ok(two.to_vec()));
        assert!(read("http://a ftp://b").is_err() && read("http://").is_err());
        let shown = format!("{:?}", web_addresses("https://u:secret@b").unwrap());
        assert!(!shown.contains("secret"));
    }
}
