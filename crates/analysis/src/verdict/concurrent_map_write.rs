//! `concurrent-map-write`: two goroutines wrote to one map.
//!
//! Evidence, fixes and doubts are those of all three classes: [`super::concurrent_map`].

use panicle_report::VerdictClass;

use super::{concurrent_map, finding::Finding};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    // The second is Swiss maps' (1.24–1.26 map.go): a small map without room, which only a concurrent write can
    // bring about.
    matches!(
        facts.fatal()?,
        "concurrent map writes" | "small map with no empty slot (concurrent map writes?)"
    )
    .then(|| {
        concurrent_map::finding(
            facts,
            VerdictClass::ConcurrentMapWrite,
            "Concurrent map writes",
            "Two goroutines wrote to one map at the same time",
        )
    })
}
