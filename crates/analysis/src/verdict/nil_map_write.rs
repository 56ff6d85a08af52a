//! `nil-map-write`: an assignment to an entry of a nil map.
//!
//! Go 1.21–1.23: `plainError` in runtime/map.go, map_fast32.go, map_fast64.go, map_faststr.go
//! (mapassign*); 1.24+: `errNilAssign` of internal/runtime/maps, the same text. `reflect` and
//! `maps.Copy` reach it through the same function.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    if facts.runtime_error()? != "assignment to entry in nil map" {
        return None;
    }
    Some(
        Finding::runtime_panic(facts, VerdictClass::NilMapWrite, "Write to a nil map")
            .summary(format!(
                "An entry was assigned{} while the map was nil: declared, or left out when its struct was made, but \
                 never created with make or a literal. Reading such a map works and gives zero values, so the \
                 first write is where it shows.",
                in_place(facts)
            ))
            .fix("Make the map where its owner is made: m := make(map[K]V), or in the struct's constructor.")
            .fix("Where the zero value of the struct should work, make the map before the first write: if s.m == nil { s.m = make(map[K]V) } (under the lock that guards the map).")
            .fix("After decoding (JSON, YAML, gob), expect maps that were absent from the input to be nil.")
            .capture(capture::CORE)
            .capture("staticcheck ./...: SA5000 finds maps that are nil on every path."),
    )
}
