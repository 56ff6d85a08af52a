//! Texts, read piece by piece: a goroutine dump can have gigabytes. Compression is taken off on the way.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, Read},
    rc::Rc,
};

use panicle_analysis::{ReadText, TextKind, TextReader};
use panicle_sandbox::Role;
use panicle_unpack::{Kind, Limits, UnpackError, decompress};
use sha2::{Digest as _, Sha256};

/// What is read at once. It stays in the processor's cache while it is parsed.
const READ_BYTES: usize = 128 << 10;

/// What a role's evidence is read as; `None` where it is no text.
pub(crate) fn kind(role: Role) -> Option<TextKind> {
    match role {
        Role::Text => Some(TextKind::Text),
        Role::Race => Some(TextKind::Race),
        _ => None,
    }
}

/// Why a text was not read.
pub(crate) enum Unread {
    /// The file cannot be read.
    Io(io::Error),
    /// It is none: a sentence without a full stop.
    NoText(String),
}

/// Reads a whole file, from its start. `sha256` is its digest, where that is known.
pub(crate) fn read_file(
    kind: TextKind,
    name: Option<String>,
    mut file: &File,
    sha256: Option<String>,
    limits: &Limits,
) -> Result<ReadText, Unread> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(0)).map_err(Unread::Io)?;
    read(kind, name, file, sha256, limits)
}

/// Reads everything that `reader` gives, and computes its digest unless it is known.
pub(crate) fn read(
    kind: TextKind,
    name: Option<String>,
    reader: impl Read,
    sha256: Option<String>,
    limits: &Limits,
) -> Result<ReadText, Unread> {
    let seen =
        Rc::new(RefCell::new(Seen { hash: sha256.is_none().then(Sha256::new), bytes: 0, failed: None }));
    let mut raw = Watched { inner: reader, seen: Rc::clone(&seen) };
    let mut text = TextReader::new(kind, name);
    {
        let mut stream = decompress(&mut raw, limits).map_err(|error| match error {
            UnpackError::Io(error) => Unread::NoText(format!("it cannot be decompressed: {error}")),
            error => Unread::NoText(error.to_string()),
        })?;
        if !matches!(stream.kind, Kind::Text | Kind::Empty | Kind::Unknown) {
            return Err(Unread::NoText(format!("it is {}, not a text", stream.kind.describe())));
        }
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match stream.reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => text.push(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // What came before it counts, unless it is the file that cannot be read.
                    if let Some(error) = seen.borrow_mut().failed.take() {
                        return Err(Unread::Io(error));
                    }
                    text.note(format!("It is damaged or ends early: {error}."));
                    break;
                }
            }
        }
    }
    // What a decoder did not want belongs to the file.
    io::copy(&mut raw, &mut io::sink()).map_err(Unread::Io)?;
    let mut seen = seen.borrow_mut();
    let digest = seen.hash.take().map(|hash| format!("{:x}", hash.finalize()));
    Ok(text.finish(seen.bytes, sha256.or(digest)))
}

/// What went by.
struct Seen {
    hash: Option<Sha256>,
    bytes: u64,
    /// Why reading failed, which decoders wrap.
    failed: Option<io::Error>,
}

struct Watched<R> {
    inner: R,
    seen: Rc<RefCell<Seen>>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut seen = self.seen.borrow_mut();
        match self.inner.read(buffer) {
            Ok(count) => {
                seen.bytes += count as u64;
                if let Some(hash) = &mut seen.hash {
                    hash.update(&buffer[..count]);
                }
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let copy = io::Error::new(error.kind(), error.to_string());
                seen.failed = Some(error);
                Err(copy)
            }
        }
    }
}
