//! `runtime.firstmoduledata`: where the linker put what the runtime needs.

use panicle_binary::{Executable, dwarf::DwarfIndex};
use panicle_image::AddressSpace;

use crate::layout::Layout;

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
    /// Reads it; what is not there stays unknown.
    pub(crate) fn find(
        memory: &AddressSpace<'_>,
        executable: &Executable<'_>,
        dwarf: Option<&DwarfIndex<'_>>,
        bias: u64,
        layout: &Layout,
    ) -> Self {
        const NAME: &str = "runtime.firstmoduledata";
        let symbol = executable.symbol(NAME).map(|symbol| symbol.address);
        let linked = symbol.or_else(|| dwarf?.variable(NAME).map(|variable| variable.address));
        let structure = layout.structure("runtime.moduledata");
        let (Some(linked), Some(structure)) = (linked, structure) else { return Self::default() };
        let word = |path: &str| {
            let field = structure.field(path).filter(|field| field.size == 8)?;
            let at = linked.wrapping_add(field.offset);
            let running = memory.u64(at.wrapping_add(bias)).ok();
            // The linker writes it and nothing changes it but the loader, so that a dump of stacks alone need
            // not have it.
            let linked = || {
                let word = u64::from_le_bytes(*executable.mapped(at)?.first_chunk()?);
                (word != 0).then(|| word.wrapping_add(bias))
            };
            running.or_else(linked).filter(|&word| word != 0)
        };
        Self { text: word("text"), func_data: word("gofunc"), types: word("types"), etypes: word("etypes") }
    }
}
