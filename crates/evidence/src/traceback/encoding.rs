//! UTF-16 with a byte order mark, which shells and editors of Windows write (`>` of PowerShell 5).

/// Bytes decoded at a time.
const PIECE: usize = 16 << 10;

/// How a text is written. It is read as bytes unless it begins with a mark.
#[derive(Default)]
pub(super) enum Encoding {
    /// Fewer than two bytes came.
    #[default]
    Nothing,
    /// The first byte came, and it can begin a mark.
    First(u8),
    /// As it is.
    Bytes,
    /// Two bytes a unit.
    Utf16(Utf16),
}

/// Where a text of two bytes a unit is at.
pub(super) struct Utf16 {
    little: bool,
    /// The first byte of a unit.
    odd: Option<u8>,
    /// The first unit of a character of two.
    high: Option<u16>,
    out: String,
}

impl Encoding {
    /// Bytes need no decoding from here on.
    pub(super) fn is_bytes(&self) -> bool {
        matches!(self, Self::Bytes)
    }

    /// Hands the bytes on as UTF-8, or as they are.
    pub(super) fn decode(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        let Some((&byte, rest)) = bytes.split_first() else { return };
        match self {
            Self::Bytes => take(bytes),
            Self::Utf16(text) => text.decode(bytes, take),
            Self::Nothing => {
                *self = if matches!(byte, 0xff | 0xfe) { Self::First(byte) } else { Self::Bytes };
                let undecided = matches!(self, Self::First(_));
                self.decode(if undecided { rest } else { bytes }, take);
            }
            Self::First(first) => {
                let first = *first;
                if matches!((first, byte), (0xff, 0xfe) | (0xfe, 0xff)) {
                    *self = Self::Utf16(Utf16 {
                        little: first == 0xff,
                        odd: None,
                        high: None,
                        out: String::new(),
                    });
                    self.decode(rest, take);
                } else {
                    *self = Self::Bytes;
                    take(&[first]);
                    take(bytes);
                }
            }
        }
    }

    /// Hands out what is left when the text ends.
    pub(super) fn finish(&mut self, mut take: impl FnMut(&[u8])) {
        match self {
            Self::First(first) => take(&[*first]),
            Self::Utf16(text) if text.odd.is_some() || text.high.is_some() => take("\u{fffd}".as_bytes()),
            _ => {}
        }
    }
}

impl Utf16 {
    fn decode(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        for &byte in bytes {
            let Some(first) = self.odd.take() else {
                self.odd = Some(byte);
                continue;
            };
            let unit = if self.little {
                u16::from_le_bytes([first, byte])
            } else {
                u16::from_be_bytes([first, byte])
            };
            self.unit(unit);
            if self.out.len() >= PIECE {
                take(self.out.as_bytes());
                self.out.clear();
            }
        }
        take(self.out.as_bytes());
        self.out.clear();
    }

    fn unit(&mut self, unit: u16) {
        if let Some(high) = self.high.take() {
            let mut pair = char::decode_utf16([high, unit]);
            self.out.push(pair.next().and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER));
            // A high unit without its low one: the next is a character of its own.
            if pair.next().is_none() {
                return;
            }
        }
        match char::decode_utf16([unit]).next() {
            Some(Ok(c)) => self.out.push(c),
            Some(Err(_)) if (0xd800..0xdc00).contains(&unit) => self.high = Some(unit),
            _ => self.out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Encoding;

    fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoding = Encoding::default();
        for piece in pieces {
            encoding.decode(piece, |bytes| out.extend_from_slice(bytes));
        }
        encoding.finish(|bytes| out.extend_from_slice(bytes));
        out
    }

    #[test]
    fn both_orders_in_pieces_of_any_size() {
        let text = "panic: größe \u{1f600}\n";
        let units: Vec<u16> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for bytes in [little, big] {
            for size in 1..7 {
                assert_eq!(read(bytes.chunks(size)), text.as_bytes(), "in pieces of {size}");
            }
        }
    }

    #[test]
    fn other_bytes_are_not_touched() {
        for bytes in [&b"\xff\xf0x"[..], b"\xfe", b"\xef\xbb\xbfx", b"", b"panic: x"] {
            for size in 1..3 {
                assert_eq!(read(bytes.chunks(size)), bytes);
            }
        }
    }

    #[test]
    fn halves_of_characters_are_replaced() {
        let bytes = [0xff, 0xfe, 0x00, 0xd8, b'a', 0, 0x00, 0xdc, 0x00, 0xd8, 0x01];
        assert_eq!(String::from_utf8(read([&bytes[..]].into_iter())).unwrap(), "\u{fffd}a\u{fffd}\u{fffd}");
    }
}
