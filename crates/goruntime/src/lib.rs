//! What Go left in the memory of a crashed process: goroutines, stacks, the panic and values.
//!
//! [`reconstruct()`] puts it all together. Beneath it, from the ground up:
//!
//! - [`layout`]: where fields are, by name, per version; nothing else knows an offset;
//! - [`process`]: memory, executable and layout joined, and typed reads by field name;
//! - [`abi`]: how the architectures' stack frames differ;
//! - `module`, `globals`, `code`: where the linker put things, with symbols and without;
//! - `resolve`: which layout a crash has, and the proof that it fits;
//! - [`symbolize`] and [`unwind`]: names of pcs and the walk over a stack, as the runtime does both;
//! - [`goroutine`], [`threads`], [`frames`], [`args`], [`panics`], [`crash`]: the runtime's lists and
//!   what they mean;
//! - [`LibraryFile`] and the private `cframes`: C code, on stacks that cross cgo and on threads of its own;
//! - [`session`]: a process opened for questions, of which no more is read than the answer needs;
//! - [`expr`]: Go-like expressions; [`query`]: these and other questions, answered;
//! - `flow` and [`operations`]: arguments of functions by following their machine code, and with them who is
//!   inside which operation on which map;
//! - [`value`] and [`locals`]: typed values and the variables of frames, from debug information;
//! - [`maps`]: headers, entries and layout of maps.
//! - [`recovering`]: who defers a recover, by the code alone;
//! - the private `roots`: which maps there are, and who holds them.
//!
//! The oracle for all of it is the traceback that the dying runtime prints under
//! GOTRACEBACK=crash: every goroutine and frame here agrees with it.

pub mod abi;
pub mod args;
mod cframes;
mod clock;
mod code;
pub mod crash;
pub mod expr;
mod flow;
pub mod frames;
mod globals;
pub mod goroutine;
mod labels;
pub mod layout;
pub mod locals;
pub mod maps;
mod module;
pub mod operations;
pub mod owner;
pub mod panics;
pub mod process;
pub mod query;
pub mod receiver;
mod reconstruct;
pub mod recovering;
mod resolve;
mod roots;
pub mod session;
pub mod signals;
pub mod spell;
pub mod status;
pub mod symbolize;
pub mod threads;
pub mod unwind;
pub mod value;

pub use cframes::LibraryFile;
#[doc(hidden)]
pub use flow::follow_bytes;
pub use reconstruct::{Options, Reconstruction, reconstruct};
