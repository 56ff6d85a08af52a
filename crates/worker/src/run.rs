use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use panicle_blobs::BlobError;
use panicle_sandbox::Stopped;
use panicle_store::{Job, JobKind, Lane, StoreError, WORKER_SAYS_EVERY};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{JobError, Worker, pulse::Beat, tend::Tended};

/// How often a worker looks for work that it was not told of.
const POLL: Duration = Duration::from_secs(1);
/// How often what happens with time alone is looked after.
const UPKEEP: Duration = Duration::from_secs(30);
/// Other servers that are asked at the same time. They have tasks of their own: one that takes its time keeps
/// nobody from an analysis.
const ASKED_AT_ONCE: usize = 2;
/// Pause after trouble that is not the job's.
const PAUSE: Duration = Duration::from_secs(5);
/// Between two attempts to read evidence that stayed in a bucket of others, at most.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

impl Worker {
    /// Works until `shutdown`. What is under way then is given back, without counting as an attempt.
    pub async fn run(&self, shutdown: CancellationToken) {
        match self.inner.store.recover(&self.inner.settings.name).await {
            Ok(0) => {}
            Ok(freed) => tracing::info!(freed, "taking back work that was under way at the last stop"),
            Err(error) => tracing::error!(%error, "work under way at the last stop waits for its lease"),
        }
        let filling = tokio::spawn(self.clone().fill_facts(shutdown.clone()));
        let upkeep = tokio::spawn(self.clone().keep_up(shutdown.clone()));
        let telling = tokio::spawn(self.clone().tell());
        tokio::join!(
            self.keep_working(Lane::Here, self.inner.settings.tasks.max(1), &shutdown),
            self.keep_working(Lane::Elsewhere, ASKED_AT_ONCE, &shutdown),
        );
        if let Err(error) = upkeep.await {
            tracing::error!(%error, "the upkeep ended");
        }
        filling.abort();
        telling.abort();
        let _ = telling.await;
        if let Err(error) = self.inner.store.forget_worker(&self.inner.settings.name).await {
            tracing::warn!(%error, "this worker counts as alive for a moment longer");
        }
    }

    /// Says that this process works, for as long as it gets on.
    async fn tell(self) {
        let settings = &self.inner.settings;
        loop {
            if let Some(wrong) = self.stuck() {
                tracing::error!(wrong, "this worker does not get on");
            } else if let Err(error) =
                self.inner.store.note_worker(&settings.name, settings.tasks, Timestamp::now()).await
            {
                tracing::warn!(%error, "nobody hears that this worker is alive");
            }
            sleep(WORKER_SAYS_EVERY).await;
        }
    }

    /// Works in a lane, with so many tasks.
    async fn keep_working(&self, lane: Lane, count: usize, shutdown: &CancellationToken) {
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            tasks.spawn(self.clone().work(lane, shutdown.clone()));
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                // A defect of ours must not leave the installation without workers.
                tracing::error!(%error, "a worker task ended; starting another one");
                if !shutdown.is_cancelled() {
                    tasks.spawn(self.clone().work(lane, shutdown.clone()));
                }
            }
        }
    }

    /// Does what happens with time alone.
    async fn keep_up(self, shutdown: CancellationToken) {
        loop {
            match self.inner.store.end_mutes(Timestamp::now()).await {
                Ok(0) => {}
                Ok(ended) => tracing::info!(ended, "groups are not muted any more"),
                Err(error) => tracing::error!(%error, "mutes whose time is up stay for now"),
            }
            if let Err(error) = self.expire_all_cores().await {
                tracing::error!(%error, "cores that are not to be kept are kept for now");
            }
            if let Err(error) = self.free_blobs().await {
                tracing::error!(%error, "the disk of deleted evidence is not free yet");
            }
            if let Err(error) = self.expire_incoming().await {
                tracing::error!(%error, "uploads into the bucket that expired stay for now");
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = sleep(UPKEEP) => {}
            }
        }
    }

    async fn work(self, lane: Lane, shutdown: CancellationToken) {
        let claim = self.inner.settings.claim();
        let beat = Arc::new(self.inner.pulse.begin());
        while !shutdown.is_cancelled() {
            beat.give();
            match self.inner.store.claim_in(lane, &claim, Timestamp::now()).await {
                Ok(Some(job)) => self.attempt(&job, &beat, &shutdown).await,
                Ok(None) => {
                    tokio::select! {
                        () = shutdown.cancelled() => {}
                        // Who hears of work wakes alone: that has to be one who can do it.
                        () = sleep(POLL), if lane == Lane::Elsewhere => {}
                        _ = timeout(POLL, self.inner.store.work()), if lane != Lane::Elsewhere => {}
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "cannot ask for work");
                    tokio::select! {
                        () = shutdown.cancelled() => {}
                        () = sleep(PAUSE) => {}
                    }
                }
            }
        }
    }

    async fn attempt(&self, job: &Job, beat: &Arc<Beat>, shutdown: &CancellationToken) {
        // Another task may find the next job while this one works.
        self.inner.store.announce();
        let started = Instant::now();
        let tended = Tended::start(&self.inner, job, beat, shutdown);
        let outcome = match job.kind {
            JobKind::Identify => self.identify(job, &tended).await,
            JobKind::Analyse | JobKind::Try => self.analyse(job, &tended).await,
            JobKind::Fetch => self.fetch(job, &tended).await,
            JobKind::Import => self.import(job, &tended).await,
            JobKind::Regroup => self.regroup(job, shutdown).await,
        };
        let kind = job.kind.as_str();
        metrics::histogram!("panicle_job_seconds", "kind" => kind).record(started.elapsed().as_secs_f64());
        let ended = match outcome {
            Ok(()) => "done",
            Err(error) => match self.give_up_in_time(job, &error, beat).await {
                Ok(ended) => {
                    tracing::warn!(kind, subject = job.subject, attempt = job.attempt, ended, %error);
                    ended
                }
                Err(failed) => {
                    tracing::error!(kind, subject = job.subject, %error, %failed, "its end cannot be stored");
                    "lost"
                }
            },
        };
        metrics::counter!("panicle_jobs_total", "kind" => kind, "ended" => ended).increment(1);
    }

    /// Groups all history anew, in steps.
    async fn regroup(&self, job: &Job, shutdown: &CancellationToken) -> Result<(), JobError> {
        while !self.inner.store.regroup_step(&job.lease).await? {
            if shutdown.is_cancelled() {
                // It goes on from where it is.
                return Err(JobError::Stopped(Stopped::Cancelled));
            }
        }
        tracing::info!("all history is grouped as rules and people have it now");
        Ok(())
    }

    /// Stores what becomes of a job that did not come to its end, as long as it is this worker's to say.
    async fn give_up_in_time(
        &self,
        job: &Job,
        error: &JobError,
        beat: &Beat,
    ) -> Result<&'static str, StoreError> {
        let started = Instant::now();
        loop {
            beat.give();
            match self.give_up(job, error).await {
                Err(failed) if failed.is_outage() && started.elapsed() < self.inner.settings.lease => {
                    sleep(PAUSE).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Decides what becomes of a job that did not come to its end.
    async fn give_up(&self, job: &Job, error: &JobError) -> Result<&'static str, StoreError> {
        let store = &self.inner.store;
        let settings = &self.inner.settings;
        let problem = error.to_string();
        match error {
            JobError::Store(StoreError::LeaseLost) => Ok("lost"),
            JobError::Stopped(Stopped::Cancelled) => {
                store.retry(job, &problem, Timestamp::now(), true).await.map(|()| "given-back")
            }
            // None of the job's fault: what everybody needs is out of reach, or somebody has to set it right.
            JobError::Stopped(Stopped::Start(_))
            | JobError::Blob(BlobError::Unavailable { .. } | BlobError::Refused { .. }) => {
                store.retry(job, &problem, Timestamp::now() + PAUSE, true).await.map(|()| "given-back")
            }
            // What others keep may never come back.
            JobError::Elsewhere(_) => {
                let now = Timestamp::now();
                let age = now.duration_since(store.waits_since(&job.lease, now).await?).unsigned_abs();
                if age > settings.object_patience {
                    let title = "The evidence is out of reach";
                    return store.fail(job, title, &problem).await.map(|()| "failed");
                }
                let pause = age.clamp(PAUSE, LONGEST_PAUSE);
                store.retry(job, &problem, now + pause, true).await.map(|()| "given-back")
            }
            JobError::Store(error) if error.is_outage() => {
                store.retry(job, &problem, Timestamp::now() + PAUSE, true).await.map(|()| "given-back")
            }
            JobError::Input { .. } => {
                store.fail(job, "The evidence cannot be read", &problem).await.map(|()| "failed")
            }
            JobError::Blob(BlobError::NotTheSame { .. }) => store
                .fail(job, "The evidence is not where it was any more", &problem)
                .await
                .map(|()| "failed"),
            JobError::Blob(BlobError::NotFound(_) | BlobError::Damaged { .. }) => {
                store.fail(job, "Stored evidence is missing or damaged", &problem).await.map(|()| "failed")
            }
            _ if job.attempt >= settings.max_attempts => {
                store.quarantine(job, &problem).await.map(|()| "quarantined")
            }
            _ => {
                let pause = settings.retry_after * 4_u32.pow(job.attempt.saturating_sub(1).min(5));
                store.retry(job, &problem, Timestamp::now() + pause, false).await.map(|()| "retried")
            }
        }
    }
}
