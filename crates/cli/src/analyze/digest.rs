use std::{fs::File, io, os::unix::fs::FileExt as _};

use rustix::{
    fs::{SeekFrom, seek},
    io::Errno,
};
use sha2::{Digest as _, Sha256};

const READ_BYTES: usize = 256 << 10;

/// SHA-256 in lower-case hexadecimal. Holes are not read, though each of their zeros goes in.
///
/// It reads, and does not take the bytes from a mapping, whose pages would all count as this
/// process' memory.
pub(super) fn sha256(file: &File) -> io::Result<String> {
    let size = file.metadata()?.len();
    let mut hash = Sha256::new();
    let mut buffer = vec![0; READ_BYTES];
    let zeros = vec![0; READ_BYTES];
    let mut at = 0;
    while at < size {
        let data = match seek(file, SeekFrom::Data(at)) {
            Ok(data) => data.min(size),
            // Nothing but a hole is left.
            Err(Errno::NXIO) => size,
            // This file system does not tell.
            Err(_) => at,
        };
        while at < data {
            let count = (data - at).min(READ_BYTES as u64);
            hash.update(&zeros[..count as usize]);
            at += count;
        }
        let hole = seek(file, SeekFrom::Hole(at)).unwrap_or(size).min(size);
        while at < hole {
            let most = (hole - at).min(READ_BYTES as u64) as usize;
            match file.read_at(&mut buffer[..most], at)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => {
                    hash.update(&buffer[..count]);
                    at += count as u64;
                }
            }
        }
    }
    Ok(format!("{:x}", hash.finalize()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use sha2::{Digest as _, Sha256};

    use super::sha256;

    #[test]
    fn holes_count_as_zeros() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(sha256(&file).unwrap(), format!("{:x}", Sha256::digest(b"")));
        file.write_all_at(b"start", 100_000).unwrap();
        file.write_all_at(&vec![7; 300_000], 5_000_000).unwrap();
        file.set_len(9_000_001).unwrap();
        let mut bytes = vec![0; 9_000_001];
        bytes[100_000..100_005].copy_from_slice(b"start");
        bytes[5_000_000..5_300_000].fill(7);
        assert_eq!(sha256(&file).unwrap(), format!("{:x}", Sha256::digest(&bytes)));
    }
}
