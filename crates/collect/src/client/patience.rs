//! How long to wait for what.

use std::{fmt::Write as _, sync::atomic::Ordering, thread, time::Duration};

use super::{Client, answer::Trouble};
use crate::UploadError;

/// Time that may pass in vain where nothing else is said: four attempts. The same for a service that has never
/// answered, which is more likely not there than away.
pub(super) const SHORT_PATIENCE: Duration = Duration::from_secs(4);
const FIRST_PAUSE: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Shorter waits are not worth a sentence.
const UNSAID: Duration = Duration::from_secs(1);

/// A time as one says it; never less than it is.
fn for_people(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

/// Waits between the attempts at one thing.
pub(super) struct Waiting<'c> {
    client: &'c Client,
    /// Since something last came of it.
    waited: Duration,
    pause: Duration,
}

impl<'c> Waiting<'c> {
    pub(super) fn new(client: &'c Client) -> Self {
        Self { client, waited: Duration::ZERO, pause: FIRST_PAUSE }
    }

    /// Something came of it: what was waited before does not count any more.
    pub(super) fn progress(&mut self) {
        (self.waited, self.pause) = (Duration::ZERO, FIRST_PAUSE);
    }

    /// Waits a moment, as long as the service asks for; or says that it took too long.
    pub(super) fn wait(&mut self, trouble: &Trouble) -> Result<(), UploadError> {
        let client = self.client;
        let known = client.answered.load(Ordering::Relaxed);
        let most = if known { client.patience } else { client.at_first };
        let asked = trouble.retry_after.unwrap_or_default();
        let pause = self.pause.max(asked);
        if self.waited + pause > most {
            let mut detail = trouble.detail.clone();
            if asked > Duration::ZERO {
                let _ = write!(detail, "; it wants to be asked again in {}", for_people(asked));
            }
            if !self.waited.is_zero() {
                let _ = write!(detail, "; gave up after {} s", self.waited.as_secs_f64().round());
            }
            return Err(UploadError::Unreachable { server: client.server.clone(), detail });
        }
        if pause >= UNSAID {
            (client.notice)(&format!("{}; trying again in {}", trouble.detail, for_people(pause)));
        }
        thread::sleep(pause);
        self.waited += pause;
        self.pause = (self.pause * 3).min(LONGEST_PAUSE);
        Ok(())
    }
}
