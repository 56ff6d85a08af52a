//! Who may change an upload: one request at a time, in all processes.

use std::time::Duration;

use jiff::Timestamp;
use panicle_store::Store;
use tokio::task::JoinHandle;

use super::locked;
use crate::{AppState, Problem, tus};

/// How long a request's hold on an upload outlives its process.
const HOLD: Duration = Duration::from_secs(20);

/// The right to change an upload, extended until this is dropped.
pub(super) struct Hold {
    pub(super) id: String,
    pub(super) holder: String,
    store: Store,
    extending: JoinHandle<()>,
}

impl Hold {
    pub(super) async fn take(state: &AppState, id: &str) -> Result<Self, Problem> {
        let holder = format!("{}/{}", state.name, uuid::Uuid::new_v4());
        let (id, store) = (id.to_owned(), state.store.clone());
        if !store.hold_upload(&id, &holder, Timestamp::now(), tus::after(HOLD)).await? {
            return Err(locked());
        }
        let extending = tokio::spawn({
            let (id, holder, store) = (id.clone(), holder.clone(), store.clone());
            async move {
                loop {
                    tokio::time::sleep(HOLD / 4).await;
                    match store.extend_upload(&id, &holder, tus::after(HOLD)).await {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(error) => tracing::warn!(%error, "a hold on an upload could not be extended"),
                    }
                }
            }
        });
        Ok(Self { id, holder, store, extending })
    }

    pub(super) async fn release(self) {
        if let Err(error) = self.store.release_upload(&self.id, &self.holder).await {
            tracing::warn!(%error, "a hold on an upload ends by itself");
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.extending.abort();
    }
}
