use serde::{Deserialize, Serialize};

use crate::{
    Binary, Diagnostic, Goroutine, GoroutineCluster, Layout, Map, Panic, Process, Race, Signature, Source,
    Thread, Verdict,
};

/// The value of [`Report::schema`].
pub const SCHEMA: &str = "panicle.report/1";

/// Everything Panicle knows about one crash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What it was made from.
    pub source: Source,
    /// The process.
    pub process: Process,
    /// The executable, if one was at hand.
    pub binary: Option<Binary>,
    /// Where the runtime's structure offsets came from; null when no memory was read.
    pub layout: Option<Layout>,
    /// What happened.
    pub verdict: Verdict,
    /// The panic chain, fatal error or signal.
    pub panic: Option<Panic>,
    /// What groups it.
    pub signature: Signature,
    /// All goroutines, the one at fault first, then by id; empty with `--goroutines summary`.
    pub goroutines: Vec<Goroutine>,
    /// How many goroutines there are, whatever is listed. Of a long dump that was printed more are
    /// counted in the clusters than are listed.
    pub goroutine_count: u64,
    /// Goroutines with one stack, largest cluster first.
    pub goroutine_clusters: Vec<GoroutineCluster>,
    /// Maps that were found in memory, those of the verdict first.
    #[serde(default)]
    pub maps: Vec<Map>,
    /// Maps that were found and are not listed.
    #[serde(default)]
    pub maps_left_out: u64,
    /// Reports of the race detector that differ, in order.
    #[serde(default)]
    pub races: Vec<Race>,
    /// OS threads.
    pub threads: Vec<Thread>,
    /// What is missing or doubtful.
    pub diagnostics: Vec<Diagnostic>,
}
