//! Strings and numbers as Go prints them.

use std::fmt::Write as _;

/// `bytes` in quotes, with the escapes of Go's `%q`; bytes that are no UTF-8 become `\x..`.
pub(super) fn quote(bytes: &[u8]) -> String {
    let mut quoted = String::with_capacity(bytes.len() + 2);
    quoted.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '\t' => quoted.push_str("\\t"),
                c if is_printable(c) => quoted.push(c),
                c if u32::from(c) < 0x80 => {
                    let _ = write!(quoted, "\\x{:02x}", u32::from(c));
                }
                c if u32::from(c) < 0x1_0000 => {
                    let _ = write!(quoted, "\\u{:04x}", u32::from(c));
                }
                c => {
                    let _ = write!(quoted, "\\U{:08x}", u32::from(c));
                }
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(quoted, "\\x{byte:02x}");
        }
    }
    quoted.push('"');
    quoted
}

/// Neither a control character nor one that changes the direction or hides text around it, which would let
/// a string from a crashed process rearrange what is on the screen.
fn is_printable(c: char) -> bool {
    !(c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'))
}

/// Whether `bytes` would read well as text.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    // A limit may have cut the last character in two.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|c| is_printable(c) || matches!(c, '\n' | '\r' | '\t'))
}

/// A float as Go's `%v` writes it: shortest digits that read back, exponents below -4 and from 21 on.
/// `digits` are those of Rust's `{:e}`, which are the shortest for the width of the float.
pub(super) fn float(value: f64, scientific: &str) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific.to_owned() };
    let Ok(exponent) = exponent.parse::<i32>() else { return scientific.to_owned() };
    if (-4..21).contains(&exponent) {
        let (sign, digits) = match digits.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", digits),
        };
        let digits: String = digits.chars().filter(|c| *c != '.').collect();
        // The range of the exponent bounds this.
        let point = exponent.unsigned_abs() as usize;
        return if exponent < 0 {
            format!("{sign}0.{}{digits}", "0".repeat(point - 1))
        } else if digits.len() <= point + 1 {
            format!("{sign}{digits}{}", "0".repeat(point + 1 - digits.len()))
        } else {
            let (whole, fraction) = digits.split_at(point + 1);
            format!("{sign}{whole}.{fraction}")
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

pub(super) fn float64(value: f64) -> String {
    float(value, &format!("{value:e}"))
}

pub(super) fn float32(value: f32) -> String {
    float(f64::from(value), &format!("{value:e}"))
}

#[cfg(test)]
mod tests {
    use super::{float32, float64, is_text, quote};

    #[test]
    fn writes_floats_like_go() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (1.5, "1.5"),
            (-2.25, "-2.25"),
            (100.0, "100"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (123_456.789, "123456.789"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(float64(value), text);
        }
        assert_eq!(float32(0.1), "0.1");
    }

    #[test]
    fn quotes_like_go() {
        assert_eq!(quote(b"a\"b\\\n\x00"), r#""a\"b\\\n\x00""#);
        assert_eq!(quote("世界".as_bytes()), "\"世界\"");
        assert_eq!(quote(b"\xffok"), "\"\\xffok\"");
        assert_eq!(quote("\u{202e}x".as_bytes()), "\"\\u202ex\"");
    }

    #[test]
    fn tells_text_from_bytes() {
        assert!(is_text(b"hello\n"));
        assert!(is_text(&"世界".as_bytes()[..4]));
        assert!(!is_text(b"\x00\x01"));
        assert!(!is_text(b"\xff\xfe"));
        assert!(!is_text(b""));
    }
}
