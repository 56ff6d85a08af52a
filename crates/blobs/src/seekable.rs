//! The Zstandard seekable format: independent frames, then a skippable frame that holds the table
//! of their sizes. After `contrib/seekable_format/zstd_seekable_compression_format.md` of zstd.

/// Raw bytes in a frame; the last one may have fewer.
pub(crate) const FRAME_BYTES: usize = 1 << 20;

const SKIPPABLE_MAGIC: u32 = 0x184D_2A5E;
const SEEKABLE_MAGIC: u32 = 0x8F92_EAB1;
pub(crate) const FOOTER_BYTES: usize = 9;
pub(crate) const SKIPPABLE_HEADER_BYTES: usize = 8;
pub(crate) const ENTRY_BYTES: usize = 8;

/// Sizes of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) compressed: u32,
    pub(crate) raw: u32,
}

/// The skippable frame that ends a file; `None` for more frames than the format can count.
pub(crate) fn table(entries: &[Entry]) -> Option<Vec<u8>> {
    let count = u32::try_from(entries.len()).ok()?;
    let content = u32::try_from(entries.len() * ENTRY_BYTES + FOOTER_BYTES).ok()?;
    let mut out = Vec::with_capacity(content as usize + SKIPPABLE_HEADER_BYTES);
    out.extend_from_slice(&SKIPPABLE_MAGIC.to_le_bytes());
    out.extend_from_slice(&content.to_le_bytes());
    for entry in entries {
        out.extend_from_slice(&entry.compressed.to_le_bytes());
        out.extend_from_slice(&entry.raw.to_le_bytes());
    }
    out.extend_from_slice(&count.to_le_bytes());
    // Descriptor: no checksums in the table, because every frame carries its own.
    out.push(0);
    out.extend_from_slice(&SEEKABLE_MAGIC.to_le_bytes());
    Some(out)
}

/// How many frames the footer announces.
pub(crate) fn footer(bytes: [u8; FOOTER_BYTES]) -> Result<u32, &'static str> {
    let [c0, c1, c2, c3, descriptor, m0, m1, m2, m3] = bytes;
    if u32::from_le_bytes([m0, m1, m2, m3]) != SEEKABLE_MAGIC {
        return Err("it does not end with a seek table");
    }
    if descriptor != 0 {
        return Err("its seek table is of an unknown kind");
    }
    Ok(u32::from_le_bytes([c0, c1, c2, c3]))
}

/// The entries of a table without its header and footer.
pub(crate) fn entries(bytes: &[u8]) -> Vec<Entry> {
    bytes
        .as_chunks::<ENTRY_BYTES>()
        .0
        .iter()
        .map(|&[c0, c1, c2, c3, r0, r1, r2, r3]| Entry {
            compressed: u32::from_le_bytes([c0, c1, c2, c3]),
            raw: u32::from_le_bytes([r0, r1, r2, r3]),
        })
        .collect()
}
