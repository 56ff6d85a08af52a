//! The parts of a group of which cores are counted apart.

use sqlx::AssertSqlSafe;

use crate::{StoreError, settings, tx::Tx};

/// Crashes of a group of which so many cores are kept.
pub(super) struct Share {
    /// Of these services, or of all others.
    services: Vec<String>,
    others: bool,
    pub(super) keep: i64,
}

impl Share {
    /// The whole group.
    pub(super) const fn all(keep: i64) -> Self {
        Self { services: Vec::new(), others: true, keep }
    }

    /// For a person.
    pub(super) fn reason(&self) -> String {
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
    pub(super) async fn excess(
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
pub(super) async fn shares(tx: &mut Tx, group: &str, usual: Option<u32>) -> Result<Vec<Share>, StoreError> {
    let (policy, _) = settings::read(tx).await?;
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
