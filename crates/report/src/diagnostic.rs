use serde::{Deserialize, Serialize};

/// Which part of the work a [`Diagnostic`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Reading the core or another memory image.
    Image,
    /// Reading the executable and its debug information.
    Binary,
    /// Finding the runtime's structures.
    Layout,
    /// Listing goroutines and threads.
    Goroutines,
    /// Walking stacks.
    Unwind,
    /// Reading arguments, variables and values.
    Values,
    /// Reading the panic chain and fatal messages.
    Panic,
    /// Reading printed or recorded evidence.
    Evidence,
    /// Deciding on a verdict and signature.
    Verdict,
    /// Receiving, storing or scheduling.
    Service,
}

/// How much a [`Diagnostic`] takes away from the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; nothing is missing.
    Info,
    /// A part of the report is missing or less certain.
    Warning,
    /// A whole section of the report could not be made.
    Error,
}

/// Something that is missing, doubtful or worth knowing about how the report came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Diagnostic {
    /// The part of the work.
    pub stage: Stage,
    /// How much it takes away.
    pub severity: Severity,
    /// One sentence for a person.
    pub text: String,
    /// What it is about: a goroutine (`goroutine 7`), an address, a file or section name.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
}

impl Diagnostic {
    /// An [`Severity::Info`] entry without a reference.
    pub fn info(stage: Stage, text: impl Into<String>) -> Self {
        Self { stage, severity: Severity::Info, text: text.into(), reference: None }
    }

    /// A [`Severity::Warning`] entry without a reference.
    pub fn warning(stage: Stage, text: impl Into<String>) -> Self {
        Self { stage, severity: Severity::Warning, text: text.into(), reference: None }
    }

    /// A [`Severity::Error`] entry without a reference.
    pub fn error(stage: Stage, text: impl Into<String>) -> Self {
        Self { stage, severity: Severity::Error, text: text.into(), reference: None }
    }

    /// The same entry, about `reference`.
    #[must_use]
    pub fn about(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }
}
