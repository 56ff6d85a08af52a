//! Looking one key up.

use panicle_binary::dwarf::BaseKind;
use panicle_report::{Address, KeyPlace};

use super::{Entries, Entry, HashFunction, Hashes, MapType, entries, path::Path};
use crate::value::{
    Context, TypeRef,
    describe::{Kind, at_runtime_address, describe},
};

/// Values within one another that are compared.
const MOST_NESTING: u32 = 16;
/// The largest value that is compared.
const LARGEST: u64 = 1 << 20;

/// A key that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'k> {
    /// A string's text.
    Text(&'k [u8]),
    /// The bytes of a key as it would lie in memory.
    Bytes(&'k [u8]),
}

/// What came of looking for a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    /// Its entry; `None` when the map has no such key.
    pub entry: Option<Entry>,
    /// Where it belongs and why, without the key's text.
    pub place: KeyPlace,
    /// What was wrong on the way, one sentence each.
    pub problems: Vec<String>,
}

/// Looks for `key` in the map of type `of` at `address`: by its hash where `hashes` tell the hash function, by
/// comparing with every key otherwise.
pub fn lookup(
    context: &Context<'_>,
    hashes: Option<&Hashes>,
    of: &MapType,
    address: u64,
    key: Key<'_>,
) -> Lookup {
    let mut place = KeyPlace::default();
    let function = match hashes {
        _ if address == 0 => Err("A nil map has no entries.".to_owned()),
        Some(hashes) => hashes.of_map(context, of, address),
        None => Err("The random keys of the process' hash functions were not looked for.".to_owned()),
    };
    let hash = match &function {
        Ok(function) => match key {
            Key::Text(text) => function.text(text),
            Key::Bytes(bytes) => function.hash(context, bytes),
        },
        Err(_) => None,
    };
    let path = hash.and_then(|hash| Path::of(context, of, address, hash));
    place.hash_function = match (&function, hash) {
        (Err(why), _) => why.clone(),
        (Ok(function), Some(_)) => function.name(),
        (Ok(_), None) => "This key has no hash that stays the same.".to_owned(),
    };
    place.hash = hash.map(Address);
    let Some(path) = path else {
        let mut walk = entries(context, of, address);
        let entry = walk.find(|entry| is_key(context, of, entry, key));
        place.found_in = entry.map(|entry| entry.row);
        place.slot = entry.map(|entry| entry.slot);
        return Lookup { entry, place, problems: walk.problems() };
    };
    let mut problems = Vec::new();
    let mut found = None;
    for step in &path.steps {
        place.probed.push(step.first);
        let mut walk = Entries::of_block(context, of.slots, *step);
        found = walk.find(|entry| entry.mark == path.mark && is_key(context, of, entry, key));
        problems.extend(walk.problems());
        if found.is_some() {
            break;
        }
    }
    // Where entries of a map are damaged, this one may be, so that no search comes by.
    let is_stray = found.is_none() && function.as_ref().is_ok_and(HashFunction::is_doubted);
    if is_stray {
        found = entries(context, of, address).find(|entry| is_key(context, of, entry, key));
    }
    place.home = path.steps.first().map(|step| step.first);
    place.found_in = found.map(|entry| entry.row);
    place.slot = found.map(|entry| entry.slot);
    place.explain = path.explain;
    place.explain.push(match (found, place.probed.len()) {
        (Some(entry), _) if is_stray => {
            format!("It is in slot {} of {}, and no search comes by.", entry.slot, entry.row)
        }
        (Some(entry), 1) => format!("It is there, in slot {}.", entry.slot),
        (Some(entry), count) => {
            format!("It is in slot {} of {}, the one looked at as number {count}.", entry.slot, entry.row)
        }
        (None, 0) => "Nothing is allocated for entries.".to_owned(),
        (None, _) => "It is not there, and nowhere else.".to_owned(),
    });
    Lookup { entry: found, place, problems }
}

/// Whether the entry's key equals `key`.
fn is_key(context: &Context<'_>, of: &MapType, entry: &Entry, key: Key<'_>) -> bool {
    match key {
        Key::Text(text) => {
            let mut header = [0; 16];
            of.key_size == 16
                && context.memory.read(entry.key, &mut header)
                && text_equals(context, &header, text)
        }
        Key::Bytes(bytes) => {
            if bytes.len() as u64 != of.key_size || of.key_size > LARGEST {
                return false;
            }
            let mut other = vec![0; bytes.len()];
            context.memory.read(entry.key, &mut other) && equal(context, of.key, bytes, &other, 0)
        }
    }
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    word.map_or(0, |word| u64::from_le_bytes(*word))
}

/// Whether the string with this header has the text.
fn text_equals(context: &Context<'_>, header: &[u8], text: &[u8]) -> bool {
    if word(header, 8) != text.len() as u64 {
        return false;
    }
    let mut chunk = [0; 256];
    let mut at = word(header, 0);
    for part in text.chunks(chunk.len()) {
        let read = &mut chunk[..part.len()];
        if !context.memory.read(at, read) || read != part {
            return false;
        }
        at = at.wrapping_add(part.len() as u64);
    }
    true
}

/// Go's `==` of two values of one type, given their bytes.
fn equal(context: &Context<'_>, of: TypeRef, one: &[u8], other: &[u8], nesting: u32) -> bool {
    if nesting >= MOST_NESTING || one.len() != other.len() {
        return false;
    }
    let part = |bytes: &'_ [u8], offset: u64, size: u64| -> Option<Vec<u8>> {
        let from = usize::try_from(offset).ok()?;
        Some(bytes.get(from..from.checked_add(usize::try_from(size).ok()?)?)?.to_vec())
    };
    let parts_equal = |of: TypeRef, offset: u64| {
        let size = describe(context, of).size.unwrap_or(0);
        part(one, offset, size)
            .zip(part(other, offset, size))
            .is_some_and(|(one, other)| equal(context, of, &one, &other, nesting + 1))
    };
    match describe(context, of).kind {
        Kind::Base(BaseKind::Float) => floats_equal(one, other),
        Kind::Base(BaseKind::Complex) => {
            let (one, other) = (one.split_at(one.len() / 2), other.split_at(other.len() / 2));
            floats_equal(one.0, other.0) && floats_equal(one.1, other.1)
        }
        Kind::String => {
            let (length, most) = (word(one, 8), context.memory.size());
            if length != word(other, 8) || length > most {
                return false;
            }
            let mut text = vec![0; usize::try_from(length).unwrap_or(0)];
            context.memory.read(word(one, 0), &mut text) && text_equals(context, other, &text)
        }
        Kind::Struct(fields) => {
            fields.iter().all(|field| field.name == "_" || parts_equal(field.of, field.offset))
        }
        Kind::Array { elem, len } => {
            let size = describe(context, elem).size.unwrap_or(0);
            size == 0
                || (0..len).all(|at| at.checked_mul(size).is_some_and(|offset| parts_equal(elem, offset)))
        }
        Kind::Interface { empty } => interfaces_equal(context, empty, one, other, nesting),
        _ => one == other,
    }
}

/// Both zeros are one key, and a NaN is none.
fn floats_equal(one: &[u8], other: &[u8]) -> bool {
    let value = |bytes: &[u8]| match bytes.len() {
        4 => bytes.first_chunk().map_or(f64::NAN, |bytes| f64::from(f32::from_le_bytes(*bytes))),
        8 => bytes.first_chunk().map_or(f64::NAN, |bytes| f64::from_le_bytes(*bytes)),
        _ => f64::NAN,
    };
    value(one).partial_cmp(&value(other)) == Some(std::cmp::Ordering::Equal)
}

fn interfaces_equal(context: &Context<'_>, empty: bool, one: &[u8], other: &[u8], nesting: u32) -> bool {
    let Some(types) = context.types else { return one == other };
    let dynamic = |bytes: &[u8]| {
        let first = word(bytes, 0);
        if empty || first == 0 { Some(first) } else { types.itab_type(context.memory, first) }
    };
    let (Some(of), Some(of_other)) = (dynamic(one), dynamic(other)) else { return false };
    if of != of_other {
        return false;
    }
    let (data, data_of_other) = (word(one, 8), word(other, 8));
    if of == 0 {
        return true;
    }
    let Some(found) = types.read(context.memory, of).filter(|found| found.size <= LARGEST) else {
        return false;
    };
    if found.direct {
        return data == data_of_other;
    }
    let (mut value, mut value_of_other) = (vec![0; found.size as usize], vec![0; found.size as usize]);
    context.memory.read(data, &mut value)
        && context.memory.read(data_of_other, &mut value_of_other)
        && equal(context, at_runtime_address(context, of), &value, &value_of_other, nesting + 1)
}
