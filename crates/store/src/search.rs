//! Finding by a few letters, and counts for the header.

use crate::{
    Crash, Group, GroupFilter, GroupPage, GroupSort, Store, StoreError, crashes::CrashRecord, groups::like,
};

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Groups by title, class, service or fingerprint.
    pub groups: Vec<Group>,
    /// Crashes by the start of their identifier, by service or host.
    pub crashes: Vec<Crash>,
}

/// How much there is of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is its own definition")]
pub struct Stats {
    pub crashes: u64,
    pub groups: u64,
    pub waiting_for_binary: u64,
    pub queued: u64,
    pub analysing: u64,
    pub failed: u64,
    pub quarantined: u64,
}

impl Store {
    /// Finds groups and crashes by a few letters.
    pub async fn search(&self, text: &str, limit: u32) -> Result<Found, StoreError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Found::default());
        }
        let filter = GroupFilter { text: Some(text.to_owned()), ..GroupFilter::default() };
        let page = GroupPage { sort: GroupSort::LastSeen, after: None, limit };
        let groups = self.groups(&filter, &page).await?;
        let anywhere = like(text);
        let rows: Vec<CrashRecord> = query!(self, db => sqlx::query_as(
            "SELECT * FROM crashes WHERE joined_into IS NULL AND (id LIKE $1 ESCAPE '\\' OR LOWER(service) LIKE $2 ESCAPE '\\' \
             OR LOWER(hostname) LIKE $2 ESCAPE '\\') ORDER BY id DESC LIMIT $3")
            .bind(&anywhere[1..])
            .bind(&anywhere)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await)?;
        Ok(Found { groups, crashes: rows.into_iter().map(CrashRecord::read).collect::<Result<_, _>>()? })
    }

    /// Counts.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        let rows: Vec<(String, i64)> = query!(self, db => {
            sqlx::query_as("SELECT status, COUNT(*) FROM crashes WHERE joined_into IS NULL GROUP BY status").fetch_all(db).await
        })?;
        let (groups,): (i64,) = query!(self, db => {
            sqlx::query_as("SELECT COUNT(*) FROM crash_groups WHERE crashes > 0").fetch_one(db).await
        })?;
        let count =
            |status: &str| rows.iter().find(|(name, _)| name == status).map_or(0, |(_, count)| *count as u64);
        Ok(Stats {
            crashes: rows.iter().map(|(_, count)| *count as u64).sum(),
            groups: groups as u64,
            waiting_for_binary: count("waiting-for-binary"),
            queued: count("queued") + count("received"),
            analysing: count("analysing"),
            failed: count("failed"),
            quarantined: count("quarantined"),
        })
    }
}
