//! Typed values out of a process' memory, written like Go.
//!
//! The types come from DWARF, the dynamic types of interfaces from the runtime's own type data
//! ([`rtype`]). The text is made for an engineer who reads it in an incident:
//!
//! | Go | written |
//! |---|---|
//! | number, bool, string | `3`, `true`, `"bob"`, `"long"… (1000 bytes)` |
//! | struct | `main.User{Name: "bob", Age: 3}` |
//! | array, slice | `[2]int{1, 2}`, `[]int len=3 cap=4 [1, 2, 3]` |
//! | bytes that are text | `[]uint8 len=2 "ok"` |
//! | pointer | `*main.User 0xc000012345 {Name: "bob", Age: 3}`, `*int 0xc000012345 (7)` |
//! | interface | its dynamic value: `int(42)`, `*main.Err(nil)` for a typed nil |
//! | map | `map[string]int 0xc000012345 (len 3) {"a": 1, "b": 2, "c": 3}` |
//! | `sync.Map` | `sync.Map{int(1): string("a")}` |
//! | channel | `chan int 0xc000012345 (len 1, cap 4)` |
//! | function | `main.main.func1` |
//! | nil of any kind | `nil` |
//! | what is not there | `<unreadable 0xc000012345>`, `<not kept>` where the compiler dropped it |
//!
//! Nothing read is trusted. Memory of a crash is often damaged, so depth, elements and the text as a whole
//! are bounded, and whatever cannot be read says so in its place.

pub(crate) mod describe;
pub(crate) mod interface;
pub mod json;
mod map;
pub(crate) mod place;
mod quote;
pub mod rtype;
mod scalar;
mod write;

use panicle_binary::dwarf::{DwarfIndex, TypeId};

use crate::{layout::Layout, maps::Hashes};

pub use describe::TypeRef;
pub use place::{Gap, Location, Memory, Parts};
use rtype::TypeData;

/// In front of the names of types that stand for all types of one shape.
const SHAPE: &str = "go.shape.";
/// In place of the name of a type that is not known.
const UNKNOWN_TYPE: &str = "?";

/// How much of a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pointers and interfaces followed one behind the other.
    pub depth: u32,
    /// Elements of one array or slice, and fields of one struct.
    pub elements: u64,
    /// Bytes of one string.
    pub bytes: u64,
    /// Bytes of text in all, a little more for the brackets that are still open.
    pub total: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 3, elements: 16, bytes: 200, total: 2048 }
    }
}

/// What is needed to read values of one process.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The process' memory.
    pub memory: &'c dyn Memory,
    /// Debug information of the executable; without it the runtime's type data tells the types.
    pub dwarf: Option<&'c DwarfIndex<'c>>,
    /// Where the fields of maps and channels are.
    pub layout: &'c Layout,
    /// The runtime's type data; without it interfaces show no dynamic types.
    pub types: Option<&'c TypeData>,
    /// What was added to the executable's link-time addresses when it was loaded.
    pub bias: u64,
    /// What the process hashes keys of maps with; without it entries are not held against their keys.
    pub hashes: Option<&'c Hashes>,
    /// The name of the function at an address of the process.
    pub symbol: &'c dyn Fn(u64) -> Option<String>,
}

/// The value of type `type_id` at `location`.
pub fn format(context: &Context<'_>, type_id: TypeId, location: &Location, limits: Limits) -> String {
    write::format(context, TypeRef::Dwarf(type_id), location, limits)
}

/// The same for a type that an expression may have made up.
pub(crate) fn format_described(
    context: &Context<'_>,
    of: &describe::Described,
    location: &Location,
    limits: Limits,
) -> String {
    write::format_described(context, of, location, limits)
}

/// Bytes of a string in quotes, `most` of them at most.
pub(crate) fn quote_text(bytes: &[u8], most: u64) -> String {
    let shown = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
    scalar::quoted(&bytes[..shown], bytes.len() as u64)
}

/// A name with the name of its package in place of the import path.
pub(crate) fn without_path(context: &Context<'_>, name: &str) -> String {
    context.dwarf.map_or_else(|| name.to_owned(), |dwarf| dwarf.short_names().shorten(name))
}

/// The same for the type whose `runtime._type` is at `type_address`, which DWARF need not know.
pub fn format_runtime(
    context: &Context<'_>,
    type_address: u64,
    location: &Location,
    limits: Limits,
) -> String {
    write::format(context, describe::at_runtime_address(context, type_address), location, limits)
}

/// The word at `location`, when it is known.
pub(crate) fn read_word(context: &Context<'_>, location: &Location) -> Option<u64> {
    place::Place::new(location).word(context.memory).ok()
}

/// The word so many bytes behind the start of a location, when it is known.
pub(crate) fn read_word_at(context: &Context<'_>, location: &Location, offset: u64) -> Option<u64> {
    place::Place::new(location).at(offset).word(context.memory).ok()
}

/// The value an interface holds, of which `word` and `data` are the two words, `word` being a `*runtime.itab`
/// (`empty` false) or a `*runtime._type` (`empty` true).
///
/// This is how panic values are read: `_panic.arg` is an `interface {}`.
pub fn format_interface(context: &Context<'_>, empty: bool, word: u64, data: u64, limits: Limits) -> String {
    interface::format(context, empty, word, data, limits)
}

/// The type as Go's own messages spell it: `*store.Item`, not `*example.com/app/store.Item`.
pub fn type_name(context: &Context<'_>, type_id: TypeId) -> String {
    let Some(dwarf) = context.dwarf else { return UNKNOWN_TYPE.to_owned() };
    let name = &dwarf.ty(type_id).name;
    if name.is_empty() { UNKNOWN_TYPE.to_owned() } else { without_shapes(&dwarf.short_names().shorten(name)) }
}

/// Generic code is compiled once for all types of one shape. The shape `go.shape.string` is a string, but
/// `go.shape.*uint8` is any pointer, so of that the mark stays.
pub(crate) fn without_shapes(name: &str) -> String {
    let mut parts = name.split(SHAPE);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (shape, rest) = part.split_at(end_of_type(part));
        if shape.starts_with('*') {
            plain.push_str(SHAPE);
        }
        plain.push_str(without_number(shape));
        plain.push_str(rest);
    }
    plain
}

/// Where the type that `text` starts with ends: at the closing bracket or the comma of what it is part of.
fn end_of_type(text: &str) -> usize {
    let mut depth = 0_u32;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'(' | b'{' => depth += 1,
            b']' | b')' | b'}' if depth > 0 => depth -= 1,
            b']' | b')' | b'}' | b',' | b';' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Up to Go 1.19 the number of the type parameter follows behind its shape: `go.shape.string_0`
/// (`Shapify`, cmd/compile/internal/typecheck/subr.go). It is taken off where it cannot be part of a
/// declared type's name, which stands behind the name of its package.
fn without_number(shape: &str) -> &str {
    let trimmed = shape.trim_end();
    let Some((plain, digits)) = trimmed.rsplit_once('_') else { return shape };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let word = plain.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(plain, |at| &plain[at..]);
    if is_number && !word.starts_with('.') { plain } else { shape }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
