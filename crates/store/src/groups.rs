//! Groups: crashes with one signature.

use std::collections::BTreeSet;

use jiff::Timestamp;
use panicle_report::SignatureStep;

use crate::{GroupState, Store, StoreError, time};

/// Crashes with one signature.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns are described where the API shows them")]
pub struct Group {
    pub id: String,
    pub title: String,
    pub class: String,
    pub state: GroupState,
    pub owner: Option<String>,
    pub count: u64,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    pub signature_version: u32,
    pub fingerprint: String,
    pub family: String,
    pub revision: u64,
    pub services: Vec<String>,
    pub go_versions: Vec<String>,
    pub versions: Vec<String>,
    pub hostnames: Vec<String>,
    /// Crashes per hour, the last one up to now; as many as were asked for.
    pub trend: Vec<(Timestamp, u64)>,
}

/// What only a group's own page shows.
#[derive(Clone, Debug)]
pub struct GroupDetails {
    /// The group.
    pub group: Group,
    /// Normalised frames of the signature.
    pub frames: Vec<String>,
    /// How the signature came to be.
    pub explain: Vec<SignatureStep>,
    /// The crash seen last.
    pub latest_crash: Option<String>,
}

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
    /// With this in title, class or fingerprint, whatever the case.
    pub text: Option<String>,
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

/// What people change about a group.
#[derive(Clone, Debug, Default)]
pub struct GroupChange {
    /// New state.
    pub state: Option<GroupState>,
    /// New owner; an empty one clears it.
    pub owner: Option<String>,
    /// Only if the group still has this revision.
    pub if_revision: Option<u64>,
}

#[derive(sqlx::FromRow)]
struct GroupRecord {
    id: String,
    title: String,
    class: String,
    state: String,
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
}

#[derive(sqlx::FromRow)]
struct FacetRecord {
    service: Option<String>,
    go_version: Option<String>,
    module_version: Option<String>,
    hostname: Option<String>,
}

const HOUR_MICROS: i64 = 3_600_000_000;
const TREND_HOURS: i64 = 24;

/// Computes a group's counts anew from its crashes.
macro_rules! recount {
    ($tx:ident, $group:expr) => {
        sqlx::query(
            "UPDATE crash_groups SET \
             crashes = (SELECT COUNT(*) FROM crashes WHERE group_id = $1), \
             first_seen = COALESCE((SELECT MIN(seen_at) FROM crashes WHERE group_id = $1), first_seen), \
             last_seen = COALESCE((SELECT MAX(seen_at) FROM crashes WHERE group_id = $1), last_seen) \
             WHERE id = $1",
        )
        .bind($group)
        .execute(&mut *$tx)
        .await?
    };
}

macro_rules! list_text {
    ($column:literal) => {
        concat!(
            "SELECT * FROM crash_groups WHERE crashes > 0 \
             AND (CAST($1 AS TEXT) IS NULL OR state = $1) AND (CAST($2 AS TEXT) IS NULL OR class = $2) \
             AND (CAST($3 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM crashes c \
             WHERE c.group_id = crash_groups.id AND c.service = $3)) \
             AND (CAST($4 AS TEXT) IS NULL OR LOWER(title) LIKE $4 ESCAPE '\\' \
             OR LOWER(class) LIKE $4 ESCAPE '\\' OR fingerprint LIKE $4 ESCAPE '\\' \
             OR EXISTS (SELECT 1 FROM crashes c WHERE c.group_id = crash_groups.id \
             AND LOWER(c.service) LIKE $4 ESCAPE '\\')) AND (",
            $column,
            ", id) < ($5, $6) ORDER BY ",
            $column,
            " DESC, id DESC LIMIT $7"
        )
    };
}

/// A pattern for LIKE that finds `text` anywhere.
pub(crate) fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
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
        let rows: Vec<GroupRecord> = query!(self, db => sqlx::query_as(text)
            .bind(filter.state.map(GroupState::as_str))
            .bind(&filter.class)
            .bind(&filter.service)
            .bind(filter.text.as_deref().map(like))
            .bind(at)
            .bind(id)
            .bind(i64::from(page.limit))
            .fetch_all(db)
            .await)?;
        let mut groups = Vec::with_capacity(rows.len());
        for row in rows {
            groups.push(self.read_group(row).await?.group);
        }
        Ok(groups)
    }

    /// One group.
    pub async fn group(&self, id: &str) -> Result<GroupDetails, StoreError> {
        let row: Option<GroupRecord> = query!(self, db => {
            sqlx::query_as("SELECT * FROM crash_groups WHERE id = $1").bind(id).fetch_optional(db).await
        })?;
        let row = row.ok_or_else(|| StoreError::NotFound { what: "group", id: id.to_owned() })?;
        let mut details = self.read_group(row).await?;
        let latest: Option<(String,)> = query!(self, db => sqlx::query_as(
            "SELECT id FROM crashes WHERE group_id = $1 ORDER BY seen_at DESC, id DESC LIMIT 1")
            .bind(id)
            .fetch_optional(db)
            .await)?;
        details.latest_crash = latest.map(|row| row.0);
        Ok(details)
    }

    /// Changes what people decide about a group.
    pub async fn change_group(&self, id: &str, change: &GroupChange) -> Result<GroupDetails, StoreError> {
        let owner = change.owner.as_deref().map(str::trim);
        let changed = query!(self, db => sqlx::query(
            "UPDATE crash_groups SET state = COALESCE($2, state), \
             owner = CASE WHEN CAST($3 AS TEXT) IS NULL THEN owner WHEN $3 = '' THEN NULL ELSE $3 END, \
             revision = revision + 1 WHERE id = $1 AND (CAST($4 AS BIGINT) IS NULL OR revision = $4)")
            .bind(id)
            .bind(change.state.map(GroupState::as_str))
            .bind(owner)
            .bind(change.if_revision.map(|revision| revision as i64))
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        let group = self.group(id).await?;
        if changed == 0 { Err(StoreError::Conflict) } else { Ok(group) }
    }

    async fn read_group(&self, row: GroupRecord) -> Result<GroupDetails, StoreError> {
        let facets: Vec<FacetRecord> = query!(self, db => sqlx::query_as(
            "SELECT DISTINCT service, go_version, module_version, hostname FROM crashes \
             WHERE group_id = $1 ORDER BY service, go_version, module_version, hostname LIMIT 1000")
            .bind(&row.id)
            .fetch_all(db)
            .await)?;
        let distinct = |facet: fn(&FacetRecord) -> &Option<String>| -> Vec<String> {
            facets.iter().filter_map(|row| facet(row).clone()).collect::<BTreeSet<_>>().into_iter().collect()
        };
        let (services, go_versions) = (distinct(|row| &row.service), distinct(|row| &row.go_version));
        let (versions, hostnames) = (distinct(|row| &row.module_version), distinct(|row| &row.hostname));

        let this_hour = Timestamp::now().as_microsecond().div_euclid(HOUR_MICROS);
        let start = this_hour - TREND_HOURS + 1;
        let hours: Vec<(i64, i64)> = query!(self, db => sqlx::query_as(
            "SELECT seen_at / $3 AS hour, COUNT(*) FROM crashes WHERE group_id = $1 AND seen_at >= $2 \
             GROUP BY 1")
            .bind(&row.id)
            .bind(start * HOUR_MICROS)
            .bind(HOUR_MICROS)
            .fetch_all(db)
            .await)?;
        let trend = (start..=this_hour)
            .map(|hour| {
                let count = hours.iter().find(|(at, _)| *at == hour).map_or(0, |(_, count)| *count as u64);
                Ok((time::read(hour * HOUR_MICROS)?, count))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        let state =
            row.state.parse().map_err(|_| StoreError::Stored(format!("group state {}", row.state)))?;
        Ok(GroupDetails {
            frames: serde_json::from_str(&row.frames)?,
            explain: serde_json::from_str(&row.explanation)?,
            latest_crash: None,
            group: Group {
                id: row.id,
                title: row.title,
                class: row.class,
                state,
                owner: row.owner,
                count: row.crashes as u64,
                first_seen: time::read(row.first_seen)?,
                last_seen: time::read(row.last_seen)?,
                signature_version: row.signature_version as u32,
                fingerprint: row.fingerprint,
                family: row.family,
                revision: row.revision as u64,
                services,
                go_versions,
                versions,
                hostnames,
                trend,
            },
        })
    }
}
