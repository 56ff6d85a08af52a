//! What ends a group's being muted.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::regression::compare;

/// When a muted group is to be heard of again: at the first of these. With none of them, never by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct MuteUntil {
    /// After so many more crashes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// At this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub time: Option<Timestamp>,
    /// With a crash of this version of the main module, or of a newer one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it escalates: with more than `per_hour` crashes within an hour of the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
}

/// What counts as an escalation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Escalation {
    /// Crashes an hour; when not given, five times what the last week had in its worst hour, and 10 at least.
    pub per_hour: Option<u64>,
}

/// A mute as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// What ends it.
    pub until: MuteUntil,
    /// Number of crashes that the group has and that did not arrive since it began, those of groups that were
    /// merged into it meanwhile included. As it is stored, that of the moment in which it began.
    pub crashes_at_start: u64,
    /// The state that it goes back to.
    pub state_before: crate::GroupState,
    /// The rule that muted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// How a mute came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MuteEnd {
    /// There is more of it than was put up with.
    pub(crate) escalated: bool,
    pub(crate) reason: String,
}

/// What a group looks like once a crash has been counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen<'a> {
    /// Crashes that have arrived since it was muted, this one included.
    pub(crate) arrived: u64,
    /// Crashes in the hour of this crash.
    pub(crate) this_hour: u64,
    pub(crate) version: Option<&'a str>,
    /// The crash is not one that the muting rule matches.
    pub(crate) not_of_the_rule: bool,
    pub(crate) now: i64,
}

impl Mute {
    /// Whether it ends with this crash.
    pub(crate) fn ends(&self, seen: &Seen<'_>) -> Option<MuteEnd> {
        let end = |escalated, reason| Some(MuteEnd { escalated, reason });
        let until = &self.until;
        if self.rule.is_some() && seen.not_of_the_rule {
            return end(false, "a crash arrived that the muting rule does not match".to_owned());
        }
        let more = seen.arrived;
        if let Some(count) = until.count
            && more >= count
        {
            return end(true, format!("{more} more crashes have arrived, and it was muted until {count}"));
        }
        if let Some(limit) = until.escalation.and_then(|escalation| escalation.per_hour)
            && seen.this_hour > limit
        {
            let count = seen.this_hour;
            return end(true, format!("{count} crashes within an hour, and it was muted up to {limit}"));
        }
        if let (Some(wanted), Some(version)) = (&until.version, seen.version)
            && compare(version, wanted).is_some_and(|order| order != Ordering::Less)
        {
            return end(false, format!("it was muted until {wanted}, and a crash of {version} has arrived"));
        }
        self.ended_by_time(seen.now)
    }

    /// Whether its time is up.
    pub(crate) fn ended_by_time(&self, now: i64) -> Option<MuteEnd> {
        let time = self.until.time.filter(|time| time.as_microsecond() <= now)?;
        Some(MuteEnd {
            escalated: false,
            reason: format!("it was muted until {}", time.strftime("%Y-%m-%d %H:%M:%S UTC")),
        })
    }
}

/// The limit for an escalation that names none, from the fullest hour of the last week.
pub(crate) fn usual_limit(fullest_hour: u64) -> u64 {
    fullest_hour.saturating_mul(5).max(10)
}

#[cfg(test)]
mod tests {
    use super::{Escalation, Mute, MuteUntil, Seen, usual_limit};
    use crate::GroupState;

    fn mute(until: MuteUntil) -> Mute {
        Mute { until, crashes_at_start: 3, state_before: GroupState::Ongoing, rule: None }
    }

    #[test]
    fn each_condition_ends_it_at_its_bound_and_not_before() {
        let count = mute(MuteUntil { count: Some(2), ..MuteUntil::default() });
        assert!(count.ends(&Seen { arrived: 1, ..Seen::default() }).is_none());
        assert!(count.ends(&Seen { arrived: 2, ..Seen::default() }).unwrap().escalated);

        let escalation = Some(Escalation { per_hour: Some(10) });
        let rate = mute(MuteUntil { escalation, ..MuteUntil::default() });
        assert!(rate.ends(&Seen { this_hour: 10, arrived: 1000, ..Seen::default() }).is_none());
        assert!(rate.ends(&Seen { this_hour: 11, ..Seen::default() }).unwrap().escalated);

        let version = mute(MuteUntil { version: Some("v1.5.0".to_owned()), ..MuteUntil::default() });
        for (seen, ends) in [("v1.4.9", false), ("v1.5.0", true), ("v1.5.1", true), ("(devel)", false)] {
            assert_eq!(
                version.ends(&Seen { version: Some(seen), ..Seen::default() }).is_some(),
                ends,
                "{seen}"
            );
        }

        let time: jiff::Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let timed = mute(MuteUntil { time: Some(time), ..MuteUntil::default() });
        let at = time.as_microsecond();
        assert!(timed.ended_by_time(at - 1).is_none());
        assert!(timed.ended_by_time(at).unwrap().reason.contains("2026-01-02 03:04:05"));
        assert!(mute(MuteUntil::default()).ends(&Seen { arrived: u64::MAX, ..Seen::default() }).is_none());
    }

    #[test]
    fn what_a_rule_muted_is_heard_of_when_something_else_arrives() {
        let ruled = Mute { rule: Some("r".to_owned()), ..mute(MuteUntil::default()) };
        assert!(ruled.ends(&Seen::default()).is_none());
        assert!(ruled.ends(&Seen { not_of_the_rule: true, ..Seen::default() }).is_some());
        assert_eq!((usual_limit(0), usual_limit(1), usual_limit(100)), (10, 10, 500));
    }
}
