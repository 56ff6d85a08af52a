//! Hints: patterns beside the verdict that are worth a look and decide nothing.
//!
//! Each is a file of its own. A hint says what was seen; that it is the cause, nobody has proven.

mod handler_on_shared_map;
mod initialisation;
mod map_field_never_made;
mod panics_on_the_way;
mod race_before;
mod recover_elsewhere;
mod writer_outlives_creator;

use panicle_report::VerdictClass;

use super::finding::Finding;
use crate::facts::Facts;

/// A hint: its sentences, none where the pattern is not there.
type Hint = fn(&Facts<'_>, &Finding) -> Option<String>;

const HINTS: &[Hint] = &[
    panics_on_the_way::look,
    initialisation::look,
    recover_elsewhere::look,
    writer_outlives_creator::look,
    handler_on_shared_map::look,
    map_field_never_made::look,
    race_before::look,
];

/// All hints that fit a finding.
pub(super) fn about(facts: &Facts<'_>, finding: &Finding) -> Vec<String> {
    HINTS.iter().filter_map(|hint| hint(facts, finding)).collect()
}

fn is_concurrent_map(class: VerdictClass) -> bool {
    matches!(
        class,
        VerdictClass::ConcurrentMapWrite
            | VerdictClass::ConcurrentMapReadWrite
            | VerdictClass::ConcurrentMapIterationWrite
    )
}
