//! Questions about the memory of crashes, answered by children while somebody waits.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use panicle_blobs::{BlobError, LocalCache};
use panicle_report::{Query, QueryError};
use panicle_sandbox::{Answer, CoreIdentity, Identity, Limits, Role, Sandbox, Stopped, Task};
use panicle_store::{Evidence, EvidenceKind, Store, StoreError};
use serde_json::value::RawValue;
use thiserror::Error;
use tokio::sync::{OnceCell, Semaphore};

use crate::{
    Inner, JobError, Settings, Worker,
    analyse::MAX_BINARIES,
    identify::identity,
    tend::{Inputs, Tended},
};

/// Bytes of an answer; the child cuts values at half of it.
const MOST_BYTES: u64 = 8 << 20;
/// Memory of a child that answers one. A report reads everything, and an answer a part.
const MEMORY_BYTES: u64 = 1 << 30;
/// Processor time of an answer.
const CPU_SECONDS: u64 = 20;
/// Time that an answer may take, once its evidence is there.
const PATIENCE: Duration = Duration::from_secs(30);

/// Packed cores that stay unpacked for the next question.
const MOST_UNPACKED: usize = 2;
/// How long they do after the last one.
const UNPACKED_FOR: Duration = Duration::from_mins(5);

/// Answers questions about crashes whose evidence is stored. Costs nothing while nobody asks, but for the disk that
/// the cores take that were unpacked for the last questions.
#[derive(Clone)]
pub struct Questions {
    worker: Worker,
    limits: Limits,
    /// Those of taking packed evidence apart, which is work for all questions about it.
    unpacking: Limits,
    unpacked: UnpackedCores,
    places: Arc<Semaphore>,
}

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// There is no core, or no executable that fits it.
    #[error("{0}")]
    NoMemory(String),
    /// The evidence is not kept any more.
    #[error("{0}")]
    Gone(String),
    /// The question is wrong.
    #[error("{0:?}")]
    Query(QueryError),
    /// It would take more than it may.
    #[error("{0}")]
    TooMuch(String),
    /// As many questions as there may be are being answered.
    #[error("too many questions at once")]
    Busy,
    /// There is no such crash, or the store cannot be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something went wrong here.
    #[error("{0}")]
    Failed(String),
}

impl From<JobError> for AskError {
    fn from(error: JobError) -> Self {
        let text = error.to_string();
        match error {
            JobError::Store(error) => Self::Store(error),
            JobError::Blob(BlobError::NotFound(_)) => {
                Self::Gone("the evidence of this crash is not kept any more".to_owned())
            }
            JobError::Blob(BlobError::NotTheSame { .. }) => Self::Gone(text),
            JobError::Input { .. } => Self::NoMemory(text),
            JobError::Stopped(
                Stopped::Memory { .. } | Stopped::Cpu { .. } | Stopped::Time { .. } | Stopped::Output(_),
            ) => Self::TooMuch(text),
            _ => Self::Failed(text),
        }
    }
}

impl Questions {
    /// Answers with children of `sandbox`, `at_once` at the same time, each within a part of `limits`, which are those
    /// of an analysis.
    pub fn new(store: Store, cache: LocalCache, sandbox: Sandbox, at_once: usize, limits: &Limits) -> Self {
        let unpacking = limits.clone();
        let limits = Limits {
            memory_bytes: MEMORY_BYTES.min(limits.memory_bytes),
            cpu_seconds: CPU_SECONDS.min(limits.cpu_seconds),
            wall: PATIENCE.min(limits.wall),
            ..limits.clone()
        };
        let worker = Worker::new(
            store,
            cache,
            sandbox,
            Settings { limits: limits.clone(), ..Settings::new("questions") },
        );
        let unpacked = UnpackedCores::default();
        Self { worker, limits, unpacking, unpacked, places: Arc::new(Semaphore::new(at_once.max(1))) }
    }

    /// The JSON of the answer. Dropping the future stops the child.
    pub async fn ask(&self, crash: &str, query: Query) -> Result<Box<RawValue>, AskError> {
        let _place = self.places.try_acquire().map_err(|_| AskError::Busy)?;
        let inner: &Arc<Inner> = &self.worker.inner;
        let tended = Tended::without_lease(inner, self.limits.clone());
        let inputs = self.memory_of(crash, &tended).await?;
        let tended = Tended::without_lease(inner, Limits { output_bytes: MOST_BYTES, ..self.limits.clone() });
        let keep = |found: &mut Option<Answer>, answer| {
            *found = Some(answer);
            Ok(())
        };
        match tended.child(Task::Query(Box::new(query)), &inputs, None, keep).await? {
            Some(Answer::Answer(json)) => Ok(json.0),
            Some(Answer::Refused(error)) => Err(AskError::Query(error)),
            Some(Answer::Failed { input, reason }) => Err(AskError::NoMemory(format!("{input}: {reason}"))),
            _ => Err(AskError::Failed("the child gave no answer".to_owned())),
        }
    }
}

/// Cores that were packed, unpacked for the last questions.
#[derive(Clone, Default)]
struct UnpackedCores(Arc<Mutex<Vec<UnpackedCore>>>);

struct UnpackedCore {
    /// The evidence that it was in.
    id: String,
    /// What was in it, once that is known. The files go with the last who has them.
    inputs: Arc<OnceCell<Inputs>>,
    used: Instant,
}

impl UnpackedCores {
    fn with<R>(&self, work: impl FnOnce(&mut Vec<UnpackedCore>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was in the evidence `id`, if that is known.
    fn get(&self, id: &str) -> Option<Inputs> {
        let inputs = self.with(|kept| {
            let one = kept.iter_mut().find(|one| one.id == id && one.inputs.initialized())?;
            one.used = Instant::now();
            Some(Arc::clone(&one.inputs))
        });
        inputs?.get().map(Inputs::of_unpacked)
    }

    /// The place for what is in the evidence `id`, shared by all who ask for it now.
    fn place(&self, id: &str) -> Arc<OnceCell<Inputs>> {
        // Whoever is being answered keeps the files that they need.
        let kept = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            // A use in between keeps it longer.
            loop {
                tokio::time::sleep(UNPACKED_FOR).await;
                let Some(kept) = kept.upgrade().map(UnpackedCores) else { break };
                let is_empty = kept.with(|kept| {
                    kept.retain(|one| one.used.elapsed() < UNPACKED_FOR);
                    kept.is_empty()
                });
                if is_empty {
                    break;
                }
            }
        });
        self.with(|kept| {
            if let Some(one) = kept.iter_mut().find(|one| one.id == id) {
                one.used = Instant::now();
                return Arc::clone(&one.inputs);
            }
            if kept.len() >= MOST_UNPACKED {
                let oldest = (0..kept.len()).min_by_key(|&at| kept.get(at).map(|one| one.used));
                kept.swap_remove(oldest.unwrap_or(0));
            }
            let inputs = Arc::default();
            kept.push(UnpackedCore { id: id.to_owned(), inputs: Arc::clone(&inputs), used: Instant::now() });
            inputs
        })
    }
}

impl Questions {
    /// The core that is in `evidence`, with executables that are in there with it.
    async fn core_of(&self, evidence: Evidence, tended: &Tended) -> Result<Inputs, AskError> {
        if let Some(known) = self.unpacked.get(&evidence.id) {
            return Ok(known);
        }
        let id = evidence.id.clone();
        let inputs = tended.lay_out(vec![evidence]).await?;
        if identity(tended, &inputs).await? != Identity::Packed {
            return Ok(inputs);
        }
        let unpack = async || -> Result<Inputs, AskError> {
            let tended = Tended::without_lease(&self.worker.inner, self.unpacking.clone());
            let (mut inputs, _) = tended.unpack(&inputs).await?;
            inputs.list.retain(|input| matches!(input.role, Role::Core | Role::Binary));
            if inputs.core().is_none() {
                let text = "there is no core in this crash's evidence, so there is no memory to ask";
                return Err(AskError::NoMemory(text.to_owned()));
            }
            Ok(inputs)
        };
        self.unpacked.place(&id).get_or_try_init(unpack).await.map(Inputs::of_unpacked)
    }

    /// The core of a crash, and the executables that its report may have been made with.
    async fn memory_of(&self, crash: &str, tended: &Tended) -> Result<Inputs, AskError> {
        let store = &self.worker.inner.store;
        let crash = store.crash(crash).await?;
        let (binaries, others): (Vec<_>, Vec<_>) = store
            .crash_evidence(&crash.id)
            .await?
            .into_iter()
            .partition(|evidence| evidence.kind == EvidenceKind::Binary);
        let Some(core) = others.into_iter().find(|evidence| evidence.kind == EvidenceKind::Core) else {
            return Err(AskError::NoMemory(
                "this crash has no core, so there is no memory to ask".to_owned(),
            ));
        };
        let mut inputs = self.core_of(core, tended).await?;
        // What the analysis read of the core was stored with the crash.
        let core = CoreIdentity {
            executable: crash.executable.clone(),
            build_ids: crash.build_ids.clone(),
            ..CoreIdentity::default()
        };
        let candidates = self.worker.candidates(binaries, Some(&core)).await?;
        inputs.extend(tended.lay_out_those_there(candidates, MAX_BINARIES).await?.0);
        Ok(inputs)
    }
}
