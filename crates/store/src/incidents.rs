//! Incidents: what an alert manager told of, and the crashes that happened meanwhile.
//!
//! Alerts are told of again and again, in any order, and by several managers at once. An alert is one by its fingerprint
//! and its beginning, and once it is over it stays so. Alerts with the same labels to group them by are one incident, as
//! long as it is open or was over only a moment ago.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{IncidentState, Store, StoreError, facts::storable, time, tx::Tx};

mod link;

pub(crate) use link::link_crash;

/// An alert that begins again so soon after an incident was over is of the same incident.
const REJOIN: SignedDuration = SignedDuration::from_mins(10);

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

    /// Incidents, newest first, in this state and before the one of this identifier.
    pub async fn incidents(
        &self,
        state: Option<IncidentState>,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Incident>, StoreError> {
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(incidents!(
            "WHERE (CAST($1 AS TEXT) IS NULL OR i.state = $1) AND (CAST($2 AS TEXT) IS NULL OR i.id < $2) \
             ORDER BY i.id DESC LIMIT $3"))
            .bind(state.map(IncidentState::as_str))
            .bind(before)
            .bind(i64::from(limit))
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

    /// Of the last 200 incidents, those that crashes of a group are linked to, newest first.
    pub async fn incidents_of_group(&self, group: &str) -> Result<Vec<Incident>, StoreError> {
        // There may be far more crashes of a group than of incidents.
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(incidents!(
            "WHERE i.id IN (SELECT id FROM incidents ORDER BY id DESC LIMIT 200) \
             AND EXISTS (SELECT 1 FROM incident_crashes l JOIN crashes c ON c.id = l.crash_id \
             WHERE l.incident_id = i.id AND c.group_id = $1) ORDER BY i.id DESC LIMIT 20"))
            .bind(group)
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(Row::read).collect()
    }
}

/// The incident that alerts are of.
async fn find(tx: &mut Tx, group: &AlertGroup) -> Result<Option<String>, StoreError> {
    for alert in &group.alerts {
        let known: Option<(String,)> = first!(
            tx,
            "SELECT i.id FROM incident_alerts a JOIN incidents i ON i.id = a.incident_id \
             WHERE a.fingerprint = $1 AND a.starts_at = $2 AND i.project = $3 AND i.identity = $4 LIMIT 1",
            &alert.fingerprint,
            alert.starts_at.as_microsecond(),
            &group.project,
            &group.identity
        );
        if let Some((id,)) = known {
            return Ok(Some(id));
        }
    }
    let begins = group.alerts.iter().map(|alert| alert.starts_at).min().unwrap_or(Timestamp::MAX);
    let since = begins.checked_sub(REJOIN).unwrap_or(Timestamp::MIN);
    let ends = group.alerts.iter().filter_map(|alert| alert.ends_at).max();
    // What is over cannot be of what began after it.
    let until = if group.alerts.iter().all(|alert| alert.ends_at.is_some()) { ends } else { None };
    let found: Option<(String,)> = first!(
        tx,
        "SELECT id FROM incidents WHERE project = $1 AND identity = $2 AND (state = 'open' OR ends_at >= $3) \
         AND (CAST($4 AS BIGINT) IS NULL OR starts_at <= $4) ORDER BY starts_at DESC LIMIT 1",
        &group.project,
        &group.identity,
        since.as_microsecond(),
        until.map(Timestamp::as_microsecond)
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

async fn add(tx: &mut Tx, id: &str, group: &AlertGroup, now: Timestamp) -> Result<(), StoreError> {
    for alert in &group.alerts {
        exec!(
            tx,
            "INSERT INTO incident_alerts (incident_id, fingerprint, starts_at, ends_at, state, labels, annotations, \
             generator_url) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (incident_id, fingerprint, starts_at) DO UPDATE SET labels = $6, annotations = $7, \
             ends_at = COALESCE(incident_alerts.ends_at, $4), \
             state = CASE WHEN incident_alerts.state = 'resolved' THEN 'resolved' ELSE $5 END",
            id,
            &alert.fingerprint,
            alert.starts_at.as_microsecond(),
            alert.ends_at.map(Timestamp::as_microsecond),
            if alert.ends_at.is_some() { "resolved" } else { "open" },
            serde_json::to_string(&alert.labels)?,
            serde_json::to_string(&alert.annotations)?,
            &alert.generator_url
        );
    }
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
    for key in &group.keys {
        exec!(
            tx,
            "INSERT INTO incident_keys (incident_id, kind, label, value) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (incident_id, kind, label, value) DO NOTHING",
            id,
            key.kind.as_str(),
            &key.label,
            &key.value
        );
    }
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
