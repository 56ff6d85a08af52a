//! Sends evidence to a Panicle service.
