//! `runtime.firstmoduledata`: where the linker put what the runtime needs.

use panicle_binary::{Executable, dwarf::DwarfIndex};
use panicle_image::AddressSpace;

use crate::layout::Layout;

/// Bytes of all segments that are searched for the structure. Segments may overlap, and claim more than
/// there is.
const MOST_SEARCHED: u64 = 1 << 30;
/// Bytes read at once while searching.
const CHUNK: usize = 64 << 10;

/// Addresses of the main module, at run time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Module {
    /// Start of the text that function offsets count from.
    pub(crate) text: Option<u64>,
    /// `go:func.*`: what function data offsets count from.
    pub(crate) func_data: Option<u64>,
    /// Start of the type data.
    pub(crate) types: Option<u64>,
    /// End of the type data.
    pub(crate) etypes: Option<u64>,
}

impl Module {
    /// Reads the module data at `address`; what is not there stays unknown.
    pub(crate) fn read(
        memory: &AddressSpace<'_>,
        executable: &Executable<'_>,
        bias: u64,
        address: u64,
        layout: &Layout,
    ) -> Self {
        let Some(structure) = layout.structure("runtime.moduledata") else { return Self::default() };
        let word = |path: &str| {
            let field = structure.field(path).filter(|field| field.size == 8)?;
            word_at(memory, executable, bias, address.wrapping_add(field.offset)).filter(|&word| word != 0)
        };
        Self { text: word("text"), func_data: word("gofunc"), types: word("types"), etypes: word("etypes") }
    }

    /// Whether it can be a module, as far as it is known: types in order, and everything within the
    /// executable's segments.
    pub(crate) fn is_plausible(&self, executable: &Executable<'_>, bias: u64) -> bool {
        let inside = |address: Option<u64>| {
            address.is_none_or(|address| {
                let linked = address.wrapping_sub(bias);
                executable.load_segments.iter().any(|segment| {
                    linked.checked_sub(segment.address).is_some_and(|offset| offset < segment.memory_size)
                })
            })
        };
        let in_order = self.types.zip(self.etypes).is_none_or(|(types, etypes)| types < etypes);
        in_order && inside(self.text) && inside(self.func_data) && inside(self.types)
    }
}

/// A pointer that the linker wrote and nothing but the loader changes, so that a dump of stacks alone
/// need not have it: then out of the file.
fn word_at(memory: &AddressSpace<'_>, executable: &Executable<'_>, bias: u64, address: u64) -> Option<u64> {
    memory.u64(address).ok().or_else(|| {
        let linked = executable.mapped(address.wrapping_sub(bias))?;
        let word = u64::from_le_bytes(*linked.first_chunk()?);
        Some(if word == 0 { 0 } else { word.wrapping_add(bias) })
    })
}

/// The run-time address of `runtime.firstmoduledata`: by symbol, or by what it begins with, a pointer
/// to the function table at `pclntab` (run-time address) and the slice of names in it.
pub(crate) fn address(
    memory: &AddressSpace<'_>,
    executable: &Executable<'_>,
    dwarf: Option<&DwarfIndex<'_>>,
    bias: u64,
    pclntab: (u64, u64),
) -> Option<u64> {
    const NAME: &str = "runtime.firstmoduledata";
    let symbol = executable.symbol(NAME).map(|symbol| symbol.address);
    let linked = symbol.or_else(|| dwarf?.variable(NAME).map(|variable| variable.address));
    linked.map(|linked| linked.wrapping_add(bias)).or_else(|| search(memory, executable, bias, pclntab))
}

/// Looks for the structure in the executable's segments, writable ones first: nobody else points at the
/// header of the function table and right behind it into the table.
pub(crate) fn search(
    memory: &AddressSpace<'_>,
    executable: &Executable<'_>,
    bias: u64,
    (pclntab, pclntab_size): (u64, u64),
) -> Option<u64> {
    let is_module = |address: u64| {
        let names = word_at(memory, executable, bias, address.wrapping_add(8));
        names.and_then(|names| names.checked_sub(pclntab)).is_some_and(|offset| offset < pclntab_size)
    };
    let mut segments: Vec<_> = executable.load_segments.iter().collect();
    segments.sort_by_key(|segment| !segment.writable);
    let mut chunk = vec![0; CHUNK];
    let mut budget = MOST_SEARCHED;
    for segment in segments {
        // The structure is aligned, its segment need not be.
        let start = segment.address.wrapping_add(bias) & !7;
        let size = segment.memory_size.min(budget);
        // Even the smallest segment costs something.
        budget = budget.saturating_sub(size.max(CHUNK as u64));
        for offset in (0..size).step_by(CHUNK) {
            let length = (size - offset).min(CHUNK as u64) as usize;
            let at = start.wrapping_add(offset);
            let dumped = memory.read(at, &mut chunk[..length]).is_ok();
            let in_file = usize::try_from(offset).ok().and_then(|offset| segment.bytes.get(offset..));
            let in_file = in_file.unwrap_or_default();
            let (bytes, wanted) = if dumped {
                (&chunk[..length], pclntab)
            } else {
                (&in_file[..length.min(in_file.len())], pclntab.wrapping_sub(bias))
            };
            let (words, _) = bytes.as_chunks::<8>();
            let mut hits = (0_u64..).zip(words).filter(|(_, word)| u64::from_le_bytes(**word) == wanted);
            if let Some(found) = hits.find_map(|(index, _)| {
                let address = at.wrapping_add(index * 8);
                is_module(address).then_some(address)
            }) {
                return Some(found);
            }
        }
    }
    None
}
