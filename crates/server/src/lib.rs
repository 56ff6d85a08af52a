//! The HTTP API and the embedded web UI.
//!
//! The process that this runs in holds sockets, so it never parses evidence: of an upload it looks
//! at the first few bytes ([`mod@sniff`]), and everything else is the work of children that a worker
//! starts. Every error is an RFC 9457 problem ([`Problem`]). The OpenAPI document is made from the
//! handlers and the shapes that they answer ([`openapi`]).

mod access;
mod api;
mod debuginfod;
mod embed;
mod extract;
mod guard;
mod hooks;
mod limits;
mod memory;
mod observe;
mod operations;
mod page;
mod problem;
mod report_cache;
mod resumable;
mod revision;
mod routes;
mod serve;
mod shapes;
mod sniff;
mod state;
mod tus;
mod upload;
mod wire;

pub use access::Rates;
pub use hooks::alerts::AlertLabels;
pub use memory::{Answering, AskError, CrashMemory};
pub use problem::Problem;
pub use routes::{openapi, router, worker_router};
pub use serve::{ListenError, bind, serve};
pub use sniff::sniff;
pub use state::{AppState, BLOCKING_THREADS, Stuck};
