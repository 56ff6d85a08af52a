//! One killable child process for each analysis.
//!
//! What holds sockets or credentials never parses a core or an executable. It starts this very
//! program again as a child with a [`Job`] on its standard input, and takes [`Answer`]s, one JSON
//! document a line, from its standard output. The child limits itself before it reads any input
//! ([`child`]); the parent kills it when its time is up, when it says too much, and when nobody
//! wants the answer any more. The child in turn ends when its parent does.
//!
//! Whatever happens to the child is one of the variants of [`Stopped`], never an error of the
//! parent.

pub mod child;
mod protocol;
mod rows;
mod run;

pub use protocol::{Answer, CoreIdentity, Identity, Input, Job, Json, Limits, Role, Task, Unpacked};
pub use rows::{GOROUTINES_IN_CHUNK, Row, Rows};
pub use run::{Sandbox, Stopped};
