//! The handlers, by what they are about.

pub(crate) mod binaries;
pub(crate) mod blobs;
pub(crate) mod crashes;
pub(crate) mod eval;
pub(crate) mod form;
pub(crate) mod goroutines;
pub(crate) mod groups;
pub(crate) mod history;
pub(crate) mod hooks;
pub(crate) mod incidents;
pub(crate) mod maps;
pub(crate) mod objects;
pub(crate) mod presigned;
pub(crate) mod projects;
pub(crate) mod quarantine;
pub(crate) mod queries;
pub(crate) mod query;
pub(crate) mod reports;
pub(crate) mod reprocess;
pub(crate) mod retention;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod session;
pub(crate) mod tokens;
pub(crate) mod uploads;
