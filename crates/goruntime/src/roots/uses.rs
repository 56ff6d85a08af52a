//! Goroutines inside operations, as the report has them, and where they had the map from.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use panicle_report::{Address, MapKnown, MapRoot, MapRootKind, MapUser};

use super::{
    Search, View,
    table::Rank,
    table::bare_root,
    type_at,
    variables::{Called, Start},
};
use crate::{
    frames::LogicalFrame,
    goroutine::G,
    locals::{self, Variable},
    operations::{Known, Operand, OperandBase, Operation},
    value::{Location, describe::TypeRef, read_word},
};

/// How a nil map is known to be the one.
const NIL: &str = "Writing to it panicked, which a write does to no other map.";

/// The operation of a goroutine on a map.
#[derive(Clone, Debug)]
pub(super) struct Use {
    /// Where the map is; 0 for a nil map.
    pub(super) map: u64,
    /// The runtime's descriptor of its type.
    pub(super) type_address: Option<u64>,
    /// The goroutine and its operation.
    pub(super) user: MapUser,
    /// Where it is among the view's goroutines, and the frame that asked for the operation there.
    caller: Option<(usize, usize)>,
    operand: Option<Operand>,
}

impl Use {
    /// The operations whose map is known.
    pub(super) fn all(view: &View<'_, '_>, operations: Vec<Operation>) -> Vec<Self> {
        let index: HashMap<u64, usize> =
            view.goroutines.iter().enumerate().map(|(index, (g, _))| (g.id, index)).collect();
        let mut seen = HashSet::new();
        let used = |operation: Operation| {
            let goroutine = *index.get(&operation.goroutine)?;
            let map = operation.map?;
            let frame = view.frame_number(goroutine, operation.frame);
            let caller = operation.caller.map(|caller| view.frame_number(goroutine, caller));
            // A write to a nil map ends in a panic that it raises itself.
            let nil = map == 0 && operation.panicked && view.crashing == Some(operation.goroutine);
            // Elsewhere than in the goroutine at fault deferred functions run, and the operation is over.
            if operation.panicked && view.crashing != Some(operation.goroutine) {
                return None;
            }
            // A goroutine that iterates has one iterator for each loop, and may have several over one map.
            if !seen.insert((operation.goroutine, frame, map, operation.operation)) {
                return None;
            }
            let because = because(&operation, nil);
            Some(Self {
                map,
                type_address: operation.map_type,
                user: MapUser {
                    goroutine: operation.goroutine,
                    frame,
                    function: operation.function,
                    operation: operation.operation,
                    certain: operation.certain,
                    noticed: operation.noticed || nil,
                    caller_frame: caller,
                    caller: caller.and_then(|caller| in_words(view, goroutine, caller)),
                    known: known(operation.known),
                    because,
                },
                caller: operation.caller.map(|caller| (goroutine, caller)),
                operand: operation.operand,
            })
        };
        operations.into_iter().filter_map(used).collect()
    }

    /// It says that the map is nil, and that nothing was written to it says nothing.
    fn is_of_nil(&self) -> bool {
        self.map == 0 && !self.user.noticed
    }
}

/// The same in the report's terms.
fn known(known: Known) -> MapKnown {
    match known {
        Known::Argument => MapKnown::Argument,
        Known::Caller => MapKnown::Caller,
        Known::Variable => MapKnown::Variable,
        Known::ReadAgain => MapKnown::ReadAgain,
        Known::Scan => MapKnown::Scan,
        Known::Iterator => MapKnown::Iterator,
        Known::Nothing => MapKnown::Unknown,
    }
}

/// How the map is known, and what is doubtful where a proof alone would have been enough.
fn because(operation: &Operation, nil: bool) -> String {
    let known = operation.known.because();
    let proof = matches!(operation.known, Known::Argument | Known::Caller | Known::Variable);
    match (nil, operation.panicked) {
        (true, _) => NIL.to_owned(),
        (false, true) => format!("{known} The operation has panicked."),
        (false, false) if proof && !operation.certain => {
            format!("{known} Yet the goroutine may have gone on since, or what lies there looks damaged.")
        }
        _ => known.to_owned(),
    }
}

/// `store.(*DB).Put (db.go:42)`.
fn in_words(view: &View<'_, '_>, goroutine: usize, frame: u64) -> Option<String> {
    let frame = view.written.get(goroutine)?.frames.get(usize::try_from(frame).ok()?)?;
    let plain = frame.function.split_once('[').map_or(frame.function.as_str(), |(head, _)| head);
    let name = plain.rfind('/').map_or(frame.function.as_str(), |slash| &frame.function[slash + 1..]);
    let file = frame.file.as_deref().map(|file| file.rsplit('/').next().unwrap_or(file));
    Some(match (file, frame.line) {
        (Some(file), Some(line)) => format!("{name} ({file}:{line})"),
        _ => name.to_owned(),
    })
}

impl Search<'_, '_> {
    /// Adds the maps that operations are about, and what their operands tell of the way to them.
    pub(super) fn operands(&mut self, uses: &mut Vec<Use>) {
        uses.retain(|operation| !operation.is_of_nil());
        for operation in &*uses {
            // A map in the middle of a write may look like none; that it is one is known here.
            self.operand(operation);
        }
        for operation in &*uses {
            let _ = self.argument_of_operand(operation);
        }
    }

    fn operand(&mut self, operation: &Use) {
        let Some(address) = operation.type_address else { return };
        let of = type_at(self.view.context, address);
        let user = &operation.user;
        let slot = operation.operand.as_ref().and_then(slot_of);
        let global = operation.operand.as_ref().and_then(|operand| match operand.base {
            OperandBase::Global { address } => Some(address),
            _ => None,
        });
        // The address of a package's variable itself; others lead to a struct that is not known here.
        let is_variable = global.is_some() && global == slot;
        let root = || MapRoot {
            goroutine: Some(user.goroutine).filter(|_| !is_variable),
            frame: user.caller_frame.filter(|_| !is_variable),
            owner: match operation.operand.as_ref().map(|operand| &operand.base) {
                Some(OperandBase::Result { function: Some(function) }) => {
                    Some(format!("what {function} returned"))
                }
                _ => None,
            },
            certain: user.certain,
            slot: slot.map(Address),
            ..bare_root(if is_variable { MapRootKind::Global } else { MapRootKind::Operand })
        };
        let at = (Rank::Operand, 0);
        if operation.map == 0 {
            self.table.add_nil(of, at, root());
        } else {
            self.table.add((operation.map, of), at, || true, root);
        }
    }

    /// Adds what leads to the map from the argument that the operation's caller had it from. The compiler need
    /// not have kept the argument anywhere that debug information names, and without that there are no names.
    fn argument_of_operand(&mut self, operation: &Use) -> Option<()> {
        let operand = operation.operand.as_ref()?;
        let OperandBase::Argument { number, value, exact } = operand.base else { return None };
        let first = operand.steps.first();
        let by_step = || {
            let step = first?;
            Some(step.address?.wrapping_add_signed(step.offset.wrapping_neg()))
        };
        // What may be another value is not found by an expression, though which argument it is is known.
        let exact = exact && value.is_some();
        let value = value.or_else(by_step).filter(|&value| value != 0)?;
        let view = self.view;
        let (goroutine, caller) = operation.caller?;
        let (g, stack) = view.goroutines.get(goroutine)?;
        // Arguments are those of the physical function, into which the caller may be inlined.
        let of_caller = stack.frames.get(caller)?;
        let outermost = stack
            .frames
            .iter()
            .enumerate()
            .skip(caller)
            .take_while(|(_, frame)| Rc::ptr_eq(&frame.physical, &of_caller.physical))
            .last()?;
        let (index, frame) = outermost;
        let place = (operation.user.goroutine, view.frame_number(goroutine, index));
        let start = |name, is_it, of, location, object| Start {
            name: if exact && is_it { Called::Expression(name) } else { Called::Lost(name) },
            of,
            location,
            object,
            kind: MapRootKind::Argument,
            rank: Rank::Operation,
            frame: Some(place),
            nil: view.crashing == Some(g.id),
            certain: operation.user.certain,
        };
        if view.context.dwarf.is_some() {
            let (name, is_it, of) = self.parameter(g, frame, number, value)?;
            let location = Location::of_bytes(&value.to_le_bytes());
            self.follow(&start(&name, is_it, of, &location, false));
        } else {
            let (of, name) = self.pointer_receiver(frame.physical_name()).filter(|_| number == 0)?;
            self.follow(&start(&name, true, of, &Location::Address(value), true));
        }
        Some(())
    }

    /// The parameter that is passed in the register for integers of this number, if it is one word: its name,
    /// whether that stands for this value where the frame is, and its type.
    fn parameter(
        &self,
        g: &G,
        frame: &LogicalFrame,
        number: usize,
        value: u64,
    ) -> Option<(String, bool, TypeRef)> {
        let view = self.view;
        let registers = view.registers(g);
        let variables = locals::in_frame(view.process, frame, registers.as_ref(), |frame| {
            locals::variables(view.context, frame)
        });
        let index = locals::passed::parameter(view.context, frame.physical_name(), &variables, number)?;
        let stands_for_it = Variable::named(&variables, &variables.get(index)?.name) == Some(index);
        let variable = variables.into_iter().nth(index)?;
        // The function may have put another value into its parameter since.
        let same = |location| read_word(view.context, location) == Some(value);
        let is_it = stands_for_it && variable.location.as_ref().is_none_or(same);
        Some((variable.name, is_it, TypeRef::Dwarf(variable.type_id?)))
    }
}

/// Where the map's pointer was read from last.
fn slot_of(operand: &Operand) -> Option<u64> {
    operand.steps.last().filter(|_| operand.offset == 0)?.address
}
