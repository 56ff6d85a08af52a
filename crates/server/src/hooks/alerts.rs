//! Webhooks of Alertmanager, version 4 (its documentation, "webhook_config").

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use panicle_store::{Alert, AlertGroup, IncidentKey, KeyKind};
use serde::Deserialize;

/// Labels whose values are names of services.
const SERVICE: &[&str] = &[
    "service",
    "service_name",
    "job",
    "app",
    "app_kubernetes_io_name",
    "application",
    "deployment",
    "container",
];
/// Labels whose values are names of hosts, and what a crash in a pod has as one.
const HOST: &[&str] = &["hostname", "host", "instance", "pod", "node", "nodename"];
/// Labels that say where: what has another value in a label of the same name is elsewhere.
const SCOPE: &[&str] = &["namespace", "cluster", "env", "environment", "region"];
/// Alerts of one request; Alertmanager cuts them with `max_alerts`.
const MAX_ALERTS: usize = 1000;
/// What crashes of one incident are linked by.
const MAX_KEYS: usize = 200;
const MAX_TEXT: usize = 2000;

/// Which labels of alerts name what crashes have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertLabels {
    /// Names of services.
    pub service: Vec<String>,
    /// Names of hosts.
    pub host: Vec<String>,
}

impl Default for AlertLabels {
    fn default() -> Self {
        let all = |labels: &[&str]| labels.iter().map(|&label| label.to_owned()).collect();
        Self { service: all(SERVICE), host: all(HOST) }
    }
}

/// A webhook as Alertmanager sends it. What later versions add is of no interest.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertmanagerWebhook {
    /// `4`.
    version: String,
    group_key: String,
    /// `firing` or `resolved`.
    status: String,
    #[serde(default)]
    receiver: String,
    #[serde(default)]
    group_labels: BTreeMap<String, String>,
    #[serde(default)]
    common_labels: BTreeMap<String, String>,
    #[serde(default)]
    common_annotations: BTreeMap<String, String>,
    #[serde(default, rename = "externalURL")]
    external_url: Option<String>,
    alerts: Vec<AlertmanagerAlert>,
}

/// An alert as Alertmanager sends it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertmanagerAlert {
    /// `firing` or `resolved`.
    status: String,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// Of an alert that fires, ahead or in the year 1.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    #[serde(default, rename = "generatorURL")]
    generator_url: Option<String>,
    fingerprint: String,
}

/// What a webhook tells; the error says what it cannot be.
pub(crate) fn read(
    webhook: AlertmanagerWebhook,
    project: &str,
    names: &AlertLabels,
    now: Timestamp,
) -> Result<AlertGroup, String> {
    if webhook.version != "4" {
        return Err(format!("webhooks of version 4 are understood, not of {:?}", short(&webhook.version)));
    }
    let is_over = over(&webhook.status)?;
    if webhook.alerts.is_empty() || webhook.alerts.len() > MAX_ALERTS {
        return Err(format!("there are from 1 to {MAX_ALERTS} alerts in a webhook"));
    }
    if webhook.group_key.is_empty() {
        return Err("groupKey is empty".to_owned());
    }
    let mut keys = BTreeSet::new();
    for labels in webhook.alerts.iter().map(|alert| &alert.labels).chain([&webhook.common_labels]) {
        collect_keys(labels, names, &mut keys);
    }
    let alerts = webhook.alerts.into_iter().map(|alert| self::alert(alert, now)).collect::<Result<_, _>>()?;
    // Managers that watch over each other, and receivers of one, tell of the same labels under other keys.
    let identity = if webhook.group_labels.is_empty() {
        webhook.group_key
    } else {
        serde_json::to_string(&webhook.group_labels).map_err(|error| error.to_string())?
    };
    Ok(AlertGroup {
        project: project.to_owned(),
        identity: check(identity, "groupKey or groupLabels")?,
        title: title(&webhook.common_labels, &webhook.common_annotations, &webhook.group_labels),
        receiver: check(webhook.receiver, "receiver")?,
        labels: webhook.common_labels,
        annotations: webhook.common_annotations,
        external_url: webhook.external_url.filter(|url| is_address(url)),
        is_over,
        alerts,
        keys: keys.into_iter().take(MAX_KEYS).collect(),
    })
}

fn over(status: &str) -> Result<bool, String> {
    match status {
        "firing" => Ok(false),
        "resolved" => Ok(true),
        other => Err(format!("status is firing or resolved, not {:?}", short(other))),
    }
}

fn alert(alert: AlertmanagerAlert, now: Timestamp) -> Result<Alert, String> {
    let is_over = over(&alert.status)?;
    if alert.fingerprint.is_empty() || alert.fingerprint.len() > 200 {
        return Err("an alert has no fingerprint".to_owned());
    }
    if alert.starts_at < Timestamp::UNIX_EPOCH {
        return Err("an alert has begun before 1970".to_owned());
    }
    // One that is over has an end, and not before its beginning.
    let ends_at = alert.ends_at.filter(|end| *end >= alert.starts_at && *end <= now);
    Ok(Alert {
        fingerprint: alert.fingerprint,
        labels: alert.labels,
        annotations: alert.annotations,
        starts_at: alert.starts_at,
        ends_at: is_over.then(|| ends_at.unwrap_or_else(|| now.max(alert.starts_at))),
        generator_url: alert.generator_url.filter(|url| is_address(url)),
    })
}

fn collect_keys(labels: &BTreeMap<String, String>, names: &AlertLabels, keys: &mut BTreeSet<IncidentKey>) {
    let mut key = |kind, label: &str, value: &str| {
        if !value.is_empty() && value.len() <= 255 {
            keys.insert(IncidentKey { kind, label: label.to_owned(), value: value.to_owned() });
        }
    };
    for (label, value) in labels {
        if names.service.contains(label) {
            // `namespace/app` is how the operators of Kubernetes name jobs.
            key(KeyKind::Service, label, value.rsplit('/').next().unwrap_or(value));
        }
        if names.host.contains(label) {
            key(KeyKind::Host, label, without_port(value));
        }
        if SCOPE.contains(&label.as_str()) {
            key(KeyKind::Scope, label, value);
        }
    }
}

/// `web-1:9090` is a target of Prometheus, and `web-1` a host.
fn without_port(text: &str) -> &str {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            host.trim_start_matches('[').trim_end_matches(']')
        }
        _ => text,
    }
}

fn title(
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
    group: &BTreeMap<String, String>,
) -> String {
    let said = annotations.get("summary").or_else(|| annotations.get("title"));
    let named = said.or_else(|| labels.get("alertname")).or_else(|| group.get("alertname"));
    let text = named.filter(|text| !text.trim().is_empty()).map_or("Alerts", |text| text.trim());
    let line = text.lines().next().unwrap_or(text);
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// Shown as a link, so that it leads nowhere else.
fn is_address(text: &str) -> bool {
    (text.starts_with("http://") || text.starts_with("https://")) && text.len() <= MAX_TEXT
}

fn check(text: String, what: &str) -> Result<String, String> {
    if text.len() > MAX_TEXT {
        return Err(format!("{what} has at most {MAX_TEXT} bytes"));
    }
    Ok(text)
}

fn short(text: &str) -> String {
    text.chars().take(20).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use panicle_store::{IncidentKey, KeyKind};
    use serde_json::{Value, json};

    use super::{AlertLabels, read};

    fn webhook(status: &str) -> Value {
        json!({
            "version": "4", "groupKey": "{}:{alertname=\"Restarts\"}", "truncatedAlerts": 0, "status": status,
            "receiver": "panicle", "groupLabels": { "alertname": "Restarts" },
            "commonLabels": { "alertname": "Restarts", "job": "shop/auth", "namespace": "prod" },
            "commonAnnotations": { "summary": "auth restarts" }, "externalURL": "http://alertmanager:9093",
            "alerts": [{ "status": status, "labels": { "instance": "web-1:9090", "alertname": "Restarts" }, "annotations": {},
                "startsAt": "2026-11-01T10:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "javascript:alert(1)", "fingerprint": "c4ca4238a0b92382" }],
        })
    }

    fn told(value: Value) -> Result<panicle_store::AlertGroup, String> {
        let now = "2026-11-01T11:00:00Z".parse::<Timestamp>().unwrap();
        read(serde_json::from_value(value).unwrap(), "default", &AlertLabels::default(), now)
    }

    #[test]
    fn what_alertmanager_sends_is_understood() {
        let group = told(webhook("firing")).unwrap();
        assert_eq!(
            (group.title.as_str(), group.identity.as_str()),
            ("auth restarts", r#"{"alertname":"Restarts"}"#)
        );
        let key = |kind, label: &str, value: &str| IncidentKey {
            kind,
            label: label.to_owned(),
            value: value.to_owned(),
        };
        assert_eq!(
            group.keys,
            [
                key(KeyKind::Host, "instance", "web-1"),
                key(KeyKind::Scope, "namespace", "prod"),
                key(KeyKind::Service, "job", "auth")
            ]
        );
        assert_eq!((group.alerts[0].ends_at, group.alerts[0].generator_url.as_deref()), (None, None));
        // The end of what is over is unknown only to us.
        assert!(told(webhook("resolved")).unwrap().alerts[0].ends_at.is_some());
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        let changed = |name: &str, value: Value| {
            let mut webhook = webhook("firing");
            webhook[name] = value;
            told(webhook).unwrap_err()
        };
        assert!(changed("version", json!("3")).contains("version 4"));
        assert!(changed("status", json!("maybe")).contains("firing or resolved"));
        assert!(changed("alerts", json!([])).contains("alerts"));
        assert!(changed("groupKey", json!("")).contains("groupKey"));
    }
}
