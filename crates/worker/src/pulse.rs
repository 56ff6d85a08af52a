//! Whether a worker gets on.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a task of a worker may be silent. It asks for work every second, waits some seconds for a database that is
/// away, and looks after a job every second.
const SILENCE: Duration = Duration::from_mins(2);

/// When each task of a worker gave the last sign of life.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse {
    tasks: Arc<Mutex<BTreeMap<u64, Instant>>>,
}

/// The signs of life of one task, until it ends.
#[derive(Debug)]
pub(crate) struct Beat {
    pulse: Pulse,
    number: u64,
}

impl Pulse {
    /// A task begins.
    pub(crate) fn begin(&self) -> Beat {
        let mut tasks = self.tasks();
        let number = tasks.last_key_value().map_or(0, |(number, _)| number + 1);
        tasks.insert(number, Instant::now());
        Beat { pulse: self.clone(), number }
    }

    /// What is wrong, if something is.
    pub(crate) fn wrong(&self, now: Instant) -> Option<String> {
        let since = self.tasks().values().min().copied()?;
        let silence = now.saturating_duration_since(since);
        (silence > SILENCE).then(|| format!("a task has not asked for work for {} s", silence.as_secs()))
    }

    fn tasks(&self) -> MutexGuard<'_, BTreeMap<u64, Instant>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beat {
    pub(crate) fn give(&self) {
        self.pulse.tasks().insert(self.number, Instant::now());
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.pulse.tasks().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Pulse, SILENCE};

    #[test]
    fn one_silent_task_is_enough() {
        let pulse = Pulse::default();
        let before = Instant::now();
        let (one, two) = (pulse.begin(), pulse.begin());
        assert_eq!(pulse.wrong(before + SILENCE), None);
        let later = before + SILENCE + Duration::from_secs(30);
        one.give();
        assert!(pulse.wrong(later).unwrap().contains("not asked for work"));
        drop(two);
        assert_eq!(pulse.wrong(before + SILENCE), None, "it ended, and another one is started in its place");
        let three = pulse.begin();
        drop(one);
        assert!(pulse.wrong(later).is_some(), "one that has just begun counts, too");
        drop(three);
    }
}
