//! Blobs and what is known about those that are executables.

use jiff::Timestamp;
use panicle_report::BuildIds;

use crate::{
    CrashStatus, EvidenceKind, JobKind, Lease, Store, StoreError,
    commit::note_build_of,
    facts::storable,
    jobs::{Priority, complete, enqueue, requeue},
    symbols::go_build_id,
    time,
};

/// A blob that was stored.
#[derive(Clone, Debug)]
pub struct NewBlob {
    /// SHA-256 in hexadecimal.
    pub id: String,
    /// What it is.
    pub kind: EvidenceKind,
    /// File name as it was given.
    pub name: Option<String>,
    /// Raw size.
    pub size_bytes: u64,
    /// Size at rest.
    pub stored_bytes: u64,
}

/// A piece of evidence.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// SHA-256 in hexadecimal.
    pub id: String,
    /// What it is.
    pub kind: EvidenceKind,
    /// File name as it was given first.
    pub name: Option<String>,
    /// Raw size.
    pub size_bytes: u64,
    /// When it was received first.
    pub received_at: Timestamp,
    /// What is known about it as an executable.
    pub binary: Option<BinaryRow>,
    /// When its bytes were deleted, and why.
    pub deleted: Option<(Timestamp, String)>,
}

/// What a child process read out of an executable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BinaryFacts {
    /// `go1.24.11`; `None` for what Go did not build.
    pub go_version: Option<String>,
    /// Main module path.
    pub module: Option<String>,
    /// Main module version.
    pub module_version: Option<String>,
    /// `vcs.revision`.
    pub vcs_revision: Option<String>,
    /// Identities.
    pub build_ids: BuildIds,
    /// `full`, `separate` or `none`.
    pub dwarf: Option<String>,
    /// No symbol table.
    pub stripped: Option<bool>,
}

impl BinaryFacts {
    /// What comes out of a file may have any character.
    fn storable(&self) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(storable);
        Self {
            go_version: text(&self.go_version),
            module: text(&self.module),
            module_version: text(&self.module_version),
            vcs_revision: text(&self.vcs_revision),
            build_ids: BuildIds {
                gnu: text(&self.build_ids.gnu),
                go: text(&self.build_ids.go),
                text_sha256: text(&self.build_ids.text_sha256),
            },
            dwarf: text(&self.dwarf),
            stripped: self.stripped,
        }
    }
}

/// An executable.
#[derive(Clone, Debug)]
pub struct BinaryRow {
    /// SHA-256 in hexadecimal.
    pub id: String,
    /// File name as it was given first.
    pub name: Option<String>,
    /// Raw size.
    pub size_bytes: u64,
    /// When it was received first.
    pub received_at: Timestamp,
    /// A child process has looked at it.
    pub identified: bool,
    /// What that found.
    pub facts: BinaryFacts,
    /// Why it found nothing.
    pub problem: Option<String>,
}

#[derive(sqlx::FromRow)]
struct EvidenceRecord {
    id: String,
    kind: String,
    name: Option<String>,
    size_bytes: i64,
    received_at: i64,
    identified: Option<bool>,
    go_version: Option<String>,
    module: Option<String>,
    module_version: Option<String>,
    vcs_revision: Option<String>,
    gnu_build_id: Option<String>,
    go_build_id: Option<String>,
    text_sha256: Option<String>,
    dwarf: Option<String>,
    stripped: Option<bool>,
    problem: Option<String>,
    deleted_at: Option<i64>,
    deleted_reason: Option<String>,
}

impl EvidenceRecord {
    fn read(self) -> Result<Evidence, StoreError> {
        let received_at = time::read(self.received_at)?;
        let binary = self.identified.map(|identified| BinaryRow {
            id: self.id.clone(),
            name: self.name.clone(),
            size_bytes: self.size_bytes as u64,
            received_at,
            identified,
            facts: BinaryFacts {
                go_version: self.go_version,
                module: self.module,
                module_version: self.module_version,
                vcs_revision: self.vcs_revision,
                build_ids: BuildIds {
                    gnu: self.gnu_build_id,
                    go: self.go_build_id,
                    text_sha256: self.text_sha256,
                },
                dwarf: self.dwarf,
                stripped: self.stripped,
            },
            problem: self.problem,
        });
        Ok(Evidence {
            kind: self
                .kind
                .parse()
                .map_err(|_| StoreError::Stored(format!("evidence kind {}", self.kind)))?,
            id: self.id,
            name: self.name,
            size_bytes: self.size_bytes as u64,
            received_at,
            binary,
            deleted: time::read_optional(self.deleted_at)?
                .map(|at| (at, self.deleted_reason.unwrap_or_else(|| "no crash has it any more".to_owned()))),
        })
    }
}

macro_rules! binary_columns {
    () => {
        "n.identified, n.go_version, n.module, n.module_version, n.vcs_revision, n.gnu_build_id, \
         n.go_build_id, n.text_sha256, n.dwarf, n.stripped, n.problem"
    };
}

/// Those of the executables that a condition means.
macro_rules! binaries_text {
    ($which:literal) => {
        concat!(
            "SELECT b.id, b.kind, b.name, b.size_bytes, n.received_at, b.deleted_at, \
             CAST(NULL AS TEXT) AS deleted_reason, ",
            binary_columns!(),
            " FROM binaries n JOIN blobs b ON b.id = n.id WHERE ",
            $which
        )
    };
}

/// Whether the project `$2` has the blob of a row of `blobs`: it was sent there, or all share it.
macro_rules! has_blob {
    () => {
        "(blobs.kind = 'binary' OR EXISTS (SELECT 1 FROM blob_projects p WHERE p.blob_id = blobs.id AND p.project = $2) \
         OR ($2 = 'default' AND NOT EXISTS (SELECT 1 FROM blob_projects p WHERE p.blob_id = blobs.id)))"
    };
}

/// Queues what waits for a file with these identities. Each of them is looked up in its index; left to itself, SQLite
/// goes through all crashes of a status.
const WAKE: &str = "UPDATE crashes SET status = 'queued' WHERE id IN (\
     SELECT id FROM crashes WHERE gnu_build_id = $1 UNION SELECT id FROM crashes WHERE go_build_id = $2 \
     UNION SELECT id FROM crashes WHERE text_sha256 = $3) AND core_deleted_at IS NULL \
     AND ((COALESCE(status, '') = 'waiting-for-binary' AND (gnu_build_id = $1 OR go_build_id = $2)) \
     OR (COALESCE(status, '') = 'done' AND missing_debug AND $4)) RETURNING id, missing_binary";

/// Crashes that a file is named with and that wait for one, or whose reports say that it was left out.
const WENT_WITHOUT: &str = "SELECT c.id, c.status FROM crash_evidence e JOIN crashes c ON c.id = e.crash_id \
     WHERE e.blob_id = $1 AND e.kind = 'binary' AND e.deleted_at IS NULL AND c.core_deleted_at IS NULL \
     AND c.joined_into IS NULL AND (c.status = 'waiting-for-binary' \
     OR (c.status = 'done' AND c.diagnostics LIKE '%' || $1 || '%'))";

impl Store {
    /// Records a stored blob that was sent to a project, and for an executable the job that looks at it. Answers
    /// whether it is new to the project; a blob that was there keeps its name and time.
    pub async fn record_blob(&self, blob: &NewBlob, project: &str) -> Result<bool, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let mut again = false;
        let new = transaction!(self, tx => {
            let inserted = exec!(
                tx,
                "INSERT INTO blobs (id, kind, name, size_bytes, stored_bytes, received_at) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
                &blob.id,
                blob.kind.as_str(),
                blob.name.as_deref().map(storable),
                blob.size_bytes as i64,
                blob.stored_bytes as i64,
                now
            ) > 0;
            if !inserted {
                // In turn with whoever deletes it by policy, who looks at what is recorded below.
                exec!(tx, "UPDATE blobs SET freed = freed WHERE id = $1", &blob.id);
                // One of before there were projects.
                exec!(
                tx,
                "INSERT INTO blob_projects (blob_id, project, name, received_at) \
                 SELECT id, 'default', name, received_at FROM blobs WHERE id = $1 \
                 AND NOT EXISTS (SELECT 1 FROM blob_projects p WHERE p.blob_id = blobs.id)",
                &blob.id
            );
            }
            let new_here = exec!(
                tx,
                "INSERT INTO blob_projects (blob_id, project, name, received_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (blob_id, project) DO NOTHING",
                &blob.id,
                project,
                blob.name.as_deref().map(storable),
                now
            ) > 0;
            // What had stayed elsewhere is here now, or elsewhere.
            let came = !inserted && exec!(
                tx,
                "UPDATE blobs SET stored_bytes = $2 WHERE id = $1 AND stored_bytes = 0 AND deleted_at IS NULL",
                &blob.id,
                blob.stored_bytes as i64
            ) > 0;
            // What was deleted is here again.
            let inserted = inserted || exec!(
                tx,
                "UPDATE blobs SET deleted_at = NULL, freed = $2, stored_bytes = $3 \
                 WHERE id = $1 AND deleted_at IS NOT NULL",
                &blob.id,
                false,
                blob.stored_bytes as i64
            ) > 0;
            // Crashes may have had to go without it.
            again = came && blob.kind == EvidenceKind::Binary;
            if again {
                let without: Vec<(String, String)> = all!(tx, WENT_WITHOUT, &blob.id);
                for (crash, status) in without {
                    let is_done = status == CrashStatus::Done.as_str();
                    let priority = if is_done { Priority::History } else { Priority::Fresh };
                    requeue(tx, &crash, now, priority).await?;
                }
            }
            if (inserted || again) && blob.kind == EvidenceKind::Binary {
                exec!(
                    tx,
                    "INSERT INTO binaries (id, identified, received_at) VALUES ($1, $2, $3) \
                     ON CONFLICT (id) DO NOTHING",
                    &blob.id,
                    false,
                    now
                );
                enqueue(tx, JobKind::Identify, &blob.id, now, Priority::Fresh).await?;
            }
            inserted || new_here
        });
        if new || again {
            self.announce_work();
        }
        Ok(new)
    }

    /// One piece of evidence.
    pub async fn evidence(&self, id: &str) -> Result<Evidence, StoreError> {
        let row: Option<EvidenceRecord> = query!(self, db => sqlx::query_as(concat!(
            "SELECT b.id, b.kind, b.name, b.size_bytes, b.received_at, b.deleted_at, \
            (SELECT MAX(e.deleted_reason) FROM crash_evidence e WHERE e.blob_id = b.id) AS deleted_reason, ",
            binary_columns!(), " FROM blobs b LEFT JOIN binaries n ON n.id = b.id WHERE b.id = $1"))
            .bind(id)
            .fetch_optional(db)
            .await)?;
        row.ok_or_else(|| StoreError::NotFound { what: "blob", id: id.to_owned() })?.read()
    }

    /// The same as a project knows it: with the name and the time that it gave, or nothing if it was sent to others
    /// alone.
    pub async fn evidence_in(&self, project: &str, id: &str) -> Result<Evidence, StoreError> {
        if !self.has_blob(project, id).await? {
            return Err(StoreError::NotFound { what: "blob", id: id.to_owned() });
        }
        let mut evidence = self.evidence(id).await?;
        let own: Option<(Option<String>, i64)> = query!(self, db => sqlx::query_as(
            "SELECT name, received_at FROM blob_projects WHERE blob_id = $1 AND project = $2")
            .bind(id)
            .bind(project)
            .fetch_optional(db)
            .await)?;
        if let Some((name, received_at)) = own {
            evidence.name = name;
            evidence.received_at = time::read(received_at)?;
        }
        Ok(evidence)
    }

    /// What is known to belong to a crash, in the order of kinds.
    pub async fn crash_evidence(&self, crash: &str) -> Result<Vec<Evidence>, StoreError> {
        let rows: Vec<EvidenceRecord> = query!(self, db => sqlx::query_as(concat!(
            "SELECT b.id, e.kind, CASE WHEN p.blob_id IS NULL THEN b.name ELSE p.name END AS name, b.size_bytes, \
            COALESCE(p.received_at, b.received_at) AS received_at, e.deleted_at, e.deleted_reason, ", binary_columns!(),
            " FROM crash_evidence e JOIN crashes c ON c.id = e.crash_id JOIN blobs b ON b.id = e.blob_id \
             LEFT JOIN blob_projects p ON p.blob_id = b.id AND p.project = c.project \
             LEFT JOIN binaries n ON n.id = b.id \
             WHERE e.crash_id = $1 ORDER BY e.kind, e.added_at, b.id"))
            .bind(crash)
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(EvidenceRecord::read).collect()
    }

    /// Executables, newest first, those before `(received_at, id)`.
    pub async fn binaries(
        &self,
        before: Option<(i64, String)>,
        limit: u32,
    ) -> Result<Vec<BinaryRow>, StoreError> {
        let (at, id) = before.unwrap_or((i64::MAX, String::new()));
        let rows: Vec<EvidenceRecord> = query!(self, db => sqlx::query_as(binaries_text!(
            "(n.received_at, n.id) < ($1, $2) \
             ORDER BY n.received_at DESC, n.id DESC LIMIT $3"))
            .bind(at)
            .bind(id)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await)?;
        rows.into_iter().filter_map(|row| row.read().map(|evidence| evidence.binary).transpose()).collect()
    }

    /// Stored executables and debug files of a build, newest first, those before `(received_at, id)`. `build_id` is a GNU
    /// build ID, a Go build ID, the bytes of a Go build ID in hexadecimal, or the SHA-256 of the file or of its code.
    pub async fn binaries_of_build(
        &self,
        build_id: &str,
        before: Option<(i64, String)>,
        limit: u32,
    ) -> Result<Vec<BinaryRow>, StoreError> {
        let (at, id) = before.unwrap_or((i64::MAX, String::new()));
        // Each identity is looked up in its index.
        let rows: Vec<EvidenceRecord> = query!(self, db => sqlx::query_as(binaries_text!(
            "n.id IN (\
             SELECT id FROM binaries WHERE gnu_build_id = $4 UNION SELECT id FROM binaries WHERE go_build_id = $5 \
             UNION SELECT id FROM binaries WHERE go_build_id = $6 UNION SELECT id FROM binaries WHERE id = $4 \
             UNION SELECT id FROM binaries WHERE text_sha256 = $4) AND b.deleted_at IS NULL AND b.stored_bytes > 0 \
             AND (n.received_at, n.id) < ($1, $2) ORDER BY n.received_at DESC, n.id DESC LIMIT $3"))
            .bind(at)
            .bind(id)
            .bind(i64::from(limit))
            .bind(build_id.to_ascii_lowercase())
            .bind(build_id)
            .bind(go_build_id(build_id))
            .fetch_all(db)
            .await)?;
        rows.into_iter().filter_map(|row| row.read().map(|evidence| evidence.binary).transpose()).collect()
    }

    /// Stored executables that have one of these identities.
    pub async fn matching_binaries(&self, ids: &BuildIds) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = query!(self, db => sqlx::query_as(
            "SELECT id FROM binaries WHERE gnu_build_id = $1 OR go_build_id = $2 ORDER BY received_at, id")
            .bind(&ids.gnu)
            .bind(&ids.go)
            .fetch_all(db)
            .await)?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Stored executables with debug information that have this text: unstripped twins.
    pub async fn binaries_with_text(&self, text_sha256: &str) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = query!(self, db => sqlx::query_as(
            "SELECT id FROM binaries WHERE text_sha256 = $1 AND dwarf = 'full' ORDER BY received_at, id")
            .bind(text_sha256)
            .fetch_all(db)
            .await)?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Completes an identification. Crashes that waited for this executable, or for its debug
    /// information, are queued; answers which.
    pub async fn commit_binary(
        &self,
        lease: &Lease,
        id: &str,
        facts: Result<&BinaryFacts, &str>,
    ) -> Result<Vec<String>, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let (facts, problem) = match facts {
            Ok(facts) => (facts.storable(), None),
            Err(problem) => (BinaryFacts::default(), Some(storable(problem))),
        };
        let woken = in_turn!(self, tx => {
            let _again = complete(tx, lease).await?;
            let received: Option<(i64,)> = first!(
                tx,
                "UPDATE binaries SET identified = $2, go_version = $3, module = $4, module_version = $5, \
                 vcs_revision = $6, gnu_build_id = $7, go_build_id = $8, text_sha256 = $9, dwarf = $10, \
                 stripped = $11, problem = $12 WHERE id = $1 RETURNING received_at",
                id,
                true,
                &facts.go_version,
                &facts.module,
                &facts.module_version,
                &facts.vcs_revision,
                &facts.build_ids.gnu,
                &facts.build_ids.go,
                &facts.build_ids.text_sha256,
                &facts.dwarf,
                facts.stripped,
                &problem
            );
            let ids = &facts.build_ids;
            let build = ids.gnu.as_deref().or(ids.go.as_deref()).or(ids.text_sha256.as_deref());
            if let (Some((received_at,)), Some(build)) = (received, build) {
                // It is known from now on, also while no crash of it has arrived.
                let what = [&facts.module, &facts.module_version, &facts.vcs_revision].map(Option::as_deref);
                note_build_of(tx, build, what, received_at).await?;
            }
            let woken: Vec<(String, bool)> = all!(
                tx,
                WAKE,
                &facts.build_ids.gnu,
                &facts.build_ids.go,
                &facts.build_ids.text_sha256,
                // Only a file with debug information is of use to those that lack it.
                facts.dwarf.as_deref() == Some("full")
            );
            for (crash, lacked_all) in &woken {
                // Those that lacked only debug information have a report.
                let priority = if *lacked_all { Priority::Fresh } else { Priority::History };
                enqueue(tx, JobKind::Analyse, crash, now, priority).await?;
            }
            woken
        });
        self.announce_work();
        Ok(woken.into_iter().map(|row| row.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::WAKE;
    use crate::{Store, database::Pool};

    #[tokio::test]
    async fn what_a_file_wakes_is_looked_up_by_its_identities() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("test.db").display());
        let store = Store::connect(&url).await.unwrap();
        let Pool::Sqlite(db) = &store.pool else { panic!("it is SQLite") };
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {WAKE}")))
                .fetch_all(db)
                .await
                .unwrap();
        let steps: Vec<String> = plan.into_iter().map(|(_, _, _, step)| step).collect();
        for index in ["crashes_gnu", "crashes_go", "crashes_text"] {
            assert!(steps.iter().any(|step| step.contains(index)), "{steps:#?}");
        }
        assert!(
            !steps.iter().any(|step| step.contains("SCAN crashes") || step.contains("status")),
            "{steps:#?}"
        );
    }

    #[tokio::test]
    async fn a_blob_of_before_there_were_projects_is_of_the_default_one() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("test.db").display());
        let store = Store::connect(&url).await.unwrap();
        let Pool::Sqlite(db) = &store.pool else { panic!("it is SQLite") };
        let kind = crate::EvidenceKind::Core;
        let blob = super::NewBlob { id: "c".to_owned(), kind, name: None, size_bytes: 1, stored_bytes: 1 };
        store.record_blob(&blob, "default").await.unwrap();
        sqlx::query("DELETE FROM blob_projects").execute(db).await.unwrap();
        assert!(store.has_blob("default", "c").await.unwrap());
        assert!(!store.has_blob("shop", "c").await.unwrap());
        assert!(store.record_blob(&blob, "shop").await.unwrap(), "new to it");
        assert!(store.has_blob("default", "c").await.unwrap() && store.has_blob("shop", "c").await.unwrap());
        sqlx::query("DELETE FROM blob_projects").execute(db).await.unwrap();
        assert!(!store.record_blob(&blob, "default").await.unwrap(), "it was there");
    }
}
