//! Go's string literals (the language specification, "String literals").

/// Reads the literal that `text` begins with; its value, and what follows it. Bytes that are no
/// UTF-8 are replaced.
pub(super) fn prefix(text: &str) -> Option<(String, &str)> {
    let rest = if let Some(raw) = text.strip_prefix('`') {
        let (value, rest) = raw.split_once('`')?;
        // Carriage returns are no part of a raw string.
        return Some((value.replace('\r', ""), rest));
    } else {
        text.strip_prefix('"')?
    };
    let mut value = Vec::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((String::from_utf8_lossy(&value).into_owned(), &rest[at + 1..])),
            '\n' => return None,
            '\\' => {
                let (_, escape) = chars.next()?;
                let mut digits = |count: usize, radix: u32, first: u32| {
                    (0..count).try_fold(first, |number, _| {
                        let digit = chars.next()?.1.to_digit(radix)?;
                        Some(number * radix + digit)
                    })
                };
                match escape {
                    'a' => value.push(7),
                    'b' => value.push(8),
                    'f' => value.push(12),
                    'n' => value.push(b'\n'),
                    'r' => value.push(b'\r'),
                    't' => value.push(b'\t'),
                    'v' => value.push(11),
                    '\\' | '"' => value.push(escape as u8),
                    'x' => value.push(digits(2, 16, 0)? as u8),
                    '0'..='7' => value.push(u8::try_from(digits(2, 8, escape.to_digit(8)?)?).ok()?),
                    'u' | 'U' => {
                        let count = if escape == 'u' { 4 } else { 8 };
                        push(&mut value, char::from_u32(digits(count, 16, 0)?)?);
                    }
                    _ => return None,
                }
            }
            c => push(&mut value, c),
        }
    }
    None
}

fn push(value: &mut Vec<u8>, c: char) {
    value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::prefix;

    #[test]
    fn literals_are_read_to_their_end() {
        assert_eq!(prefix(r#""-X main.v=\"a b\""=x"#), Some(("-X main.v=\"a b\"".to_owned(), "=x")));
        assert_eq!(
            prefix(r#""\x41\101\u00e9\U0001f33e\t\\""#),
            Some(("AA\u{e9}\u{1f33e}\t\\".to_owned(), ""))
        );
        assert_eq!(prefix("`a\\n\"`rest"), Some(("a\\n\"".to_owned(), "rest")));
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        for text in [
            "",
            "a",
            "\"",
            "\"a",
            "\"\\",
            "\"\\x4\"",
            "\"\\400\"",
            "\"\\UFFFFFFFF\"",
            "\"\\q\"",
            "`a",
            "\"a\nb\"",
        ] {
            assert_eq!(prefix(text), None, "{text:?}");
        }
    }
}
