//! What the API answers and takes, besides the report itself.

pub(crate) mod groups;
pub(crate) mod incidents;
pub(crate) mod objects;
pub(crate) mod projects;
pub(crate) mod query;
pub(crate) mod retention;
pub(crate) mod rules;
pub(crate) mod tokens;

use std::collections::BTreeMap;

use jiff::Timestamp;
use panicle_report::{BuildIds, Diagnostic};
use panicle_store::{CrashStatus, EvidenceKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::{groups::Group, incidents::IncidentReference};

/// A piece of evidence.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StoredEvidence)]
pub(crate) struct Evidence {
    /// The SHA-256 of its bytes, in hexadecimal.
    pub(crate) id: String,
    pub(crate) kind: EvidenceKind,
    /// File name as it was given first.
    pub(crate) name: Option<String>,
    pub(crate) size_bytes: u64,
    /// The same as `id`.
    pub(crate) sha256: String,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) received_at: Timestamp,
    /// What is known about it as an executable.
    pub(crate) binary: Option<Binary>,
    /// Set when its bytes were deleted by policy.
    pub(crate) deleted: Option<Deleted>,
}

/// A piece of evidence, and where it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceDetails {
    #[serde(flatten)]
    pub(crate) evidence: Evidence,
    /// Where its bytes are, if they stayed in a bucket of others; null when they are stored here.
    pub(crate) reference: Option<Reference>,
}

/// An object of others that is evidence.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EvidenceReference)]
pub(crate) struct Reference {
    /// Name of the source.
    pub(crate) source: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
    /// The entity tag that it had when it was taken over. One with another is not read.
    pub(crate) etag: String,
}

impl From<panicle_blobs::Reference> for Reference {
    fn from(place: panicle_blobs::Reference) -> Self {
        Self {
            source: place.source,
            bucket: place.bucket,
            key: place.key,
            version_id: place.version_id,
            etag: place.etag,
        }
    }
}

/// That evidence was deleted.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DeletedEvidence)]
pub(crate) struct Deleted {
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// `deleted by policy, on …`.
    pub(crate) reason: String,
}

impl From<panicle_store::Evidence> for Evidence {
    fn from(evidence: panicle_store::Evidence) -> Self {
        Self {
            sha256: evidence.id.clone(),
            id: evidence.id,
            kind: evidence.kind,
            name: evidence.name,
            size_bytes: evidence.size_bytes,
            received_at: evidence.received_at,
            binary: evidence.binary.map(Binary::from),
            deleted: evidence.deleted.map(|(at, reason)| Deleted { at, reason }),
        }
    }
}

/// An executable.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StoredBinary)]
pub(crate) struct Binary {
    /// The SHA-256 of its bytes, in hexadecimal.
    pub(crate) id: String,
    /// File name as it was given first.
    pub(crate) name: Option<String>,
    pub(crate) size_bytes: u64,
    /// Its identities have been read; until then they are null.
    pub(crate) identified: bool,
    pub(crate) go_version: Option<String>,
    /// Main module path.
    pub(crate) module: Option<String>,
    pub(crate) module_version: Option<String>,
    pub(crate) vcs_revision: Option<String>,
    pub(crate) build_ids: BuildIds,
    /// What it is good for: an `executable`, or a `debug-file` that has debug information and none of
    /// the code that it is about.
    pub(crate) role: Option<&'static str>,
    /// `full`, `separate` or `none`.
    pub(crate) dwarf: Option<String>,
    /// It has no symbol table.
    pub(crate) stripped: Option<bool>,
    /// Why its identities could not be read.
    pub(crate) problem: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) received_at: Timestamp,
}

impl From<panicle_store::BinaryRow> for Binary {
    fn from(row: panicle_store::BinaryRow) -> Self {
        let facts = row.facts;
        let known = row.identified && row.problem.is_none();
        let debug_only = facts.dwarf.as_deref() == Some("full") && facts.build_ids.text_sha256.is_none();
        Self {
            role: known.then_some(if debug_only { "debug-file" } else { "executable" }),
            id: row.id,
            name: row.name,
            size_bytes: row.size_bytes,
            identified: row.identified,
            go_version: facts.go_version,
            module: facts.module,
            module_version: facts.module_version,
            vcs_revision: facts.vcs_revision,
            build_ids: facts.build_ids,
            dwarf: facts.dwarf,
            stripped: facts.stripped,
            problem: row.problem,
            received_at: row.received_at,
        }
    }
}

/// Which evidence belongs to one crash. At least one piece besides executables is needed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NewCrash {
    /// Id of a stored core.
    pub(crate) core: Option<String>,
    /// Ids of stored executables. Not needed when their build ID is the core's.
    pub(crate) binaries: Vec<String>,
    /// Ids of stored crash texts and goroutine dumps.
    pub(crate) texts: Vec<String>,
    pub(crate) traces: Vec<String>,
    pub(crate) profiles: Vec<String>,
    /// Ids of stored race detector reports.
    pub(crate) races: Vec<String>,
    pub(crate) service: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) hostname: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) occurred_at: Option<Timestamp>,
    /// Number of the process, as its host counts them; else the one of the label `pid`.
    pub(crate) pid: Option<i64>,
    /// The project that it is of; that of the token, or `default`, when not given.
    pub(crate) project: Option<String>,
    /// Version of the program, such as `v1.4.2`. It counts where the evidence tells none: text never does.
    pub(crate) version: Option<String>,
}

/// A crash in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CrashSummary {
    pub(crate) id: String,
    pub(crate) project: String,
    /// Null while it is not known what groups it.
    pub(crate) group_id: Option<String>,
    pub(crate) status: CrashStatus,
    /// Root-cause class, one of the verdict classes of the report.
    pub(crate) class: Option<String>,
    pub(crate) title: Option<String>,
    /// `certain`, `likely`, `possible` or `unknown`.
    pub(crate) confidence: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) go_version: Option<String>,
    /// Main module path.
    pub(crate) module: Option<String>,
    /// As the evidence tells, else as its reporter says.
    pub(crate) module_version: Option<String>,
    /// As its reporter says.
    pub(crate) reported_version: Option<String>,
    pub(crate) vcs_revision: Option<String>,
    pub(crate) pid: Option<i64>,
    pub(crate) hostname: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) received_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) occurred_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) analysed_at: Option<Timestamp>,
    /// What is missing or doubtful.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// A crash.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Crash {
    #[serde(flatten)]
    pub(crate) summary: CrashSummary,
    pub(crate) signature: Option<CrashSignature>,
    /// What the analysis waits for.
    pub(crate) missing: Option<Missing>,
    /// Why there is no report.
    pub(crate) failure: Option<Failure>,
    /// Attempts at the current or last analysis.
    pub(crate) attempts: u32,
    /// The analysis under way.
    pub(crate) progress: Option<Progress>,
    /// There is a report; it may be a partial one.
    pub(crate) has_report: bool,
    /// A person put it into its group.
    pub(crate) pinned: bool,
    /// The rule that put it into its group.
    pub(crate) rule_id: Option<String>,
    /// The crash that has its evidence now: they turned out to be one.
    pub(crate) joined_into: Option<String>,
    pub(crate) evidence: Vec<Evidence>,
    /// Incidents during which it happened, newest first.
    pub(crate) incidents: Vec<IncidentReference>,
}

/// What groups a crash.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CrashSignature {
    pub(crate) version: u32,
    pub(crate) fingerprint: String,
    pub(crate) family: String,
}

/// What an analysis waits for.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Missing {
    /// `binary`.
    pub(crate) what: String,
    /// Identities of what is missing, as far as the core tells.
    pub(crate) build_ids: BuildIds,
    /// Path of the executable as the process knew it.
    pub(crate) executable: Option<String>,
}

/// Why there is no report.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Failure {
    /// In a few words.
    pub(crate) title: String,
    /// In full.
    pub(crate) detail: String,
    /// Attempts that were made.
    pub(crate) attempts: u32,
}

/// An analysis that was asked for and has not come to its end.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Progress {
    /// `queued` or `analysing`.
    pub(crate) stage: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) started_at: Option<Timestamp>,
    /// What its worker does: `fetching` evidence, `unpacking` it, `reading` it, or `storing` what came of that; null
    /// while it waits, and in the first second.
    pub(crate) step: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) step_since: Option<Timestamp>,
    /// Bytes that the step is through with; null where they are not counted.
    pub(crate) done_bytes: Option<u64>,
    pub(crate) total_bytes: Option<u64>,
    /// Jobs of its project that are to be done before it, counted up to 1,000; null when it does not wait.
    pub(crate) jobs_ahead: Option<u64>,
    /// It is not tried before then, because an attempt failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) not_before: Option<Timestamp>,
}

impl Progress {
    fn new(
        stage: CrashStatus,
        started_at: Option<Timestamp>,
        progress: Option<panicle_store::AnalysisProgress>,
    ) -> Self {
        let progress = progress.unwrap_or_default();
        let (done_bytes, total_bytes) = progress.bytes.unzip();
        Self {
            stage: stage.to_string(),
            started_at,
            step: progress.step,
            step_since: progress.since,
            done_bytes,
            total_bytes,
            jobs_ahead: progress.ahead,
            not_before: progress.not_before,
        }
    }
}

impl From<panicle_store::Crash> for CrashSummary {
    fn from(crash: panicle_store::Crash) -> Self {
        Self {
            id: crash.id,
            project: crash.project,
            group_id: crash.group_id,
            status: crash.status,
            class: crash.class,
            title: crash.title,
            confidence: crash.confidence,
            service: crash.service,
            go_version: crash.go_version,
            module: crash.module,
            module_version: crash.module_version,
            reported_version: crash.reported_version,
            vcs_revision: crash.vcs_revision,
            pid: crash.pid,
            hostname: crash.hostname,
            labels: crash.labels,
            received_at: crash.received_at,
            occurred_at: crash.occurred_at,
            analysed_at: crash.analysed_at,
            diagnostics: crash.diagnostics,
        }
    }
}

impl Crash {
    pub(crate) fn new(
        crash: panicle_store::Crash,
        evidence: Vec<panicle_store::Evidence>,
        progress: Option<panicle_store::AnalysisProgress>,
        incidents: Vec<(panicle_store::Incident, String)>,
    ) -> Self {
        let under_way = matches!(crash.status, CrashStatus::Queued | CrashStatus::Analysing);
        Self {
            signature: crash.signature.clone().map(|(version, fingerprint, family)| CrashSignature {
                version,
                fingerprint,
                family,
            }),
            missing: crash.missing_binary.then(|| Missing {
                what: "binary".to_owned(),
                build_ids: crash.build_ids.clone(),
                executable: crash.executable.clone(),
            }),
            failure: crash.failure.clone().map(|failure| Failure {
                title: failure.title,
                detail: failure.detail,
                attempts: failure.attempts,
            }),
            attempts: crash.attempts,
            progress: under_way.then(|| Progress::new(crash.status, crash.started_at, progress)),
            has_report: crash.report_revision > 0,
            pinned: crash.pinned,
            rule_id: crash.rule_id.clone(),
            joined_into: crash.joined_into.clone(),
            evidence: evidence.into_iter().map(Evidence::from).collect(),
            incidents: incidents
                .into_iter()
                .map(|(incident, reason)| IncidentReference::new(incident, Some(reason)))
                .collect(),
            summary: crash.into(),
        }
    }
}

/// What a search found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SearchResult {
    /// The query in its canonical spelling.
    pub(crate) query: String,
    /// The one seen last first.
    pub(crate) groups: Vec<Group>,
    /// Pass it as `cursor` to the list of groups with the same `q`; null at the end.
    pub(crate) groups_cursor: Option<String>,
    /// The one received last first.
    pub(crate) crashes: Vec<CrashSummary>,
    /// Pass it as `cursor` to the list of crashes with the same `q`; null at the end.
    pub(crate) crashes_cursor: Option<String>,
}

/// How much there is of what.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Stats {
    pub(crate) crashes: u64,
    pub(crate) groups: u64,
    pub(crate) waiting_for_binary: u64,
    /// Waiting for a worker, or with one.
    pub(crate) queued: u64,
    /// Failed or quarantined.
    pub(crate) failed: u64,
    /// Incidents of which an alert is not over.
    pub(crate) open_incidents: u64,
}

/// One goroutine in the table.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct GoroutineRow {
    pub(crate) id: u64,
    pub(crate) status: String,
    pub(crate) wait_reason: Option<String>,
    pub(crate) wait_seconds: Option<f64>,
    pub(crate) labels: BTreeMap<String, String>,
    /// OS thread that runs it.
    pub(crate) thread: Option<i32>,
    /// Started by the runtime itself.
    pub(crate) system: bool,
    pub(crate) top_function: Option<String>,
    pub(crate) top_file: Option<String>,
    pub(crate) top_line: Option<u32>,
    /// Function that started it.
    pub(crate) created_by: Option<String>,
    /// Signature of its cluster.
    pub(crate) cluster: Option<String>,
    pub(crate) frame_count: u32,
}

/// Part of the table of goroutines.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct GoroutinePage {
    pub(crate) items: Vec<GoroutineRow>,
    pub(crate) next_cursor: Option<String>,
    /// Goroutines of the crash.
    pub(crate) total: u64,
    /// Those that the filters leave.
    pub(crate) matched: u64,
    pub(crate) facets: GoroutineFacets,
}

/// What can be filtered by, over all goroutines of the crash, most frequent first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct GoroutineFacets {
    pub(crate) status: Vec<FacetValue>,
    pub(crate) wait_reason: Vec<FacetValue>,
    /// Label keys in use.
    pub(crate) label_keys: Vec<FacetValue>,
}

/// A value and how many goroutines or maps have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FacetValue {
    pub(crate) value: String,
    pub(crate) count: u64,
}
