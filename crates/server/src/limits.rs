//! How much may be said at once: texts, lists and numbers of what people send.

use jiff::{SignedDuration, Timestamp};
use panicle_store::{MAX_NAME, MAX_TEXT, MuteUntil, ResolvedIn};

use crate::Problem;

/// Groups, crashes or fingerprints of one request.
const ITEMS: usize = 1000;
/// Full cores that can be kept of a group: more than there will be.
const KEEP_CORES: u32 = 1_000_000;
/// Crashes that a mute can wait for.
const CRASHES: u64 = 1_000_000_000;
/// How long a mute can be meant for: ten years.
const MUTE_TIME: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);

fn refuse(detail: String) -> Result<(), Problem> {
    Err(Problem::bad_request(detail))
}

/// A title, owner or the like: short, and on one line.
pub(crate) fn name(what: &str, text: Option<&str>) -> Result<(), Problem> {
    match text {
        Some(text) if text.len() > MAX_NAME || text.chars().any(char::is_control) => {
            refuse(format!("{what} has at most {MAX_NAME} bytes, and no control characters"))
        }
        _ => Ok(()),
    }
}

/// A text for people.
pub(crate) fn text(what: &str, text: Option<&str>) -> Result<(), Problem> {
    match text {
        Some(text) if text.len() > MAX_TEXT => refuse(format!("{what} has at most {MAX_TEXT} bytes")),
        _ => Ok(()),
    }
}

/// Who does something, and why.
pub(crate) fn doing(actor: Option<&str>, reason: Option<&str>) -> Result<(), Problem> {
    name("actor", actor)?;
    text("reason", reason)
}

/// Identifiers in a list.
pub(crate) fn items(what: &str, items: &[String]) -> Result<(), Problem> {
    if items.len() > ITEMS {
        return refuse(format!("{what} are {ITEMS} at most"));
    }
    items.iter().try_for_each(|item| name(what, Some(item)))
}

/// Full cores to keep.
pub(crate) fn keep_cores(keep: Option<u32>) -> Result<(), Problem> {
    match keep {
        Some(keep) if keep > KEEP_CORES => refuse(format!("keep_cores is {KEEP_CORES} at most")),
        _ => Ok(()),
    }
}

/// What ends a mute.
pub(crate) fn mute(mute: Option<&MuteUntil>) -> Result<(), Problem> {
    let Some(mute) = mute else { return Ok(()) };
    let per_hour = mute.escalation.and_then(|escalation| escalation.per_hour);
    for (what, number) in [("count", mute.count), ("per_hour", per_hour)] {
        if number.is_some_and(|number| !(1..=CRASHES).contains(&number)) {
            return refuse(format!("{what} of a mute is from 1 to {CRASHES}"));
        }
    }
    let latest = Timestamp::now().checked_add(MUTE_TIME).unwrap_or(Timestamp::MAX);
    if mute.time.is_some_and(|time| time > latest) {
        return refuse("time of a mute is at most ten years ahead; without one, a person ends it".to_owned());
    }
    name("version of a mute", mute.version.as_deref())
}

/// What a group is resolved in.
pub(crate) fn resolved(resolved: Option<&ResolvedIn>) -> Result<(), Problem> {
    let Some(resolved) = resolved else { return Ok(()) };
    for text in [&resolved.version, &resolved.revision, &resolved.build] {
        name("what it is resolved in", text.as_deref())?;
    }
    Ok(())
}
