//! One killable child process for each analysis.
