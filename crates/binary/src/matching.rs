//! Whether an executable is the one that a core's process ran, and where it was loaded.

use panicle_image::{AddressSpace, Core, Os};
use panicle_report::{BinaryMatch, BuildIds};
use sha2::{Digest as _, Sha256};

pub use crate::notes::build_ids_in_memory;
use crate::{Executable, notes, process_image};

/// Text compared at most where nothing speaks against a file; a different program differs long before.
const MOST_COMPARED: u64 = 1 << 20;
/// Fewer bytes than this that agree prove nothing.
const LEAST_COMPARED: u64 = 256;
const PAGE: u64 = 4096;
/// Bytes of a GNU build ID.
const GNU_ID: usize = 20;

/// What was added to the executable's addresses when it was loaded.
///
/// The kernel tells the entry point's run-time address; without it, the first mapping of the
/// executable's file does. Of a PE file the list of modules tells.
pub fn load_bias(core: &Core<'_>, executable: &Executable<'_>) -> Option<u64> {
    if let Some(image) = executable.image {
        let loaded = core.executable_module().map(|module| module.base.wrapping_sub(image.base));
        return loaded.or((!executable.position_independent).then_some(0));
    }
    if !executable.position_independent {
        return Some(0);
    }
    let by_entry = core.auxv.entry().map(|entry| entry.wrapping_sub(executable.entry));
    let first = executable.load_segments.iter().find(|segment| segment.file_offset == 0)?;
    by_entry.or_else(|| Some(core.executable_base()?.wrapping_sub(first.address)))
}

/// The IDs of the executable that the process ran, from its memory, or else from a minidump's list of
/// modules.
pub fn running_build_ids(core: &Core<'_>, memory: &AddressSpace<'_>) -> BuildIds {
    let mut ids = base(core, memory).map(|base| build_ids_in_memory(memory, base)).unwrap_or_default();
    if core.os == Os::Windows {
        ids.go = core.executable_base().and_then(|base| notes::go_build_id_behind(memory, base));
    }
    ids.gnu = ids.gnu.or_else(|| {
        let id = core.executable_module()?.build_id.as_ref()?;
        // One of this length is the file's own, and no digest of its text.
        (id.len() == GNU_ID).then(|| hex::encode(id))
    });
    ids
}

/// Where the ELF header of the Go executable is: of what was started, or, when a packer's stub was, of
/// what it unpacked.
pub(crate) fn base(core: &Core<'_>, memory: &AddressSpace<'_>) -> Option<u64> {
    let started = started_base(core);
    let is_go = started.is_some_and(|base| build_ids_in_memory(memory, base).go.is_some());
    let unpacked = || process_image::unpacked_base(core, memory);
    if is_go || core.os == Os::Windows { started } else { unpacked().or(started) }
}

/// Where the ELF header of what was started is. When no file mappings were dumped: the program headers
/// follow it on its page.
pub(crate) fn started_base(core: &Core<'_>) -> Option<u64> {
    core.executable_base().or_else(|| Some(core.auxv.program_headers()? & !(PAGE - 1)))
}

/// Compares build IDs, or else the text bytes that the core has, or else where things are.
///
/// Equal text is a match, of another link of the same code too; an equal layout is not, but a
/// differing one is as good as a differing ID.
pub fn compare(core: &Core<'_>, memory: &AddressSpace<'_>, executable: &Executable<'_>) -> BinaryMatch {
    if core.arch != executable.arch || (core.os != executable.os && core.os != Os::Other) {
        return BinaryMatch::Mismatch;
    }
    let running = running_build_ids(core, memory);
    let same_ids = compare_ids(&running, &executable.build_ids);
    if same_ids == Some(true) {
        return BinaryMatch::BuildId;
    }
    // It stands for an ID where there is none. Sixteen bytes folded out of one page tell files apart; that
    // they are equal counts when nothing better speaks against it.
    let same_digest = if same_ids.is_none() { compare_text_digest(core, executable) } else { None };
    if same_digest == Some(false) {
        return BinaryMatch::Mismatch;
    }
    let without_bias = if same_ids.is_none() { BinaryMatch::None } else { BinaryMatch::Mismatch };
    let Some(bias) = load_bias(core, executable) else { return without_bias };
    if layout_differs(core, memory, executable, bias) {
        return BinaryMatch::Mismatch;
    }
    match (compare_text(memory, executable, bias, same_ids), same_ids) {
        // Linked again, from the same packages, to the same places.
        (BinaryMatch::None, Some(_)) if same_compilation(&running, &executable.build_ids) => {
            BinaryMatch::Text
        }
        (BinaryMatch::None, Some(_)) => BinaryMatch::Mismatch,
        (BinaryMatch::None, None) if same_digest == Some(true) => BinaryMatch::Text,
        (compared, _) => compared,
    }
}

/// Whether two Go IDs are of links of one main package, compiled by the same compiler from the same
/// sources with the same dependencies: the second part digests all of that
/// (cmd/go/internal/work/buildid.go). Without `-trimpath` it digests the linker's flags too.
fn same_compilation(one: &BuildIds, other: &BuildIds) -> bool {
    same_part(one, other, 1) && same_part(one, other, 2)
}

/// Whether two Go IDs are of links of main packages that were compiled to the same bytes. Their
/// dependencies may differ within functions.
pub fn same_main_package(one: &BuildIds, other: &BuildIds) -> bool {
    same_part(one, other, 2)
}

fn same_part(one: &BuildIds, other: &BuildIds, part: usize) -> bool {
    let of = |ids: &'_ BuildIds| {
        let id = ids.go.as_deref().filter(|id| is_content_id(id))?;
        id.split('/').nth(part).map(str::to_owned)
    };
    of(one).is_some_and(|part| Some(part) == of(other))
}

/// Whether two sets of IDs are of one build; `None` when they do not tell.
///
/// Where both have a Go ID it decides: the GNU ID is set anew by tools that edit debug information.
pub fn compare_ids(one: &BuildIds, other: &BuildIds) -> Option<bool> {
    if let (Some(a), Some(b)) = (&one.go, &other.go)
        && (a != b || is_content_id(a))
    {
        return Some(a == b);
    }
    if let (Some(a), Some(b)) = (&one.gnu, &other.gnu)
        && (a != b || !is_made_of_no_id(a, one.go.as_deref()))
    {
        return Some(a == b);
    }
    None
}

/// Compares what stands for the build ID in a minidump when its writer found none: the first page of the
/// first executable section, folded to 16 bytes (minidump-writer's `build_id_from_bytes`, after Breakpad's
/// `HashElfTextSection`). Go programs have it before 1.24, which have no GNU ID.
fn compare_text_digest(core: &Core<'_>, executable: &Executable<'_>) -> Option<bool> {
    const DIGEST: usize = 16;
    let theirs = core.executable_module()?.build_id.as_ref().filter(|id| id.len() == DIGEST)?;
    let text = executable.first_code()?;
    let mut ours = [0; DIGEST];
    for chunk in text[..text.len().min(PAGE as usize)].chunks(DIGEST) {
        for (folded, byte) in ours.iter_mut().zip(chunk) {
            *folded ^= byte;
        }
    }
    Some(theirs == &ours)
}

/// Those of the IDs that no other build has. What is left can be searched for.
pub fn distinctive(ids: BuildIds) -> BuildIds {
    let go = ids.go.as_deref();
    let gnu = ids.gnu.as_deref().is_some_and(|gnu| !is_made_of_no_id(gnu, go));
    let go = go.is_some_and(is_content_id);
    BuildIds { gnu: ids.gnu.filter(|_| gnu), go: ids.go.filter(|_| go), ..ids }
}

/// Whether a Go build ID names one build. The go command's are digests with slashes between them
/// (cmd/go/internal/work/buildid.go); build systems set words such as `redacted`, which all of their
/// programs then share.
fn is_content_id(id: &str) -> bool {
    const DIGEST: usize = 20;
    let parts = id.split('/');
    parts.clone().count() >= 2 && parts.into_iter().all(|part| part.len() == DIGEST)
}

/// Whether a GNU ID was made out of a Go ID that names no build: since Go 1.24 the linker takes it
/// from the Go ID's SHA-256 with its first byte altered, in a way that differs by version
/// (cmd/internal/hash; when 1.23 is asked for one, cmd/internal/notsha256 inverts every byte).
fn is_made_of_no_id(gnu: &str, go: Option<&str>) -> bool {
    let Some(go) = go.filter(|go| !is_content_id(go)) else { return false };
    let digest = Sha256::digest(go.as_bytes());
    let inverted: Vec<u8> = digest.iter().map(|byte| !byte).collect();
    let made = gnu.get(2..).unwrap_or_default();
    [&digest[1..20], &inverted[1..20]].into_iter().any(|digest| hex::encode(digest) == made)
}

/// Whether the process' memory was laid out otherwise than the executable asks for: another entry
/// point, other segments, another build information record.
fn layout_differs(
    core: &Core<'_>,
    memory: &AddressSpace<'_>,
    executable: &Executable<'_>,
    bias: u64,
) -> bool {
    if let (Some(image), Some(module)) = (executable.image, core.executable_module()) {
        // The check sum is no part of it: where the file says 0, Windows' loader leaves that, and others work
        // it out.
        return (image.size, image.time_stamp) != (module.size, module.time_stamp)
            || !bias.is_multiple_of(PAGE);
    }
    let base = base(core, memory);
    // The kernel tells the entry of what it started.
    let entry = core.auxv.entry().filter(|_| base == started_base(core));
    if !bias.is_multiple_of(PAGE) || entry.is_some_and(|entry| entry != executable.entry.wrapping_add(bias)) {
        return true;
    }
    let base = base.and_then(|base| notes::load_segments_in_memory(memory, base));
    if base.is_some_and(|theirs| {
        let ours = executable.load_segments.iter().map(|segment| (segment.address, segment.memory_size));
        !ours.eq(theirs)
    }) {
        return true;
    }
    // Its pointers are relocated in position-independent executables of Go before 1.18; the newer
    // form has none.
    executable.section(".go.buildinfo").is_some_and(|ours| {
        let length = ours.data.len() as u64;
        let inline = ours.data.get(15).is_some_and(|flags| flags & 2 != 0);
        let theirs = memory.bytes(ours.address.wrapping_add(bias), length, length);
        inline && theirs.is_ok_and(|theirs| theirs != ours.data)
    })
}

/// Compares what the core has of the text: all of it against other IDs, else as much as tells.
fn compare_text(
    memory: &AddressSpace<'_>,
    executable: &Executable<'_>,
    bias: u64,
    same_ids: Option<bool>,
) -> BinaryMatch {
    let most = if same_ids.is_none() { MOST_COMPARED } else { u64::MAX };
    let mut compared = 0;
    // The headers, with the IDs, may be in the same segment.
    let text = executable.text().map(|(address, _)| address);
    for segment in executable.load_segments.iter().filter(|segment| segment.executable) {
        let before = text.and_then(|text| usize::try_from(text.checked_sub(segment.address)?).ok());
        let mut offset = before.filter(|&before| before < segment.bytes.len()).unwrap_or(0);
        while offset < segment.bytes.len() && compared < most {
            let ours = &segment.bytes[offset..];
            let address = segment.address.wrapping_add(bias).wrapping_add(offset as u64);
            let Some(theirs) = memory.rest(address) else {
                // Not dumped: on to the next page.
                offset += PAGE as usize;
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
