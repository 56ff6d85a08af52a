//! Maps that are reached by reflection, as encoders and printers do.
//!
//! `reflect.Value` is three words: the type's descriptor, a pointer, and flags. Its methods take it by value, so
//! that it is their first three arguments (reflect/value.go). They hand the map on and forget it, while the value
//! that they were called with often stays.

use crate::{
    flow::{Found, Frames, Proof},
    process::Process,
};

/// `flagIndir`: the pointer leads to the map's word, and is not the word itself.
const INDIRECT: u64 = 1 << 7;

/// The map and the descriptor of its type that a method of `reflect.Value`, frame `index`, was called with.
pub(super) fn receiver(
    process: &Process<'_>,
    frames: &Frames<'_, '_>,
    index: usize,
    name: &str,
) -> Option<(Found, Found)> {
    let method = name.strip_prefix("reflect.Value.")?;
    if !matches!(method, "MapIndex" | "SetMapIndex" | "MapKeys" | "Clear") {
        return None;
    }
    let word = |number| frames.argument(index, number);
    let (of, pointer, flags) = (word(0)?, word(1)?, word(2)?);
    if flags.proof != Proof::Exact {
        return None;
    }
    let map = if flags.value & INDIRECT == 0 {
        pointer
    } else {
        Found { value: process.memory.u64(pointer.value).ok()?, proof: Proof::ReadAgain, ..pointer }
    };
    Some((Found { outside: true, ..map }, of))
}
