use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use panicle_blobs::BlobStore;
use panicle_store::Store;

use crate::{CrashMemory, observe, report_cache::ReportCache};

/// What the handlers work with.
#[derive(Clone)]
pub struct AppState {
    pub(crate) store: Store,
    pub(crate) blobs: BlobStore,
    pub(crate) reports: Arc<ReportCache>,
    pub(crate) memory: Option<Arc<dyn CrashMemory>>,
    pub(crate) metrics: PrometheusHandle,
}

impl AppState {
    /// State over a database and a blob store.
    pub fn new(store: Store, blobs: BlobStore) -> Self {
        Self { store, blobs, reports: Arc::default(), memory: None, metrics: observe::recorder() }
    }

    /// The same, with somebody who answers questions about memory.
    #[must_use]
    pub fn with_memory(self, memory: Arc<dyn CrashMemory>) -> Self {
        Self { memory: Some(memory), ..self }
    }
}
