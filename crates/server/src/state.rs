use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use panicle_blobs::BlobStore;
use panicle_store::Store;

use crate::{CrashMemory, Rates, access::Access, observe, report_cache::ReportCache};

/// What the handlers work with.
#[derive(Clone)]
pub struct AppState {
    pub(crate) store: Store,
    pub(crate) blobs: BlobStore,
    pub(crate) reports: Arc<ReportCache>,
    pub(crate) memory: Option<Arc<dyn CrashMemory>>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) access: Arc<Access>,
}

impl AppState {
    /// State over a database and a blob store.
    pub fn new(store: Store, blobs: BlobStore) -> Self {
        let access = Arc::new(Access::new(store.clone()));
        Self { access, store, blobs, reports: Arc::default(), memory: None, metrics: observe::recorder() }
    }

    /// The same, with somebody who answers questions about memory.
    #[must_use]
    pub fn with_memory(self, memory: Arc<dyn CrashMemory>) -> Self {
        Self { memory: Some(memory), ..self }
    }

    /// The same, which takes no more from one token.
    #[must_use]
    pub fn with_rates(self, rates: Rates) -> Self {
        Self { access: Arc::new(Access::new(self.store.clone()).with_rates(rates)), ..self }
    }

    /// Nobody gets in without a token from now on, even if there is none.
    pub fn shut(&self) {
        self.access.shut();
    }
}
