//! What becomes of an analysis.

use jiff::Timestamp;
use panicle_query::Facts;
use panicle_report::{BuildIds, Diagnostic, Signature, Stage};

use crate::{
    Crash, CrashStatus, JobKind, Join, JoinKey, Lease, ReportPart, Store, StoreError,
    facts::{self, storable},
    groups::{
        counters,
        place::{self, Before},
        react::react,
    },
    incidents,
    jobs::{Priority, complete, enqueue},
    join, occurred, projects, rules,
    tx::Tx,
};

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
    pub vcs_revision: Option<String>,
    /// Of the process, as its core or its text has it.
    pub pid: Option<i64>,
    pub hostname: Option<String>,
    /// When it happened, as its text tells.
    pub occurred_at: Option<Timestamp>,
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
    /// What the report says, for queries and rules.
    pub facts: Facts,
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
    /// What it can be joined by with the other half of its evidence, when it is a core or text alone.
    pub join: Option<JoinKey>,
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
    /// Two crashes turned out to be one.
    pub joined: Option<Join>,
}

impl Store {
    /// Stores a report with everything that follows from it, in one transaction: the crash's
    /// columns, its group, the group's counts and state, and the end of the job.
    pub async fn commit_crash(
        &self,
        lease: &Lease,
        crash: &str,
        outcome: &CrashOutcome,
    ) -> Result<Committed, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let committed = in_turn!(self, tx => commit(tx, lease, crash, outcome, now).await?);
        if committed.status == CrashStatus::Queued {
            self.announce_work();
        }
        Ok(committed)
    }
}

async fn commit(
    tx: &mut Tx,
    lease: &Lease,
    crash: &str,
    outcome: &CrashOutcome,
    now: i64,
) -> Result<Committed, StoreError> {
    let analysed = &outcome.analysed.storable();
    let project = projects::of_crash(tx, crash).await?;
    // The same defect of two projects is two groups.
    let signature = outcome.signature.clone().map(|signature| Signature {
        fingerprint: projects::within(&project, &signature.fingerprint),
        ..signature
    });
    let mut again = complete(tx, lease).await?;
    let share = counters::share(tx, crash).await?;
    let mut diagnostics = analysed.diagnostics.clone();
    occurred::found(tx, crash, analysed.occurred_at, &mut diagnostics).await?;
    let before: Option<Before> = first!(
        tx,
        "SELECT group_id, pinned_group_id, signature_version, fingerprint, seen_at, joined_into \
         FROM crashes WHERE id = $1",
        crash
    );
    let Some(before) = before else {
        return Err(StoreError::NotFound { what: "crash", id: crash.to_owned() });
    };

    again |= binary_arrived(tx, outcome).await?;
    let mut status = CrashStatus::Done;
    if outcome.waits_for_binary.is_some() {
        status = CrashStatus::WaitingForBinary;
    }
    if again {
        status = CrashStatus::Queued;
        enqueue(tx, JobKind::Analyse, crash, now, Priority::Fresh).await?;
    }

    note_build(tx, analysed, before.seen_at).await?;
    facts::renew(tx, crash, outcome.facts.clone()).await?;
    let rules = rules::enabled(tx).await?;
    let (claims, conflict) = rules::claims_of(tx, &rules, crash).await?;
    diagnostics.extend(conflict.map(|text| Diagnostic::warning(Stage::Service, text)));
    let place = match &signature {
        // What was joined into another crash is counted there.
        Some(signature) if before.joined_into.is_none() => {
            Some(place::place(tx, &before, (&project, signature), &analysed.class, &claims, now).await?)
        }
        _ => None,
    };
    let mute_rule = match &place {
        Some(place) => claims.mute(tx, &place.group).await?,
        None => claims.mutes.first(),
    };
    let signature = signature.as_ref().map(Crash::signature_columns);
    let revision: Option<(i64,)> = first!(
        tx,
        "UPDATE crashes SET status = $2, group_id = $3, class = $4, title = $5, confidence = $6, \
         go_version = $7, module = $8, module_version = COALESCE($9, reported_version), hostname = COALESCE(hostname, $10), \
         executable = $11, gnu_build_id = $12, go_build_id = $13, diagnostics = $14, analysed_at = $15, \
         started_at = NULL, failure = NULL, missing_binary = $16, signature_version = $17, \
         fingerprint = $18, family = $19, text_sha256 = $20, missing_debug = $21, \
         home_group_id = $22, rule_id = $23, mute_rule_id = $24, vcs_revision = $25, build = $26, \
         pid = COALESCE(pid, $27), report_revision = report_revision + 1 WHERE id = $1 \
         RETURNING report_revision",
        crash,
        status.as_str(),
        place.as_ref().map(|place| &place.group),
        &analysed.class,
        &analysed.title,
        &analysed.confidence,
        &analysed.go_version,
        &analysed.module,
        &analysed.module_version,
        &analysed.hostname,
        &analysed.executable,
        &analysed.build_ids.gnu,
        &analysed.build_ids.go,
        serde_json::to_string(&diagnostics)?,
        now,
        outcome.waits_for_binary.is_some(),
        signature.map(|(version, _, _)| version),
        signature.map(|(_, fingerprint, _)| fingerprint),
        signature.map(|(_, _, family)| family),
        &analysed.build_ids.text_sha256,
        outcome.wants_debug.is_some(),
        place.as_ref().map(|place| &place.home),
        place.as_ref().and_then(|place| place.rule.as_ref()),
        mute_rule.map(|(rule, _)| rule),
        &analysed.vcs_revision,
        analysed.build(),
        analysed.pid,
    );
    let revision = revision.map_or(0, |row| row.0);
    store_parts(tx, crash, revision, outcome, now).await?;

    let share_after = counters::share(tx, crash).await?;
    counters::change(tx, share.as_ref(), share_after.as_ref()).await?;
    if let Some(place) = &place
        && before.group_id.as_ref() != Some(&place.group)
    {
        let version = signature.map(|(version, _, _)| version);
        let by_version = version.filter(|_| before.signature_version.is_some_and(|old| Some(old) != version));
        if by_version.is_none() {
            react(tx, &place.group, crash, place.new_group, mute_rule, now).await?;
        }
        // What a rule takes away comes back when the rule goes.
        if let Some(old) = before.group_id.as_ref().filter(|_| place.rule.is_none()) {
            place::left(tx, old, &place.group, by_version, now).await?;
        }
    }
    let key = outcome.join.as_ref().filter(|_| status == CrashStatus::Done && before.joined_into.is_none());
    // What the evidence tells of its time and host counts from now on.
    incidents::link_crash(tx, crash, now).await?;
    let joined = join::join(tx, crash, key, now).await?;
    if joined.is_some() {
        status = CrashStatus::Queued;
    }
    let new_group = place.as_ref().is_some_and(|place| place.new_group);
    Ok(Committed { status, group: place.map(|place| place.group), new_group, joined })
}

/// Whether an executable or debug file has arrived while the analysis ran, when nothing waited for it yet.
async fn binary_arrived(tx: &mut Tx, outcome: &CrashOutcome) -> Result<bool, StoreError> {
    let ids = &outcome.analysed.build_ids;
    let mut again = false;
    if let Some(tried) = &outcome.waits_for_binary {
        let arrived: Vec<(String,)> = all!(
            tx,
            "SELECT id FROM binaries WHERE gnu_build_id = $1 OR go_build_id = $2",
            &ids.gnu,
            &ids.go
        );
        again |= arrived.iter().any(|(id,)| !tried.contains(id));
    }
    if let Some(tried) = &outcome.wants_debug {
        let arrived: Vec<(String,)> = all!(
            tx,
            "SELECT id FROM binaries WHERE dwarf = 'full' \
             AND (gnu_build_id = $1 OR go_build_id = $2 OR text_sha256 = $3)",
            &ids.gnu,
            &ids.go,
            &ids.text_sha256
        );
        again |= arrived.iter().any(|(id,)| !tried.contains(id));
    }
    Ok(again)
}

async fn store_parts(
    tx: &mut Tx,
    crash: &str,
    revision: i64,
    outcome: &CrashOutcome,
    now: i64,
) -> Result<(), StoreError> {
    for binary in &outcome.matched {
        exec!(
            tx,
            "INSERT INTO crash_evidence (crash_id, blob_id, kind, origin, added_at) \
             VALUES ($1, $2, 'binary', 'matched', $3) ON CONFLICT (crash_id, blob_id, kind) DO NOTHING",
            crash,
            binary,
            now
        );
    }
    // The report before this one may be in the middle of being read.
    exec!(tx, "DELETE FROM report_parts WHERE crash_id = $1 AND revision < $2", crash, revision - 1);
    for part in &outcome.parts {
        exec!(
            tx,
            "INSERT INTO report_parts (crash_id, revision, part, seq, body) VALUES ($1, $2, $3, $4, $5)",
            crash,
            revision,
            part.name(),
            i64::from(part.seq),
            &part.body
        );
    }
    Ok(())
}

impl Analysed {
    /// What comes out of a process' memory may have any character.
    fn storable(&self) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(storable);
        Self {
            class: storable(&self.class),
            title: storable(&self.title),
            confidence: storable(&self.confidence),
            go_version: text(&self.go_version),
            module: text(&self.module),
            module_version: text(&self.module_version),
            vcs_revision: text(&self.vcs_revision),
            pid: self.pid,
            hostname: text(&self.hostname),
            occurred_at: self.occurred_at,
            executable: text(&self.executable),
            build_ids: BuildIds {
                gnu: text(&self.build_ids.gnu),
                go: text(&self.build_ids.go),
                text_sha256: text(&self.build_ids.text_sha256),
            },
            diagnostics: self.diagnostics.clone(),
        }
    }

    /// What tells its build from others.
    pub(crate) fn build(&self) -> Option<&str> {
        let ids = &self.build_ids;
        ids.gnu.as_deref().or(ids.go.as_deref()).or(ids.text_sha256.as_deref())
    }
}

/// Notes when a build was seen first.
async fn note_build(tx: &mut Tx, analysed: &Analysed, seen_at: i64) -> Result<(), StoreError> {
    let Some(build) = analysed.build() else { return Ok(()) };
    note_build_of(
        tx,
        build,
        [&analysed.module, &analysed.module_version, &analysed.vcs_revision].map(Option::as_deref),
        seen_at,
    )
    .await
}

/// Notes that a build of this module, version and revision was there at `seen_at`.
pub(crate) async fn note_build_of(
    tx: &mut Tx,
    build: &str,
    [module, version, revision]: [Option<&str>; 3],
    seen_at: i64,
) -> Result<(), StoreError> {
    exec!(
        tx,
        "INSERT INTO builds (id, module, module_version, vcs_revision, first_seen) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO UPDATE SET module = COALESCE(builds.module, $2), \
         module_version = COALESCE(builds.module_version, $3), \
         vcs_revision = COALESCE(builds.vcs_revision, $4), \
         first_seen = CASE WHEN builds.first_seen > $5 THEN $5 ELSE builds.first_seen END",
        build,
        module,
        version,
        revision,
        seen_at
    );
    Ok(())
}
