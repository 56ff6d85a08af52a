//! The order of work.

use panicle_report::Report;

use crate::{AnalysisError, Inputs, Options};

/// Makes a report of everything in `inputs`.
///
/// Fails only where an input is not what it was said to be (a core that is no core, a text without
/// any Go crash output) and nothing else carries a report.
pub fn analyse(inputs: &Inputs<'_>, options: &Options) -> Result<Report, AnalysisError> {
    let _ = (inputs, options);
    Err(AnalysisError { input: "core".to_owned(), reason: "cannot be read yet".to_owned() })
}
