//! What is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many full cores are kept of each group, the newest ones.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Retention {
    /// Of all services that are not named; null for what the workers were started with, which is all of them unless
    /// they were told otherwise.
    pub(crate) keep_cores: Option<u32>,
    /// By service: so many of its crashes in each group.
    pub(crate) services: BTreeMap<String, u32>,
}
