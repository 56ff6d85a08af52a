//! The canonical spelling.

use std::fmt::{self, Display, Formatter, Write};

use crate::{
    Condition, Expr, FieldRef, Interval, Kind, Op, Pattern, Predicate, Query, Term, Test, When,
    parse::word_character,
    pattern::{plain, quoted},
};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.expr() {
            Some(expr) => write(expr, &Signs { and: " ", or: " OR ", not: "-" }, f),
            None => Ok(()),
        }
    }
}

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write(self.expr(), &Signs { and: " && ", or: " || ", not: "!" }, f)
    }
}

struct Signs {
    and: &'static str,
    or: &'static str,
    not: &'static str,
}

fn write(expr: &Expr, signs: &Signs, f: &mut Formatter<'_>) -> fmt::Result {
    match expr {
        Expr::Term(term) => term.fmt(f),
        Expr::Not(inner) => {
            f.write_str(signs.not)?;
            inside(inner, !matches!(**inner, Expr::Term(_)), signs, f)
        }
        Expr::And(items) => list(items, signs.and, |item| matches!(item, Expr::Or(_)), signs, f),
        Expr::Or(items) => list(items, signs.or, |_| false, signs, f),
    }
}

fn list(
    items: &[Expr],
    sign: &str,
    parentheses: impl Fn(&Expr) -> bool,
    signs: &Signs,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(sign)?;
        }
        inside(item, parentheses(item), signs, f)?;
    }
    Ok(())
}

fn inside(expr: &Expr, parentheses: bool, signs: &Signs, f: &mut Formatter<'_>) -> fmt::Result {
    if !parentheses {
        return write(expr, signs, f);
    }
    f.write_char('(')?;
    write(expr, signs, f)?;
    f.write_char(')')
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.condition {
            Condition::Words(text) => quoted(text, f),
            Condition::Anywhere(pattern) => free(pattern, f),
            Condition::Field(reference, test) => {
                reference.fmt(f)?;
                f.write_char(':')?;
                match test {
                    // Without quotes it would stand for more than itself.
                    Test::Pattern(pattern) => match (reference.field.kind, pattern.as_literal()) {
                        (Kind::Version(_), Some(literal)) => quoted(literal, f),
                        _ => pattern.fmt(f),
                    },
                    Test::Version(interval) => write_interval(interval, |version| version.text.clone(), f),
                    Test::Number(interval) => write_interval(interval, u64::to_string, f),
                    Test::Time(Interval::Compare(_, when))
                        if matches!(reference.field.kind, Kind::Bound(_)) =>
                    {
                        f.write_str(&when.text())
                    }
                    Test::Time(interval) => write_interval(interval, When::text, f),
                    Test::Count(pattern, interval) => {
                        pattern.fmt(f)?;
                        let Some(interval) = interval else { return Ok(()) };
                        if matches!(interval, Interval::Compare(Op::Equal, _)) {
                            f.write_char('=')?;
                        }
                        write_interval(interval, u64::to_string, f)
                    }
                }
            }
        }
    }
}

impl Display for FieldRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.name)?;
        let Some(key) = &self.key else { return Ok(()) };
        f.write_char('.')?;
        let bare = key.chars().all(|c| c.is_ascii_alphanumeric() || "_.-/".contains(c));
        if bare && !key.is_empty() { f.write_str(key) } else { quoted(key, f) }
    }
}

/// A word without a field: in quotes where it could be read as something else.
fn free(pattern: &Pattern, f: &mut Formatter<'_>) -> fmt::Result {
    match pattern.as_literal() {
        Some(literal)
            if !literal.chars().all(plain)
                || !literal.chars().any(word_character)
                || matches!(literal, "AND" | "OR" | "NOT") =>
        {
            quoted(literal, f)
        }
        _ => pattern.fmt(f),
    }
}

fn write_interval<T>(
    interval: &Interval<T>,
    text: impl Fn(&T) -> String,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    match interval {
        Interval::Compare(op, value) => write!(f, "{}{}", op.as_str(), text(value)),
        Interval::Between(low, high) => {
            let text = |end: &Option<T>| end.as_ref().map_or_else(String::new, &text);
            write!(f, "{}..{}", text(low), text(high))
        }
    }
}
