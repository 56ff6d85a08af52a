//! Digests of lists of words.

use sha2::{Digest, Sha256};

/// The first 128 bits of the SHA-256 over `parts`, in lower-case hexadecimal. Lengths go in as well,
/// so that moving a byte from one part to the next changes the digest.
pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).fold(String::with_capacity(32), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn depends_on_where_parts_end() {
        assert_ne!(super::of(["ab", "c"]), super::of(["a", "bc"]));
        assert_eq!(super::of(["ab", "c"]).len(), 32);
    }
}
