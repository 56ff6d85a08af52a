//! A text read piece by piece, of which a bounded part is kept.

use panicle_report::Diagnostic;

use super::Limits;
use super::keeper::Keeper;
use super::model::CrashText;
use super::parser::Parser;
use crate::race::{self, RaceReport};

/// Reads a text of any size in memory that does not depend on it.
pub struct Reader {
    parser: Parser<Keeper>,
    bytes: u64,
}

/// What a text holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Crashes and goroutine dumps, in order.
    pub crashes: Vec<CrashText>,
    /// Reports of the race detector that differ, in order.
    pub races: Vec<RaceReport>,
    /// Reports of the race detector that repeat one of [`Self::races`].
    pub races_repeated: u64,
    /// Size of the text.
    pub bytes: u64,
    /// What was left out or is doubtful.
    pub diagnostics: Vec<Diagnostic>,
}

impl Default for Reader {
    fn default() -> Self {
        Self::with_limits(Limits::default())
    }
}

impl Reader {
    /// A reader with limits of one's own.
    pub fn with_limits(limits: Limits) -> Self {
        Self { parser: Parser::with_limits(Keeper::new(limits), limits), bytes: 0 }
    }

    /// Any number of bytes; lines may be cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.parser.push(bytes);
    }

    /// The text ends.
    pub fn finish(self) -> Reading {
        let (keeper, mut diagnostics) = self.parser.finish_with_sink();
        let kept = keeper.finish();
        diagnostics.extend(kept.diagnostics);
        diagnostics.extend(race::diagnose(&kept.races, kept.races_dropped));
        Reading {
            crashes: kept.crashes,
            races: kept.races,
            races_repeated: kept.races_repeated,
            bytes: self.bytes,
            diagnostics,
        }
    }
}
