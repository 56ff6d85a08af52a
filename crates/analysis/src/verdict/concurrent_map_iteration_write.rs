//! `concurrent-map-iteration-write`: a map was iterated while another goroutine wrote to it.
//!
//! Evidence, fixes and doubts are those of all three classes: [`super::concurrent_map`].

use panicle_report::VerdictClass;

use super::{concurrent_map, finding::Finding};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    // maps.Clone reads the whole map, as an iteration does.
    matches!(facts.fatal()?, "concurrent map iteration and map write" | "concurrent map clone and map write").then(|| {
        concurrent_map::finding(
            facts,
            VerdictClass::ConcurrentMapIterationWrite,
            "Concurrent map iteration and write",
            "A map was iterated (range, maps.Clone, encoding, printing) while another goroutine wrote to it",
        )
    })
}
