//! From text to tree.

use crate::{
    Condition, ErrorKind, Expr, FieldRef, MAX_DEPTH, MAX_LENGTH, MAX_TERMS, MAX_WILDCARDS, ParseError,
    Pattern, Piece, Span, Term, Test,
    fields::{self, Kind},
    slips, value,
};

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Query,
    Predicate,
}

/// A value as it is written.
pub(crate) struct Raw {
    pub(crate) span: Span,
    /// In quotes.
    pub(crate) quoted: bool,
    /// Without quotes and escapes.
    pub(crate) text: String,
    /// With its wildcards.
    pub(crate) pattern: Pattern,
}

pub(crate) fn parse(text: &str, dialect: Dialect) -> Result<Option<Expr>, ParseError> {
    if text.len() > MAX_LENGTH {
        return Err(ParseError::new(Span::new(MAX_LENGTH, text.len()), ErrorKind::TooLong));
    }
    let mut parser = Parser { text, at: 0, dialect, terms: 0 };
    parser.blanks();
    if parser.rest().is_empty() {
        return Ok(None);
    }
    let expr = parser.or(0)?;
    parser.blanks();
    match parser.peek() {
        None => Ok(Some(expr)),
        // Whatever else could be there would have been read as a term.
        Some(_) => Err(ParseError::new(Span::new(parser.at, parser.at + 1), ErrorKind::Unopened)),
    }
}

pub(crate) struct Parser<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
    dialect: Dialect,
    terms: usize,
}

impl<'a> Parser<'a> {
    pub(crate) const fn values(text: &'a str, at: usize) -> Self {
        Self { text, at, dialect: Dialect::Query, terms: 0 }
    }

    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    pub(crate) fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// A word in capitals that is an operator, and no part of a longer word.
    pub(crate) fn keyword(&mut self, word: &str) -> bool {
        let found = self
            .rest()
            .strip_prefix(word)
            .is_some_and(|rest| rest.chars().next().is_none_or(|c| c.is_whitespace() || "()\"!".contains(c)));
        if found {
            self.at += word.len();
        }
        found
    }

    fn or(&mut self, depth: usize) -> Result<Expr, ParseError> {
        let mut items = vec![self.and(depth)?];
        loop {
            self.blanks();
            if !(self.take("||") || self.keyword("OR")) {
                return Ok(join(items, Expr::Or, |item| match item {
                    Expr::Or(items) => items,
                    item => vec![item],
                }));
            }
            items.push(self.and(depth)?);
        }
    }

    fn and(&mut self, depth: usize) -> Result<Expr, ParseError> {
        let mut items = vec![self.not(depth)?];
        loop {
            self.blanks();
            let before = self.at;
            let ends = match self.peek() {
                None | Some(')') => true,
                _ => self.take("||") || self.keyword("OR"),
            };
            self.at = before;
            if ends {
                return Ok(join(items, Expr::And, |item| match item {
                    Expr::And(items) => items,
                    item => vec![item],
                }));
            }
            if !self.take("&&") {
                self.keyword("AND");
            }
            items.push(self.not(depth)?);
        }
    }

    fn not(&mut self, depth: usize) -> Result<Expr, ParseError> {
        self.blanks();
        let start = self.at;
        if depth > MAX_DEPTH {
            return Err(ParseError::new(Span::new(start, start + 1), ErrorKind::TooDeep));
        }
        let minus = self.rest().strip_prefix('-').and_then(|rest| rest.chars().next());
        if minus.is_some_and(|next| !next.is_whitespace()) {
            self.at += 1;
        } else if !(self.take("!") || self.keyword("NOT")) {
            return self.atom(depth);
        }
        Ok(match self.not(depth + 1)? {
            Expr::Not(inner) => *inner,
            expr => Expr::Not(Box::new(expr)),
        })
    }

    fn atom(&mut self, depth: usize) -> Result<Expr, ParseError> {
        let start = self.at;
        if self.take("(") {
            let inner = self.or(depth + 1)?;
            self.blanks();
            if self.take(")") {
                return Ok(inner);
            }
            let open = Span::new(start, start + 1);
            return Err(ParseError::new(open, ErrorKind::Unclosed).expecting([")"]));
        }
        let rest = self.rest();
        if rest.is_empty() || [")", "||", "&&"].iter().any(|token| rest.starts_with(token)) {
            return Err(ParseError::missing(start));
        }
        for word in ["OR", "AND"] {
            if self.keyword(word) {
                return Err(ParseError::missing(start));
            }
        }
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(ParseError::new(Span::new(start, self.text.len()), ErrorKind::TooManyTerms));
        }
        let condition = self.condition()?;
        Ok(Expr::Term(Term { span: Span::new(start, self.at), condition }))
    }

    fn condition(&mut self) -> Result<Condition, ParseError> {
        let start = self.at;
        if let Some(name) = self.field_name()? {
            let span = Span::new(start, self.at);
            let (field, key) = self.field(&name, span)?;
            let colon = self.take(":");
            debug_assert!(colon || self.peek().is_some_and(|c| "<>=".contains(c)));
            let reference = FieldRef { field, key };
            let test = value::test(self, &reference, span)?;
            slips::behind(self, matches!(test, Test::Count(_, None)))?;
            return Ok(Condition::Field(reference, test));
        }
        let raw = self.value(false)?;
        slips::word(self, &raw)?;
        slips::behind(self, false)?;
        if raw.pattern.is_empty() {
            return Err(ParseError::new(raw.span, ErrorKind::Empty));
        }
        let words = raw.text.chars().any(word_character);
        match self.dialect {
            Dialect::Query if !raw.quoted && !words => {
                let mut quoted = String::new();
                let _ = crate::pattern::quoted(&raw.text, &mut quoted);
                Err(ParseError::new(raw.span, ErrorKind::NoWord).expecting([quoted]))
            }
            Dialect::Predicate if raw.quoted && !words => {
                Err(ParseError::new(raw.span, ErrorKind::NoWord).expecting(["\"a word\""]))
            }
            Dialect::Query => Ok(Condition::Anywhere(raw.pattern)),
            Dialect::Predicate if raw.quoted => Ok(Condition::Words(raw.text)),
            Dialect::Predicate => {
                let mut quoted = String::new();
                let _ = crate::pattern::quoted(&raw.text, &mut quoted);
                let expected = [quoted, "a field: class:, frame:, …".to_owned()];
                Err(ParseError::new(raw.span, ErrorKind::Unquoted).expecting(expected))
            }
        }
    }

    fn field(&self, name: &str, span: Span) -> Result<(&'static fields::Field, Option<String>), ParseError> {
        let Some((field, key)) = fields::find(name) else {
            let kind = ErrorKind::UnknownField(name.to_owned());
            return Err(ParseError::new(span, kind).expecting(fields::like(name)));
        };
        if field.keyed && key.is_none_or(str::is_empty) {
            let kind = ErrorKind::NoKey(field.name);
            return Err(ParseError::new(span, kind).expecting([format!("{}.", field.name)]));
        }
        if self.dialect == Dialect::Predicate && !field.lasting {
            return Err(ParseError::new(span, ErrorKind::NotInPredicate(field.name)));
        }
        Ok((field, key.map(str::to_owned)))
    }

    /// The name of a field, if one begins here: up to a colon, or up to a comparison if there is such a field.
    fn field_name(&mut self) -> Result<Option<String>, ParseError> {
        let rest = self.rest();
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.-/".contains(c))).unwrap_or(rest.len());
        let name = &rest[..end];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(None);
        }
        let after = &rest[end..];
        let compared = after.starts_with(['<', '>', '=']) && fields::find(name).is_some();
        if after.starts_with(':') || compared {
            self.at += end;
            return Ok(Some(name.to_owned()));
        }
        // A key in quotes: label."app id":7.
        if name.ends_with('.') && after.starts_with('"') {
            let mut ahead = Self { at: self.at + end, ..Self::values(self.text, 0) };
            let key = ahead.value(false)?;
            if key.quoted && ahead.rest().starts_with(':') {
                self.at = ahead.at;
                return Ok(Some(format!("{name}{}", key.text)));
            }
        }
        Ok(None)
    }

    /// A value: in quotes, or up to a blank or a parenthesis that closes none of its own. One of a count ends before
    /// a comparison, too.
    pub(crate) fn value(&mut self, count: bool) -> Result<Raw, ParseError> {
        let start = self.at;
        let (mut text, mut pattern) = (String::new(), Pattern::default());
        if self.take("\"") {
            loop {
                let c = self.peek();
                self.at += c.map_or(0, char::len_utf8);
                let c = match c {
                    Some('"') => break,
                    Some('\\') => {
                        let escaped = self.peek();
                        self.at += escaped.map_or(0, char::len_utf8);
                        escaped
                    }
                    c => c,
                };
                let Some(c) = c else {
                    let open = Span::new(start, start + 1);
                    return Err(ParseError::new(open, ErrorKind::UnclosedQuote).expecting(["\""]));
                };
                text.push(c);
                pattern.push_char(c);
            }
            return Ok(Raw { span: Span::new(start, self.at), quoted: true, text, pattern });
        }
        let (mut open, mut last) = (0_usize, ' ');
        while let Some(c) = self.peek() {
            let ends = c.is_whitespace()
                || c == '"'
                || (c == ')' && open == 0)
                || (count && matches!(c, '<' | '>' | '='))
                || (c == '|' && self.rest().starts_with("||"))
                || (c == '&' && self.rest().starts_with("&&"));
            if ends {
                break;
            }
            self.at += c.len_utf8();
            match c {
                '\\' => {
                    // At the very end it stands for itself.
                    let c = self.peek().unwrap_or('\\');
                    self.at += if self.rest().is_empty() { 0 } else { c.len_utf8() };
                    text.push(c);
                    pattern.push_char(c);
                    last = ' ';
                    continue;
                }
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            text.push(c);
            // `(*Cache).Put` is how Go writes a method, not a wildcard.
            let method = last == '(' && self.peek().is_some_and(char::is_alphabetic);
            match c {
                '*' if !method => pattern.push(Piece::Any),
                '?' => pattern.push(Piece::One),
                c => pattern.push_char(c),
            }
            last = c;
        }
        let span = Span::new(start, self.at);
        if pattern.wildcards() > MAX_WILDCARDS {
            return Err(ParseError::new(span, ErrorKind::TooManyWildcards));
        }
        if open > 0 {
            let at = start + self.text[start..self.at].find('(').unwrap_or(0);
            return Err(ParseError::new(Span::new(at, at + 1), ErrorKind::Unclosed).expecting([")"]));
        }
        Ok(Raw { span, quoted: false, text, pattern })
    }
}

/// Whether it is part of a word, as a regular expression's `\w` has it.
pub(crate) fn word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// One of several, without nesting one list of a kind in another.
fn join(items: Vec<Expr>, list: impl Fn(Vec<Expr>) -> Expr, open: impl Fn(Expr) -> Vec<Expr>) -> Expr {
    let mut flat: Vec<Expr> = items.into_iter().flat_map(open).collect();
    match flat.len() {
        1 => flat.swap_remove(0),
        _ => list(flat),
    }
}

pub(crate) const fn counts(kind: Kind) -> bool {
    matches!(kind, Kind::Count | Kind::CountPath)
}
