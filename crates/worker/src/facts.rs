//! Facts of crashes that were analysed before there were any, or by an older program: taken from the reports that are
//! stored, without analysing again.

use std::{io::Read as _, time::Duration};

use panicle_query::Facts;
use panicle_report::Report;
use panicle_store::{Crash, Outdated, Part, StoreError};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::Worker;

/// Crashes at a time.
const BATCH: u32 = 50;
/// Between two crashes, so that whoever waits for the database gets it.
const BREATH: Duration = Duration::from_millis(2);
/// Pause after trouble with the database.
const PAUSE: Duration = Duration::from_secs(30);
/// A head holds one goroutine and the clusters; larger ones are not ours.
const MAX_HEAD_BYTES: u64 = 256 << 20;

impl Worker {
    /// Takes facts until there is nothing to take.
    pub(crate) async fn fill_facts(self, shutdown: CancellationToken) {
        let mut filled = 0_u64;
        loop {
            let done = tokio::select! {
                () = shutdown.cancelled() => return,
                done = self.fill_some() => done,
            };
            match done {
                Ok(0) => break,
                Ok(some) => filled += some,
                Err(error) => {
                    tracing::error!(%error, "facts for queries cannot be stored");
                    tokio::select! {
                        () = shutdown.cancelled() => return,
                        () = sleep(PAUSE) => {}
                    }
                }
            }
        }
        if filled > 0 {
            tracing::info!(filled, "facts for queries are taken from stored reports");
        }
    }

    async fn fill_some(&self) -> Result<u64, StoreError> {
        let store = &self.inner.store;
        let outdated = store.outdated_facts(BATCH).await?;
        for one in &outdated {
            let facts = self.facts(one).await?;
            store.fill_facts(one, &facts).await?;
            sleep(BREATH).await;
        }
        Ok(outdated.len() as u64)
    }

    async fn facts(&self, outdated: &Outdated) -> Result<Facts, StoreError> {
        let store = &self.inner.store;
        let mut facts = of_columns(&store.crash(&outdated.crash).await?);
        let head = store.report_part(&outdated.crash, outdated.report_revision, Part::Head, 0).await?;
        let Some(head) = head else { return Ok(facts) };
        let read = tokio::task::spawn_blocking(move || {
            let mut json = Vec::new();
            zstd::Decoder::new(head.as_slice())
                .and_then(|decoder| decoder.take(MAX_HEAD_BYTES).read_to_end(&mut json))
                .map_err(|error| error.to_string())?;
            let report: Report = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
            Ok::<_, String>(Facts::of_report(&report))
        });
        match read.await.map_err(|error| error.to_string()).flatten() {
            Ok(read) => facts.replace(read),
            // Its columns are there all the same.
            Err(reason) => tracing::warn!(crash = outdated.crash, reason, "a stored report cannot be read"),
        }
        Ok(facts)
    }
}

fn of_columns(crash: &Crash) -> Facts {
    let mut facts = Facts::new();
    let mut add = |name, value: &Option<String>| facts.add(name, value.as_deref().unwrap_or_default());
    add("class", &crash.class);
    add("title", &crash.title);
    add("confidence", &crash.confidence);
    add("go", &crash.go_version);
    add("module", &crash.module);
    add("version", &crash.module_version);
    add("executable", &crash.executable);
    add("build", &crash.build_ids.gnu);
    add("build", &crash.build_ids.go);
    if let Some((_, fingerprint, family)) = &crash.signature {
        facts.add("fingerprint", fingerprint);
        facts.add("family", family);
    }
    facts
}
