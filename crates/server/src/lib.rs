//! The HTTP API and the embedded web UI.
