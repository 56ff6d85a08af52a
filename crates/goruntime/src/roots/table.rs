//! The maps that were found, with everything that holds them.

use std::collections::{HashMap, HashSet};

use panicle_report::{Address, MapRoot, MapRootKind};

use crate::value::describe::TypeRef;

/// Roots of one map that are listed.
const MOST_ROOTS: usize = 64;
/// Maps that are told apart.
const MOST_MAPS: usize = 200_000;
/// Nil maps that are listed.
const MOST_NIL: usize = 32;

/// How telling a root is; the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// What an operation was called with, and variables of the frame that called it.
    Operation,
    /// A variable of the goroutine at fault.
    AtFault,
    /// Another variable.
    Variable,
    Global,
    Operand,
    Register,
    Stack,
}

/// A map.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) address: u64,
    pub(super) of: TypeRef,
    roots: Vec<(Rank, u32, MapRoot)>,
    /// How telling the least telling of them is.
    worst: (Rank, u32),
    left_out: u64,
}

impl Known {
    fn new(address: u64, of: TypeRef) -> Self {
        Self { address, of, roots: Vec::new(), worst: (Rank::Operation, 0), left_out: 0 }
    }

    fn add(&mut self, rank: Rank, hops: u32, root: impl FnOnce() -> MapRoot) {
        if self.roots.len() >= MOST_ROOTS && self.roots.iter().all(|known| (known.0, known.1) <= (rank, hops))
        {
            self.left_out += 1;
            return;
        }
        let root = root();
        let same = |known: &MapRoot| {
            known.goroutine == root.goroutine
                && known.frame == root.frame
                && (known.slot.is_some() && known.slot == root.slot
                    || known.name().is_some() && known.name() == root.name()
                    || *known == root)
        };
        if let Some(at) = self.roots.iter().position(|known| same(&known.2)) {
            if (rank, hops) < (self.roots[at].0, self.roots[at].1) {
                self.roots[at] = (rank, hops, root);
            }
            return;
        }
        if self.roots.len() >= MOST_ROOTS {
            self.left_out += 1;
            let worst = (0..self.roots.len()).max_by_key(|&at| (self.roots[at].0, self.roots[at].1));
            if let Some(worst) = worst {
                self.roots.swap_remove(worst);
            }
        }
        self.roots.push((rank, hops, root));
        self.worst = self.roots.iter().map(|known| (known.0, known.1)).max().unwrap_or((Rank::Operation, 0));
    }

    /// Its roots, the most telling first, and how many more there are.
    pub(super) fn into_roots(mut self) -> (Vec<MapRoot>, u64) {
        self.roots.sort_by(|one, other| {
            let key = |known: &(Rank, u32, MapRoot)| (known.0, known.1, known.2.goroutine, known.2.frame);
            key(one).cmp(&key(other))
        });
        (self.roots.into_iter().map(|known| known.2).collect(), self.left_out)
    }

    /// Whether a variable of this frame holds it.
    fn is_in_frame(&self, goroutine: u64, frame: u64) -> bool {
        self.roots.iter().any(|(rank, hops, root)| {
            *rank <= Rank::Variable
                && *hops == 0
                && root.goroutine == Some(goroutine)
                && root.frame == Some(frame)
        })
    }
}

/// All maps.
#[derive(Default)]
pub(super) struct Table {
    maps: Vec<Known>,
    by_address: HashMap<u64, usize>,
    nil_slots: HashSet<(Option<u64>, Option<String>)>,
    nil: Vec<Known>,
    /// What is no map, each for variables of packages, which are asked for more, and for all others.
    rejected: HashSet<(u64, TypeRef, bool)>,
    /// There are more than can be told apart.
    pub(super) cut: bool,
}

impl Table {
    /// Adds a root of the map at `address`, if `is_map` says that there is one when it is seen first.
    pub(super) fn add(
        &mut self,
        (address, of): (u64, TypeRef),
        (rank, hops): (Rank, u32),
        is_map: impl FnOnce() -> bool,
        root: impl FnOnce() -> MapRoot,
    ) {
        if let Some(&at) = self.by_address.get(&address) {
            self.maps[at].add(rank, hops, root);
            return;
        }
        if self.maps.len() >= MOST_MAPS {
            self.cut = true;
            return;
        }
        let rejected = (address, of, rank == Rank::Global);
        if self.rejected.contains(&rejected) {
            return;
        }
        if !is_map() {
            if self.rejected.len() < MOST_MAPS {
                self.rejected.insert(rejected);
            }
            return;
        }
        let mut known = Known::new(address, of);
        known.add(rank, hops, root);
        self.by_address.insert(address, self.maps.len());
        self.maps.push(known);
    }

    /// Adds a variable or field that is nil.
    pub(super) fn add_nil(&mut self, of: TypeRef, (rank, hops): (Rank, u32), root: MapRoot) {
        // A field is one, whichever way leads to it; a variable without a place is told by its name.
        let slot = root.slot.map(|Address(slot)| slot);
        let name = root.name().map(str::to_owned).filter(|_| slot.is_none());
        if let Some(known) = slot.and_then(|slot| {
            let of_slot =
                |known: &&mut Known| known.roots.iter().any(|root| root.2.slot == Some(Address(slot)));
            self.nil.iter_mut().find(of_slot)
        }) {
            known.add(rank, hops, || root);
            return;
        }
        if self.nil.len() < MOST_NIL && self.nil_slots.insert((slot, name)) {
            let mut known = Known::new(0, of);
            known.add(rank, hops, || root);
            self.nil.push(known);
        }
    }

    /// The addresses of all maps, sorted.
    pub(super) fn addresses(&self) -> Vec<u64> {
        let mut all: Vec<u64> = self.by_address.keys().copied().collect();
        all.sort_unstable();
        all
    }

    /// Whether the map at `address` is known, and not already as a variable of this frame.
    pub(super) fn is_new_to_frame(&self, address: u64, goroutine: u64, frame: Option<u64>) -> bool {
        self.by_address
            .get(&address)
            .is_some_and(|&at| frame.is_none_or(|frame| !self.maps[at].is_in_frame(goroutine, frame)))
    }

    /// The type of the map at `address`.
    pub(super) fn type_of(&self, address: u64) -> Option<TypeRef> {
        self.by_address.get(&address).map(|&at| self.maps[at].of)
    }

    /// All maps, and then all variables and fields that are nil.
    pub(super) fn into_maps(self) -> (Vec<Known>, Vec<Known>) {
        (self.maps, self.nil)
    }
}

/// A root of which only the place is known.
pub(super) fn bare_root(kind: MapRootKind) -> MapRoot {
    MapRoot {
        goroutine: None,
        frame: None,
        variable: None,
        called: None,
        kind,
        certain: false,
        slot: None,
        owner: None,
    }
}
