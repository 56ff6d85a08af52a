//! `sync.Map`, in both its forms.
//!
//! Up to Go 1.23 (sync/map.go) it is a read-only map and, while there are keys that it lacks, a dirty one that has
//! all; both are `map[any]*entry`. From Go 1.24 it is a trie over the hash of the key (internal/sync/hashtriemap.go)
//! whose leaves are entries, with a chain behind each for keys of equal hashes.

use panicle_report::{MapHeader, MapImplementation, MapState, SyncMapHeader};

use super::{
    Entries, Entry, MapType, SLOTS, Slots,
    blocks::{Budget, Structure},
    header::{Header, Unreadable, header},
    hmap::Hmap,
    report::Problems,
};
use crate::{
    layout::Layout,
    value::{Context, TypeRef},
};

/// `sync.Map`, as both the runtime and DWARF call it.
pub(super) const NAME: &str = "sync.Map";
/// The trie in it.
const TRIE: &str = "internal/sync.HashTrieMap";
/// Size of an interface.
const INTERFACE: u64 = 16;
/// A level for each four bits of a hash, and one more.
const DEEPEST: usize = 17;
/// Entries that a header counts.
const MOST_COUNTED: u64 = 1 << 20;
/// Bytes that are looked at for that: twice what so many entries take in either form.
const MOST_LOOKED_AT: u64 = MOST_COUNTED * 128;

/// The type `sync.Map`, whose descriptor is at `type_address`.
pub(super) fn map_type(type_address: Option<u64>) -> MapType {
    let any = || "interface {}".to_owned();
    MapType {
        name: NAME.to_owned(),
        type_address,
        key: TypeRef::Any,
        elem: TypeRef::Any,
        key_address: None,
        elem_address: None,
        key_name: any(),
        elem_name: any(),
        key_size: INTERFACE,
        elem_size: INTERFACE,
        slots: Slots {
            implementation: MapImplementation::SyncMap,
            size: 8,
            keys: 0,
            key_stride: 0,
            elems: 0,
            elem_stride: 0,
            indirect_key: false,
            indirect_elem: false,
        },
    }
}

/// Whether `sync.Map` is a trie. That there are tries says nothing: the package `unique` has one, too.
fn is_trie(layout: &Layout) -> bool {
    layout.structure(NAME).is_some_and(|map| map.field("dirty").is_none())
}

/// `map[any]*entry`, of which no descriptor is needed: sizes say it all.
fn inner_type(context: &Context<'_>) -> MapType {
    let hmap = context.layout.structure(Hmap::NAME).is_some();
    let slots = if hmap {
        Slots {
            implementation: MapImplementation::Hmap,
            size: 8 + SLOTS * (INTERFACE + 8) + 8,
            keys: 8,
            key_stride: INTERFACE,
            elems: 8 + SLOTS * INTERFACE,
            elem_stride: 8,
            indirect_key: false,
            indirect_elem: false,
        }
    } else {
        Slots {
            implementation: MapImplementation::Swiss,
            size: 8 + SLOTS * (INTERFACE + 8),
            keys: 8,
            key_stride: INTERFACE + 8,
            elems: 8 + INTERFACE,
            elem_stride: INTERFACE + 8,
            indirect_key: false,
            indirect_elem: false,
        }
    };
    MapType { slots, elem_size: 8, ..map_type(None) }
}

/// The read-only and the dirty map.
#[derive(Clone, Copy, Debug)]
struct Pair {
    /// 0 when there is none.
    read: u64,
    dirty: u64,
    amended: bool,
    misses: u64,
}

impl Pair {
    fn read(context: &Context<'_>, address: u64) -> Option<Self> {
        let map = Structure::read(context, NAME, address)?;
        let field = context.layout.structure(NAME)?.field("read")?;
        // Up to Go 1.19 it is an `atomic.Value`, an interface that holds the struct.
        let pointer = address.checked_add(field.offset)?.checked_add(field.size.checked_sub(8)?)?;
        let (mut read, mut amended) = (0, false);
        let at = context.memory.word(pointer)?;
        if at != 0 {
            let read_only = Structure::read(context, "sync.readOnly", at)?;
            read = read_only.number("m")?;
            amended = read_only.number("amended")? != 0;
        }
        Some(Self { read, dirty: map.number("dirty")?, amended, misses: map.number("misses")? })
    }

    /// The map that has all entries.
    fn whole(&self) -> u64 {
        if self.amended { self.dirty } else { self.read }
    }
}

/// The root of the trie, and whether there is one yet.
fn root(context: &Context<'_>, address: u64) -> Option<u64> {
    let outer = context.layout.structure(NAME).and_then(|map| map.field("m"));
    let trie = address.checked_add(outer.map_or(0, |field| field.offset))?;
    Structure::read(context, TRIE, trie)?.number("root")
}

/// See [`super::header()`].
pub(super) fn shared_header(context: &Context<'_>, address: u64) -> Result<Header, Unreadable> {
    let unreadable = Unreadable { address };
    let mut problems = Problems::default();
    let mut fields = SyncMapHeader::default();
    let allocated;
    if is_trie(context.layout) {
        "hash-trie".clone_into(&mut fields.form);
        allocated = root(context, address).ok_or(unreadable)? != 0;
    } else {
        "read-dirty".clone_into(&mut fields.form);
        let pair = Pair::read(context, address).ok_or(unreadable)?;
        let of = inner_type(context);
        let mut count = |what: &str, map: u64| {
            let Ok(inner) = header(context, &of, map) else {
                problems.add(format!("The {what} is not in memory."));
                return None;
            };
            for problem in inner.problems {
                problems.add(format!("The {what}: {problem}"));
            }
            Some(inner.count)
        };
        fields.read = count("read-only map", pair.read);
        fields.dirty = if pair.dirty == 0 { None } else { count("dirty map", pair.dirty) };
        (fields.amended, fields.misses) = (Some(pair.amended), Some(pair.misses));
        allocated = pair.read != 0 || pair.dirty != 0;
    }
    let mut walk = super::entries(context, &map_type(None), address).within(MOST_LOOKED_AT);
    let count = walk.by_ref().take(MOST_COUNTED as usize).count() as u64;
    if walk.is_cut() {
        problems.add("It is larger than what is looked at to count entries; there may be more.".to_owned());
    } else {
        walk.problems().into_iter().for_each(|problem| problems.add(problem));
    }
    if count == MOST_COUNTED {
        problems.add(format!("It has {MOST_COUNTED} entries or more; they were not counted further."));
    }
    Ok(Header {
        address,
        implementation: MapImplementation::SyncMap,
        count,
        room: None,
        size_bytes: None,
        state: if count == 0 { MapState::Empty } else { MapState::Normal },
        allocated,
        fields: Some(MapHeader::SyncMap(fields)),
        flags: Vec::new(),
        problems: problems.sentences(),
    })
}

/// Whether there may be a `sync.Map` at `address`: what it points at is there.
pub(super) fn looks_like_shared(context: &Context<'_>, address: u64) -> bool {
    let leads = |at: u64| at == 0 || (at.is_multiple_of(8) && context.memory.word(at).is_some());
    if is_trie(context.layout) {
        return root(context, address).is_some_and(leads);
    }
    Pair::read(context, address).is_some_and(|pair| leads(pair.read) && leads(pair.dirty))
}

/// A walk over the entries of a `sync.Map`.
pub(super) enum SharedWalk<'c> {
    /// Over the map that has all of them.
    Pair { context: Context<'c>, entries: Box<Entries<'c>>, expunged: Option<u64> },
    /// Over the trie.
    Trie(Trie<'c>),
}

impl<'c> SharedWalk<'c> {
    /// `None` when what leads to the entries is not in memory.
    pub(super) fn new(context: &Context<'c>, address: u64) -> Option<Self> {
        if is_trie(context.layout) {
            return Some(Self::Trie(Trie::new(context, root(context, address)?)));
        }
        let pair = Pair::read(context, address)?;
        let entries = Box::new(super::entries(context, &inner_type(context), pair.whole()));
        // The dirty map has no such entries, and the read-only one has some while there is a dirty one.
        let expunged = context.dwarf.and_then(|dwarf| dwarf.variable("sync.expunged"));
        let expunged = expunged.and_then(|found| {
            let address = found.address.wrapping_add(context.bias);
            context.memory.word(address).filter(|pointer| *pointer != 0)
        });
        Some(Self::Pair { context: *context, entries, expunged })
    }

    /// Bounds what is looked at in the inner map; a trie is bounded by the budget that `next` is given.
    pub(super) fn limit(&mut self, bytes: u64) {
        if let Self::Pair { entries, .. } = self {
            entries.set_limit(bytes);
        }
    }

    /// The walk over the inner map ended although there may be more.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self, Self::Pair { entries, .. } if entries.is_cut())
    }

    /// The next entry; `number` is how many came before.
    pub(super) fn next(
        &mut self,
        number: u64,
        budget: &mut Budget,
        problems: &mut Problems,
    ) -> Option<Entry> {
        match self {
            Self::Trie(trie) => {
                let address = trie.next(budget, problems)?;
                let (key, value) = trie.fields?;
                Some(Entry {
                    key: address.wrapping_add(key),
                    elem: address.wrapping_add(value),
                    row: number,
                    slot: 0,
                    mark: 0,
                })
            }
            Self::Pair { context, entries, expunged } => {
                for entry in entries.by_ref() {
                    let value = context
                        .memory
                        .word(entry.elem)
                        .and_then(|shared| Structure::read(context, "sync.entry", shared)?.number("p"));
                    match value {
                        None => problems.add("An entry is not in memory.".to_owned()),
                        // Deleted.
                        Some(0) => {}
                        Some(pointer) if Some(pointer) == *expunged => {}
                        Some(pointer) => {
                            return Some(Entry { elem: pointer, row: number, slot: 0, ..entry });
                        }
                    }
                }
                for problem in entries.problems() {
                    problems.add(problem);
                }
                None
            }
        }
    }
}

/// A walk over a trie, deepest first.
pub(super) struct Trie<'c> {
    context: Context<'c>,
    /// Nodes on the way, each with its next child.
    path: Vec<(u64, u64)>,
    /// The next of a chain of entries with equal hashes, and where the chain was when it was looked at last: an
    /// entry that comes again is a circle.
    chain: u64,
    anchor: u64,
    steps: u64,
    /// Offsets of key and value in an entry.
    fields: Option<(u64, u64)>,
    children: Option<(u64, u64)>,
}

impl<'c> Trie<'c> {
    fn new(context: &Context<'c>, root: u64) -> Self {
        let field = |structure: &str, field: &str| context.layout.structure(structure)?.field(field);
        let entry = |name: &str| Some(field("internal/sync.entry", name)?.offset);
        Self {
            context: *context,
            path: if root == 0 { Vec::new() } else { vec![(root, 0)] },
            chain: 0,
            anchor: 0,
            steps: 0,
            fields: entry("key").zip(entry("value")),
            children: field("internal/sync.indirect", "children").map(|found| (found.offset, found.size / 8)),
        }
    }

    /// The address of the next entry.
    fn next(&mut self, budget: &mut Budget, problems: &mut Problems) -> Option<u64> {
        loop {
            if !budget.spend(8) {
                problems.add("The map is larger than memory; the rest of it is left out.".to_owned());
                return None;
            }
            if self.chain != 0 {
                let here = self.chain;
                let overflow = Structure::read(&self.context, "internal/sync.entry", here)
                    .and_then(|entry| entry.number("overflow"));
                self.chain = overflow.unwrap_or(0);
                self.steps += 1;
                if self.chain == self.anchor || self.chain == here {
                    if self.chain != 0 {
                        problems.add("A chain of entries runs in a circle.".to_owned());
                    }
                    self.chain = 0;
                } else if self.steps.is_power_of_two() {
                    self.anchor = self.chain;
                }
                if overflow.is_none() {
                    problems.add(format!("The entry at {here:#x} is not in memory."));
                    continue;
                }
                return Some(here);
            }
            let (offset, count) = self.children?;
            let (node, child) = self.path.last_mut()?;
            if *child >= count {
                self.path.pop();
                continue;
            }
            let at = node.checked_add(offset).and_then(|at| at.checked_add(*child * 8));
            *child += 1;
            let Some(pointer) = at.and_then(|at| self.context.memory.word(at)) else {
                problems.add("A node of the trie is not in memory.".to_owned());
                self.path.pop();
                continue;
            };
            if pointer == 0 {
                continue;
            }
            let is_entry = Structure::read(&self.context, "internal/sync.node", pointer)
                .and_then(|node| node.number("isEntry"));
            match is_entry {
                None => problems.add("A node of the trie is not in memory.".to_owned()),
                Some(0) if self.path.len() >= DEEPEST => {
                    problems.add("The trie is deeper than a hash has bits.".to_owned());
                }
                Some(0) => self.path.push((pointer, 0)),
                Some(_) => (self.chain, self.anchor, self.steps) = (pointer, pointer, 0),
            }
        }
    }
}
