//! Arguments and local variables of Go frames, from DWARF.
//!
//! A variable of optimised code lives where the compiler found best, and only as long as it is needed:
//! location lists say where at which pc. Whatever they do not name at this pc has no value, and is shown so
//! (`value` is null) and never as zero. In frames that have called on, registers are lost: Go's calling
//! convention saves none for the caller, so there only what lies on the stack is left.

pub(crate) mod passed;
pub(crate) mod slots;

use panicle_binary::dwarf::{
    DwarfIndex, ExprContext, Function, LocalVariable, Piece, PieceLocation, TypeId, TypeKind, VariableKind,
    evaluate,
};
use panicle_report::Local;

pub use slots::Slot;

use crate::{
    args,
    frames::LogicalFrame,
    process::Process,
    value::{self, Context, Limits, Location, Parts},
};

/// Variables larger than this that are scattered over registers and stack are not put together.
const MAX_SCATTERED: u64 = 64 << 10;

/// The registers of a thread by DWARF number; vector registers by their lowest eight bytes.
pub type Registers<'r> = &'r dyn Fn(u16) -> Option<u64>;

/// A frame whose variables are wanted.
#[derive(Clone, Copy)]
pub struct Frame<'f> {
    /// An address within the instruction the frame stands at: where it faulted, for callers the return
    /// address less one.
    pub pc: u64,
    /// The canonical frame address: the caller's stack pointer (the runtime's `fp`).
    pub cfa: u64,
    /// Where the spill slots of the arguments are counted from (the runtime's `argp`).
    pub argp: u64,
    /// The stack pointer: its DWARF number and its value.
    pub sp: Option<(u16, u64)>,
    /// For innermost frames and those a signal interrupted; nothing is known of a caller's registers.
    pub registers: Option<Registers<'f>>,
    /// How many of the calls inlined at the pc are further inside: 0 is the innermost.
    pub inline_depth: usize,
    /// The function's full name from the function table, with which the inlined call is checked.
    pub function: Option<&'f str>,
    /// Spill slots of the arguments, where the function table says that they are in use; none for inlined calls.
    pub argument_slots: &'f [Option<Slot>],
    /// The line it stands at; what is declared further down is not in scope yet.
    pub line: Option<u32>,
}

/// A variable of a frame.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it is to its function.
    pub kind: VariableKind,
    /// Another variable of the same name is declared further inside, and hides it.
    pub hidden: bool,
    /// Its type.
    pub type_id: Option<TypeId>,
    /// Where it is; `None` where the compiler kept it nowhere at this pc.
    pub location: Option<Location>,
}

impl Variable {
    /// Which of the variables of a frame `name` stands for.
    pub(crate) fn named(variables: &[Self], name: &str) -> Option<usize> {
        variables.iter().position(|variable| variable.name == name && !variable.hidden)
    }
}

/// Hands the frame `frame` of a process to `read`, in the terms of this module. `registers` are those of the
/// thread that runs the goroutine: they tell something of a frame only while its pc and sp are still in them.
pub(crate) fn in_frame<R>(
    process: &Process<'_>,
    frame: &LogicalFrame,
    registers: Option<&panicle_image::Registers>,
    read: impl FnOnce(&Frame<'_>) -> R,
) -> R {
    let physical = &frame.physical;
    let registers = registers.filter(|at| physical.trap && at.pc() == physical.pc && at.sp() == physical.sp);
    let by_dwarf = registers.map(|registers| |number: u16| registers.by_dwarf(number));
    let slots = if frame.call().inlined { Vec::new() } else { args::slots(process, physical) };
    read(&Frame {
        pc: physical.lookup_pc,
        cfa: physical.fp,
        argp: physical.argp,
        sp: process.executable.arch.dwarf_stack_pointer().map(|number| (number, physical.sp)),
        registers: by_dwarf.as_ref().map(|read| read as Registers<'_>),
        inline_depth: frame.depth,
        function: Some(&frame.call().function),
        argument_slots: &slots,
        line: frame.call().line,
    })
}

/// The variables of `frame` in words: parameters, results that have a value, then locals in scope.
///
/// A variable that an inner one of the same name hides is called `(name)`. Empty when the debug information
/// does not know the frame.
pub fn locals(context: &Context<'_>, frame: &Frame<'_>, limits: Limits) -> Vec<Local> {
    let in_words = |variable: Variable| Local {
        name: if variable.hidden { format!("({})", variable.name) } else { variable.name },
        type_name: variable.type_id.map_or("?".to_owned(), |id| value::type_name(context, id)),
        value: variable
            .type_id
            .zip(variable.location)
            .map(|(id, location)| value::format(context, id, &location, limits)),
    };
    variables(context, frame).into_iter().map(in_words).collect()
}

/// The variables of `frame` with types and places, in the order of [`locals`].
pub fn variables(context: &Context<'_>, frame: &Frame<'_>) -> Vec<Variable> {
    let Some(dwarf) = context.dwarf else { return Vec::new() };
    let Some(function) = dwarf.function_at(frame.pc.wrapping_sub(context.bias)) else { return Vec::new() };
    let Some(variables) = variables_of(&function, frame) else { return Vec::new() };
    let mut shown: Vec<&LocalVariable> =
        variables.iter().filter(|variable| is_shown(variable, frame)).collect();
    // The sort is stable, so that each group stays in the order of declaration.
    shown.sort_by_key(|variable| match variable.kind {
        VariableKind::Parameter => 0,
        VariableKind::Result => 1,
        VariableKind::Local => 2,
    });
    let evaluation = Evaluation { context, dwarf, frame, function: &function, variables };
    let found = |variable: &&LocalVariable| {
        let (type_id, location) = evaluation.resolve(variable);
        Variable {
            name: plain_name(variable).to_owned(),
            kind: variable.kind,
            hidden: is_hidden(variable, &shown),
            type_id,
            location,
        }
    };
    shown.iter().map(found).collect()
}

/// The variables of the function or inlined call that `frame` is.
fn variables_of<'v>(function: &'v Function, frame: &Frame<'_>) -> Option<&'v [LocalVariable]> {
    let inlined = function.inlined.iter().map(|call| (call.name.as_str(), call.variables.as_slice()));
    let own = (function.name.as_str(), function.variables.as_slice());
    let frames: Vec<_> = inlined.chain([own]).collect();
    let Some(name) = frame.function else {
        return frames.get(frame.inline_depth).map(|found| found.1);
    };
    // DWARF leaves out inlined calls that the function table still has, never the other way round, so the
    // frame is at its depth or further inside.
    let last = frame.inline_depth.min(frames.len() - 1);
    frames[..=last].iter().rev().find(|found| same_function(found.0, name)).map(|found| found.1)
}

/// Whether two names are of one function, type arguments left aside: they are spelled in several ways.
fn same_function(one: &str, other: &str) -> bool {
    one == other || without_type_arguments(one) == without_type_arguments(other)
}

fn without_type_arguments(name: &str) -> String {
    let mut depth = 0_u32;
    let mut plain = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

fn is_shown(variable: &LocalVariable, frame: &Frame<'_>) -> bool {
    let name = plain_name(variable);
    // `.dict`, `.autotmp_3` and their kin are the compiler's own.
    if name.starts_with('.') || name == "_" || name.is_empty() {
        return false;
    }
    match variable.kind {
        VariableKind::Parameter => true,
        VariableKind::Result => variable.location.is_some(),
        VariableKind::Local => {
            let (Some(declared), Some(line)) = (variable.decl_line, frame.line) else { return true };
            // The line of a captured variable is that of its first use and not of its declaration. A location
            // list names a place only where there is a value; a place for the whole function may not have been
            // written to yet.
            match (&variable.location, variable.located_everywhere) {
                _ if variable.closure_offset.is_some() => true,
                (Some(_), false) => true,
                (Some(_), true) => declared <= u64::from(line),
                (None, _) => declared < u64::from(line),
            }
        }
    }
}

/// The name without the mark of a variable that lives on the heap.
fn plain_name(variable: &LocalVariable) -> &str {
    variable.name.strip_prefix('&').unwrap_or(&variable.name)
}

/// Whether another variable of the same name is declared further inside.
fn is_hidden(variable: &LocalVariable, shown: &[&LocalVariable]) -> bool {
    shown.iter().any(|other| {
        plain_name(other) == plain_name(variable)
            && (other.block_depth, other.decl_line) > (variable.block_depth, variable.decl_line)
    })
}

struct Evaluation<'e> {
    context: &'e Context<'e>,
    dwarf: &'e DwarfIndex<'e>,
    frame: &'e Frame<'e>,
    function: &'e Function,
    /// All variables of the frame, the compiler's own with them.
    variables: &'e [LocalVariable],
}

impl Evaluation<'_> {
    /// The type of the variable and where it is; for one that escaped to the heap, what it points at.
    fn resolve(&self, variable: &LocalVariable) -> (Option<TypeId>, Option<Location>) {
        let Some(id) = variable.type_id.map(|id| self.instantiated(id)) else { return (None, None) };
        let location = self.location(variable, id);
        let location = match location {
            Some(location) if location.is_complete() => Some(location),
            partly => self.spill_slot(variable).or(partly),
        };
        if !variable.name.starts_with('&') {
            return (Some(id), location);
        }
        let TypeKind::Pointer { to } = self.dwarf.ty(id).kind else { return (Some(id), location) };
        let target = location.and_then(|location| value::read_word(self.context, &location));
        // The allocation comes before the first use; until then the slot is zero.
        (Some(to), target.filter(|address| *address != 0).map(Location::Address))
    }

    /// For the type of a type parameter the real type, out of the function's dictionary.
    fn instantiated(&self, id: TypeId) -> TypeId {
        let dwarf = self.dwarf;
        let shape = dwarf.ty(id);
        let real = || {
            let index = shape.dict_index?;
            let types = self.context.types?;
            let dict = self.variables.iter().find(|variable| variable.name == ".dict")?;
            let location = self.location(dict, dict.type_id?)?;
            let dict = value::read_word(self.context, &location)?;
            let entry = dict.checked_add(index.checked_mul(8)?)?;
            let address = self.context.memory.word(entry)?;
            dwarf.type_by_runtime_offset(types.offset(address)?)
        };
        // A dictionary that is not in use any more may be anything.
        real().filter(|real| dwarf.ty(*real).size == shape.size).unwrap_or(id)
    }

    /// The slot that holds the argument although its location does not say so.
    fn spill_slot(&self, variable: &LocalVariable) -> Option<Location> {
        // In generic code the byte code leaves out the first argument, be it the dictionary or not.
        if variable.kind != VariableKind::Parameter || self.function.name.contains('[') {
            return None;
        }
        let parameters: Vec<&LocalVariable> =
            self.variables.iter().filter(|other| other.kind == VariableKind::Parameter).collect();
        let slots = self.frame.argument_slots;
        let at = parameters.iter().position(|other| std::ptr::eq(*other, variable))?;
        let slot = (*slots.get(at)?)?;
        // The two lists are matched by position. They are of one function only if the sizes agree throughout.
        let agree = slots.len() <= parameters.len()
            && slots.iter().zip(&parameters).all(|(slot, parameter)| {
                let size = parameter.type_id.and_then(|id| self.dwarf.ty(id).size);
                slot.is_none_or(|slot| size.is_some_and(|size| slot.fits(size)))
            });
        agree.then(|| Location::Address(self.frame.argp.wrapping_add(slot.start)))
    }

    fn location(&self, variable: &LocalVariable, id: TypeId) -> Option<Location> {
        let size = self.dwarf.ty(id).size?;
        let here = self.evaluate(variable.location.as_deref()?, size);
        if self.frame.registers.is_some() || here.as_ref().is_some_and(Location::is_complete) {
            return here;
        }
        // A call ends what is in registers, but what is still needed after it has been put on the stack
        // before it, and is named there from the return address on.
        let after = variable.location_after.as_deref().and_then(|expression| self.evaluate(expression, size));
        match (here, after) {
            (None, after) => after,
            (here, Some(after)) if after.is_complete() => Some(after).or(here),
            (here, _) => here,
        }
    }

    /// Where `expression` finds a variable of `size` bytes; `None` when no byte of it is known.
    fn evaluate(&self, expression: &[u8], size: u64) -> Option<Location> {
        let mut pieces = evaluate(expression, self.function.encoding, self).ok()?;
        if let [Piece { location: PieceLocation::Address(address), size: piece }] = pieces.as_slice()
            && piece.is_none_or(|piece| piece >= size)
        {
            return Some(Location::Address(*address));
        }
        if size > MAX_SCATTERED {
            return None;
        }
        // Go 1.21 names the first word of a slice twice when it also walks over it with a pointer.
        if pieces.iter().map(|piece| piece.size.unwrap_or(0)).fold(0, u64::saturating_add) > size {
            pieces.dedup();
        }
        let mut parts = Parts::default();
        for piece in &pieces {
            let rest = size.saturating_sub(parts.len() as u64);
            let wanted = usize::try_from(piece.size.unwrap_or(rest).min(rest)).ok()?;
            self.append(&mut parts, &piece.location, wanted);
        }
        let missing = usize::try_from(size).ok()?.saturating_sub(parts.len());
        parts.push_unknown(missing);
        parts.any_known().then_some(Location::Parts(parts))
    }

    fn append(&self, parts: &mut Parts, location: &PieceLocation, wanted: usize) {
        let bytes = match location {
            PieceLocation::Address(address) => {
                let mut bytes = vec![0; wanted];
                self.context.memory.read(*address, &mut bytes).then_some(bytes)
            }
            PieceLocation::Register(number) => {
                self.register(*number).map(|value| value.to_le_bytes()[..wanted.min(8)].to_vec())
            }
            PieceLocation::Bytes(bytes) => Some(bytes[..wanted.min(bytes.len())].to_vec()),
            PieceLocation::Nowhere => None,
        };
        let bytes = bytes.unwrap_or_default();
        parts.push(&bytes);
        parts.push_unknown(wanted - bytes.len());
    }
}

impl ExprContext for Evaluation<'_> {
    fn register(&self, number: u16) -> Option<u64> {
        match self.frame.registers {
            Some(registers) => registers(number),
            None => self.frame.sp.filter(|sp| sp.0 == number).map(|sp| sp.1),
        }
    }

    fn cfa(&self) -> Option<u64> {
        Some(self.frame.cfa)
    }

    fn frame_base(&self) -> Option<u64> {
        let expression = self.function.frame_base.as_deref()?;
        let base = FrameBase(self);
        match evaluate(expression, self.function.encoding, &base).ok()?.as_slice() {
            [Piece { location: PieceLocation::Address(address), .. }] => Some(*address),
            // A frame base that is a register is what the register holds.
            [Piece { location: PieceLocation::Register(number), .. }] => self.register(*number),
            _ => None,
        }
    }

    fn memory(&self, address: u64, size: u8) -> Option<u64> {
        let mut bytes = [0; 8];
        let size = usize::from(size).min(8);
        self.context.memory.read(address, &mut bytes[..size]).then(|| u64::from_le_bytes(bytes))
    }

    fn relocate(&self, address: u64) -> u64 {
        address.wrapping_add(self.context.bias)
    }
}

/// The context of the frame base itself, which may not ask for the frame base.
struct FrameBase<'e>(&'e Evaluation<'e>);

impl ExprContext for FrameBase<'_> {
    fn register(&self, number: u16) -> Option<u64> {
        self.0.register(number)
    }

    fn cfa(&self) -> Option<u64> {
        self.0.cfa()
    }

    fn frame_base(&self) -> Option<u64> {
        None
    }

    fn memory(&self, address: u64, size: u8) -> Option<u64> {
        self.0.memory(address, size)
    }

    fn relocate(&self, address: u64) -> u64 {
        self.0.relocate(address)
    }
}

#[cfg(test)]
mod tests;
