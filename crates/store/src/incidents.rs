//! Incidents: what an alert manager told of, and the crashes that happened meanwhile.
//!
//! Alerts are told of again and again, in any order, and by several managers at once. An alert is one by its fingerprint
//! and its beginning, and once it is over it stays so. Alerts with the same labels to group them by are one incident, as
//! long as it is open or was over only a moment ago.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::{IncidentState, Store, StoreError, facts::storable, time, tx::Tx};

/// The text of a statement that reads an array of arrays, bound as JSON, as rows `v`: `v.value ->> 0` is the first value
/// of each. All rows at once, because others wait for their turn.
macro_rules! of_rows {
    ($tx:expr, $before:literal, $bind:literal, $after:literal) => {
        match &*$tx {
            $crate::tx::Tx::Sqlite(_) => concat!($before, " json_each(", $bind, ") AS v ", $after),
            $crate::tx::Tx::Postgres(_) => {
                concat!($before, " json_array_elements(CAST(", $bind, " AS JSON)) AS v ", $after)
            }
        }
    };
}

mod link;

pub(crate) use link::link_crash;

/// An alert that begins again so soon after an incident was over is of the same incident.
const REJOIN: SignedDuration = SignedDuration::from_mins(10);
/// Alerts of one incident. What begins after them is of the next one.
const MOST_ALERTS: i64 = 5000;
/// What crashes of one incident are linked by.
const MOST_KEYS: i64 = 2000;

/// What is told of an incident.
#[derive(Clone, Debug, Default)]
pub struct AlertGroup {
    /// The project that it is of.
    pub project: String,
    /// What tells incidents apart.
    pub identity: String,
    /// For people.
    pub title: String,
    /// Whom the manager tells.
    pub receiver: String,
    /// Labels that all alerts have.
    pub labels: BTreeMap<String, String>,
    /// Annotations that all alerts have.
    pub annotations: BTreeMap<String, String>,
    /// The manager's own page.
    pub external_url: Option<String>,
    /// All of its alerts are over, also those that are not named.
    pub is_over: bool,
    /// Alerts.
    pub alerts: Vec<Alert>,
    /// What crashes are linked by.
    pub keys: Vec<IncidentKey>,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What tells it from others, as its manager has it.
    pub fingerprint: String,
    /// What it says of itself.
    pub labels: BTreeMap<String, String>,
    /// What is said for people.
    pub annotations: BTreeMap<String, String>,
    /// When it began.
    pub starts_at: Timestamp,
    /// When it was over; `None` while it fires.
    pub ends_at: Option<Timestamp>,
    /// Where it comes from.
    pub generator_url: Option<String>,
}

/// What a label of an alert says of crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Crashes of a service of this name are linked.
    Service,
    /// Crashes on a host of this name are linked.
    Host,
    /// Crashes that have another value in a label of the same name are not.
    Scope,
}

impl KeyKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Host => "host",
            Self::Scope => "scope",
        }
    }
}

/// A label of an alert that crashes are linked by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentKey {
    /// What it says.
    pub kind: KeyKind,
    /// Its name.
    pub label: String,
    /// Its value.
    pub value: String,
}

impl PartialOrd for KeyKind {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for KeyKind {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described where the API shows them")]
pub struct Incident {
    pub id: String,
    pub project: String,
    pub state: IncidentState,
    pub title: String,
    pub receiver: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub external_url: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    pub alerts: u64,
    pub crashes: u64,
}

/// A crash that happened meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedCrash {
    /// The crash.
    pub crash: String,
    /// Why it is linked.
    pub reason: String,
    /// Since when.
    pub linked_at: Timestamp,
}

/// What a group of alerts became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The incident.
    pub id: String,
    /// It was not known before.
    pub new: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    project: String,
    state: String,
    title: String,
    receiver: String,
    labels: String,
    annotations: String,
    external_url: Option<String>,
    starts_at: i64,
    ends_at: Option<i64>,
    updated_at: i64,
    alerts: i64,
    crashes: i64,
}

impl Row {
    fn read(self) -> Result<Incident, StoreError> {
        Ok(Incident {
            state: self
                .state
                .parse()
                .map_err(|_| StoreError::Stored(format!("incident state {}", self.state)))?,
            id: self.id,
            project: self.project,
            title: self.title,
            receiver: self.receiver,
            labels: serde_json::from_str(&self.labels)?,
            annotations: serde_json::from_str(&self.annotations)?,
            external_url: self.external_url,
            starts_at: time::read(self.starts_at)?,
            ends_at: time::read_optional(self.ends_at)?,
            updated_at: time::read(self.updated_at)?,
            alerts: self.alerts as u64,
            crashes: self.crashes as u64,
        })
    }
}

macro_rules! incidents {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.project, i.state, i.title, i.receiver, i.labels, i.annotations, i.external_url, \
             i.starts_at, i.ends_at, i.updated_at, \
             (SELECT COUNT(*) FROM incident_alerts a WHERE a.incident_id = i.id) AS alerts, \
             (SELECT COUNT(*) FROM incident_crashes l WHERE l.incident_id = i.id) AS crashes FROM incidents i ",
            $rest
        )
    };
}

impl Store {
    /// Opens an incident of these alerts, or adds them to the one that they are of, and links the crashes that happened
    /// meanwhile.
    pub async fn tell_alerts(&self, group: &AlertGroup, now: Timestamp) -> Result<Told, StoreError> {
        Ok(in_turn!(self, tx => {
            let found = find(tx, group).await?;
            let told = match found {
                Some(id) => Told { id, new: false },
                None => Told { id: open(tx, group, now).await?, new: true },
            };
            add(tx, &told.id, group, now).await?;
            link::link_incident(tx, &told.id, now.as_microsecond()).await?;
            told
        }))
    }

    /// One incident.
    pub async fn incident(&self, id: &str) -> Result<Incident, StoreError> {
        let row: Option<Row> = query!(self, db =>
            sqlx::query_as(incidents!("WHERE i.id = $1")).bind(id).fetch_optional(db).await)?;
        row.ok_or_else(|| StoreError::NotFound { what: "incident", id: id.to_owned() })?.read()
    }

    /// Incidents of a project, or of all, newest first, in this state and before the one of this identifier.
    pub async fn incidents(
        &self,
        project: Option<&str>,
        state: Option<IncidentState>,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Incident>, StoreError> {
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(incidents!(
            "WHERE (CAST($1 AS TEXT) IS NULL OR i.state = $1) AND (CAST($2 AS TEXT) IS NULL OR i.id < $2) \
             AND (CAST($4 AS TEXT) IS NULL OR i.project = $4) ORDER BY i.id DESC LIMIT $3"))
            .bind(state.map(IncidentState::as_str))
            .bind(before)
            .bind(i64::from(limit))
            .bind(project)
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(Row::read).collect()
    }

    /// The alerts of an incident, in the order in which they began; 1000 at most.
    pub async fn incident_alerts(&self, id: &str) -> Result<Vec<Alert>, StoreError> {
        type Record = (String, i64, Option<i64>, String, String, Option<String>);
        let rows: Vec<Record> = query!(self, db => sqlx::query_as(
            "SELECT fingerprint, starts_at, ends_at, labels, annotations, generator_url FROM incident_alerts \
             WHERE incident_id = $1 ORDER BY starts_at, fingerprint LIMIT 1000")
            .bind(id)
            .fetch_all(db)
            .await)?;
        rows.into_iter()
            .map(|(fingerprint, starts_at, ends_at, labels, annotations, generator_url)| {
                Ok(Alert {
                    fingerprint,
                    labels: serde_json::from_str(&labels)?,
                    annotations: serde_json::from_str(&annotations)?,
                    starts_at: time::read(starts_at)?,
                    ends_at: time::read_optional(ends_at)?,
                    generator_url,
                })
            })
            .collect()
    }

    /// Crashes of an incident, the one received last first.
    pub async fn incident_crashes(&self, id: &str, limit: u32) -> Result<Vec<LinkedCrash>, StoreError> {
        let rows: Vec<(String, String, i64)> = query!(self, db => sqlx::query_as(
            "SELECT crash_id, reason, linked_at FROM incident_crashes WHERE incident_id = $1 \
             ORDER BY crash_id DESC LIMIT $2")
            .bind(id)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await)?;
        rows.into_iter()
            .map(|(crash, reason, at)| Ok(LinkedCrash { crash, reason, linked_at: time::read(at)? }))
            .collect()
    }

    /// The incidents that a crash is linked to, newest first, each with the reason.
    pub async fn incidents_of_crash(&self, crash: &str) -> Result<Vec<(Incident, String)>, StoreError> {
        let reasons: Vec<(String, String)> = query!(self, db => sqlx::query_as(
            "SELECT incident_id, reason FROM incident_crashes WHERE crash_id = $1 ORDER BY incident_id DESC LIMIT 20")
            .bind(crash)
            .fetch_all(db)
            .await)?;
        let mut found = Vec::with_capacity(reasons.len());
        for (incident, reason) in reasons {
            found.push((self.incident(&incident).await?, reason));
        }
        Ok(found)
    }

    /// The incidents that crashes of a group are linked to, the 20 newest, newest first.
    pub async fn incidents_of_group(&self, group: &str) -> Result<Vec<Incident>, StoreError> {
        // There may be far more crashes of a group than incidents: from one to the next, a row of the index is read.
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(incidents!(
            "WHERE i.id IN (WITH RECURSIVE seen (id, place) AS (\
             SELECT (SELECT MAX(l.incident_id) FROM incident_crashes l WHERE l.group_id = $1), 1 UNION ALL \
             SELECT (SELECT MAX(l.incident_id) FROM incident_crashes l \
             WHERE l.group_id = $1 AND l.incident_id < seen.id), seen.place + 1 \
             FROM seen WHERE seen.id IS NOT NULL AND seen.place < 20) SELECT id FROM seen) ORDER BY i.id DESC"))
            .bind(group)
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(Row::read).collect()
    }
}

/// What tells alerts apart, as JSON.
fn names(alerts: &[Alert]) -> Result<String, StoreError> {
    let names: Vec<(String, i64)> = alerts.iter().map(name).collect();
    Ok(serde_json::to_string(&names)?)
}

fn name(alert: &Alert) -> (String, i64) {
    (storable(&alert.fingerprint), alert.starts_at.as_microsecond())
}

/// The incident that alerts are of: the last that has one of them, or one that others of their kind may still join.
async fn find(tx: &mut Tx, group: &AlertGroup) -> Result<Option<String>, StoreError> {
    let text = of_rows!(
        tx,
        "SELECT i.id FROM",
        "$1",
        "CROSS JOIN incident_alerts a JOIN incidents i ON i.id = a.incident_id \
         WHERE a.fingerprint = v.value ->> 0 AND a.starts_at = CAST(v.value ->> 1 AS BIGINT) \
         AND i.project = $2 AND i.identity = $3 ORDER BY i.id DESC LIMIT 1"
    );
    let known: Option<(String,)> = first!(tx, text, names(&group.alerts)?, &group.project, &group.identity);
    if let Some((id,)) = known {
        return Ok(Some(id));
    }
    let begins = group.alerts.iter().map(|alert| alert.starts_at).min().unwrap_or(Timestamp::MAX);
    let since = begins.checked_sub(REJOIN).unwrap_or(Timestamp::MIN);
    let ends = group.alerts.iter().filter_map(|alert| alert.ends_at).max();
    // What is over cannot be of what began after it.
    let until = if group.alerts.iter().all(|alert| alert.ends_at.is_some()) { ends } else { None };
    let found: Option<(String,)> = first!(
        tx,
        "SELECT id FROM incidents WHERE project = $1 AND identity = $2 AND (state = 'open' OR ends_at >= $3) \
         AND (CAST($4 AS BIGINT) IS NULL OR starts_at <= $4) \
         AND (SELECT COUNT(*) FROM incident_alerts a WHERE a.incident_id = incidents.id) < $5 \
         ORDER BY starts_at DESC LIMIT 1",
        &group.project,
        &group.identity,
        since.as_microsecond(),
        until.map(Timestamp::as_microsecond),
        MOST_ALERTS
    );
    Ok(found.map(|row| row.0))
}

async fn open(tx: &mut Tx, group: &AlertGroup, now: Timestamp) -> Result<String, StoreError> {
    let id = uuid::Uuid::now_v7().to_string();
    let begins = group.alerts.iter().map(|alert| alert.starts_at).min().unwrap_or(now);
    exec!(
        tx,
        "INSERT INTO incidents (id, project, identity, state, title, receiver, labels, annotations, external_url, \
         starts_at, updated_at) VALUES ($1, $2, $3, 'open', $4, $5, '{}', '{}', $6, $7, $8)",
        &id,
        &group.project,
        &group.identity,
        storable(&group.title),
        &group.receiver,
        &group.external_url,
        begins.as_microsecond(),
        now.as_microsecond()
    );
    Ok(id)
}

/// Alerts by what tells them apart: in one request, one of them may come twice. What does not fit into an incident any
/// more is left out, as long as others of it are told of; then it is the first of the next incident.
async fn that_fit<'a>(
    tx: &mut Tx,
    id: &str,
    group: &'a AlertGroup,
) -> Result<BTreeMap<(String, i64), &'a Alert>, StoreError> {
    let mut alerts: BTreeMap<(String, i64), &Alert> = BTreeMap::new();
    for alert in &group.alerts {
        let place = alerts.entry(name(alert)).or_insert(alert);
        // That it is over is not taken back.
        if place.ends_at.is_none() || alert.ends_at.is_some() {
            *place = alert;
        }
    }
    let (there,): (i64,) =
        first!(tx, "SELECT COUNT(*) FROM incident_alerts WHERE incident_id = $1", id).unwrap_or_default();
    let room = usize::try_from(MOST_ALERTS - there).unwrap_or_default();
    if alerts.len() > room {
        let text = of_rows!(
            tx,
            "SELECT a.fingerprint, a.starts_at FROM",
            "$2",
            "CROSS JOIN incident_alerts a WHERE a.incident_id = $1 AND a.fingerprint = v.value ->> 0 \
             AND a.starts_at = CAST(v.value ->> 1 AS BIGINT)"
        );
        let known: Vec<(String, i64)> = all!(tx, text, id, names(&group.alerts)?);
        let known: BTreeSet<(String, i64)> = known.into_iter().collect();
        let mut left = room;
        alerts.retain(|name, _| {
            if known.contains(name) {
                return true;
            }
            let fits = left > 0;
            left = left.saturating_sub(1);
            fits
        });
    }
    Ok(alerts)
}

async fn add_alerts(tx: &mut Tx, id: &str, group: &AlertGroup) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for ((fingerprint, starts_at), alert) in that_fit(tx, id, group).await? {
        rows.push((
            fingerprint,
            starts_at,
            alert.ends_at.map(Timestamp::as_microsecond),
            if alert.ends_at.is_some() { "resolved" } else { "open" },
            serde_json::to_string(&alert.labels)?,
            serde_json::to_string(&alert.annotations)?,
            alert.generator_url.as_deref().map(storable),
        ));
    }
    let text = of_rows!(
        tx,
        "INSERT INTO incident_alerts (incident_id, fingerprint, starts_at, ends_at, state, labels, annotations, \
         generator_url) SELECT $1, v.value ->> 0, CAST(v.value ->> 1 AS BIGINT), CAST(v.value ->> 2 AS BIGINT), \
         v.value ->> 3, v.value ->> 4, v.value ->> 5, v.value ->> 6 FROM",
        "$2",
        "WHERE 1 = 1 ON CONFLICT (incident_id, fingerprint, starts_at) DO UPDATE SET labels = excluded.labels, \
         annotations = excluded.annotations, ends_at = COALESCE(incident_alerts.ends_at, excluded.ends_at), \
         state = CASE WHEN incident_alerts.state = 'resolved' THEN 'resolved' ELSE excluded.state END"
    );
    exec!(tx, text, id, serde_json::to_string(&rows)?);
    Ok(())
}

async fn add_keys(tx: &mut Tx, id: &str, keys: &[IncidentKey]) -> Result<(), StoreError> {
    let rows: Vec<_> =
        keys.iter().map(|key| (key.kind.as_str(), storable(&key.label), storable(&key.value))).collect();
    let text = of_rows!(
        tx,
        "INSERT INTO incident_keys (incident_id, kind, label, value) \
         SELECT $1, v.value ->> 0, v.value ->> 1, v.value ->> 2 FROM",
        "$2",
        "WHERE (SELECT COUNT(*) FROM incident_keys k WHERE k.incident_id = $1) < $3 \
         ON CONFLICT (incident_id, kind, label, value) DO NOTHING"
    );
    exec!(tx, text, id, serde_json::to_string(&rows)?, MOST_KEYS);
    Ok(())
}

async fn add(tx: &mut Tx, id: &str, group: &AlertGroup, now: Timestamp) -> Result<(), StoreError> {
    add_alerts(tx, id, group).await?;
    let last_end =
        group.alerts.iter().filter_map(|alert| alert.ends_at).max().unwrap_or(now).as_microsecond();
    if group.is_over {
        // Those that were left out of a long list; not those that began since.
        exec!(
            tx,
            "UPDATE incident_alerts SET state = 'resolved', ends_at = $2 \
             WHERE incident_id = $1 AND state = 'open' AND starts_at <= $2",
            id,
            last_end
        );
    }
    add_keys(tx, id, &group.keys).await?;
    exec!(
        tx,
        "UPDATE incidents SET labels = $2, annotations = $3, updated_at = $4, \
         starts_at = (SELECT MIN(starts_at) FROM incident_alerts WHERE incident_id = $1), \
         state = CASE WHEN EXISTS (SELECT 1 FROM incident_alerts WHERE incident_id = $1 AND state = 'open') \
         THEN 'open' ELSE 'resolved' END, \
         ends_at = CASE WHEN EXISTS (SELECT 1 FROM incident_alerts WHERE incident_id = $1 AND state = 'open') \
         THEN NULL ELSE (SELECT MAX(ends_at) FROM incident_alerts WHERE incident_id = $1) END WHERE id = $1",
        id,
        serde_json::to_string(&group.labels)?,
        serde_json::to_string(&group.annotations)?,
        now.as_microsecond()
    );
    Ok(())
}
