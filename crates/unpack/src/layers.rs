//! The decoders of compressed streams. Each takes streams that were written one behind another.

use std::io::{self, BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;
use liblzma::{read::XzDecoder, stream::Stream};
use lz4_flex::frame::FrameDecoder;
use panicle_binary::identify::Kind;

/// Memory that the dictionary of an xz stream may take: `xz -9` makes 64 MiB necessary.
const XZ_MEMORY: u64 = 128 << 20;
/// Binary logarithm of the largest zstd window: 128 MiB, what decoders take unless they are told
/// otherwise (RFC 8878, 3.1.1.1.2, leaves it to them).
const ZSTD_WINDOW_LOG: u32 = 27;
const READ_BYTES: usize = 256 << 10;

/// What comes out of `reader`, which is compressed as `kind` says; `None` if that is no compression.
pub(crate) fn decoder<'r>(kind: Kind, reader: impl Read + 'r) -> Option<io::Result<Box<dyn Read + 'r>>> {
    let reader = BufReader::with_capacity(READ_BYTES, reader);
    Some(match kind {
        Kind::Zstd => zstd(reader),
        Kind::Gzip => Ok(Box::new(MultiGzDecoder::new(reader))),
        Kind::Xz => xz(reader),
        Kind::Lz4 => Ok(Box::new(Lz4(FrameDecoder::new(reader)))),
        _ => return None,
    })
}

fn zstd<'r>(reader: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(Box::new(decoder))
}

fn xz<'r>(reader: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let stream = Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)?;
    Ok(Box::new(XzDecoder::new_stream(reader, stream)))
}

/// The decoder answers "nothing more" at the end of each frame.
struct Lz4<R: Read>(FrameDecoder<R>);

impl<R: BufRead> Read for Lz4<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.0.read(buffer)?;
            if count > 0 || buffer.is_empty() || self.0.get_mut().fill_buf()?.is_empty() {
                return Ok(count);
            }
        }
    }
}
