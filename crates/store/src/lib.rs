//! What Panicle knows: evidence, binaries, crashes, groups, reports, and the work to be done.
//!
//! SQLite is the embedded default, PostgreSQL the choice of larger installations. Both run the same
//! query texts (`$1…`, `RETURNING`, `ON CONFLICT`, times as microseconds in a `BIGINT`); which
//! driver runs them is decided in one place, [`mod@database`]'s enum and [`mod@tx`]'s macros. Who waits for whom
//! is written there too.
//!
//! What holds throughout:
//!
//! - a change that belongs together is one transaction: a stored blob and the job that looks at it,
//!   a report and the group that its crash falls into;
//! - a job is a row with a lease. Attempts are counted when it is claimed, its completion is fenced
//!   by the lease's token, and an expired lease can be claimed by anybody;
//! - what is derived (counts, first and last seen) changes in the transaction that changes the crashes,
//!   by what each crash adds before and after, so that analysing twice counts once.

#[macro_use]
mod database;
#[macro_use]
mod tx;
#[macro_use]
mod condition;
#[macro_use]
mod evidence;
mod backup;
mod commit;
mod crashes;
mod error;
mod facts;
mod groups;
#[cfg(feature = "history")]
pub mod history;
mod incidents;
mod jobs;
mod join;
mod listen;
mod objects;
mod occurred;
mod offers;
mod projects;
mod quarantine;
mod queue;
mod reach;
mod reports;
mod reprocess;
mod retention;
mod rules;
mod saved;
mod search;
mod settings;
mod symbols;
mod time;
mod tokens;
mod trial;
mod uploads;
mod waits;
mod words;
mod workers;

pub use backup::backup;
pub use commit::{Analysed, Committed, CrashOutcome};
pub use crashes::{Crash, CrashFilter, Created, Failure, NewCrash, NewEvidence};
pub use database::Store;
pub use error::StoreError;
pub use evidence::{BinaryFacts, BinaryRow, Evidence, NewBlob};
pub use facts::{CrashFacts, Outdated};
pub use groups::{
    BY_ITSELF, BuildCount, Escalation, Event, FacetCount, Group, GroupChange, GroupDetails, GroupFilter,
    GroupHistory, GroupPage, GroupSort, MAX_NAME, MAX_TEXT, Mute, MuteUntil, RelatedGroup, Resolved,
    ResolvedIn, Split, TrendStep, Variant,
};
pub use incidents::{Alert, AlertGroup, Incident, IncidentKey, KeyKind, LinkedCrash, Told};
pub use jobs::{AnalysisProgress, Claim, Job, Lane, Lease, Progress, Step};
pub use join::{Join, JoinKey, JoinSide};
pub use objects::{NewIncoming, NewObject, Noted, Object};
pub use occurred::MAX_CLOCK_AHEAD;
pub use offers::Offer;
pub use projects::{DEFAULT_PROJECT, NewProject, Project, ProjectChange, is_project_id};
pub use quarantine::Quarantined;
pub use reports::{Part, ReportPart};
pub use reprocess::Reprocessed;
pub use rules::{Move, MutedGroup, NewRule, Plan, Regrouping, Rule, RuleChange, RuleConflict, RuleHistory};
pub use saved::SavedQuery;
pub use search::{Found, Stats};
pub use settings::CorePolicy;
pub use symbols::{Artifact, SymbolFile, SymbolRequest};
pub use tokens::{NewToken, TOKEN_PREFIX, Token};
pub use trial::SignatureTrial;
pub use uploads::{OpenUploads, Upload, UploadPiece};
pub use words::{
    CrashStatus, EventKind, EvidenceKind, GroupState, IncidentState, JobKind, NotAWord, ObjectState,
    RuleKind, Scope,
};
pub use workers::{JobCount, WORKER_SAYS_EVERY, WORKER_SEEN_FOR};
