//! `panicle worker`: workers alone.

use clap::Args;
use panicle_blobs::{BlobUrl, Limits};
use panicle_store::Store;

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
    let store = Store::connect(&arguments.database).await.map_err(unreachable)?;
    // A name that was never used: what a killed worker held is free again when its lease expires.
    let name = format!("worker-{}", uuid::Uuid::new_v4());
    tracing::info!(name, "working");
    let files = arguments.work.cache(blobs, cache.path.clone())?;
    let worker = arguments.work.worker(name, store.clone(), files)?;
    worker.run(shutdown).await;
    store.close().await;
    Ok(Done::Done)
}
