//! Questions about a crash's memory, which somebody else has to answer: the server parses no evidence.

use std::{future::Future, pin::Pin};

use panicle_report::{Query, QueryError};
use serde_json::value::RawValue;

/// Answers questions about the memory of crashes.
pub trait CrashMemory: Send + Sync {
    /// The JSON of the answer: `MapEntries` and `MapLayout` of the report crate, or an [`Evaluated`].
    ///
    /// Dropping the future calls the work off.
    ///
    /// [`Evaluated`]: panicle_report::Evaluated
    fn ask<'a>(&'a self, crash: &'a str, query: Query) -> Answering<'a>;
}

/// An answer that is being looked for.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Box<RawValue>, AskError>> + Send + 'a>>;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no memory to ask: no core, or no executable that fits it.
    #[error("{0}")]
    NoMemory(String),
    /// There was, and the evidence is not kept any more.
    #[error("{0}")]
    Gone(String),
    /// The question is wrong.
    #[error("{0:?}")]
    Query(QueryError),
    /// The answer would take more time, memory or room than a question may.
    #[error("{0}")]
    TooMuch(String),
    /// Too many questions at once.
    #[error("too many questions are being answered; ask again later")]
    Busy,
    /// Something went wrong here.
    #[error("{0}")]
    Failed(String),
}
