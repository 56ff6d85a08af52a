//! What one instruction does to the places of a function, and what a call does.

use super::{
    Convention,
    analysis::Analysis,
    instruction::{Address, Next, Op, Source, Step},
    state::{Held, REGISTERS, SLOT, State},
    value::{Place, Register, Value, ValueId, Values},
};
use crate::process::Process;

/// What a call does to registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Changes any of them; the callee's arguments on the stack are so many bytes, `None` for unknown.
    Clobbers(Option<u32>),
    /// Changes only these.
    Changes(&'static [Register]),
    /// Makes the function begin again, with what it is called with where the caller put it.
    Restarts,
    /// Does not come back.
    Ends,
}

impl Analysis {
    /// Runs one instruction.
    pub(super) fn execute(
        &self,
        convention: &Convention,
        step: &Step,
        state: &mut State,
        values: &mut Values,
    ) {
        let site = step.site;
        state.age(site, values);
        for op in self.code.ops(step) {
            match *op {
                Op::Set(to, source) => {
                    let value = take(source, to, site, state, values);
                    if let Some(Value::Stack(offset)) = values.get(value)
                        && to != convention.sp
                        && to != convention.frame_pointer
                        // Below the stack pointer nothing lies yet: a large frame of arm64 is being set up.
                        && stack_pointer(convention, state, values).is_none_or(|sp| offset >= sp)
                    {
                        state.escape(offset);
                    }
                    state.set(to, value);
                }
                Op::Store { to, size, from } => {
                    let value = from.map(|from| state.register(from));
                    store(to, size, value, site, convention, state, values);
                }
                Op::Anything => {
                    lose_registers(convention, site, state, values);
                    state.endanger(i64::MIN);
                    state.endanger(0);
                }
            }
        }
        let Next::Call(target) = step.next else { return };
        match self.effect(target) {
            Effect::Ends => {}
            Effect::Changes(registers) => {
                for register in registers {
                    let unknown = Value::Unknown { site, place: Place::Register(*register) };
                    state.set(*register, values.leaf(unknown));
                }
                state.endanger_escaped();
            }
            Effect::Restarts | Effect::Clobbers(_) => {
                let context = state.register(convention.context);
                lose_registers(convention, site, state, values);
                state.endanger_escaped();
                match (stack_pointer(convention, state, values), self.effect(target)) {
                    (_, Effect::Restarts) => state.set(convention.context, context),
                    (Some(sp), Effect::Clobbers(arguments)) => {
                        state.cut(sp, site, values);
                        // The callee's arguments are its own.
                        let known = arguments.map(|size| i64::from(size) + convention.before_arguments);
                        state.endanger_between(sp, known.map_or(0, |size| sp.saturating_add(size)));
                    }
                    _ => {
                        state.endanger(i64::MIN);
                        state.endanger(0);
                    }
                }
            }
        }
    }
}

/// Where the stack pointer is, from the canonical frame address.
fn stack_pointer(convention: &Convention, state: &State, values: &Values) -> Option<i64> {
    match values.get(state.register(convention.sp)) {
        Some(Value::Stack(offset)) => Some(offset),
        _ => None,
    }
}

/// All registers but the stack pointer hold something else.
fn lose_registers(convention: &Convention, site: u32, state: &mut State, values: &mut Values) {
    for register in 0..REGISTERS as Register {
        if register != convention.sp {
            let unknown = Value::Unknown { site, place: Place::Register(register) };
            state.set(register, values.leaf(unknown));
        }
    }
}

/// The value that an instruction gives to a register.
fn take(source: Source, to: Register, site: u32, state: &mut State, values: &mut Values) -> ValueId {
    let place = Place::Register(to);
    let mut number = |value| values.number(value, site, place);
    match source {
        Source::Register(from) => state.register(from),
        Source::Constant(value) => number(Value::Constant(value)),
        Source::Unknown => number(Value::Unknown { site, place }),
        Source::Sum(base, offset) => {
            let base = state.register(base);
            values.sum(base, offset, site, place)
        }
        Source::Indexed(base) => {
            if let Some(Value::Stack(offset)) = values.get(state.register(base)) {
                state.escape(offset);
            }
            values.number(Value::Unknown { site, place }, site, place)
        }
        Source::Memory(address, size) => load(address, size, place, site, state, values),
    }
}

/// What is read from memory.
fn load(
    address: Address,
    size: u8,
    place: Place,
    site: u32,
    state: &mut State,
    values: &mut Values,
) -> ValueId {
    let (base, offset) = match address.base {
        Some(base) => (state.register(base), address.offset),
        None => (values.leaf(Value::Constant(address.offset.cast_unsigned())), 0),
    };
    let value = match values.get(base) {
        Some(Value::Stack(from)) => {
            let at = from.wrapping_add(offset);
            if address.indexed || i64::from(size) != SLOT || at % SLOT != 0 {
                Value::Unknown { site, place }
            } else {
                let held = state.slot(at, values);
                if !held.at_risk {
                    return held.value;
                }
                let value = values.number(Value::Maybe { site, of: held.value }, site, place);
                // From now on both hold the same, whatever it is.
                state.slots.insert(at, Held { value, at_risk: false });
                return value;
            }
        }
        _ if address.indexed => {
            let base = values.sum(base, offset, site, place);
            Value::Element { site, base }
        }
        Some(Value::Sum { base, offset: first }) => {
            Value::Load { site, base, offset: first.wrapping_add(offset), size }
        }
        _ => Value::Load { site, base, offset, size },
    };
    values.number(value, site, place)
}

/// A write to memory.
fn store(
    to: Address,
    size: u32,
    value: Option<ValueId>,
    site: u32,
    convention: &Convention,
    state: &mut State,
    values: &mut Values,
) {
    let Some(base) = to.base else {
        // Fixed addresses are those of variables of the package.
        if to.indexed {
            state.endanger_escaped();
        }
        return;
    };
    match values.get(state.register(base)) {
        Some(Value::Stack(from)) => {
            let at = from.wrapping_add(to.offset);
            if to.indexed {
                state.endanger(at);
            } else {
                state.store(at, size, value, site, values);
            }
        }
        Some(Value::Constant(_)) => {}
        _ if base == convention.sp => {
            state.endanger(i64::MIN);
            state.endanger(0);
        }
        _ => state.endanger_escaped(),
    }
}

/// What the function at `target` does to its caller's registers.
pub(super) fn effect(process: &Process<'_>, target: u64) -> Effect {
    let unknown = Effect::Clobbers(None);
    let Some(symbols) = process.symbolizer.symbols(target) else { return unknown };
    let Some(name) = symbols.name.strip_prefix("runtime.") else {
        return Effect::Clobbers(arguments(process, target));
    };
    let arm = process.shape.link_register;
    if name.starts_with("gcWriteBarrier") {
        // Saves what it uses; the buffer comes back in R11 or R25 (asm_amd64.s, asm_arm64.s).
        return Effect::Changes(if arm { &[25, 27, 30] } else { &[11] });
    }
    match name {
        "duffzero" | "duffcopy" => {
            // duff_amd64.s, duff_arm64.s.
            Effect::Changes(if arm { &[16, 17, 20, 21, 26, 27, 30] } else { &[6, 7] })
        }
        // Goes on at the function's entry, with its context and the stack as it was.
        "morestack" | "morestack_noctxt" => Effect::Restarts,
        // `b.Kind = BlockExit` in ssagen/ssa.go: the compiler knows that they do not come back.
        "gopanic" | "throw" | "panicdivide" | "panicshift" | "panicoverflow" | "panicfloat" | "panicmem"
        | "panicmemAddr" | "panicdottypeE" | "panicdottypeI" | "panicnildottype" | "panicwrap" | "block"
        | "panicmakeslicelen" | "panicmakeslicecap" | "panicBounds" | "goexit" => Effect::Ends,
        _ if ["panicIndex", "panicSlice", "goPanic"].iter().any(|start| name.starts_with(start)) => {
            Effect::Ends
        }
        _ => Effect::Clobbers(arguments(process, target)),
    }
}

/// Bytes of the arguments of the function that begins at `target`, those in registers with them: the callee may
/// put them on the stack.
fn arguments(process: &Process<'_>, target: u64) -> Option<u32> {
    let function = process.symbolizer.pclntab().function_at(target.wrapping_sub(process.bias))?;
    let begins = function.entry() == target.wrapping_sub(process.bias);
    function.args_size().filter(|_| begins && !function.flags().assembly())
}
