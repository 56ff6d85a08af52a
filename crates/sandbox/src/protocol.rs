//! What parent and child say to each other.

use std::{path::PathBuf, time::Duration};

use panicle_report::{Binary, BuildIds, Goroutine, Query, QueryError, Report};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Rows;

/// What a child may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory of its own; mapped inputs do not count.
    pub memory_bytes: u64,
    /// Seconds of processor time, over all threads.
    pub cpu_seconds: u64,
    /// Time from start to end.
    pub wall: Duration,
    /// Bytes that it may answer.
    pub output_bytes: u64,
    /// Bytes that packed evidence may unpack to, holes counted.
    pub unpacked_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 4 << 30,
            cpu_seconds: 600,
            wall: Duration::from_mins(15),
            output_bytes: 8 << 30,
            unpacked_bytes: 128 << 30,
        }
    }
}

/// One piece of work for a child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// What to do.
    pub task: Task,
    /// With what.
    pub inputs: Vec<Input>,
    /// What it may use.
    pub limits: Limits,
    /// An empty folder for what [`Task::Unpack`] takes out; nothing else writes.
    pub scratch: Option<PathBuf>,
}

/// What a child is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Say what the one input is.
    Identify,
    /// Take the one input, which is compressed or an archive, apart.
    Unpack,
    /// Make a report.
    Analyse,
    /// Answer a question about the memory of a crash.
    Query(Box<Query>),
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// What it is used as.
    pub role: Role,
    /// Name for messages and the report.
    pub name: Option<String>,
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 in hexadecimal, where it is known.
    pub sha256: Option<String>,
}

/// What an input is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each name is its own definition")]
pub enum Role {
    Core,
    Binary,
    Text,
    Trace,
    Profile,
    Race,
    /// What a collector wrote about the process beside its core.
    Collected,
}

/// One line of what a child answers. All but the report stand alone; a
/// report is a head, its rows, its goroutines chunk by chunk, and an end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// What the input is.
    Identity(Identity),
    /// What was in the input.
    Unpacked(Unpacked),
    /// The report with the goroutines alone that the verdict names.
    Head(Box<Report>),
    /// A row for every goroutine.
    Rows(Rows),
    /// The next [`crate::GOROUTINES_IN_CHUNK`] goroutines, in the order of the rows.
    Goroutines(Vec<Goroutine>),
    /// Nothing is missing.
    End,
    /// What was asked for.
    Answer(Json),
    /// The question has no answer, and why.
    Refused(QueryError),
    /// An input is not what it was said to be.
    Failed {
        /// The input's name or role.
        input: String,
        /// One sentence without a full stop.
        reason: String,
    },
}

/// JSON that is handed on as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(pub Box<RawValue>);

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

/// What a file turned out to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// A memory image.
    Core(CoreIdentity),
    /// An executable.
    Binary(Binary),
    /// Compressed, or an archive: it has to be unpacked to know more.
    Packed,
    /// None of these, and why.
    Other(String),
}

/// What was in a packed input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacked {
    /// Each is a file in [`Job::scratch`]; at most one is a core.
    pub parts: Vec<Input>,
    /// Sentences about what is missing, damaged or of no use.
    pub notes: Vec<String>,
}

/// What a core says about the program that it came from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CoreIdentity {
    /// Path of the executable as the process knew it.
    pub executable: Option<String>,
    /// Identities of the executable, read from the process' memory.
    pub build_ids: BuildIds,
    /// Whether a Go program left it; `None` where memory does not tell.
    pub go: Option<bool>,
    /// GNU build IDs of the shared libraries that the process had mapped.
    #[serde(default)]
    pub libraries: Vec<String>,
}
