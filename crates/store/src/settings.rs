//! What holds for all of the service and can be changed while it runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Store, StoreError, tx::Tx};

/// The row of [`CorePolicy`].
const CORES: &str = "cores";

/// How many full cores are kept of each group, the newest, where nobody decided that for the group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CorePolicy {
    /// Of services that are not named; `None` for what the worker was started with.
    pub keep_cores: Option<u32>,
    /// By service: of each group, so many of its crashes.
    pub services: BTreeMap<String, u32>,
}

impl CorePolicy {
    /// The fewest cores that are kept of any group where nothing was decided for it; `usual` is what the worker was
    /// started with.
    pub(crate) fn least(&self, usual: Option<u32>) -> Option<u32> {
        self.services.values().copied().chain(self.keep_cores.or(usual)).min()
    }
}

const READ: &str = "SELECT value, revision FROM settings WHERE name = $1";

/// What a row says, and its revision.
fn policy(row: Option<(String, i64)>) -> Result<(CorePolicy, u64), StoreError> {
    match row {
        Some((value, revision)) => Ok((serde_json::from_str(&value)?, revision as u64)),
        None => Ok((CorePolicy::default(), 0)),
    }
}

/// The policy and its revision.
pub(crate) async fn read(tx: &mut Tx) -> Result<(CorePolicy, u64), StoreError> {
    policy(first!(tx, READ, CORES))
}

impl Store {
    /// The policy and its revision, which is 0 while nobody has made one.
    pub async fn core_policy(&self) -> Result<(CorePolicy, u64), StoreError> {
        policy(query!(self, db => sqlx::query_as(READ).bind(CORES).fetch_optional(db).await)?)
    }

    /// Makes this the policy, if the one that there is still has this revision. Answers the new revision.
    pub async fn set_core_policy(
        &self,
        policy: &CorePolicy,
        if_revision: Option<u64>,
    ) -> Result<u64, StoreError> {
        let value = serde_json::to_string(policy)?;
        let now = Timestamp::now().as_microsecond();
        // In turn with whoever deletes by it.
        Ok(in_turn!(self, tx => {
            let (_, revision) = read(tx).await?;
            if if_revision.is_some_and(|wanted| wanted != revision) {
                return Err(StoreError::Conflict);
            }
            let revision = revision + 1;
            exec!(
                tx,
                "INSERT INTO settings (name, value, revision, updated_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, revision = excluded.revision, \
                 updated_at = excluded.updated_at",
                CORES,
                &value,
                revision as i64,
                now
            );
            revision
        }))
    }
}
