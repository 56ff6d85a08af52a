//! Which maps there are, and who holds them.
//!
//! Maps are found where the program holds them: in variables of frames and packages, and in what those lead
//! to through fields, pointers, slices, interfaces and other maps (`variables`, `graph`); without debug
//! information in what the receivers of methods lead to (`receivers`). What is known of a map then is looked for
//! in all stacks and registers (`scan`), because compilers keep values in places that nothing names.
//!
//! A root that was read from a variable is certain. A word that equals an address may be left over.

mod damaged;
mod graph;
mod path;
mod plan;
mod receivers;
mod scan;
mod table;
mod uses;
mod variables;

use std::collections::{HashMap, HashSet};

use panicle_image::Registers;
use panicle_report::{
    Address, Diagnostic, FrameKind, Goroutine, Map, MapImplementation, MapOperation, MapRoot, MapRootKind,
    MapState, MapUser, Stage,
};

use crate::{
    expr::{self, Scope},
    frames::Stack,
    goroutine::G,
    maps::{self, Examiner, MapType, Writers},
    operations::Operation,
    process::Process,
    receiver::TypeNames,
    threads::Thread,
    value::{
        Context,
        describe::{TypeRef, describe},
    },
};
use damaged::Damaged;
use graph::Graph;
use scan::Wanted;
use table::{Known, Rank, Table, bare_root};
use uses::Use;

/// Maps that are described; the others are counted.
const MOST_MAPS: usize = 2000;
/// Roots that are listed of a map that nobody is using: there may be thousands of such maps.
const ROOTS_OF_UNUSED: usize = 16;

/// Types of maps whose names are tried: each may be looked for among all names of the executable.
const MOST_CASTS: usize = 200;

/// What is looked at.
#[derive(Clone, Copy)]
pub(crate) struct View<'v, 'a> {
    pub(crate) process: &'v Process<'a>,
    pub(crate) context: &'v Context<'v>,
    /// The goroutine at fault first.
    pub(crate) goroutines: &'v [(G, Stack)],
    /// The same as the report has them.
    pub(crate) written: &'v [Goroutine],
    /// Threads by the address of their `m`.
    pub(crate) threads: &'v HashMap<u64, &'v Thread>,
    /// The goroutine at fault.
    pub(crate) crashing: Option<u64>,
    /// Looks at what was found.
    pub(crate) examiner: &'v Examiner<'v>,
}

impl View<'_, '_> {
    /// The number that the report gives to a frame of Go code: it counts C frames too.
    fn frame_number(&self, goroutine: usize, frame: usize) -> u64 {
        let same = || Some(frame as u64);
        let counted = || {
            let frames = &self.written.get(goroutine)?.frames;
            let of_go = frames
                .iter()
                .enumerate()
                .filter(|(_, frame)| matches!(frame.kind, FrameKind::Go | FrameKind::Runtime));
            of_go.map(|(number, _)| number as u64).nth(frame)
        };
        let has_c = self.goroutines.get(goroutine).is_some_and(|(_, stack)| !stack.c.found.is_empty());
        if has_c { counted() } else { same() }.unwrap_or(frame as u64)
    }

    /// The registers of the thread that runs a goroutine, before any signal.
    fn registers(&self, g: &G) -> Option<Registers> {
        self.threads.get(&g.m).map(|thread| thread.at_work())
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// That of the operation that ended the process first, then those that are in use, then by size.
    pub(crate) maps: Vec<Map>,
    /// Maps that are known and not described.
    pub(crate) left_out: u64,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// A search in progress.
struct Search<'s, 'a> {
    view: &'s View<'s, 'a>,
    graph: Graph<'s>,
    table: Table,
    /// Frames that called an operation.
    callers: HashSet<(u64, u64)>,
    type_names: TypeNames,
    map_types: MapTypes,
    damaged: Damaged<'s>,
    cut_frames: bool,
}

/// Finds maps and who holds them. `operations` are those that goroutines are in the middle of.
pub(crate) fn find(view: &View<'_, '_>, operations: Vec<Operation>) -> Found {
    let unknown_writers = unknown_writers(&operations);
    let mut uses = Use::all(view, operations);
    let mut search = Search::new(view, &uses);
    search.operands(&mut uses);
    search.frames();
    search.globals();
    let whole = search.words();
    let mut diagnostics = Vec::new();
    let mut say = |text: &str| diagnostics.push(Diagnostic::info(Stage::Values, text));
    if search.cut_frames || search.graph.cut || search.table.cut {
        say("Maps were looked for in the nearest of what variables lead to; there may be more.");
    }
    if !whole {
        say("Maps' holders were looked for in a part of the stacks; together these are too large.");
    }
    diagnostics.extend(search.damaged.diagnostics());
    let (maps, left_out) = describe_all(view, search.table, uses, unknown_writers);
    Found { maps, left_out, diagnostics }
}

/// Finds the maps that variables of the view's frames lead to, and those of `operations`.
pub(crate) fn of_variables(view: &View<'_, '_>, operations: Vec<Operation>) -> Vec<Map> {
    let unknown_writers = unknown_writers(&operations);
    let mut uses = Use::all(view, operations);
    let mut search = Search::new(view, &uses);
    search.operands(&mut uses);
    search.frames();
    describe_all(view, search.table, uses, unknown_writers).0
}

fn writes(operation: MapOperation) -> bool {
    matches!(operation, MapOperation::Write | MapOperation::Delete | MapOperation::Clear)
}

/// Goroutines in the middle of a write to a map that is not known: it may be any.
fn unknown_writers(operations: &[Operation]) -> u64 {
    let is_one = |one: &&Operation| one.map.is_none() && writes(one.operation) && !one.panicked;
    operations.iter().filter(is_one).count() as u64
}

impl<'s, 'a> Search<'s, 'a> {
    fn new(view: &'s View<'s, 'a>, uses: &[Use]) -> Self {
        let callers = uses
            .iter()
            .filter_map(|operation| Some((operation.user.goroutine, operation.user.caller_frame?)))
            .collect();
        let type_names = if view.context.dwarf.is_none() {
            receivers::types_of_frames(view)
        } else {
            TypeNames::default()
        };
        Self {
            view,
            graph: Graph::new(view.context),
            table: Table::default(),
            callers,
            type_names,
            map_types: MapTypes::new(),
            damaged: Damaged::new(view.examiner),
            cut_frames: false,
        }
    }
}

impl Search<'_, '_> {
    /// Looks for the maps that are known in stacks and registers; whether all of it was looked at.
    fn words(&mut self) -> bool {
        let wanted = Wanted::new(self.table.addresses());
        let view = self.view;
        let table = &mut self.table;
        let mut add = |hit: scan::Hit, kind: MapRootKind, rank: Rank| {
            if !table.is_new_to_frame(hit.map, hit.goroutine, hit.frame) {
                return;
            }
            let Some(of) = table.type_of(hit.map) else { return };
            let root = || MapRoot {
                goroutine: Some(hit.goroutine),
                frame: hit.frame,
                slot: hit.slot.map(Address),
                ..bare_root(kind)
            };
            table.add((hit.map, of), (rank, 0), || true, root);
        };
        scan::registers(view, &wanted, |hit| add(hit, MapRootKind::Register, Rank::Register));
        scan::stacks(view, &wanted, |hit| add(hit, MapRootKind::Stack, Rank::Stack))
    }
}

/// The type whose descriptor is at `address`.
fn type_at(context: &Context<'_>, address: u64) -> TypeRef {
    crate::value::describe::at_runtime_address(context, address)
}

/// Map types that were looked up.
type MapTypes = HashMap<TypeRef, Option<MapType>>;

fn map_type<'t>(context: &Context<'_>, known: &'t mut MapTypes, of: TypeRef) -> Option<&'t MapType> {
    known.entry(of).or_insert_with(|| MapType::of(context, of)).as_ref()
}

/// Whether a map of that type may be at `address`.
fn is_map(context: &Context<'_>, known: &mut MapTypes, of: TypeRef, address: u64) -> bool {
    match map_type(context, known, of) {
        Some(of) => maps::looks_like(context, of, address),
        // A `sync.Map` is where its struct is.
        None => describe(context, of).name == SYNC_MAP,
    }
}

/// The name of that type.
const SYNC_MAP: &str = "sync.Map";

/// Entries of the map at `address`, as its header counts them; 0 where that is not known.
fn count(context: &Context<'_>, address: u64) -> u64 {
    [("runtime.hmap", "count"), ("internal/runtime/maps.Map", "used")]
        .into_iter()
        .find_map(|(structure, field)| {
            let field = context.layout.structure(structure)?.field(field)?;
            context.memory.word(address.checked_add(field.offset)?)
        })
        .unwrap_or(0)
}

/// The maps in the report's order, as many as it lists, and how many there are beyond.
fn describe_all(view: &View<'_, '_>, table: Table, uses: Vec<Use>, unknown_writers: u64) -> (Vec<Map>, u64) {
    let context = view.context;
    let mut users: HashMap<u64, Vec<MapUser>> = HashMap::new();
    for operation in uses {
        users.entry(operation.map).or_default().push(operation.user);
    }
    let (known, nil) = table.into_maps();
    let is_noticed =
        |users: Option<&Vec<MapUser>>| users.is_some_and(|users| users.iter().any(|user| user.noticed));
    let nil_noticed = is_noticed(users.get(&0));
    let mut types = MapTypes::new();
    let mut key = |map: &Known| {
        let users = users.get(&map.address);
        let of = map_type(context, &mut types, map.of);
        let is_shared = of.is_none_or(|of| of.slots.implementation == MapImplementation::SyncMap);
        let count = if is_shared { 0 } else { count(context, map.address) };
        (!is_noticed(users), users.is_none(), std::cmp::Reverse(count), map.address)
    };
    let mut keyed: Vec<_> = known.into_iter().map(|map| (key(&map), map)).collect();
    keyed.sort_by_key(|(key, _)| *key);
    let in_use = keyed.iter().take_while(|(key, _)| !key.1).count();
    let mut all: Vec<Known> = keyed.into_iter().map(|(_, map)| map).collect();
    // The nil map that was written to is the one that it is all about.
    let at = if nil_noticed { 0 } else { in_use };
    all.splice(at..at, nil);
    let left_out = all.len().saturating_sub(MOST_MAPS) as u64;
    all.truncate(MOST_MAPS);
    let mut nil_users = users.remove(&0);
    let mut casts = Casts::default();
    let described = all.into_iter().map(|map| {
        let users = if map.address == 0 { nil_users.take() } else { users.remove(&map.address) };
        let expression = casts.of(context, &mut types, &map);
        let found = described(view, &mut types, map, users.unwrap_or_default(), unknown_writers);
        Map { expression, ..found }
    });
    (described.collect(), left_out)
}

fn described(
    view: &View<'_, '_>,
    types: &mut MapTypes,
    map: Known,
    mut users: Vec<MapUser>,
    unknown_writers: u64,
) -> Map {
    let context = view.context;
    let writers = Writers {
        at_work: users.iter().filter(|user| writes(user.operation)).count() as u64 + unknown_writers,
        noticed: users.iter().any(|user| user.noticed),
    };
    let (address, of) = (map.address, map.of);
    let (mut roots, mut roots_left_out) = map.into_roots();
    if users.is_empty() && roots.len() > ROOTS_OF_UNUSED {
        roots_left_out += (roots.len() - ROOTS_OF_UNUSED) as u64;
        roots.truncate(ROOTS_OF_UNUSED);
    }
    users.sort_by_key(|user| (!user.noticed, !user.certain, user.known, user.goroutine));
    let found = match map_type(context, types, of) {
        Some(of) => match view.examiner.header(context, of, address, writers) {
            Ok(header) => header.into_map(of),
            Err(unreadable) => unreadable.into_map(of),
        },
        None => unknown(context, of, address),
    };
    Map { roots, roots_left_out, users, ..found }
}

/// Expressions that give maps by their addresses, which work in every frame.
#[derive(Default)]
struct Casts {
    /// Types, and how an address is given each, if that works.
    known: HashMap<TypeRef, Option<String>>,
    tried: usize,
}

impl Casts {
    fn of(&mut self, context: &Context<'_>, types: &mut MapTypes, map: &Known) -> Option<String> {
        if map.address == 0 || !is_map(context, types, map.of, map.address) {
            return None;
        }
        let cast = self.known.entry(map.of).or_insert_with(|| {
            self.tried += 1;
            let name = describe(context, map.of).name;
            let cast = if name == SYNC_MAP { format!("*(*{name})") } else { format!("({name})") };
            // A name may be that of several types, and one that nobody can write.
            let expression = format!("{cast}({:#x})", map.address);
            let value = (self.tried <= MOST_CASTS)
                .then(|| expr::evaluate(context, &Scope::default(), &expression).ok())
                .flatten()?;
            (value.map_address(context) == Some(map.address)).then_some(cast)
        });
        cast.as_ref().map(|cast| format!("{cast}({:#x})", map.address))
    }
}

/// What is known of a map whose slots nothing describes.
fn unknown(context: &Context<'_>, of: TypeRef, address: u64) -> Map {
    let described = describe(context, of);
    let is_sync = described.name == SYNC_MAP;
    let type_address = match of {
        TypeRef::Runtime(address) => Some(address),
        TypeRef::Any => None,
        TypeRef::Dwarf(id) => context
            .dwarf
            .zip(context.types)
            .and_then(|(dwarf, types)| dwarf.ty(id).runtime_type.map(|offset| types.address(offset))),
    };
    Map {
        address: Address(address),
        type_name: Some(described.name),
        type_address: type_address.map(Address),
        implementation: is_sync.then_some(MapImplementation::SyncMap),
        count: (!is_sync).then(|| count(context, address)),
        room: None,
        size_bytes: None,
        state: if address == 0 { MapState::Nil } else { MapState::Unknown },
        allocated: None,
        header: None,
        flags: Vec::new(),
        problems: Vec::new(),
        roots: Vec::new(),
        roots_left_out: 0,
        expression: None,
        users: Vec::new(),
    }
}
