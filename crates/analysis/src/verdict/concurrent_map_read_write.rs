//! `concurrent-map-read-write`: a map was read while another goroutine wrote to it.
//!
//! Evidence, fixes and doubts are those of all three classes: [`super::concurrent_map`].

use panicle_report::VerdictClass;

use super::{concurrent_map, finding::Finding};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    matches!(facts.fatal()?, "concurrent map read and map write").then(|| {
        concurrent_map::finding(
            facts,
            VerdictClass::ConcurrentMapReadWrite,
            "Concurrent map read and write",
            "A map was read while another goroutine wrote to it",
        )
    })
}
