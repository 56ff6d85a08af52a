//! `unhashable-key`: an interface value whose dynamic type cannot be hashed or compared
//! (runtime/alg.go: `hash of unhashable type`, `comparing uncomparable type`). Go 1.25 and 1.26 have
//! a second wording for lookups in an empty map, `hash of unhashable type: T` without
//! `runtime error: ` (`unhashableTypeError` of internal/runtime/maps/map.go).

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let text = facts.runtime_error()?;
    let text = text.strip_prefix("runtime error: ").unwrap_or(text);
    let (type_name, used) = if let Some(type_name) = text.strip_prefix("hash of unhashable type") {
        (type_name.trim_start_matches([':', ' ']), "used as a map key")
    } else {
        (text.strip_prefix("comparing uncomparable type ")?, "compared with ==")
    };
    Some(
        Finding::runtime_panic(
            facts,
            VerdictClass::UnhashableKey,
            format!("Value of type {type_name} {used}"),
        )
        .summary(format!(
            "An interface value that holds a {type_name} was {used}{}. Slices, maps, functions and structs with such \
             fields have no equality, and behind an interface the compiler cannot tell.",
            in_place(facts)
        ))
        .fix("Key by something comparable: a string, an array, or a struct of such fields.")
        .fix("Make the map's key a concrete comparable type in place of any, so that the compiler checks it.")
        .example(include_str!("examples/unhashable_key.go"))
        .capture(capture::CORE),
    )
}
