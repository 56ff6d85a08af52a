//! What an analysis is given, and what it answers when an input cannot be read at all.

use thiserror::Error;

/// Everything known about one crash. At least one of `core` and `texts` must be there.
#[derive(Clone, Debug, Default)]
pub struct Inputs<'a> {
    /// The memory image.
    pub core: Option<NamedBytes<'a>>,
    /// Candidates for the executable; the one that the process ran is found among them.
    pub binaries: Vec<NamedBytes<'a>>,
    /// Files found where the process had mapped shared libraries, and debug files of such: see
    /// [`crate::CoreIdentity::libraries`]. Those among `binaries` are found, too.
    pub libraries: Vec<NamedBytes<'a>>,
    /// Printed crash texts and goroutine dumps.
    pub texts: Vec<NamedBytes<'a>>,
    /// Race detector reports.
    pub races: Vec<NamedBytes<'a>>,
    /// Execution traces.
    pub traces: Vec<NamedBytes<'a>>,
    /// pprof profiles.
    pub profiles: Vec<NamedBytes<'a>>,
}

/// One input file.
#[derive(Clone, Debug, Default)]
pub struct NamedBytes<'a> {
    /// Path or name, for messages and the report.
    pub name: Option<String>,
    /// The whole file, not compressed; usually a memory map.
    pub bytes: &'a [u8],
    /// Lower-case hexadecimal SHA-256 of the file where the caller has it. It is not computed here:
    /// a core can have hundreds of gigabytes, and whoever stored it knows the digest already.
    pub sha256: Option<String>,
}

impl NamedBytes<'_> {
    /// The name, or `role` where there is none.
    pub(crate) fn name_or(&self, role: &str) -> String {
        self.name.clone().unwrap_or_else(|| role.to_owned())
    }
}

/// How to analyse.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Which goroutines the report lists; clusters and counts are there in any case.
    pub goroutines: Listing,
}

/// Which goroutines a report lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// Every one.
    #[default]
    All,
    /// None: clusters and counts stand for them.
    Summary,
}

/// An input that is not what it was said to be, so that no report can be made.
///
/// Whatever leaves part of a report standing is a [`panicle_report::Diagnostic`] instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{input}: {reason}")]
pub struct AnalysisError {
    /// The input's name, or its role where it has none (`core`).
    pub input: String,
    /// One sentence without a full stop.
    pub reason: String,
}
