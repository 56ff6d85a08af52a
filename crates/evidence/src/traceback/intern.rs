//! One allocation for a name that is printed a million times.

use std::hash::Hasher as _;
use std::sync::Arc;

use rustc_hash::FxHasher;

/// Slots of the cache. A dump names few distinct functions and files at a time; arguments that
/// differ everywhere only displace each other.
const SLOTS: usize = 1 << 12;

/// Longer texts are not remembered, so that [`SLOTS`] of them have a bound.
const LONGEST: usize = 1024;

/// A direct-mapped cache of strings: equal text mostly shares its allocation, and the memory of
/// the cache itself has a bound whatever the input.
pub(super) struct Interner {
    slots: Box<[Option<Arc<str>>]>,
    empty: Arc<str>,
}

impl Interner {
    pub(super) fn new() -> Self {
        Self { slots: vec![None; SLOTS].into_boxed_slice(), empty: Arc::from("") }
    }

    /// The text as a string; bytes that are not UTF-8 become replacement characters.
    pub(super) fn get(&mut self, text: &[u8]) -> Arc<str> {
        if text.is_empty() {
            return self.empty.clone();
        }
        if text.len() > LONGEST {
            return Arc::from(String::from_utf8_lossy(text).as_ref());
        }
        let mut hasher = FxHasher::default();
        hasher.write(text);
        // FxHasher's good bits are the high ones.
        let slot = &mut self.slots[(hasher.finish() >> 52) as usize & (SLOTS - 1)];
        match slot {
            Some(known) if known.as_bytes() == text => known.clone(),
            _ => {
                let new: Arc<str> = Arc::from(String::from_utf8_lossy(text).as_ref());
                *slot = Some(new.clone());
                new
            }
        }
    }
}
