//! Takes away what is deleted by policy.

use panicle_blobs::Digest;
use panicle_store::StoreError;

use crate::Worker;

/// Blobs that are freed at a time.
const BATCH: u32 = 100;

impl Worker {
    /// Deletes full cores of all groups beyond those that are kept, because fewer may be kept than before.
    pub(crate) async fn expire_all_cores(&self) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let keep = self.inner.settings.keep_cores;
        let mut after = String::new();
        loop {
            let groups = store.groups_to_expire(keep, &after, BATCH).await?;
            let Some(last) = groups.last() else { return Ok(()) };
            after.clone_from(last);
            for group in groups {
                while store.expire_cores(&group, keep).await? > 0 {
                    self.free_blobs().await?;
                }
            }
        }
    }

    /// Deletes full cores of a group beyond those that are kept.
    pub(crate) async fn expire_cores(&self, group: &str) {
        let done = self.inner.store.expire_cores(group, self.inner.settings.keep_cores).await;
        let ended = match done {
            Ok(0) => return,
            Ok(_) => self.free_blobs().await,
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            // The next crash of the group, or the upkeep, tries again.
            tracing::error!(group, %error, "cores that are not to be kept are kept for now");
        }
    }

    /// Frees the disk of blobs that no crash has any more.
    pub(crate) async fn free_blobs(&self) -> Result<(), StoreError> {
        let store = &self.inner.store;
        for id in store.blobs_to_free(BATCH).await? {
            let digest: Digest =
                id.parse().map_err(|_| StoreError::Stored(format!("the name of blob {id}")))?;
            let blobs = self.inner.cache.blobs().clone();
            let remove = move || {
                // It may take a while where blobs are in a store.
                tokio::task::block_in_place(|| blobs.remove(&digest)).map_err(std::io::Error::other)
            };
            if store.free_blob(&id, remove).await? {
                tracing::info!(blob = id, "deleted by policy");
            }
        }
        Ok(())
    }
}
