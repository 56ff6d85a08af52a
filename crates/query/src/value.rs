//! Values, by the kind of their field.

use crate::{
    ErrorKind, FieldRef, Interval, Kind, Op, ParseError, Scheme, Span, Test, When,
    parse::{Parser, Raw, counts},
    slips::{self, Backwards},
};

/// Reads what stands after the colon.
pub(crate) fn test(parser: &mut Parser<'_>, reference: &FieldRef, name: Span) -> Result<Test, ParseError> {
    let field = reference.field;
    let start = parser.at;
    let op = operator(parser);
    // `service:=auth` says the same as `service:auth`.
    if op.is_some_and(|op| op != Op::Equal) && !ordered(field.kind) {
        let span = Span::new(start, parser.at);
        return Err(ParseError::new(span, ErrorKind::NoOrder(field.name.to_owned())));
    }
    let raw = parser.value(counts(field.kind))?;
    if raw.pattern.is_empty() {
        let span = if raw.span.length == 0 { Span::new(name.start, parser.at) } else { raw.span };
        let kind = ErrorKind::NoValue(field.name.to_owned());
        return Err(ParseError::new(span, kind).expecting(shapes(field.kind).iter().copied()));
    }
    let wrong = |raw: &Raw| {
        let value = parser.text[raw.span.start..raw.span.end()].to_owned();
        let kind = ErrorKind::BadValue { field: field.name.to_owned(), value };
        ParseError::new(raw.span, kind).expecting(shapes(field.kind).iter().copied())
    };
    slips::value(parser, &reference.to_string(), &raw)?;
    if slips::dots_are_a_range(field.kind) && raw.text.contains("..") {
        return Err(wrong(&raw));
    }
    let forwards = |test: Test, backwards: bool| {
        if !backwards {
            return Ok(test);
        }
        let (low, high) = raw.text.split_once("..").unwrap_or_default();
        let kind = ErrorKind::Backwards(raw.text.clone());
        Err(ParseError::new(raw.span, kind).expecting([format!("{high}..{low}")]))
    };
    match field.kind {
        Kind::Word | Kind::Text | Kind::Path | Kind::Hash => Ok(Test::Pattern(raw.pattern)),
        Kind::OneOf(words) => {
            if slips::fits_one(&raw.pattern, words) {
                Ok(Test::Pattern(raw.pattern))
            } else {
                Err(wrong(&raw).expecting(nearest(&raw.text, words)))
            }
        }
        Kind::Version(scheme) => {
            let test = version(&raw, op, scheme).ok_or_else(|| wrong(&raw))?;
            let backwards = matches!(&test, Test::Version(interval) if interval.backwards());
            forwards(test, backwards)
        }
        Kind::Number => {
            let interval = interval(&raw, op, number).ok_or_else(|| wrong(&raw))?;
            let backwards = interval.backwards();
            forwards(Test::Number(interval), backwards)
        }
        Kind::Time => {
            let interval = interval(&raw, op, When::parse).filter(|interval| {
                // Nothing happens at "24 hours ago" exactly.
                !matches!(interval, Interval::Compare(Op::Equal, When::Ago(..)))
            });
            let interval = interval.ok_or_else(|| wrong(&raw))?;
            let backwards = interval.backwards();
            forwards(Test::Time(interval), backwards)
        }
        Kind::Bound(after) => {
            let when = When::parse(&raw.text).filter(|_| op.is_none()).ok_or_else(|| wrong(&raw))?;
            let op = if after { Op::GreaterOrEqual } else { Op::LessOrEqual };
            Ok(Test::Time(Interval::Compare(op, when)))
        }
        Kind::Count | Kind::CountPath => {
            if op.is_some() {
                return Err(wrong(&raw));
            }
            let Some(op) = operator(parser) else { return Ok(Test::Count(raw.pattern, None)) };
            let end = parser.at;
            let limit = parser.value(true)?;
            if limit.span.length == 0 {
                let kind = ErrorKind::NoValue(field.name.to_owned());
                return Err(ParseError::new(Span::new(end, end), kind).expecting(["a number"]));
            }
            let interval = interval(&limit, Some(op), number);
            let interval = interval.ok_or_else(|| wrong(&limit).expecting(["a number"]))?;
            Ok(Test::Count(raw.pattern, Some(interval)))
        }
    }
}

const fn ordered(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Version(_) | Kind::Number | Kind::Time | Kind::Bound(_) | Kind::Count | Kind::CountPath
    )
}

fn operator(parser: &mut Parser<'_>) -> Option<Op> {
    [
        (">=", Op::GreaterOrEqual),
        ("<=", Op::LessOrEqual),
        (">", Op::Greater),
        ("<", Op::Less),
        ("=", Op::Equal),
    ]
    .into_iter()
    .find_map(|(token, op)| parser.take(token).then_some(op))
}

fn number(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    let known = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // As much as the database can hold.
    digits.parse().ok().filter(|number| known && i64::try_from(*number).is_ok())
}

/// `a`, `>a`, `a..b`, `a..`, `..b`.
fn interval<T>(raw: &Raw, op: Option<Op>, read: impl Fn(&str) -> Option<T>) -> Option<Interval<T>> {
    if op.is_none()
        && let Some((low, high)) = raw.text.split_once("..")
    {
        let end = |text: &str| if text.is_empty() { Some(None) } else { read(text).map(Some) };
        let (low, high) = (end(low)?, end(high)?);
        return (low.is_some() || high.is_some()).then_some(Interval::Between(low, high));
    }
    read(&raw.text).map(|value| Interval::Compare(op.unwrap_or(Op::Equal), value))
}

fn version(raw: &Raw, op: Option<Op>, scheme: Scheme) -> Option<Test> {
    let wild = raw.pattern.as_literal().is_none();
    // A range of patterns has no meaning.
    if wild && raw.text.contains("..") {
        return None;
    }
    if op.is_none() && (raw.quoted || wild) {
        // `1.4.*` is as good as `v1.4.*`.
        let short = wild && !raw.quoted && raw.text.starts_with(|c: char| c.is_ascii_digit());
        if !short {
            return Some(Test::Pattern(raw.pattern.clone()));
        }
        let prefix = crate::Piece::Text(scheme.prefix().to_owned());
        return Some(Test::Pattern(raw.pattern.between(&[prefix], &[])));
    }
    if wild {
        return None;
    }
    interval(raw, op, |text| scheme.version(text)).map(Test::Version)
}

/// What a value of this kind looks like.
fn shapes(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Word | Kind::OneOf(_) | Kind::Count => &["a word", "a text in quotes", "a pattern with *"],
        Kind::Text => &["a text in quotes", "a pattern with *"],
        Kind::Path => &["a name or its end", "a pattern with *"],
        Kind::CountPath => &["the name of a function or its end", "a pattern with *"],
        Kind::Hash => &["the beginning of an identifier"],
        Kind::Version(Scheme::Go) => &["1.24", ">=1.24", "1.22..1.24", "go1.24.*", "a text in quotes"],
        Kind::Version(Scheme::Module) => &["v1.4.2", ">=v1.4", "v1.2..v1.4", "v1.4.*", "a text in quotes"],
        Kind::Number => &["a number", ">10", "1..10"],
        Kind::Time => &["2026-01-02", ">=24h", "2026-01-02T15:04:05Z", "2026-01-01..2026-01-31"],
        Kind::Bound(_) => &["24h", "7d", "2026-01-02", "2026-01-02T15:04:05Z"],
    }
}

/// The words that are like this one, or all of a short list.
fn nearest<'a>(text: &str, words: &'a [&'a str]) -> Vec<&'a str> {
    if words.len() <= 8 {
        return words.to_vec();
    }
    let text = text.to_lowercase().replace(['*', '?'], "");
    let mut found: Vec<(usize, &str)> = words
        .iter()
        .map(|word| {
            let part = text.len() > 2 && word.contains(&text);
            // What is not typed to its end is held against as much of the word.
            let begins = word.get(..text.len().max(4)).map_or(usize::MAX, |begins| {
                strsim::osa_distance(&text, begins).saturating_mul(2).saturating_add(1)
            });
            (if part { 0 } else { strsim::osa_distance(&text, word).min(begins) }, *word)
        })
        .filter(|(distance, _)| *distance <= 4)
        .collect();
    found.sort_unstable();
    found.into_iter().take(5).map(|(_, word)| word).collect()
}
