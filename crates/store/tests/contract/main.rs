//! Every query, on every database. SQLite always; PostgreSQL with the feature `postgres-tests`,
//! which needs `initdb` and `postgres` on the path.

mod crashes;
mod jobs;
mod support;
