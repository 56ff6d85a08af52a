//! Deciding in memory.

use jiff::Timestamp;

use crate::{Condition, Expr, FIELDS, Facts, FieldRef, Kind, Pattern, Span, Term, Test, ast::within};

/// Facts that are named for a term at most.
const MAX_NAMED: usize = 10;

/// Whether a crash is meant, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// It is.
    pub matched: bool,
    /// Each term, in the order of the text.
    pub terms: Vec<TermOutcome>,
}

/// What became of a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermOutcome {
    /// Where it is in the text that was parsed.
    pub span: Span,
    /// Its canonical spelling.
    pub text: String,
    /// It holds by itself, whatever is made of it by a negation around it.
    pub matched: bool,
    /// The facts by which it holds, name and value, ten at most.
    pub by: Vec<(String, String)>,
}

pub(crate) fn matches(expr: &Expr, facts: &Facts, now: Timestamp) -> bool {
    match expr {
        Expr::Term(term) => holds(term, facts, now, &mut |_, _| {}),
        Expr::Not(inner) => !matches(inner, facts, now),
        Expr::And(items) => items.iter().all(|item| matches(item, facts, now)),
        Expr::Or(items) => items.iter().any(|item| matches(item, facts, now)),
    }
}

pub(crate) fn explain(expr: Option<&Expr>, facts: &Facts, now: Timestamp) -> Explanation {
    let terms = expr.map(Expr::terms).unwrap_or_default();
    let outcome = |term: &&Term| {
        let mut by = Vec::new();
        let matched = holds(term, facts, now, &mut |name, value| {
            if by.len() < MAX_NAMED {
                by.push((name.to_owned(), value.to_owned()));
            }
        });
        let by = if matched { by } else { Vec::new() };
        TermOutcome { span: term.span, text: term.to_string(), matched, by }
    };
    Explanation {
        matched: expr.is_none_or(|expr| matches(expr, facts, now)),
        terms: terms.iter().map(outcome).collect(),
    }
}

fn holds(term: &Term, facts: &Facts, now: Timestamp, by: &mut dyn FnMut(&str, &str)) -> bool {
    match &term.condition {
        Condition::Anywhere(pattern) => anywhere(pattern, facts, by),
        Condition::Words(text) => {
            let literals = FIELDS.iter().filter(|field| field.literal);
            let mut found = false;
            for (name, value) in literals.flat_map(|field| values(facts, field.fact)) {
                if has_words(value, text) {
                    found = true;
                    by(name, value);
                }
            }
            found
        }
        Condition::Field(reference, test) => passes(reference, test, facts, now, by),
    }
}

fn values<'a>(facts: &'a Facts, name: &'static str) -> impl Iterator<Item = (&'static str, &'a str)> {
    facts.values(name).map(move |(value, _)| (name, value))
}

fn anywhere(pattern: &Pattern, facts: &Facts, by: &mut dyn FnMut(&str, &str)) -> bool {
    let mut found = false;
    for field in FIELDS.iter().filter(|field| field.free) {
        let wanted = field.free_patterns(pattern);
        for (name, value) in values(facts, field.fact) {
            if wanted.matches(&value.to_lowercase()) {
                found = true;
                by(name, value);
            }
        }
    }
    found
}

fn passes(
    reference: &FieldRef,
    test: &Test,
    facts: &Facts,
    now: Timestamp,
    by: &mut dyn FnMut(&str, &str),
) -> bool {
    let (field, fact) = (reference.field, reference.fact());
    let mut any = |passes: &mut dyn FnMut(&str, u64) -> bool| {
        let mut found = false;
        for (value, count) in facts.values(&fact) {
            if passes(value, count) {
                found = true;
                by(&fact, value);
            }
        }
        found
    };
    let like = |pattern: &Pattern| {
        let wanted = field.patterns(pattern);
        move |value: &str| {
            let folded = if field.case { value.to_owned() } else { value.to_lowercase() };
            wanted.iter().any(|pattern| pattern.matches(&folded))
        }
    };
    match test {
        Test::Pattern(pattern) => {
            let like = like(pattern);
            any(&mut |value, _| like(value))
        }
        Test::Version(interval) => {
            let Kind::Version(scheme) = field.kind else { return false };
            let bounds = interval.keys();
            any(&mut |value, _| scheme.key(value).is_some_and(|key| within(&bounds, key.as_str())))
        }
        Test::Number(interval) => facts.number(&fact).is_some_and(|number| {
            let holds = interval.holds(number);
            if holds {
                by(&fact, &number.to_string());
            }
            holds
        }),
        Test::Time(interval) => facts.time(&fact).is_some_and(|at| {
            let holds = within(&interval.times(now), &at);
            if holds {
                by(&fact, &at.to_string());
            }
            holds
        }),
        Test::Count(pattern, interval) => {
            let like = like(pattern);
            let mut total = 0_u64;
            any(&mut |value, count| {
                let counts = like(value);
                if counts {
                    total = if field.overlaps() { total.max(count) } else { total.saturating_add(count) };
                }
                counts
            });
            match interval {
                None => total > 0,
                // None of a kind is only known to be none where the goroutines are known.
                Some(interval) => {
                    (total > 0 || facts.number("goroutines").is_some()) && interval.holds(total)
                }
            }
        }
    }
}

/// Whether `text` is in `value` and begins and ends at the edge of words, as a regular expression's `\b` has it,
/// where it begins or ends with a letter, digit or `_`.
fn has_words(value: &str, text: &str) -> bool {
    let word = crate::parse::word_character;
    let (first, last) = (text.chars().next().is_some_and(word), text.chars().next_back().is_some_and(word));
    let mut from = 0;
    while let Some(found) = value[from..].find(text) {
        let start = from + found;
        let before = value[..start].chars().next_back().is_some_and(word);
        let after = value[start + text.len()..].chars().next().is_some_and(word);
        let part_of_longer = (first && before) || (last && after);
        if !part_of_longer {
            return true;
        }
        from = start + value[start..].chars().next().map_or(1, char::len_utf8);
    }
    false
}
