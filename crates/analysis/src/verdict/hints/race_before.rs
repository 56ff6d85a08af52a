//! The race detector had reported races before the process crashed.

use panicle_report::VerdictClass;

use super::Finding;
use crate::facts::{Facts, describe, in_app};

pub(super) fn look(facts: &Facts<'_>, finding: &Finding) -> Option<String> {
    if finding.class == VerdictClass::DataRace {
        return None;
    }
    let race = facts.races.first()?;
    let frame = race.accesses.iter().flat_map(|access| &access.frames).find(|frame| in_app(frame));
    let place = frame.map_or(String::new(), |frame| format!(", the first of them in {}", describe(frame)));
    let times = match facts.races.len() {
        1 => "a data race".to_owned(),
        count => format!("{count} data races"),
    };
    Some(format!("The race detector reported {times} besides{place}."))
}
