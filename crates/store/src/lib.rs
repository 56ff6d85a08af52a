//! What Panicle knows, in a database.
