use serde::{Deserialize, Serialize};

use crate::Signal;

/// How the process came to its end, as the runtime tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PanicKind {
    /// A panic that nothing recovered.
    Panic,
    /// `throw` or `fatal`: cannot be recovered.
    Fatal,
    /// A signal that did not become a panic.
    Signal,
}

/// The panic, fatal error or signal that ended the process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Panic {
    /// How it came.
    pub kind: PanicKind,
    /// Panics of the dying goroutine, first raised first, as the runtime prints them.
    pub chain: Vec<PanicLink>,
    /// The line that a log would show: `panic: assignment to entry in nil map`.
    pub message: Option<String>,
    /// The signal that became the panic, or that the runtime died of, as its handler saw it. Under
    /// GOTRACEBACK=crash it is not [`crate::Process::signal`]: there the runtime ends itself with
    /// SIGABRT after printing.
    #[serde(default)]
    pub signal: Option<Signal>,
}

/// One panic of a chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PanicLink {
    /// What `panic` was called with; null for a `runtime.Goexit`.
    pub value: Option<PanicValue>,
    /// A deferred function recovered it. Where that is so of the last of a chain, and it was not raised again,
    /// the process went on: its log tells of a panic that somebody caught.
    pub recovered: bool,
    /// Recovered and raised again with the same value (Go 1.23+).
    pub repanicked: bool,
    /// Stands for a `runtime.Goexit` that was under way.
    pub goexit: bool,
    /// Goroutine it was raised on.
    pub goroutine: Option<u64>,
}

/// A panic's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PanicValue {
    /// Dynamic type as Go spells it; unknown where only text is left.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// As the runtime prints it.
    pub text: Option<String>,
    /// Written like a Go value, where memory still has it.
    pub value: Option<String>,
    /// Whether the dynamic type is an error: it has a method `Error`. Unknown where the type is.
    #[serde(default)]
    pub error: Option<bool>,
}
