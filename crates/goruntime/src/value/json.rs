//! Typed values as JSON, written while they are read: a map of a million entries is never in memory as a whole.
//!
//! | Go | JSON |
//! |---|---|
//! | number, bool | number, bool; `"NaN"`, `"+Inf"`, `"-Inf"`; complex numbers as text, `"(1+2i)"` |
//! | string | string; `{len, text, truncated: true}` when it is cut, `{len, hex}` when it is no UTF-8 |
//! | struct | object of its fields in order; fields called `_` are left out |
//! | pointer | `{address, target}`, without `target` where the depth ends, `{address, seen: true}` in a cycle |
//! | slice, array | `{len, cap, elements: […], truncated}`, `cap` of slices alone; `{len, cap, seen: true}` in a cycle |
//! | map, `sync.Map` | `{len, address, entries: [{key, value}], truncated}`; `{len, address, seen: true}` in a cycle |
//! | interface | `{type, value}` |
//! | channel | `{address, len, cap, closed}` |
//! | function | `{address, name}` |
//! | nil of any kind | `null` |
//! | what is not there | `{error}` |

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use panicle_binary::dwarf::BaseKind;
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use super::describe::{Described, Field, Kind, TypeRef, describe};
use super::place::{Location, Place};
use super::scalar::{MAX_LEN, base, function_name};
use super::{Context, write::MAX_NESTING};

/// Types that stay described; when there are more, the cache starts again from nothing.
const MOST_TYPES: usize = 4096;
/// The map of the standard library for many goroutines, a struct.
const SYNC_MAP: &str = "sync.Map";
/// What a value costs of [`Limits::total`] besides its text.
const VALUE_COST: u64 = 16;
/// What all values in a byte of memory may cost where nobody says how much there may be: every value takes a byte, if
/// it is not reached in several ways.
const COST_OF_MEMORY: u64 = 16;
/// How often all memory may be looked through for entries of maps.
const MAPS_LOOKED_AT: u64 = 4;
/// The same for cores of next to nothing.
const LEAST_OF_ALL: u64 = 64 << 20;

/// How much of a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pointers and interfaces followed one behind the other.
    pub depth: u32,
    /// Elements of one array, slice or map; 0 for all.
    pub elements: u64,
    /// Bytes of one string; 0 for all.
    pub bytes: u64,
    /// Bytes of JSON in all, about; 0 for as many as the memory can hold values for.
    pub total: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 3, elements: 100, bytes: 4096, total: 0 }
    }
}

/// A value that serializes itself out of memory.
pub struct Json<'v> {
    context: &'v Context<'v>,
    of: Rc<Described>,
    location: &'v Location,
    limits: Limits,
    cut: Cell<bool>,
}

impl<'v> Json<'v> {
    /// The value of type `of` at `location`.
    pub fn new(context: &'v Context<'v>, of: TypeRef, location: &'v Location, limits: Limits) -> Self {
        Self::described(context, Rc::new(describe(context, of)), location, limits)
    }

    /// The same for a type that nothing describes but the expression that made it.
    pub(crate) fn described(
        context: &'v Context<'v>,
        of: Rc<Described>,
        location: &'v Location,
        limits: Limits,
    ) -> Self {
        Self { context, of, location, limits, cut: Cell::new(false) }
    }

    /// Whether something was left out because it was too much in all, once it was serialized.
    pub fn is_cut(&self) -> bool {
        self.cut.get()
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let memory = self.context.memory.size();
        let whole = memory.saturating_mul(COST_OF_MEMORY).saturating_add(LEAST_OF_ALL);
        let walk = Walk {
            context: self.context,
            limits: self.limits,
            left: Cell::new(if self.limits.total == 0 { whole } else { self.limits.total }),
            in_maps: Cell::new(memory.saturating_mul(MAPS_LOOKED_AT).saturating_add(LEAST_OF_ALL)),
            cut: &self.cut,
            types: RefCell::default(),
        };
        let place = Place::new(self.location);
        Node { walk: &walk, of: Rc::clone(&self.of), place, depth: 0, nesting: 0, path: None }
            .serialize(serializer)
    }
}

/// What all values of one walk share.
struct Walk<'v> {
    context: &'v Context<'v>,
    limits: Limits,
    /// What is left of [`Limits::total`].
    left: Cell<u64>,
    /// Bytes of maps that may still be looked at.
    in_maps: Cell<u64>,
    /// Set where there is not as much left.
    cut: &'v Cell<bool>,
    types: RefCell<HashMap<TypeRef, Rc<Described>>>,
}

impl Walk<'_> {
    fn describe(&self, of: TypeRef) -> Rc<Described> {
        if let Some(known) = self.types.borrow().get(&of) {
            return Rc::clone(known);
        }
        let found = Rc::new(describe(self.context, of));
        let mut types = self.types.borrow_mut();
        if types.len() >= MOST_TYPES {
            types.clear();
        }
        types.insert(of, Rc::clone(&found));
        found
    }

    /// Takes `cost` of what may be written; false when there is not as much left.
    fn spend(&self, cost: u64) -> bool {
        let left = self.left.get().checked_sub(cost);
        self.left.set(left.unwrap_or(0));
        self.cut.set(self.cut.get() || left.is_none());
        left.is_some()
    }

    /// Whether another value may be written.
    fn has_room(&self) -> bool {
        let has_room = self.left.get() >= VALUE_COST;
        self.cut.set(self.cut.get() || !has_room);
        has_room
    }

    fn most_elements(&self) -> u64 {
        if self.limits.elements == 0 { u64::MAX } else { self.limits.elements }
    }
}

/// A pointer, slice or map that is being followed.
#[derive(Clone, Copy)]
struct Link<'n> {
    word: u64,
    to: TypeRef,
    /// How many elements there are behind a slice.
    len: Option<u64>,
    above: Option<&'n Link<'n>>,
}

impl Link<'_> {
    fn has(&self, word: u64, to: TypeRef, len: Option<u64>) -> bool {
        (self.word, self.to, self.len) == (word, to, len)
            || self.above.is_some_and(|above| above.has(word, to, len))
    }
}

/// One value of a walk.
struct Node<'n> {
    walk: &'n Walk<'n>,
    of: Rc<Described>,
    place: Place<'n>,
    depth: u32,
    nesting: u32,
    path: Option<&'n Link<'n>>,
}

/// What stands for a value that cannot be read.
#[derive(Serialize)]
struct Failed {
    error: String,
}

#[expect(clippy::needless_pass_by_value, reason = "what is given is made for the call")]
fn failed<S: Serializer>(serializer: S, error: impl ToString) -> Result<S::Ok, S::Error> {
    Failed { error: error.to_string() }.serialize(serializer)
}

fn hex(address: u64) -> String {
    format!("{address:#x}")
}

/// Serializes the value of an expression that may find a [`Gap`], which then stands in its place.
macro_rules! or_gap {
    ($serializer:expr, $read:expr) => {
        match $read {
            Ok(value) => value,
            Err(gap) => return failed($serializer, gap),
        }
    };
}

mod containers;
mod text;

use containers::Cap;
pub(crate) use text::{float, text};

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.nesting >= MAX_NESTING {
            return failed(serializer, "nested too deep");
        }
        if !self.walk.spend(VALUE_COST) {
            return failed(serializer, "left out: the answer is long enough");
        }
        let memory = self.walk.context.memory;
        match &self.of.kind {
            Kind::Base(kind) => self.base(serializer, *kind),
            Kind::Uintptr => {
                let number = self.place.number(memory, self.of.size.unwrap_or(8));
                let number = or_gap!(serializer, number);
                serializer.serialize_u64(number)
            }
            Kind::String => self.string(serializer),
            Kind::UnsafePointer => match or_gap!(serializer, self.place.word(memory)) {
                0 => serializer.serialize_unit(),
                word => {
                    let mut map = serializer.serialize_map(Some(1))?;
                    map.serialize_entry("address", &hex(word))?;
                    map.end()
                }
            },
            Kind::Pointer { to } => self.pointer(serializer, *to),
            Kind::Func => self.function(serializer),
            // It is a map to whoever looks at it, and not what it is made of.
            Kind::Struct(_) if self.of.name == SYNC_MAP && self.place.address().is_some() => {
                self.map_at(serializer, self.place.address().unwrap_or(0))
            }
            Kind::Struct(fields) => self.fields(serializer, fields),
            Kind::Array { elem, len } => self.elements(serializer, self.place, *elem, *len, Cap::None),
            Kind::Slice { elem } => self.slice(serializer, *elem),
            Kind::Interface { empty } => self.interface(serializer, *empty),
            Kind::Map => self.map(serializer),
            Kind::Chan => self.channel(serializer),
            Kind::Unknown => failed(serializer, "unknown type"),
        }
    }
}

impl Node<'_> {
    fn within(&self, of: Rc<Described>, place: Place<'_>, visit: impl FnOnce(&Node<'_>)) {
        visit(&Node {
            walk: self.walk,
            of,
            place,
            depth: self.depth,
            nesting: self.nesting + 1,
            path: self.path,
        });
    }

    fn base<S: Serializer>(&self, serializer: S, kind: BaseKind) -> Result<S::Ok, S::Error> {
        let memory = self.walk.context.memory;
        let size = self.of.size.unwrap_or(0);
        match (kind, size) {
            (BaseKind::Bool, 1) => match or_gap!(serializer, self.place.number(memory, 1)) {
                0 => serializer.serialize_bool(false),
                1 => serializer.serialize_bool(true),
                other => failed(serializer, format_args!("<bool {other:#x}>")),
            },
            (BaseKind::Int, 1 | 2 | 4 | 8) => {
                let number = or_gap!(serializer, self.place.number(memory, size));
                let shift = 64 - 8 * size as u32;
                serializer.serialize_i64((number << shift) as i64 >> shift)
            }
            (BaseKind::Uint, 1 | 2 | 4 | 8) => {
                let number = or_gap!(serializer, self.place.number(memory, size));
                serializer.serialize_u64(number)
            }
            (BaseKind::Float, 4 | 8) => {
                let bits = or_gap!(serializer, self.place.number(memory, size));
                let number =
                    if size == 4 { f32::from_bits(bits as u32).into() } else { f64::from_bits(bits) };
                // The shortest text that means the number is another one in the smaller type.
                if size == 4 && number.is_finite() {
                    return serializer.serialize_f32(f32::from_bits(bits as u32));
                }
                float(serializer, number)
            }
            _ => {
                let text = or_gap!(serializer, base(memory, kind, size, self.place));
                serializer.serialize_str(&text)
            }
        }
    }

    fn string<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let memory = self.walk.context.memory;
        let len = or_gap!(serializer, self.place.at(8).word(memory));
        if len == 0 {
            return serializer.serialize_str("");
        }
        let data = or_gap!(serializer, self.place.word(memory));
        if len > MAX_LEN || data == 0 {
            let text = format_args!("<bad string: data {data:#x}, len {}>", len as i64);
            return failed(serializer, text);
        }
        let most = if self.walk.limits.bytes == 0 { u64::MAX } else { self.walk.limits.bytes };
        // A length that memory cannot hold is not allocated.
        let shown = len.min(most).min(self.walk.left.get());
        if shown < len.min(most) {
            self.walk.cut.set(true);
        }
        if !memory.read(data, &mut [0]) || !memory.read(data.wrapping_add(shown.saturating_sub(1)), &mut [0])
        {
            return failed(serializer, format_args!("<unreadable {data:#x}, {len} bytes>"));
        }
        let mut bytes = vec![0; usize::try_from(shown.min(memory.size())).unwrap_or(0)];
        if !memory.read(data, &mut bytes) {
            return failed(serializer, format_args!("<unreadable {data:#x}, {len} bytes>"));
        }
        self.walk.spend(bytes.len() as u64);
        text(serializer, &bytes, len)
    }

    fn pointer<S: Serializer>(&self, serializer: S, to: Option<TypeRef>) -> Result<S::Ok, S::Error> {
        let word = or_gap!(serializer, self.place.word(self.walk.context.memory));
        if word == 0 {
            return serializer.serialize_unit();
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("address", &hex(word))?;
        if let Some(to) = to {
            if self.path.is_some_and(|path| path.has(word, to, None)) {
                map.serialize_entry("seen", &true)?;
            } else if self.depth < self.walk.limits.depth {
                let of = self.walk.describe(to);
                if !matches!(of.kind, Kind::Unknown) {
                    let link = Link { word, to, len: None, above: self.path };
                    let location = Location::Address(word);
                    let (walk, place) = (self.walk, Place::new(&location));
                    let (depth, nesting) = (self.depth + 1, self.nesting + 1);
                    map.serialize_entry(
                        "target",
                        &Node { walk, of, place, depth, nesting, path: Some(&link) },
                    )?;
                }
            }
        }
        map.end()
    }

    fn function<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let word = or_gap!(serializer, self.place.word(self.walk.context.memory));
        if word == 0 {
            return serializer.serialize_unit();
        }
        let name = or_gap!(serializer, function_name(self.walk.context, word));
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("address", &hex(word))?;
        map.serialize_entry("name", &name)?;
        map.end()
    }

    fn fields<S: Serializer>(&self, serializer: S, fields: &[Field]) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in fields.iter().filter(|field| field.name != "_") {
            let of = self.walk.describe(field.of);
            let mut written = Ok(());
            self.within(of, self.place.at(field.offset), |node| {
                written = map.serialize_entry(&field.name, node);
            });
            written?;
        }
        map.end()
    }
}
