//! How much may be said at once: texts, lists and numbers of what people send.

use jiff::{SignedDuration, Timestamp};
use panicle_store::{BY_ITSELF, MAX_NAME, MAX_TEXT, MuteUntil, ResolvedIn};

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
        Some(text) if text.len() > MAX_NAME || text.chars().any(is_unseen) => {
            refuse(format!("{what} has at most {MAX_NAME} bytes, and no characters that cannot be seen"))
        }
        _ => Ok(()),
    }
}

/// A name that others are compared with: as [`name`], and without blanks around it.
pub(crate) fn key(what: &str, text: Option<&str>) -> Result<(), Problem> {
    match text {
        // Nothing but blanks says nothing.
        Some(text) if !text.trim().is_empty() && text.trim() != text => {
            refuse(format!("{what} has no blanks around it"))
        }
        text => name(what, text),
    }
}

/// Whether a character cannot be seen, or changes how those around it are seen: control characters, and those of
/// Unicode's category Cf (format) that are no part of a word or of an emoji as U+200C and U+200D are.
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200b}'
            | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
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
    if actor.is_some_and(|actor| actor.trim().eq_ignore_ascii_case(BY_ITSELF)) {
        return refuse(format!("actor {BY_ITSELF} stands for what happens by itself"));
    }
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
    if [&resolved.version, &resolved.revision, &resolved.build].into_iter().flatten().count() > 1 {
        return refuse("resolved_in has one of version, revision and build".to_owned());
    }
    for text in [&resolved.version, &resolved.revision, &resolved.build] {
        name("what it is resolved in", text.as_deref())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use panicle_store::ResolvedIn;

    use super::{doing, key, name, resolved};

    #[test]
    fn nobody_is_what_happens_by_itself() {
        for actor in ["panicle", "Panicle", " panicle "] {
            assert!(doing(Some(actor), None).is_err(), "{actor:?}");
        }
        for actor in [None, Some("ada"), Some("panicle-bot")] {
            assert!(doing(actor, None).is_ok(), "{actor:?}");
        }
    }

    #[test]
    fn names_can_be_seen() {
        for text in ["a\nb", "a\u{202e}b", "\u{200b}", "\u{feff}a", "a\u{2028}b"] {
            assert!(name("name", Some(text)).is_err(), "{text:?}");
        }
        for text in ["", " a ", "größe", "نمی\u{200c}خواهم", "👩\u{200d}🚀"] {
            assert!(name("name", Some(text)).is_ok(), "{text:?}");
        }
        assert!(key("service", Some(" a ")).is_err());
        assert!(key("service", Some("a\nb")).is_err());
        assert!(key("service", Some("a b")).is_ok());
    }

    #[test]
    fn a_group_is_resolved_in_one_thing() {
        let of = |version: Option<&str>, revision: Option<&str>, build: Option<&str>| {
            let [version, revision, build] = [version, revision, build].map(|text| text.map(str::to_owned));
            resolved(Some(&ResolvedIn { version, revision, build })).is_ok()
        };
        assert!(of(None, None, None) && of(Some("v1.0.0"), None, None) && of(None, None, Some("b")));
        assert!(!of(Some("v1.0.0"), Some("r"), None) && !of(Some("v1.0.0"), Some("r"), Some("b")));
    }
}
