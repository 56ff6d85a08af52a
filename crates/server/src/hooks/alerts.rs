//! Webhooks of Alertmanager, version 4 (its documentation, "webhook_config").

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use jiff::Timestamp;
use panicle_store::{Alert, AlertGroup, IncidentKey, KeyKind};
use serde::Deserialize;
use serde_json::Value;

use crate::shapes::objects::Refused;

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
/// What crashes of one incident are linked by, of what one request says.
const MAX_KEYS: usize = 200;
/// Places that are scopes.
const MAX_SCOPES: usize = 100;
const MAX_TEXT: usize = 2000;

/// Which labels of alerts name what crashes have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertLabels {
    /// Names of services.
    pub service: Vec<String>,
    /// Names of hosts.
    pub host: Vec<String>,
}

impl AlertLabels {
    /// Whether people want to see this label of an incident before the others.
    pub(crate) fn says_much(&self, label: &str) -> bool {
        ["alertname", "severity"].contains(&label)
            || SCOPE.contains(&label)
            || self.service.iter().chain(&self.host).any(|name| name == label)
    }
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
    /// Each for itself: one that cannot be understood does not spoil the others.
    #[schema(value_type = Vec<AlertmanagerAlert>)]
    alerts: Vec<Value>,
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

/// What a webhook tells, and which alerts of it cannot be understood; the error says what it cannot be, or what the
/// first of its alerts cannot be where there is nothing else.
pub(crate) fn read(
    webhook: AlertmanagerWebhook,
    project: &str,
    names: &AlertLabels,
    now: Timestamp,
) -> Result<(AlertGroup, Vec<Refused>), String> {
    if webhook.version != "4" {
        return Err(format!("webhooks of version 4 are understood, not of {:?}", short(&webhook.version)));
    }
    let is_over = over(&webhook.status)?;
    if webhook.alerts.is_empty() {
        return Err("alerts: there are none in the webhook".to_owned());
    }
    if webhook.group_key.is_empty() {
        return Err("groupKey is empty".to_owned());
    }
    let (mut alerts, mut refused) = (Vec::new(), Vec::new());
    let more = webhook.alerts.len().saturating_sub(MAX_ALERTS);
    for (number, given) in webhook.alerts.into_iter().take(MAX_ALERTS).enumerate() {
        match alert(given, now) {
            Ok(alert) => alerts.push(alert),
            Err(reason) => refused.push(Refused { place: format!("/alerts/{number}"), reason }),
        }
    }
    if more > 0 {
        let reason = format!("of a webhook, {MAX_ALERTS} alerts are taken; {more} more came");
        refused.push(Refused { place: format!("/alerts/{MAX_ALERTS}"), reason });
    }
    if let (true, Some(first)) = (alerts.is_empty(), refused.first()) {
        return Err(first.to_string());
    }
    let mut common = BTreeSet::new();
    collect_keys(&webhook.common_labels, names, &mut common);
    let mut keys = BTreeSet::new();
    for alert in &alerts {
        collect_keys(&alert.labels, names, &mut keys);
    }
    // Managers that watch over each other, and receivers of one, tell of the same labels under other keys.
    let identity = if webhook.group_labels.is_empty() {
        webhook.group_key
    } else {
        serde_json::to_string(&webhook.group_labels).map_err(|error| error.to_string())?
    };
    let group = AlertGroup {
        project: project.to_owned(),
        identity: check(identity, "groupKey or groupLabels")?,
        title: title(&webhook.common_labels, &webhook.common_annotations, &webhook.group_labels),
        receiver: check(webhook.receiver, "receiver")?,
        labels: webhook.common_labels,
        annotations: webhook.common_annotations,
        external_url: webhook.external_url.filter(|url| is_address(url)),
        is_over,
        alerts,
        keys: that_count(&common, keys),
    };
    Ok((group, refused))
}

/// Not more than [`MAX_KEYS`]: what all alerts have first, then services before hosts, of which there may be hundreds.
fn that_count(common: &BTreeSet<IncidentKey>, of_some: BTreeSet<IncidentKey>) -> Vec<IncidentKey> {
    let mut scopes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for key in common.iter().chain(&of_some).filter(|key| key.kind == KeyKind::Scope) {
        scopes.entry(&key.label).or_default().insert(&key.value);
    }
    // With some of its places left out, a scope would say that what is in them is elsewhere.
    let mut room = MAX_SCOPES;
    let mut whole = BTreeSet::new();
    for (label, values) in scopes {
        if values.len() <= room {
            room -= values.len();
            whole.insert(label.to_owned());
        }
    }
    let rank = |kind: KeyKind| match kind {
        KeyKind::Scope => 0,
        KeyKind::Service => 1,
        KeyKind::Host => 2,
    };
    let mut keys: Vec<(bool, IncidentKey)> = common.iter().map(|key| (false, key.clone())).collect();
    keys.extend(of_some.into_iter().filter(|key| !common.contains(key)).map(|key| (true, key)));
    keys.retain(|(_, key)| key.kind != KeyKind::Scope || whole.contains(&key.label));
    keys.sort_by_key(|(is_of_some, key)| (rank(key.kind) > 0, *is_of_some, rank(key.kind)));
    keys.truncate(MAX_KEYS);
    keys.into_iter().map(|(_, key)| key).collect()
}

fn over(status: &str) -> Result<bool, String> {
    match status {
        "firing" => Ok(false),
        "resolved" => Ok(true),
        other => Err(format!("status is firing or resolved, not {:?}", short(other))),
    }
}

fn alert(given: Value, now: Timestamp) -> Result<Alert, String> {
    // Of a list, the items would be taken for the fields by their order.
    if !given.is_object() {
        return Err("an alert is an object".to_owned());
    }
    let alert = AlertmanagerAlert::deserialize(given).map_err(|error| error.to_string())?;
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
            let host = without_port(value);
            key(KeyKind::Host, label, host);
            // Who asks the system for its name often gets it without its domain.
            if let Some(name) = without_domain(host) {
                key(KeyKind::Host, label, name);
            }
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

/// `web-1` of `web-1.example.com`; nothing of an address.
fn without_domain(host: &str) -> Option<&str> {
    let (name, domain) = host.split_once('.')?;
    let is_address = host.parse::<IpAddr>().is_ok();
    (!is_address && !name.is_empty() && !domain.is_empty()).then_some(name)
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

    use super::{AlertLabels, AlertmanagerWebhook, Refused, read};

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
        told_in_part(value).map(|(group, _)| group)
    }

    fn told_in_part(value: Value) -> Result<(panicle_store::AlertGroup, Vec<Refused>), String> {
        let now = "2026-11-01T11:00:00Z".parse::<Timestamp>().unwrap();
        let webhook: AlertmanagerWebhook = serde_json::from_value(value).unwrap();
        read(webhook, "default", &AlertLabels::default(), now)
    }

    #[test]
    fn an_alert_that_is_wrong_does_not_spoil_the_others() {
        let mut webhook = webhook("firing");
        let good = webhook["alerts"][0].clone();
        let with = |name: &str, value: Value| {
            let mut alert = good.clone();
            alert[name] = value;
            alert
        };
        let wrong = [with("startsAt", json!(7)), with("fingerprint", json!("")), json!(["firing"])];
        webhook["alerts"] = json!([wrong[0], good, wrong[1], wrong[2], with("fingerprint", json!("b"))]);
        let (group, refused) = told_in_part(webhook.clone()).unwrap();
        assert_eq!(group.alerts.len(), 2);
        let places: Vec<&str> = refused.iter().map(|refused| refused.place.as_str()).collect();
        assert_eq!(places, ["/alerts/0", "/alerts/2", "/alerts/3"]);
        assert!(refused[1].reason.contains("fingerprint") && refused[2].reason.contains("object"));
        let many: Vec<Value> = (0..1003).map(|n| with("fingerprint", json!(format!("{n}")))).collect();
        webhook["alerts"] = json!(many);
        let (group, refused) = told_in_part(webhook.clone()).unwrap();
        assert_eq!((group.alerts.len(), refused.len(), refused[0].place.as_str()), (1000, 1, "/alerts/1000"));
        webhook["alerts"] = json!(wrong);
        assert!(told(webhook).unwrap_err().starts_with("/alerts/0: "));
    }

    #[test]
    fn services_are_known_however_many_hosts_and_labels_there_are() {
        let mut webhook = webhook("firing");
        for number in 0..300 {
            webhook["commonLabels"][format!("a{number}")] = json!("x");
        }
        let alert = webhook["alerts"][0].clone();
        webhook["alerts"] = (0..400)
            .map(|number| {
                let mut alert = alert.clone();
                alert["fingerprint"] = json!(format!("{number}"));
                alert["labels"]["instance"] = json!(format!("web-{number}"));
                alert["labels"]["app"] = json!(format!("app-{}", number % 5));
                alert["labels"]["region"] = json!(format!("region-{}", number % 150));
                alert
            })
            .collect();
        let group = told(webhook).unwrap();
        assert_eq!((group.keys.len(), group.alerts.len(), group.labels.len()), (200, 400, 303));
        let count = |kind| group.keys.iter().filter(|key| key.kind == kind).count();
        // Of too many regions none is known, so that no crash is left out for being in another one.
        assert_eq!((count(KeyKind::Service), count(KeyKind::Scope), count(KeyKind::Host)), (6, 1, 193));
        assert!(group.keys.iter().any(|key| key.kind == KeyKind::Service && key.value == "auth"));
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
                key(KeyKind::Scope, "namespace", "prod"),
                key(KeyKind::Service, "job", "auth"),
                key(KeyKind::Host, "instance", "web-1")
            ]
        );
        let hosts = |instance: &str| {
            let mut named = webhook("firing");
            named["alerts"][0]["labels"]["instance"] = json!(instance);
            let keys = told(named).unwrap().keys.into_iter().filter(|key| key.kind == KeyKind::Host);
            keys.map(|key| key.value).collect::<Vec<_>>()
        };
        assert_eq!(hosts("web-1.example.com:9100"), ["web-1", "web-1.example.com"]);
        assert_eq!(
            (hosts("10.0.0.7:9100"), hosts("[fe80::1]:9100")),
            (vec!["10.0.0.7".to_owned()], vec!["fe80::1".to_owned()])
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
