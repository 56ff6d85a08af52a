//! What is to be sent, looked at before anything is.

use std::{
    fs::File,
    io::{self, Cursor, Read},
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use panicle_binary::identify::{Kind as FileKind, identify};

use super::Kind;
use crate::exit::Failure;

/// The first bytes of a file, by which its kind is told.
const HEAD_BYTES: u64 = 4096;
/// 2009-01-01, before which there was no Go.
const EARLIEST: i64 = 1_230_768_000;

/// A file or a pipe of which the first bytes are what they should be.
pub(super) struct Given {
    pub(super) kind: Kind,
    pub(super) path: PathBuf,
    /// A pipe's content: it can be read once, so it is open from the start.
    pub(super) piped: Option<Box<dyn Read>>,
}

impl Given {
    /// Looks at the start of a file, or of a pipe. The service would refuse it as well, but only after a client in the
    /// middle of sending a large file may have lost its answer.
    pub(super) fn open(kind: Kind, path: &Path) -> Result<Self, Failure> {
        let unreadable = |error: io::Error| Failure::Input(format!("{}: {error}", path.display()));
        let refuse = |reason: String| Failure::Input(format!("{}: {reason}", path.display()));
        let given = |piped| Self { kind, path: path.to_owned(), piped };
        if path == Path::new("-") {
            let (head, rest) = peek(io::stdin()).map_err(unreadable)?;
            check(kind, &head).map_err(refuse)?;
            return Ok(given(Some(rest)));
        }
        let file = File::open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        let is_pipe = meta.file_type().is_fifo();
        if !meta.is_file() && !is_pipe {
            return Err(refuse("is neither a file nor a pipe".to_owned()));
        }
        let (head, rest) = peek(file).map_err(unreadable)?;
        check(kind, &head).map_err(refuse)?;
        Ok(given(is_pipe.then_some(rest)))
    }

    pub(super) const fn is_piped(&self) -> bool {
        self.piped.is_some()
    }

    /// When a core was written, which the kernel does when the process dies. A copy has a later time, unless its time
    /// was copied too, but still an earlier one than that at which it arrives at the service. A pipe has no time.
    pub(super) fn written(&self) -> Option<String> {
        if self.is_piped() {
            return None;
        }
        let written = Timestamp::try_from(self.path.metadata().ok()?.modified().ok()?).ok()?;
        // Of clocks that were never set, archives without times, and clocks that are ahead.
        let sane = written > Timestamp::from_second(EARLIEST).ok()? && written <= Timestamp::now();
        sane.then(|| written.to_string())
    }
}

/// The first bytes, and everything with them.
fn peek(mut input: impl Read + 'static) -> io::Result<(Vec<u8>, Box<dyn Read>)> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    let whole = Cursor::new(head.clone()).chain(input);
    Ok((head, Box::new(whole)))
}

/// Whether something can be of this kind, by its start.
fn check(kind: Kind, head: &[u8]) -> Result<(), String> {
    if head.is_empty() {
        return Err("is empty".to_owned());
    }
    if !matches!(kind, Kind::Core | Kind::Binary) {
        return Ok(());
    }
    // This process holds the token, so it looks at the first bytes and parses nothing.
    match (kind, identify(head)) {
        (Kind::Core, FileKind::Core | FileKind::Minidump) | (Kind::Binary, FileKind::Executable) => Ok(()),
        // The service unpacks it where it analyses it.
        (Kind::Core, found) if found.is_packed() => Ok(()),
        (Kind::Core, found) => Err(format!("is {}, not a core", found.describe())),
        (_, found) => Err(format!("is {}, not an executable", found.describe())),
    }
}
