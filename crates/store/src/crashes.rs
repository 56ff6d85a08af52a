//! Crash records.

use std::collections::BTreeMap;

use jiff::Timestamp;
use panicle_query::Query;
use panicle_report::{BuildIds, Diagnostic, Signature};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::AssertSqlSafe;

use crate::{
    CrashStatus, EvidenceKind, Store, StoreError,
    condition::{Condition, Rows, Value},
    database::SearchTime,
    facts,
    groups::counters,
    incidents,
    jobs::{Priority, requeue},
    occurred,
    projects::{self, DEFAULT_PROJECT, within},
    time,
    tx::Tx,
};

/// What somebody says belongs to one crash.
#[derive(Clone, Debug, Default)]
pub struct NewCrash {
    /// The evidence, in the order it was named.
    pub evidence: Vec<NewEvidence>,
    /// Service that crashed.
    pub service: Option<String>,
    /// Host that it ran on.
    pub hostname: Option<String>,
    /// Anything else that is known.
    pub labels: BTreeMap<String, String>,
    /// When it happened.
    pub occurred_at: Option<Timestamp>,
    /// Number of the process, as its host counts them.
    pub pid: Option<i64>,
    /// Version of the program.
    pub version: Option<String>,
    /// The client's own name for this request.
    pub idempotency_key: Option<String>,
    /// The project that it is of; the default one when not given.
    pub project: Option<String>,
}

/// A stored blob and what it is for this crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvidence {
    /// SHA-256 in hexadecimal.
    pub id: String,
    /// What it is here.
    pub kind: EvidenceKind,
}

/// What [`Store::create_crash`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The crash.
    pub id: String,
    /// It was not known before.
    pub new: bool,
}

/// Why there is no report, for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// In a few words.
    pub title: String,
    /// In full.
    pub detail: String,
    /// Attempts that were made.
    pub attempts: u32,
}

/// A crash.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns are described where the API shows them")]
pub struct Crash {
    pub id: String,
    pub project: String,
    pub status: CrashStatus,
    pub group_id: Option<String>,
    pub class: Option<String>,
    pub title: Option<String>,
    pub confidence: Option<String>,
    pub service: Option<String>,
    pub go_version: Option<String>,
    pub module: Option<String>,
    pub module_version: Option<String>,
    /// As its reporter says; `module_version` is this where the evidence has none.
    pub reported_version: Option<String>,
    pub vcs_revision: Option<String>,
    pub pid: Option<i64>,
    pub hostname: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub received_at: Timestamp,
    pub occurred_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub analysed_at: Option<Timestamp>,
    pub attempts: u32,
    pub signature: Option<(u32, String, String)>,
    pub executable: Option<String>,
    pub build_ids: BuildIds,
    pub missing_binary: bool,
    pub failure: Option<Failure>,
    pub diagnostics: Vec<Diagnostic>,
    pub report_revision: u64,
    /// A person put it into its group.
    pub pinned: bool,
    /// The rule that put it into its group.
    pub rule_id: Option<String>,
    /// The crash that has its evidence now.
    pub joined_into: Option<String>,
    /// When its core was deleted by policy.
    pub core_deleted_at: Option<Timestamp>,
}

/// Which crashes to list.
#[derive(Clone, Debug, Default)]
pub struct CrashFilter {
    /// Of this project.
    pub project: Option<String>,
    /// Of this group.
    pub group: Option<String>,
    /// In this state.
    pub status: Option<CrashStatus>,
    /// Of this class.
    pub class: Option<String>,
    /// Of this service.
    pub service: Option<String>,
    /// Meant by this query.
    pub query: Option<Query>,
    /// Received before the crash with this identifier.
    pub before: Option<String>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct CrashRecord {
    id: String,
    project: String,
    status: String,
    group_id: Option<String>,
    class: Option<String>,
    title: Option<String>,
    confidence: Option<String>,
    service: Option<String>,
    go_version: Option<String>,
    module: Option<String>,
    module_version: Option<String>,
    reported_version: Option<String>,
    vcs_revision: Option<String>,
    pid: Option<i64>,
    hostname: Option<String>,
    labels: String,
    received_at: i64,
    occurred_at: Option<i64>,
    started_at: Option<i64>,
    analysed_at: Option<i64>,
    attempts: i64,
    signature_version: Option<i64>,
    fingerprint: Option<String>,
    family: Option<String>,
    executable: Option<String>,
    gnu_build_id: Option<String>,
    go_build_id: Option<String>,
    missing_binary: bool,
    failure: Option<String>,
    diagnostics: String,
    report_revision: i64,
    pinned_group_id: Option<String>,
    rule_id: Option<String>,
    joined_into: Option<String>,
    core_deleted_at: Option<i64>,
}

impl CrashRecord {
    pub(crate) fn read(self) -> Result<Crash, StoreError> {
        let signature = match (self.signature_version, self.fingerprint, self.family) {
            (Some(version), Some(fingerprint), Some(family)) => {
                Some((version as u32, projects::bare(&fingerprint).to_owned(), family))
            }
            _ => None,
        };
        Ok(Crash {
            status: self
                .status
                .parse()
                .map_err(|_| StoreError::Stored(format!("crash status {}", self.status)))?,
            id: self.id,
            project: self.project,
            group_id: self.group_id,
            class: self.class,
            title: self.title,
            confidence: self.confidence,
            service: self.service,
            go_version: self.go_version,
            module: self.module,
            module_version: self.module_version,
            reported_version: self.reported_version,
            vcs_revision: self.vcs_revision,
            pid: self.pid,
            hostname: self.hostname,
            labels: serde_json::from_str(&self.labels)?,
            received_at: time::read(self.received_at)?,
            occurred_at: time::read_optional(self.occurred_at)?,
            started_at: time::read_optional(self.started_at)?,
            analysed_at: time::read_optional(self.analysed_at)?,
            attempts: self.attempts as u32,
            signature,
            executable: self.executable,
            build_ids: BuildIds { gnu: self.gnu_build_id, go: self.go_build_id, text_sha256: None },
            missing_binary: self.missing_binary,
            failure: self.failure.as_deref().map(serde_json::from_str).transpose()?,
            diagnostics: serde_json::from_str(&self.diagnostics)?,
            report_revision: self.report_revision as u64,
            pinned: self.pinned_group_id.is_some(),
            rule_id: self.rule_id,
            joined_into: self.joined_into,
            core_deleted_at: time::read_optional(self.core_deleted_at)?,
        })
    }
}

/// What one crash is known by: its core, or else the set of its other evidence.
pub(crate) fn identity(evidence: &[NewEvidence]) -> String {
    if let Some(core) = evidence.iter().find(|evidence| evidence.kind == EvidenceKind::Core) {
        return format!("core:{}", core.id);
    }
    let mut ids: Vec<&str> = evidence
        .iter()
        .filter(|evidence| evidence.kind != EvidenceKind::Binary)
        .map(|evidence| evidence.id.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    format!("set:{}", hex::encode(Sha256::digest(ids.join("\n"))))
}

impl Store {
    /// Records a crash and queues its analysis. One that is known already, by its idempotency key,
    /// its core or its set of texts, is answered as it is; evidence that was not yet known is added
    /// to it and makes it be analysed again.
    pub async fn create_crash(&self, new: &NewCrash) -> Result<Created, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let project = new.project.as_deref().unwrap_or(DEFAULT_PROJECT);
        let identity = within(project, &identity(&new.evidence));
        let key = new.idempotency_key.as_deref().map(|key| within(project, key));
        let occurred_at = new.occurred_at.map(Timestamp::as_microsecond);
        // In turn with whoever deletes evidence that no crash has.
        let created = in_turn!(self, tx => {
            projects::takes(tx, project).await?;
            let mut learned = false;
            for evidence in &new.evidence {
                let row: Option<(String,)> =
                    first!(
                        tx,
                        concat!("SELECT kind FROM blobs WHERE id = $1 AND deleted_at IS NULL AND ", has_blob!()),
                        &evidence.id,
                        project
                    );
                let (kind,) =
                    row.ok_or_else(|| StoreError::NotFound { what: "blob", id: evidence.id.clone() })?;
                check_kind(evidence, &kind)?;
            }
            let known: Option<(String, String)> = first!(
                tx,
                "SELECT id, labels FROM crashes WHERE identity = $1 OR idempotency_key = $2 \
                 ORDER BY CASE WHEN identity = $1 THEN 0 ELSE 1 END LIMIT 1",
                &identity,
                &key
            );
            let created = if let Some((known, labels)) = known {
                let (known, labels) = joined(tx, known, labels).await?;
                learned = add_to(tx, new, &identity, &known, &labels).await?;
                Created { id: known, new: false }
            } else {
                let id = uuid::Uuid::now_v7().to_string();
                exec!(
                    tx,
                    "INSERT INTO crashes (id, identity, idempotency_key, status, service, hostname, labels, \
                     received_at, occurred_at, seen_at, attempts, missing_binary, diagnostics, report_revision, pid, \
                     reported_version, module_version, project) \
                     VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, 0, $10, '[]', 0, $11, $12, $12, $13)",
                    &id,
                    &identity,
                    &key,
                    &new.service,
                    &new.hostname,
                    serde_json::to_string(&new.labels)?,
                    now,
                    occurred_at,
                    occurred_at.unwrap_or(now),
                    false,
                    new.pid,
                    &new.version,
                    project
                );
                Created { id, new: true }
            };
            facts::renew_given(tx, &created.id).await?;
            let mut added = 0;
            for evidence in &new.evidence {
                added += exec!(
                    tx,
                    "INSERT INTO crash_evidence (crash_id, blob_id, kind, origin, added_at) \
                     VALUES ($1, $2, $3, 'named', $4) ON CONFLICT (crash_id, blob_id, kind) DO UPDATE SET \
                     deleted_at = NULL, deleted_reason = NULL WHERE crash_evidence.deleted_at IS NOT NULL",
                    &created.id,
                    &evidence.id,
                    evidence.kind.as_str(),
                    now
                );
            }
            if new.evidence.iter().any(|evidence| evidence.kind == EvidenceKind::Core) {
                exec!(
                    tx,
                    "UPDATE crashes SET has_core = $2, core_deleted_at = NULL WHERE id = $1",
                    &created.id,
                    true
                );
            }
            // Without a core that was deleted, an analysis would know less than the report there is.
            let whole: Option<(Option<i64>,)> =
                first!(tx, "SELECT core_deleted_at FROM crashes WHERE id = $1", &created.id);
            if (added > 0 || learned) && whole.is_some_and(|row| row.0.is_none()) {
                requeue(tx, &created.id, now, Priority::Fresh).await?;
            }
            incidents::link_crash(tx, &created.id, now).await?;
            created
        });
        self.announce_work();
        Ok(created)
    }

    /// Queues a crash for another analysis.
    pub async fn reanalyse(&self, id: &str) -> Result<(), StoreError> {
        let now = Timestamp::now().as_microsecond();
        refuse_reanalysis(&self.crash(id).await?)?;
        in_turn!(self, tx => {
            if requeue(tx, id, now, Priority::Person).await? == 0 {
                return Err(StoreError::NotFound { what: "crash", id: id.to_owned() });
            }
        });
        self.announce_work();
        Ok(())
    }

    /// One crash.
    pub async fn crash(&self, id: &str) -> Result<Crash, StoreError> {
        let row: Option<CrashRecord> = query!(self, db => {
            sqlx::query_as("SELECT * FROM crashes WHERE id = $1").bind(id).fetch_optional(db).await
        })?;
        row.ok_or_else(|| StoreError::NotFound { what: "crash", id: id.to_owned() })?.read()
    }

    /// Crashes, newest first.
    pub async fn crashes(&self, filter: &CrashFilter, limit: u32) -> Result<Vec<Crash>, StoreError> {
        self.crashes_within(filter, limit, &mut self.search_time()).await
    }

    pub(crate) async fn crashes_within(
        &self,
        filter: &CrashFilter,
        limit: u32,
        time: &mut SearchTime,
    ) -> Result<Vec<Crash>, StoreError> {
        let condition = self.meant_within(filter, 1, time).await?;
        let text = format!(
            "SELECT * FROM crashes WHERE joined_into IS NULL AND {} ORDER BY id DESC LIMIT $1",
            condition.text
        );
        macro_rules! fetched {
            ($db:ident) => {{
                let query = sqlx::query_as(AssertSqlSafe(text)).bind(i64::from(limit));
                bind_condition!(query, condition).fetch_all($db).await
            }};
        }
        let rows: Vec<CrashRecord> = if filter.query.is_some() {
            search!(self, time, db => fetched!(db)).await?
        } else {
            query!(self, db => fetched!(db))?
        };
        rows.into_iter().map(CrashRecord::read).collect()
    }
    /// The condition of a filter; `bound` values are bound before its own.
    pub(crate) async fn meant(&self, filter: &CrashFilter, bound: usize) -> Result<Condition, StoreError> {
        self.meant_within(filter, bound, &mut self.search_time()).await
    }

    async fn meant_within(
        &self,
        filter: &CrashFilter,
        bound: usize,
        time: &mut SearchTime,
    ) -> Result<Condition, StoreError> {
        let mut condition = self.condition(filter.query.as_ref(), Rows::Crashes, bound, time).await?;
        let text = |text: &Option<String>| text.as_deref().map(Value::text);
        condition.require("group_id = ", text(&filter.group), "");
        condition.require("status = ", filter.status.map(|status| Value::text(status.as_str())), "");
        condition.require("class = ", text(&filter.class), "");
        condition.require("service = ", text(&filter.service), "");
        condition.require("id < ", text(&filter.before), "");
        condition.require("project = ", text(&filter.project), "");
        Ok(condition)
    }
}

/// Refuses another analysis of what it would know less of than before.
pub(crate) fn refuse_reanalysis(crash: &Crash) -> Result<(), StoreError> {
    if let Some(into) = &crash.joined_into {
        return Err(StoreError::Invalid(format!("crash {} is a part of crash {into}", crash.id)));
    }
    if let Some(at) = crash.core_deleted_at {
        return Err(StoreError::Invalid(format!(
            "the core of crash {} was deleted by policy, on {}; the report that there is stays",
            crash.id,
            at.strftime("%Y-%m-%d %H:%M:%S UTC")
        )));
    }
    Ok(())
}

/// The crash that has the evidence of this one now, which may be itself, and its labels.
async fn joined(tx: &mut Tx, mut id: String, mut labels: String) -> Result<(String, String), StoreError> {
    // Each crash is joined once, into one that is older.
    loop {
        let row: Option<(String, String)> = first!(
            tx,
            "SELECT i.id, i.labels FROM crashes c JOIN crashes i ON i.id = c.joined_into WHERE c.id = $1",
            &id
        );
        let Some(row) = row else { return Ok((id, labels)) };
        (id, labels) = row;
    }
}

/// Adds what a request says to a crash that is known.
/// Answers whether its process, its host or its time is known since then, by which it may be joined with another.
async fn add_to(
    tx: &mut Tx,
    new: &NewCrash,
    identity: &str,
    known: &str,
    labels: &str,
) -> Result<bool, StoreError> {
    // A key used again for another crash would mix two: one has one core.
    let other_core: Option<(String,)> = first!(
        tx,
        "SELECT blob_id FROM crash_evidence WHERE crash_id = $1 AND kind = 'core' AND blob_id <> $2",
        known,
        projects::bare(identity).strip_prefix("core:").unwrap_or_default()
    );
    if projects::bare(identity).starts_with("core:") && other_core.is_some() {
        return Err(StoreError::OtherCrash { id: known.to_owned() });
    }
    // Its time and its host may change, and with them the counts of its group.
    let share = counters::share(tx, known).await?;
    let told = (new.hostname.is_some(), new.pid.is_some(), new.occurred_at.is_some());
    let learned: Option<(String,)> = first!(
        tx,
        "SELECT id FROM crashes WHERE id = $1 AND ((hostname IS NULL AND $2) OR (pid IS NULL AND $3) \
         OR (occurred_at IS NULL AND $4))",
        known,
        told.0,
        told.1,
        told.2
    );
    let mut labels: BTreeMap<String, String> = serde_json::from_str(labels)?;
    labels.extend(new.labels.clone());
    exec!(
        tx,
        "UPDATE crashes SET labels = $2, service = COALESCE(service, $3), \
         hostname = COALESCE(hostname, $4), pid = COALESCE(pid, $5) WHERE id = $1",
        known,
        serde_json::to_string(&labels)?,
        &new.service,
        &new.hostname,
        new.pid
    );
    occurred::said(tx, known, new).await?;
    exec!(
        tx,
        "UPDATE join_keys SET seen_at = (SELECT seen_at FROM crashes WHERE id = $1) WHERE crash_id = $1",
        known
    );
    let after = counters::share(tx, known).await?;
    counters::change(tx, share.as_ref(), after.as_ref()).await?;
    Ok(learned.is_some())
}

/// A core has to be a core and an executable an executable; what is printed or recorded is told
/// apart by whoever names it.
fn check_kind(evidence: &NewEvidence, stored: &str) -> Result<(), StoreError> {
    let strict = |kind: &str| matches!(kind, "core" | "binary");
    let wanted = evidence.kind.as_str();
    if wanted == stored || (!strict(wanted) && !strict(stored)) {
        return Ok(());
    }
    let actual = stored.parse::<EvidenceKind>().map_err(|error| StoreError::Stored(error.to_string()))?;
    Err(StoreError::WrongKind { id: evidence.id.clone(), wanted, actual: actual.as_str() })
}

impl Crash {
    /// The signature's version, fingerprint and family, out of a report's signature.
    pub(crate) fn signature_columns(signature: &Signature) -> (i64, &str, &str) {
        (i64::from(signature.version), &signature.fingerprint, &signature.family)
    }
}

#[cfg(test)]
mod tests {
    use super::{EvidenceKind, NewEvidence, identity};

    #[test]
    fn a_crash_is_known_by_its_core_or_its_set_of_texts() {
        let evidence = |kind, id: &str| NewEvidence { id: id.to_owned(), kind };
        let core = [evidence(EvidenceKind::Text, "t"), evidence(EvidenceKind::Core, "c")];
        assert_eq!(identity(&core), "core:c");
        let one = [evidence(EvidenceKind::Text, "a"), evidence(EvidenceKind::Text, "b")];
        let other = [one[1].clone(), one[0].clone(), evidence(EvidenceKind::Binary, "x")];
        assert_eq!(identity(&one), identity(&other));
        assert_ne!(identity(&one), identity(&one[..1]));
    }
}
