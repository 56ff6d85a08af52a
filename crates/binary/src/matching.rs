//! Whether an executable is the one that a core's process ran, and where it was loaded.

use panicle_image::{AddressSpace, Core};
use panicle_report::{BinaryMatch, BuildIds};

use crate::Executable;
pub use crate::notes::build_ids_in_memory;

/// Text compared at most; a different program differs long before.
const MOST_COMPARED: u64 = 1 << 20;
/// Fewer bytes than this that agree prove nothing.
const LEAST_COMPARED: u64 = 256;

/// What was added to the executable's addresses when it was loaded.
///
/// The kernel tells the entry point's run-time address; without it, the first mapping of the
/// executable's file does.
pub fn load_bias(core: &Core<'_>, executable: &Executable<'_>) -> Option<u64> {
    if !executable.position_independent {
        return Some(0);
    }
    let by_entry = core.auxv.entry().map(|entry| entry.wrapping_sub(executable.entry));
    let first = executable.load_segments.iter().find(|segment| segment.file_offset == 0)?;
    by_entry.or_else(|| Some(core.executable_base()?.wrapping_sub(first.address)))
}

/// The IDs of the executable that the process ran, from its memory.
pub fn running_build_ids(core: &Core<'_>, memory: &AddressSpace<'_>) -> BuildIds {
    // Where no file mappings were dumped, the program headers follow the ELF header on its page.
    let base = core.executable_base().or_else(|| Some(core.auxv.program_headers()? & !0xfff));
    base.map(|base| build_ids_in_memory(memory, base)).unwrap_or_default()
}

/// Compares build IDs, or else the text bytes that the core has.
pub fn compare(core: &Core<'_>, memory: &AddressSpace<'_>, executable: &Executable<'_>) -> BinaryMatch {
    let running = running_build_ids(core, memory);
    let known = &executable.build_ids;
    let agree = |one: &Option<String>, other: &Option<String>| Some(one.as_ref()? == other.as_ref()?);
    match (agree(&running.go, &known.go), agree(&running.gnu, &known.gnu)) {
        (Some(true), _) | (None, Some(true)) => return BinaryMatch::BuildId,
        // One program stripped differently keeps its Go ID, so a differing one decides. A Go ID can
        // be redacted or set by the builder, a GNU one as well; when they disagree text decides.
        (Some(false), Some(false) | None) | (None, Some(false)) => return BinaryMatch::Mismatch,
        (Some(false), Some(true)) | (None, None) => {}
    }
    let Some(bias) = load_bias(core, executable) else { return BinaryMatch::None };
    compare_text(memory, executable, bias)
}

fn compare_text(memory: &AddressSpace<'_>, executable: &Executable<'_>, bias: u64) -> BinaryMatch {
    let mut compared = 0;
    for segment in executable.load_segments.iter().filter(|segment| segment.executable) {
        let mut offset = 0;
        while offset < segment.bytes.len() && compared < MOST_COMPARED {
            let ours = &segment.bytes[offset..];
            let address = segment.address.wrapping_add(bias).wrapping_add(offset as u64);
            let Some(theirs) = memory.rest(address) else {
                // Not dumped: on to the next page.
                offset += 4096;
                continue;
            };
            let length = ours.len().min(theirs.len());
            if ours[..length] != theirs[..length] {
                return BinaryMatch::Mismatch;
            }
            compared += length as u64;
            offset += length;
        }
    }
    if compared >= LEAST_COMPARED { BinaryMatch::Text } else { BinaryMatch::None }
}
