//! Which crashes happened during an incident, and why that is thought.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{StoreError, tx::Tx};

/// What led to an alert happened before it fired: rules wait for a while.
const BEFORE: SignedDuration = SignedDuration::from_mins(10);
/// Clocks differ.
const AFTER: SignedDuration = SignedDuration::from_mins(2);
/// Alerts are repeated while they fire; one that nobody repeats takes no more crashes.
const SILENCE: SignedDuration = SignedDuration::from_hours(24);
/// Crashes that are linked at once, the newest.
const MOST: i64 = 1000;

/// What of a crash is compared.
#[derive(sqlx::FromRow)]
struct Crash {
    id: String,
    service: Option<String>,
    hostname: Option<String>,
    labels: String,
    seen_at: i64,
}

/// Kind, label and value.
type Key = (String, String, String);

/// A link: incident, crash and reason.
type Link = (String, String, String);

/// Links the crashes that happened during an incident and are not linked yet.
pub(super) async fn link_incident(tx: &mut Tx, incident: &str, now: i64) -> Result<(), StoreError> {
    let (starts, ends, updated): (i64, Option<i64>, i64) =
        first!(tx, "SELECT starts_at, ends_at, updated_at FROM incidents WHERE id = $1", incident)
            .ok_or(StoreError::Conflict)?;
    let (from, until) = window(starts, ends, updated);
    // By the services and hosts, each with its index: the window may have all crashes of days.
    let crashes: Vec<Crash> = all!(
        tx,
        "SELECT c.id, c.service, c.hostname, c.labels, c.seen_at FROM crashes c WHERE c.id IN (\
         SELECT s.id FROM crashes s WHERE s.seen_at BETWEEN $1 AND $2 \
         AND s.service IN (SELECT k.value FROM incident_keys k WHERE k.incident_id = $3 AND k.kind = 'service') \
         UNION SELECT h.id FROM crashes h WHERE h.seen_at BETWEEN $1 AND $2 \
         AND h.hostname IN (SELECT k.value FROM incident_keys k WHERE k.incident_id = $3 AND k.kind = 'host')) \
         AND c.joined_into IS NULL AND c.project = (SELECT i.project FROM incidents i WHERE i.id = $3) \
         AND NOT EXISTS (SELECT 1 FROM incident_crashes l WHERE l.incident_id = $3 AND l.crash_id = c.id) \
         ORDER BY c.seen_at DESC LIMIT $4",
        from,
        until,
        incident,
        MOST
    );
    if crashes.is_empty() {
        return Ok(());
    }
    let keys = keys(tx, [incident]).await?.remove(incident).unwrap_or_default();
    let mut links = Vec::new();
    for crash in crashes {
        links.extend(link(incident, &keys, starts, &crash)?);
    }
    add(tx, &links, now).await
}

/// Links a crash with the incidents during which it happened.
pub(crate) async fn link_crash(tx: &mut Tx, crash: &str, now: i64) -> Result<(), StoreError> {
    let crash: Option<Crash> = first!(
        tx,
        "SELECT id, service, hostname, labels, seen_at FROM crashes WHERE id = $1 AND joined_into IS NULL",
        crash
    );
    let Some(crash) = crash else { return Ok(()) };
    let mut incidents: Vec<(String, i64, Option<i64>, i64)> = all!(
        tx,
        "SELECT id, starts_at, ends_at, updated_at FROM incidents WHERE starts_at <= $1 \
         AND (state = 'open' OR ends_at >= $2) AND id IN (SELECT incident_id FROM incident_keys \
         WHERE (kind = 'service' AND value = $3) OR (kind = 'host' AND value = $4)) \
         AND project = (SELECT c.project FROM crashes c WHERE c.id = $5) \
         AND NOT EXISTS (SELECT 1 FROM incident_crashes l WHERE l.incident_id = incidents.id AND l.crash_id = $5) \
         ORDER BY id DESC LIMIT 100",
        crash.seen_at.saturating_add(micros(BEFORE)),
        crash.seen_at.saturating_sub(micros(AFTER)),
        &crash.service,
        &crash.hostname,
        &crash.id
    );
    incidents.retain(|&(_, starts, ends, updated)| {
        let (from, until) = window(starts, ends, updated);
        (from..=until).contains(&crash.seen_at)
    });
    if incidents.is_empty() {
        return Ok(());
    }
    let keys = keys(tx, incidents.iter().map(|incident| incident.0.as_str())).await?;
    let mut links = Vec::new();
    for (incident, starts, ..) in &incidents {
        if let Some(keys) = keys.get(incident) {
            links.extend(link(incident, keys, *starts, &crash)?);
        }
    }
    add(tx, &links, now).await
}

/// What crashes of these incidents are linked by.
async fn keys<'a>(
    tx: &mut Tx,
    incidents: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeMap<String, Vec<Key>>, StoreError> {
    let ids: Vec<[&'a str; 1]> = incidents.into_iter().map(|incident| [incident]).collect();
    let text = of_rows!(
        tx,
        "SELECT k.incident_id, k.kind, k.label, k.value FROM",
        "$1",
        "CROSS JOIN incident_keys k WHERE k.incident_id = v.value ->> 0 ORDER BY k.kind, k.label, k.value"
    );
    let rows: Vec<(String, String, String, String)> = all!(tx, text, serde_json::to_string(&ids)?);
    let mut keys: BTreeMap<String, Vec<Key>> = BTreeMap::new();
    for (incident, kind, label, value) in rows {
        keys.entry(incident).or_default().push((kind, label, value));
    }
    Ok(keys)
}

fn link(incident: &str, keys: &[Key], starts: i64, crash: &Crash) -> Result<Option<Link>, StoreError> {
    let labels: BTreeMap<String, String> = serde_json::from_str(&crash.labels)?;
    let reason = why(keys, crash.service.as_deref(), crash.hostname.as_deref(), &labels);
    Ok(reason.map(|reason| {
        let reason = format!("{reason}; {}", when(crash.seen_at, starts));
        (incident.to_owned(), crash.id.clone(), reason)
    }))
}

async fn add(tx: &mut Tx, links: &[Link], now: i64) -> Result<(), StoreError> {
    if links.is_empty() {
        return Ok(());
    }
    let text = of_rows!(
        tx,
        "INSERT INTO incident_crashes (incident_id, crash_id, reason, linked_at) \
         SELECT v.value ->> 0, v.value ->> 1, v.value ->> 2, $1 FROM",
        "$2",
        "WHERE 1 = 1 ON CONFLICT (incident_id, crash_id) DO NOTHING"
    );
    exec!(tx, text, now, serde_json::to_string(links)?);
    Ok(())
}

/// The times of crashes that happened during an incident.
fn window(starts: i64, ends: Option<i64>, updated: i64) -> (i64, i64) {
    let until = match ends {
        Some(ends) => ends.saturating_add(micros(AFTER)),
        None => updated.saturating_add(micros(SILENCE)),
    };
    (starts.saturating_sub(micros(BEFORE)), until)
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Why a crash is of an incident; `None` when it is of none, or of one elsewhere.
fn why(
    keys: &[Key],
    service: Option<&str>,
    host: Option<&str>,
    labels: &BTreeMap<String, String>,
) -> Option<String> {
    // In another namespace there may be a service of the same name.
    let mut scopes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (_, label, value) in keys.iter().filter(|key| key.0 == "scope") {
        scopes.entry(label).or_default().push(value);
    }
    let is_elsewhere = scopes
        .iter()
        .any(|(label, values)| labels.get(*label).is_some_and(|value| !values.contains(&value.as_str())));
    if is_elsewhere {
        return None;
    }
    let has = |kind: &str, value: Option<&str>| {
        let value = value?;
        let key = keys.iter().find(|key| key.0 == kind && key.2 == value)?;
        Some(format!("its {kind} {value} is the label {} of an alert", key.1))
    };
    let reasons: Vec<String> = [has("service", service), has("host", host)].into_iter().flatten().collect();
    (!reasons.is_empty()).then(|| reasons.join(" and "))
}

fn when(seen: i64, starts: i64) -> String {
    let apart = SignedDuration::from_micros(seen.saturating_sub(starts));
    let minutes = apart.as_mins().unsigned_abs();
    let began = Timestamp::from_microsecond(starts).map_or_else(
        |_| String::new(),
        |at| format!(", which was at {}", at.strftime("%Y-%m-%d %H:%M:%S UTC")),
    );
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    match (apart.is_negative(), minutes) {
        (_, 0) => format!("it happened within a minute of the incident's beginning{began}"),
        (true, minutes) => format!("it happened {minutes} {unit} before the incident began{began}"),
        (false, minutes) => format!("it happened {minutes} {unit} after the incident began{began}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{when, why};

    #[test]
    fn a_crash_is_linked_by_its_service_or_host_and_not_across_namespaces() {
        let key =
            |kind: &str, label: &str, value: &str| (kind.to_owned(), label.to_owned(), value.to_owned());
        let keys =
            [key("host", "pod", "auth-1"), key("scope", "namespace", "prod"), key("service", "job", "auth")];
        let labels = |namespace: &str| -> BTreeMap<String, String> {
            [("namespace".to_owned(), namespace.to_owned())].into()
        };
        let none = BTreeMap::new();
        assert_eq!(
            why(&keys, Some("auth"), None, &none).unwrap(),
            "its service auth is the label job of an alert"
        );
        assert!(why(&keys, Some("shop"), Some("auth-1"), &labels("prod")).unwrap().contains("host auth-1"));
        assert_eq!(why(&keys, Some("auth"), None, &labels("test")), None);
        assert_eq!(why(&keys, Some("shop"), Some("auth-2"), &none), None);
        assert_eq!(why(&keys, None, None, &none), None);
    }

    #[test]
    fn how_far_apart_is_said() {
        let minute = 60_000_000;
        assert!(when(0, 3 * minute).starts_with("it happened 3 minutes before"));
        assert!(when(minute, 0).starts_with("it happened 1 minute after"));
        assert!(when(5, 0).contains("within a minute") && when(5, 0).contains("1970-01-01 00:00:00 UTC"));
    }
}
