//! What holds for all of the service and can be changed while it runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

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
    pub fn least(&self, usual: Option<u32>) -> Option<u32> {
        self.services.values().copied().chain(self.keep_cores.or(usual)).min()
    }
}

/// Crashes of a group of which so many cores are kept.
pub(crate) struct Share {
    /// Of these services, or of all others.
    services: Vec<String>,
    others: bool,
    pub(crate) keep: i64,
}

impl Share {
    /// The whole group.
    pub(crate) const fn all(keep: i64) -> Self {
        Self { services: Vec::new(), others: true, keep }
    }

    /// For a person.
    pub(crate) fn reason(&self) -> String {
        let cores = match self.keep {
            1 => "the newest core of each group is kept".to_owned(),
            keep => format!("the newest {keep} cores of each group are kept"),
        };
        match self.services.as_slice() {
            [service] if !self.others => format!("{cores}, for service {service}"),
            _ => cores,
        }
    }

    /// Crashes whose core is one too many, the oldest first. Somebody still needs the core of a crash that waits for an
    /// analysis, or to be tried with new signatures. Debug information that would tell more may never come: the
    /// newest cores are enough for it.
    pub(crate) async fn excess(
        &self,
        tx: &mut Tx,
        group: &str,
        limit: i64,
    ) -> Result<Vec<(String,)>, StoreError> {
        let names: Vec<String> = (6..6 + self.services.len()).map(|number| format!("${number}")).collect();
        let names = names.join(", ");
        let which = match (self.services.is_empty(), self.others) {
            (true, _) => String::new(),
            (false, true) => format!("AND (service IS NULL OR service NOT IN ({names})) "),
            (false, false) => format!("AND service IN ({names}) "),
        };
        let text = format!(
            "SELECT id FROM crashes WHERE id IN (SELECT id FROM crashes WHERE group_id = $1 AND has_core = $2 {which}\
             ORDER BY seen_at DESC, id DESC LIMIT $5 OFFSET $4) AND status = 'done' \
             AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.subject = crashes.id \
             AND j.kind IN ('analyse', 'try') AND j.state IN ('queued', 'running')) \
             ORDER BY seen_at, id LIMIT $3"
        );
        on!(tx, db => {
            let mut query = sqlx::query_as(AssertSqlSafe(text))
                .bind(group)
                .bind(true)
                .bind(limit)
                .bind(self.keep)
                .bind(i64::from(i32::MAX));
            for service in &self.services {
                query = query.bind(service);
            }
            Ok(query.fetch_all(db).await?)
        })
    }
}

/// The parts of a group of which cores are counted apart. `usual` holds where no policy says otherwise.
pub(crate) async fn shares(tx: &mut Tx, group: &str, usual: Option<u32>) -> Result<Vec<Share>, StoreError> {
    let (policy, _) = read(tx).await?;
    let mut apart = Vec::new();
    if !policy.services.is_empty() {
        let found: Vec<(Option<String>,)> = all!(
            tx,
            "SELECT DISTINCT service FROM crashes WHERE group_id = $1 AND has_core = $2",
            group,
            true
        );
        apart = found.into_iter().filter_map(|row| row.0).collect();
        apart.retain(|service| policy.services.contains_key(service));
        apart.sort_unstable();
    }
    let mut shares: Vec<Share> = apart
        .iter()
        .map(|service| Share {
            services: vec![service.clone()],
            others: false,
            keep: i64::from(policy.services[service]),
        })
        .collect();
    if let Some(keep) = policy.keep_cores.or(usual) {
        shares.push(Share { services: apart, others: true, keep: i64::from(keep) });
    }
    Ok(shares)
}

async fn read(tx: &mut Tx) -> Result<(CorePolicy, u64), StoreError> {
    let row: Option<(String, i64)> =
        first!(tx, "SELECT value, revision FROM settings WHERE name = $1", CORES);
    match row {
        Some((value, revision)) => Ok((serde_json::from_str(&value)?, revision as u64)),
        None => Ok((CorePolicy::default(), 0)),
    }
}

impl Store {
    /// The policy and its revision, which is 0 while nobody has made one.
    pub async fn core_policy(&self) -> Result<(CorePolicy, u64), StoreError> {
        let row: Option<(String, i64)> = query!(self, db => {
            sqlx::query_as("SELECT value, revision FROM settings WHERE name = $1")
                .bind(CORES)
                .fetch_optional(db)
                .await
        })?;
        match row {
            Some((value, revision)) => Ok((serde_json::from_str(&value)?, revision as u64)),
            None => Ok((CorePolicy::default(), 0)),
        }
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
