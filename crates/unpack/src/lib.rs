//! What is in a compressed file or an archive.
//!
//! Cores travel compressed (systemd, CI) and in bundles with executable and logs (collectors). Here
//! they become plain files again: zstd, gzip, lz4 and xz streams, tar and zip archives, and one in
//! another. What something is, is told by its content and never by its name.
//!
//! Everything streams: memory does not depend on sizes. What comes out goes to files that the caller
//! makes, with holes where there are runs of zeros, as most of a core is. [`Limits`] bound what comes
//! out, what it takes on disk, how many members are looked at, and how deep they are nested.
//!
//! An input that ends early or is damaged gives what is before that, and a note. Nothing here is
//! for a process that holds sockets or credentials: decoders of foreign bytes belong into a child.

mod budget;
mod layers;
mod salvage;
mod sparse;
mod stream;
mod walk;

use std::{fs::File, io};

pub use panicle_binary::identify::Kind;
use panicle_binary::identify::identify;
pub use stream::{Stream, decompress};
use thiserror::Error;

/// So many bytes at the start of a file tell its [`Kind`].
pub const HEAD_BYTES: usize = 4096;

/// Bounds on unpacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that come out of all layers together, holes counted.
    pub bytes: u64,
    /// Bytes that are written to disk, holes not counted.
    pub disk_bytes: u64,
    /// Bytes that have to stay free on that disk.
    pub free_bytes: u64,
    /// Members of archives that are looked at.
    pub members: u32,
    /// Files that are kept.
    pub parts: u32,
    /// Layers in one another: a `core.gz` in a `.tar.zst` has three.
    pub depth: u32,
    /// Longer parts get no digest: most of theirs is zeros, which cost as much as anything.
    pub digest_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 128 << 30,
            disk_bytes: 64 << 30,
            free_bytes: 256 << 20,
            members: 10_000,
            parts: 256,
            depth: 5,
            digest_bytes: 4 << 30,
        }
    }
}

/// A file that was in there.
#[derive(Debug)]
pub struct Part {
    /// Name of the whole, and of each archive's member on the way, joined by colons.
    pub name: String,
    /// What it is: a core, a minidump, an executable, a text, a trace or a profile.
    pub kind: Kind,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 in lower-case hexadecimal, unless it is longer than [`Limits::digest_bytes`].
    pub sha256: Option<String>,
    /// Number that it was created under.
    pub number: u32,
    /// Its content.
    pub file: File,
}

/// What was in there.
#[derive(Debug, Default)]
pub struct Unpacked {
    /// In their order.
    pub parts: Vec<Part>,
    /// Sentences about what is missing, damaged or of no use.
    pub notes: Vec<String>,
}

/// Why something cannot be unpacked.
#[derive(Debug, Error)]
pub enum UnpackError {
    /// More than [`Limits::bytes`].
    #[error("it unpacks to more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// More than [`Limits::disk_bytes`].
    #[error("unpacked it takes more than {limit} bytes of disk")]
    TooMuchDisk {
        /// The limit.
        limit: u64,
    },
    /// Less than [`Limits::free_bytes`] would stay free.
    #[error("the disk that it is unpacked to has only {free} bytes left")]
    DiskLow {
        /// What is left.
        free: u64,
    },
    /// More than [`Limits::members`] or [`Limits::parts`].
    #[error("it has more than {limit} members")]
    TooMany {
        /// The limit.
        limit: u32,
    },
    /// Deeper than [`Limits::depth`].
    #[error("it has more than {limit} layers of compression and archives in one another")]
    TooDeep {
        /// The limit.
        limit: u32,
    },
    /// Neither a core nor anything else that can be used.
    #[error("nothing in it is a core, an executable or a text{}", because(.0))]
    Nothing(Vec<String>),
    /// Writing failed.
    #[error("unpacking it failed: {0}")]
    Io(#[from] io::Error),
}

fn because(notes: &[String]) -> String {
    notes.first().map_or_else(String::new, |note| format!(" ({})", note.trim_end_matches('.')))
}

/// Whether a file that begins with `head` is something to unpack.
pub fn is_packed(head: &[u8]) -> bool {
    identify(head).is_packed()
}

/// Takes everything out of `file`, called `name`, that an analysis can use.
///
/// `create` makes the file of each number that it is called with; it is read again through the same
/// handle. On an error what was written so far is the caller's to remove.
pub fn unpack(
    name: &str,
    file: &File,
    limits: &Limits,
    create: &mut dyn FnMut(u32) -> io::Result<File>,
) -> Result<Unpacked, UnpackError> {
    let unpacked = walk::walk(name, file, limits, create)?;
    if unpacked.parts.is_empty() {
        return Err(UnpackError::Nothing(unpacked.notes));
    }
    Ok(unpacked)
}
