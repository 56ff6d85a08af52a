//! The DWARF of a Go executable: types, package variables, functions and where variables live.
//!
//! Nothing here reads a file or cares how the executable is packed: the caller hands over decompressed
//! section bytes by their ELF name. Go writes DWARF 4 up to 1.24 and DWARF 5 from 1.25, with vendor
//! attributes 0x2900–0x2907 (cmd/internal/dwarf/dwarf.go of each toolchain, which is the source of what
//! this module knows).
//!
//! Loading makes one pass over the top level of every unit and keeps offsets and hashes of names only.
//! Types and functions are decoded when they are asked for. Nothing decoded is trusted: references may form
//! cycles, offsets may point anywhere, so each walk is bounded.

mod expr;
mod functions;
mod names;
mod positions;
mod scan;
mod text;
mod types;

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use gimli::{DwarfSections, EndianSlice, LittleEndian, Reader as _, Section as _};
use panicle_report::{Diagnostic, Stage};

pub use expr::{ExprContext, ExprError, Piece, PieceLocation, evaluate};
pub use functions::{Function, InlinedCall, LocalVariable, VariableKind};
pub use names::ShortNames;
pub use positions::{LONGEST_NAME, LONGEST_PATH, Positions, SourceCall};
pub use types::{BaseKind, Field, Type, TypeId, TypeKind};

use crate::debug::Shifts;
use functions::FunctionCache;
use scan::{NameTable, UnitRecord};
use types::TypeCache;

type Slice<'s> = EndianSlice<'s, LittleEndian>;

/// Why the debug information of an executable cannot be used at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DwarfError {
    /// There is a `.debug_info`, but not one unit of it can be read.
    #[error("no unit of .debug_info can be read: {0}")]
    NoReadableUnit(gimli::Error),
}

/// Bytes of sections that were compressed in the file, all together. Those of the largest Go programs are a
/// quarter of this.
const MOST_UNPACKED: usize = 1 << 30;

/// A package-level variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Link-time address: add the load bias to find it in a process.
    pub address: u64,
    /// Its type.
    pub type_id: TypeId,
}

/// Size and fields of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructLayout {
    /// Size in bytes.
    pub size: u64,
    /// Fields in declaration order.
    pub fields: Vec<FieldLayout>,
}

impl StructLayout {
    /// The field called `name`.
    pub fn field(&self, name: &str) -> Option<&FieldLayout> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// One field of a [`StructLayout`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldLayout {
    /// Its name; for embedded fields the name of the type without package.
    pub name: String,
    /// Bytes from the start of the struct.
    pub offset: u64,
    /// Size in bytes; zero for empty structs and where the type's size is unknown.
    pub size: u64,
    /// Its type.
    pub type_id: TypeId,
}

/// Names, types, variables and functions of one executable. See the module's documentation.
pub struct DwarfIndex<'a> {
    sections: DwarfSections<Cow<'a, [u8]>>,
    units: Vec<UnitRecord>,
    types: NameTable,
    variables: NameTable,
    constants: NameTable,
    functions: Vec<scan::FunctionRecord>,
    /// How deep entries are nested; none when not all of them were seen.
    depth: Option<usize>,
    /// `DW_AT_go_runtime_type` and the type that carries it, sorted.
    runtime_types: Vec<(u64, TypeId)>,
    short_names: ShortNames,
    cache: Mutex<TypeCache>,
    function_cache: Mutex<FunctionCache>,
    /// From addresses here to those of the executable.
    shifts: Shifts,
}

impl<'a> DwarfIndex<'a> {
    /// Indexes the sections that `section` gives out, each decompressed, by ELF name (`.debug_info`).
    ///
    /// `None` when there is no debug information. Units that cannot be read are left out and said in the
    /// diagnostics.
    pub fn load<F>(section: F) -> Result<(Option<Self>, Vec<Diagnostic>), DwarfError>
    where
        F: Fn(&str) -> Option<Cow<'a, [u8]>>,
    {
        let mut unpacked = 0_usize;
        let mut left_out = Vec::new();
        let sections = DwarfSections::load(|id| {
            let data = section(id.name()).unwrap_or(Cow::Borrowed(&[]));
            if let Cow::Owned(bytes) = &data {
                unpacked = unpacked.saturating_add(bytes.len());
            }
            if matches!(data, Cow::Owned(_)) && unpacked > MOST_UNPACKED {
                unpacked -= data.len();
                left_out.push(id.name());
                return Ok(Cow::Borrowed(&[][..]));
            }
            Ok::<_, std::convert::Infallible>(data)
        })
        .unwrap_or_else(|never| match never {});
        let mut index = Self {
            sections,
            units: Vec::new(),
            types: NameTable::default(),
            variables: NameTable::default(),
            constants: NameTable::default(),
            functions: Vec::new(),
            depth: None,
            runtime_types: Vec::new(),
            short_names: ShortNames::default(),
            cache: Mutex::default(),
            function_cache: Mutex::default(),
            shifts: Shifts::default(),
        };
        if index.dwarf().debug_info.reader().is_empty() {
            return Ok((None, vec![Diagnostic::info(Stage::Binary, "The executable has no DWARF.")]));
        }
        let mut found = scan::scan(&index.dwarf());
        if found.units.is_empty() {
            return Err(DwarfError::NoReadableUnit(found.first_error.unwrap_or(gimli::Error::Io)));
        }
        found.finish();
        index.units = found.units;
        index.types = found.types;
        index.variables = found.variables;
        index.constants = found.constants;
        index.functions = found.functions;
        index.depth = (found.failed_units == 0).then_some(found.depth);
        index.runtime_types = found.runtime_types;
        index.short_names = found.short_names;
        if !left_out.is_empty() {
            found.diagnostics.push(Diagnostic::warning(
                Stage::Binary,
                format!(
                    "{} left out: debug information is larger than memory should be.",
                    left_out.join(", ")
                ),
            ));
        }
        Ok((Some(index), found.diagnostics))
    }

    /// The same for an executable in which data lies elsewhere.
    pub(crate) fn shifted(self, shifts: Shifts) -> Self {
        Self { shifts, ..self }
    }

    /// Size and fields of the struct called `name` (`runtime.g`, import path in full).
    pub fn struct_layout(&self, name: &str) -> Option<StructLayout> {
        self.named(&self.types, name).find_map(|id| {
            let found = self.ty(id);
            let TypeKind::Struct { fields } = &found.kind else { return None };
            let fields = fields
                .iter()
                .map(|field| FieldLayout {
                    name: field.name.clone(),
                    offset: field.offset,
                    size: self.ty(field.type_id).size.unwrap_or(0),
                    type_id: field.type_id,
                })
                .collect();
            Some(StructLayout { size: found.size?, fields })
        })
    }

    /// The package variable called `name` (`runtime.allgs`).
    pub fn variable(&self, name: &str) -> Option<Variable> {
        self.named(&self.variables, name).find_map(|id| self.read_variable(id).map(|(_, variable)| variable))
    }

    /// Every package variable that has an address, with its name, in no particular order.
    pub fn variables(&self) -> impl Iterator<Item = (String, Variable)> + '_ {
        self.variables.offsets().filter_map(|id| self.read_variable(id))
    }

    /// The integer constant called `name` (`runtime._Gwaiting`), among those that the compiler wrote down:
    /// those of the package that something in it uses.
    pub fn constant(&self, name: &str) -> Option<i64> {
        self.named(&self.constants, name).find_map(|id| {
            let dwarf = self.dwarf();
            let (_, entry) = self.entry(&dwarf, id)?;
            entry.attr_value(gimli::DW_AT_const_value)?.sdata_value()
        })
    }

    /// The type called `name`, as DWARF spells it: `main.User`, `[]uint8`, `interface {}`,
    /// `*example.com/x/y.T`.
    pub fn type_named(&self, name: &str) -> Option<TypeId> {
        self.named(&self.types, name).next()
    }

    /// Types whose name `pass` lets through, with the name, in no particular order. All names are read for it.
    pub fn types_where(&self, pass: impl Fn(&str) -> bool) -> impl Iterator<Item = (String, TypeId)> {
        self.types.offsets().filter_map(move |id| {
            let dwarf = self.dwarf();
            let (unit, entry) = self.entry(&dwarf, id)?;
            let name = String::from_utf8_lossy(attr_name(&dwarf, &unit, &entry)?);
            pass(&name).then(|| (name.into_owned(), id))
        })
    }

    /// The type whose `runtime._type` lies `offset` bytes behind `moduledata.types`.
    ///
    /// The linker writes the offset from the start of the section that holds type data
    /// (`R_ADDROFF`, cmd/link/internal/ld/dwarf.go), which is where `runtime.types` points.
    pub fn type_by_runtime_offset(&self, offset: u64) -> Option<TypeId> {
        let at = self.runtime_types.binary_search_by_key(&offset, |entry| entry.0).ok()?;
        self.runtime_types.get(at).map(|entry| entry.1)
    }

    /// Turns full import paths in type names into package names, as Go's own messages have them.
    pub fn short_names(&self) -> &ShortNames {
        &self.short_names
    }

    /// A view of the sections for gimli; making one costs a few pointer copies.
    fn dwarf(&self) -> gimli::Dwarf<Slice<'_>> {
        self.sections.borrow(|bytes| EndianSlice::new(bytes, LittleEndian))
    }

    /// The unit that holds the entry at `id`.
    fn unit<'s>(&'s self, dwarf: &gimli::Dwarf<Slice<'s>>, id: TypeId) -> Option<gimli::Unit<Slice<'s>>> {
        let after = self.units.partition_point(|unit| unit.offset <= id.0);
        let record = self.units.get(after.checked_sub(1)?)?;
        (id.0 < record.end).then(|| record.unit(dwarf))?
    }

    /// The entry at `id`, wherever a reference points; `None` when there is none.
    fn entry<'s>(
        &'s self,
        dwarf: &gimli::Dwarf<Slice<'s>>,
        id: TypeId,
    ) -> Option<(gimli::Unit<Slice<'s>>, gimli::DebuggingInformationEntry<Slice<'s>>)> {
        let unit = self.unit(dwarf, id)?;
        let offset = gimli::DebugInfoOffset(id.0).to_unit_offset(&unit.header)?;
        let entry = unit.header.entry(&unit.abbreviations, offset).ok()?;
        Some((unit, entry))
    }

    /// Entries of `table` that are really called `name`, in file order.
    fn named<'t>(&'t self, table: &'t NameTable, name: &'t str) -> impl Iterator<Item = TypeId> + 't {
        table.candidates(name).filter(move |id| {
            let dwarf = self.dwarf();
            self.entry(&dwarf, *id).is_some_and(|(unit, entry)| {
                attr_name(&dwarf, &unit, &entry).is_some_and(|bytes| bytes == name.as_bytes())
            })
        })
    }

    fn read_variable(&self, id: TypeId) -> Option<(String, Variable)> {
        let dwarf = self.dwarf();
        let (unit, entry) = self.entry(&dwarf, id)?;
        let name = String::from_utf8_lossy(attr_name(&dwarf, &unit, &entry)?).into_owned();
        let expression = entry.attr_value(gimli::DW_AT_location)?.exprloc_value()?;
        let address = match expression.operations(unit.header.encoding()).next().ok()?? {
            gimli::Operation::Address { address } => address,
            gimli::Operation::AddressIndex { index } => dwarf.address(&unit, index).ok()?,
            _ => return None,
        };
        let type_id = types::reference(&unit, entry.attr_value(gimli::DW_AT_type)?)?;
        Some((name, Variable { address: self.shifts.apply(address)?, type_id }))
    }

    /// The type `id` stands for, typedefs resolved. What cannot be decoded is [`TypeKind::Unknown`].
    pub fn ty(&self, id: TypeId) -> Arc<Type> {
        types::cached(self, id)
    }
}

fn attr_name<'s>(
    dwarf: &gimli::Dwarf<Slice<'s>>,
    unit: &gimli::Unit<Slice<'s>>,
    entry: &gimli::DebuggingInformationEntry<Slice<'s>>,
) -> Option<&'s [u8]> {
    let value = entry.attr_value(gimli::DW_AT_name)?;
    text::attr_text(dwarf, unit, value)
}

#[cfg(test)]
mod tests;
