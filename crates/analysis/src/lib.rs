//! From evidence to a report: chooses the executable, has memory and text read, decides on a
//! verdict, computes the signature and clusters the goroutines.
//!
//! Pure: bytes come in, a [`panicle_report::Report`] comes out. No input makes it panic or fail as
//! long as one input can be read; what is missing is in the report's diagnostics.

mod analyse;
mod binaries;
mod carried;
mod clusters;
mod digest;
mod facts;
mod function;
mod go_trace;
mod identity;
mod inputs;
mod libraries;
mod memory;
mod ours;
mod printed;
mod question;
mod races;
mod search;
mod signature;
#[cfg(test)]
mod testing;
mod text;
mod verdict;

pub use analyse::{analyse, analyse_with};
pub use identity::{CoreIdentity, Identity, Library, identify};
pub use inputs::{AnalysisError, Inputs, Listing, NamedBytes, Options, ReadText, TextKind, TextReader};
pub use panicle_evidence::collector;
pub use panicle_goruntime::{expr, query as questions, session, value};
pub use question::{open, query};
pub use search::{DebugPointers, debug_pointers, is_debug_file_of, match_binary};
