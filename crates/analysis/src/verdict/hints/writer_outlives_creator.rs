//! A goroutine that wrote to the map, or sent on the channel, after the function that started it had returned:
//! nobody waited for it, and its writes meet whoever got the data.
//!
//! Only where it is seen: the creator's goroutine is there and the function is not on its stack, or all
//! goroutines are known and the creator's is gone.

use panicle_report::{Goroutine, VerdictClass};

use super::{Finding, is_concurrent_map};
use crate::{
    facts::{Facts, Origin, describe},
    function,
};

pub(super) fn look(facts: &Facts<'_>, finding: &Finding) -> Option<String> {
    let what = if is_concurrent_map(finding.class) {
        "works on the map"
    } else if finding.class == VerdictClass::SendClosedChannel {
        "sends"
    } else {
        return None;
    };
    let mut parties: Vec<&Goroutine> = facts.crashing.into_iter().collect();
    let others = facts.goroutines.iter().filter(|g| finding.other_goroutines.contains(&g.id));
    parties.extend(others);
    let (party, creator) = parties.into_iter().find_map(|g| Some((g, returned(facts, g)?)))?;
    let place = party.frames.iter().find(|frame| crate::facts::in_app(frame)).map(describe);
    let place = place.map_or(String::new(), |place| format!(" in {place}"));
    Some(format!(
        "Goroutine {} {what}{place} though {}, which started it, has returned: nobody waited for it. Who calls {} gets \
         the data while the goroutine still works on it.",
        party.id,
        function::short(creator),
        function::short(creator),
    ))
}

/// The function that started a goroutine, if it has returned.
fn returned<'a>(facts: &Facts<'a>, goroutine: &'a Goroutine) -> Option<&'a str> {
    let created = goroutine.created_by.as_ref()?;
    // What the runtime and the libraries start (handlers, timers) is meant to go on.
    if function::owner(&created.function) != function::Owner::App {
        return None;
    }
    // Up to Go 1.20 the creator's number is not kept.
    let id = created.goroutine?;
    match facts.goroutines.iter().find(|other| other.id == id) {
        Some(creator) if creator.truncated || creator.frames.is_empty() => None,
        Some(creator) => {
            let there = creator.frames.iter().any(|frame| frame.function == created.function);
            (!there).then_some(created.function.as_str())
        }
        // Goroutine numbers are not used twice: it has ended.
        None if facts.origin == Origin::Memory => Some(created.function.as_str()),
        None => None,
    }
}
