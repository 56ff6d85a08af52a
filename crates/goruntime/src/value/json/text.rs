//! Numbers and texts that JSON has no word for.

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

/// A float: JSON has none that are no numbers.
pub(crate) fn float<S: Serializer>(serializer: S, number: f64) -> Result<S::Ok, S::Error> {
    match number {
        number if number.is_nan() => serializer.serialize_str("NaN"),
        f64::INFINITY => serializer.serialize_str("+Inf"),
        f64::NEG_INFINITY => serializer.serialize_str("-Inf"),
        number => serializer.serialize_f64(number),
    }
}

/// A string of `len` bytes, of which `bytes` are the first.
pub(crate) fn text<S: Serializer>(serializer: S, bytes: &[u8], len: u64) -> Result<S::Ok, S::Error> {
    let cut = (bytes.len() as u64) < len;
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        // A character that the limit cut in two is left out.
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    };
    if let (Some(text), false) = (text, cut) {
        return serializer.serialize_str(text);
    }
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("len", &len)?;
    match text {
        Some(text) => map.serialize_entry("text", text)?,
        None => map.serialize_entry("hex", &Hex(bytes))?,
    }
    if cut {
        map.serialize_entry("truncated", &true)?;
    }
    map.end()
}

/// Bytes in hexadecimal.
struct Hex<'b>(&'b [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Digits<'b>(&'b [u8]);
        impl std::fmt::Display for Digits<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        serializer.collect_str(&Digits(self.0))
    }
}
