//! Exit codes, and the errors that lead to them.

use std::{fmt, process::ExitCode};

/// How a command ended without failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// Exit code 0.
    Done,
    /// Exit code 1: done, but what was asked for is not there (no crash found, verification failed).
    NotThere,
}

/// How a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Exit code 2: bad arguments.
    Arguments(String),
    /// Exit code 3: input unreadable or not what it was said to be.
    Input(String),
    /// Exit code 4: the service or store could not be reached.
    Unreachable(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arguments(text) | Self::Input(text) | Self::Unreachable(text) => f.write_str(text),
        }
    }
}

/// Says a failure on stderr and turns the outcome into the exit code.
pub(crate) fn code(outcome: Result<Done, Failure>) -> ExitCode {
    let number = match outcome {
        Ok(Done::Done) => 0,
        Ok(Done::NotThere) => 1,
        Err(failure) => {
            eprintln!("panicle: {failure}");
            match failure {
                Failure::Arguments(_) => 2,
                Failure::Input(_) => 3,
                Failure::Unreachable(_) => 4,
            }
        }
    };
    ExitCode::from(number)
}
