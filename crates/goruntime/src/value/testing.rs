//! Cores of real programs for the tests of values and locals, read without the code that is under test.

use std::borrow::Cow;
use std::path::Path;

use object::{Object as _, ObjectSection as _, ObjectSegment as _, ObjectSymbol as _};
use panicle_binary::dwarf::DwarfIndex;
use panicle_image::AddressSpace;

use super::rtype::TypeData;
use super::{Context, Limits, Location, Memory as _, format};
use crate::layout::Layout;

/// Every toolchain that has to work.
pub(crate) const VERSIONS: [&str; 8] = ["1.19", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"];

/// The debug information of an executable.
pub(crate) fn dwarf(binary: &[u8]) -> DwarfIndex<'_> {
    let file = object::File::parse(binary).unwrap();
    let (index, diagnostics) = DwarfIndex::load(|name| {
        let data = file.section_by_name(name)?.uncompressed_data().unwrap();
        Some(Cow::Owned(data.into_owned()))
    })
    .unwrap();
    assert_eq!(diagnostics, []);
    index.unwrap()
}

/// A crashed process.
pub(crate) struct Case<'c> {
    pub(crate) context: Context<'c>,
    /// What the runtime printed as it died.
    pub(crate) stderr: String,
    pub(crate) version: &'c str,
    /// Where a function begins, by its name in the symbol table.
    pub(crate) symbol_address: &'c dyn Fn(&str) -> Option<u64>,
}

impl Case<'_> {
    pub(crate) fn dwarf(&self) -> &DwarfIndex<'_> {
        self.context.dwarf.unwrap()
    }

    /// The value of a package variable.
    pub(crate) fn global(&self, name: &str) -> String {
        self.global_within(name, Limits::default())
    }

    pub(crate) fn global_within(&self, name: &str, limits: Limits) -> String {
        let variable = self.dwarf().variable(name).unwrap_or_else(|| panic!("no variable {name}"));
        format(&self.context, variable.type_id, &Location::Address(variable.address), limits)
    }
}

/// Runs `test` on the crash of `program` under Go `version`.
pub(crate) fn with(program: &str, version: &str, test: impl Fn(&Case<'_>)) {
    let fixture = panicle_fixtures::get(program, version);
    with_files(&fixture.binary, &fixture.core, &fixture.stderr, version, test);
}

fn with_files(binary: &Path, core: &Path, stderr: &Path, version: &str, test: impl Fn(&Case<'_>)) {
    let binary = std::fs::read(binary).unwrap();
    let core = std::fs::read(core).unwrap();
    let mut memory = AddressSpace::new();
    let core_file = object::File::parse(&*core).unwrap();
    let binary_file = object::File::parse(&*binary).unwrap();
    for file in [&core_file, &binary_file] {
        memory.add_layers(file.segments().map(|segment| (segment.address(), segment.data().unwrap())));
    }
    let dwarf = dwarf(&binary);
    let module = dwarf.variable("runtime.firstmoduledata").unwrap().address;
    let layout = Layout::from_dwarf(&dwarf, Some(&format!("go{version}"))).unwrap();
    let moduledata = layout.structure("runtime.moduledata").unwrap();
    let field = |name| memory.word(module + moduledata.field(name).unwrap().offset).unwrap();
    let types = TypeData::of_layout(field("types"), field("etypes"), &layout).unwrap();
    let symbol = |address: u64| {
        let symbol = binary_file.symbols().find(|symbol| symbol.address() == address)?;
        symbol.name().ok().map(str::to_owned)
    };
    let context = Context {
        memory: &memory,
        dwarf: Some(&dwarf),
        layout: &layout,
        types: Some(&types),
        bias: 0,
        hashes: None,
        symbol: &symbol,
    };
    let stderr = std::fs::read_to_string(stderr).unwrap();
    let symbol_address = |name: &str| Some(binary_file.symbol_by_name(name)?.address());
    test(&Case { context, stderr, version, symbol_address: &symbol_address });
}

/// `text` with every address but the interesting ones replaced.
pub(crate) fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("0x") {
        let end = after.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(after.len());
        masked.push_str(before);
        masked.push_str(match &after[..end] {
            "beef" => "0xbeef",
            "dead0000" => "0xdead0000",
            _ => "0x@",
        });
        rest = &after[end..];
    }
    masked + rest
}
