//! Prefixes that are not known here, learned from two lines that have them.

/// Bytes of a prefix that is learned at most.
pub(super) const LONGEST: usize = 256;

/// What stands before each line. Words with digits differ from line to line (times, counters), spaces differ in
/// number (`Nov  1`), all else is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Shape(Vec<Token>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// Letters and digits, a digit among them.
    Word,
    Spaces,
}

impl Shape {
    /// That of a prefix.
    pub(in super::super) fn of(prefix: &[u8]) -> Self {
        let mut tokens = Vec::new();
        let mut rest = prefix;
        while let Some(&first) = rest.first() {
            let word = word(rest);
            if rest[..word].iter().any(u8::is_ascii_digit) {
                tokens.push(Token::Word);
                rest = &rest[word..];
            } else if first == b' ' {
                tokens.push(Token::Spaces);
                rest = &rest[spaces(rest)..];
            } else {
                let length = word.max(1);
                tokens.extend(rest[..length].iter().map(|&b| Token::Byte(b)));
                rest = &rest[length..];
            }
        }
        Self(tokens)
    }

    /// A line without it; `None` where the line has another, or none. A carrier may have taken the spaces off
    /// the end of an empty line.
    pub(in super::super) fn strip<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let mut rest = line;
        for token in &self.0 {
            let length = match token {
                Token::Byte(byte) => usize::from(rest.first() == Some(byte)),
                Token::Word => word(rest),
                Token::Spaces if rest.is_empty() && rest.len() < line.len() => continue,
                Token::Spaces => spaces(rest),
            };
            if length == 0 {
                return None;
            }
            rest = &rest[length..];
        }
        Some(rest)
    }
}

fn word(text: &[u8]) -> usize {
    text.iter().take(LONGEST).take_while(|b| b.is_ascii_alphanumeric()).count()
}

fn spaces(text: &[u8]) -> usize {
    text.iter().take(LONGEST).take_while(|&&b| b == b' ').count()
}

#[cfg(test)]
mod tests {
    use super::Shape;

    #[test]
    fn lines_of_one_carrier_have_one_shape() {
        for (prefix, other) in [
            ("@400000005f3e2a1b0c5d6e7f ", "@400000005f3e2a1c00000000 "),
            (
                "<11>1 2026-11-21T08:33:31.1Z host web 77 - - ",
                "<11>1 2026-12-01T08:33:31.123Z host web 77 - - ",
            ),
            ("[web-7f9] Nov 21 8:33:31 > ", "[web-7f9] Nov  1 18:33:31 > "),
            ("E1121 08:33:31.123456   12345 main.go:79] ", "E1121 08:33:31.123456 5 main.go:8] "),
        ] {
            let shape = Shape::of(prefix.as_bytes());
            let strip =
                |line: String| shape.strip(line.as_bytes()).map(|l| String::from_utf8(l.to_vec()).unwrap());
            assert_eq!(strip(format!("{other}\tx y")).as_deref(), Some("\tx y"), "{prefix}");
            assert_eq!(strip(other.trim_end().to_owned()).as_deref(), Some(""), "{prefix}");
            assert_eq!(strip("main.f(0x1)".to_owned()), None, "{prefix}");
        }
    }
}
