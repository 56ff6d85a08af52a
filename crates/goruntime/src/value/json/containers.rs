//! What has elements, entries or something else in it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use panicle_report::{MapImplementation, MapState};
use serde::Serialize;
use serde::ser::{SerializeMap as _, SerializeSeq as _, Serializer};

use super::super::describe::{Described, TypeRef};
use super::super::interface::{Dynamic, dynamic};
use super::super::place::{Gap, Location, Place};
use super::super::scalar::MAX_LEN;
use super::{Failed, Link, Node, failed, hex};
use crate::maps::{self, Prover};

/// Entries of a map that are held against their keys' hashes, and of which it is said that they do not agree.
const MOST_PROVEN: u64 = 1 << 16;
const MOST_FAULTS: usize = 12;

impl Node<'_> {
    pub(super) fn slice<S: Serializer>(&self, serializer: S, elem: TypeRef) -> Result<S::Ok, S::Error> {
        let memory = self.walk.context.memory;
        let data = or_gap!(serializer, self.place.word(memory));
        let len = or_gap!(serializer, self.place.at(8).word(memory));
        let cap = self.place.at(16).word(memory);
        if data == 0 && len == 0 {
            return serializer.serialize_unit();
        }
        if len > MAX_LEN || cap.as_ref().is_ok_and(|cap| *cap < len) {
            let text = format_args!("<bad slice: data {data:#x}, len {}>", len as i64);
            return failed(serializer, text);
        }
        if self.path.is_some_and(|path| path.has(data, elem, Some(len))) {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("len", &len)?;
            map.serialize_entry("cap", &cap.ok())?;
            map.serialize_entry("seen", &true)?;
            return map.end();
        }
        let link = Link { word: data, to: elem, len: Some(len), above: self.path };
        let location = Location::Address(data);
        let (walk, of, depth, nesting) = (self.walk, Rc::clone(&self.of), self.depth, self.nesting);
        Node { walk, of, place: self.place, depth, nesting, path: Some(&link) }.elements(
            serializer,
            Place::new(&location),
            elem,
            len,
            Cap::Slice(cap.ok()),
        )
    }

    pub(super) fn elements<S: Serializer>(
        &self,
        serializer: S,
        place: Place<'_>,
        elem: TypeRef,
        len: u64,
        cap: Cap,
    ) -> Result<S::Ok, S::Error> {
        let elements =
            Elements { node: self, place, of: self.walk.describe(elem), len, truncated: Cell::new(false) };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("len", &len)?;
        if let Cap::Slice(cap) = cap {
            map.serialize_entry("cap", &cap)?;
        }
        map.serialize_entry("elements", &elements)?;
        map.serialize_entry("truncated", &elements.truncated.get())?;
        map.end()
    }

    pub(super) fn interface<S: Serializer>(&self, serializer: S, empty: bool) -> Result<S::Ok, S::Error> {
        let context = self.walk.context;
        let word = or_gap!(serializer, self.place.word(context.memory));
        let data = or_gap!(serializer, self.place.at(8).word(context.memory));
        if word == 0 {
            return serializer.serialize_unit();
        }
        let Some(Dynamic { of, direct }) = dynamic(context, empty, word) else {
            let text = format_args!("<interface of unknown type {word:#x}, data {data:#x}>");
            return failed(serializer, text);
        };
        let of = self.walk.describe(of);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &of.name)?;
        if self.depth < self.walk.limits.depth {
            let location = Dynamic::location(direct, data);
            let (walk, place) = (self.walk, Place::new(&location));
            let (depth, nesting) = (self.depth + 1, self.nesting + 1);
            map.serialize_entry("value", &Node { walk, of, place, depth, nesting, path: self.path })?;
        } else {
            map.serialize_entry("address", &hex(data))?;
        }
        map.end()
    }

    pub(super) fn map<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match or_gap!(serializer, self.place.word(self.walk.context.memory)) {
            0 => serializer.serialize_unit(),
            word => self.map_at(serializer, word),
        }
    }

    /// The map whose header is at `word`.
    pub(super) fn map_at<S: Serializer>(&self, serializer: S, word: u64) -> Result<S::Ok, S::Error> {
        let context = self.walk.context;
        let of = self.of.type_ref.and_then(|of| maps::MapType::of(context, of));
        let Some(of) = of else {
            return failed(serializer, format_args!("<map at {word:#x}: how its entries lie is unknown>"));
        };
        let header = match maps::header(context, &of, word) {
            Ok(header) => header,
            Err(error) => return failed(serializer, error),
        };
        let Some(to) = self.of.type_ref else { return serializer.serialize_unit() };
        if self.path.is_some_and(|path| path.has(word, to, None)) {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("len", &header.count)?;
            map.serialize_entry("address", &hex(word))?;
            map.serialize_entry("seen", &true)?;
            return map.end();
        }
        let link = Link { word, to, len: None, above: self.path };
        let (walk, depth, nesting) = (self.walk, self.depth, self.nesting);
        let node =
            Node { walk, of: Rc::clone(&self.of), place: self.place, depth, nesting, path: Some(&link) };
        let entries = Entries {
            node: &node,
            of: &of,
            word,
            truncated: Cell::new(false),
            found: Cell::new(0),
            problems: RefCell::new(header.problems.clone()),
            is_writing: header.state == MapState::Writing,
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("len", &header.count)?;
        map.serialize_entry("address", &hex(word))?;
        map.serialize_entry("entries", &entries)?;
        let truncated = entries.truncated.get();
        map.serialize_entry("truncated", &truncated)?;
        let mut problems = entries.problems.into_inner();
        let found = entries.found.get();
        // A sync.Map counts what was deleted, too.
        let is_exact = of.slots.implementation != MapImplementation::SyncMap;
        if is_exact && !truncated && header.count != found {
            let text = format!("The header counts {} entries, and {found} are there.", header.count);
            problems.push(text);
        }
        if !problems.is_empty() {
            problems.dedup();
            map.serialize_entry("problems", &problems)?;
        }
        map.end()
    }

    pub(super) fn channel<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let context = self.walk.context;
        let word = or_gap!(serializer, self.place.word(context.memory));
        if word == 0 {
            return serializer.serialize_unit();
        }
        let location = Location::Address(word);
        let number = |name: &str| {
            let field = context.layout.structure("runtime.hchan").and_then(|chan| chan.field(name));
            field
                .map(|field| Place::new(&location).at(field.offset).number(context.memory, field.size))
                .transpose()
        };
        let len = or_gap!(serializer, number("qcount"));
        let cap = or_gap!(serializer, number("dataqsiz"));
        let closed = or_gap!(serializer, number("closed"));
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("address", &hex(word))?;
        map.serialize_entry("len", &len)?;
        map.serialize_entry("cap", &cap)?;
        map.serialize_entry("closed", &closed.map(|closed| closed != 0))?;
        map.end()
    }
}

/// A capacity, which slices alone have, and which may be unknown.
#[derive(Clone, Copy)]
pub(super) enum Cap {
    None,
    Slice(Option<u64>),
}

/// The elements of a slice or array.
struct Elements<'n> {
    node: &'n Node<'n>,
    place: Place<'n>,
    of: Rc<Described>,
    len: u64,
    truncated: Cell<bool>,
}

impl Serialize for Elements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let walk = self.node.walk;
        let mut seq = serializer.serialize_seq(None)?;
        for at in 0..self.len {
            if at >= walk.most_elements() || !walk.has_room() {
                self.truncated.set(true);
                break;
            }
            let offset = self.of.size.and_then(|size| size.checked_mul(at));
            let Some(offset) = offset else {
                seq.serialize_element(&Failed { error: "<elements of unknown size>".to_owned() })?;
                self.truncated.set(true);
                break;
            };
            let start = self.place.at(offset);
            if let Some(address) = start.address()
                && self.of.size != Some(0)
                && !walk.context.memory.read(address, &mut [0])
            {
                seq.serialize_element(&Failed { error: Gap::Unreadable(address).to_string() })?;
                self.truncated.set(true);
                break;
            }
            let mut written = Ok(());
            self.node.within(Rc::clone(&self.of), start, |node| written = seq.serialize_element(node));
            written?;
        }
        seq.end()
    }
}

/// The entries of a map.
struct Entries<'n> {
    node: &'n Node<'n>,
    of: &'n maps::MapType,
    word: u64,
    truncated: Cell<bool>,
    /// How many there were, and what is wrong with the map, once they are written.
    found: Cell<u64>,
    problems: RefCell<Vec<String>>,
    is_writing: bool,
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let walk = self.node.walk;
        let (key, value) = (walk.describe(self.of.key), walk.describe(self.of.elem));
        let mut seq = serializer.serialize_seq(None)?;
        let mut entries = maps::entries(walk.context, self.of, self.word).within(walk.in_maps.get());
        let whole = entries.bytes_left();
        let hashes = walk.context.hashes;
        let prover = hashes.and_then(|hashes| Prover::new(walk.context, hashes, self.of, self.word));
        let mut faults = Vec::new();
        for entry in entries.by_ref() {
            let count = self.found.get();
            if count >= walk.most_elements() || !walk.has_room() {
                self.truncated.set(true);
                break;
            }
            let (key, value) = (Rc::clone(&key), Rc::clone(&value));
            let pair = Pair { node: self.node, key: (key, entry.key), value: (value, entry.elem) };
            seq.serialize_element(&pair)?;
            self.found.set(count + 1);
            if count < MOST_PROVEN && faults.len() < MOST_FAULTS {
                faults.extend(prover.as_ref().and_then(|prover| prover.fault(&entry)));
            }
        }
        if entries.is_cut() {
            self.truncated.set(true);
            walk.cut.set(true);
        }
        let looked_at = whole.saturating_sub(entries.bytes_left());
        walk.in_maps.set(walk.in_maps.get().saturating_sub(looked_at));
        let mut problems = self.problems.borrow_mut();
        problems.extend(entries.problems());
        // One slot may be half written.
        if faults.len() > usize::from(self.is_writing) {
            problems.extend(faults);
        }
        drop(problems);
        seq.end()
    }
}

/// An entry of a map: types and addresses.
struct Pair<'n> {
    node: &'n Node<'n>,
    key: (Rc<Described>, u64),
    value: (Rc<Described>, u64),
}

impl Serialize for Pair<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        for (name, (of, address)) in [("key", &self.key), ("value", &self.value)] {
            let location = Location::Address(*address);
            let mut written = Ok(());
            self.node.within(Rc::clone(of), Place::new(&location), |node| {
                written = map.serialize_entry(name, node);
            });
            written?;
        }
        map.end()
    }
}
