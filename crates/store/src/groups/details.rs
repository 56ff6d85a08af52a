//! All that there is to say of one group.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{
    BuildCount, FacetCount, Group, GroupDetails, RelatedGroup, TrendStep, Variant,
    decision::read_state,
    list::{GroupRow, TREND_HOURS},
    mute::Mute,
};
use crate::{Store, StoreError, projects::bare, time};

#[derive(sqlx::FromRow)]
struct DetailsRow {
    #[sqlx(flatten)]
    row: GroupRow,
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

/// Values of a facet that are listed with their counts.
const MAX_VALUES: i64 = 100;

/// The values of a facet, the most frequent first.
macro_rules! counts_text {
    ($facet:literal) => {
        concat!(
            "SELECT * FROM (SELECT facet, value, crashes, first_seen, last_seen FROM group_facets \
             WHERE group_id = $1 AND facet = '",
            $facet,
            "' ORDER BY crashes DESC, value LIMIT $2) AS counted"
        )
    };
}

const COUNTS: &str = concat!(
    counts_text!("version"),
    " UNION ALL ",
    counts_text!("go-version"),
    " UNION ALL ",
    counts_text!("host"),
    " UNION ALL ",
    counts_text!("service"),
    " UNION ALL ",
    counts_text!("class")
);

/// The first values of a facet in their order.
macro_rules! names_text {
    ($facet:literal) => {
        concat!(
            "SELECT * FROM (SELECT facet, value FROM group_facets WHERE group_id = $1 AND facet = '",
            $facet,
            "' ORDER BY value LIMIT 1000) AS named"
        )
    };
}

const NAMES: &str = concat!(
    names_text!("version"),
    " UNION ALL ",
    names_text!("go-version"),
    " UNION ALL ",
    names_text!("host"),
    " UNION ALL ",
    names_text!("service")
);

impl Store {
    /// One group.
    pub async fn group(&self, id: &str) -> Result<GroupDetails, StoreError> {
        let row: Option<DetailsRow> = query!(self, db => {
            sqlx::query_as("SELECT * FROM crash_groups WHERE id = $1").bind(id).fetch_optional(db).await
        })?;
        let row = row.ok_or_else(|| StoreError::NotFound { what: "group", id: id.to_owned() })?;
        let latest: Option<(String,)> = query!(self, db => sqlx::query_as(
            "SELECT id FROM crashes WHERE group_id = $1 AND seen_at = (SELECT MAX(seen_at) FROM crashes WHERE group_id = $1) \
             ORDER BY id DESC LIMIT 1")
            .bind(id)
            .fetch_optional(db)
            .await)?;
        let merged: Vec<(String,)> = query!(self, db => sqlx::query_as(
            "SELECT id FROM crash_groups WHERE merged_into = $1 ORDER BY id LIMIT 1000")
            .bind(id)
            .fetch_all(db)
            .await)?;
        let mut counts = self.counts(id).await?;
        let mut counted = |facet: &str| counts.remove(facet).unwrap_or_default();
        let crashes = row.row.crashes;
        let related = self.related(&row.row).await?;
        Ok(GroupDetails {
            group: self.named(row.row).await?,
            frames: serde_json::from_str(&row.frames)?,
            explain: serde_json::from_str(&row.explanation)?,
            latest_crash: latest.map(|row| row.0),
            notes: row.notes,
            origin: row.origin,
            merged_into: row.merged_into,
            merged: merged.into_iter().map(|row| row.0).collect(),
            resolved: row.resolved.as_deref().map(serde_json::from_str).transpose()?,
            mute: row
                .mute
                .as_deref()
                .map(serde_json::from_str::<Mute>)
                .transpose()?
                .map(|mute| Mute { crashes_at_start: (crashes - row.mute_crashes).max(0) as u64, ..mute }),
            keep_cores: row.keep_cores.map(|count| count as u32),
            by_version: counted("version"),
            by_build: self.builds(id).await?,
            by_go_version: counted("go-version"),
            by_host: counted("host"),
            by_service: counted("service"),
            by_class: counted("class"),
            variants: self.variants(id).await?,
            related,
        })
    }

    /// A group with its trend, and with what its crashes have in common, without counts.
    async fn named(&self, row: GroupRow) -> Result<Group, StoreError> {
        let trend = self.group_trend(&row.id, TrendStep::Hour, TREND_HOURS, Timestamp::now()).await?;
        let rows: Vec<(String, String)> = query!(self, db => {
            sqlx::query_as(NAMES).bind(&row.id).fetch_all(db).await
        })?;
        let mut group = row.read(trend)?;
        for (facet, value) in rows {
            match facet.as_str() {
                "version" => group.versions.push(value),
                "go-version" => group.go_versions.push(value),
                "host" => group.hostnames.push(value),
                _ => group.services.push(value),
            }
        }
        Ok(group)
    }

    /// Counts by facet, of each the most frequent values.
    async fn counts(&self, group: &str) -> Result<HashMap<String, Vec<FacetCount>>, StoreError> {
        let rows: Vec<(String, String, i64, i64, i64)> = query!(self, db => sqlx::query_as(COUNTS)
            .bind(group)
            .bind(MAX_VALUES)
            .fetch_all(db)
            .await)?;
        let mut counts: HashMap<String, Vec<FacetCount>> = HashMap::new();
        for (facet, value, crashes, first, last) in rows {
            counts.entry(facet).or_default().push(read_facet((value, crashes, first, last))?);
        }
        Ok(counts)
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
                fingerprint: bare(&fingerprint).to_owned(),
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

    async fn related(&self, group: &GroupRow) -> Result<Vec<RelatedGroup>, StoreError> {
        let rows: Vec<(String, String, String, String, i64)> = query!(self, db => sqlx::query_as(
            "SELECT id, title, class, state, crashes FROM crash_groups \
             WHERE family = $2 AND id <> $1 AND crashes > 0 AND project = $4 ORDER BY crashes DESC, id LIMIT $3")
            .bind(&group.id)
            .bind(&group.family)
            .bind(MAX_VALUES)
            .bind(&group.project)
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
