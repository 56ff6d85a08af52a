//! How much one token may ask for: buckets that fill by and by, in this process.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What one token, or everybody together where there are none, may use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// Requests a minute; so many at once, too. `None` for any number.
    pub requests_per_minute: Option<u32>,
    /// Bytes of bodies a day, as they come over the wire; so many at once, too. `None` for any number.
    pub bytes_per_day: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// What is left. Below zero after an upload of unknown length that was longer than what was left.
    left: f64,
    at: Instant,
}

impl Bucket {
    /// One that holds so much now.
    pub(super) const fn full(left: f64, now: Instant) -> Self {
        Self { left, at: now }
    }

    /// Takes `amount` out of a bucket of this size, which fills in `period`; or says after which time there is
    /// enough.
    pub(super) fn take(
        &mut self,
        amount: f64,
        size: f64,
        period: Duration,
        now: Instant,
    ) -> Result<(), Duration> {
        self.has(amount, size, period, now)?;
        self.left -= amount;
        Ok(())
    }

    /// Whether there is so much; or after which time there is. For what is more than the bucket holds it has to be full.
    fn has(&mut self, amount: f64, size: f64, period: Duration, now: Instant) -> Result<(), Duration> {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() / period.as_secs_f64() * size;
        self.left = (self.left + gained).min(size);
        self.at = now;
        let enough = amount.min(size);
        if self.left >= enough && size > 0.0 {
            return Ok(());
        }
        let seconds = period.as_secs_f64() * (enough - self.left) / size;
        Err(Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST))
    }
}

pub(super) const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
/// What a bucket that holds nothing lets somebody wait.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// Which of the two was used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exceeded {
    Requests(u32),
    Bytes(u64),
}

#[derive(Debug)]
struct Meter {
    requests: Bucket,
    bytes: Bucket,
}

impl Meter {
    fn has(&mut self, amount: u64, most: Option<u64>, now: Instant) -> Result<(), (Exceeded, Duration)> {
        let Some(most) = most.filter(|_| amount > 0) else { return Ok(()) };
        let has = self.bytes.has(amount as f64, most as f64, DAY, now);
        has.map_err(|wait| (Exceeded::Bytes(most), wait))
    }

    fn bytes(&mut self, amount: u64, most: Option<u64>, now: Instant) -> Result<(), (Exceeded, Duration)> {
        let Some(most) = most.filter(|_| amount > 0) else { return Ok(()) };
        let taken = self.bytes.take(amount as f64, most as f64, DAY, now);
        taken.map_err(|wait| (Exceeded::Bytes(most), wait))
    }
}

/// The buckets of all tokens. Only who has shown a valid token gets one, so there are as many as tokens at most.
#[derive(Debug, Default)]
pub(super) struct Meters {
    rates: Rates,
    meters: Mutex<HashMap<String, Meter>>,
}

impl Meters {
    pub(super) fn new(rates: Rates) -> Self {
        Self { rates, meters: Mutex::default() }
    }

    pub(super) const fn counts_bytes(&self) -> bool {
        self.rates.bytes_per_day.is_some()
    }

    /// Counts a request. So many bytes as its body announces have to be left, and something if it does not say; what
    /// really comes is counted then.
    pub(super) fn request(
        &self,
        who: &str,
        announced: Option<u64>,
        now: Instant,
    ) -> Result<(), (Exceeded, Duration)> {
        let Rates { requests_per_minute, bytes_per_day } = self.rates;
        if requests_per_minute.is_none() && bytes_per_day.is_none() {
            return Ok(());
        }
        self.with(who, now, |meter| {
            if let Some(most) = requests_per_minute {
                let taken = meter.requests.take(1.0, f64::from(most), MINUTE, now);
                taken.map_err(|wait| (Exceeded::Requests(most), wait))?;
            }
            meter.has(announced.unwrap_or(1), bytes_per_day, now)
        })
    }

    /// Counts bytes that are sent elsewhere on behalf of a request.
    pub(super) fn bytes(&self, who: &str, bytes: u64, now: Instant) -> Result<(), (Exceeded, Duration)> {
        let most = self.rates.bytes_per_day;
        if most.is_none() { Ok(()) } else { self.with(who, now, |meter| meter.bytes(bytes, most, now)) }
    }

    /// Counts bytes.
    pub(super) fn add(&self, who: &str, bytes: u64) {
        let now = Instant::now();
        self.with(who, now, |meter| meter.bytes.left -= bytes as f64);
    }

    fn with<T>(&self, who: &str, now: Instant, act: impl FnOnce(&mut Meter) -> T) -> T {
        let Rates { requests_per_minute, bytes_per_day } = self.rates;
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = meters.get_mut(who) {
            return act(meter);
        }
        let bucket = |left: f64| Bucket::full(left, now);
        let meter = meters.entry(who.to_owned()).or_insert_with(|| Meter {
            requests: bucket(requests_per_minute.map_or(0.0, f64::from)),
            bytes: bucket(bytes_per_day.unwrap_or_default() as f64),
        });
        act(meter)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Exceeded, Meters, Rates};

    #[test]
    fn requests_come_back_by_and_by() {
        let meters = Meters::new(Rates { requests_per_minute: Some(60), bytes_per_day: None });
        let start = Instant::now();
        for _ in 0..60 {
            meters.request("a", None, start).unwrap();
        }
        let (what, wait) = meters.request("a", None, start).unwrap_err();
        assert_eq!((what, wait.as_secs_f64().round()), (Exceeded::Requests(60), 1.0));
        meters.request("b", None, start).unwrap();
        let later = start + Duration::from_millis(1100);
        meters.request("a", None, later).unwrap();
        assert!(meters.request("a", None, later).is_err());
        // No more than the bucket holds, however long nothing is asked.
        let much_later = start + Duration::from_hours(5);
        assert_eq!((0..100).filter(|_| meters.request("a", None, much_later).is_ok()).count(), 60);
    }

    #[test]
    fn bytes_are_counted_when_they_come() {
        let meters = Meters::new(Rates { requests_per_minute: None, bytes_per_day: Some(1000) });
        let start = Instant::now();
        // Whatever is announced costs nothing before it comes.
        for _ in 0..3 {
            meters.request("a", Some(600), start).unwrap();
        }
        meters.add("a", 600);
        let (what, wait) = meters.request("a", Some(600), start).unwrap_err();
        assert_eq!(what, Exceeded::Bytes(1000));
        assert!((wait.as_secs_f64() / 86400.0 - 0.2).abs() < 0.01, "{wait:?}");
        meters.request("a", Some(0), start).unwrap();
        // What is longer than was said, or of which nothing was said, is paid for afterwards.
        meters.request("a", None, start).unwrap();
        meters.add("a", 300);
        meters.add("a", 700);
        assert!(meters.request("a", None, start).is_err());
        meters.request("a", Some(0), start).unwrap();
        assert!(meters.bytes("a", 1, start).is_err());
        meters.bytes("c", 600, start).unwrap();
        assert_eq!(meters.bytes("c", 600, start).unwrap_err().0, Exceeded::Bytes(1000));
        // More than a day's worth goes when nothing else did.
        meters.request("b", Some(5000), start).unwrap();
        meters.add("b", 5000);
        let (_, wait) = meters.request("b", Some(1), start).unwrap_err();
        assert!(wait > Duration::from_hours(90), "{wait:?}");
    }

    #[test]
    fn no_number_is_too_large_or_too_small() {
        let now = Instant::now();
        let meters = Meters::new(Rates { requests_per_minute: Some(0), bytes_per_day: Some(1) });
        assert!(meters.request("a", None, now).is_err());
        let meters = Meters::new(Rates { requests_per_minute: None, bytes_per_day: Some(1000) });
        meters.request("a", Some(u64::MAX), now).unwrap();
        meters.add("a", u64::MAX);
        let (_, wait) = meters.request("a", Some(1), now).unwrap_err();
        assert!(wait >= Duration::from_hours(24), "{wait:?}");
    }

    #[test]
    fn nothing_is_counted_unless_asked_for() {
        let meters = Meters::new(Rates::default());
        for _ in 0..1000 {
            meters.request("a", Some(u64::MAX), Instant::now()).unwrap();
        }
    }
}
