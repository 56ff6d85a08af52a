//! What looks like a part of the language and is none: said to whoever wrote it, instead of being looked for as a
//! word. The canonical spelling never has any of this outside of quotes.

use crate::{
    ErrorKind, Interval, ParseError, Pattern, Span, When,
    fields::{self, Kind},
    parse::{Parser, Raw},
    pattern::quoted,
};

/// Quotes that are not those of the language.
const OTHER_QUOTES: [char; 6] = ['\'', '‘', '’', '“', '”', '„'];
/// A name that is compared has to be this long to be taken for a field with a slip in it: `x=1` is a word.
const NAME_BYTES: usize = 3;

/// Refuses a text without a field that reads as if it had one, or as if it were an operator.
pub(crate) fn word(parser: &Parser<'_>, raw: &Raw) -> Result<(), ParseError> {
    if raw.quoted {
        return Ok(());
    }
    other_quotes(parser, raw)?;
    let text = &parser.text[raw.span.start..raw.span.end()];
    let at = |start: usize, length: usize| Span { start: raw.span.start + start, length };
    if let Some(colon) = unescaped(text, ':') {
        let name = &text[..colon];
        if name.is_empty() {
            return Err(ParseError::new(at(0, 1), ErrorKind::NoField).expecting([in_quotes(text)]));
        }
        if let Some((before, key)) = name.split_once('.')
            && let Some((field, _)) = fields::find(before).filter(|(field, _)| field.keyed)
        {
            let expected = format!("{}.{}:", field.name, in_quotes(key));
            let place = at(before.len() + 1, key.len());
            return Err(ParseError::new(place, ErrorKind::KeyUnquoted).expecting([expected]));
        }
        let kind = ErrorKind::UnknownField(name.to_owned());
        return Err(ParseError::new(at(0, colon), kind).expecting(fields::like(name)));
    }
    if text.starts_with(['>', '=']) || text.starts_with("<=") || text == "<" {
        let operators = text.len() - text.trim_start_matches(['<', '>', '=']).len();
        let expected = ["count:>10".to_owned(), in_quotes(text)];
        return Err(ParseError::new(at(0, operators), ErrorKind::NoField).expecting(expected));
    }
    if let "|" | "&" | "-" = text {
        let expected = match text {
            "-" => "-word".to_owned(),
            sign => sign.repeat(2),
        };
        let kind = ErrorKind::LoneSign(text.to_owned());
        return Err(ParseError::new(raw.span, kind).expecting([expected, in_quotes(text)]));
    }
    let name = text.split(['<', '>', '=', '!']).next().unwrap_or_default();
    let rest = &text[name.len()..];
    if rest.starts_with("!=") && fields::find(name).is_some() {
        let value = &rest[2..];
        let expected = [format!("-{name}:{value}")];
        return Err(ParseError::new(at(name.len(), 2), ErrorKind::Negated).expecting(expected));
    }
    if name.len() >= NAME_BYTES && rest.starts_with(['<', '>', '=']) {
        let like = fields::like(name);
        if !like.is_empty() {
            let kind = ErrorKind::UnknownField(name.to_owned());
            return Err(ParseError::new(at(0, name.len()), kind).expecting(like));
        }
    }
    Ok(())
}

/// Refuses the value of a field that reads as if it were negated, or quoted with other quotes.
pub(crate) fn value(parser: &Parser<'_>, name: &str, raw: &Raw) -> Result<(), ParseError> {
    if raw.quoted {
        return Ok(());
    }
    other_quotes(parser, raw)?;
    let text = &parser.text[raw.span.start..raw.span.end()];
    if let Some(value) = text.strip_prefix('!') {
        let place = Span { start: raw.span.start, length: 1 };
        let expected = [format!("-{name}:{value}"), format!("{name}:{}", in_quotes(text))];
        return Err(ParseError::new(place, ErrorKind::Negated).expecting(expected));
    }
    Ok(())
}

/// Refuses what stands right behind a term, without a blank: it would be another term that nobody meant.
pub(crate) fn behind(parser: &Parser<'_>, count: bool) -> Result<(), ParseError> {
    let rest = parser.rest();
    let ends = rest.starts_with(|c: char| c.is_whitespace() || c == ')');
    let mut ahead = Parser::values(parser.text, parser.at);
    let joined = ["||", "&&"].iter().any(|sign| rest.starts_with(sign))
        || ["OR", "AND"].iter().any(|word| ahead.keyword(word));
    if rest.is_empty() || ends || joined {
        return Ok(());
    }
    let end = if rest.starts_with('"') {
        // That a quote does not end is the better thing to say.
        ahead.value(false)?.span.length
    } else {
        rest.find(char::is_whitespace).unwrap_or(rest.len())
    };
    let mut expected = vec!["a blank".to_owned()];
    if count {
        expected.insert(0, ">1000".to_owned());
    }
    let place = Span { start: parser.at, length: end };
    Err(ParseError::new(place, ErrorKind::Glued).expecting(expected))
}

/// Whether a range ends before it begins, as far as that is known without a clock.
pub(crate) trait Backwards {
    fn backwards(&self) -> bool;
}

impl Backwards for Interval<u64> {
    fn backwards(&self) -> bool {
        matches!(self, Self::Between(Some(low), Some(high)) if low > high)
    }
}

impl Backwards for Interval<crate::Version> {
    fn backwards(&self) -> bool {
        matches!(self.keys(), (Some((low, _)), Some((high, _))) if low > high)
    }
}

impl Backwards for Interval<When> {
    fn backwards(&self) -> bool {
        match self {
            Self::Between(Some(When::Ago(_, low)), Some(When::Ago(_, high))) => low < high,
            Self::Between(Some(When::Ago(..)), _) | Self::Between(_, Some(When::Ago(..))) => false,
            // No time is before this one that `now` would be asked for.
            Self::Between(Some(_), Some(_)) => {
                let (low, high) = self.times(jiff::Timestamp::UNIX_EPOCH);
                low.zip(high).is_some_and(|((low, _), (high, _))| low > high)
            }
            _ => false,
        }
    }
}

/// Whether a pattern fits one of these words.
pub(crate) fn fits_one(pattern: &Pattern, words: &[&str]) -> bool {
    let pattern = pattern.folded();
    words.iter().any(|word| pattern.matches(word))
}

/// Whether a value of this kind can have `..` in it: `main.Map[...]` does, a state of a goroutine does not.
pub(crate) const fn dots_are_a_range(kind: Kind) -> bool {
    matches!(kind, Kind::Hash | Kind::Count)
}

fn other_quotes(parser: &Parser<'_>, raw: &Raw) -> Result<(), ParseError> {
    let text = &parser.text[raw.span.start..raw.span.end()];
    let Some(quote) = text.chars().next().filter(|c| OTHER_QUOTES.contains(c)) else { return Ok(()) };
    let place = Span { start: raw.span.start, length: quote.len_utf8() };
    Err(ParseError::new(place, ErrorKind::OtherQuote).expecting(["\""]))
}

fn in_quotes(text: &str) -> String {
    let mut out = String::new();
    let _ = quoted(text, &mut out);
    out
}

/// Byte of the first `c` that no `\` stands before.
fn unescaped(text: &str, wanted: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match c {
            '\\' => escaped = true,
            c if c == wanted => return Some(at),
            _ => {}
        }
    }
    None
}
