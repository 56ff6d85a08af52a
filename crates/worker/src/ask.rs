//! Questions about the memory of crashes, answered by children while somebody waits.

use std::{sync::Arc, time::Duration};

use panicle_blobs::{BlobError, LocalCache};
use panicle_report::{Query, QueryError};
use panicle_sandbox::{Answer, CoreIdentity, Identity, Limits, Role, Sandbox, Stopped, Task};
use panicle_store::{EvidenceKind, Store, StoreError};
use serde_json::value::RawValue;
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::{
    Inner, JobError, Settings, Worker,
    analyse::MAX_BINARIES,
    identify::identity,
    tend::{Inputs, Tended},
};

/// Bytes of an answer.
const MOST_BYTES: u64 = 8 << 20;
/// Processor time of an answer.
const CPU_SECONDS: u64 = 20;
/// Time that an answer may take, once its evidence is there.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers questions about crashes whose evidence is stored. Costs nothing while nobody asks.
#[derive(Clone)]
pub struct Questions {
    worker: Worker,
    limits: Limits,
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
            JobError::Input { .. } => Self::NoMemory(text),
            JobError::Stopped(
                Stopped::Memory { .. } | Stopped::Cpu { .. } | Stopped::Time { .. } | Stopped::Output(_),
            ) => Self::TooMuch(text),
            _ => Self::Failed(text),
        }
    }
}

impl Questions {
    /// Answers with children of `sandbox`, `at_once` at the same time, each with `memory_bytes` at most.
    pub fn new(store: Store, cache: LocalCache, sandbox: Sandbox, at_once: usize, limits: &Limits) -> Self {
        let limits = Limits {
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
        Self { worker, limits, places: Arc::new(Semaphore::new(at_once.max(1))) }
    }

    /// The JSON of the answer. Dropping the future stops the child.
    pub async fn ask(&self, crash: &str, query: Query) -> Result<Box<RawValue>, AskError> {
        let _place = self.places.try_acquire().map_err(|_| AskError::Busy)?;
        let inner: &Arc<Inner> = &self.worker.inner;
        let tended = Tended::without_lease(inner, self.limits.clone());
        let inputs = self.worker.memory_of(crash, &tended).await?;
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

impl Worker {
    /// The core of a crash, and the executables that its report may have been made with.
    async fn memory_of(&self, crash: &str, tended: &Tended) -> Result<Inputs, AskError> {
        let store = &self.inner.store;
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
        let mut inputs = tended.lay_out(vec![core]).await?;
        if identity(tended, &inputs).await? == Identity::Packed {
            (inputs, _) = tended.unpack(&inputs).await?;
            inputs.list.retain(|input| matches!(input.role, Role::Core | Role::Binary));
            if inputs.core().is_none() {
                let text = "there is no core in this crash's evidence, so there is no memory to ask";
                return Err(AskError::NoMemory(text.to_owned()));
            }
        }
        // What the analysis read of the core was stored with the crash.
        let core = CoreIdentity {
            executable: crash.executable.clone(),
            build_ids: crash.build_ids.clone(),
            ..CoreIdentity::default()
        };
        let candidates = self.candidates(binaries, Some(&core)).await?;
        inputs.extend(tended.lay_out(candidates.into_iter().take(MAX_BINARIES).collect()).await?);
        Ok(inputs)
    }
}
