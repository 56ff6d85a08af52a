use std::{fs::File, io, os::unix::fs::FileExt as _};

use sha2::{Digest as _, Sha256};

use crate::{Limits, UnpackError};

/// Granularity of holes: a page, which is also the block of most file systems.
const BLOCK: usize = 4096;
/// How much is written between two looks at the free space.
const SPACE_CHECK_BYTES: u64 = 64 << 20;

/// Writes a file with holes where there are zeros, and digests it meanwhile.
pub(crate) struct SparseFile<'a> {
    file: File,
    limits: &'a Limits,
    digest: Option<Sha256>,
    size: u64,
    /// Left over from what all files may take.
    disk: &'a mut u64,
    unchecked: u64,
}

impl<'a> SparseFile<'a> {
    pub(crate) fn new(file: File, limits: &'a Limits, disk: &'a mut u64) -> Self {
        Self { file, limits, digest: Some(Sha256::new()), size: 0, disk, unchecked: SPACE_CHECK_BYTES }
    }

    /// Appends. Every call but the last has to be given a multiple of [`BLOCK`].
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        if self.size + bytes.len() as u64 > self.limits.digest_bytes {
            self.digest = None;
        }
        if let Some(digest) = &mut self.digest {
            digest.update(bytes);
        }
        let mut start = None;
        let blocks = bytes.chunks(BLOCK).enumerate().map(|(index, block)| (index * BLOCK, is_zero(block)));
        for (at, zero) in blocks.chain([(bytes.len(), true)]) {
            match (start, zero) {
                (None, false) => start = Some(at),
                (Some(from), true) => {
                    self.write(&bytes[from..at], self.size + from as u64)?;
                    start = None;
                }
                _ => {}
            }
        }
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], offset: u64) -> Result<(), UnpackError> {
        let length = bytes.len() as u64;
        let limit = self.limits.disk_bytes;
        *self.disk = self.disk.checked_sub(length).ok_or(UnpackError::TooMuchDisk { limit })?;
        self.unchecked += length;
        if self.unchecked > SPACE_CHECK_BYTES {
            self.unchecked = 0;
            let stat = rustix::fs::fstatvfs(&self.file).map_err(io::Error::from)?;
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            if free < self.limits.free_bytes {
                return Err(UnpackError::DiskLow { free });
            }
        }
        Ok(self.file.write_all_at(bytes, offset)?)
    }

    /// The file, its size and its digest.
    pub(crate) fn finish(self) -> io::Result<(File, u64, Option<String>)> {
        self.file.set_len(self.size)?;
        let digest = self.digest.map(|digest| hex::encode(digest.finalize()));
        Ok((self.file, self.size, digest))
    }
}

/// As many bytes as there are up to `buffer.len()`, and the error that ended them.
pub(crate) fn fill(reader: &mut dyn io::Read, buffer: &mut [u8]) -> (usize, io::Result<()>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Err(error)),
        }
    }
    (filled, Ok(()))
}

fn is_zero(bytes: &[u8]) -> bool {
    // Comparing with itself shifted by one is a memcmp, the fastest scan that safe code can have.
    bytes.first().is_none_or(|&first| first == 0 && bytes[1..] == bytes[..bytes.len() - 1])
}
