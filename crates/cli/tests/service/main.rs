//! The real program, over HTTP and its command line, with a data directory of its own for each
//! test. Cores and executables are those of real Go programs that died (`cargo xtask fixtures`).

#![expect(clippy::unwrap_used, reason = "tests say what they expect by unwrapping")]

mod admin;
mod analysis;
mod command_line;
mod debuginfod;
mod durability;
mod edges;
mod groups;
mod harness;
mod limits;
mod memory;
mod origin;
mod packed;
mod problems;
mod questions;
mod search;
mod uploads;
mod waiting;
