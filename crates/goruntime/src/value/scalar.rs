//! Values that stand on one line of their own: numbers, strings, functions.

use panicle_binary::dwarf::BaseKind;

use super::Context;
use super::place::{Gap, Memory, Place};
use super::quote::{float32, float64, quote};

/// No string or slice of a real process is longer; a longer one was never initialised or is damaged.
pub(super) const MAX_LEN: u64 = 1 << 46;

pub(super) fn base(memory: &dyn Memory, kind: BaseKind, size: u64, place: Place<'_>) -> Result<String, Gap> {
    let unknown = || Ok(format!("<number of {size} bytes>"));
    Ok(match (kind, size) {
        (BaseKind::Bool, 1) => match place.number(memory, 1)? {
            0 => "false".to_owned(),
            1 => "true".to_owned(),
            other => format!("<bool {other:#x}>"),
        },
        (BaseKind::Int, 1 | 2 | 4 | 8) => {
            let shift = 64 - 8 * size as u32;
            ((place.number(memory, size)? << shift) as i64 >> shift).to_string()
        }
        (BaseKind::Uint, 1 | 2 | 4 | 8) => place.number(memory, size)?.to_string(),
        (BaseKind::Float, 4) => float32(f32::from_bits(place.number(memory, 4)? as u32)),
        (BaseKind::Float, 8) => float64(f64::from_bits(place.number(memory, 8)?)),
        (BaseKind::Complex, 8 | 16) => {
            let half = size / 2;
            let real = base(memory, BaseKind::Float, half, place)?;
            let imaginary = base(memory, BaseKind::Float, half, place.at(half))?;
            let sign = if imaginary.starts_with(['-', '+']) { "" } else { "+" };
            format!("({real}{sign}{imaginary}i)")
        }
        _ => return unknown(),
    })
}

pub(super) fn string(memory: &dyn Memory, place: Place<'_>, most: u64) -> Result<String, Gap> {
    let len = place.at(8).word(memory);
    let data = match (place.word(memory), &len) {
        // An empty string has no need of a pointer.
        (_, Ok(0)) => return Ok("\"\"".to_owned()),
        (Ok(data), _) => data,
        (Err(gap), _) => return Err(gap),
    };
    let len = match len {
        Ok(len) => len,
        Err(Gap::NotKept) => return Ok(format!("<string at {data:#x}, length not kept>")),
        Err(gap) => return Err(gap),
    };
    if len > MAX_LEN || data == 0 {
        return Ok(format!("<bad string: data {data:#x}, len {}>", len as i64));
    }
    let shown = len.min(most);
    let mut bytes = vec![0; usize::try_from(shown).unwrap_or(0)];
    if !memory.read(data, &mut bytes) {
        return Ok(format!("<unreadable {data:#x}, {len} bytes>"));
    }
    Ok(quoted(&bytes, len))
}

pub(super) fn function(context: &Context<'_>, word: u64) -> Result<String, Gap> {
    if word == 0 {
        return Ok("nil".to_owned());
    }
    let code = context.memory.word(word).ok_or(Gap::Unreadable(word))?;
    Ok((context.symbol)(code).unwrap_or_else(|| format!("<function {code:#x}>")))
}

/// The name of the function that a closure, which is not nil, runs; `None` when it is not known.
pub(super) fn function_name(context: &Context<'_>, word: u64) -> Result<Option<String>, Gap> {
    Ok((context.symbol)(context.memory.word(word).ok_or(Gap::Unreadable(word))?))
}

pub(super) fn nil_or_address(word: u64) -> String {
    if word == 0 { "nil".to_owned() } else { format!("{word:#x}") }
}

/// `bytes` in quotes, of a string of `len` bytes.
pub(super) fn quoted(bytes: &[u8], len: u64) -> String {
    if bytes.len() as u64 == len {
        return quote(bytes);
    }
    // Leave out a character that the limit cut in two.
    let end = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    format!("{}… ({len} bytes)", quote(bytes.get(..end).unwrap_or(bytes)))
}
