//! Groups: crashes of one bug.

pub(crate) mod counters;
pub(crate) mod decision;
mod details;
pub(crate) mod events;
pub(crate) mod history;
pub(crate) mod links;
mod list;
pub(crate) mod merge;
pub(crate) mod mute;
pub(crate) mod place;
pub(crate) mod react;
pub(crate) mod regression;
mod split;
mod undo;

use jiff::Timestamp;
use panicle_report::SignatureStep;

pub use self::{
    decision::{GroupChange, MAX_NAME, MAX_TEXT, Resolved},
    events::Event,
    history::{BY_ITSELF, GroupHistory},
    list::{GroupFilter, GroupPage, GroupSort, TrendStep},
    mute::{Escalation, Mute, MuteUntil},
    regression::ResolvedIn,
    split::Split,
};
use crate::GroupState;

/// Crashes of one bug.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns are described where the API shows them")]
pub struct Group {
    pub id: String,
    pub project: String,
    pub title: String,
    pub class: String,
    pub state: GroupState,
    /// Why it is in this state, where there is more to say than that somebody wanted it.
    pub state_reason: Option<String>,
    pub state_since: Timestamp,
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
    /// What people wrote down.
    pub notes: Option<String>,
    /// `signature`, `split` or `rule`: how it came to be.
    pub origin: String,
    /// The group that its crashes are in.
    pub merged_into: Option<String>,
    /// Groups whose crashes are here.
    pub merged: Vec<String>,
    /// What it was resolved in, also when it has regressed since.
    pub resolved: Option<Resolved>,
    /// What it is muted until.
    pub mute: Option<Mute>,
    /// Full cores that are kept of it, where that differs from what holds for all groups.
    pub keep_cores: Option<u32>,
    /// Counts by version of the main module, the most frequent first.
    pub by_version: Vec<FacetCount>,
    /// Counts by build, those seen last first.
    pub by_build: Vec<BuildCount>,
    /// Counts by Go version.
    pub by_go_version: Vec<FacetCount>,
    /// Counts by host, the most frequent first.
    pub by_host: Vec<FacetCount>,
    /// Counts by service.
    pub by_service: Vec<FacetCount>,
    /// Counts by class.
    pub by_class: Vec<FacetCount>,
    /// The signatures of its crashes.
    pub variants: Vec<Variant>,
    /// Other groups of its family.
    pub related: Vec<RelatedGroup>,
}

/// How many crashes of a group have a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is its own definition")]
pub struct FacetCount {
    pub value: String,
    pub crashes: u64,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
}

/// How many crashes of a group are of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildCount {
    /// The build's ID, and how many.
    pub count: FacetCount,
    /// Version of the main module.
    pub module_version: Option<String>,
    /// `vcs.revision`.
    pub vcs_revision: Option<String>,
    /// When the build was seen first at all, in any crash or as an executable.
    pub known_since: Option<Timestamp>,
}

/// One of the signatures in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in a signature")]
pub struct Variant {
    pub version: u32,
    pub fingerprint: String,
    pub family: String,
    pub title: String,
    pub class: String,
    /// A person said that it belongs here.
    pub pinned: bool,
    pub crashes: u64,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
}

/// Another group of the same family.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in a group")]
pub struct RelatedGroup {
    pub id: String,
    pub title: String,
    pub class: String,
    pub state: GroupState,
    pub count: u64,
}
