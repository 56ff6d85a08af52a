//! What becomes of an analysis.

use jiff::Timestamp;
use panicle_report::{BuildIds, Diagnostic, Signature};

use crate::{Crash, CrashStatus, JobKind, Lease, ReportPart, Store, StoreError};

/// What the columns of a crash take from its report.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the columns are described where the API shows them")]
pub struct Analysed {
    pub class: String,
    pub title: String,
    pub confidence: String,
    pub go_version: Option<String>,
    pub module: Option<String>,
    pub module_version: Option<String>,
    pub hostname: Option<String>,
    pub executable: Option<String>,
    /// Identities of the executable as the process' memory has them; of the text, as the executable
    /// that was used has it.
    pub build_ids: BuildIds,
    pub diagnostics: Vec<Diagnostic>,
}

/// A finished analysis.
#[derive(Clone, Debug)]
pub struct CrashOutcome {
    /// What the list shows.
    pub analysed: Analysed,
    /// The report.
    pub parts: Vec<ReportPart>,
    /// What groups the crash; `None` while that would be guessing, because the executable is
    /// missing.
    pub signature: Option<Signature>,
    /// Executables that were found by build ID and used.
    pub matched: Vec<String>,
    /// Set when the analysis has to go on once an executable with these identities arrives:
    /// executables that were tried and are not it.
    pub waits_for_binary: Option<Vec<String>>,
    /// Set when the executable is stripped, so that the analysis has to be done again once a file with
    /// its debug information arrives: executables and debug files that were tried.
    pub wants_debug: Option<Vec<String>>,
}

/// Where a crash stands after [`Store::commit_crash`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its state.
    pub status: CrashStatus,
    /// Its group.
    pub group: Option<String>,
    /// The group is new.
    pub new_group: bool,
}

impl Store {
    /// Stores a report with everything that follows from it, in one transaction: the crash's
    /// columns, its group, the group's counts, and the end of the job.
    pub async fn commit_crash(
        &self,
        lease: &Lease,
        crash: &str,
        outcome: &CrashOutcome,
    ) -> Result<Committed, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let analysed = &outcome.analysed;
        let diagnostics = serde_json::to_string(&analysed.diagnostics)?;
        let committed = transaction!(self, tx => {
            let mut again = complete!(tx, lease);
            pass_turnstile!(tx, "binaries");
            let before: Option<(Option<String>, i64)> =
                sqlx::query_as("SELECT group_id, seen_at FROM crashes WHERE id = $1")
                    .bind(crash)
                    .fetch_optional(&mut *tx)
                    .await?;
            let Some((old_group, seen_at)) = before else {
                return Err(StoreError::NotFound { what: "crash", id: crash.to_owned() });
            };

            let mut status = CrashStatus::Done;
            if let Some(tried) = &outcome.waits_for_binary {
                status = CrashStatus::WaitingForBinary;
                // It may have arrived while the analysis ran, when nothing waited for it yet.
                let arrived: Vec<(String,)> =
                    sqlx::query_as("SELECT id FROM binaries WHERE gnu_build_id = $1 OR go_build_id = $2")
                        .bind(&analysed.build_ids.gnu)
                        .bind(&analysed.build_ids.go)
                        .fetch_all(&mut *tx)
                        .await?;
                again |= arrived.iter().any(|(id,)| !tried.contains(id));
            }
            if let Some(tried) = &outcome.wants_debug {
                let arrived: Vec<(String,)> = sqlx::query_as(
                    "SELECT id FROM binaries WHERE dwarf = 'full' \
                     AND (gnu_build_id = $1 OR go_build_id = $2 OR text_sha256 = $3)",
                )
                .bind(&analysed.build_ids.gnu)
                .bind(&analysed.build_ids.go)
                .bind(&analysed.build_ids.text_sha256)
                .fetch_all(&mut *tx)
                .await?;
                again |= arrived.iter().any(|(id,)| !tried.contains(id));
            }
            if again {
                status = CrashStatus::Queued;
                enqueue!(tx, JobKind::Analyse, crash, now);
            }

            let mut new_group = false;
            let group = if let Some(signature) = &outcome.signature {
                let (version, fingerprint, family) = Crash::signature_columns(signature);
                let id = uuid::Uuid::now_v7().to_string();
                new_group = sqlx::query(
                    "INSERT INTO crash_groups (id, signature_version, fingerprint, family, title, class, state, \
                     frames, explanation, crashes, first_seen, last_seen, revision) \
                     VALUES ($1, $2, $3, $4, $5, $6, 'new', $7, $8, 0, $9, $9, 1) \
                     ON CONFLICT (signature_version, fingerprint) DO NOTHING",
                )
                .bind(&id)
                .bind(version)
                .bind(fingerprint)
                .bind(family)
                .bind(&signature.title)
                .bind(&analysed.class)
                .bind(serde_json::to_string(&signature.frames)?)
                .bind(serde_json::to_string(&signature.explain)?)
                .bind(seen_at)
                .execute(&mut *tx)
                .await?
                .rows_affected() > 0;
                let (id,): (String,) = sqlx::query_as(
                    "SELECT id FROM crash_groups WHERE signature_version = $1 AND fingerprint = $2",
                )
                .bind(version)
                .bind(fingerprint)
                .fetch_one(&mut *tx)
                .await?;
                Some(id)
            } else {
                None
            };

            let signature = outcome.signature.as_ref().map(Crash::signature_columns);
            let (revision,): (i64,) = sqlx::query_as(
                "UPDATE crashes SET status = $2, group_id = $3, class = $4, title = $5, confidence = $6, \
                 go_version = $7, module = $8, module_version = $9, hostname = COALESCE(hostname, $10), \
                 executable = $11, gnu_build_id = $12, go_build_id = $13, diagnostics = $14, analysed_at = $15, \
                 started_at = NULL, failure = NULL, missing_binary = $16, signature_version = $17, \
                 fingerprint = $18, family = $19, text_sha256 = $20, missing_debug = $21, \
                 report_revision = report_revision + 1 WHERE id = $1 \
                 RETURNING report_revision",
            )
            .bind(crash)
            .bind(status.as_str())
            .bind(&group)
            .bind(&analysed.class)
            .bind(&analysed.title)
            .bind(&analysed.confidence)
            .bind(&analysed.go_version)
            .bind(&analysed.module)
            .bind(&analysed.module_version)
            .bind(&analysed.hostname)
            .bind(&analysed.executable)
            .bind(&analysed.build_ids.gnu)
            .bind(&analysed.build_ids.go)
            .bind(&diagnostics)
            .bind(now)
            .bind(outcome.waits_for_binary.is_some())
            .bind(signature.map(|(version, _, _)| version))
            .bind(signature.map(|(_, fingerprint, _)| fingerprint))
            .bind(signature.map(|(_, _, family)| family))
            .bind(&analysed.build_ids.text_sha256)
            .bind(outcome.wants_debug.is_some())
            .fetch_one(&mut *tx)
            .await?;

            for binary in &outcome.matched {
                sqlx::query(
                    "INSERT INTO crash_evidence (crash_id, blob_id, kind, origin, added_at) \
                     VALUES ($1, $2, 'binary', 'matched', $3) ON CONFLICT (crash_id, blob_id, kind) DO NOTHING",
                )
                .bind(crash)
                .bind(binary)
                .bind(now)
                .execute(&mut *tx)
                .await?;
            }
            // The report before this one may be in the middle of being read.
            sqlx::query("DELETE FROM report_parts WHERE crash_id = $1 AND revision < $2")
                .bind(crash)
                .bind(revision - 1)
                .execute(&mut *tx)
                .await?;
            for part in &outcome.parts {
                sqlx::query(
                    "INSERT INTO report_parts (crash_id, revision, part, seq, body) VALUES ($1, $2, $3, $4, $5)",
                )
                .bind(crash)
                .bind(revision)
                .bind(part.name())
                .bind(i64::from(part.seq))
                .bind(&part.body)
                .execute(&mut *tx)
                .await?;
            }

            if let Some(group) = &group {
                recount!(tx, group);
                if old_group.as_ref() != Some(group) {
                    // A crash that is new to a group which was thought mended shows that it is not.
                    sqlx::query("UPDATE crash_groups SET state = 'ongoing', revision = revision + 1 \
                                 WHERE id = $1 AND state = 'resolved'")
                        .bind(group)
                        .execute(&mut *tx)
                        .await?;
                }
            }
            if let Some(old) = old_group.as_ref().filter(|old| group.as_ref() != Some(old)) {
                recount!(tx, old);
            }
            Committed { status, group, new_group }
        });
        if committed.status == CrashStatus::Queued {
            self.announce_work();
        }
        Ok(committed)
    }
}
