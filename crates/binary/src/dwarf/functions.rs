//! Functions, their inlined calls and their variables at one program counter.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use gimli::AttributeValue;

use super::types::{TypeId, children, reference};
use super::{DwarfIndex, Slice, attr_name};

/// `DW_AT_go_closure_offset`: where a captured variable lies in its closure (Go 1.23+).
const GO_CLOSURE_OFFSET: gimli::DwAt = gimli::DwAt(0x2907);

/// Variables that one frame may have.
const MAX_VARIABLES: usize = 4096;
/// Inlined calls that may nest.
const MAX_INLINED: usize = 256;
/// Bytes that one location expression may have.
const MAX_EXPRESSION: usize = 4096;

/// Bytes of names and expressions that the variables of one function may have, its inlined calls with it;
/// entries of location lists that are looked through count as well. Lists may be shared, so a small file
/// could ask for any amount.
const MOST_WORK: usize = 16 << 20;
/// What an entry of a location list counts.
const LIST_ENTRY: usize = 4;

/// Program counters whose answer stays known, and bytes of those answers. When there are more, the cache
/// starts again from nothing.
const MAX_CACHED: usize = 4096;
const MAX_CACHED_BYTES: usize = 128 << 20;

/// Functions decoded so far, by program counter.
#[derive(Default)]
pub(super) struct FunctionCache {
    functions: HashMap<u64, Option<Arc<Function>>>,
    bytes: usize,
}

/// What a [`LocalVariable`] is to its function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableKind {
    /// A parameter, receivers with them.
    Parameter,
    /// A result; unnamed ones are called `~r0`, `~r1`, ….
    Result,
    /// Declared in the function's body, or captured by a closure.
    Local,
}

/// A variable in scope at the program counter that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalVariable {
    /// Its name. A leading `&` means that this entry is a pointer to the variable, which escaped to the
    /// heap.
    pub name: String,
    /// Its type; behind a leading `&` that of the pointer.
    pub type_id: Option<TypeId>,
    /// What it is to its function.
    pub kind: VariableKind,
    /// Line of its declaration.
    pub decl_line: Option<u64>,
    /// How many lexical blocks of its function enclose it.
    pub block_depth: usize,
    /// Its offset in the closure, when it is a captured variable.
    pub closure_offset: Option<u64>,
    /// The DWARF expression that finds it; `None` where the compiler kept it nowhere at this pc.
    pub location: Option<Vec<u8>>,
    /// The same at the next address. For a call that is the return address, where whatever the call leaves
    /// in place lies on the stack, while up to it the compiler prefers to name registers.
    pub location_after: Option<Vec<u8>>,
    /// The location holds in the whole function and says nothing of when the variable has a value.
    pub located_everywhere: bool,
}

/// A call that the compiler inlined at the program counter that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct InlinedCall {
    /// The function inlined.
    pub name: String,
    /// Line of the call in the function it was inlined into.
    pub call_line: Option<u64>,
    /// Its variables in scope.
    pub variables: Vec<LocalVariable>,
}

/// The function at a program counter.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name, as in the symbol table.
    pub name: String,
    /// Its first instruction.
    pub low: u64,
    /// The first address behind it.
    pub high: u64,
    /// Its frame base, a DWARF expression (for Go: `DW_OP_call_frame_cfa`).
    pub frame_base: Option<Vec<u8>>,
    /// How its location expressions are encoded.
    pub encoding: gimli::Encoding,
    /// Its own variables in scope.
    pub variables: Vec<LocalVariable>,
    /// Calls inlined at the pc, innermost first.
    pub inlined: Vec<InlinedCall>,
}

/// Start and end of the code of an entry that has one contiguous stretch of it.
pub(super) fn low_high<'s>(
    dwarf: &gimli::Dwarf<Slice<'s>>,
    unit: &gimli::Unit<Slice<'s>>,
    entry: &gimli::DebuggingInformationEntry<Slice<'s>>,
) -> Option<(u64, u64)> {
    let low = dwarf.attr_address(unit, entry.attr_value(gimli::DW_AT_low_pc)?).ok()??;
    let high = entry.attr_value(gimli::DW_AT_high_pc)?;
    let high = match dwarf.attr_address(unit, high) {
        Ok(Some(address)) => address,
        _ => low.checked_add(high.udata_value()?)?,
    };
    (low < high).then_some((low, high))
}

impl DwarfIndex<'_> {
    /// The function at link-time address `pc`, with the variables in scope there.
    ///
    /// For a call, `pc` is an address inside the call instruction (return address less one), since the
    /// return address may already belong to another scope.
    ///
    /// What was decoded is kept for a while: many goroutines stand at the same place.
    pub fn function_at(&self, pc: u64) -> Option<Arc<Function>> {
        let known = self.function_cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.functions.get(&pc) {
            return found.clone();
        }
        drop(known);
        let budget = Cell::new(MOST_WORK);
        let decoded = self.decode_function(pc, &budget).map(Arc::new);
        let bytes = MOST_WORK - budget.get();
        let mut cache = self.function_cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.functions.len() >= MAX_CACHED || cache.bytes + bytes > MAX_CACHED_BYTES {
            *cache = FunctionCache::default();
        }
        cache.bytes += bytes;
        cache.functions.insert(pc, decoded.clone());
        decoded
    }

    fn decode_function(&self, pc: u64, budget: &Cell<usize>) -> Option<Function> {
        let after = self.functions.partition_point(|function| function.low <= pc);
        // Functions of one executable do not overlap; looking back a little copes with those that do.
        let record = self.functions[..after].iter().rev().take(16).find(|function| pc < function.high)?;
        let dwarf = self.dwarf();
        let (unit, entry) = self.entry(&dwarf, record.entry)?;
        let walk = Walk { index: self, dwarf: &dwarf, unit: &unit, pc, budget };
        let frame_base = match entry.attr_value(gimli::DW_AT_frame_base) {
            Some(AttributeValue::Exprloc(expression)) => Some(expression.0.slice().to_vec()),
            _ => None,
        };
        let mut frames = walk.frames(&entry);
        let own = frames.drain(..1).next()?;
        let mut inlined: Vec<InlinedCall> = frames
            .into_iter()
            .map(|frame| InlinedCall {
                name: frame.name,
                call_line: frame.call_line,
                variables: frame.variables,
            })
            .collect();
        inlined.reverse();
        Some(Function {
            name: own.name,
            low: record.low,
            high: record.high,
            frame_base: frame_base.filter(|bytes| bytes.len() <= MAX_EXPRESSION),
            encoding: unit.header.encoding(),
            variables: own.variables,
            inlined,
        })
    }
}

/// A function or inlined call whose variables are being collected.
struct Frame {
    name: String,
    call_line: Option<u64>,
    origin: Option<TypeId>,
    /// Entries of the abstract function that variables have been made of, and where those are in `variables`.
    seen: Vec<(TypeId, usize)>,
    variables: Vec<LocalVariable>,
}

struct Walk<'i, 's> {
    index: &'s DwarfIndex<'i>,
    dwarf: &'s gimli::Dwarf<Slice<'s>>,
    unit: &'s gimli::Unit<Slice<'s>>,
    pc: u64,
    /// What is left of [`MOST_WORK`].
    budget: &'s Cell<usize>,
}

impl<'s> Walk<'_, 's> {
    /// Takes `amount` off the budget; `None` when there is not so much left, and then never again.
    fn spend(&self, amount: usize) -> Option<()> {
        let left = self.budget.get().checked_sub(amount);
        self.budget.set(left.unwrap_or(0));
        left.map(|_| ())
    }

    /// The function and the calls inlined at the pc, outermost first.
    fn frames(&self, function: &gimli::DebuggingInformationEntry<Slice<'s>>) -> Vec<Frame> {
        let mut frames = vec![self.frame(function)];
        // Scopes that contain the pc and are open: depth of their entry, and whether it is a call.
        let mut open: Vec<(isize, bool)> = Vec::new();
        let mut current = vec![0_usize];
        if let Ok(mut raw) = self.unit.header.entries_raw(&self.unit.abbreviations, Some(function.offset())) {
            let mut entry = gimli::DebuggingInformationEntry::null();
            let mut first = true;
            // Everything deeper than this is outside the pc's scopes.
            let mut skip_below: Option<isize> = None;
            while !raw.is_empty() {
                let depth = raw.next_depth();
                let Ok(present) = raw.read_entry(&mut entry) else { break };
                if first {
                    first = false;
                    if !entry.has_children() {
                        break;
                    }
                    continue;
                }
                if !present {
                    let closed = depth - 1;
                    if closed <= 0 {
                        break;
                    }
                    if skip_below.is_some_and(|limit| closed <= limit) {
                        skip_below = None;
                    } else if open.last().is_some_and(|scope| scope.0 == closed)
                        && let Some((_, true)) = open.pop()
                    {
                        current.pop();
                    }
                    continue;
                }
                if skip_below.is_some() {
                    continue;
                }
                match entry.tag() {
                    gimli::DW_TAG_variable | gimli::DW_TAG_formal_parameter => {
                        let blocks = open.iter().rev().take_while(|scope| !scope.1).count();
                        if let Some(frame) = current.last().and_then(|at| frames.get_mut(*at)) {
                            self.add_variable(frame, &entry, blocks);
                        }
                    }
                    gimli::DW_TAG_lexical_block | gimli::DW_TAG_inlined_subroutine => {
                        let call = entry.tag() == gimli::DW_TAG_inlined_subroutine;
                        let enters = self.contains_pc(&entry) && frames.len() < MAX_INLINED;
                        if enters && call {
                            current.push(frames.len());
                            frames.push(self.frame(&entry));
                        }
                        if !entry.has_children() {
                            if enters && call {
                                current.pop();
                            }
                        } else if enters {
                            open.push((depth, call));
                        } else {
                            skip_below = Some(depth);
                        }
                    }
                    _ if entry.has_children() => skip_below = Some(depth),
                    _ => {}
                }
            }
        }
        for frame in &mut frames {
            self.add_dropped_parameters(frame);
        }
        frames
    }

    fn frame(&self, entry: &gimli::DebuggingInformationEntry<Slice<'s>>) -> Frame {
        let origin =
            entry.attr_value(gimli::DW_AT_abstract_origin).and_then(|value| reference(self.unit, value));
        let own = attr_name(self.dwarf, self.unit, entry).map(<[u8]>::to_vec);
        let name = own.or_else(|| {
            let (unit, entry) = self.index.entry(self.dwarf, origin?)?;
            attr_name(self.dwarf, &unit, &entry).map(<[u8]>::to_vec)
        });
        let name = name.filter(|name| self.spend(name.len()).is_some());
        Frame {
            name: String::from_utf8_lossy(&name.unwrap_or_default()).into_owned(),
            call_line: entry.attr_value(gimli::DW_AT_call_line).and_then(|value| value.udata_value()),
            origin,
            seen: Vec::new(),
            variables: Vec::new(),
        }
    }

    fn add_variable(
        &self,
        frame: &mut Frame,
        entry: &gimli::DebuggingInformationEntry<Slice<'s>>,
        block_depth: usize,
    ) {
        if frame.variables.len() >= MAX_VARIABLES {
            return;
        }
        let mut variable = LocalVariable {
            name: String::new(),
            type_id: None,
            kind: VariableKind::Local,
            decl_line: None,
            block_depth,
            closure_offset: None,
            location: self.location(entry, self.pc),
            location_after: self.location(entry, self.pc.wrapping_add(1)),
            located_everywhere: matches!(
                entry.attr_value(gimli::DW_AT_location),
                Some(AttributeValue::Exprloc(_) | AttributeValue::Block(_))
            ),
        };
        describe(self.dwarf, self.unit, entry, &mut variable);
        if let Some(origin) =
            entry.attr_value(gimli::DW_AT_abstract_origin).and_then(|value| reference(self.unit, value))
        {
            frame.seen.push((origin, frame.variables.len()));
            if let Some((unit, entry)) = self.index.entry(self.dwarf, origin) {
                describe(self.dwarf, &unit, &entry, &mut variable);
            }
        }
        if !variable.name.is_empty() && self.spend(size_of::<LocalVariable>() + variable.name.len()).is_some()
        {
            frame.variables.push(variable);
        }
    }

    /// Parameters that the abstract function has and this copy of it has lost.
    fn add_dropped_parameters(&self, frame: &mut Frame) {
        let Some((unit, function)) = frame.origin.and_then(|origin| self.index.entry(self.dwarf, origin))
        else {
            return;
        };
        let (mut next, mut inserted) = (0, 0);
        children(&unit, &function, |entry| {
            let Some(gimli::DebugInfoOffset(at)) = entry.offset().to_debug_info_offset(&unit.header) else {
                return false;
            };
            if entry.tag() != gimli::DW_TAG_formal_parameter {
                return true;
            }
            if let Some((_, index)) = frame.seen.iter().find(|seen| seen.0 == TypeId(at)) {
                next = index + inserted + 1;
                return true;
            }
            let mut variable = LocalVariable {
                name: String::new(),
                type_id: None,
                kind: VariableKind::Parameter,
                decl_line: None,
                block_depth: 0,
                closure_offset: None,
                location: None,
                location_after: None,
                located_everywhere: false,
            };
            describe(self.dwarf, &unit, entry, &mut variable);
            if self.spend(size_of::<LocalVariable>() + variable.name.len()).is_none() {
                return false;
            }
            // Parameters stay in the order of their declaration.
            frame.variables.insert(next.min(frame.variables.len()), variable);
            next += 1;
            inserted += 1;
            frame.variables.len() < MAX_VARIABLES
        });
    }

    /// The expression that is valid at `pc`.
    fn location(&self, entry: &gimli::DebuggingInformationEntry<Slice<'s>>, pc: u64) -> Option<Vec<u8>> {
        let value = entry.attr_value(gimli::DW_AT_location)?;
        let bytes = match value {
            AttributeValue::Exprloc(expression) => expression.0,
            AttributeValue::Block(bytes) => bytes,
            _ => {
                let mut entries = self.dwarf.attr_locations(self.unit, value).ok()??;
                loop {
                    self.spend(LIST_ENTRY)?;
                    let entry = entries.next().ok()??;
                    if entry.range.begin <= pc && pc < entry.range.end {
                        break entry.data.0;
                    }
                }
            }
        };
        let bytes = bytes.slice();
        let bytes = Some(bytes).filter(|bytes| !bytes.is_empty() && bytes.len() <= MAX_EXPRESSION)?;
        self.spend(bytes.len())?;
        Some(bytes.to_vec())
    }

    fn contains_pc(&self, entry: &gimli::DebuggingInformationEntry<Slice<'s>>) -> bool {
        if let Some((low, high)) = low_high(self.dwarf, self.unit, entry) {
            return low <= self.pc && self.pc < high;
        }
        let Some(value) = entry.attr_value(gimli::DW_AT_ranges) else { return false };
        let Ok(Some(mut ranges)) = self.dwarf.attr_ranges(self.unit, value) else { return false };
        while let Ok(Some(range)) = ranges.next() {
            if range.begin <= self.pc && self.pc < range.end {
                return true;
            }
        }
        false
    }
}

/// Fills in what `entry` says and `variable` does not know yet.
fn describe<'s>(
    dwarf: &gimli::Dwarf<Slice<'s>>,
    unit: &gimli::Unit<Slice<'s>>,
    entry: &gimli::DebuggingInformationEntry<Slice<'s>>,
    variable: &mut LocalVariable,
) {
    if variable.name.is_empty()
        && let Some(name) = attr_name(dwarf, unit, entry)
    {
        variable.name = String::from_utf8_lossy(name).into_owned();
    }
    let number = |attr| entry.attr_value(attr).and_then(|value| value.udata_value());
    variable.type_id = variable
        .type_id
        .or_else(|| entry.attr_value(gimli::DW_AT_type).and_then(|value| reference(unit, value)));
    variable.decl_line = variable.decl_line.or_else(|| number(gimli::DW_AT_decl_line));
    variable.closure_offset = variable.closure_offset.or_else(|| number(GO_CLOSURE_OFFSET));
    if entry.tag() == gimli::DW_TAG_formal_parameter {
        let result =
            matches!(entry.attr_value(gimli::DW_AT_variable_parameter), Some(AttributeValue::Flag(true)));
        variable.kind = if result { VariableKind::Result } else { VariableKind::Parameter };
    }
}
