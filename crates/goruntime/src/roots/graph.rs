//! From a value to the maps that it leads to.
//!
//! Objects are read once, whatever leads to them. From each place where a search begins, the nearest objects
//! come first, so that the shortest way to a map is the one that names it.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use panicle_binary::dwarf::BaseKind;

use super::{
    MapTypes,
    path::Step,
    plan::{Plans, What},
};
use crate::{
    expr, maps,
    value::{
        self, Context, Limits, Location,
        describe::{self, TypeRef, describe},
        interface::{Dynamic, dynamic},
    },
};

/// Elements of one slice.
const MOST_ELEMENTS: u64 = 64;
/// Pointers, slices and interfaces one behind the other.
const MOST_HOPS: u32 = 8;
/// Entries of one map.
const MOST_ENTRIES: usize = 16;
/// Bytes of a map that are looked at for them: a damaged one may be a chain without entries and end.
const MOST_LOOKED_AT: u64 = 1 << 20;
/// Bytes of a text that is written as the key of an element.
const LONGEST_KEY: u64 = 64;
/// Types that interfaces hold whose names are tried.
const MOST_ASSERTED: usize = 200;
/// How keys are written.
const KEY: Limits = Limits { depth: 0, elements: 0, bytes: LONGEST_KEY, total: 400 };
/// Objects that one search looks at.
const MOST_OF_SEARCH: usize = 1000;
/// Maps that one search finds.
const MOST_FOUND: usize = 256;
/// Objects that stay known once they were read.
const MOST_OBJECTS: usize = 200_000;
/// Objects that all searches look at, those known already with them.
const MOST_VISITS: usize = 1_000_000;
/// Ways that are kept in all.
const MOST_WAYS: usize = 150_000;

/// A value in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) address: u64,
    pub(super) of: TypeRef,
}

impl Object {
    fn key(self) -> (u64, TypeRef) {
        (self.address, self.of)
    }
}

/// A map that a value holds.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// The way from the value.
    pub(super) steps: Rc<[Step]>,
    /// Where the pointer to the map lies.
    pub(super) slot: Option<u64>,
    /// Where the map is; 0 for a nil map.
    pub(super) map: u64,
    /// Its type.
    pub(super) of: TypeRef,
    /// The struct that holds it.
    pub(super) owner: Option<Object>,
    /// Pointers and interfaces that were followed.
    pub(super) hops: u32,
}

struct Edge {
    steps: Rc<[Step]>,
    last: Option<Step>,
    to: Object,
}

/// An object that a search came by.
struct Visited {
    object: Object,
    /// The one it was reached from, by the place in the search, and the edge between them.
    from: Option<(usize, usize)>,
    /// Pointers and interfaces that were followed.
    hops: u32,
}

#[derive(Default)]
struct Node {
    maps: Vec<Held>,
    edges: Vec<Edge>,
}

/// Everything that was read.
pub(super) struct Graph<'g> {
    context: &'g Context<'g>,
    pub(super) plans: Plans<'g>,
    nodes: HashMap<(u64, TypeRef), Rc<Node>>,
    ways: HashMap<(u64, TypeRef), Rc<[Held]>>,
    map_types: MapTypes,
    assertions: HashMap<TypeRef, Step>,
    visits_left: usize,
    ways_left: usize,
    /// Something was left out.
    pub(super) cut: bool,
}

impl<'g> Graph<'g> {
    pub(super) fn new(context: &'g Context<'g>) -> Self {
        Self {
            context,
            plans: Plans::new(context),
            nodes: HashMap::new(),
            ways: HashMap::new(),
            map_types: MapTypes::new(),
            assertions: HashMap::new(),
            visits_left: MOST_VISITS,
            ways_left: MOST_WAYS,
            cut: false,
        }
    }

    /// The maps that a value of type `of` at `location` leads to, the nearest first, each handed to `found`.
    pub(super) fn maps(&mut self, of: TypeRef, location: &Location, mut found: impl FnMut(&Held, &[Step])) {
        let node = match *location {
            Location::Address(address) => self.node(Object { address, of }),
            Location::Parts(_) => Rc::new(self.expand(of, location, None)),
        };
        for held in &node.maps {
            found(&Held { owner: None, ..held.clone() }, &[]);
        }
        for edge in &node.edges {
            let prefix: Vec<Step> = edge.steps.iter().chain(&edge.last).cloned().collect();
            for held in &*self.reach(edge.to) {
                found(held, &prefix);
            }
        }
    }

    /// The maps that an object leads to, the nearest first.
    fn reach(&mut self, from: Object) -> Rc<[Held]> {
        if let Some(known) = self.ways.get(&from.key()) {
            return Rc::clone(known);
        }
        if self.visits_left == 0 || self.ways_left == 0 {
            // What a variable points at is looked at nevertheless.
            self.cut = true;
            return self.node(from).maps.iter().map(|held| Held { hops: 1, ..held.clone() }).collect();
        }
        let mut visited = vec![Visited { object: from, from: None, hops: 1 }];
        let mut seen = HashSet::from([from.key()]);
        let mut nodes: Vec<Rc<Node>> = Vec::new();
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(&Visited { object, hops, .. }) = visited.get(at) {
            if self.visits_left == 0 || self.ways_left == 0 {
                self.cut = true;
                break;
            }
            self.visits_left -= 1;
            let node = self.node(object);
            nodes.push(Rc::clone(&node));
            for held in &node.maps {
                if found.len() >= MOST_FOUND || self.ways_left == 0 {
                    self.cut = true;
                    break;
                }
                self.ways_left -= 1;
                let steps = way(&visited, &nodes, at, &held.steps);
                found.push(Held { steps, hops, ..held.clone() });
            }
            if hops < MOST_HOPS {
                for (number, edge) in node.edges.iter().enumerate() {
                    if visited.len() >= MOST_OF_SEARCH {
                        self.cut = true;
                        break;
                    }
                    if seen.insert(edge.to.key()) {
                        visited.push(Visited { object: edge.to, from: Some((at, number)), hops: hops + 1 });
                    }
                }
            }
            at += 1;
        }
        let found: Rc<[Held]> = found.into();
        self.ways.insert(from.key(), Rc::clone(&found));
        found
    }

    /// The step to what an interface holds.
    fn assertion(&mut self, of: TypeRef, name: &str) -> Step {
        let tried = self.assertions.len();
        let context = self.context;
        let step = self.assertions.entry(of).or_insert_with(|| {
            // A name may be looked for among all names of the executable.
            let is_named = tried < MOST_ASSERTED && expr::names_a_type(context, name);
            if is_named { Step::Assert(name.into()) } else { Step::SomeType }
        });
        step.clone()
    }

    /// What an object holds, read once.
    fn node(&mut self, object: Object) -> Rc<Node> {
        if let Some(known) = self.nodes.get(&object.key()) {
            return Rc::clone(known);
        }
        let node = Rc::new(self.expand(object.of, &Location::Address(object.address), Some(object)));
        if self.nodes.len() < MOST_OBJECTS {
            self.nodes.insert(object.key(), Rc::clone(&node));
        }
        node
    }

    fn expand(&mut self, of: TypeRef, location: &Location, object: Option<Object>) -> Node {
        let plan = self.plans.of(of);
        let owner = object.filter(|_| plan.structure.is_some());
        let context = self.context;
        let word = |offset: u64| value::read_word_at(context, location, offset);
        let address = |offset: u64| match location {
            Location::Address(address) => Some(address.wrapping_add(offset)),
            Location::Parts(_) => None,
        };
        let mut node = Node::default();
        for leaf in &plan.leaves {
            let mut edge = |last: Option<Step>, address: u64, of: TypeRef| {
                if address != 0 {
                    node.edges.push(Edge { steps: Rc::clone(&leaf.steps), last, to: Object { address, of } });
                }
            };
            let held = |map: u64, of: TypeRef, slot: Option<u64>| Held {
                steps: Rc::clone(&leaf.steps),
                slot,
                map,
                of,
                owner,
                hops: 0,
            };
            match leaf.what {
                What::Map(of) => {
                    let Some(map) = word(leaf.offset) else { continue };
                    node.maps.push(held(map, of, address(leaf.offset)));
                    let Some(of) = super::map_type(context, &mut self.map_types, of) else { continue };
                    if !self.plans.leads(of.elem) || !maps::looks_like(context, of, map) {
                        continue;
                    }
                    for entry in maps::entries(context, of, map).within(MOST_LOOKED_AT).take(MOST_ENTRIES) {
                        edge(Some(key(context, of.key, entry.key)), entry.elem, of.elem);
                    }
                }
                What::SyncMap(of) => {
                    let at = address(leaf.offset).filter(|&at| at != 0);
                    node.maps.extend(at.map(|at| held(at, of, None)));
                }
                What::Pointer(to) => {
                    if let Some(pointer) = word(leaf.offset) {
                        edge(None, pointer, to);
                    }
                }
                What::Slice(elem, size) => {
                    let (Some(data), Some(len)) = (word(leaf.offset), word(leaf.offset.wrapping_add(8)))
                    else {
                        continue;
                    };
                    if len > MOST_ELEMENTS {
                        self.cut = true;
                    }
                    for index in 0..len.min(MOST_ELEMENTS) {
                        if let Some(at) = size.checked_mul(index).and_then(|offset| data.checked_add(offset))
                            && data != 0
                        {
                            edge(Some(Step::Index(index)), at, elem);
                        }
                    }
                }
                What::Interface { empty } => {
                    let (Some(head), Some(data)) = (word(leaf.offset), word(leaf.offset.wrapping_add(8)))
                    else {
                        continue;
                    };
                    let Some(Dynamic { of, direct }) = dynamic(context, empty, head) else { continue };
                    if !self.plans.leads(of) || data == 0 {
                        continue;
                    }
                    let described = describe(context, of);
                    let step = self.assertion(of, &described.name);
                    match described.kind {
                        describe::Kind::Pointer { to: Some(to) } if direct => {
                            let steps: Rc<[Step]> = leaf.steps.iter().cloned().chain([step]).collect();
                            let to = Object { address: data, of: to };
                            node.edges.push(Edge { steps, last: Some(Step::Follow), to });
                        }
                        describe::Kind::Map if direct => {
                            let steps = leaf.steps.iter().cloned().chain([step]).collect();
                            let slot = address(leaf.offset.wrapping_add(8));
                            node.maps.push(Held { steps, slot, ..held(data, of, None) });
                        }
                        _ if direct => {}
                        _ => edge(Some(step), data, of),
                    }
                }
            }
        }
        node
    }
}

/// A key as it stands in an expression: numbers, and texts that are not long.
fn key(context: &Context<'_>, of: TypeRef, address: u64) -> Step {
    let of = describe(context, of);
    let is_literal = match of.kind {
        describe::Kind::Base(base) => matches!(base, BaseKind::Bool | BaseKind::Int | BaseKind::Uint),
        describe::Kind::String => {
            let len = address.checked_add(8).and_then(|at| context.memory.word(at));
            len.is_some_and(|len| len <= LONGEST_KEY)
        }
        _ => false,
    };
    if !is_literal {
        return Step::SomeKey;
    }
    Step::Key(value::format_described(context, &of, &Location::Address(address), KEY).into())
}

/// The steps from where a search began to what the object `at` holds.
fn way(visited: &[Visited], nodes: &[Rc<Node>], at: usize, last: &[Step]) -> Rc<[Step]> {
    let mut pieces: Vec<(&[Step], Option<&Step>)> = vec![(last, None)];
    let mut next = visited.get(at).and_then(|object| object.from);
    while let Some((from, number)) = next {
        let Some(edge) = nodes.get(from).and_then(|node| node.edges.get(number)) else { break };
        pieces.push((&edge.steps, edge.last.as_ref()));
        next = visited.get(from).and_then(|object| object.from);
    }
    pieces.iter().rev().flat_map(|(steps, last)| steps.iter().chain(*last)).cloned().collect()
}
