//! Incidents, and the crashes that happened meanwhile.

use std::collections::BTreeMap;

use jiff::Timestamp;
use panicle_store::IncidentState;
use serde::Serialize;
use utoipa::ToSchema;

use super::{CrashSummary, objects::Refused};
use crate::hooks::alerts::AlertLabels;

/// Labels and annotations of an incident in a list, and the characters of each.
const MOST_IN_LISTS: usize = 20;
const LONGEST_IN_LISTS: usize = 500;

/// What an alert manager told of.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Incident {
    pub(crate) id: String,
    pub(crate) state: IncidentState,
    pub(crate) title: String,
    /// Whom the manager tells.
    pub(crate) receiver: String,
    /// Labels that all alerts have. In lists 20 at most, those that name services and hosts first, with 500 characters
    /// of each; the incident itself has them all.
    pub(crate) labels: BTreeMap<String, String>,
    /// How many labels there are.
    pub(crate) label_count: u64,
    /// Annotations that all alerts have. In lists 20 at most, with 500 characters of each.
    pub(crate) annotations: BTreeMap<String, String>,
    /// How many annotations there are.
    pub(crate) annotation_count: u64,
    /// The manager's own page.
    pub(crate) external_url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) starts_at: Timestamp,
    /// When all alerts were over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) ends_at: Option<Timestamp>,
    /// When it was heard of last.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
    pub(crate) alert_count: u64,
    pub(crate) crash_count: u64,
}

impl From<panicle_store::Incident> for Incident {
    fn from(incident: panicle_store::Incident) -> Self {
        Self {
            id: incident.id,
            state: incident.state,
            title: incident.title,
            receiver: incident.receiver,
            label_count: incident.labels.len() as u64,
            labels: incident.labels,
            annotation_count: incident.annotations.len() as u64,
            annotations: incident.annotations,
            external_url: incident.external_url,
            starts_at: incident.starts_at,
            ends_at: incident.ends_at,
            updated_at: incident.updated_at,
            alert_count: incident.alerts,
            crash_count: incident.crashes,
        }
    }
}

impl Incident {
    /// The same with no more labels and annotations than a list has room for.
    pub(crate) fn in_list(mut self, names: &AlertLabels) -> Self {
        self.labels = some_of(self.labels, |label| names.says_much(label));
        let is_read = |name: &str| ["summary", "description", "message"].contains(&name);
        self.annotations = some_of(self.annotations, is_read);
        self
    }
}

/// Those that go `first`, and others as far as there is room.
fn some_of(texts: BTreeMap<String, String>, first: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
    let mut texts: Vec<(String, String)> = texts.into_iter().collect();
    texts.sort_by_key(|(name, _)| !first(name));
    texts.truncate(MOST_IN_LISTS);
    let short = |mut text: String| {
        if let Some((at, _)) = text.char_indices().nth(LONGEST_IN_LISTS) {
            text.truncate(at);
            text.push('…');
        }
        text
    };
    texts.into_iter().map(|(name, text)| (short(name), short(text))).collect()
}

/// An incident with what only its own page shows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct IncidentDetails {
    #[serde(flatten)]
    pub(crate) incident: Incident,
    /// In the order in which they began; 1000 at most.
    pub(crate) alerts: Vec<IncidentAlert>,
    /// Crashes that happened meanwhile, the one received last first; 100 at most.
    pub(crate) crashes: Vec<IncidentCrash>,
}

/// An alert.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct IncidentAlert {
    /// What tells it from others, as its manager has it.
    pub(crate) fingerprint: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) starts_at: Timestamp,
    /// Null while it fires.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) ends_at: Option<Timestamp>,
    /// Where it comes from.
    pub(crate) generator_url: Option<String>,
}

impl From<panicle_store::Alert> for IncidentAlert {
    fn from(alert: panicle_store::Alert) -> Self {
        Self {
            fingerprint: alert.fingerprint,
            labels: alert.labels,
            annotations: alert.annotations,
            starts_at: alert.starts_at,
            ends_at: alert.ends_at,
            generator_url: alert.generator_url,
        }
    }
}

/// A crash that happened during an incident.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct IncidentCrash {
    pub(crate) crash: CrashSummary,
    /// Why it is linked.
    pub(crate) reason: String,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) linked_at: Timestamp,
}

/// An incident during which a crash happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct IncidentReference {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) state: IncidentState,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) starts_at: Timestamp,
    /// Why the crash is linked; null for a group.
    pub(crate) reason: Option<String>,
}

impl IncidentReference {
    pub(crate) fn new(incident: panicle_store::Incident, reason: Option<String>) -> Self {
        Self {
            id: incident.id,
            title: incident.title,
            state: incident.state,
            starts_at: incident.starts_at,
            reason,
        }
    }
}

/// What a webhook became.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AlertsTaken {
    pub(crate) incident: Incident,
    /// It was not known before.
    pub(crate) new: bool,
    /// Alerts that cannot be understood. The others are taken.
    pub(crate) refused: Vec<Refused>,
}
