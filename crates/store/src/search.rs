//! Finding by a query, and counts for the header.

use panicle_query::Query;
use sqlx::AssertSqlSafe;

use crate::{Crash, CrashFilter, Group, GroupFilter, GroupPage, GroupSort, Store, StoreError};

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Groups of which one crash is meant, the one seen last first.
    pub groups: Vec<Group>,
    /// Crashes, the one received last first.
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
    pub open_incidents: u64,
}

impl Store {
    /// Finds groups and crashes, so many of each. Who asks for nothing gets nothing.
    pub async fn search(&self, query: &Query, limit: u32) -> Result<Found, StoreError> {
        if query.expr().is_none() {
            return Ok(Found::default());
        }
        let filter = GroupFilter { query: Some(query.clone()), ..GroupFilter::default() };
        let page = GroupPage { sort: GroupSort::LastSeen, after: None, limit };
        let mut time = self.search_time();
        let groups = self.groups_within(&filter, &page, &mut time).await?;
        let filter = CrashFilter { query: Some(query.clone()), ..CrashFilter::default() };
        Ok(Found { groups, crashes: self.crashes_within(&filter, limit, &mut time).await? })
    }

    /// Counts.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        self.stats_in(None).await
    }

    /// Counts of one project, if it is given.
    pub async fn stats_in(&self, project: Option<&str>) -> Result<Stats, StoreError> {
        let mine = if project.is_some() { "project = $1" } else { "CAST($1 AS TEXT) IS NULL" };
        // Nearly all crashes are done and in a group: those are counted with their groups.
        let text = format!(
            "SELECT status, COUNT(*) FROM crashes WHERE status <> 'done' AND joined_into IS NULL AND {mine} \
             GROUP BY status"
        );
        let rows: Vec<(String, i64)> =
            query!(self, db => sqlx::query_as(AssertSqlSafe(text)).bind(project).fetch_all(db).await)?;
        let text = format!(
            "SELECT COUNT(*), CAST(COALESCE(SUM(crashes), 0) AS BIGINT) FROM crash_groups WHERE crashes > 0 AND {mine}"
        );
        let (groups, in_groups): (i64, i64) =
            query!(self, db => sqlx::query_as(AssertSqlSafe(text)).bind(project).fetch_one(db).await)?;
        let text =
            format!("SELECT COUNT(*) FROM crashes WHERE group_id IS NULL AND joined_into IS NULL AND {mine}");
        let (in_none,): (i64,) =
            query!(self, db => sqlx::query_as(AssertSqlSafe(text)).bind(project).fetch_one(db).await)?;
        let text = format!("SELECT COUNT(*) FROM incidents WHERE state = 'open' AND {mine}");
        let (open_incidents,): (i64,) =
            query!(self, db => sqlx::query_as(AssertSqlSafe(text)).bind(project).fetch_one(db).await)?;
        let count =
            |status: &str| rows.iter().find(|(name, _)| name == status).map_or(0, |(_, count)| *count as u64);
        Ok(Stats {
            crashes: (in_groups + in_none) as u64,
            groups: groups as u64,
            waiting_for_binary: count("waiting-for-binary"),
            queued: count("queued") + count("received"),
            analysing: count("analysing"),
            failed: count("failed"),
            quarantined: count("quarantined"),
            open_incidents: open_incidents as u64,
        })
    }
}
