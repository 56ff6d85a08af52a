//! What is deleted by policy: full cores of a group beyond the newest ones. Everything else is kept.
//!
//! Deleting takes two steps, so that neither a crash of this program nor an upload of the same bytes at the
//! same moment loses anything: first the rows say that a core is gone, then its bytes go, within a transaction
//! that finds the rows still saying so. An upload in between makes them say the opposite.

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use self::share::{Share, shares};
use crate::{Store, StoreError, tx::Tx};

mod share;

/// Cores that are looked at in one go.
const BATCH: i64 = 100;

impl Store {
    /// Marks as deleted the cores of a group beyond what was decided for the group, else beyond the policy, else
    /// beyond its newest `keep`. Those of crashes that wait for an analysis stay. Answers how many crashes
    /// lost their core, of which there may be more.
    pub async fn expire_cores(&self, group: &str, keep: Option<u32>) -> Result<u64, StoreError> {
        let now = Timestamp::now();
        // In turn with whoever names evidence or commits an analysis.
        Ok(in_turn!(self, tx => {
            let row: Option<(Option<i64>,)> =
                first!(tx, "SELECT keep_cores FROM crash_groups WHERE id = $1", group);
            let shares = match row.and_then(|row| row.0) {
                Some(decided) => vec![Share::all(decided)],
                None => shares(tx, group, keep).await?,
            };
            let at = now.strftime("%Y-%m-%d %H:%M:%S UTC");
            let mut expired = 0;
            for share in shares {
                let reason = format!("deleted by policy, on {at}: {}", share.reason());
                for (crash,) in share.excess(tx, group, BATCH).await? {
                    expire(tx, &crash, &reason, now.as_microsecond()).await?;
                    expired += 1;
                }
            }
            expired
        }))
    }

    /// Groups after `after`, by identifier, that have more cores than are kept of them, as [`Store::expire_cores`] counts
    /// them with the same `usual`. Some of the cores may be needed still.
    pub async fn groups_to_expire(
        &self,
        usual: Option<u32>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let (policy, _) = self.core_policy().await?;
        let services: Vec<String> =
            (0..policy.services.len()).map(|at| format!("(${}, ${})", 6 + 2 * at, 7 + 2 * at)).collect();
        let services = match services.as_slice() {
            [] => "SELECT CAST(NULL AS TEXT), CAST(NULL AS BIGINT)".to_owned(),
            services => format!("VALUES {}", services.join(", ")),
        };
        let text = format!(
            "WITH policy (service, keep) AS ({services}) SELECT g.id FROM crash_groups g WHERE g.id > $4 \
             AND g.crashes > COALESCE(g.keep_cores, $5) AND CASE WHEN g.keep_cores IS NOT NULL \
             THEN (SELECT COUNT(*) FROM crashes c WHERE c.group_id = g.id AND c.has_core = $2) > g.keep_cores \
             ELSE (SELECT COUNT(*) FROM crashes c WHERE c.group_id = g.id AND c.has_core = $2 \
             AND NOT EXISTS (SELECT 1 FROM policy p WHERE p.service = c.service)) > $1 \
             OR EXISTS (SELECT 1 FROM crashes c JOIN policy p ON p.service = c.service WHERE c.group_id = g.id \
             AND c.has_core = $2 GROUP BY p.service, p.keep HAVING COUNT(*) > p.keep) END ORDER BY g.id LIMIT $3"
        );
        let rows: Vec<(String,)> = query!(self, db => {
            let mut query = sqlx::query_as(AssertSqlSafe(text))
                .bind(policy.keep_cores.or(usual).map(i64::from))
                .bind(true)
                .bind(i64::from(limit))
                .bind(after)
                .bind(policy.least(usual).map(i64::from));
            for (service, keep) in &policy.services {
                query = query.bind(service).bind(i64::from(*keep));
            }
            query.fetch_all(db).await
        })?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Blobs that no crash has any more and whose bytes are still there.
    pub async fn blobs_to_free(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = query!(self, db => sqlx::query_as(
            "SELECT id FROM blobs WHERE deleted_at IS NOT NULL AND freed = $2 ORDER BY deleted_at LIMIT $1")
            .bind(i64::from(limit))
            .bind(false)
            .fetch_all(db)
            .await)?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Has `remove` take the bytes of a blob away, unless it was uploaded again meanwhile. Answers whether
    /// it did.
    pub async fn free_blob(
        &self,
        id: &str,
        remove: impl FnOnce() -> std::io::Result<()> + Send,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        // Whoever records the blob again waits for this row, and then finds the bytes gone.
        let freed = exec!(
            &mut tx,
            "UPDATE blobs SET freed = $2, stored_bytes = 0 WHERE id = $1 AND deleted_at IS NOT NULL AND freed = $3",
            id,
            true,
            false
        );
        if freed == 0 {
            return Ok(false);
        }
        remove().map_err(|source| StoreError::Io { what: format!("removing blob {id}"), source })?;
        tx.commit().await?;
        Ok(true)
    }
}

async fn expire(tx: &mut Tx, crash: &str, reason: &str, now: i64) -> Result<(), StoreError> {
    let cores: Vec<(String,)> = all!(
        tx,
        "UPDATE crash_evidence SET deleted_at = $2, deleted_reason = $3 WHERE crash_id = $1 AND kind = 'core' \
         AND deleted_at IS NULL RETURNING blob_id",
        crash,
        now,
        reason
    );
    exec!(tx, "UPDATE crashes SET has_core = $3, core_deleted_at = $2 WHERE id = $1", crash, now, false);
    for (blob,) in cores {
        // Before it is looked at: whoever records the blob for another project either has done so by now, or waits and
        // then finds it gone.
        exec!(tx, "UPDATE blobs SET freed = freed WHERE id = $1", &blob);
        // Another project that was sent it, and has not yet said what it belongs to, may still do so.
        exec!(
            tx,
            "UPDATE blobs SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL AND NOT EXISTS \
             (SELECT 1 FROM crash_evidence e JOIN crashes c ON c.id = e.crash_id WHERE e.blob_id = $1 \
             AND e.deleted_at IS NULL AND c.joined_into IS NULL) AND NOT EXISTS \
             (SELECT 1 FROM blob_projects p WHERE p.blob_id = $1 AND NOT EXISTS \
             (SELECT 1 FROM crash_evidence e JOIN crashes c ON c.id = e.crash_id WHERE e.blob_id = $1 \
             AND c.project = p.project))",
            &blob,
            now
        );
    }
    Ok(())
}
