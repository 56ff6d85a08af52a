//! Which goroutine is inside which operation on which map.
//!
//! Frames of the runtime's map functions say that a goroutine is inside an operation. Which map it is on is an
//! argument of theirs, found by following machine code ([`crate::flow`]), so that it is known in stripped programs
//! too: where the function still holds it, or else where the caller had it from.
//!
//! An operation is `certain` only if the map's address is the very value that the function was called with, what
//! is at the address looks like a map, and the type is the descriptor of a map's. A variable that the caller
//! once read the map from and that is read again now is told ([`Known::ReadAgain`]) and not certain: somebody may
//! have put another map there.

mod functions;
mod iterator;
mod iterators;
mod known;
mod reflection;

use std::{collections::HashMap, rc::Rc};

use panicle_binary::dwarf::VariableKind;
use panicle_report::{MapOperation, ThreadOn};

use crate::{
    flow::{Flows, Found, Frames, Proof},
    frames::{LogicalFrame, Stack},
    goroutine::G,
    locals, maps,
    process::Process,
    threads::{self, Thread},
    unwind::PhysicalFrame,
    value::{Context, read_word},
};
use functions::MapFunction;
use iterator::Iterator;
pub use known::{Known, Operand, OperandBase, OperandStep};

/// A goroutine inside an operation on a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The goroutine's id.
    pub goroutine: u64,
    /// The frame of the operation: the outermost one of a function that works on maps, by its index in
    /// [`Stack::frames`]. For [`Known::Iterator`] the frame that the iterator lies in.
    pub frame: usize,
    /// The function of that frame.
    pub function: String,
    /// What it does.
    pub operation: MapOperation,
    /// The address of the map's header, 0 for a nil map; `None` where it is not known.
    pub map: Option<u64>,
    /// The runtime's descriptor of the map's type; `None` where it is not known.
    pub map_type: Option<u64>,
    /// How the map is known.
    pub known: Known,
    /// There is no doubt about the map: see the module.
    pub certain: bool,
    /// The goroutine ends the process from within this operation: it noticed the conflict.
    pub noticed: bool,
    /// The operation has panicked, and the frames further inside are those of the panic.
    pub panicked: bool,
    /// The frame that asked for the operation, by its index.
    pub caller: Option<usize>,
    /// Where the physical frame of the caller had the map from.
    pub operand: Option<Operand>,
}

/// Bytes of stacks that are looked through for addresses of maps.
const MOST_SCANNED: u64 = 256 << 20;
/// Bytes of the frames of one operation that are.
const MOST_OF_ONE: u64 = 64 << 10;

/// Every operation on a map that a goroutine is inside of, by goroutine in the order of `stacks`, and within one
/// innermost first. `threads` are those that run goroutines, by the address of their `m`.
///
/// Behind them come live iterators of frames that are in no operation ([`Known::Iterator`]).
pub(crate) fn find(
    process: &Process<'_>,
    context: &Context<'_>,
    stacks: &[(G, Stack)],
    threads: &HashMap<u64, &Thread>,
) -> Vec<Operation> {
    let search = Search { process, context, flows: Flows::default() };
    let mut found = Vec::new();
    let mut left = MOST_SCANNED;
    for (g, stack) in stacks {
        let thread = threads.get(&g.m).copied();
        let before = found.len();
        search.operations(g, stack, thread, &mut found);
        let inside: Vec<(u64, usize)> = found
            .get(before..)
            .unwrap_or_default()
            .iter()
            .filter_map(|operation| Some((operation.map?, operation.caller?)))
            .collect();
        iterators::find(process, context, g, stack, &inside, &mut left, &mut found);
    }
    found
}

struct Search<'s, 'a> {
    process: &'s Process<'a>,
    context: &'s Context<'s>,
    flows: Flows,
}

/// A physical frame of a stack, with the indices of the first and the last of its logical frames.
struct Physical {
    frame: Rc<PhysicalFrame>,
    logical: (usize, usize),
}

/// The physical frames of `frames`, of which the first has the index `first`.
fn physical(frames: &[LogicalFrame], first: usize) -> Vec<Physical> {
    let mut found: Vec<Physical> = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let index = first + index;
        match found.last_mut() {
            Some(last) if Rc::ptr_eq(&last.frame, &frame.physical) => last.logical.1 = index,
            _ => {
                found.push(Physical { frame: Rc::clone(&frame.physical), logical: (index, index) });
            }
        }
    }
    found
}

impl Search<'_, '_> {
    fn operations(&self, g: &G, stack: &Stack, thread: Option<&Thread>, found: &mut Vec<Operation>) {
        // Frames on both sides of a gap are not each other's callers.
        let gap = stack.elided.map_or(stack.frames.len(), |elided| elided.after_frames as usize);
        let (inner, outer) = stack.frames.split_at(gap.min(stack.frames.len()));
        let registers = thread.map(Thread::at_work);
        for (part, first) in [(inner, 0), (outer, inner.len())] {
            let physical = physical(part, first);
            let of_maps: Vec<Option<MapFunction>> =
                physical.iter().map(|one| self.map_function(&one.frame.symbols.name)).collect();
            if of_maps.iter().all(Option::is_none) {
                continue;
            }
            let frames = physical.iter().map(|one| Rc::clone(&one.frame)).collect();
            let Some(frames) = Frames::new(self.process, &self.flows, frames, registers.as_ref()) else {
                continue;
            };
            let mut at = 0;
            while at < physical.len() {
                let functions: Vec<MapFunction> =
                    of_maps[at..].iter().map_while(|function| *function).collect();
                let length = functions.len();
                let outside = physical.get(at + length);
                let made = outside.is_some_and(|one| functions::makes(&one.frame.symbols.name));
                if length > 0 && !made {
                    let reflected = outside.and_then(|caller| {
                        let index = at + length;
                        reflection::receiver(self.process, &frames, index, &caller.frame.symbols.name)
                    });
                    let cloning = |one: &Physical| functions::clones(&one.frame.symbols.name);
                    let of_copy = physical[at..at + length].iter().position(cloning);
                    let run = Run { first: at, functions, of_copy: of_copy.unwrap_or(0), reflected };
                    found.extend(self.operation(g, stack, &physical, &frames, &run, thread));
                }
                at += length.max(1);
            }
        }
    }

    /// The function called `name`, if it works on maps.
    fn map_function(&self, name: &str) -> Option<MapFunction> {
        let function = MapFunction::named(name)?;
        // From Go 1.24 on these are kept for programs that reach for them, with an iterator that is laid out
        // in a way of its own (runtime/linkname_swiss.go); what they call has a real one.
        let kept = name.ends_with(".mapiternext") || name.ends_with(".mapiterinit");
        let iterator = function.iterator.filter(|_| !kept || !Iterator::is_of_swiss_maps(self.process));
        Some(MapFunction { iterator, ..function })
    }

    /// The operation that a run of frames of map functions is.
    fn operation(
        &self,
        g: &G,
        stack: &Stack,
        physical: &[Physical],
        frames: &Frames<'_, '_>,
        run: &Run,
        thread: Option<&Thread>,
    ) -> Option<Operation> {
        let entry = run.first + run.functions.len() - 1;
        let outermost = run.functions.last()?;
        let one = physical.get(entry)?;
        let inner = run.first.checked_sub(1).and_then(|inner| physical.get(inner));
        let inner = inner.map_or("", |inner| inner.frame.symbols.name.as_str());
        let raises = |name: &str| matches!(name, "runtime.gopanic" | "runtime.sigpanic");
        let panicked = physical[..run.first].iter().any(|one| raises(&one.frame.symbols.name));
        let stands = self.stands_there(g, thread);

        let map_type = self.map_type(frames, run);
        let (map, known) = self.map(stack, physical, frames, run, map_type.map(|found| found.0), thread);
        // A write to a nil map panics with nothing else that could have been the reason.
        let nil = map == Some(0) && outermost.operation == MapOperation::Write && inner == "runtime.gopanic";
        let proven = matches!(known, Known::Argument | Known::Caller | Known::Variable) || nil;
        let type_fits = map_type.is_some_and(|(found, sure)| {
            sure && iterator::is_map_type(self.process, self.context.types, found)
        });
        let looks_right = map.is_some_and(|map| map == 0 || maps::may_be_any(self.context, map)) && type_fits;
        Some(Operation {
            goroutine: g.id,
            frame: one.logical.1,
            function: self.process.symbolizer.function_name(one.frame.pc).unwrap_or_default(),
            operation: outermost.operation,
            map,
            map_type: map_type.map(|found| found.0),
            known,
            // A key that cannot be hashed panics before anything is done to the map.
            certain: proven && looks_right && stands && (nil || !panicked),
            noticed: matches!(inner, "runtime.fatal" | "runtime.throw" | "internal/runtime/maps.fatal"),
            panicked,
            caller: physical.get(entry + 1).map(|caller| caller.logical.0),
            operand: Self::operand(frames, entry, outermost),
        })
    }

    /// Whether the goroutine is known to be where its stack says. One that runs has its place in the registers of
    /// its thread, or in what was saved when the thread changed to its scheduler's stack; what is left from earlier
    /// says where it was then.
    fn stands_there(&self, g: &G, thread: Option<&Thread>) -> bool {
        // Its stack is on the move, or it is about to come back from a system call whose entry is forgotten.
        if g.status.word == "copystack" || (g.status.is_syscall() && g.syscall.is_none()) {
            return false;
        }
        if !g.status.is_running() || g.syscall.is_some() {
            return true;
        }
        let Some((thread, m)) = thread.and_then(|thread| Some((thread, thread.m?))) else { return false };
        if m.current != g.address {
            return false;
        }
        let at = thread.at_work();
        let in_go = at.pc() == 0 || self.process.symbolizer.symbols(at.pc()).is_some();
        let scheduling = threads::stack_of(self.process, &m, at.sp()) == Some(ThreadOn::G0);
        (g.owns(at.sp()) && in_go) || scheduling
    }

    /// Where the caller had the map or the iterator from.
    fn operand(frames: &Frames<'_, '_>, entry: usize, function: &MapFunction) -> Option<Operand> {
        let number = function.map.or(function.iterator)?;
        frames.operand(entry, number).map(Operand::from)
    }

    /// The descriptor of the map's type, and whether it is certain.
    fn map_type(&self, frames: &Frames<'_, '_>, run: &Run) -> Option<(u64, bool)> {
        let mut found = Choice::default();
        found.add(run.reflected.map(|(_, of)| of));
        for (index, function) in run.frames() {
            found.add(function.map_type.and_then(|number| frames.argument(index, number)));
            found.add(
                self.iterator(frames, index, function)
                    .map(|(iterator, found)| Found { value: iterator.map_type, ..found }),
            );
        }
        let best = found.best?;
        let is_type = iterator::is_map_type(self.process, self.context.types, best.value);
        is_type.then_some((best.value, best.proof == Proof::Exact && !found.contradicts))
    }

    /// The iterator that a function is called with, once it is set up.
    fn iterator(
        &self,
        frames: &Frames<'_, '_>,
        index: usize,
        function: &MapFunction,
    ) -> Option<(Iterator, Found)> {
        // Those that set an iterator up have the map as an argument.
        let number = function.iterator.filter(|_| function.map.is_none())?;
        let found = frames.argument(index, number)?;
        Some((Iterator::read(self.process, found.value)?, found))
    }

    /// The map, and how it is known.
    fn map(
        &self,
        stack: &Stack,
        physical: &[Physical],
        frames: &Frames<'_, '_>,
        run: &Run,
        map_type: Option<u64>,
        thread: Option<&Thread>,
    ) -> (Option<u64>, Known) {
        let mut found = Choice::default();
        found.add(run.reflected.map(|(map, _)| map));
        for (index, function) in run.frames() {
            found.add(function.map.and_then(|number| frames.argument(index, number)));
            let iterator = self.iterator(frames, index, function);
            found.add(iterator.map(|(iterator, found)| Found { value: iterator.map, ..found }));
        }
        if let Some(best) = found.best.filter(|best| best.proof == Proof::Exact && !found.contradicts) {
            let known = if best.outside { Known::Caller } else { Known::Argument };
            return (Some(best.value), known);
        }
        if let Some(map) = self.variable(stack, physical, run, thread) {
            return (Some(map), Known::Variable);
        }
        if let Some(best) = found.best {
            return (Some(best.value), Known::ReadAgain);
        }
        match self.scan(physical, run, map_type) {
            Some(map) => (Some(map), Known::Scan),
            None => (None, Known::Nothing),
        }
    }

    /// The map by debug information of the operation's frames.
    fn variable(
        &self,
        stack: &Stack,
        physical: &[Physical],
        run: &Run,
        thread: Option<&Thread>,
    ) -> Option<u64> {
        let registers = thread.map(Thread::at_work);
        self.context.dwarf?;
        if run.of_copy > 0 {
            return None;
        }
        run.frames().find_map(|(index, function)| {
            function.map?;
            let frame = stack.frames.get(physical.get(index)?.logical.1)?;
            locals::in_frame(self.process, frame, registers.as_ref(), |frame| {
                let variables = locals::variables(self.context, frame);
                let map = variables.iter().find(|known| {
                    known.kind == VariableKind::Parameter && matches!(known.name.as_str(), "h" | "m" | "src")
                })?;
                read_word(self.context, map.location.as_ref()?)
            })
        })
    }

    /// The only map whose address lies in the frames of an operation.
    fn scan(&self, physical: &[Physical], run: &Run, map_type: Option<u64>) -> Option<u64> {
        map_type?;
        let lowest = physical.get(run.first)?.frame.sp;
        let highest = physical.get(run.first + run.functions.len() - 1)?.frame.argp.saturating_add(32);
        let size = highest.checked_sub(lowest).filter(|size| *size <= MOST_OF_ONE)?;
        let mut maps: Vec<u64> = (0..size / 8)
            .filter_map(|index| self.process.memory.u64(lowest.wrapping_add(index * 8)).ok())
            .filter(|word| !(lowest..highest).contains(word) && maps::may_be_any(self.context, *word))
            .collect();
        maps.sort_unstable();
        maps.dedup();
        match maps.as_slice() {
            [map] => Some(*map),
            _ => None,
        }
    }
}

/// Frames of map functions, each called by the next.
struct Run {
    /// The innermost one, by its index among the physical frames.
    first: usize,
    /// Their functions, innermost first.
    functions: Vec<MapFunction>,
    /// How many of them, from the innermost on, work on a copy that is being made, which nobody else has.
    of_copy: usize,
    /// The map and its type, when reflection handed them on.
    reflected: Option<(Found, Found)>,
}

impl Run {
    /// The frames from the outermost inwards.
    fn frames(&self) -> impl std::iter::Iterator<Item = (usize, &MapFunction)> {
        let functions = self.functions.iter().enumerate().skip(self.of_copy);
        functions.map(|(index, function)| (self.first + index, function)).rev()
    }
}

/// What several frames say of one thing.
#[derive(Default)]
struct Choice {
    best: Option<Found>,
    /// Two of them are sure of different things.
    contradicts: bool,
}

impl Choice {
    fn add(&mut self, found: Option<Found>) {
        let Some(found) = found else { return };
        let exact = |found: &Found| found.proof == Proof::Exact;
        let worth = |found: &Found| (found.proof, found.outside);
        match &self.best {
            Some(best) if exact(best) && exact(&found) && best.value != found.value => {
                self.contradicts = true;
            }
            Some(best) if worth(best) <= worth(&found) => {}
            _ => self.best = Some(found),
        }
    }
}
