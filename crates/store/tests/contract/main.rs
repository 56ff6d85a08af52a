//! Every query, on every database. SQLite always; PostgreSQL with the feature `postgres-tests`,
//! which needs `initdb` and `postgres` on the path.

#![expect(clippy::unwrap_used, reason = "tests say what they expect by unwrapping")]

mod crashes;
mod facts;
mod groups;
mod jobs;
mod joins;
mod origin;
mod retention;
mod rules;
mod search;
mod support;
mod symbols;
mod turns;
mod undo;
