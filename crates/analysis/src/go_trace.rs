//! Whether a Go program left a core, told without its executable.

use panicle_image::{AddressSpace, Core};
use panicle_report::BuildIds;

/// Start of the build information, which the linker puts into a writable segment (so that cores have
/// it) at a multiple of 16 (`debug/buildinfo` of the standard library).
const MAGIC: &[u8] = b"\xff Go buildinf:";

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
    let mut searched = 0;
    for file in core.files.iter().filter(|file| file.path == path) {
        let mut address = file.start;
        while address < file.end && searched < MOST_SEARCHED {
            let Some(bytes) = memory.rest(address) else {
                // Not dumped: on to the next page.
                address = address.saturating_add(4096);
                continue;
            };
            let length = usize::try_from(file.end - address).unwrap_or(usize::MAX).min(bytes.len()).max(1);
            let length = length.min(MOST_SEARCHED - searched);
            let bytes = bytes.get(..length)?;
            if bytes.chunks(16).any(|chunk| chunk.starts_with(MAGIC)) {
                return Some(true);
            }
            searched += length;
            address = address.saturating_add(length as u64);
        }
    }
    // The first page alone (it is always dumped) proves nothing.
    (searched > 4096).then_some(false)
}
