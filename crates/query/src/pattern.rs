//! Values with wildcards.

use std::fmt::{self, Write};

/// A value that may have wildcards in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

/// Part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This text; never empty, and never beside another text.
    Text(String),
    /// `*`: any text, also none; never beside another one.
    Any,
    /// `?`: any one character.
    One,
}

impl Pattern {
    /// This text and no other.
    pub fn literal(text: &str) -> Self {
        let mut pattern = Self::default();
        text.chars().for_each(|c| pattern.push_char(c));
        pattern
    }

    /// A pattern of these parts.
    pub fn of(pieces: &[Piece]) -> Self {
        Self::default().between(pieces, &[])
    }

    /// Its parts.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The text, if it has no wildcard.
    pub fn as_literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(crate) fn wildcards(&self) -> usize {
        self.pieces.iter().filter(|piece| !matches!(piece, Piece::Text(_))).count()
    }

    pub(crate) fn push_char(&mut self, c: char) {
        if let Some(Piece::Text(text)) = self.pieces.last_mut() {
            text.push(c);
        } else {
            self.pieces.push(Piece::Text(c.into()));
        }
    }

    pub(crate) fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Text(text) => text.chars().for_each(|c| self.push_char(c)),
            Piece::Any if self.pieces.last() == Some(&Piece::Any) => {}
            piece => self.pieces.push(piece),
        }
    }

    /// This one between others.
    pub(crate) fn between(&self, before: &[Piece], after: &[Piece]) -> Self {
        let mut out = Self::default();
        for piece in before.iter().chain(&self.pieces).chain(after) {
            out.push(piece.clone());
        }
        out
    }

    /// The same in lower case, for values that are stored so.
    #[must_use]
    pub fn folded(&self) -> Self {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => Piece::Text(text.to_lowercase()),
            piece => piece.clone(),
        });
        Self { pieces: pieces.collect() }
    }

    /// Whether the whole of `text` is like this.
    pub fn matches(&self, text: &str) -> bool {
        if let Some(literal) = self.as_literal() {
            return text == literal;
        }
        // One step a character, and back to the last `*` alone: what an earlier one took can stay as it is.
        let wanted: Vec<Step> = self.steps();
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut step) = (0, 0);
        let mut back: Option<(usize, usize)> = None;
        while at < text.len() {
            match wanted.get(step) {
                Some(Step::Any) => {
                    back = Some((step, at));
                    step += 1;
                }
                Some(Step::One) => (at, step) = (at + 1, step + 1),
                Some(Step::Char(c)) if *c == text[at] => (at, step) = (at + 1, step + 1),
                _ => match back {
                    Some((star, from)) => {
                        back = Some((star, from + 1));
                        (at, step) = (from + 1, star + 1);
                    }
                    None => return false,
                },
            }
        }
        wanted[step..].iter().all(|step| *step == Step::Any)
    }

    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => steps.extend(text.chars().map(Step::Char)),
                Piece::Any => steps.push(Step::Any),
                Piece::One => steps.push(Step::One),
            }
        }
        steps
    }
}

#[derive(PartialEq)]
enum Step {
    Char(char),
    Any,
    One,
}

/// Characters that stand for themselves in a value without quotes.
pub(crate) fn plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+' | '@' | '%' | '[' | ']' | '{' | '}')
}

/// A text in quotes.
pub(crate) fn quoted(text: &str, f: &mut impl Write) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

impl fmt::Display for Pattern {
    /// As it is written as a value: in quotes where that is needed, wildcards outside of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(literal) = self.as_literal() {
            return if literal.chars().all(plain) && !literal.is_empty() && !literal.starts_with('-') {
                f.write_str(literal)
            } else {
                quoted(literal, f)
            };
        }
        for (at, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Any => f.write_char('*')?,
                Piece::One => f.write_char('?')?,
                Piece::Text(text) => {
                    for (index, c) in text.char_indices() {
                        // At the beginning of a word it would negate.
                        if !plain(c) || (c == '-' && at + index == 0) {
                            f.write_char('\\')?;
                        }
                        f.write_char(c)?;
                    }
                }
            }
        }
        Ok(())
    }
}
