use serde::{Deserialize, Serialize};

use crate::{Address, Frame};

/// A data race, as the race detector reported it. The process went on after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Race {
    /// First line of the report in its text, 1-based.
    pub text_line: u64,
    /// The access that was noticed, then those before it.
    pub accesses: Vec<RaceAccess>,
    /// The goroutines named, and where they were made.
    pub goroutines: Vec<RaceGoroutine>,
    /// The text ends before the report does.
    pub truncated: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a word of its own in the report")]
/// One of the accesses that race.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RaceAccess {
    /// It wrote; otherwise it read.
    pub write: bool,
    /// It was made with sync/atomic.
    pub atomic: bool,
    /// It came before the one that was noticed.
    pub previous: bool,
    /// What was read or written; of a map its header.
    pub address: Address,
    /// Who did, by the detector's own numbers, which are no goroutine ids; null for the main goroutine
    /// and for finalizers.
    pub goroutine: Option<u64>,
    /// It was the main goroutine.
    pub main: bool,
    /// Innermost first; empty when the detector could not restore the stack.
    pub frames: Vec<Frame>,
}

/// A goroutine of a race.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RaceGoroutine {
    /// The detector's own number.
    pub id: u64,
    /// It had ended.
    pub finished: bool,
    /// The stack of the `go` statement, innermost first.
    pub created_at: Vec<Frame>,
}
