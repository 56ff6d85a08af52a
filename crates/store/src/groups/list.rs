//! Listing groups, and all that there is to say of one.

use jiff::Timestamp;
use panicle_query::Query;
use sqlx::AssertSqlSafe;

use super::{
    BuildCount, FacetCount, Group, GroupDetails, RelatedGroup, Variant, counters::HOUR_MICROS,
    decision::read_state, mute::Mute,
};
use crate::{GroupState, Store, StoreError, condition::Rows, time};

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
}

#[derive(sqlx::FromRow)]
struct GroupRecord {
    id: String,
    title: String,
    class: String,
    state: String,
    state_reason: Option<String>,
    state_since: i64,
    owner: Option<String>,
    crashes: i64,
    first_seen: i64,
    last_seen: i64,
    signature_version: i64,
    fingerprint: String,
    family: String,
    revision: i64,
    frames: String,
    explanation: String,
    notes: Option<String>,
    origin: String,
    merged_into: Option<String>,
    resolved: Option<String>,
    mute: Option<String>,
    mute_crashes: i64,
    keep_cores: Option<i64>,
}

type FacetRow = (String, i64, i64, i64);

const TREND_HOURS: u32 = 24;
/// Values of a facet that are listed.
const MAX_VALUES: i64 = 100;

macro_rules! list_text {
    ($column:literal) => {
        concat!(
            "SELECT * FROM crash_groups WHERE crashes > 0 \
             AND (CAST($1 AS TEXT) IS NULL OR state = $1) AND (CAST($2 AS TEXT) IS NULL OR class = $2) \
             AND (CAST($3 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM group_facets f \
             WHERE f.group_id = crash_groups.id AND f.facet = 'service' AND f.value = $3)) \
             AND (CAST($4 AS TEXT) IS NULL OR family = $4) AND (CAST($5 AS TEXT) IS NULL OR owner = $5) \
             AND (CAST($6 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM group_facets f \
             WHERE f.group_id = crash_groups.id AND f.facet = 'version' AND f.value = $6)) \
             AND {condition} AND (",
            $column,
            ", id) < ($7, $8) ORDER BY ",
            $column,
            " DESC, id DESC LIMIT $9"
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
        let text = match page.sort {
            GroupSort::LastSeen => list_text!("last_seen"),
            GroupSort::FirstSeen => list_text!("first_seen"),
            GroupSort::Count => list_text!("crashes"),
        };
        let (at, id) = page.after.clone().unwrap_or((i64::MAX, String::new()));
        let condition = self.condition(filter.query.as_ref(), Rows::Groups, 9).await?;
        let text = text.replace("{condition}", &condition.text);
        let rows: Vec<GroupRecord> = query!(self, db => {
            let query = sqlx::query_as(AssertSqlSafe(text))
                .bind(filter.state.map(GroupState::as_str))
                .bind(&filter.class)
                .bind(&filter.service)
                .bind(&filter.family)
                .bind(&filter.owner)
                .bind(&filter.version)
                .bind(at)
                .bind(id)
                .bind(i64::from(page.limit));
            bind_condition!(query, condition).fetch_all(db).await
        })?;
        let mut groups = Vec::with_capacity(rows.len());
        for row in rows {
            groups.push(self.read_group(&row).await?);
        }
        Ok(groups)
    }

    /// One group.
    pub async fn group(&self, id: &str) -> Result<GroupDetails, StoreError> {
        let row: Option<GroupRecord> = query!(self, db => {
            sqlx::query_as("SELECT * FROM crash_groups WHERE id = $1").bind(id).fetch_optional(db).await
        })?;
        let row = row.ok_or_else(|| StoreError::NotFound { what: "group", id: id.to_owned() })?;
        let latest: Option<(String,)> = query!(self, db => sqlx::query_as(
            "SELECT id FROM crashes WHERE group_id = $1 ORDER BY seen_at DESC, id DESC LIMIT 1")
            .bind(id)
            .fetch_optional(db)
            .await)?;
        let merged: Vec<(String,)> = query!(self, db => sqlx::query_as(
            "SELECT id FROM crash_groups WHERE merged_into = $1 ORDER BY id LIMIT 1000")
            .bind(id)
            .fetch_all(db)
            .await)?;
        Ok(GroupDetails {
            group: self.read_group(&row).await?,
            frames: serde_json::from_str(&row.frames)?,
            explain: serde_json::from_str(&row.explanation)?,
            latest_crash: latest.map(|row| row.0),
            notes: row.notes,
            origin: row.origin,
            merged_into: row.merged_into,
            merged: merged.into_iter().map(|row| row.0).collect(),
            resolved: row.resolved.as_deref().map(serde_json::from_str).transpose()?,
            mute: row.mute.as_deref().map(serde_json::from_str::<Mute>).transpose()?.map(|mute| Mute {
                crashes_at_start: (row.crashes - row.mute_crashes).max(0) as u64,
                ..mute
            }),
            keep_cores: row.keep_cores.map(|count| count as u32),
            by_version: self.facet(id, "version").await?,
            by_build: self.builds(id).await?,
            by_go_version: self.facet(id, "go-version").await?,
            by_host: self.facet(id, "host").await?,
            by_service: self.facet(id, "service").await?,
            by_class: self.facet(id, "class").await?,
            variants: self.variants(id).await?,
            related: self.related(id, &row.family).await?,
        })
    }

    /// Crashes of a group by hour or day, the last step up to `until`.
    pub async fn group_trend(
        &self,
        id: &str,
        step: TrendStep,
        steps: u32,
        until: Timestamp,
    ) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        let hours = step.hours();
        let last = until.as_microsecond().div_euclid(HOUR_MICROS * hours);
        let start = last - i64::from(steps) + 1;
        // The sum of a BIGINT is no BIGINT on PostgreSQL.
        let rows: Vec<(i64, i64)> = query!(self, db => sqlx::query_as(
            "SELECT hour / $4, CAST(SUM(crashes) AS BIGINT) FROM group_hours \
             WHERE group_id = $1 AND hour >= $2 AND hour < $3 GROUP BY 1 ORDER BY 1")
            .bind(id)
            .bind(start * hours)
            .bind((last + 1) * hours)
            .bind(hours)
            .fetch_all(db)
            .await)?;
        let mut rows = rows.into_iter().peekable();
        (start..=last)
            .map(|at| {
                let count = rows.next_if(|row| row.0 == at).map_or(0, |row| row.1 as u64);
                Ok((time::read(at * hours * HOUR_MICROS)?, count))
            })
            .collect()
    }

    async fn read_group(&self, row: &GroupRecord) -> Result<Group, StoreError> {
        let facets: Vec<(String, String)> = query!(self, db => sqlx::query_as(
            "SELECT facet, value FROM group_facets WHERE group_id = $1 \
             AND facet IN ('service', 'go-version', 'version', 'host') ORDER BY facet, value LIMIT 1000")
            .bind(&row.id)
            .fetch_all(db)
            .await)?;
        let values = |name: &str| -> Vec<String> {
            facets.iter().filter(|(facet, _)| facet == name).map(|(_, value)| value.clone()).collect()
        };
        let trend = self.group_trend(&row.id, TrendStep::Hour, TREND_HOURS, Timestamp::now()).await?;
        Ok(Group {
            services: values("service"),
            go_versions: values("go-version"),
            versions: values("version"),
            hostnames: values("host"),
            trend,
            id: row.id.clone(),
            title: row.title.clone(),
            class: row.class.clone(),
            state: read_state(&row.state)?,
            state_reason: row.state_reason.clone(),
            state_since: time::read(row.state_since)?,
            owner: row.owner.clone(),
            count: row.crashes as u64,
            first_seen: time::read(row.first_seen)?,
            last_seen: time::read(row.last_seen)?,
            signature_version: row.signature_version as u32,
            fingerprint: row.fingerprint.clone(),
            family: row.family.clone(),
            revision: row.revision as u64,
        })
    }

    async fn facet(&self, group: &str, facet: &str) -> Result<Vec<FacetCount>, StoreError> {
        let rows: Vec<FacetRow> = query!(self, db => sqlx::query_as(
            "SELECT value, crashes, first_seen, last_seen FROM group_facets \
             WHERE group_id = $1 AND facet = $2 ORDER BY crashes DESC, value LIMIT $3")
            .bind(group)
            .bind(facet)
            .bind(MAX_VALUES)
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(read_facet).collect()
    }

    async fn builds(&self, group: &str) -> Result<Vec<BuildCount>, StoreError> {
        type Row = (String, i64, i64, i64, Option<String>, Option<String>, Option<i64>);
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(
            "SELECT f.value, f.crashes, f.first_seen, f.last_seen, b.module_version, b.vcs_revision, b.first_seen \
             FROM group_facets f LEFT JOIN builds b ON b.id = f.value \
             WHERE f.group_id = $1 AND f.facet = 'build' ORDER BY f.last_seen DESC, f.value LIMIT $2")
            .bind(group)
            .bind(MAX_VALUES)
            .fetch_all(db)
            .await)?;
        rows.into_iter()
            .map(|(value, crashes, first, last, module_version, vcs_revision, known_since)| {
                Ok(BuildCount {
                    count: read_facet((value, crashes, first, last))?,
                    module_version,
                    vcs_revision,
                    known_since: time::read_optional(known_since)?,
                })
            })
            .collect()
    }

    async fn variants(&self, group: &str) -> Result<Vec<Variant>, StoreError> {
        type Row = (String, String, String, String, bool);
        let counts: Vec<FacetRow> = query!(self, db => sqlx::query_as(
            "SELECT value, crashes, first_seen, last_seen FROM group_facets \
             WHERE group_id = $1 AND facet = 'signature' ORDER BY crashes DESC, value LIMIT $2")
            .bind(group)
            .bind(MAX_VALUES)
            .fetch_all(db)
            .await)?;
        let mut variants = Vec::with_capacity(counts.len());
        for (value, crashes, first, last) in counts {
            let Some((version, fingerprint)) = value.split_once(':') else { continue };
            let version: i64 = version.parse().map_err(|_| StoreError::Stored(value.clone()))?;
            let row: Option<Row> = query!(self, db => sqlx::query_as(
                "SELECT fingerprint, family, title, class, pinned FROM signatures \
                 WHERE version = $1 AND fingerprint = $2")
                .bind(version)
                .bind(fingerprint)
                .fetch_optional(db)
                .await)?;
            let Some((fingerprint, family, title, class, pinned)) = row else { continue };
            variants.push(Variant {
                version: version as u32,
                fingerprint,
                family,
                title,
                class,
                pinned,
                crashes: crashes as u64,
                first_seen: time::read(first)?,
                last_seen: time::read(last)?,
            });
        }
        Ok(variants)
    }

    async fn related(&self, group: &str, family: &str) -> Result<Vec<RelatedGroup>, StoreError> {
        let rows: Vec<(String, String, String, String, i64)> = query!(self, db => sqlx::query_as(
            "SELECT id, title, class, state, crashes FROM crash_groups \
             WHERE family = $2 AND id <> $1 AND crashes > 0 ORDER BY crashes DESC, id LIMIT $3")
            .bind(group)
            .bind(family)
            .bind(MAX_VALUES)
            .fetch_all(db)
            .await)?;
        rows.into_iter()
            .map(|(id, title, class, state, count)| {
                Ok(RelatedGroup { id, title, class, state: read_state(&state)?, count: count as u64 })
            })
            .collect()
    }
}

fn read_facet((value, crashes, first, last): FacetRow) -> Result<FacetCount, StoreError> {
    Ok(FacetCount {
        value,
        crashes: crashes as u64,
        first_seen: time::read(first)?,
        last_seen: time::read(last)?,
    })
}
