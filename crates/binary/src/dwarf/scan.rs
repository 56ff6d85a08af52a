//! The one pass over `.debug_info` that finds out what is where.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use gimli::{Abbreviations, AttributeValue, Reader as _, Section as _, UnitSectionOffset};
use panicle_report::{Diagnostic, Stage};

use super::names::ShortNames;
use super::types::TypeId;
use super::{Slice, attr_name};

/// `DW_AT_go_runtime_type` (cmd/internal/dwarf/dwarf.go).
pub(super) const GO_RUNTIME_TYPE: gimli::DwAt = gimli::DwAt(0x2904);
/// `DW_AT_go_package_name`, on compilation units.
const GO_PACKAGE_NAME: gimli::DwAt = gimli::DwAt(0x2905);

/// Diagnostics about single units beyond this many are only counted.
const MAX_UNIT_DIAGNOSTICS: usize = 8;

/// What is needed to read a unit again without going through its root entry.
pub(super) struct UnitRecord {
    /// Offset of its header in `.debug_info`.
    pub(super) offset: usize,
    /// Offset of the next unit's header.
    pub(super) end: usize,
    abbreviations: Arc<Abbreviations>,
    low_pc: u64,
    str_offsets_base: usize,
    addr_base: usize,
    loclists_base: usize,
    rnglists_base: usize,
}

impl UnitRecord {
    /// gimli's view of the unit, without names and line program, which nothing here reads.
    pub(super) fn unit<'s>(&self, dwarf: &gimli::Dwarf<Slice<'s>>) -> Option<gimli::Unit<Slice<'s>>> {
        let header = dwarf.unit_header(gimli::DebugInfoOffset(self.offset)).ok()?;
        Some(gimli::Unit {
            header,
            abbreviations: Arc::clone(&self.abbreviations),
            name: None,
            comp_dir: None,
            low_pc: self.low_pc,
            str_offsets_base: gimli::DebugStrOffsetsBase(self.str_offsets_base),
            addr_base: gimli::DebugAddrBase(self.addr_base),
            loclists_base: gimli::DebugLocListsBase(self.loclists_base),
            rnglists_base: gimli::DebugRngListsBase(self.rnglists_base),
            line_program: None,
            dwo_id: None,
        })
    }
}

/// A function that has code.
#[derive(Clone, Copy)]
pub(super) struct FunctionRecord {
    pub(super) low: u64,
    pub(super) high: u64,
    pub(super) entry: TypeId,
}

/// Entries by a hash of their name: 16 bytes each, whatever the name. The reader compares the names.
#[derive(Default)]
pub(super) struct NameTable(Vec<(u64, TypeId)>);

impl NameTable {
    fn add(&mut self, name: &[u8], entry: TypeId) {
        self.0.push((hash(name), entry));
    }

    /// Entries that may be called `name`, in file order.
    pub(super) fn candidates(&self, name: &str) -> impl Iterator<Item = TypeId> + '_ {
        let wanted = hash(name.as_bytes());
        let from = self.0.partition_point(|entry| entry.0 < wanted);
        self.0.iter().skip(from).take_while(move |entry| entry.0 == wanted).map(|entry| entry.1)
    }

    pub(super) fn offsets(&self) -> impl Iterator<Item = TypeId> + '_ {
        self.0.iter().map(|entry| entry.1)
    }

    fn finish(&mut self) {
        self.0.sort_unstable();
        self.0.shrink_to_fit();
    }
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// What the pass found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) units: Vec<UnitRecord>,
    pub(super) types: NameTable,
    pub(super) variables: NameTable,
    pub(super) constants: NameTable,
    pub(super) functions: Vec<FunctionRecord>,
    pub(super) runtime_types: Vec<(u64, TypeId)>,
    pub(super) short_names: ShortNames,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) first_error: Option<gimli::Error>,
    pub(super) failed_units: usize,
    /// The most levels that entries are nested in one another.
    pub(super) depth: usize,
}

impl Found {
    /// Sorts the tables so that they can be searched.
    pub(super) fn finish(&mut self) {
        self.types.finish();
        self.variables.finish();
        self.constants.finish();
        self.functions.sort_unstable_by_key(|function| (function.low, function.high, function.entry));
        self.runtime_types.sort_unstable();
        self.runtime_types.dedup_by_key(|entry| entry.0);
        if self.failed_units > MAX_UNIT_DIAGNOSTICS {
            let more = self.failed_units - MAX_UNIT_DIAGNOSTICS;
            self.diagnostics.push(Diagnostic::warning(
                Stage::Binary,
                format!("{more} more units of the debug information cannot be read."),
            ));
        }
    }

    fn failed(&mut self, error: gimli::Error, offset: usize, what: &str) {
        self.first_error.get_or_insert(error);
        self.failed_units += 1;
        if self.failed_units <= MAX_UNIT_DIAGNOSTICS {
            self.diagnostics.push(
                Diagnostic::warning(Stage::Binary, format!("{what}: {error}."))
                    .about(format!(".debug_info+{offset:#x}")),
            );
        }
    }
}

/// Reads the top level of every unit.
pub(super) fn scan(dwarf: &gimli::Dwarf<Slice<'_>>) -> Found {
    let mut found = Found::default();
    let mut tables = AbbreviationTables::new(dwarf);
    let mut headers = dwarf.units();
    loop {
        let header = match headers.next() {
            Ok(Some(header)) => header,
            Ok(None) => break,
            Err(error) => {
                found.failed(error, 0, "The debug information ends early, a unit header cannot be read");
                break;
            }
        };
        let UnitSectionOffset(offset) = header.offset();
        if let Err(error) = scan_unit(dwarf, header, offset, &mut tables, &mut found) {
            found.failed(error, offset, "A unit of the debug information is read in part or not at all");
        }
    }
    found
}

fn scan_unit<'s>(
    dwarf: &gimli::Dwarf<Slice<'s>>,
    header: gimli::UnitHeader<Slice<'s>>,
    offset: usize,
    tables: &mut AbbreviationTables<'s>,
    found: &mut Found,
) -> Result<(), gimli::Error> {
    let abbreviations = tables.get(dwarf, &header)?;
    let record = {
        let root = header.entry(&abbreviations, header.root_offset())?;
        let base = |attr: gimli::DwAt, default: usize| match root.attr_value(attr) {
            Some(
                AttributeValue::DebugAddrBase(gimli::DebugAddrBase(base))
                | AttributeValue::DebugLocListsBase(gimli::DebugLocListsBase(base))
                | AttributeValue::DebugRngListsBase(gimli::DebugRngListsBase(base))
                | AttributeValue::DebugStrOffsetsBase(gimli::DebugStrOffsetsBase(base)),
            ) => base,
            _ => default,
        };
        let mut record = UnitRecord {
            offset,
            end: offset.saturating_add(header.length_including_self()),
            abbreviations: Arc::clone(&abbreviations),
            low_pc: 0,
            str_offsets_base: base(gimli::DW_AT_str_offsets_base, 0),
            addr_base: base(gimli::DW_AT_addr_base, 0),
            loclists_base: base(gimli::DW_AT_loclists_base, 0),
            rnglists_base: base(gimli::DW_AT_rnglists_base, 0),
        };
        if let (Some(low), Some(unit)) = (root.attr_value(gimli::DW_AT_low_pc), record.unit(dwarf)) {
            record.low_pc = dwarf.attr_address(&unit, low)?.unwrap_or(0);
        }
        record
    };
    let Some(unit) = record.unit(dwarf) else { return Err(gimli::Error::MissingUnitDie) };
    let mut entry = gimli::DebuggingInformationEntry::null();
    let mut raw = header.entries_raw(&abbreviations, None)?;
    found.units.push(record);
    // Null entries too many lead below the root.
    let mut lowest = 0;
    while !raw.is_empty() {
        let depth = raw.next_depth();
        lowest = depth.min(lowest);
        found.depth = found.depth.max(depth.abs_diff(lowest));
        if depth > 1 {
            if let Some(abbreviation) = raw.read_abbreviation()? {
                raw.skip_attributes(abbreviation.attributes())?;
            }
            continue;
        }
        if !raw.read_entry(&mut entry)? {
            continue;
        }
        let Some(gimli::DebugInfoOffset(at)) = entry.offset().to_debug_info_offset(&header) else { continue };
        index_entry(dwarf, &unit, &entry, TypeId(at), found);
    }
    Ok(())
}

fn index_entry<'s>(
    dwarf: &gimli::Dwarf<Slice<'s>>,
    unit: &gimli::Unit<Slice<'s>>,
    entry: &gimli::DebuggingInformationEntry<Slice<'s>>,
    at: TypeId,
    found: &mut Found,
) {
    match entry.tag() {
        gimli::DW_TAG_compile_unit => {
            let package = entry
                .attr_value(GO_PACKAGE_NAME)
                .and_then(|value| super::text::attr_text(dwarf, unit, value))
                .map(String::from_utf8_lossy);
            if let (Some(path), Some(package)) = (attr_name(dwarf, unit, entry), package) {
                found.short_names.add_package(&String::from_utf8_lossy(path), &package);
            }
        }
        gimli::DW_TAG_subprogram => {
            let Some((low, high)) = super::functions::low_high(dwarf, unit, entry) else { return };
            found.functions.push(FunctionRecord { low, high, entry: at });
        }
        gimli::DW_TAG_variable => {
            if let Some(name) = attr_name(dwarf, unit, entry) {
                found.variables.add(name, at);
            }
        }
        gimli::DW_TAG_constant => {
            if let Some(name) = attr_name(dwarf, unit, entry) {
                found.constants.add(name, at);
            }
        }
        gimli::DW_TAG_base_type
        | gimli::DW_TAG_structure_type
        | gimli::DW_TAG_union_type
        | gimli::DW_TAG_enumeration_type
        | gimli::DW_TAG_typedef
        | gimli::DW_TAG_pointer_type
        | gimli::DW_TAG_array_type
        | gimli::DW_TAG_subroutine_type
        | gimli::DW_TAG_unspecified_type => {
            if let Some(name) = attr_name(dwarf, unit, entry) {
                found.types.add(name, at);
            }
            if let Some(offset) = super::types::runtime_type(entry) {
                found.runtime_types.push((offset, at));
            }
        }
        _ => {}
    }
}

/// Abbreviation tables by their offset. Go has one for all of its units.
struct AbbreviationTables<'s> {
    tables: HashMap<usize, Arc<Abbreviations>>,
    section: Slice<'s>,
    /// Bytes that may still be decoded: tables that overlap would otherwise cost the square of their size.
    budget: usize,
}

impl<'s> AbbreviationTables<'s> {
    fn new(dwarf: &gimli::Dwarf<Slice<'s>>) -> Self {
        let section = *dwarf.debug_abbrev.reader();
        Self { tables: HashMap::new(), section, budget: section.len().saturating_mul(4) }
    }

    fn get(
        &mut self,
        dwarf: &gimli::Dwarf<Slice<'s>>,
        header: &gimli::UnitHeader<Slice<'s>>,
    ) -> Result<Arc<Abbreviations>, gimli::Error> {
        let gimli::DebugAbbrevOffset(offset) = header.debug_abbrev_offset();
        if let Some(table) = self.tables.get(&offset) {
            return Ok(Arc::clone(table));
        }
        let mut rest = self.section;
        rest.skip(offset)?;
        let length = table_length(rest)?;
        self.budget = self.budget.checked_sub(length).ok_or(gimli::Error::InvalidAbbreviationCode(0))?;
        let table = dwarf.abbreviations(header)?;
        self.tables.insert(offset, Arc::clone(&table));
        Ok(table)
    }
}

/// Bytes that the abbreviation table at the start of `table` takes.
fn table_length(table: Slice<'_>) -> Result<usize, gimli::Error> {
    let mut rest = table;
    while rest.read_uleb128()? != 0 {
        rest.read_uleb128()?;
        rest.read_u8()?;
        loop {
            let name = rest.read_uleb128()?;
            let form = rest.read_uleb128()?;
            if form == u64::from(gimli::DW_FORM_implicit_const.0) {
                rest.read_sleb128()?;
            }
            if (name, form) == (0, 0) {
                break;
            }
        }
    }
    Ok(table.len() - rest.len())
}
