//! Errors that point at the place.

use thiserror::Error;

use crate::{MAX_DEPTH, MAX_LENGTH, MAX_TERMS, MAX_WILDCARDS};

/// Bytes of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// How many; 0 for a place between two.
    pub length: usize,
}

impl Span {
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { start, length: end.saturating_sub(start) }
    }

    /// First byte past it.
    pub const fn end(self) -> usize {
        self.start + self.length
    }
}

/// A text that is no query.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}{}", self.guess())]
pub struct ParseError {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub kind: ErrorKind,
    /// What would be right there, best first; empty where that cannot be said in a few words.
    pub expected: Vec<String>,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ErrorKind {
    /// It has more than [`MAX_LENGTH`] bytes.
    #[error("it is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// It has more than [`MAX_TERMS`] terms.
    #[error("it has more than {MAX_TERMS} terms")]
    TooManyTerms,
    /// It is nested more than [`MAX_DEPTH`] levels deep.
    #[error("it is nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// A value has more than [`MAX_WILDCARDS`] wildcards.
    #[error("this has more than {MAX_WILDCARDS} wildcards")]
    TooManyWildcards,
    /// Something has to follow.
    #[error("a term is missing here")]
    Missing,
    /// A parenthesis is never closed.
    #[error("this parenthesis is not closed")]
    Unclosed,
    /// A parenthesis closes nothing.
    #[error("this parenthesis closes nothing")]
    Unopened,
    /// A quoted text does not end.
    #[error("this quoted text does not end")]
    UnclosedQuote,
    /// Nothing is between the quotes.
    #[error("this text is empty")]
    Empty,
    /// A text without a field has no word in it, so it would be found nearly everywhere.
    #[error("this text needs at least one letter or digit")]
    NoWord,
    /// A predicate's text has to be in quotes.
    #[error("a text of a predicate is written in quotes")]
    Unquoted,
    /// There is no such field.
    #[error("there is no field {0}; a text with a colon is written in quotes")]
    UnknownField(String),
    /// The field takes a key.
    #[error("{0} takes a key: {0}.env:prod")]
    NoKey(&'static str),
    /// The field cannot be used in a predicate.
    #[error("{0} can change while the crash stays the same, so no rule can ask for it")]
    NotInPredicate(&'static str),
    /// The field has no value.
    #[error("{0} has no value here")]
    NoValue(String),
    /// The value does not fit the field.
    #[error("{value} is no value of {field}")]
    BadValue {
        /// The field.
        field: String,
        /// The value.
        value: String,
    },
    /// There is something that belongs behind the name of a field, and no name.
    #[error(
        "the name of a field is missing before this; a text with : or a comparison in it is written in quotes"
    )]
    NoField,
    /// A key has other characters than a name.
    #[error("a key with other characters than a-z, 0-9, _, -, . and / is written in quotes")]
    KeyUnquoted,
    /// A sign that is no operator by itself.
    #[error("{0} by itself is no operator")]
    LoneSign(String),
    /// A value is negated, not its term.
    #[error("a negation stands before the name of the field")]
    Negated,
    /// A text is in quotes that are not those of the language.
    #[error("a text is written in double quotes; this quote has \\ before it")]
    OtherQuote,
    /// Something follows a value at once.
    #[error("this belongs neither to what stands before it nor is it apart from it")]
    Glued,
    /// A range ends before it begins.
    #[error("{0} ends before it begins")]
    Backwards(String),
    /// Values of the field are in no order.
    #[error("{0} has no order, so it cannot be compared")]
    NoOrder(String),
}

impl ParseError {
    pub(crate) fn new(span: Span, kind: ErrorKind) -> Self {
        Self { span, kind, expected: Vec::new() }
    }

    pub(crate) fn expecting(mut self, expected: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.expected = expected.into_iter().map(Into::into).collect();
        self
    }

    /// The field that was meant, maybe.
    fn guess(&self) -> String {
        match (&self.kind, self.expected.first()) {
            (ErrorKind::UnknownField(_), Some(name)) => format!("; did you mean {name}?"),
            _ => String::new(),
        }
    }

    pub(crate) fn missing(at: usize) -> Self {
        Self::new(Span::new(at, at), ErrorKind::Missing).expecting(["a term"])
    }

    /// The text on one line, and carets under the place on the next.
    pub fn caret(&self, text: &str) -> String {
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let count =
            |from: usize, to: usize| text.char_indices().filter(|(at, _)| (from..to).contains(at)).count();
        let before = count(0, self.span.start);
        let under = count(self.span.start, self.span.end()).max(1);
        format!("{line}\n{}{}", " ".repeat(before), "^".repeat(under))
    }
}
