//! Times of a query.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// A time in a query.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// So long before now, as it is written: `24h`.
    Ago(String, SignedDuration),
    /// All of a day, UTC.
    Day(Date),
    /// This moment.
    At(Timestamp),
}

/// Units of a duration, in seconds.
const UNITS: [(char, u64); 5] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];
/// A thousand years: no time is before this many seconds ago.
const MAX_SECONDS: u64 = 31_557_600_000;

impl When {
    /// `24h`, `7d`, `1d12h`, `2026-01-02`, `2026-01-02T03:04[:05]`, `2026-01-02T03:04:05Z` or with an offset; UTC
    /// where none is said.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(duration) = duration(text) {
            return Some(Self::Ago(text.to_owned(), duration));
        }
        // `2026-01-02` is a prefix of the others, and jiff would ignore what a date has too much.
        if text.len() == 10 {
            return text.parse::<Date>().ok().map(Self::Day);
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Self::At(at));
        }
        let civil: DateTime = text.parse().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| Self::At(zoned.timestamp()))
    }

    /// The first moment of it.
    pub fn first(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(_, duration) => now.checked_sub(*duration).unwrap_or(Timestamp::MIN),
            Self::Day(day) => start(*day).unwrap_or(Timestamp::MIN),
            Self::At(at) => *at,
        }
    }

    /// The first moment after it, if it is not one moment.
    pub fn end(&self) -> Option<Timestamp> {
        match self {
            Self::Day(day) => Some(day.tomorrow().ok().and_then(start).unwrap_or(Timestamp::MAX)),
            Self::Ago(..) | Self::At(_) => None,
        }
    }

    /// As it is written.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Ago(text, _) => text.clone(),
            Self::Day(day) => day.to_string(),
            Self::At(at) => at.to_string(),
        }
    }
}

fn start(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn duration(text: &str) -> Option<SignedDuration> {
    let mut seconds: u64 = 0;
    // From the largest unit to the smallest, each once.
    let mut above = u64::MAX;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].chars().next()?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        if *factor >= above {
            return None;
        }
        above = *factor;
        seconds = seconds.checked_add(number.checked_mul(*factor)?)?;
        rest = &rest[digits + 1..];
    }
    let known = !text.is_empty() && seconds <= MAX_SECONDS;
    known.then(|| SignedDuration::from_secs(seconds as i64))
}
