//! One function, run in symbols.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use panicle_image::Arch;

use super::{
    Convention,
    blocks::Block,
    execute::{Effect, effect},
    instruction::{Address, Code, Next, Step},
    state::{Held, State},
    value::{Place, Register, Value, ValueId, Values},
};
use crate::{process::Process, unwind::PhysicalFrame};

/// Bytes of code of one function.
const MOST_CODE: u64 = 256 << 10;
/// How often all blocks of a function are gone through.
const MOST_ROUNDS: usize = 24;
/// Jump tables of one function.
const MOST_TABLES: usize = 64;
/// Slots in the states of all blocks of one function.
const MOST_SLOTS: usize = 1 << 20;
/// Work for one process in all, in places of a state that are looked at.
const MOST_WORK: u64 = 2_000_000_000;
/// Instructions and slots of all functions whose analysis is kept.
const MOST_KEPT: usize = 1 << 21;

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

/// A function and what its blocks begin with.
#[derive(Debug)]
pub(super) struct Analysis {
    pub(super) entry: u64,
    pub(super) code: Code,
    pub(super) blocks: Vec<Block>,
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

    /// The same of any bytes. Calls are of functions without arguments on the stack, and jump tables have some entries
    /// in the code and then one outside of it.
    pub(super) fn of_bytes(arch: Arch, bytes: &[u8], convention: &Convention) -> Option<Self> {
        /// Where the code begins.
        const ENTRY: u64 = 0x40_1000;
        let code = Code::read(arch, bytes, ENTRY)?;
        let calls = code.steps.iter().filter_map(|step| match step.next {
            Next::Call(Some(target)) => Some((target, Effect::Clobbers(Some(0)))),
            _ => None,
        });
        let effects = calls.collect();
        let word = |address: u64| Some(if address % 64 < 32 { ENTRY + address % 32 } else { address });
        Self::of_code(code, ENTRY, effects, &word, convention, &Cell::new(0))
    }

    fn site(&self, address: u64) -> Option<u32> {
        u32::try_from(address.checked_sub(self.entry)?).ok()
    }

    /// The instruction that begins at `address`; `None` outside of the function.
    pub(super) fn step_at(&self, address: u64) -> Option<usize> {
        let site = self.site(address)?;
        self.code.steps.binary_search_by_key(&site, |step| step.site).ok()
    }

    /// Places in the states that are kept.
    fn slots(&self) -> usize {
        self.begin.iter().flatten().map(State::size).sum()
    }

    pub(super) fn effect(&self, target: Option<u64>) -> Effect {
        target.and_then(|target| self.effects.get(&target).copied()).unwrap_or(Effect::Clobbers(None))
    }

    /// Whether nothing comes after an instruction that is a call.
    pub(super) fn ends(&self, step: &Step) -> bool {
        matches!(step.next, Next::Call(target) if self.effect(target) == Effect::Ends)
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
}

#[cfg(test)]
mod tests;
