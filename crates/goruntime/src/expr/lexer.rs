//! Tokens of an expression, as the Go specification has them ("Lexical elements").

use panicle_report::EvalError;

use super::error::Kind;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Int(i128),
    Float(f64),
    /// A character in single quotes.
    Rune(char),
    /// A string; it need not be UTF-8.
    Text(Vec<u8>),
    /// An operator or a bracket.
    Mark(&'static str),
    End,
}

/// Operators and brackets, longer ones first.
const MARKS: [&str; 43] = [
    "...", "&^=", "<<=", ">>=", "<-", "&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "&^", ":=", "++", "--",
    "+=", "-=", "*=", "/=", "%=", "+", "-", "*", "/", "%", "&", "|", "^", "<", ">", "!", "(", ")", "[", "]",
    "{", "}", ",", ".", ":", "=",
];

/// The token that starts at the byte `from` of `text` or behind the space there, where it starts, and
/// where it ends.
pub(super) fn next(text: &str, from: usize) -> Result<(Token, usize, usize), EvalError> {
    let rest = text.get(from..).unwrap_or_default();
    let start = text.len() - rest.trim_start().len();
    let rest = rest.trim_start();
    let Some(first) = rest.chars().next() else { return Ok((Token::End, start, start)) };
    let (token, length) = match first {
        c if c.is_alphabetic() || c == '_' => {
            let length = name_length(rest);
            (Token::Name(rest[..length].to_owned()), length)
        }
        '0'..='9' => number(rest, start)?,
        '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(rest, start)?,
        '"' => text_token(rest, start)?,
        '`' => {
            let end = rest[1..].find('`').ok_or_else(|| unclosed(start))?;
            // Carriage returns are no part of raw strings.
            let raw = rest[1..=end].bytes().filter(|byte| *byte != b'\r').collect();
            (Token::Text(raw), end + 2)
        }
        '\'' => rune(rest, start)?,
        _ => {
            let mark = MARKS.into_iter().find(|mark| rest.starts_with(mark));
            let unknown = || Kind::Syntax.at(start, format!("{first:?} means nothing here"));
            let mark = mark.ok_or_else(unknown)?;
            (Token::Mark(mark), mark.len())
        }
    };
    Ok((token, start, start + length))
}

/// Bytes of the name that `text` starts with.
pub(super) fn name_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())
}

fn unclosed(at: usize) -> EvalError {
    Kind::Syntax.at(at, "the quote is not closed")
}

fn number(text: &str, at: usize) -> Result<(Token, usize), EvalError> {
    let bytes = text.as_bytes();
    let radix = match bytes.get(..2).map(|head| [head[0], head[1].to_ascii_lowercase()]) {
        Some([b'0', b'x']) => 16,
        Some([b'0', b'o']) => 8,
        Some([b'0', b'b']) => 2,
        _ => 10,
    };
    let mut end = if radix == 10 { 0 } else { 2 };
    let mut is_float = false;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'0'..=b'9' | b'_' => {}
            b'.' if radix == 10 && !is_float => is_float = true,
            b'e' | b'E' if radix == 10 => {
                is_float = true;
                if matches!(bytes.get(end + 1), Some(b'+' | b'-')) {
                    end += 1;
                }
            }
            byte if byte.is_ascii_alphanumeric() => {}
            _ => break,
        }
        end += 1;
    }
    let wrong = || Kind::Syntax.at(at, format!("{} is no number", &text[..end]));
    let digits: String = text[..end].chars().filter(|c| *c != '_').collect();
    if is_float {
        return Ok((Token::Float(digits.parse().map_err(|_| wrong())?), end));
    }
    let (digits, radix) = match radix {
        // An old octal number.
        10 if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        10 => (digits.as_str(), 10),
        radix => (digits.get(2..).unwrap_or_default(), radix),
    };
    let number = i128::from_str_radix(digits, radix).map_err(|error| match error.kind() {
        std::num::IntErrorKind::PosOverflow => Kind::Limit.at(at, "the number is too large"),
        _ => wrong(),
    })?;
    Ok((Token::Int(number), end))
}

fn text_token(text: &str, at: usize) -> Result<(Token, usize), EvalError> {
    let mut bytes = Vec::new();
    let mut end = 1;
    loop {
        match text[end..].chars().next() {
            None | Some('\n') => return Err(unclosed(at)),
            Some('"') => return Ok((Token::Text(bytes), end + 1)),
            Some('\\') => {
                let (value, length) = escape(&text[end..], at + end, '"')?;
                match value {
                    Escape::Byte(byte) => bytes.push(byte),
                    Escape::Character(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                }
                end += length;
            }
            Some(c) => {
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                end += c.len_utf8();
            }
        }
    }
}

fn rune(text: &str, at: usize) -> Result<(Token, usize), EvalError> {
    let (c, length) = match text[1..].chars().next() {
        None | Some('\n' | '\'') => return Err(Kind::Syntax.at(at, "there is no character in the quotes")),
        Some('\\') => match escape(&text[1..], at + 1, '\'')? {
            (Escape::Byte(byte), length) => (char::from(byte), length),
            (Escape::Character(c), length) => (c, length),
        },
        Some(c) => (c, c.len_utf8()),
    };
    if !text[1 + length..].starts_with('\'') {
        return Err(Kind::Syntax.at(at, "one character stands in single quotes, and texts in double ones"));
    }
    Ok((Token::Rune(c), length + 2))
}

enum Escape {
    Byte(u8),
    Character(char),
}

/// What the backslash that `text` starts with and what follows it mean, and how long it is.
fn escape(text: &str, at: usize, quote: char) -> Result<(Escape, usize), EvalError> {
    let wrong = || Kind::Syntax.at(at, "the escape is none of Go's");
    let simple = |byte| Ok((Escape::Byte(byte), 2));
    let number = |from: usize, count: usize, radix| {
        let digits = text.get(from..from + count).filter(|digits| digits.chars().all(|c| c.is_digit(radix)));
        let number = u32::from_str_radix(digits.ok_or_else(wrong)?, radix).map_err(|_| wrong())?;
        Ok::<_, EvalError>((number, from + count))
    };
    let byte = |(number, length): (u32, usize)| {
        Ok((Escape::Byte(u8::try_from(number).map_err(|_| wrong())?), length))
    };
    let character = |(number, length): (u32, usize)| {
        Ok((Escape::Character(char::from_u32(number).ok_or_else(wrong)?), length))
    };
    match text[1..].chars().next().ok_or_else(wrong)? {
        'a' => simple(7),
        'b' => simple(8),
        'f' => simple(12),
        'n' => simple(b'\n'),
        'r' => simple(b'\r'),
        't' => simple(b'\t'),
        'v' => simple(11),
        '\\' => simple(b'\\'),
        c if c == quote => simple(c as u8),
        'x' => byte(number(2, 2, 16)?),
        'u' => character(number(2, 4, 16)?),
        'U' => character(number(2, 8, 16)?),
        '0'..='7' => byte(number(1, 3, 8)?),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Token, next};

    fn one(text: &str) -> Token {
        let (token, _, end) = next(text, 0).unwrap();
        assert_eq!(end, text.len(), "{text}");
        token
    }

    #[test]
    fn reads_literals_as_go_does() {
        assert_eq!(one("0x_Ff"), Token::Int(255));
        assert_eq!(one("0b101"), Token::Int(5));
        assert_eq!(one("0o17"), Token::Int(15));
        assert_eq!(one("017"), Token::Int(15));
        assert_eq!(one("1_000"), Token::Int(1000));
        assert_eq!(one("1.5e-3"), Token::Float(0.0015));
        assert_eq!(one(".5"), Token::Float(0.5));
        assert_eq!(one("1."), Token::Float(1.0));
        assert_eq!(one(r#""a\x41\u00e9\"\n\101""#), Token::Text("aA\u{e9}\"\nA".into()));
        assert_eq!(one(r#""\xff""#), Token::Text(vec![0xff]));
        assert_eq!(one("`a\\n`"), Token::Text("a\\n".into()));
        assert_eq!(one(r"'\''"), Token::Rune('\''));
        assert_eq!(one("'é'"), Token::Rune('é'));
        assert_eq!(one("größe"), Token::Name("größe".to_owned()));
    }

    #[test]
    fn tells_what_is_wrong_and_where() {
        for (text, kind, at) in [
            ("  \"abc", "syntax", 2),
            ("09", "syntax", 0),
            ("0x", "syntax", 0),
            ("12ab", "syntax", 0),
            (r#""\q""#, "syntax", 1),
            (r#""\400""#, "syntax", 1),
            ("'ab'", "syntax", 0),
            ("''", "syntax", 0),
            (" #", "syntax", 1),
            ("`a", "syntax", 0),
            ("340282366920938463463374607431768211456", "limit", 0),
        ] {
            let error = next(text, 0).unwrap_err();
            assert_eq!((error.kind.as_str(), error.position), (kind, Some(at)), "{text}");
        }
    }
}
