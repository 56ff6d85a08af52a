//! Go's function table, `.gopclntab`: which function a pc is in, where its frame ends, what was
//! inlined there, and which file and line that is.
//!
//! The table survives stripping, since the runtime itself needs it to print tracebacks and to
//! collect garbage. Formats are told apart by the header's magic; this reader knows the two in use
//! since Go 1.18 (`internal/abi/symtab.go`, `runtime/symtab.go`, `runtime/symtabinl.go` and
//! `cmd/link/internal/ld/pcln.go` of each version).
//!
//! All pcs here are link-time addresses; for a position-independent executable the caller takes
//! the load bias off first.

mod func;
mod header;
mod inline;
mod pcvalue;
mod search;
#[cfg(test)]
mod tests;

pub use func::{FuncFlags, Function};
pub use header::{Pclntab, PclntabError, PclntabVersion};
pub use inline::{InlineFrame, InlineFrames};
pub(crate) use search::search;
