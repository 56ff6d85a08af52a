//! Listing groups, and how many crashes they have over time.

use std::collections::HashMap;

use jiff::Timestamp;
use panicle_query::Query;
use sqlx::AssertSqlSafe;

use super::{Group, counters::HOUR_MICROS, decision::read_state};
use crate::{
    GroupState, Store, StoreError,
    condition::{Rows, Value},
    database::{Pool, SearchTime},
    projects::bare,
    time,
};

/// What a list of groups is sorted by, largest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is its own definition")]
pub enum GroupSort {
    #[default]
    LastSeen,
    FirstSeen,
    Count,
}

/// Which groups to list.
#[derive(Clone, Debug, Default)]
pub struct GroupFilter {
    /// Of this project.
    pub project: Option<String>,
    /// In this state.
    pub state: Option<GroupState>,
    /// Of this class.
    pub class: Option<String>,
    /// With a crash of this service.
    pub service: Option<String>,
    /// With a crash that is meant by this query.
    pub query: Option<Query>,
    /// Of this family.
    pub family: Option<String>,
    /// With this owner.
    pub owner: Option<String>,
    /// With a crash of this version of the main module.
    pub version: Option<String>,
}

/// Which part of a list of groups.
#[derive(Clone, Debug)]
pub struct GroupPage {
    /// Order.
    pub sort: GroupSort,
    /// After the group with this sort value and identifier.
    pub after: Option<(i64, String)>,
    /// So many.
    pub limit: u32,
}

/// The steps that a trend is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is its own definition")]
pub enum TrendStep {
    Hour,
    /// A day in UTC.
    Day,
}

impl TrendStep {
    const fn hours(self) -> i64 {
        match self {
            Self::Hour => 1,
            Self::Day => 24,
        }
    }

    /// The first and the last of so many steps, counted since 1970.
    fn between(self, steps: u32, until: Timestamp) -> (i64, i64) {
        let last = until.as_microsecond().div_euclid(HOUR_MICROS * self.hours());
        (last - i64::from(steps) + 1, last)
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct GroupRow {
    pub(super) id: String,
    pub(super) project: String,
    title: String,
    class: String,
    state: String,
    state_reason: Option<String>,
    state_since: i64,
    owner: Option<String>,
    pub(super) crashes: i64,
    first_seen: i64,
    last_seen: i64,
    signature_version: i64,
    fingerprint: String,
    pub(super) family: String,
    revision: i64,
}

/// A group, and its services, Go versions and versions as arrays in JSON.
#[derive(sqlx::FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    row: GroupRow,
    services: Option<String>,
    go_versions: Option<String>,
    versions: Option<String>,
}

pub(super) const TREND_HOURS: u32 = 24;

/// The values of a facet of a row of groups; a group of many builds has many of them.
macro_rules! values_text {
    ($facet:literal, $name:literal) => {
        concat!(
            "(SELECT {array} FROM (SELECT f.value FROM group_facets f WHERE f.group_id = g.id AND f.facet = '",
            $facet,
            "' ORDER BY f.value LIMIT 1000) AS v) AS ",
            $name
        )
    };
}

/// Which groups are on the page is decided first, and by what is narrow; all else is read for those alone.
macro_rules! list_text {
    ($column:literal) => {
        concat!(
            "SELECT g.id, g.project, g.title, g.class, g.state, g.state_reason, g.state_since, g.owner, g.crashes, g.first_seen, \
             g.last_seen, g.signature_version, g.fingerprint, g.family, g.revision, ",
            values_text!("service", "services"),
            ", ",
            values_text!("go-version", "go_versions"),
            ", ",
            values_text!("version", "versions"),
            " FROM (SELECT id, ",
            $column,
            " AS sorted FROM crash_groups WHERE crashes > 0 AND {condition} AND (",
            $column,
            ", id) < ($1, $2) ORDER BY ",
            $column,
            " DESC, id DESC LIMIT $3) AS page JOIN crash_groups g ON g.id = page.id \
             ORDER BY page.sorted DESC, page.id DESC"
        )
    };
}

impl Group {
    /// What `sort` sorts it by, for the next page.
    pub fn sort_value(&self, sort: GroupSort) -> i64 {
        match sort {
            GroupSort::LastSeen => self.last_seen.as_microsecond(),
            GroupSort::FirstSeen => self.first_seen.as_microsecond(),
            GroupSort::Count => self.count as i64,
        }
    }
}

impl Store {
    /// Groups that have crashes.
    pub async fn groups(&self, filter: &GroupFilter, page: &GroupPage) -> Result<Vec<Group>, StoreError> {
        self.groups_within(filter, page, &mut self.search_time()).await
    }

    pub(crate) async fn groups_within(
        &self,
        filter: &GroupFilter,
        page: &GroupPage,
        time: &mut SearchTime,
    ) -> Result<Vec<Group>, StoreError> {
        let text = match page.sort {
            GroupSort::LastSeen => list_text!("last_seen"),
            GroupSort::FirstSeen => list_text!("first_seen"),
            GroupSort::Count => list_text!("crashes"),
        };
        let (at, id) = page.after.clone().unwrap_or((i64::MAX, String::new()));
        let mut condition = self.condition(filter.query.as_ref(), Rows::Groups, 3, time).await?;
        let asked = |text: &Option<String>| text.as_deref().map(Value::text);
        condition.require("state = ", filter.state.map(|state| Value::text(state.as_str())), "");
        condition.require("class = ", asked(&filter.class), "");
        condition.require("family = ", asked(&filter.family), "");
        condition.require("owner = ", asked(&filter.owner), "");
        condition.require("project = ", asked(&filter.project), "");
        // SQLite would read the wide row of each of them, instead of going through the narrow index of all.
        let column = if matches!(self.pool, Pool::Sqlite(_)) { "+id" } else { "id" };
        let having = |facet: &str| {
            format!(
                "{column} IN (SELECT f.group_id FROM group_facets f WHERE f.facet = '{facet}' AND f.value = "
            )
        };
        condition.require(&having("service"), asked(&filter.service), ")");
        condition.require(&having("version"), asked(&filter.version), ")");
        let array = match &self.pool {
            Pool::Sqlite(_) => "json_group_array(v.value)",
            Pool::Postgres(_) => "CAST(json_agg(v.value) AS TEXT)",
        };
        let text = text.replace("{array}", array).replace("{condition}", &condition.text);
        macro_rules! fetched {
            ($db:ident) => {{
                let query = sqlx::query_as(AssertSqlSafe(text)).bind(at).bind(id).bind(i64::from(page.limit));
                bind_condition!(query, condition).fetch_all($db).await
            }};
        }
        let rows: Vec<ListedRow> = if filter.query.is_some() {
            search!(self, time, db => fetched!(db)).await?
        } else {
            query!(self, db => fetched!(db))?
        };
        let until = Timestamp::now();
        let ids: Vec<&str> = rows.iter().map(|row| row.row.id.as_str()).collect();
        let mut hours = self.hours(&ids, TrendStep::Hour, TREND_HOURS, until).await?;
        rows.into_iter()
            .map(|ListedRow { row, services, go_versions, versions }| {
                let counted = hours.remove(&row.id).unwrap_or_default();
                let group = row.read(trend(counted, TrendStep::Hour, TREND_HOURS, until)?)?;
                Ok(Group {
                    services: array_of(services.as_deref())?,
                    go_versions: array_of(go_versions.as_deref())?,
                    versions: array_of(versions.as_deref())?,
                    ..group
                })
            })
            .collect()
    }

    /// Crashes of a group by hour or day, the last step up to `until`.
    pub async fn group_trend(
        &self,
        id: &str,
        step: TrendStep,
        steps: u32,
        until: Timestamp,
    ) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        let counted = self.hours(&[id], step, steps, until).await?.remove(id).unwrap_or_default();
        trend(counted, step, steps, until)
    }

    /// Crashes of groups by hour or day, those steps that have any, the oldest first.
    async fn hours(
        &self,
        groups: &[&str],
        step: TrendStep,
        steps: u32,
        until: Timestamp,
    ) -> Result<HashMap<String, Vec<(i64, i64)>>, StoreError> {
        if groups.is_empty() {
            return Ok(HashMap::new());
        }
        let (start, last) = step.between(steps, until);
        let numbers: Vec<String> = (0..groups.len()).map(|at| format!("${}", at + 4)).collect();
        // The sum of a BIGINT is no BIGINT on PostgreSQL.
        let text = format!(
            "SELECT group_id, hour / $3, CAST(SUM(crashes) AS BIGINT) FROM group_hours \
             WHERE group_id IN ({}) AND hour >= $1 AND hour < $2 GROUP BY 1, 2 ORDER BY 1, 2",
            numbers.join(", ")
        );
        let rows: Vec<(String, i64, i64)> = query!(self, db => {
            let mut query = sqlx::query_as(AssertSqlSafe(text))
                .bind(start * step.hours())
                .bind((last + 1) * step.hours())
                .bind(step.hours());
            for group in groups {
                query = query.bind(*group);
            }
            query.fetch_all(db).await
        })?;
        let mut found: HashMap<String, Vec<(i64, i64)>> = HashMap::new();
        for (group, at, count) in rows {
            found.entry(group).or_default().push((at, count));
        }
        Ok(found)
    }
}

impl GroupRow {
    /// Without what its crashes have in common.
    pub(super) fn read(self, trend: Vec<(Timestamp, u64)>) -> Result<Group, StoreError> {
        Ok(Group {
            services: Vec::new(),
            go_versions: Vec::new(),
            versions: Vec::new(),
            hostnames: Vec::new(),
            trend,
            id: self.id,
            project: self.project,
            title: self.title,
            class: self.class,
            state: read_state(&self.state)?,
            state_reason: self.state_reason,
            state_since: time::read(self.state_since)?,
            owner: self.owner,
            count: self.crashes as u64,
            first_seen: time::read(self.first_seen)?,
            last_seen: time::read(self.last_seen)?,
            signature_version: self.signature_version as u32,
            fingerprint: bare(&self.fingerprint).to_owned(),
            family: self.family,
            revision: self.revision as u64,
        })
    }
}

fn array_of(json: Option<&str>) -> Result<Vec<String>, StoreError> {
    Ok(json.map(serde_json::from_str).transpose()?.unwrap_or_default())
}

/// All steps, out of those that have crashes.
fn trend(
    counted: Vec<(i64, i64)>,
    step: TrendStep,
    steps: u32,
    until: Timestamp,
) -> Result<Vec<(Timestamp, u64)>, StoreError> {
    let (start, last) = step.between(steps, until);
    let mut counted = counted.into_iter().peekable();
    (start..=last)
        .map(|at| {
            let count = counted.next_if(|row| row.0 == at).map_or(0, |row| row.1 as u64);
            Ok((time::read(at * step.hours() * HOUR_MICROS)?, count))
        })
        .collect()
}
