use super::Pclntab;
use crate::LoadSegment;

/// Bytes of all segments that are looked through; segments may overlap.
const MOST_SEARCHED: usize = 1 << 30;

/// Finds a function table that no section names, by its magic: link-time address and bytes to the
/// end of its segment.
pub(crate) fn search<'a>(segments: &[LoadSegment<'a>]) -> Option<(u64, &'a [u8])> {
    let mut budget = MOST_SEARCHED;
    segments.iter().find_map(|segment| {
        let length = segment.bytes.len().min(budget);
        budget -= length;
        // The table is aligned to 32 bytes; 8 allows for what packers and other linkers do.
        let starts = (0..length).step_by(8);
        starts.map(|start| (start, &segment.bytes[start..])).find_map(|(start, bytes)| {
            // Magic, two zeros, a unit of 1 or 4 and the pointer size.
            let plausible = matches!(bytes, [0xf0 | 0xf1, 0xff, 0xff, 0xff, 0, 0, 1 | 4, 8, ..]);
            let address = segment.address.checked_add(start as u64)?;
            (plausible && Pclntab::parse(bytes, Some(0)).is_ok()).then_some((address, bytes))
        })
    })
}
