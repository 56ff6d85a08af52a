//! What an analysis is given, and what it answers when an input cannot be read at all.

use panicle_evidence::traceback::{Limits, Reader, Reading};
use panicle_report::{Diagnostic, Stage};
use thiserror::Error;

/// Everything known about one crash. A core, a text or a race report must be there.
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
    /// What a collector wrote beside the core, see [`panicle_evidence::collector`].
    pub collected: Vec<NamedBytes<'a>>,
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

/// What a text was said to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextKind {
    /// A printed crash or dump, or the log that holds it.
    #[default]
    Text,
    /// Reports of the race detector.
    Race,
}

/// Reads a text of any size, piece by piece, in memory that does not depend on its size.
pub struct TextReader {
    kind: TextKind,
    name: Option<String>,
    reader: Reader,
    notes: Vec<Diagnostic>,
}

/// A text that was read.
#[derive(Clone, Debug, Default)]
pub struct ReadText {
    pub(crate) kind: TextKind,
    pub(crate) name: Option<String>,
    pub(crate) size_bytes: u64,
    pub(crate) sha256: Option<String>,
    pub(crate) reading: Reading,
}

impl TextReader {
    /// A reader of a text with the name `name`.
    pub fn new(kind: TextKind, name: Option<String>) -> Self {
        Self { kind, name, reader: Reader::with_limits(Limits::default()), notes: Vec::new() }
    }

    /// The next bytes, as many as there are; lines may be cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        self.reader.push(bytes);
    }

    /// A sentence about how it was read, for the report.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(Diagnostic::warning(Stage::Evidence, text));
    }

    /// The text ends. `size_bytes` and `sha256` are the file's, which may be compressed.
    pub fn finish(self, size_bytes: u64, sha256: Option<String>) -> ReadText {
        let mut reading = self.reader.finish();
        reading.diagnostics.extend(self.notes);
        ReadText { kind: self.kind, name: self.name, size_bytes, sha256, reading }
    }
}

impl ReadText {
    /// There is nothing in it that Go prints when something is wrong.
    pub fn is_nothing(&self) -> bool {
        self.reading.crashes.is_empty() && self.reading.races.is_empty()
    }

    pub(crate) fn of(kind: TextKind, input: &NamedBytes<'_>) -> Self {
        let mut reader = TextReader::new(kind, input.name.clone());
        reader.push(input.bytes);
        reader.finish(input.bytes.len() as u64, input.sha256.clone())
    }

    /// The name, or what it was said to be where there is none.
    pub(crate) fn name_or_kind(&self) -> String {
        self.name.clone().unwrap_or_else(|| match self.kind {
            TextKind::Text => "text".to_owned(),
            TextKind::Race => "race report".to_owned(),
        })
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
