//! Whether a Go program left a core, told without its executable.

use panicle_image::{AddressSpace, Core};
use panicle_report::BuildIds;

/// Start of the build information, which the linker puts into a writable segment (so that cores have
/// it) at a multiple of 16 (`debug/buildinfo` of the standard library).
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// The multiple.
const ALIGN: u64 = 16;

/// Bytes of the executable's mappings that are searched at most.
const MOST_SEARCHED: usize = 64 << 20;

/// Whether it was a Go program: a Go build ID or build information in the executable's mappings says
/// yes. No is said only where the mappings are there and have neither; `None` means that the core does
/// not hold them.
pub(crate) fn of_core(core: &Core<'_>, memory: &AddressSpace<'_>, running: &BuildIds) -> Option<bool> {
    if running.go.is_some() {
        return Some(true);
    }
    let path = core.executable_path()?;
    let mappings = core.files.iter().filter(|file| file.path == path);
    search(mappings.map(|file| (file.start, file.end)).collect(), memory)
}

/// Whether there is build information between the pairs of addresses; `None` where nothing is there.
fn search(mut mappings: Vec<(u64, u64)>, memory: &AddressSpace<'_>) -> Option<bool> {
    mappings.sort_unstable();
    let mut searched = 0;
    let mut pieces = memory.pieces().peekable();
    for (start, end) in mappings {
        // What was dumped is walked over, never the addresses: a damaged mapping can span all of them.
        while let Some(&(address, bytes)) = pieces.peek() {
            let piece_end = address.saturating_add(bytes.len() as u64);
            let (from, to) = (start.max(address), end.min(piece_end));
            if from < to && searched < MOST_SEARCHED {
                let part = bytes.get((from - address) as usize..(to - address) as usize)?;
                let part = part.get(..MOST_SEARCHED - searched).unwrap_or(part);
                if has_magic(from, part) {
                    return Some(true);
                }
                searched += part.len();
            }
            if end <= piece_end {
                break;
            }
            pieces.next();
        }
    }
    // The first page alone (it is always dumped) proves nothing.
    (searched > 4096).then_some(false)
}

/// Whether build information begins in `bytes`, which were at `address`.
fn has_magic(address: u64, bytes: &[u8]) -> bool {
    let Some(aligned) = address.checked_next_multiple_of(ALIGN) else { return false };
    let aligned = bytes.get((aligned - address) as usize..).unwrap_or_default();
    aligned.chunks(ALIGN as usize).any(|chunk| chunk.starts_with(MAGIC))
}

#[cfg(test)]
mod tests {
    use panicle_image::AddressSpace;

    use super::{MAGIC, search};

    fn page(at: usize) -> Vec<u8> {
        let mut page = vec![0; 8192];
        page[at..at + MAGIC.len()].copy_from_slice(MAGIC);
        page
    }

    #[test]
    fn finds_build_information_where_it_is_aligned() {
        for (at, found) in [(0, true), (4112, true), (4113, false)] {
            let page = page(at);
            let mut memory = AddressSpace::new();
            memory.add_layer(0x40_0000, &page);
            assert_eq!(search(vec![(0x40_0000, 0x40_2000)], &memory), Some(found), "{at}");
            // What lies outside of the mappings is not the executable's.
            assert_eq!(search(vec![(0x50_0000, 0x50_2000)], &memory), None);
        }
    }

    #[test]
    fn a_mapping_of_all_addresses_costs_what_was_dumped() {
        let page = page(32);
        let mut memory = AddressSpace::new();
        memory.add_layers([(0x40_0000, &page[4096..]), (0xffff_ffff_ffff_e000, &page[..4096])]);
        assert_eq!(search(vec![(0, u64::MAX); 1000], &memory), Some(true));
        assert_eq!(search(vec![(0, 0x50_0000), (8, 4), (u64::MAX, 0)], &memory), None);
        assert_eq!(search(Vec::new(), &memory), None);
    }
}
