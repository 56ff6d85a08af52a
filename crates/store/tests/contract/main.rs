//! Every query, on every database. PostgreSQL with the feature `postgres-tests`, which is on and needs
//! PostgreSQL's programs.

#![expect(clippy::unwrap_used, reason = "tests say what they expect by unwrapping")]

mod crashes;
mod facts;
mod groups;
mod history;
mod incidents;
mod jobs;
mod joins;
mod objects;
mod origin;
#[cfg(feature = "postgres-tests")]
mod processes;
mod projects;
mod retention;
mod rules;
mod search;
mod support;
mod symbols;
mod tokens;
mod turns;
mod undo;
mod upkeep;
mod uploads;
