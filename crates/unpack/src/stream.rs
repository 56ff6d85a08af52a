use std::io::{self, Cursor, Read};

use panicle_binary::identify::{Kind, identify};

use crate::{HEAD_BYTES, Limits, UnpackError, layers, sparse::fill};

/// A stream without its compression.
pub struct Stream<'r> {
    /// What comes out of all layers. Fails where a layer is damaged or ends early, and where more than
    /// [`Limits::bytes`] comes out.
    pub reader: Box<dyn Read + 'r>,
    /// What it is.
    pub kind: Kind,
    /// How many layers of compression there were.
    pub layers: u32,
}

/// Takes the compression off what `reader` gives, without files: for what is read once from its start to its
/// end. An archive in it stays one.
pub fn decompress<'r>(reader: impl Read + 'r, limits: &Limits) -> Result<Stream<'r>, UnpackError> {
    let mut reader: Box<dyn Read + 'r> = Box::new(reader);
    let mut layers = 0;
    loop {
        let mut head = vec![0; HEAD_BYTES];
        let (length, outcome) = fill(&mut reader, &mut head);
        head.truncate(length);
        let kind = identify(&head);
        let broken = Broken(outcome.err());
        reader = Box::new(Cursor::new(head).chain(broken).chain(reader));
        if !matches!(kind, Kind::Gzip | Kind::Zstd | Kind::Xz | Kind::Lz4) {
            return Ok(Stream { reader, kind, layers });
        }
        if layers >= limits.depth {
            return Err(UnpackError::TooDeep { limit: limits.depth });
        }
        let Some(inner) = layers::decoder(kind, reader) else { return Err(UnpackError::Nothing(Vec::new())) };
        reader = Box::new(Limited { inner: inner?, left: limits.bytes, limit: limits.bytes });
        layers += 1;
    }
}

/// Says once why a head was not longer.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

struct Limited<R> {
    inner: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => {
                self.left = left;
                Ok(count)
            }
            None => Err(io::Error::other(UnpackError::TooLarge { limit: self.limit })),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use flate2::{Compression, write::GzEncoder};

    use super::{Kind, decompress};
    use crate::Limits;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn all(bytes: &[u8], limits: &Limits) -> (Vec<u8>, Option<String>) {
        let mut stream = decompress(bytes, limits).unwrap();
        let mut out = Vec::new();
        let outcome = stream.reader.read_to_end(&mut out);
        (out, outcome.err().map(|error| error.to_string()))
    }

    #[test]
    fn layers_come_off_and_the_rest_stays() {
        let text = "panic: x\n".repeat(10_000).into_bytes();
        for packed in [text.clone(), gzip(&text), gzip(&zstd::bulk::compress(&text, 1).unwrap())] {
            assert_eq!(all(&packed, &Limits::default()), (text.clone(), None));
        }
        let two = [gzip(b"a\n"), gzip(b"b\n")].concat();
        assert_eq!(all(&two, &Limits::default()), (b"a\nb\n".to_vec(), None));
        assert_eq!(decompress(&b"PK\x03\x04"[..], &Limits::default()).unwrap().kind, Kind::Zip);
    }

    #[test]
    fn a_cut_stream_gives_what_is_there_and_a_bomb_ends() {
        let text = "goroutine 1 [running]:\n".repeat(100_000).into_bytes();
        let packed = gzip(&text);
        let (out, error) = all(&packed[..packed.len() / 2], &Limits::default());
        assert!(!out.is_empty() && text.starts_with(&out) && error.is_some());
        let (_, error) = all(&packed, &Limits { bytes: 100_000, ..Limits::default() });
        assert!(error.unwrap().contains("more than 100000 bytes"));
        let mut deep = text;
        for _ in 0..7 {
            deep = gzip(&deep);
        }
        assert!(decompress(&deep[..], &Limits::default()).is_err());
    }
}
