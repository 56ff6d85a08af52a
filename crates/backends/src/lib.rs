//! Tests only: a real PostgreSQL server and a real S3 server to work on.
//!
//! What fails here fails the test that asked for it, so functions panic and say why.

#![expect(clippy::unwrap_used, reason = "tests say what they expect by unwrapping, and their servers too")]

mod postgres;
mod s3;

pub use postgres::{LastingServer, PostgresServer, ask, database};
pub use s3::S3Server;
