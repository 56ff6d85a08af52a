use std::collections::{BTreeSet, HashSet};

use panicle_query::Facts;
use panicle_report::{BinaryMatch, BuildIds, Diagnostic, DwarfPresence, Report, Stage, VerdictClass};
use panicle_sandbox::{CoreIdentity, Identity, Role, Stopped, Task};
use panicle_store::{
    Analysed, Artifact, CrashOutcome, CrashStatus, Evidence, EvidenceKind, Job, JobKind, JoinSide, Part, Step,
};

use crate::{
    JobError, Worker,
    identify::identity,
    join::joined,
    nul::without_nul,
    parts::{Pieces, part},
    tend::{Inputs, LeftOut, Tended},
};

/// Executables and debug files that are handed to a child at most; more of the same build add nothing.
pub(crate) const MAX_BINARIES: usize = 8;
/// Shared libraries that are looked for; a process has a few dozen.
const MAX_LIBRARIES: usize = 64;

impl Worker {
    /// Makes a crash's report and stores it with what follows from it.
    pub(crate) async fn analyse(&self, job: &Job, tended: &Tended) -> Result<(), JobError> {
        let store = &self.inner.store;
        let crash = store.crash(&job.subject).await?;
        let mut evidence = store.crash_evidence(&crash.id).await?;
        evidence.retain(|evidence| evidence.deleted.is_none());
        let (binaries, others): (Vec<_>, Vec<_>) =
            evidence.into_iter().partition(|evidence| evidence.kind == EvidenceKind::Binary);

        let mut inputs = Inputs::default();
        let (mut core, mut notes) = (None, Vec::new());
        for evidence in others {
            let is_core = evidence.kind == EvidenceKind::Core;
            let name = evidence.name.clone().unwrap_or_else(|| evidence.id.clone());
            let mut input = tended.lay_out(vec![evidence]).await?;
            if is_core {
                let mut found = identity(tended, &input).await?;
                if found == Identity::Packed {
                    (input, notes) = unpack(tended, &input, &name).await?;
                    // What was packed alone can be what somebody printed.
                    if let Some(core) = input.core() {
                        found = identity(tended, &core).await?;
                    }
                }
                core = match found {
                    Identity::Core(core) => Some(core),
                    Identity::Packed => None,
                    Identity::Binary(_) => {
                        return Err(JobError::Input { input: name, reason: "is an executable".to_owned() });
                    }
                    Identity::Other(reason) => return Err(JobError::Input { input: name, reason }),
                };
            }
            inputs.extend(input);
        }

        let candidates = self.candidates(binaries, core.as_ref()).await?;
        // All that are known, tried or not: whatever is not among them has arrived meanwhile.
        let tried: Vec<String> = candidates.iter().map(|evidence| evidence.id.clone()).collect();
        let (found, mut left_out) = tended.lay_out_those_there(candidates, MAX_BINARIES).await?;
        let laid_out = found.list.len();
        inputs.extend(found);
        let libraries = self.libraries(core.as_ref()).await?;
        let (found, without) = tended.lay_out_those_there(libraries, 2 * MAX_LIBRARIES).await?;
        inputs.extend(found);
        left_out.extend(without);
        notes.extend(left_out.iter().map(left_out_note));

        tended.begin(Step::Reading);
        let mut pieces = tended.child(Task::Analyse, &inputs, Pieces::default(), Pieces::take).await?;
        if let Some((input, reason)) = pieces.failed {
            return Err(JobError::Input { input, reason });
        }
        let stacks = std::mem::take(&mut pieces.stacks);
        tended.begin(Step::Storing);
        let (head, mut parts) = pieces.whole().map_err(Stopped::Output)?;
        let mut head = without_nul(head).map_err(Stopped::Output)?;

        notes.extend(store.joins(&crash.id).await?.iter().map(joined));
        head.diagnostics.splice(0..0, notes);
        let waits = core.as_ref().is_some_and(|core| lacks_binary(core, &head));
        if waits {
            head.diagnostics.insert(0, missing_binary(core.as_ref(), &head, laid_out));
        }
        let wants_debug = lacks_debug(&head);
        if wants_debug {
            head.diagnostics.push(missing_debug());
        }
        let texts = inputs
            .list
            .iter()
            .any(|input| !matches!(input.role, Role::Core | Role::Binary | Role::Collected));
        if job.kind == JobKind::Try {
            let groups = groups(&head, core.as_ref(), waits && !texts);
            let signature = groups.then_some(&head.signature);
            return Ok(store.commit_trial(&job.lease, &crash.id, signature).await?);
        }
        let side = match (core.is_some(), texts) {
            (true, false) => Some(JoinSide::Core),
            (false, true) => Some(JoinSide::Text),
            _ => None,
        };
        let groups = groups(&head, core.as_ref(), waits && !texts);
        let lacking = match (waits, wants_debug) {
            (true, _) => Some(Artifact::Executable),
            (false, true) => Some(Artifact::DebugInfo),
            (false, false) => None,
        };
        let outcome = CrashOutcome {
            analysed: columns(&head, core),
            facts: Facts::of_report(&head),
            signature: groups.then(|| head.signature.clone()),
            matched: matched(&head, &tried, &inputs),
            join: side.filter(|_| groups).and_then(|side| stacks.key(side, &head)),
            wants_debug: wants_debug.then(|| tried.clone()),
            waits_for_binary: waits.then_some(tried),
            parts: {
                parts.push(part(Part::Head, 0, &head).map_err(Stopped::Output)?);
                parts
            },
        };
        let committed = store.commit_crash(&job.lease, &crash.id, &outcome).await?;
        if let Some(group) = &committed.group {
            self.expire_cores(group).await;
        }
        if committed.status != CrashStatus::Queued {
            self.look_again(&crash.id, &left_out, tended).await?;
        }
        if let Some(artifact) = lacking {
            self.want_symbols(&outcome.analysed.build_ids, artifact).await;
        }
        tracing::info!(
            crash = crash.id,
            status = committed.status.as_str(),
            group = committed.group,
            new_group = committed.new_group,
            joined = committed.joined.map(|join| join.joined),
            "analysed"
        );
        Ok(())
    }

    /// Has a crash analysed once more when a file has come that was left out. Whatever comes from now on finds it waiting.
    async fn look_again(&self, crash: &str, left_out: &[LeftOut], tended: &Tended) -> Result<(), JobError> {
        for left_out in left_out {
            if tended.place_of(&left_out.evidence.id).await?.as_ref() != Some(&left_out.place) {
                return Ok(self.inner.store.reanalyse(crash).await?);
            }
        }
        Ok(())
    }

    /// Uploaded files that have the build ID of a shared library of the process: the library, its debug
    /// file, or both.
    async fn libraries(&self, core: Option<&CoreIdentity>) -> Result<Vec<Evidence>, JobError> {
        let mut found = Vec::new();
        let ids = core.map_or(&[][..], |core| &core.libraries);
        for id in ids.iter().take(MAX_LIBRARIES) {
            let ids = BuildIds { gnu: Some(id.clone()), ..BuildIds::default() };
            for id in self.inner.store.matching_binaries(&ids).await?.into_iter().take(2) {
                found.push(self.inner.store.evidence(&id).await?);
            }
        }
        Ok(found)
    }

    /// The executables to try: those that have the core's build ID first, then the others that were
    /// named, then those that have the same text as one of them, and debug information.
    pub(crate) async fn candidates(
        &self,
        named: Vec<Evidence>,
        core: Option<&CoreIdentity>,
    ) -> Result<Vec<Evidence>, JobError> {
        let mut candidates = Vec::new();
        if let Some(core) = core {
            for id in self.inner.store.matching_binaries(&core.build_ids).await? {
                candidates.push(self.inner.store.evidence(&id).await?);
            }
        }
        let mut known: HashSet<String> = candidates.iter().map(|evidence| evidence.id.clone()).collect();
        candidates.extend(named.into_iter().filter(|evidence| known.insert(evidence.id.clone())));
        let texts: BTreeSet<String> = candidates
            .iter()
            .filter_map(|evidence| evidence.binary.as_ref()?.facts.build_ids.text_sha256.clone())
            .collect();
        for text in texts {
            for id in self.inner.store.binaries_with_text(&text).await? {
                if known.insert(id.clone()) {
                    candidates.push(self.inner.store.evidence(&id).await?);
                }
            }
        }
        Ok(candidates)
    }
}

/// What is in a packed input, and what the report should say of that.
async fn unpack(tended: &Tended, packed: &Inputs, name: &str) -> Result<(Inputs, Vec<Diagnostic>), JobError> {
    let (inputs, notes) = tended.unpack(packed).await?;
    let carries = |role| matches!(role, Role::Core | Role::Text);
    if !inputs.list.iter().any(|input| carries(input.role)) {
        let reason = "there is neither a core nor a text in it".to_owned();
        return Err(JobError::Input { input: name.to_owned(), reason });
    }
    let from = inputs.list.iter().map(|input| {
        let said = Diagnostic::info(Stage::Service, format!("It was unpacked from {name}."));
        said.about(input.name.clone().unwrap_or_default())
    });
    let notes = notes.into_iter().map(|text| Diagnostic::warning(Stage::Service, text));
    let diagnostics = notes.chain(from).collect();
    Ok((inputs, diagnostics))
}

/// The program was, or may have been, built by Go, and its executable is not among the candidates.
fn lacks_binary(core: &CoreIdentity, report: &Report) -> bool {
    core.go != Some(false)
        && report.binary.as_ref().is_none_or(|binary| binary.matched == BinaryMatch::Mismatch)
}

/// The executable that was used is stripped, and nothing at hand tells what was stripped off.
fn lacks_debug(report: &Report) -> bool {
    report.binary.as_ref().is_some_and(|binary| {
        binary.matched != BinaryMatch::Mismatch
            && binary.dwarf == DwarfPresence::None
            && binary.go_version.is_some()
    })
}

fn left_out_note(left_out: &LeftOut) -> Diagnostic {
    let evidence = &left_out.evidence;
    let name = evidence.name.as_deref().unwrap_or("a file");
    let text = format!("{name} is left out, since it cannot be read where it stayed: {}", left_out.problem);
    // Whoever stores it finds by this who went without it.
    Diagnostic::warning(Stage::Service, text).about(evidence.id.clone())
}

fn missing_debug() -> Diagnostic {
    Diagnostic::info(
        Stage::Service,
        "the executable is stripped; when its debug file, or the same program built without -s -w, is uploaded, \
         the analysis is done again by itself",
    )
}

fn missing_binary(core: Option<&CoreIdentity>, report: &Report, tried: usize) -> Diagnostic {
    let executable = core
        .and_then(|core| core.executable.clone())
        .or_else(|| report.process.executable.clone())
        .unwrap_or_else(|| "the executable".to_owned());
    let why = if tried == 0 {
        format!("{executable} is not here, so that stacks and values could not be read")
    } else {
        format!("none of the {tried} executables at hand is the {executable} that crashed, so none was used")
    };
    let next = match core.map(|core| &core.build_ids) {
        Some(ids) if ids.gnu.is_some() || ids.go.is_some() => {
            "the analysis goes on by itself when an executable with this build ID is uploaded"
        }
        _ => {
            "the core holds no build ID that names one build, so the executable has to be uploaded and \
             named with this crash"
        }
    };
    Diagnostic::warning(Stage::Service, format!("{why}; {next}"))
}

/// Whether the signature says enough to group by.
fn groups(report: &Report, core: Option<&CoreIdentity>, core_alone_without_binary: bool) -> bool {
    let no_go = core.is_some_and(|core| core.go == Some(false));
    // Where no goroutine could be read either, all that such crashes share is that nothing is known.
    let unread = report.verdict.class == VerdictClass::Unknown && report.goroutine_count == 0;
    // A dump of a live process has what its goroutines share, or else nothing.
    let no_crash = report.verdict.class == VerdictClass::NoCrash && report.signature.population.is_empty();
    let nothing_known = no_crash || unread;
    !(core_alone_without_binary || no_go || nothing_known || report.signature.fingerprint.is_empty())
}

/// Executables that were found rather than named, and that the report was made with.
fn matched(report: &Report, tried: &[String], inputs: &Inputs) -> Vec<String> {
    let used = report.binary.as_ref().filter(|binary| binary.matched != BinaryMatch::Mismatch);
    let Some(used) = used else { return Vec::new() };
    let debug = used.debug_file.as_ref();
    inputs
        .list
        .iter()
        .filter(|input| {
            let is_debug = debug.is_some_and(|debug| input.name == debug.path);
            input.role == Role::Binary && (tried.len() == 1 || input.name == used.path || is_debug)
        })
        .filter_map(|input| input.sha256.clone().filter(|digest| tried.contains(digest)))
        .collect()
}

fn columns(report: &Report, core: Option<CoreIdentity>) -> Analysed {
    let binary = report.binary.as_ref().filter(|binary| binary.matched != BinaryMatch::Mismatch);
    let core = core.unwrap_or_default();
    Analysed {
        class: report.verdict.class.as_str().to_owned(),
        title: report.verdict.title.clone(),
        confidence: report.verdict.confidence.as_str().to_owned(),
        go_version: binary.and_then(|binary| binary.go_version.clone()),
        module: binary.and_then(|binary| binary.module.clone()),
        module_version: binary.and_then(|binary| binary.module_version.clone()),
        vcs_revision: binary.and_then(|binary| binary.vcs_revision.clone()),
        pid: report.process.pid.map(i64::from),
        hostname: report.process.hostname.clone(),
        occurred_at: report.process.occurred_at.as_deref().and_then(|at| at.parse().ok()),
        executable: core.executable.or_else(|| report.process.executable.clone()),
        build_ids: BuildIds {
            text_sha256: binary.and_then(|binary| binary.build_ids.text_sha256.clone()),
            ..core.build_ids
        },
        diagnostics: report.diagnostics.clone(),
    }
}
