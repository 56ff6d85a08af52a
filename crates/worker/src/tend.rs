use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use panicle_blobs::{Digest, LocalFile};
use panicle_sandbox::{Answer, Input, Limits, Role, Stopped, Task, Unpacked};
use panicle_store::{Evidence, EvidenceKind, Job, Lease, Progress, Step};
use tempfile::TempDir;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{Inner, JobError, pulse::Beat};

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
        let cache = self.inner.cache.clone();
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
                let file = cache.materialise(&digest, |done| count(&at, before + done))?;
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
