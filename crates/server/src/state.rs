use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::StatusCode;
use metrics_exporter_prometheus::PrometheusHandle;
use panicle_blobs::{BlobStore, S3Source};
use panicle_store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    AlertLabels, CrashMemory, Problem, Rates, access::Access, observe, operations::Health,
    report_cache::ReportCache, resumable,
};

/// Uploads that are written at the same time. Less than the threads that [`BLOCKING_THREADS`] names, so that everything
/// else has some.
const UPLOADS_AT_ONCE: usize = 512;
/// Threads that a process which serves needs for what blocks.
pub const BLOCKING_THREADS: usize = UPLOADS_AT_ONCE + 256;
/// How often uploads are looked for that were given up.
const UPKEEP: Duration = Duration::from_mins(1);
/// How often all pieces of uploads are looked through for those of none.
const SWEEP: Duration = Duration::from_hours(1);

/// Tells why a worker does not get on, if it does not.
pub type Stuck = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// What the handlers work with.
#[derive(Clone)]
pub struct AppState {
    pub(crate) store: Store,
    pub(crate) blobs: BlobStore,
    pub(crate) reports: Arc<ReportCache>,
    pub(crate) memory: Option<Arc<dyn CrashMemory>>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) access: Arc<Access>,
    /// What this process is called, and after a restart again.
    pub(crate) name: Arc<str>,
    /// How long an upload is kept to which nothing is added.
    pub(crate) upload_expiry: Duration,
    /// Buckets whose events are taken.
    pub(crate) sources: Arc<[S3Source]>,
    /// What labels of alerts name.
    pub(crate) alert_labels: Arc<AlertLabels>,
    /// What was said of how this process is.
    pub(crate) health: Arc<Health>,
    /// The worker of a process that serves nothing else.
    pub(crate) worker: Option<Stuck>,
    /// Uploads that may be written at the same time.
    writers: Arc<Semaphore>,
}

impl AppState {
    /// State over a database and a blob store.
    pub fn new(store: Store, blobs: BlobStore) -> Self {
        let access = Arc::new(Access::new(store.clone()));
        Self {
            access,
            store,
            blobs,
            reports: Arc::default(),
            memory: None,
            metrics: observe::recorder(),
            name: uuid::Uuid::new_v4().to_string().into(),
            upload_expiry: Duration::from_hours(24),
            sources: Arc::default(),
            alert_labels: Arc::default(),
            health: Arc::default(),
            worker: None,
            writers: Arc::new(Semaphore::new(UPLOADS_AT_ONCE)),
        }
    }

    /// The right to write one upload. Each takes a thread while it comes, and the process has so many: who comes when
    /// they are taken is told so at once, and tries again.
    pub(crate) fn writing(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.writers).try_acquire_owned().map_err(|_| {
            let detail = format!("{UPLOADS_AT_ONCE} uploads come at this moment; try again in a few seconds");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-uploads", "Too many uploads", detail)
                .after(Duration::from_secs(4))
        })
    }

    /// The same, to which these labels of alerts name services and hosts.
    #[must_use]
    pub fn with_alert_labels(self, labels: AlertLabels) -> Self {
        Self { alert_labels: Arc::new(labels), ..self }
    }

    /// The same, which takes events of these buckets.
    #[must_use]
    pub fn with_sources(self, sources: Vec<S3Source>) -> Self {
        Self { sources: sources.into(), ..self }
    }

    /// The same, under a name that no other process has, and that keeps uploads for so long to which nothing
    /// is added.
    #[must_use]
    pub fn with_uploads(self, name: &str, expiry: Duration) -> Self {
        Self { name: name.into(), upload_expiry: expiry, ..self }
    }

    /// Looks after uploads that come in several requests, for as long as this process serves.
    pub async fn keep_uploads(self) {
        let mut swept: Option<Instant> = None;
        loop {
            if let Err(problem) = resumable::tend(&self).await {
                tracing::warn!(?problem, "uploads that were given up stay for now");
            }
            if swept.is_none_or(|at| at.elapsed() >= SWEEP) {
                swept = Some(Instant::now());
                if let Err(problem) = resumable::sweep(&self).await {
                    tracing::warn!(?problem, "pieces of uploads that nobody needs stay for now");
                }
            }
            tokio::time::sleep((self.upload_expiry / 4).clamp(Duration::from_secs(1), UPKEEP)).await;
        }
    }

    /// The same, with somebody who answers questions about memory.
    #[must_use]
    pub fn with_memory(self, memory: Arc<dyn CrashMemory>) -> Self {
        Self { memory: Some(memory), ..self }
    }

    /// The same, which takes no more from one token, and from a project that has no limits of its own.
    #[must_use]
    pub fn with_rates(self, token: Rates, project: Rates) -> Self {
        let access = Access::new(self.store.clone()).with_rates(token).with_project_rates(project);
        Self { access: Arc::new(access), ..self }
    }

    /// The same, of a process that works, for [`worker_router`](crate::worker_router).
    #[must_use]
    pub fn with_worker(self, stuck: Stuck) -> Self {
        Self { worker: Some(stuck), ..self }
    }

    /// Nobody gets in without a token from now on, even if there is none.
    pub fn shut(&self) {
        self.access.shut();
    }
}
