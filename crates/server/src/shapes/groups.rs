//! Groups, their history, and what is to be told of them.

use jiff::Timestamp;
use panicle_report::SignatureStep;
use panicle_store::{EventKind, GroupState, MuteUntil, ResolvedIn};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::incidents::IncidentReference;

/// Crashes of one bug.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) project: String,
    pub(crate) title: String,
    pub(crate) class: String,
    pub(crate) state: GroupState,
    /// Why it is in this state: what somebody gave as a reason, or what made it regress or ended a mute.
    pub(crate) state_reason: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) state_since: Timestamp,
    pub(crate) owner: Option<String>,
    pub(crate) count: u64,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) first_seen: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) last_seen: Timestamp,
    pub(crate) fingerprint: String,
    pub(crate) signature_version: u32,
    pub(crate) family: String,
    pub(crate) services: Vec<String>,
    pub(crate) go_versions: Vec<String>,
    /// Versions of the main module.
    pub(crate) versions: Vec<String>,
    /// Crashes per hour: 24 buckets, the last one up to now.
    pub(crate) trend: Vec<TrendPoint>,
}

/// Crashes within an hour or a day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TrendPoint {
    /// Start of the hour or day.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    pub(crate) count: u64,
}

/// A group with what only its own page shows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct GroupDetails {
    #[serde(flatten)]
    pub(crate) group: Group,
    /// Every step of computing the signature.
    pub(crate) explain: Vec<SignatureStep>,
    /// Normalised frames of the signature, innermost first.
    pub(crate) frames: Vec<String>,
    pub(crate) latest_crash_id: Option<String>,
    pub(crate) hostnames: Vec<String>,
    /// What people wrote down.
    pub(crate) notes: Option<String>,
    /// How it came to be: `signature`, `split` or `rule`.
    pub(crate) origin: String,
    /// The group that its crashes are in now.
    pub(crate) merged_into: Option<String>,
    /// Groups whose crashes are in this one.
    pub(crate) merged: Vec<String>,
    /// What it was resolved in; kept when it has regressed since.
    pub(crate) resolved: Option<Resolution>,
    /// What it is muted until.
    pub(crate) mute: Option<Mute>,
    /// Full cores that are kept of it, where that differs from what holds for all groups.
    pub(crate) keep_cores: Option<u32>,
    /// Counts by version of the main module, the most frequent first; 100 at most, as of all counts.
    pub(crate) by_version: Vec<FacetCount>,
    /// Counts by build, the one seen last first.
    pub(crate) by_build: Vec<BuildCount>,
    pub(crate) by_go_version: Vec<FacetCount>,
    pub(crate) by_host: Vec<FacetCount>,
    pub(crate) by_service: Vec<FacetCount>,
    pub(crate) by_class: Vec<FacetCount>,
    /// The signatures of its crashes, the most frequent first.
    pub(crate) variants: Vec<Variant>,
    /// Other groups of the same family.
    pub(crate) related: Vec<RelatedGroup>,
    /// Incidents during which crashes of it happened, newest first; 20 at most.
    pub(crate) incidents: Vec<IncidentReference>,
}

/// What a group was resolved in. With neither version, revision nor build: in whatever is built later.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Resolution {
    #[serde(flatten)]
    pub(crate) resolved_in: ResolvedIn,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
}

/// What a group is muted until: the first of these.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Mute {
    pub(crate) until: MuteUntil,
    /// Crashes that it had when that began.
    pub(crate) crashes_at_start: u64,
    /// The state that it goes back to.
    pub(crate) state_before: GroupState,
    /// The rule that muted it.
    pub(crate) rule: Option<String>,
}

/// How many crashes of a group have a value.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FacetCount {
    pub(crate) value: String,
    pub(crate) count: u64,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) first_seen: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) last_seen: Timestamp,
}

/// How many crashes of a group are of a build; `value` is its build ID.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BuildCount {
    #[serde(flatten)]
    pub(crate) count: FacetCount,
    pub(crate) module_version: Option<String>,
    pub(crate) vcs_revision: Option<String>,
    /// When this build was seen first at all, in any crash or as an uploaded executable.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) known_since: Option<Timestamp>,
}

/// One of the signatures in a group.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Variant {
    pub(crate) signature_version: u32,
    pub(crate) fingerprint: String,
    pub(crate) family: String,
    pub(crate) title: String,
    pub(crate) class: String,
    /// A person said that it belongs here.
    pub(crate) pinned: bool,
    pub(crate) count: u64,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) first_seen: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) last_seen: Timestamp,
}

/// Another group of the same family.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelatedGroup {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) class: String,
    pub(crate) state: GroupState,
    pub(crate) count: u64,
}

impl From<panicle_store::Group> for Group {
    fn from(group: panicle_store::Group) -> Self {
        Self {
            id: group.id,
            project: group.project,
            title: group.title,
            class: group.class,
            state: group.state,
            state_reason: group.state_reason,
            state_since: group.state_since,
            owner: group.owner,
            count: group.count,
            first_seen: group.first_seen,
            last_seen: group.last_seen,
            fingerprint: group.fingerprint,
            signature_version: group.signature_version,
            family: group.family,
            services: group.services,
            go_versions: group.go_versions,
            versions: group.versions,
            trend: trend(group.trend),
        }
    }
}

pub(crate) fn trend(points: Vec<(Timestamp, u64)>) -> Vec<TrendPoint> {
    points.into_iter().map(|(at, count)| TrendPoint { at, count }).collect()
}

impl From<panicle_store::FacetCount> for FacetCount {
    fn from(count: panicle_store::FacetCount) -> Self {
        Self {
            value: count.value,
            count: count.crashes,
            first_seen: count.first_seen,
            last_seen: count.last_seen,
        }
    }
}

impl From<panicle_store::BuildCount> for BuildCount {
    fn from(build: panicle_store::BuildCount) -> Self {
        Self {
            count: build.count.into(),
            module_version: build.module_version,
            vcs_revision: build.vcs_revision,
            known_since: build.known_since,
        }
    }
}

impl From<panicle_store::Variant> for Variant {
    fn from(variant: panicle_store::Variant) -> Self {
        Self {
            signature_version: variant.version,
            fingerprint: variant.fingerprint,
            family: variant.family,
            title: variant.title,
            class: variant.class,
            pinned: variant.pinned,
            count: variant.crashes,
            first_seen: variant.first_seen,
            last_seen: variant.last_seen,
        }
    }
}

impl From<panicle_store::RelatedGroup> for RelatedGroup {
    fn from(group: panicle_store::RelatedGroup) -> Self {
        Self { id: group.id, title: group.title, class: group.class, state: group.state, count: group.count }
    }
}

fn each<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

impl GroupDetails {
    pub(crate) fn new(details: panicle_store::GroupDetails, incidents: Vec<panicle_store::Incident>) -> Self {
        Self {
            hostnames: details.group.hostnames.clone(),
            group: details.group.into(),
            explain: details.explain,
            frames: details.frames,
            latest_crash_id: details.latest_crash,
            notes: details.notes,
            origin: details.origin,
            merged_into: details.merged_into,
            merged: details.merged,
            resolved: details.resolved.map(|resolved| Resolution {
                at: Timestamp::from_microsecond(resolved.at).unwrap_or_default(),
                resolved_in: resolved.resolved_in,
            }),
            mute: details.mute.map(|mute| Mute {
                until: mute.until,
                crashes_at_start: mute.crashes_at_start,
                state_before: mute.state_before,
                rule: mute.rule,
            }),
            keep_cores: details.keep_cores,
            by_version: each(details.by_version),
            by_build: each(details.by_build),
            by_go_version: each(details.by_go_version),
            by_host: each(details.by_host),
            by_service: each(details.by_service),
            by_class: each(details.by_class),
            variants: each(details.variants),
            related: each(details.related),
            incidents: incidents.into_iter().map(|incident| IncidentReference::new(incident, None)).collect(),
        }
    }
}

/// What people decide about a group. Absent fields stay as they are.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GroupPatch {
    pub(crate) state: Option<GroupState>,
    /// An empty text clears it.
    pub(crate) owner: Option<String>,
    /// An empty text clears them.
    pub(crate) notes: Option<String>,
    /// With `state: resolved`: what it is resolved in. When absent, whatever is built later.
    pub(crate) resolved_in: Option<ResolvedIn>,
    /// With `state: muted`: what ends it. When absent, a person does.
    pub(crate) mute: Option<MuteUntil>,
    /// Full cores to keep of this group; 0 goes back to what holds for all groups.
    pub(crate) keep_cores: Option<u32>,
    /// Why; goes into the history.
    pub(crate) reason: Option<String>,
    /// Who changes it; goes into the history.
    pub(crate) actor: Option<String>,
}

impl GroupPatch {
    pub(crate) fn change(self, if_revision: Option<u64>) -> panicle_store::GroupChange {
        panicle_store::GroupChange {
            state: self.state,
            owner: self.owner,
            notes: self.notes,
            resolved_in: self.resolved_in,
            mute: self.mute,
            keep_cores: self.keep_cores,
            reason: self.reason,
            actor: self.actor,
            if_revision,
        }
    }
}

/// Which groups to merge into this one.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Merge {
    /// Their ids.
    pub(crate) groups: Vec<String>,
    pub(crate) reason: Option<String>,
    pub(crate) actor: Option<String>,
}

/// What to part from a group: crashes, or all crashes of a signature with those to come.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Split {
    /// Ids of crashes.
    pub(crate) crashes: Vec<String>,
    /// Fingerprints of variants.
    pub(crate) fingerprints: Vec<String>,
    /// Into this group instead of a new one.
    pub(crate) into: Option<String>,
    /// Title of the new group.
    pub(crate) title: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) actor: Option<String>,
}

/// Who does something, and why.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Doing {
    pub(crate) reason: Option<String>,
    pub(crate) actor: Option<String>,
}

/// An entry of a group's history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HistoryEntry {
    /// Its number in this group, from 1.
    pub(crate) seq: u64,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// Who; `panicle` for what happened by itself.
    pub(crate) actor: String,
    /// `changed`, `regressed`, `muted`, `unmuted`, `merge`, `merged`, `unmerged`, `split`, …
    pub(crate) action: String,
    /// What changed, as it was before.
    #[schema(value_type = Object)]
    pub(crate) from: Map<String, Value>,
    /// What changed, as it is since.
    #[schema(value_type = Object)]
    pub(crate) to: Map<String, Value>,
    pub(crate) reason: Option<String>,
    /// The entry that took this one back.
    pub(crate) undone_by: Option<u64>,
}

impl From<panicle_store::GroupHistory> for HistoryEntry {
    fn from(entry: panicle_store::GroupHistory) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            actor: entry.actor,
            action: entry.action,
            from: entry.from,
            to: entry.to,
            reason: entry.reason,
            undone_by: entry.undone_by,
        }
    }
}

/// Something to be told of a group.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Event {
    /// Its number, in the order in which things came true.
    pub(crate) seq: u64,
    pub(crate) kind: EventKind,
    pub(crate) group_id: String,
    /// The crash that made it come true.
    pub(crate) crash_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    pub(crate) reason: Option<String>,
}

impl From<panicle_store::Event> for Event {
    fn from(event: panicle_store::Event) -> Self {
        Self {
            seq: event.seq,
            kind: event.kind,
            group_id: event.group,
            crash_id: event.crash,
            at: event.at,
            reason: event.reason,
        }
    }
}
