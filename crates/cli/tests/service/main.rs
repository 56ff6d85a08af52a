//! The real program, over HTTP and its command line, with a data directory of its own for each
//! test. Cores and executables are those of real Go programs that died (`cargo xtask fixtures`).

#![expect(clippy::unwrap_used, reason = "tests say what they expect by unwrapping")]

mod access;
mod admin;
mod analysis;
mod backup;
mod chaos;
mod ci;
mod collectors;
mod command_line;
mod compose;
mod debuginfod;
mod durability;
mod edges;
mod form;
mod groups;
mod harness;
mod hooks;
mod incidents;
mod kubernetes;
mod limits;
mod link;
mod memory;
mod origin;
mod packed;
mod patience;
mod presigned;
mod problems;
mod projects;
mod questions;
mod references;
mod resumable;
mod scale_out;
mod search;
mod sending;
mod uploads;
mod waiting;
mod watching;

/// Starts a server of its own for a test: on SQLite and local files here.
use harness::on_files as start;
use harness::on_files_with as start_with;

/// The same tests where processes share their state: on PostgreSQL and an S3 store.
#[expect(clippy::duplicate_mod, reason = "they run twice, on another database and another store")]
#[path = "."]
mod on_stores {
    use crate::harness::on_stores as start;
    use crate::harness::on_stores_with as start_with;

    #[path = "analysis.rs"]
    mod analysis;
    #[path = "durability.rs"]
    mod durability;
    #[path = "form.rs"]
    mod form;
    #[path = "hooks.rs"]
    mod hooks;
    #[path = "incidents.rs"]
    mod incidents;
    #[path = "limits.rs"]
    mod limits;
    #[path = "memory.rs"]
    mod memory;
    #[path = "references.rs"]
    mod references;
    #[path = "resumable.rs"]
    mod resumable;
    #[path = "sending.rs"]
    mod sending;
    #[path = "uploads.rs"]
    mod uploads;
    #[path = "waiting.rs"]
    mod waiting;
}
