//! How much a project may ask for and send: requests a minute in this process, bytes a day in all of them.
//!
//! What was sent is counted here and added to the database every few seconds, and what others have added is read
//! then, so that a day's bytes are known after a restart and to all processes. Between two looks each process
//! can let through what the others have let through, too: the limit is kept to the bytes of a few seconds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use panicle_store::{Project, Store, StoreError};

use super::rates::{Bucket, Exceeded, MINUTE, Rates};

/// How often what is counted is written and read.
const LOOK: Duration = Duration::from_secs(2);
const HOUR: i64 = 3600;
const HOURS_A_DAY: i64 = 24;

/// What one project has used.
#[derive(Debug)]
struct Use {
    looked: Instant,
    rates: Rates,
    requests: Bucket,
    /// As the database had it.
    hours: Vec<(i64, u64)>,
    /// Not yet written.
    pending: u64,
    /// Being written.
    leaving: u64,
    /// Somebody will write it.
    awaited: bool,
}

impl Use {
    /// Whether so many bytes more are within a day's; or after which time they are. More than a whole day's go when
    /// there was nothing else.
    fn room(&self, amount: u64, most: u64, now: i64) -> Result<(), Duration> {
        let enough = amount.min(most);
        let this_hour = now.div_euclid(HOUR);
        let mut hours: Vec<(i64, u64)> =
            self.hours.iter().copied().filter(|(hour, _)| *hour > this_hour - HOURS_A_DAY).collect();
        hours.push((this_hour, self.pending.saturating_add(self.leaving)));
        let mut used = hours.iter().fold(0_u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
        let fits = |used: u64| used.saturating_add(enough) <= most;
        if fits(used) {
            return Ok(());
        }
        for (hour, bytes) in hours {
            used = used.saturating_sub(bytes);
            if fits(used) {
                return Err(Duration::from_secs(((hour + HOURS_A_DAY) * HOUR - now).max(1) as u64));
            }
        }
        Err(Duration::from_hours(24))
    }
}

/// A project, if there is one, and its hours.
type Found = Result<Option<(Project, Vec<(i64, u64)>)>, StoreError>;

/// The quotas of all projects.
#[derive(Debug)]
pub(super) struct Quotas {
    store: Store,
    usual: Rates,
    projects: Mutex<HashMap<String, Use>>,
    /// One writes and reads of a project at a time, so that nothing is counted twice or missed.
    looking: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Quotas {
    pub(super) fn new(store: Store, usual: Rates) -> Self {
        Self { store, usual, projects: Mutex::default(), looking: Mutex::default() }
    }

    /// Counts a request to a project, or says what there is too much of. So many bytes as its body announces have to be
    /// left, and something if it does not say. Answers whether those that come are to be counted.
    pub(super) async fn request(
        self: &Arc<Self>,
        project: &str,
        announced: Option<u64>,
    ) -> Result<Result<bool, (Exceeded, Duration)>, StoreError> {
        self.take(project, true, announced.unwrap_or(1)).await
    }

    /// Counts bytes that are sent elsewhere on behalf of a request, or says that there are too many.
    pub(super) async fn bytes(
        self: &Arc<Self>,
        project: &str,
        bytes: u64,
    ) -> Result<Result<bool, (Exceeded, Duration)>, StoreError> {
        self.take(project, false, bytes).await
    }

    async fn take(
        self: &Arc<Self>,
        project: &str,
        is_request: bool,
        amount: u64,
    ) -> Result<Result<bool, (Exceeded, Duration)>, StoreError> {
        let now = Instant::now();
        let fresh = self.with(project, |known| known.looked + LOOK > now);
        if fresh != Some(true) && !self.look(project).await? {
            // Whoever names it is told that there is none.
            return Ok(Ok(false));
        }
        let taken = self.with(project, |known| {
            if let Some(most) = known.rates.requests_per_minute.filter(|_| is_request) {
                let taken = known.requests.take(1.0, f64::from(most), MINUTE, now);
                taken.map_err(|wait| (Exceeded::Requests(most), wait))?;
            }
            let Some(most) = known.rates.bytes_per_day else { return Ok(false) };
            if amount > 0 {
                let room = known.room(amount, most, Timestamp::now().as_second());
                room.map_err(|wait| (Exceeded::Bytes(most), wait))?;
            }
            Ok(true)
        });
        let counted = match taken {
            Some(Ok(counted)) => counted,
            Some(Err(exceeded)) => return Ok(Err(exceeded)),
            None => false,
        };
        // Those of a request's body are counted as they come.
        if counted && !is_request {
            self.add(project, amount);
        }
        Ok(Ok(counted))
    }

    /// Counts bytes, to be written soon.
    pub(super) fn add(self: &Arc<Self>, project: &str, bytes: u64) {
        let begin = self.with(project, |known| {
            known.pending = known.pending.saturating_add(bytes);
            let begins = known.pending > 0 && !known.awaited;
            known.awaited |= begins;
            begins
        });
        if begin != Some(true) {
            return;
        }
        let (quotas, project) = (Arc::clone(self), project.to_owned());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                match quotas.look(&project).await {
                    Ok(_) => {
                        let over = quotas.with(&project, |known| {
                            known.awaited = known.pending > 0;
                            !known.awaited
                        });
                        if over != Some(false) {
                            break;
                        }
                    }
                    // They stay counted here, and are written when the database is back.
                    Err(error) => tracing::warn!(%error, project, "what was sent was not written down"),
                }
            }
        });
    }

    /// Writes what was counted, and reads what there is and may be, unless somebody else has done so meanwhile. `false`
    /// if there is no such project.
    async fn look(&self, project: &str) -> Result<bool, StoreError> {
        let asked = Instant::now();
        let one = Arc::clone(self.turns().entry(project.to_owned()).or_default());
        let outcome = {
            let _turn = one.lock().await;
            if self.with(project, |known| known.looked >= asked) == Some(true) {
                Ok(true)
            } else {
                self.look_now(project).await
            }
        };
        drop(one);
        // Nothing stays of names that nobody asks for any more, which may be those of no project.
        self.turns().retain(|name, turn| name != project || Arc::strong_count(turn) > 1);
        outcome
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<String, Arc<tokio::sync::Mutex<()>>>> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look_now(&self, project: &str) -> Result<bool, StoreError> {
        let hour = Timestamp::now().as_second().div_euclid(HOUR);
        let leaving = self.with(project, |known| {
            known.leaving = std::mem::take(&mut known.pending);
            known.leaving
        });
        let found = async {
            if let Some(bytes) = leaving.filter(|bytes| *bytes > 0) {
                self.store.add_project_bytes(project, hour, bytes).await?;
            }
            // Written, and counted again by what is read; unless that fails.
            self.with(project, |known| {
                let bytes = std::mem::take(&mut known.leaving);
                known.hours.push((hour, bytes));
            });
            let found = match self.store.project(project).await {
                Err(StoreError::NotFound { .. }) => return Ok(None),
                found => found?,
            };
            let hours = self.store.project_hours(project, hour - HOURS_A_DAY).await?;
            Ok(Some((found, hours)))
        };
        let found: Found = found.await;
        if found.is_err() {
            self.with(project, |known| known.pending += std::mem::take(&mut known.leaving));
        }
        let Some((found, hours)) = found? else { return Ok(false) };
        let rates = Rates {
            requests_per_minute: found.requests_per_minute.or(self.usual.requests_per_minute),
            bytes_per_day: found.upload_bytes_per_day.or(self.usual.bytes_per_day),
        };
        let now = Instant::now();
        let mut projects = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        let known = projects.entry(project.to_owned()).or_insert_with(|| Use {
            looked: now,
            rates,
            requests: Bucket::full(rates.requests_per_minute.map_or(0.0, f64::from), now),
            hours: Vec::new(),
            pending: 0,
            leaving: 0,
            awaited: false,
        });
        if known.rates.requests_per_minute != rates.requests_per_minute {
            known.requests = Bucket::full(rates.requests_per_minute.map_or(0.0, f64::from), now);
        }
        (known.looked, known.rates, known.hours) = (now, rates, hours);
        Ok(true)
    }

    fn with<T>(&self, project: &str, act: impl FnOnce(&mut Use) -> T) -> Option<T> {
        let mut projects = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        projects.get_mut(project).map(act)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };

    use panicle_store::{NewProject, Store};

    use super::{Bucket, Quotas, Rates, Use};

    #[test]
    fn a_day_is_the_last_24_hours() {
        let now = Instant::now();
        let known = Use {
            looked: now,
            rates: Rates::default(),
            requests: Bucket::full(0.0, now),
            hours: vec![(75, 400), (77, 300), (100, 100)],
            pending: 50,
            leaving: 50,
            awaited: false,
        };
        // Half past hour 100; what was sent in hour 75 is of the day before.
        let at = 100 * 3600 + 1800;
        assert_eq!(known.room(500, 1000, at), Ok(()));
        // What was sent in hour 77 is forgotten with the end of hour 100.
        assert_eq!(known.room(600, 1000, at), Err(Duration::from_mins(30)));
        assert_eq!(known.room(900, 1000, at), Err(Duration::from_mins(30 + 23 * 60)));
        assert!(known.room(2000, 1000, at).is_err());
        let empty = Use { hours: Vec::new(), pending: 0, leaving: 0, ..known };
        assert_eq!(empty.room(2000, 1000, at), Ok(()), "when there was nothing else");
    }

    #[tokio::test]
    async fn who_waits_for_a_look_has_its_answer_and_holds_up_no_other_project() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("panicle.db").display());
        let store = Store::connect(&url).await.unwrap();
        store.create_project(&NewProject { id: "cart".to_owned(), ..NewProject::default() }).await.unwrap();
        let quotas = Arc::new(Quotas::new(store, Rates::default()));
        assert!(quotas.look("default").await.unwrap());
        let turn = Arc::clone(quotas.turns().entry("default".to_owned()).or_default());
        let held = turn.lock().await;
        let waiting = tokio::spawn({
            let quotas = Arc::clone(&quotas);
            async move { quotas.look("default").await }
        });
        // The other waits for the first project alone.
        assert!(quotas.look("cart").await.unwrap());
        assert!(!quotas.look("nothing").await.unwrap());
        assert!(!waiting.is_finished());
        // What was found meanwhile is not looked for again, which would find that there is no limit.
        let mine = Rates { requests_per_minute: Some(7), ..Rates::default() };
        quotas.with("default", |known| (known.looked, known.rates) = (Instant::now(), mine));
        drop(held);
        drop(turn);
        assert!(waiting.await.unwrap().unwrap());
        assert_eq!(quotas.with("default", |known| known.rates.requests_per_minute), Some(Some(7)));
        assert!(quotas.look("default").await.unwrap());
        assert_eq!(quotas.with("default", |known| known.rates.requests_per_minute), Some(None));
        assert!(quotas.turns().is_empty(), "nothing stays of names, whosever they are");
    }
}
