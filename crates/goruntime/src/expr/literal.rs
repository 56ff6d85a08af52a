//! Composite literals, and the elements of maps that they and other keys lead to.

use std::rc::Rc;

use panicle_report::{EvalError, KeyPlace};

use super::{
    equal::equal,
    error::Kind as Error,
    eval::Evaluator,
    operand::{Operand, gap},
    operators::as_type,
    parser::{Expr, Node},
};
use crate::{
    maps,
    value::{
        Location,
        describe::{Described, Kind, describe},
        place::Place,
    },
};

/// Elements of an array that a literal may have.
const MOST_ELEMENTS: u64 = 1024;
/// Bytes of a key that is looked up by its hash.
const LARGEST_KEY: u64 = 64 << 10;

/// `of{elements}`
pub(super) fn composite(
    with: &Evaluator<'_>,
    of: &Rc<Described>,
    elements: &[(Option<Expr>, Expr)],
    at: usize,
) -> Result<Operand, EvalError> {
    let element = |of, expr: &Expr| {
        let of = Rc::new(describe(with.context, of));
        let value = with.value(expr)?;
        if matches!(of.kind, Kind::Interface { .. }) && value.of().is_some() {
            return Ok(value);
        }
        as_type(with, &value, &of, expr.at)
    };
    match &of.kind {
        Kind::Struct(fields) => {
            let mut found = vec![None; fields.len()];
            for (index, (name, expr)) in elements.iter().enumerate() {
                let index = match name {
                    None => Some(index).filter(|index| *index < fields.len()),
                    Some(Expr { node: Node::Name(name), .. }) => {
                        fields.iter().position(|field| field.name == *name)
                    }
                    Some(_) => None,
                };
                let unknown = || Error::UnknownName.at(expr.at, format!("a {} has no such field", of.name));
                let index = index.ok_or_else(unknown)?;
                found[index] = Some(element(fields[index].of, expr)?);
            }
            Ok(Operand::Composite { of: Rc::clone(of), elements: found })
        }
        Kind::Array { elem, len } if *len <= MOST_ELEMENTS => {
            let mut found = vec![None; usize::try_from(*len).unwrap_or(0)];
            for (index, (key, expr)) in elements.iter().enumerate() {
                if key.is_some() {
                    return Err(Error::Unsupported.at(expr.at, "elements with an index are not supported"));
                }
                let place = found.get_mut(index);
                let place = place.ok_or_else(|| {
                    Error::OutOfRange.at(expr.at, format!("a {} has {len} elements", of.name))
                })?;
                *place = Some(element(*elem, expr)?);
            }
            Ok(Operand::Composite { of: Rc::clone(of), elements: found })
        }
        _ => Err(Error::Unsupported.at(at, format!("a {} cannot be written as a literal here", of.name))),
    }
}

/// Entries in the map `value`, as its header counts them.
pub(super) fn map_len(with: &Evaluator<'_>, value: &Operand, at: usize) -> Result<u64, EvalError> {
    let word = value.word_at(with.context, 0, at)?;
    if word == 0 {
        return Ok(0);
    }
    if with.context.layout.structure("runtime.hmap").is_some() {
        with.header_field("runtime.hmap", "count", word, at)
    } else {
        with.header_field("internal/runtime/maps.Map", "used", word, at)
    }
}

/// `map[key]`
pub(super) fn map_element(
    with: &Evaluator<'_>,
    map: &Operand,
    key: &Operand,
    at: usize,
    key_at: usize,
) -> Result<Operand, EvalError> {
    let context = with.context;
    let Some(of) = map.of() else { return Err(Error::Type.at(at, "this is no map")) };
    let unknown = || Error::Type.at(at, format!("how the entries of a {} lie is unknown", of.name));
    let found = of.type_ref.and_then(|of| maps::MapType::of(context, of)).ok_or_else(unknown)?;
    let word = match (map, &of.kind) {
        // A `sync.Map` lies where it is, and is no pointer to a header.
        (Operand::Typed { location: Location::Address(address), .. }, Kind::Struct(_)) => *address,
        _ => map.word_at(context, 0, at)?,
    };
    let looked_up = lookup(with, &found, word, key, key_at)?;
    match (looked_up.entry, looked_up.problems.first()) {
        (Some(entry), _) => Ok(Operand::at(context, found.elem, Location::Address(entry.elem))),
        (None, Some(problem)) => {
            let text = format!("the map has no such key, as far as it can be read: {problem}");
            Err(Error::NoSuchKey.at(key_at, text))
        }
        (None, None) => Err(Error::NoSuchKey.at(key_at, "the map has no such key")),
    }
}

/// Looks for `key` in the map at `word`: by its hash, or where it has none, among all.
pub(super) fn lookup(
    with: &Evaluator<'_>,
    of: &maps::MapType,
    word: u64,
    key: &Operand,
    at: usize,
) -> Result<maps::Lookup, EvalError> {
    let context = with.context;
    let key_type = Rc::new(describe(context, of.key));
    let key = match key_type.kind {
        Kind::Interface { .. } => key.clone(),
        _ => as_type(with, key, &key_type, at)?,
    };
    let hashes = with.scope.hashes;
    if matches!(key_type.kind, Kind::String) {
        let text = key.text(context, at)?.unwrap_or_default();
        return Ok(maps::lookup(context, hashes, of, word, maps::Key::Text(&text)));
    }
    let mut bytes = Vec::new();
    if encode(with, &key, &key_type, &mut bytes, at)? && bytes.len() as u64 == of.key_size {
        return Ok(maps::lookup(context, hashes, of, word, maps::Key::Bytes(&bytes)));
    }
    let mut entries = maps::entries(context, of, word);
    let mut found = None;
    for entry in entries.by_ref() {
        let candidate = Operand::Typed { of: Rc::clone(&key_type), location: Location::Address(entry.key) };
        if equal(with, &candidate, &key, at)? {
            found = Some(entry);
            break;
        }
    }
    let place = KeyPlace {
        hash_function: "A key of this kind was looked for among all.".to_owned(),
        found_in: found.map(|entry| entry.row),
        slot: found.map(|entry| entry.slot),
        ..KeyPlace::default()
    };
    Ok(maps::Lookup { entry: found, place, problems: entries.problems() })
}

/// Appends the bytes of `value` as they would lie in memory; false when they cannot be told, as those of a text
/// that lies nowhere.
fn encode(
    with: &Evaluator<'_>,
    value: &Operand,
    of: &Described,
    bytes: &mut Vec<u8>,
    at: usize,
) -> Result<bool, EvalError> {
    let context = with.context;
    let size = of.size.filter(|size| *size <= LARGEST_KEY);
    let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else { return Ok(false) };
    let start = bytes.len();
    match value {
        Operand::Typed { of: found, location } if found.name == of.name => {
            bytes.resize(start + size, 0);
            Place::new(location).read(context.memory, &mut bytes[start..]).map_err(|found| gap(at, found))?;
            Ok(true)
        }
        Operand::Composite { elements, .. } => {
            let parts: Vec<(u64, Described)> = match &of.kind {
                Kind::Struct(fields) => {
                    fields.iter().map(|field| (field.offset, describe(context, field.of))).collect()
                }
                Kind::Array { elem, len } => {
                    let elem = describe(context, *elem);
                    let stride = elem.size.unwrap_or(0);
                    (0..*len).map(|index| (stride.wrapping_mul(index), elem.clone())).collect()
                }
                _ => return Ok(false),
            };
            for ((offset, part), element) in parts.iter().zip(elements) {
                // What is missing is zero, and so is what lies between.
                let Some(element) = element else { continue };
                let Some(from) = usize::try_from(*offset).ok().and_then(|offset| start.checked_add(offset))
                else {
                    return Ok(false);
                };
                bytes.resize(from.max(bytes.len()), 0);
                if bytes.len() != from || !encode(with, element, part, bytes, at)? {
                    return Ok(false);
                }
            }
            let fits = bytes.len() <= start + size;
            bytes.resize(start + size, 0);
            Ok(fits)
        }
        _ => Ok(false),
    }
}
