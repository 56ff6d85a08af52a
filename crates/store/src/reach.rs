//! Whether PostgreSQL can be reached, and what is wrong when it cannot.
//!
//! A pool of connections goes on trying in silence until its time is up, and then says only that. That time has to be
//! long, because a busy database is worth waiting for; one that is away is not. So whoever has waited for a while has
//! one connection tried beside the pool, and goes on waiting only while that can be had.

use std::{
    fmt,
    future::Future,
    io::ErrorKind,
    pin::pin,
    str::FromStr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

use crate::StoreError;

/// How long PostgreSQL may take to answer when a process starts.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// How often a process that waits for it says so.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// How long work may take before the way to the database is looked at. Nearly all of it takes less.
const SUSPICION: Duration = Duration::from_secs(3);
/// How long a connection may take that is made to look. With [`SUSPICION`], what waits longest for one that is away.
const LOOK: Duration = Duration::from_secs(2);
/// How long what was seen counts for others who look.
const FRESH: Duration = Duration::from_secs(1);

/// The way to one PostgreSQL database.
pub(crate) struct Reach {
    options: PgConnectOptions,
    place: String,
    since: Instant,
    /// Milliseconds from `since` to when it answered last.
    heard: AtomicU64,
    /// As it was seen last.
    away: AtomicBool,
    /// When somebody looked, and what was wrong.
    looked: Mutex<Option<(Instant, Option<String>)>>,
}

/// The options have the password.
impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Reach {
    /// The way to a database that is there. It is waited for when it is away, and that is said.
    pub(crate) async fn find(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?.application_name("panicle");
        let place = place(&options);
        let since = Instant::now();
        let mut said: Option<Instant> = None;
        loop {
            let error = match connect(&options).await {
                Ok(connection) => {
                    connection.close().await?;
                    break;
                }
                Err(error) => error,
            };
            if !error.is_outage() {
                return Err(StoreError::Refused { place, reason: reason(&error) });
            }
            let reason = reason(&error);
            if since.elapsed() > START_PATIENCE {
                return Err(StoreError::Unreachable { place, reason });
            }
            if said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
                said = Some(Instant::now());
                let (waited, at_most) = (since.elapsed().as_secs(), START_PATIENCE.as_secs());
                tracing::warn!(place, error = reason, waited, at_most, "waiting for the database");
            }
            sleep(Duration::from_millis(500)).await;
        }
        let (heard, away, looked) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(None));
        Ok(Self { options, place, since: Instant::now(), heard, away, looked })
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// What work with the database comes to; an error that says what is wrong as soon as it is found to be away.
    pub(crate) async fn during<T, E: Into<StoreError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, StoreError> {
        let work = pin!(work);
        let error = tokio::select! {
            biased;
            done = work => match done.map_err(Into::into) {
                Err(error) if error.is_of_the_way() => error,
                done => {
                    self.hear();
                    return done;
                }
            },
            reason = self.watch() => return Err(self.unreachable(reason)),
        };
        Err(match error {
            StoreError::Database(sqlx::Error::PoolTimedOut) => self.unreachable(
                "it answers, but none of this process' connections came free in time".to_owned(),
            ),
            StoreError::Database(_) => self.unreachable(reason(&error)),
            // What it went through before has said it.
            error => error,
        })
    }

    fn unreachable(&self, reason: String) -> StoreError {
        StoreError::Unreachable { place: self.place.clone(), reason }
    }

    /// It answered somebody, so it is not away, whatever a connection found that was made to look.
    fn hear(&self) {
        self.heard.store(self.since.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.away.store(false, Ordering::Relaxed);
    }

    fn heard(&self) -> Instant {
        self.since + Duration::from_millis(self.heard.load(Ordering::Relaxed))
    }

    fn is_silent(&self) -> bool {
        self.heard().elapsed() >= SUSPICION
    }

    /// Returns when the database is away, with the reason.
    async fn watch(&self) -> String {
        loop {
            // While it is known to be away nobody waits first.
            if !self.away.load(Ordering::Relaxed) {
                sleep(SUSPICION).await;
            }
            let wrong = self.look().await;
            self.away.store(wrong.is_some(), Ordering::Relaxed);
            if let Some(reason) = wrong {
                return reason;
            }
        }
    }

    /// What is wrong, if something is. One looks at a time, and the others take its word.
    async fn look(&self) -> Option<String> {
        let mut looked = self.looked.lock().await;
        if let Some((at, wrong)) = looked.as_ref()
            && at.elapsed() < FRESH
            && (wrong.is_none() || *at > self.heard())
        {
            return wrong.clone();
        }
        let wrong = match timeout(LOOK, connect(&self.options)).await {
            Ok(Ok(connection)) => {
                tokio::spawn(connection.close());
                None
            }
            // That is a busy one.
            Ok(Err(StoreError::Database(sqlx::Error::Database(error))))
                if error.code().is_some_and(|code| code.starts_with("53")) =>
            {
                None
            }
            // Nobody listens any more.
            Ok(Err(error)) if nobody_listens(&error) => Some(reason(&error)),
            // It lets nobody in that is new, after a change of a password or so. The connections that there are may do.
            Ok(Err(error)) => self.is_silent().then(|| reason(&error)),
            // It may have much to do; others may hear from it.
            Err(_) => self.is_silent().then(|| format!("no answer within {} s", LOOK.as_secs())),
        };
        *looked = Some((Instant::now(), wrong.clone()));
        wrong
    }
}

fn nobody_listens(error: &StoreError) -> bool {
    let StoreError::Database(sqlx::Error::Io(error)) = error else { return false };
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let patience = Duration::from_secs(5);
    if let Ok(connected) = timeout(patience, options.connect()).await {
        return Ok(connected?);
    }
    let silence = std::io::Error::other(format!("no answer within {} s", patience.as_secs()));
    Err(StoreError::Database(sqlx::Error::Io(silence)))
}

/// Where a database is, without who asks for it and how.
fn place(options: &PgConnectOptions) -> String {
    let port = options.get_port();
    match options.get_socket() {
        Some(folder) => folder.join(format!(".s.PGSQL.{port}")).display().to_string(),
        None => format!("{}:{port}", options.get_host()),
    }
}

/// What a driver's error says, without what it says around it.
fn reason(error: &StoreError) -> String {
    match error {
        StoreError::Database(sqlx::Error::Io(error)) => error.to_string(),
        StoreError::Database(sqlx::Error::Tls(error)) => format!("TLS: {error}"),
        StoreError::Database(error) => crate::error::said(error),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
