//! Why an expression has no value.

use panicle_report::EvalError;

/// What sort of error, as [`EvalError::kind`] spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Syntax,
    UnknownName,
    Type,
    NilDereference,
    OutOfRange,
    NoSuchKey,
    Unreadable,
    NotKept,
    Unsupported,
    Limit,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::UnknownName => "unknown-name",
            Self::Type => "type",
            Self::NilDereference => "nil-dereference",
            Self::OutOfRange => "out-of-range",
            Self::NoSuchKey => "no-such-key",
            Self::Unreadable => "unreadable",
            Self::NotKept => "not-kept",
            Self::Unsupported => "unsupported",
            Self::Limit => "limit",
        }
    }

    /// An error of this kind about the byte `at` of the expression.
    pub(crate) fn at(self, at: usize, message: impl Into<String>) -> EvalError {
        let mut message = message.into();
        // A name may be as long as the expression, and a message should not be.
        if message.len() > LONGEST_MESSAGE {
            let end = (0..=LONGEST_MESSAGE).rev().find(|end| message.is_char_boundary(*end)).unwrap_or(0);
            message.truncate(end);
            message.push('…');
        }
        EvalError { kind: self.name().to_owned(), message, position: Some(at as u64) }
    }
}

/// Bytes of a message.
const LONGEST_MESSAGE: usize = 1000;
