//! Mapping files: the one place of the tree that needs `unsafe`.

use std::{io, ops::Deref};

use memmap2::{Mmap, MmapAsRawDesc};

/// A file mapped read-only.
#[derive(Debug)]
pub struct Mapped(Mmap);

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Maps a whole file, read-only. An empty file maps to no bytes.
pub fn map(file: impl MmapAsRawDesc) -> io::Result<Mapped> {
    #[expect(
        unsafe_code,
        reason = "cores are larger than memory, and mapping is how one reads a little of one. The bytes \
                  are only ever read as bytes, so a file that changes underneath gives a wrong report and \
                  no more; one that is cut short underneath raises SIGBUS, which is why the service \
                  analyses its own private copy, in a child process."
    )]
    // SAFETY: see the reason above: no Rust value other than `u8` is ever made out of the mapping.
    let mapped = unsafe { Mmap::map(file) }?;
    Ok(Mapped(mapped))
}
