//! Variables of frames and packages, which is where maps are held.

use std::collections::{HashMap, HashSet};

use panicle_binary::dwarf::{DwarfIndex, VariableKind};
use panicle_report::{Address, FrameKind, MapRoot, MapRootKind};

use super::{Search, graph::Object, is_map, map_type, path, table::Rank, table::bare_root};
use crate::{
    frames::LogicalFrame,
    goroutine::G,
    locals::{self, Variable},
    spell,
    value::{Context, Location, describe::TypeRef, describe::describe},
};

/// Frames whose variables are looked at; those of the goroutine at fault come first.
const MOST_FRAMES: usize = 30_000;
/// Package variables that are looked at.
const MOST_GLOBALS: usize = 200_000;
/// Pointers between a variable and a nil map that is listed.
const NIL_HOPS: u32 = 2;

/// What the beginning of a search is called.
#[derive(Clone, Copy)]
pub(super) enum Called<'s> {
    /// As an expression has it: `s`, `main.sessions`, `(*main.Server)`.
    Expression(&'s str),
    /// So in the source, but an expression does not find by it what is followed here.
    Lost(&'s str),
    /// It goes by no name.
    Nothing,
}

impl<'s> Called<'s> {
    fn of(expression: Option<&'s str>) -> Self {
        expression.map_or(Self::Nothing, Self::Expression)
    }

    /// The names of what the search finds at the end of a path: as an expression, and as the source has it.
    fn paths<'p>(self, steps: impl Iterator<Item = &'p path::Step>) -> (Option<String>, Option<String>) {
        match self {
            Self::Expression(name) => (path::render(name, steps), None),
            Self::Lost(name) => (None, path::render(name, steps)),
            Self::Nothing => (None, None),
        }
    }
}

/// Where a search begins.
pub(super) struct Start<'s> {
    pub(super) name: Called<'s>,
    pub(super) of: TypeRef,
    pub(super) location: &'s Location,
    /// It is what a pointer points at, and not a variable.
    pub(super) object: bool,
    pub(super) kind: MapRootKind,
    pub(super) rank: Rank,
    /// Goroutine, and frame as the report counts.
    pub(super) frame: Option<(u64, u64)>,
    /// Whether nil maps are listed.
    pub(super) nil: bool,
    /// The location is that of a word that is known to hold the value at this moment.
    pub(super) certain: bool,
}

impl Search<'_, '_> {
    /// Adds the maps that a value leads to.
    pub(super) fn follow(&mut self, start: &Start<'_>) {
        let Self { view, graph, table, map_types, damaged, .. } = self;
        let context = view.context;
        let itself = match *start.location {
            Location::Address(address) if start.object => Some(Object { address, of: start.of }),
            _ => None,
        };
        graph.maps(start.of, start.location, |held, prefix| {
            let root = || {
                let (variable, called) = start.name.paths(prefix.iter().chain(&*held.steps));
                MapRoot {
                    goroutine: start.frame.map(|frame| frame.0),
                    frame: start.frame.map(|frame| frame.1),
                    variable,
                    called,
                    certain: start.certain,
                    slot: held.slot.map(Address),
                    owner: held
                        .owner
                        .or(itself.filter(|_| prefix.is_empty()))
                        .map(|owner| shown(context, owner)),
                    ..bare_root(start.kind)
                }
            };
            if held.map == 0 {
                if start.nil && held.hops <= NIL_HOPS {
                    table.add_nil(held.of, (start.rank, held.hops), root());
                }
                return;
            }
            let is_map = || {
                is_map(context, map_types, held.of, held.map) || {
                    let of = map_type(context, map_types, held.of);
                    of.is_some_and(|of| damaged.is_one(context, of, held, start))
                }
            };
            table.add((held.map, held.of), (start.rank, held.hops), is_map, root);
        });
    }

    /// Adds what the variables of all frames lead to.
    pub(super) fn frames(&mut self) {
        let view = self.view;
        let mut budget = MOST_FRAMES;
        // Whether any variable at a pc can lead to a map.
        let mut leads: HashMap<(u64, usize), bool> = HashMap::new();
        for (index, (g, stack)) in view.goroutines.iter().enumerate() {
            for (number, frame) in stack.frames.iter().enumerate() {
                if frame.call().kind != FrameKind::Go {
                    continue;
                }
                let key = (frame.physical.lookup_pc, frame.depth);
                if leads.get(&key) == Some(&false) {
                    continue;
                }
                let Some(left) = budget.checked_sub(1) else {
                    self.cut_frames = true;
                    return;
                };
                budget = left;
                let place = (g.id, view.frame_number(index, number));
                let found = if view.context.dwarf.is_some() {
                    self.frame(g, frame, place)
                } else {
                    self.receiver(g, frame, place)
                };
                leads.insert(key, found);
            }
        }
    }

    /// Adds what the variables of a frame lead to; false when none of them can lead to a map.
    fn frame(&mut self, g: &G, frame: &LogicalFrame, place: (u64, u64)) -> bool {
        let view = self.view;
        let registers = view.registers(g);
        let variables = locals::in_frame(view.process, frame, registers.as_ref(), |frame| {
            locals::variables(view.context, frame)
        });
        let mut any = false;
        for (index, variable) in variables.iter().enumerate() {
            // A name stands for the innermost variable that has it.
            let name = Variable::named(&variables, &variable.name).filter(|&named| named == index);
            let Variable { kind, type_id, location, .. } = variable;
            let Some(of) = type_id.map(TypeRef::Dwarf) else { continue };
            if !self.graph.plans.leads(of) {
                continue;
            }
            any = true;
            let Some(location) = location else { continue };
            self.follow(&Start {
                name: Called::of(name.map(|_| variable.name.as_str())),
                of,
                location,
                object: false,
                kind: match kind {
                    VariableKind::Parameter => MapRootKind::Argument,
                    VariableKind::Result | VariableKind::Local => MapRootKind::Local,
                },
                rank: self.rank(place),
                frame: Some(place),
                nil: view.crashing == Some(g.id),
                certain: true,
            });
        }
        any
    }

    /// How telling a variable of a frame is.
    pub(super) fn rank(&self, (goroutine, frame): (u64, u64)) -> Rank {
        if self.callers.contains(&(goroutine, frame)) {
            Rank::Operation
        } else if self.view.crashing == Some(goroutine) {
            Rank::AtFault
        } else {
            Rank::Variable
        }
    }

    /// Adds what package variables lead to: those of the program, then those of the standard library.
    pub(super) fn globals(&mut self) {
        let context = self.view.context;
        let Some(dwarf) = context.dwarf else { return };
        let mut globals: Vec<(bool, String, u64, TypeRef)> = Vec::new();
        for (name, variable) in dwarf.variables().take(MOST_GLOBALS) {
            let of = TypeRef::Dwarf(variable.type_id);
            let Some(package) = spell::package(&name) else { continue };
            // The runtime's own lead to everything there is. `..dict.` and the like are the compiler's.
            if is_runtime(package) || name.contains("..") || !self.graph.plans.leads(of) {
                continue;
            }
            let of_library = !package.contains('.') && package != "main";
            globals.push((of_library, name, variable.address.wrapping_add(context.bias), of));
        }
        let names = Globals::new(dwarf, globals.iter().map(|(_, name, ..)| name.as_str()));
        // In a fixed order, so that a search that is cut short finds the same each time.
        globals.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        for (_, name, address, of) in globals {
            self.follow(&Start {
                name: Called::of(names.expression(&name).as_deref()),
                of,
                location: &Location::Address(address),
                object: false,
                kind: MapRootKind::Global,
                rank: Rank::Global,
                frame: None,
                nil: false,
                certain: true,
            });
        }
    }
}

/// How expressions name variables of packages.
struct Globals<'d> {
    dwarf: &'d DwarfIndex<'d>,
    /// How many variables go by a short name.
    known: HashMap<String, usize>,
}

impl<'d> Globals<'d> {
    /// Of the variables with these full names.
    fn new<'n>(dwarf: &'d DwarfIndex<'d>, names: impl Iterator<Item = &'n str>) -> Self {
        let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
        let wanted: HashSet<String> = names.map(last).collect();
        let mut known = HashMap::new();
        for (name, _) in dwarf.variables().filter(|(name, _)| wanted.contains(&last(name))) {
            *known.entry(dwarf.short_names().shorten(&name)).or_insert(0) += 1;
        }
        Self { dwarf, known }
    }

    /// `store.Default`, or with the import path where there are several of that name; `None` for what the
    /// compiler made, whose names no expression has.
    fn expression(&self, name: &str) -> Option<String> {
        let package = spell::package(name)?;
        if !path::is_identifier(name.get(package.len() + 1..)?) {
            return None;
        }
        let short = self.dwarf.short_names().shorten(name);
        let alone = self.known.get(&short).is_none_or(|count| *count == 1);
        Some(if alone { short } else { name.to_owned() })
    }
}

fn is_runtime(package: &str) -> bool {
    package == "runtime" || package.starts_with("runtime/") || package.starts_with("internal/")
}

/// `*main.Server 0xc000012345`.
fn shown(context: &Context<'_>, owner: Object) -> String {
    format!("*{} {:#x}", describe(context, owner.of).name, owner.address)
}
