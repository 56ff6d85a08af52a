//! What Go printed or recorded about a process: tracebacks and race reports; and what a
//! collector wrote beside its core.
//!
//! Bytes come in, values and diagnostics come out. Nothing here opens a file, knows a clock or
//! fails: text is cut, interleaved and prefixed by whatever carried it, so every parser gives what
//! it understood and says what it left out.

pub mod collector;
pub mod race;
mod scan;
pub mod traceback;
