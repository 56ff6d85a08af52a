//! From symbols to numbers: what a value of a frame is, through all frames outwards of it.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use panicle_image::{Arch, Registers};

use super::{
    Convention, Flows, Point,
    value::{Place, Register, Value, ValueId},
};
use crate::{process::Process, unwind::PhysicalFrame};

/// Steps from a value to what it is made of, over all frames.
const MOST_STEPS: u32 = 64;

/// How well a number is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Proof {
    /// It is the very value.
    Exact,
    /// Memory that the value was once read from says so today; it may have said something else then.
    ReadAgain,
}

/// A value's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) value: u64,
    pub(crate) proof: Proof,
    /// It was found in the frame of a caller.
    pub(crate) outside: bool,
}

/// The physical frames of one stack.
pub(crate) struct Frames<'s, 'a> {
    process: &'s Process<'a>,
    flows: &'s Flows,
    convention: Convention,
    /// Innermost first, each directly called by the next one.
    list: Vec<Rc<PhysicalFrame>>,
    /// Those of the thread, with which they are the innermost frame's.
    registers: Option<&'s Registers>,
    points: RefCell<HashMap<usize, Option<Rc<Point>>>>,
}

/// Where a value came from, in the terms of one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operand {
    /// Where it begins.
    pub(crate) base: OperandBase,
    /// What was read from memory on the way, outermost first.
    pub(crate) steps: Vec<OperandStep>,
    /// Bytes added to what was read last.
    pub(crate) offset: i64,
}

/// Where an operand begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OperandBase {
    /// The word of the arguments that a register held, counted over all registers for integers, and whether the
    /// value is known as [`Proof::Exact`].
    Argument { number: usize, value: Option<u64>, exact: bool },
    /// An argument on the stack, so many bytes from the first.
    StackArgument { offset: i64, value: Option<u64> },
    /// The closure that the function is.
    Closure { value: Option<u64> },
    /// A fixed address: a variable of a package, type data, a constant.
    Fixed { address: u64 },
    /// A variable of the frame.
    Frame { address: u64 },
    /// What a call left in a register of results.
    Result { function: Option<String> },
    /// Something else.
    Unknown,
}

/// A word that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OperandStep {
    /// Bytes from what was known before.
    pub(crate) offset: i64,
    /// Where that is, as far as it is known today.
    pub(crate) address: Option<u64>,
}

impl<'s, 'a> Frames<'s, 'a> {
    /// `list` has the frames of a stack, innermost first; `registers` are those of the thread it runs on.
    pub(crate) fn new(
        process: &'s Process<'a>,
        flows: &'s Flows,
        list: Vec<Rc<PhysicalFrame>>,
        registers: Option<&'s Registers>,
    ) -> Option<Self> {
        let convention = Convention::of(process.executable.arch)?;
        Some(Self { process, flows, convention, list, registers, points: RefCell::default() })
    }

    fn point(&self, index: usize) -> Option<Rc<Point>> {
        if let Some(known) = self.points.borrow().get(&index) {
            return known.clone();
        }
        let frame = self.list.get(index)?;
        let point = self.flows.point(self.process, frame).map(Rc::new);
        self.points.borrow_mut().insert(index, point.clone());
        point
    }

    /// The word of the arguments with which a frame's function was called.
    pub(crate) fn argument(&self, index: usize, number: usize) -> Option<Found> {
        let register = *self.convention.arguments.get(number)?;
        self.at_entry(index, register, 0)
    }

    /// What a register held when the function of a frame began.
    fn at_entry(&self, index: usize, register: Register, steps: u32) -> Option<Found> {
        let inside = self.point(index).and_then(|point| {
            let id = point.entry(Place::Register(register))?;
            self.held(index, &point, id)
        });
        inside.or_else(|| self.passed(index, register, steps))
    }

    /// The frame that called a frame, where it stands. None where something else lies between the two, such as
    /// another stack.
    fn caller(&self, index: usize) -> Option<(usize, Rc<Point>)> {
        let outer = index.checked_add(1)?;
        let point = self.point(outer).filter(|point| point.is_call())?;
        let entry = self.list.get(index)?.symbols.entry;
        point.target.is_none_or(|target| target == entry).then_some((outer, point))
    }

    /// What the caller of a frame put in a register before the call.
    fn passed(&self, index: usize, register: Register, steps: u32) -> Option<Found> {
        let (outer, point) = self.caller(index)?;
        let mut found = self.resolve(outer, point.register(register), steps + 1)?;
        // A method that only passes on to another one is not on the stack; it may have changed the receiver.
        if point.target.is_none() && self.convention.argument(register) == Some(0) {
            found.proof = Proof::ReadAgain;
        }
        Some(Found { outside: true, ..found })
    }

    /// A value where a frame still holds it.
    fn held(&self, index: usize, point: &Point, id: ValueId) -> Option<Found> {
        let frame = self.list.get(index)?;
        let exact = |value| Found { value, proof: Proof::Exact, outside: false };
        let read = |offset: i64| self.process.memory.u64(frame.fp.wrapping_add_signed(offset)).ok();
        let now = point.now();
        for (place, value, at_risk) in now.places().filter(|(_, value, _)| *value == id) {
            let found = match place {
                Place::Register(register) if !point.is_call() => self.register(index, register),
                Place::Slot(offset) if !at_risk || self.is_private(frame, offset) => read(offset),
                _ => None,
            };
            debug_assert_eq!(value, id, "places are filtered");
            if let Some(found) = found {
                return Some(exact(found));
            }
        }
        match point.value(id)? {
            Value::Entry(Place::Slot(offset))
                if !now.slots.contains_key(&offset) && !now.entry_is_at_risk(offset) =>
            {
                read(offset).map(exact)
            }
            _ => None,
        }
    }

    /// A register of a frame that was interrupted.
    fn register(&self, index: usize, register: Register) -> Option<u64> {
        let frame = self.list.get(index).filter(|frame| frame.trap)?;
        let thread = self.registers.filter(|at| at.pc() == frame.pc && at.sp() == frame.sp);
        if let Some(registers) = thread {
            return by_number(self.process.executable.arch, registers, register);
        }
        // Preemption saves them all on the stack.
        let inner = index.checked_sub(1)?;
        (self.list.get(inner)?.symbols.name == "runtime.asyncPreempt").then_some(())?;
        let point = self.point(inner)?;
        let id = point.entry(Place::Register(register))?;
        self.held(inner, &point, id).map(|found| found.value)
    }

    /// Whether a slot holds a pointer in a variable whose address nobody has.
    fn is_private(&self, frame: &PhysicalFrame, offset: i64) -> bool {
        let process = self.process;
        let linked = frame.lookup_pc.wrapping_sub(process.bias);
        let Some(function) = process.symbolizer.pclntab().function_at(linked) else { return false };
        // The return address, where it is on the stack, and the caller's frame pointer lie on top.
        let top = 8_u64.saturating_add(process.shape.pushed_by_call);
        let below = u64::try_from(offset.saturating_neg()).ok().and_then(|below| below.checked_sub(top));
        !frame.trap && below.is_some_and(|below| function.has_private_pointer(linked, below))
    }

    /// What a value of a frame is.
    fn resolve(&self, index: usize, id: ValueId, steps: u32) -> Option<Found> {
        if steps > MOST_STEPS {
            return None;
        }
        let point = self.point(index)?;
        let held = self.held(index, &point, id);
        if held.is_some() {
            return held;
        }
        let frame = self.list.get(index)?;
        let exact = |value| Some(Found { value, proof: Proof::Exact, outside: false });
        match point.value(id)? {
            Value::Constant(value) => exact(value),
            Value::Stack(offset) => exact(frame.fp.wrapping_add_signed(offset)),
            Value::Sum { base, offset } => {
                let base = self.resolve(index, base, steps + 1)?;
                Some(Found { value: base.value.wrapping_add_signed(offset), ..base })
            }
            Value::Entry(Place::Register(register)) => self.passed(index, register, steps),
            Value::Entry(Place::Slot(offset)) => {
                // Of the arguments on the stack. They belong to the callee, but the caller has what it put there.
                let (outer, caller) = self.caller(index)?;
                let id = (offset >= 0).then(|| caller.stack_argument(&self.convention, offset)).flatten()?;
                let found = self.resolve(outer, id, steps + 1)?;
                Some(Found { outside: true, ..found })
            }
            Value::Load { base, offset, size, .. } => {
                let closure = point.value(base)
                    == Some(Value::Entry(Place::Register(self.convention.context)))
                    && self.is_kept(index, &point, base, steps);
                let base = self.resolve(index, base, steps + 1)?;
                let address = base.value.wrapping_add_signed(offset);
                let value = match size {
                    4 => u64::from(self.process.memory.u32(address).ok()?),
                    _ => self.process.memory.u64(address).ok()?,
                };
                // What a closure has captured stays as it is while there is the closure, and so do constants.
                let fixed = closure || self.is_constant(address);
                let proof = if fixed { base.proof } else { Proof::ReadAgain };
                Some(Found { value, proof, ..base })
            }
            Value::Maybe { of, .. } => {
                let found = self.resolve(index, of, steps + 1)?;
                Some(Found { proof: Proof::ReadAgain, ..found })
            }
            Value::Element { .. } | Value::Unknown { .. } | Value::Stale { .. } | Value::Join { .. } => None,
        }
    }

    /// Whether a frame, or the one that called it with this value, has a pointer in a variable that the collector
    /// looks at. What only a dead slot points at may be gone, and something else be there.
    fn is_kept(&self, index: usize, point: &Point, id: ValueId, steps: u32) -> bool {
        if steps > MOST_STEPS {
            return false;
        }
        let Some(frame) = self.list.get(index) else { return false };
        let live = |place| matches!(place, Place::Slot(offset) if self.is_private(frame, offset));
        if point.now().places().any(|(place, value, _)| value == id && live(place)) {
            return true;
        }
        match point.value(id) {
            // Closures that have captured nothing are constants.
            Some(Value::Constant(address)) => self.is_constant(address),
            Some(Value::Entry(Place::Register(register))) => {
                self.caller(index).is_some_and(|(outer, caller)| {
                    self.is_kept(outer, &caller, caller.register(register), steps + 1)
                })
            }
            _ => false,
        }
    }

    /// Whether an address is in a part of the executable that nobody can write to.
    fn is_constant(&self, address: u64) -> bool {
        let linked = address.wrapping_sub(self.process.bias);
        let inside = |start: u64, size: u64| linked.checked_sub(start).is_some_and(|at| at < size);
        self.process
            .executable
            .load_segments
            .iter()
            .find(|segment| inside(segment.address, segment.memory_size))
            .is_some_and(|segment| !segment.writable)
    }

    /// Where the caller of a frame had the argument `number` of the call from.
    pub(crate) fn operand(&self, index: usize, number: usize) -> Option<Operand> {
        let register = *self.convention.arguments.get(number)?;
        let (outer, point) = self.caller(index)?;
        Some(self.describe(outer, &point, point.register(register)))
    }

    fn describe(&self, index: usize, point: &Point, id: ValueId) -> Operand {
        let mut steps = Vec::new();
        let mut pending = 0_i64;
        let mut last: Option<i64> = None;
        let mut next = id;
        let number = |id| self.resolve(index, id, 0).map(|found| found.value);
        let base = loop {
            match point.value(next) {
                Some(Value::Sum { base, offset }) => {
                    pending = pending.wrapping_add(offset);
                    next = base;
                }
                Some(Value::Load { base, offset, .. }) => {
                    last.get_or_insert(pending);
                    let address = number(base).map(|base| base.wrapping_add_signed(offset));
                    steps.push(OperandStep { offset, address });
                    pending = 0;
                    next = base;
                }
                Some(Value::Maybe { of, .. }) => next = of,
                Some(Value::Entry(Place::Register(register))) => {
                    let value = number(next);
                    break match self.convention.argument(register) {
                        Some(number) => {
                            let found = self.resolve(index, next, 0);
                            let exact = found.is_some_and(|found| found.proof == Proof::Exact);
                            OperandBase::Argument { number, value, exact }
                        }
                        None if register == self.convention.context => OperandBase::Closure { value },
                        None => OperandBase::Unknown,
                    };
                }
                Some(Value::Entry(Place::Slot(offset))) if offset >= self.convention.before_arguments => {
                    let offset = offset - self.convention.before_arguments;
                    break OperandBase::StackArgument { offset, value: number(next) };
                }
                Some(Value::Constant(address)) => break OperandBase::Fixed { address },
                Some(Value::Stack(offset)) => {
                    let frame = self.list.get(index).map_or(0, |frame| frame.fp);
                    break OperandBase::Frame { address: frame.wrapping_add_signed(offset) };
                }
                Some(Value::Unknown { site, place: Place::Register(register) })
                    if self.convention.argument(register).is_some() =>
                {
                    break match point.call_at(site) {
                        Some(target) => OperandBase::Result {
                            function: target.and_then(|at| self.process.symbolizer.function_name(at)),
                        },
                        None => OperandBase::Unknown,
                    };
                }
                _ => break OperandBase::Unknown,
            }
        };
        steps.reverse();
        Operand { base, steps, offset: last.unwrap_or(pending) }
    }
}

/// A register by the number of the instruction set.
fn by_number(arch: Arch, registers: &Registers, number: Register) -> Option<u64> {
    // DWARF's numbers of amd64 are others (System V ABI, figure 3.36): rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp.
    const AMD64: [u16; 16] = [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];
    match arch {
        Arch::Amd64 => registers.by_dwarf(*AMD64.get(usize::from(number))?),
        _ => registers.by_dwarf(u16::from(number)),
    }
}
