use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use panicle_blobs::BlobStore;
use panicle_store::Store;

use crate::{observe, report_cache::ReportCache};

/// What the handlers work with.
#[derive(Clone)]
pub struct AppState {
    pub(crate) store: Store,
    pub(crate) blobs: BlobStore,
    pub(crate) reports: Arc<ReportCache>,
    pub(crate) metrics: PrometheusHandle,
}

impl AppState {
    /// State over a database and a blob store.
    pub fn new(store: Store, blobs: BlobStore) -> Self {
        Self { store, blobs, reports: Arc::default(), metrics: observe::recorder() }
    }
}
