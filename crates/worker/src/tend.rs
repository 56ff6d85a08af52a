use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use panicle_blobs::{BlobError, Digest, LocalFile, Reference};
use panicle_sandbox::{Answer, Input, Limits, Role, Stopped, Task, Unpacked};
use panicle_store::{Evidence, EvidenceKind, Job, Lease, Progress, Step};
use tempfile::TempDir;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{Inner, JobError, away::SOURCE_AWAY, pulse::Beat};

/// How often a worker says how far it is, and hears that its work was called off.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often work that cannot be interrupted is asked whether it is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A job under way: its lease is extended until this is dropped, and its child is called off when
/// the lease is lost or the worker is to stop.
pub(crate) struct Tended {
    inner: Arc<Inner>,
    called_off: Arc<AtomicBool>,
    /// Of a job with a lease.
    heartbeat: Option<JoinHandle<()>>,
    limits: Limits,
    at: Arc<Mutex<Progress>>,
}

impl Tended {
    pub(crate) fn start(
        inner: &Arc<Inner>,
        job: &Job,
        beat: &Arc<Beat>,
        shutdown: &CancellationToken,
    ) -> Self {
        let called_off = Arc::new(AtomicBool::new(false));
        let at = Arc::new(Mutex::new(progress(Step::Fetching, None)));
        let heartbeat = Heartbeat {
            inner: Arc::clone(inner),
            lease: job.lease.clone(),
            called_off: Arc::clone(&called_off),
            at: Arc::clone(&at),
            beat: Arc::clone(beat),
        };
        let heartbeat = Some(tokio::spawn(heartbeat.keep(shutdown.clone())));
        let limits = inner.settings.limits.clone();
        Self { inner: Arc::clone(inner), called_off, heartbeat, limits, at }
    }

    /// Work without a lease, within `limits`, that is called off when this is dropped.
    pub(crate) fn without_lease(inner: &Arc<Inner>, limits: Limits) -> Self {
        let at = Arc::new(Mutex::new(progress(Step::Fetching, None)));
        Self { inner: Arc::clone(inner), called_off: Arc::default(), heartbeat: None, limits, at }
    }

    /// Says what is being done from now on.
    pub(crate) fn begin(&self, step: Step) {
        set(&self.at, progress(step, None));
    }

    /// Tells when the lease is lost or the worker is to stop.
    pub(crate) fn called_off(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.called_off)
    }

    /// Lays evidence out as files.
    pub(crate) async fn lay_out(&self, evidence: Vec<Evidence>) -> Result<Inputs, JobError> {
        let inner = Arc::clone(&self.inner);
        let at = Arc::clone(&self.at);
        let total = evidence.iter().map(|evidence| evidence.size_bytes).sum();
        set(&at, progress(Step::Fetching, Some((0, total))));
        let work = move || {
            let mut inputs = Inputs::default();
            let mut before = 0;
            for evidence in evidence {
                let digest: Digest = evidence.id.parse().map_err(|_| JobError::Input {
                    input: evidence.id.clone(),
                    reason: "is no name of stored evidence".to_owned(),
                })?;
                let file = lay_out_one(&inner, &digest, |done| count(&at, before + done))?;
                before += evidence.size_bytes;
                inputs.list.push(Input {
                    role: role(evidence.kind),
                    name: evidence.name,
                    path: file.path().to_owned(),
                    sha256: Some(evidence.id),
                });
                inputs.files.push(file);
            }
            Ok(inputs)
        };
        let mut working = tokio::task::spawn_blocking(work);
        // A store may take its time, and longer than whoever stops this worker wants to wait.
        loop {
            match timeout(LOOK_EVERY, &mut working).await {
                Ok(done) => return done.unwrap_or_else(|error| Err(defect(&error))),
                Err(_) if self.called_off.load(Ordering::Relaxed) => return Err(Stopped::Cancelled.into()),
                Err(_) => {}
            }
        }
    }

    /// The same of files that the work can go on without, `most` of them at most. What stayed in a bucket of others and
    /// cannot be had is left out.
    pub(crate) async fn lay_out_those_there(
        &self,
        evidence: Vec<Evidence>,
        most: usize,
    ) -> Result<(Inputs, Vec<LeftOut>), JobError> {
        let (mut inputs, mut left_out) = (Inputs::default(), Vec::new());
        for evidence in evidence {
            if inputs.list.len() == most || left_out.len() == most {
                break;
            }
            let error = match self.lay_out(vec![evidence.clone()]).await {
                Ok(input) => {
                    inputs.extend(input);
                    continue;
                }
                Err(JobError::Elsewhere(error) | JobError::Blob(error @ BlobError::NotTheSame { .. })) => {
                    error
                }
                Err(error) => return Err(error),
            };
            match self.place_of(&evidence.id).await? {
                Some(place) => left_out.push(LeftOut { evidence, place, problem: error.to_string() }),
                // It has come in this moment.
                None => inputs.extend(self.lay_out(vec![evidence]).await?),
            }
        }
        Ok((inputs, left_out))
    }

    /// Where the bytes of a blob are, if they are not stored here.
    pub(crate) async fn place_of(&self, id: &str) -> Result<Option<Reference>, JobError> {
        let Ok(digest) = id.parse::<Digest>() else { return Ok(None) };
        let blobs = self.inner.cache.blobs().clone();
        let found = tokio::task::spawn_blocking(move || blobs.reference(&digest)).await;
        Ok(found.map_err(|error| defect(&error))??)
    }

    /// Has a child take the one input apart, which is compressed or an archive. The files go with the
    /// answer.
    pub(crate) async fn unpack(&self, packed: &Inputs) -> Result<(Inputs, Vec<String>), JobError> {
        self.begin(Step::Unpacking);
        let scratch = Arc::new(self.inner.cache.scratch()?);
        let keep = |found: &mut Option<Result<Unpacked, JobError>>, answer| {
            *found = Some(match answer {
                Answer::Unpacked(unpacked) => Ok(unpacked),
                Answer::Failed { input, reason } => Err(JobError::Input { input, reason }),
                _ => return Err("not what was in it".to_owned()),
            });
            Ok(())
        };
        let job = self.job(Task::Unpack, packed, Some(scratch.path().to_owned()));
        let found = self.run(job, None, keep).await?;
        let found = found.ok_or_else(|| Stopped::Output("nothing about what was in it".to_owned()))??;
        let mut inputs = Inputs { scratch: Some(Arc::clone(&scratch)), ..Inputs::default() };
        for mut part in found.parts {
            // A plain name: what reads foreign bytes does not choose which files are opened.
            let name =
                part.path.file_name().ok_or_else(|| Stopped::Output("a part without a name".to_owned()))?;
            part.path = scratch.path().join(name);
            inputs.list.push(part);
        }
        Ok((inputs, found.notes))
    }

    fn job(&self, task: Task, inputs: &Inputs, scratch: Option<PathBuf>) -> panicle_sandbox::Job {
        panicle_sandbox::Job { task, inputs: inputs.list.clone(), limits: self.limits.clone(), scratch }
    }

    /// Runs a child to its end, and hands its answers to `on_answer` on a thread of their own.
    pub(crate) async fn child<T: Send + 'static>(
        &self,
        task: Task,
        inputs: &Inputs,
        state: T,
        on_answer: fn(&mut T, Answer) -> Result<(), String>,
    ) -> Result<T, JobError> {
        self.run(self.job(task, inputs, None), state, on_answer).await
    }

    async fn run<T: Send + 'static>(
        &self,
        job: panicle_sandbox::Job,
        mut state: T,
        on_answer: fn(&mut T, Answer) -> Result<(), String>,
    ) -> Result<T, JobError> {
        let (sandbox, called_off) = (self.inner.sandbox.clone(), Arc::clone(&self.called_off));
        let (send, receive) = oneshot::channel();
        // Not a pooled thread: the child dies with the thread that started it.
        std::thread::Builder::new()
            .name("child".to_owned())
            .spawn(move || {
                let outcome = sandbox.run(&job, &called_off, |answer| on_answer(&mut state, answer));
                let _ = send.send(outcome.map(|()| state));
            })
            .map_err(Stopped::Start)?;
        let outcome = receive.await.map_err(|error| defect(&error))?;
        Ok(outcome?)
    }
}

fn progress(step: Step, bytes: Option<(u64, u64)>) -> Progress {
    Progress { step, since: Timestamp::now(), bytes }
}

fn set(at: &Mutex<Progress>, progress: Progress) {
    *at.lock().unwrap_or_else(PoisonError::into_inner) = progress;
}

fn count(at: &Mutex<Progress>, done: u64) {
    if let Some((counted, _)) = &mut at.lock().unwrap_or_else(PoisonError::into_inner).bytes {
        *counted = done;
    }
}

/// Lays a blob out, unless it stayed in a bucket whose store did not answer lately.
fn lay_out_one(inner: &Inner, digest: &Digest, on_bytes: impl FnMut(u64)) -> Result<LocalFile, JobError> {
    let (cache, sources) = (&inner.cache, &inner.sources_away);
    let place = if sources.any() && !cache.holds(digest) { cache.blobs().reference(digest)? } else { None };
    if let Some(place) = &place
        && !sources.may_ask(&place.source, SOURCE_AWAY)
    {
        return Err(JobError::Elsewhere(BlobError::Unavailable {
            what: "reading evidence that stayed in its bucket".to_owned(),
            reason: format!("the store of the source {} did not answer lately", place.source),
        }));
    }
    let error = match cache.materialise(digest, on_bytes) {
        Err(error @ (BlobError::Unavailable { .. } | BlobError::Refused { .. })) => error,
        done => {
            if let Some(place) = place {
                sources.answers(&place.source);
            }
            return Ok(done?);
        }
    };
    // Ours, or that of others?
    let place = match place {
        Some(place) => Some(place),
        None => cache.blobs().reference(digest)?,
    };
    let Some(place) = place else { return Err(error.into()) };
    if matches!(error, BlobError::Unavailable { .. }) {
        sources.note(&place.source, SOURCE_AWAY);
    } else {
        sources.answers(&place.source);
    }
    Err(JobError::Elsewhere(error))
}

/// A file that work went on without, because it could not be had where it stayed.
pub(crate) struct LeftOut {
    pub(crate) evidence: Evidence,
    pub(crate) place: Reference,
    pub(crate) problem: String,
}

/// Keeps a job while it is worked on.
struct Heartbeat {
    inner: Arc<Inner>,
    lease: Lease,
    called_off: Arc<AtomicBool>,
    at: Arc<Mutex<Progress>>,
    beat: Arc<Beat>,
}

impl Heartbeat {
    /// Extends the lease and says how far the work is, until it is lost or taken away.
    async fn keep(self, shutdown: CancellationToken) {
        let (store, lease) = (&self.inner.store, &self.lease);
        let mut extended = Instant::now();
        let mut said = None;
        loop {
            self.beat.give();
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = sleep(ASK_EVERY.min(self.inner.settings.lease / 4)) => {}
            }
            let at = self.at.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let held = if extended.elapsed() >= self.inner.settings.lease / 4 {
                extended = Instant::now();
                store.heartbeat(lease, Timestamp::now() + self.inner.settings.lease).await
            } else if said.as_ref() == Some(&at) {
                store.holds(lease).await
            } else {
                let noted = store.note_progress(lease, &at).await;
                said = Some(at);
                noted
            };
            match held {
                Ok(true) => {}
                Ok(false) => break,
                // The lease outlives a few of these.
                Err(error) => tracing::warn!(%error, "a lease could not be extended"),
            }
        }
        self.called_off.store(true, Ordering::Relaxed);
    }
}

impl Drop for Tended {
    fn drop(&mut self) {
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.abort();
        }
        // Nobody waits any more for a child that is still at work.
        self.called_off.store(true, Ordering::Relaxed);
    }
}

/// Evidence as files, which stay as long as this.
#[derive(Default)]
pub(crate) struct Inputs {
    pub(crate) list: Vec<Input>,
    files: Vec<LocalFile>,
    /// Where those are that were unpacked.
    scratch: Option<Arc<TempDir>>,
}

impl Inputs {
    pub(crate) fn extend(&mut self, other: Self) {
        self.list.extend(other.list);
        self.files.extend(other.files);
        self.scratch = self.scratch.take().or(other.scratch);
    }

    /// The same once more, of those that were unpacked: their files stay as long as either.
    pub(crate) fn of_unpacked(&self) -> Self {
        Self { list: self.list.clone(), files: Vec::new(), scratch: self.scratch.clone() }
    }

    /// The core among them, alone; its file stays as long as these.
    pub(crate) fn core(&self) -> Option<Self> {
        let core = self.list.iter().find(|input| input.role == Role::Core)?;
        Some(Self { list: vec![core.clone()], files: Vec::new(), scratch: self.scratch.clone() })
    }
}

/// A panic of ours on another thread: counts as an attempt, so that it cannot repeat for ever.
fn defect(error: &dyn std::error::Error) -> JobError {
    JobError::Stopped(Stopped::Output(format!("a defect in the worker: {error}")))
}

fn role(kind: EvidenceKind) -> Role {
    match kind {
        EvidenceKind::Core => Role::Core,
        EvidenceKind::Binary => Role::Binary,
        EvidenceKind::Text => Role::Text,
        EvidenceKind::Trace => Role::Trace,
        EvidenceKind::Profile => Role::Profile,
        EvidenceKind::Race => Role::Race,
    }
}
