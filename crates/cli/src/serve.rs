//! `panicle serve`: API, web UI and workers in one process.

use std::{
    fs::{self, File, TryLockError},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use panicle_blobs::{BlobStore, BlobUrl, Limits};
use panicle_server::{AlertLabels, AppState, ListenError, Rates};
use panicle_store::Store;

use crate::{
    exit::{Done, Failure},
    service::{
        CacheFolder, Memory, WorkArguments, database_url, make_directory, open_blobs, run_to_end, shutdown,
        unreachable,
    },
};

/// How long a server waits for one before it to be gone.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// How often uploads to a store are looked for that broke off.
const SWEEP_EVERY: Duration = Duration::from_hours(6);

/// Arguments of `panicle serve`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where database, evidence and temporary files are, unless told otherwise.
    #[arg(long, value_name = "DIR", default_value = "panicle-data", env = "PANICLE_DATA")]
    data: PathBuf,
    /// Address to listen on; a loopback address, unless there are access tokens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7171", env = "PANICLE_LISTEN")]
    listen: SocketAddr,
    /// `sqlite:PATH` or `postgres://…` [default: SQLite in the data directory].
    #[arg(long, value_name = "URL", env = "PANICLE_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// Where evidence is kept: `file:PATH` or `s3://BUCKET/PREFIX?endpoint=URL` [default: in the data
    /// directory].
    #[arg(long, value_name = "URL", env = "PANICLE_BLOBS", hide_env_values = true)]
    blobs: Option<BlobUrl>,
    /// Largest piece of evidence that is taken.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().max_blob_bytes,
        env = "PANICLE_MAX_UPLOAD_BYTES")]
    max_upload_bytes: u64,
    /// Uploads are refused when the disk has less room than this.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().min_free_bytes,
        env = "PANICLE_MIN_FREE_BYTES")]
    min_free_bytes: u64,
    /// Requests a minute that are taken from one access token [default: any number].
    #[arg(long, value_name = "N", env = "PANICLE_REQUESTS_PER_MINUTE", value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_minute: Option<u32>,
    /// Bytes a day that are taken from one access token, as they come over the wire [default: any number].
    #[arg(long, value_name = "BYTES", env = "PANICLE_UPLOAD_BYTES_PER_DAY", value_parser = clap::value_parser!(u64).range(1..))]
    upload_bytes_per_day: Option<u64>,
    /// Requests a minute that are taken from a project that has no limit of its own [default: any number].
    #[arg(long, value_name = "N", env = "PANICLE_PROJECT_REQUESTS_PER_MINUTE",
        value_parser = clap::value_parser!(u32).range(1..))]
    project_requests_per_minute: Option<u32>,
    /// Bytes a day that are taken from a project that has no limit of its own [default: any number].
    #[arg(long, value_name = "BYTES", env = "PANICLE_PROJECT_UPLOAD_BYTES_PER_DAY",
        value_parser = clap::value_parser!(u64).range(1..))]
    project_upload_bytes_per_day: Option<u64>,
    /// How long an upload that comes in several requests is kept when nothing comes.
    #[arg(long, value_name = "SECONDS", default_value_t = 24 * 60 * 60, env = "PANICLE_UPLOAD_EXPIRY_SECONDS",
        value_parser = clap::value_parser!(u64).range(1..))]
    upload_expiry_seconds: u64,
    /// Labels of alerts whose values are names of services, with commas between [default: service, job, app and the like].
    #[arg(long, value_name = "LABELS", env = "PANICLE_ALERT_SERVICE_LABELS", value_delimiter = ',')]
    alert_service_labels: Vec<String>,
    /// The same of hosts [default: host, instance, pod, node and the like].
    #[arg(long, value_name = "LABELS", env = "PANICLE_ALERT_HOST_LABELS", value_delimiter = ',')]
    alert_host_labels: Vec<String>,
    #[command(flatten)]
    work: WorkArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    // Where there is no database yet there are no tokens, and nothing is to be made before that is said.
    if arguments.database.is_none() && !arguments.data.join("panicle.db").exists() {
        check_address(arguments.listen, false)?;
    }
    arguments.work.start_log();
    run_to_end(serve(arguments))
}

/// Strangers are not let in.
fn check_address(address: SocketAddr, tokens: bool) -> Result<(), Failure> {
    if address.ip().is_loopback() || tokens {
        return Ok(());
    }
    Err(Failure::Arguments(ListenError::NotLoopback(address).to_string()))
}

async fn serve(arguments: &Arguments) -> Result<Done, Failure> {
    let data = make_directory(&arguments.data)?;
    let _lock = lock(&data)?;
    let shutdown = shutdown()?;

    let limits =
        Limits { max_blob_bytes: arguments.max_upload_bytes, min_free_bytes: arguments.min_free_bytes };
    let url = match &arguments.blobs {
        Some(BlobUrl::Directory(path)) => BlobUrl::Directory(make_directory(path)?),
        Some(url) => url.clone(),
        None => BlobUrl::Directory(data.clone()),
    };
    // Two services on one directory would sweep away each other's uploads. A bucket is for many.
    let _blobs_lock = match &url {
        BlobUrl::Directory(root) if *root != data => Some(lock(root)?),
        _ => None,
    };
    let blobs = open_blobs(&url, data.join("tmp"), limits).await?;
    let blobs = arguments.work.with_sources(blobs)?;
    let url = database_url(arguments.database.as_deref(), &data);
    let store = Store::connect(&url).await.map_err(unreachable)?;
    let tokens = store.has_tokens().await.map_err(unreachable)?;
    check_address(arguments.listen, tokens)?;
    let first = blobs.clone();
    let swept = tokio::task::spawn_blocking(move || first.sweep()).await.map_err(unreachable)?;
    match swept.map_err(unreachable)? {
        0 => {}
        swept => tracing::info!(swept, "removed uploads that had broken off"),
    }
    let sweeping = tokio::spawn(sweep_often(blobs.clone()));

    let name = format!("serve-{}", instance(&data)?);
    // Of requests that ended with the process before this one.
    store.recover_uploads(&name).await.map_err(unreachable)?;
    let listener = panicle_server::bind(arguments.listen, tokens).await.map_err(unreachable)?;
    let address = listener.local_addr().map_err(unreachable)?;
    // One for both: what was laid out for an analysis is there for questions, too.
    let folder = arguments.work.cache_dir.as_deref().map(CacheFolder::below).transpose()?;
    let laid_out = folder.as_ref().map_or_else(|| data.join("cache"), |folder| folder.path.clone());
    let cache = arguments.work.cache(blobs.clone(), laid_out)?;
    let questions = arguments.work.questions(store.clone(), cache.clone());
    let working = if arguments.work.workers == Some(0) {
        None
    } else {
        let worker = arguments.work.worker(name.clone(), store.clone(), cache)?;
        let shutdown = shutdown.clone();
        Some(tokio::spawn(async move { worker.run(shutdown).await }))
    };
    println!("Panicle listens on http://{address}");
    let rates = Rates {
        requests_per_minute: arguments.requests_per_minute,
        bytes_per_day: arguments.upload_bytes_per_day,
    };
    let of_projects = Rates {
        requests_per_minute: arguments.project_requests_per_minute,
        bytes_per_day: arguments.project_upload_bytes_per_day,
    };
    let state = AppState::new(store.clone(), blobs)
        .with_memory(Arc::new(Memory(questions)))
        .with_uploads(&name, Duration::from_secs(arguments.upload_expiry_seconds))
        .with_sources(arguments.work.sources()?)
        .with_alert_labels(alert_labels(arguments))
        .with_rates(rates, of_projects);
    if tokens {
        state.shut();
    }
    let keeping = tokio::spawn(state.clone().keep_uploads());
    let router = panicle_server::router(state);
    let served = panicle_server::serve(listener, router, shutdown.clone()).await;
    shutdown.cancel();
    keeping.abort();
    if let Some(working) = working {
        // Its children have been called off; a defect in it was logged where it happened.
        let _ = working.await;
    }
    sweeping.abort();
    store.close().await;
    served.map_err(unreachable)?;
    Ok(Done::Done)
}

/// Which labels of alerts name services and hosts.
fn alert_labels(arguments: &Arguments) -> AlertLabels {
    let mut labels = AlertLabels::default();
    let given = [
        (&arguments.alert_service_labels, &mut labels.service),
        (&arguments.alert_host_labels, &mut labels.host),
    ];
    for (given, labels) in given {
        // Compose files set a variable to nothing that is not used.
        let given: Vec<String> =
            given.iter().map(|label| label.trim().to_owned()).filter(|label| !label.is_empty()).collect();
        if !given.is_empty() {
            *labels = given;
        }
    }
    labels
}

/// Ends uploads to a store that broke off, also those of processes that are gone.
async fn sweep_often(blobs: BlobStore) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let blobs = blobs.clone();
        match tokio::task::spawn_blocking(move || blobs.sweep_store()).await {
            Ok(Ok(0)) => {}
            Ok(Ok(swept)) => tracing::info!(swept, "removed uploads that had broken off"),
            Ok(Err(error)) => tracing::warn!(%error, "uploads that broke off stay for now"),
            Err(error) => tracing::error!(%error, "a defect"),
        }
    }
}

/// One server for a data directory: it sweeps what others would still be writing.
fn lock(data: &Path) -> Result<File, Failure> {
    let path = data.join("lock");
    let failed = |error| Failure::Unreachable(format!("{}: {error}", path.display()));
    let file = File::create(&path).map_err(failed)?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // A server that was killed lets go of it a moment later: a child that it was about to
            // start shares its files until it has become another program.
            Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_PATIENCE => {
                thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::Unreachable(format!(
                    "{}: another panicle serve uses it",
                    data.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}

/// What this installation is called, so that after a restart it knows its own leases again.
fn instance(data: &Path) -> Result<String, Failure> {
    let path = data.join("instance");
    match fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
        _ => {}
    }
    let name = uuid::Uuid::new_v4().to_string();
    fs::write(&path, &name).map_err(|error| Failure::Unreachable(format!("{}: {error}", path.display())))?;
    Ok(name)
}
