//! Servers of others that did not answer lately.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How long a source is left alone whose store does not answer.
pub(crate) const SOURCE_AWAY: Duration = Duration::from_secs(15);

/// Servers that did not answer lately, which are left alone for a while: each job that needs one would find out the same
/// once more, and take its time.
#[derive(Debug, Default)]
pub(crate) struct Away(Mutex<HashMap<String, Instant>>);

impl Away {
    /// It does not answer.
    pub(crate) fn note(&self, server: &str, pause: Duration) {
        self.until().insert(server.to_owned(), Instant::now() + pause);
    }

    /// It does.
    pub(crate) fn answers(&self, server: &str) {
        self.until().remove(server);
    }

    pub(crate) fn has(&self, server: &str) -> bool {
        self.until().get(server).is_some_and(|&until| until > Instant::now())
    }

    /// Whether there are any.
    pub(crate) fn any(&self) -> bool {
        !self.until().is_empty()
    }

    /// Whether this one may ask it. When the time of one that did not answer is up, one alone finds out whether it does,
    /// and the others wait as long again.
    pub(crate) fn may_ask(&self, server: &str, pause: Duration) -> bool {
        match self.until().get_mut(server) {
            None => true,
            Some(until) if *until > Instant::now() => false,
            Some(until) => {
                *until = Instant::now() + pause;
                true
            }
        }
    }

    fn until(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Away;

    #[test]
    fn one_alone_asks_a_server_whose_time_is_up() {
        let (away, long) = (Away::default(), Duration::from_mins(1));
        assert!(away.may_ask("a", long) && away.may_ask("a", long));
        away.note("a", long);
        assert!(away.has("a") && !away.may_ask("a", long) && away.may_ask("b", long));
        away.note("a", Duration::ZERO);
        assert!(away.may_ask("a", long) && !away.may_ask("a", long));
        away.answers("a");
        assert!(!away.has("a") && away.may_ask("a", long) && away.may_ask("a", long));
    }
}
