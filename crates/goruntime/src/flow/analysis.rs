//! One function, run in symbols.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use super::{
    Convention,
    instruction::{Address, Code, Next, Op, Source, Step},
    state::{Held, REGISTERS, SLOT, State},
    value::{Place, Register, Value, ValueId, Values},
};
use crate::{process::Process, unwind::PhysicalFrame};

/// Bytes of code of one function.
const MOST_CODE: u64 = 256 << 10;
/// Blocks of one function.
const MOST_BLOCKS: usize = 20_000;
/// Entries of one jump table.
const MOST_TARGETS: u64 = 4096;
/// How often all blocks of a function are gone through.
const MOST_ROUNDS: usize = 24;
/// Jump tables of one function, and edges between its blocks.
const MOST_TABLES: usize = 64;
const MOST_EDGES: usize = 200_000;
/// Slots in the states of all blocks of one function.
const MOST_SLOTS: usize = 1 << 20;
/// Work for one process in all, in places of a state that are looked at.
const MOST_WORK: u64 = 2_000_000_000;
/// Instructions and slots of all functions whose analysis is kept.
const MOST_KEPT: usize = 1 << 21;

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

/// The functions of a process, each run when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    known: RefCell<HashMap<u64, Option<Rc<Analysis>>>>,
    kept: Cell<usize>,
    work: Cell<u64>,
}

/// What a function's places hold at one instruction.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    analysis: Rc<Analysis>,
    /// Before the instruction.
    before: State,
    /// After the call that it is; the frame stands in the callee.
    after: Option<State>,
    /// Whom it calls.
    pub(super) target: Option<u64>,
}

impl Point {
    /// What the places hold now.
    pub(super) fn now(&self) -> &State {
        self.after.as_ref().unwrap_or(&self.before)
    }

    /// Whether this is a call that has not come back.
    pub(super) fn is_call(&self) -> bool {
        self.after.is_some()
    }

    /// What a register held before the instruction.
    pub(super) fn register(&self, register: Register) -> ValueId {
        self.before.register(register)
    }

    /// What the stack held before the instruction, so many bytes from the stack pointer.
    pub(super) fn stack_argument(&self, convention: &Convention, offset: i64) -> Option<ValueId> {
        let Value::Stack(sp) = self.value(self.before.register(convention.sp))? else { return None };
        let slot = sp.checked_add(offset)?;
        match self.before.slots.get(&slot) {
            Some(Held { value, .. }) => Some(*value),
            None => self.analysis.values.borrow().find(Value::Entry(Place::Slot(slot))),
        }
    }

    /// Whom the instruction at `site` calls, if it calls anybody; `None` within for a function that is not known.
    #[expect(clippy::option_option, reason = "a call of somebody unknown is a call")]
    pub(super) fn call_at(&self, site: u32) -> Option<Option<u64>> {
        let step = self.analysis.code.step_at(site)?;
        match self.analysis.code.steps.get(step)?.next {
            Next::Call(target) => Some(target),
            _ => None,
        }
    }

    /// A value by its number.
    pub(super) fn value(&self, id: ValueId) -> Option<Value> {
        self.analysis.values.borrow().get(id)
    }

    /// The number of what a place held at the entry; `None` when it has none, being of no use to anybody.
    pub(super) fn entry(&self, place: Place) -> Option<ValueId> {
        self.analysis.values.borrow().find(Value::Entry(place))
    }
}

impl Flows {
    /// What is known of a frame where it stands; `None` when its code cannot be followed.
    pub(crate) fn point(&self, process: &Process<'_>, frame: &PhysicalFrame) -> Option<Point> {
        let convention = Convention::of(process.executable.arch)?;
        let analysis = self.analysis(process, frame.symbols.entry, &convention)?;
        let site = u32::try_from(frame.lookup_pc.checked_sub(frame.symbols.entry)?).ok()?;
        let step = analysis.code.step_at(site)?;
        // A frame that called on stands behind the call. One that was interrupted stands before its instruction.
        let called = !frame.trap && frame.pc != frame.lookup_pc;
        let (before, after) = analysis.run_to(&convention, step, called)?;
        let target = match analysis.code.steps.get(step)?.next {
            Next::Call(target) => target,
            _ if called => return None,
            _ => None,
        };
        Some(Point { analysis, before, after, target })
    }

    fn analysis(&self, process: &Process<'_>, entry: u64, convention: &Convention) -> Option<Rc<Analysis>> {
        if let Some(known) = self.known.borrow().get(&entry) {
            return known.clone();
        }
        if self.work.get() > MOST_WORK {
            return None;
        }
        let found = Analysis::of(process, entry, convention, &self.work).map(Rc::new);
        let size = found.as_ref().map_or(1, |found| found.code.steps.len() + found.slots());
        let mut known = self.known.borrow_mut();
        if self.kept.get() + size > MOST_KEPT {
            known.clear();
            self.kept.set(0);
        }
        self.kept.set(self.kept.get() + size);
        known.insert(entry, found.clone());
        found
    }
}

/// A run of instructions without jumps in or out of its middle.
#[derive(Debug, Default)]
struct Block {
    /// Its instructions, by index.
    steps: (usize, usize),
    /// The blocks that it goes on with, and those it comes from, by index.
    next: Vec<usize>,
    before: Vec<usize>,
}

/// A function and what its blocks begin with.
#[derive(Debug)]
pub(super) struct Analysis {
    entry: u64,
    pub(super) code: Code,
    blocks: Vec<Block>,
    /// What each block begins with; `None` where no way leads.
    begin: Vec<Option<State>>,
    pub(super) values: RefCell<Values>,
    /// What the functions do that it calls.
    effects: HashMap<u64, Effect>,
}

impl Analysis {
    fn of(process: &Process<'_>, entry: u64, convention: &Convention, spent: &Cell<u64>) -> Option<Self> {
        let function = process.symbolizer.pclntab().function_at(entry.wrapping_sub(process.bias))?;
        let size = function.end().checked_sub(function.entry())?;
        if size == 0 || size > MOST_CODE {
            return None;
        }
        let bytes = process.memory.bytes(entry, size, MOST_CODE).ok()?.into_owned();
        let code = Code::read(process.executable.arch, &bytes, entry)?;
        let effects = code.steps.iter().filter_map(|step| match step.next {
            Next::Call(Some(target)) => Some((target, effect(process, target))),
            _ => None,
        });
        let effects = effects.collect();
        let word = |address| process.memory.u64(address).ok();
        Self::of_code(code, entry, effects, &word, convention, spent)
    }

    /// The same of code whose callees are known, with the memory that jump tables lie in.
    pub(super) fn of_code(
        code: Code,
        entry: u64,
        effects: HashMap<u64, Effect>,
        word: &dyn Fn(u64) -> Option<u64>,
        convention: &Convention,
        spent: &Cell<u64>,
    ) -> Option<Self> {
        let (blocks, begin, values) = (Vec::new(), Vec::new(), RefCell::default());
        let mut analysis = Self { entry, code, blocks, begin, values, effects };
        // Where jump tables lead is known only when the code before them is. They are few, and nested rarely.
        let mut tables: HashMap<usize, Vec<u64>> = HashMap::new();
        for _ in 0..MOST_ROUNDS {
            analysis.divide(&tables)?;
            let open = analysis.run(word, convention, &tables, spent)?;
            if open.is_empty() {
                return Some(analysis);
            }
            for (step, targets) in open {
                tables.insert(step, targets?);
            }
            if tables.len() > MOST_TABLES {
                return None;
            }
        }
        None
    }

    fn site(&self, address: u64) -> Option<u32> {
        u32::try_from(address.checked_sub(self.entry)?).ok()
    }

    /// The instruction that begins at `address`; `None` outside of the function.
    fn step_at(&self, address: u64) -> Option<usize> {
        let site = self.site(address)?;
        self.code.steps.binary_search_by_key(&site, |step| step.site).ok()
    }

    /// Places in the states that are kept.
    fn slots(&self) -> usize {
        self.begin.iter().flatten().map(State::size).sum()
    }

    fn effect(&self, target: Option<u64>) -> Effect {
        target.and_then(|target| self.effects.get(&target).copied()).unwrap_or(Effect::Clobbers(None))
    }

    /// Whether nothing comes after an instruction that is a call.
    fn ends(&self, step: &Step) -> bool {
        matches!(step.next, Next::Call(target) if self.effect(target) == Effect::Ends)
    }

    /// Finds the blocks.
    fn divide(&mut self, tables: &HashMap<usize, Vec<u64>>) -> Option<()> {
        let count = self.code.steps.len();
        let size = self.code.steps.last().map_or(0, |step| step.site + u32::from(step.length));
        let end = self.entry.wrapping_add(u64::from(size));
        let inside = |address: u64| (self.entry..end).contains(&address);
        let mut leaders = BTreeSet::from([0]);
        // A jump into the middle of an instruction is something that is not understood here.
        let mut lead = |address: u64| match self.step_at(address) {
            Some(step) => {
                leaders.insert(step);
                true
            }
            None => !inside(address),
        };
        for (index, step) in self.code.steps.iter().enumerate() {
            let understood = match step.next {
                Next::Jump(target) | Next::Branch(target) => lead(target),
                Next::Table(_) | Next::Register(_) => {
                    tables.get(&index).into_iter().flatten().all(|target| lead(*target))
                }
                _ => true,
            };
            if !understood {
                return None;
            }
        }
        for (index, step) in self.code.steps.iter().enumerate() {
            if !matches!(step.next, Next::Following | Next::Call(_)) || self.ends(step) {
                leaders.insert(index + 1);
            }
        }
        leaders.remove(&count);
        if leaders.len() > MOST_BLOCKS {
            return None;
        }
        let starts: Vec<usize> = leaders.into_iter().collect();
        let ends = starts.iter().skip(1).copied().chain([count]);
        self.blocks = starts
            .iter()
            .zip(ends)
            .map(|(start, end)| Block { steps: (*start, end), ..Block::default() })
            .collect();
        let block_of = |step: usize| starts.binary_search(&step).ok();
        let mut edges = Vec::new();
        for (index, block) in self.blocks.iter().enumerate() {
            let last = block.steps.1.checked_sub(1)?;
            let step = self.code.steps.get(last)?;
            let to = |address: u64| self.step_at(address).and_then(block_of);
            let following = block_of(last + 1);
            match step.next {
                Next::Jump(target) => edges.extend(to(target).map(|next| (index, next))),
                Next::Branch(target) => {
                    edges.extend(to(target).into_iter().chain(following).map(|next| (index, next)));
                }
                Next::Following => edges.extend(following.map(|next| (index, next))),
                Next::Call(_) if !self.ends(step) => {
                    edges.extend(following.map(|next| (index, next)));
                }
                Next::Table(_) | Next::Register(_) => {
                    let targets = tables.get(&last).into_iter().flatten();
                    edges.extend(targets.filter_map(|target| to(*target)).map(|next| (index, next)));
                }
                Next::Call(_) | Next::End => {}
            }
        }
        edges.sort_unstable();
        edges.dedup();
        if edges.len() > MOST_EDGES {
            return None;
        }
        for (from, to) in edges {
            self.blocks.get_mut(from)?.next.push(to);
            self.blocks.get_mut(to)?.before.push(from);
        }
        Some(())
    }

    /// Runs all blocks until nothing changes. What comes back are the jumps over tables that were not known
    /// before, with the addresses they lead to, `None` for one whose table is not found.
    fn run(
        &mut self,
        word: &dyn Fn(u64) -> Option<u64>,
        convention: &Convention,
        tables: &HashMap<usize, Vec<u64>>,
        spent: &Cell<u64>,
    ) -> Option<Vec<(usize, Option<Vec<u64>>)>> {
        let mut values = self.values.take();
        let count = self.blocks.len();
        let mut ends: Vec<Option<State>> = vec![None; count];
        self.begin = vec![None; count];
        let start = State::entry(&mut values, convention.sp, convention.sp_at_entry);
        let mut work = BTreeSet::from([0_usize]);
        let (mut visits, mut slots) = (0_usize, 0_usize);
        while let Some(index) = work.pop_first() {
            visits += 1;
            if visits > count.saturating_mul(MOST_ROUNDS) || values.too_many() {
                return None;
            }
            let block = self.blocks.get(index)?;
            let ways = block.before.iter().filter_map(|before| ends.get(*before)?.as_ref());
            let ways: Vec<&State> = (index == 0).then_some(&start).into_iter().chain(ways).collect();
            let places = ways.iter().map(|way| way.size() as u64).sum::<u64>();
            let begin = State::join(&ways, block.steps.0 as u32, &mut values)?;
            if begin.is_too_large() {
                return None;
            }
            spent.set(spent.get() + places + begin.size() as u64);
            if self.begin.get(index)?.as_ref() == Some(&begin) {
                continue;
            }
            let mut state = begin.clone();
            *self.begin.get_mut(index)? = Some(begin);
            let steps = self.code.steps.get(block.steps.0..block.steps.1)?;
            for step in steps {
                self.execute(convention, step, &mut state, &mut values);
                spent.set(spent.get() + state.size() as u64);
                if spent.get() > MOST_WORK || state.is_too_large() {
                    return None;
                }
            }
            slots = slots + state.size() - ends.get(index)?.as_ref().map_or(0, State::size);
            if slots > MOST_SLOTS {
                return None;
            }
            let end = ends.get_mut(index)?;
            if end.as_ref() != Some(&state) {
                *end = Some(state);
                work.extend(&block.next);
            }
        }
        let mut open = Vec::new();
        for (block, end) in self.blocks.iter().zip(&ends) {
            let (Some(state), Some(last)) = (end, block.steps.1.checked_sub(1)) else { continue };
            let step = self.code.steps.get(last)?;
            if tables.contains_key(&last) {
                continue;
            }
            let table = match step.next {
                Next::Table(address) => match address {
                    Address { base: Some(base), offset, .. } => match values.get(state.register(base)) {
                        Some(Value::Constant(table)) => Some(table.wrapping_add_signed(offset)),
                        _ => None,
                    },
                    Address { base: None, offset, .. } => Some(offset.cast_unsigned()),
                },
                Next::Register(register) => match values.get(state.register(register)) {
                    Some(Value::Element { base, .. }) => match values.get(base) {
                        Some(Value::Constant(table)) => Some(table),
                        _ => None,
                    },
                    // A jump out of the function: assembly that goes on elsewhere.
                    _ => None,
                },
                _ => continue,
            };
            if open.len() >= MOST_TABLES {
                return None;
            }
            open.push((last, table.and_then(|table| self.targets(word, table))));
        }
        self.values.replace(values);
        Some(open)
    }

    /// The addresses in a jump table: those within the function, up to the first that is not. They may be more
    /// than the jump uses, when another table follows.
    fn targets(&self, word: &dyn Fn(u64) -> Option<u64>, table: u64) -> Option<Vec<u64>> {
        let mut targets: Vec<u64> = (0..MOST_TARGETS)
            .map_while(|index| word(table.wrapping_add(index * 8)))
            .take_while(|target| self.step_at(*target).is_some())
            .collect();
        targets.sort_unstable();
        targets.dedup();
        (!targets.is_empty()).then_some(targets)
    }

    /// What is known before an instruction, and after it where it is a call that has not come back.
    pub(super) fn run_to(
        &self,
        convention: &Convention,
        step: usize,
        called: bool,
    ) -> Option<(State, Option<State>)> {
        let block = self.blocks.partition_point(|block| block.steps.0 <= step).checked_sub(1)?;
        let mut state = self.begin.get(block)?.clone()?;
        // Every value of these instructions has had its number since the function was run.
        let mut values = self.values.borrow_mut();
        let first = self.blocks.get(block)?.steps.0;
        for earlier in self.code.steps.get(first..step)? {
            self.execute(convention, earlier, &mut state, &mut values);
        }
        let before = state.clone();
        let after = called.then(|| {
            let step = self.code.steps.get(step)?;
            self.execute(convention, step, &mut state, &mut values);
            Some(state)
        });
        match after {
            Some(after) => Some((before, Some(after?))),
            None => Some((before, None)),
        }
    }

    /// Runs one instruction.
    fn execute(&self, convention: &Convention, step: &Step, state: &mut State, values: &mut Values) {
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
fn effect(process: &Process<'_>, target: u64) -> Effect {
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

#[cfg(test)]
mod tests;
