//! What values of a type hold that can lead to a map: worked out once for each type.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use super::path::Step;
use crate::value::{
    Context,
    describe::{Kind, TypeRef, describe},
};

/// Leaves of one type, elements of its arrays with them.
const MOST_LEAVES: usize = 512;
/// Elements of an array inside of a value.
const MOST_ELEMENTS: u64 = 64;
/// Structs and arrays within one another.
const DEEPEST: u32 = 16;
/// Types that are looked at to tell whether one leads to a map.
const MOST_TYPES: usize = 2000;

/// A part of a value that is a map or leads on.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// Bytes from the start of the value.
    pub(super) offset: u64,
    /// The way from the value.
    pub(super) steps: Rc<[Step]>,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A map; its type.
    Map(TypeRef),
    /// A `sync.Map`, which is a struct.
    SyncMap(TypeRef),
    /// A pointer to this.
    Pointer(TypeRef),
    /// A slice of these, and the size of each.
    Slice(TypeRef, u64),
    Interface {
        empty: bool,
    },
}

/// What the values of a type hold.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) leaves: Vec<Leaf>,
    /// It is a struct, of this name.
    pub(super) structure: Option<Rc<str>>,
}

/// The plans of all types that were asked for.
pub(super) struct Plans<'p> {
    context: &'p Context<'p>,
    known: HashMap<TypeRef, Rc<Plan>>,
    leads: HashMap<TypeRef, bool>,
}

impl<'p> Plans<'p> {
    pub(super) fn new(context: &'p Context<'p>) -> Self {
        Self { context, known: HashMap::new(), leads: HashMap::new() }
    }

    pub(super) fn of(&mut self, of: TypeRef) -> Rc<Plan> {
        if let Some(known) = self.known.get(&of) {
            return Rc::clone(known);
        }
        let mut plan = Plan::default();
        if self.leads(of) {
            self.flatten(of, 0, &mut Vec::new(), 0, &mut plan.leaves);
        }
        let described = describe(self.context, of);
        if let Kind::Struct(_) = described.kind {
            plan.structure = Some(described.name.into());
        }
        let plan = Rc::new(plan);
        self.known.insert(of, Rc::clone(&plan));
        plan
    }

    fn flatten(
        &mut self,
        of: TypeRef,
        offset: u64,
        steps: &mut Vec<Step>,
        depth: u32,
        leaves: &mut Vec<Leaf>,
    ) {
        if leaves.len() >= MOST_LEAVES || depth > DEEPEST {
            return;
        }
        let described = describe(self.context, of);
        let mut leaf = |what, last: Option<Step>| {
            let steps = steps.iter().cloned().chain(last).collect();
            leaves.push(Leaf { offset, steps, what });
        };
        match described.kind {
            Kind::Map => leaf(What::Map(of), None),
            Kind::Struct(_) if described.name == "sync.Map" => leaf(What::SyncMap(of), None),
            Kind::Pointer { to: Some(to) } if self.leads(to) => leaf(What::Pointer(to), Some(Step::Follow)),
            Kind::Slice { elem } if self.leads(elem) => {
                let size = describe(self.context, elem).size.unwrap_or(0);
                if size > 0 {
                    leaf(What::Slice(elem, size), None);
                }
            }
            Kind::Interface { empty } => leaf(What::Interface { empty }, None),
            Kind::Struct(fields) => {
                for field in fields {
                    if self.leads(field.of) {
                        steps.push(Step::Field(field.name.into()));
                        self.flatten(field.of, offset.saturating_add(field.offset), steps, depth + 1, leaves);
                        steps.pop();
                    }
                }
            }
            Kind::Array { elem, len } if self.leads(elem) => {
                let size = describe(self.context, elem).size.unwrap_or(0);
                for index in 0..len.min(MOST_ELEMENTS) {
                    steps.push(Step::Index(index));
                    let at = offset.saturating_add(size.saturating_mul(index));
                    self.flatten(elem, at, steps, depth + 1, leaves);
                    steps.pop();
                }
            }
            _ => {}
        }
    }

    /// Whether a value of this type can lead to a map. What an interface holds is not known in advance.
    pub(super) fn leads(&mut self, of: TypeRef) -> bool {
        if let Some(known) = self.leads.get(&of) {
            return *known;
        }
        let mut seen = HashSet::from([of]);
        let mut queue = vec![of];
        let mut found = false;
        while let Some(next) = queue.pop() {
            found = match self.leads.get(&next) {
                Some(known) => *known,
                None => self.next_types(next, &mut seen, &mut queue) || seen.len() > MOST_TYPES,
            };
            if found {
                break;
            }
        }
        if found {
            self.leads.insert(of, true);
        } else {
            self.leads.extend(seen.into_iter().map(|of| (of, false)));
        }
        found
    }

    /// Whether the type is a map or an interface; puts the types it consists of into `queue`.
    fn next_types(&self, of: TypeRef, seen: &mut HashSet<TypeRef>, queue: &mut Vec<TypeRef>) -> bool {
        let described = describe(self.context, of);
        // The scheduler's own structures lead everywhere.
        if described.name.starts_with("runtime.") {
            return false;
        }
        let mut add = |of: TypeRef| {
            if seen.insert(of) {
                queue.push(of);
            }
        };
        match described.kind {
            Kind::Map | Kind::Interface { .. } => return true,
            Kind::Struct(_) if described.name == "sync.Map" => return true,
            Kind::Pointer { to: Some(to) } => add(to),
            Kind::Slice { elem } | Kind::Array { elem, .. } => add(elem),
            Kind::Struct(fields) => fields.into_iter().for_each(|field| add(field.of)),
            _ => {}
        }
        false
    }
}
