//! One small language over crashes, groups and goroutine facts, and the predicates of rules.
//!
//! Both are one grammar with one tree ([`Expr`]); they differ in what may be asked:
//!
//! - a [`Query`] is what people type into a search: `class:nil-map-write service:auth go:>=1.24 since:24h`.
//!   Words without a field are looked for anywhere, in either case; an empty query is all;
//! - a [`Predicate`] is what a rule claims crashes by: `"main.(*Cache).Put" && !version:v1.4.*`. It asks only
//!   for what does not change while the crash stays the same (no times, states or counts of a group), and a
//!   quoted text has to be complete words of a frame, the title, the class or the message, in this case, as in the
//!   Go team's own grouping of its telemetry.
//!
//! ```text
//! or    = and { ("OR" | "||") and }
//! and   = not { ["AND" | "&&"] not }
//! not   = ("NOT" | "!" | "-") not | "(" or ")" | term
//! term  = text | field ":" value
//! ```
//!
//! [`fields`] is the table of what can be asked, with types, help and examples.
//!
//! # How to use it
//!
//! - [`Query::parse`] and [`Predicate::parse`] read a text, or say what is wrong at which bytes
//!   ([`ParseError`]: place, what was expected, and [`ParseError::caret`] for a terminal);
//! - `to_string` is the canonical spelling, which parses to the same tree;
//! - [`Facts`] is what is known of one crash; [`Facts::of_report`] takes them from a report;
//! - [`Predicate::matches`] and [`Query::matches`] decide, [`Predicate::explain`] and [`Query::explain`] also say
//!   which terms matched and by which facts;
//! - `Query::expr` and [`Field::patterns`] are what the store makes SQL of;
//! - [`complete::place`] says what could be typed at a place of an unfinished query.
//!
//! Nothing here reads a clock: times relative to now take `now` from the caller. A text has at most
//! [`MAX_LENGTH`] bytes, [`MAX_TERMS`] terms and [`MAX_DEPTH`] levels, so every step is bounded.

mod ast;
pub mod complete;
mod error;
mod eval;
mod facts;
pub mod fields;
mod parse;
mod pattern;
mod print;
mod report;
mod slips;
mod time;
mod value;
mod version;

pub use ast::{Condition, Ends, Expr, FieldRef, Interval, Op, Term, Test};
pub use error::{ErrorKind, ParseError, Span};
pub use eval::{Explanation, TermOutcome};
pub use facts::{Fact, Facts};
pub use fields::{FIELDS, Field, Kind, Subject};
pub use pattern::{Pattern, Piece};
pub use time::When;
pub use version::{Scheme, Version};

use jiff::Timestamp;

/// Longest text of a query or predicate, in bytes.
pub const MAX_LENGTH: usize = 4096;
/// Most terms of one.
pub const MAX_TERMS: usize = 100;
/// Deepest nesting of parentheses and negations.
pub const MAX_DEPTH: usize = 32;
/// Most wildcards of one value.
pub const MAX_WILDCARDS: usize = 8;

/// A query: what crashes, or groups of them, are searched by.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    expr: Option<Expr>,
}

impl Query {
    /// Reads a query. One of nothing but blanks is all crashes.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::parse(text, parse::Dialect::Query).map(|expr| Self { expr })
    }

    /// The tree; `None` for the empty query.
    pub fn expr(&self) -> Option<&Expr> {
        self.expr.as_ref()
    }

    /// Whether a crash with these facts is meant.
    pub fn matches(&self, facts: &Facts, now: Timestamp) -> bool {
        self.expr.as_ref().is_none_or(|expr| eval::matches(expr, facts, now))
    }

    /// The same, with which terms matched and why.
    pub fn explain(&self, facts: &Facts, now: Timestamp) -> Explanation {
        eval::explain(self.expr.as_ref(), facts, now)
    }
}

/// A predicate: what a rule claims crashes by.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicate {
    expr: Expr,
}

impl Predicate {
    /// Reads a predicate. An empty one is an error: a rule that claims everything is never meant.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let missing = || ParseError::missing(text.len());
        parse::parse(text, parse::Dialect::Predicate)?.map(|expr| Self { expr }).ok_or_else(missing)
    }

    /// The tree.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// Whether it claims a crash with these facts.
    pub fn matches(&self, facts: &Facts) -> bool {
        // No term of a predicate is about time.
        eval::matches(&self.expr, facts, Timestamp::UNIX_EPOCH)
    }

    /// The same, with which terms matched and why.
    pub fn explain(&self, facts: &Facts) -> Explanation {
        eval::explain(Some(&self.expr), facts, Timestamp::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests;
