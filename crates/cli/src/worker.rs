//! `panicle worker`: workers alone.

use std::{net::SocketAddr, sync::Arc};

use clap::Args;
use panicle_blobs::{BlobStore, BlobUrl, Limits};
use panicle_server::{AppState, ListenError};
use panicle_store::Store;
use panicle_worker::Worker;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    exit::{Done, Failure},
    service::{CacheFolder, WorkArguments, open_blobs, run_to_end, shutdown, unreachable},
};

/// Arguments of `panicle worker`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The service's database, `sqlite:PATH` or `postgres://…`.
    #[arg(long, value_name = "URL", env = "PANICLE_DATABASE", hide_env_values = true)]
    database: String,
    /// Where the service keeps evidence: `file:PATH` or `s3://BUCKET/PREFIX?endpoint=URL`.
    #[arg(long, value_name = "URL", env = "PANICLE_BLOBS", hide_env_values = true)]
    blobs: BlobUrl,
    /// Address to tell at how it is: `/healthz`, `/readyz` and `/metrics` [default: none]; a loopback address, unless
    /// there are access tokens.
    #[arg(long, value_name = "ADDR", env = "PANICLE_WORKER_LISTEN", value_parser = address)]
    listen: Option<Address>,
    #[command(flatten)]
    work: WorkArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    arguments.work.start_log();
    run_to_end(work(arguments))
}

async fn work(arguments: &Arguments) -> Result<Done, Failure> {
    let shutdown = shutdown()?;
    // Goes with this process, unless a directory was given.
    let temporary = tempfile::Builder::new().prefix("panicle-worker-").tempdir().map_err(unreachable)?;
    let cache = CacheFolder::below(arguments.work.cache_dir.as_deref().unwrap_or(temporary.path()))?;
    let blobs = open_blobs(&arguments.blobs, temporary.path().join("tmp"), Limits::default()).await?;
    let blobs = arguments.work.with_sources(blobs)?;
    let kept = blobs.clone();
    let store = Store::connect(&arguments.database).await.map_err(unreachable)?;
    // A name that was never used: what a killed worker held is free again when its lease expires.
    let name = format!("worker-{}", uuid::Uuid::new_v4());
    tracing::info!(name, "working");
    let files = arguments.work.cache(blobs, cache.path.clone())?;
    let worker = arguments.work.worker(name, store.clone(), files)?;
    let telling = match arguments.listen.and_then(|address| address.0) {
        Some(address) => Some(tell(address, &worker, (&store, kept), shutdown.clone()).await?),
        None => None,
    };
    worker.run(shutdown).await;
    if let Some(telling) = telling {
        telling.abort();
    }
    store.close().await;
    Ok(Done::Done)
}

/// An address, or none: compose files set a variable to nothing that is not used.
#[derive(Clone, Copy, Debug)]
struct Address(Option<SocketAddr>);

fn address(text: &str) -> Result<Address, std::net::AddrParseError> {
    if text.is_empty() { Ok(Address(None)) } else { text.parse().map(|address| Address(Some(address))) }
}

/// Tells how a worker is, behind the doors that the API has.
async fn tell(
    address: SocketAddr,
    worker: &Worker,
    (store, blobs): (&Store, BlobStore),
    shutdown: CancellationToken,
) -> Result<JoinHandle<()>, Failure> {
    let tokens = store.has_tokens().await.map_err(unreachable)?;
    let listener = panicle_server::bind(address, tokens).await.map_err(|error| match error {
        ListenError::NotLoopback(_) => Failure::Arguments(error.to_string()),
        error @ ListenError::Bind { .. } => unreachable(error),
    })?;
    let address = listener.local_addr().map_err(unreachable)?;
    let worker = worker.clone();
    let state = AppState::new(store.clone(), blobs).with_worker(Arc::new(move || worker.stuck()));
    if tokens {
        state.shut();
    }
    println!("Panicle listens on http://{address}");
    Ok(tokio::spawn(async move {
        if let Err(error) =
            panicle_server::serve(listener, panicle_server::worker_router(state), shutdown).await
        {
            tracing::error!(%error, "nobody is told any more how this worker is");
        }
    }))
}
