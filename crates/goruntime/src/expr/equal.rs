//! `==`, as the Go specification has it ("Comparison operators").

use std::rc::Rc;

use panicle_binary::dwarf::BaseKind;
use panicle_report::EvalError;

use super::{
    error::Kind as Error,
    eval::Evaluator,
    operand::{Constant, Operand},
    operators::{as_type, may_be_nil},
};
use crate::value::describe::{Kind, describe};

/// Whether the two values are equal.
pub(super) fn equal(
    with: &Evaluator<'_>,
    left: &Operand,
    right: &Operand,
    at: usize,
) -> Result<bool, EvalError> {
    with.work(at)?;
    match (left, right) {
        (Operand::Constant(Constant::Nil), Operand::Constant(Constant::Nil)) => {
            Err(Error::Type.at(at, "nil has no type that would tell how to compare it with itself"))
        }
        (Operand::Constant(Constant::Nil), value) | (value, Operand::Constant(Constant::Nil)) => {
            is_nil(with, value, at)
        }
        (Operand::Constant(one), Operand::Constant(other)) => constants(one, other, at),
        (Operand::Constant(_), typed) => match to_compare(with, left, typed, at)? {
            Some((left, typed)) => same_type(with, &left, &typed, at),
            None => Ok(false),
        },
        (typed, Operand::Constant(_)) => match to_compare(with, right, typed, at)? {
            Some((right, typed)) => same_type(with, &typed, &right, at),
            None => Ok(false),
        },
        (one, other) => two_typed(with, one, other, at),
    }
}

/// A constant and what it is compared with as values of one type; `None` when an interface holds another.
fn to_compare(
    with: &Evaluator<'_>,
    constant: &Operand,
    typed: &Operand,
    at: usize,
) -> Result<Option<(Operand, Operand)>, EvalError> {
    if let Some((_, held)) = with.held(typed, at)? {
        let Some(held) = held else { return Ok(None) };
        let Some(of) = held.of() else { return Ok(None) };
        // In Go the constant would have its default type; here it is any that it fits.
        return Ok(as_type(with, constant, of, at).ok().map(|constant| (constant, held)));
    }
    let Some(of) = typed.of() else { return Ok(None) };
    Ok(Some((as_type(with, constant, of, at)?, typed.clone())))
}

fn two_typed(with: &Evaluator<'_>, one: &Operand, other: &Operand, at: usize) -> Result<bool, EvalError> {
    let held = |value: &Operand| with.held(value, at);
    match (held(one)?, held(other)?) {
        (Some((_, None)), Some((_, None))) => Ok(true),
        (Some((_, Some(one))), Some((_, Some(other)))) => {
            let same = one.of().map(|of| &of.name) == other.of().map(|of| &of.name);
            Ok(same && same_type(with, &one, &other, at)?)
        }
        (Some(_), Some(_)) => Ok(false),
        (Some((_, interface)), None) => held_equals(with, interface, other, at),
        (None, Some((_, interface))) => held_equals(with, interface, one, at),
        (None, None) => same_type(with, one, other, at),
    }
}

fn held_equals(
    with: &Evaluator<'_>,
    held: Option<Operand>,
    other: &Operand,
    at: usize,
) -> Result<bool, EvalError> {
    let Some(held) = held else { return Ok(false) };
    let same = held.of().map(|of| &of.name) == other.of().map(|of| &of.name);
    Ok(same && same_type(with, &held, other, at)?)
}

#[expect(clippy::float_cmp, reason = "this is Go's ==")]
fn constants(one: &Constant, other: &Constant, at: usize) -> Result<bool, EvalError> {
    match (one, other) {
        (Constant::Int(one), Constant::Int(other)) => Ok(one == other),
        (Constant::Int(one), Constant::Float(other)) | (Constant::Float(other), Constant::Int(one)) => {
            Ok(*one as f64 == *other)
        }
        (Constant::Float(one), Constant::Float(other)) => Ok(one == other),
        (Constant::Bool(one), Constant::Bool(other)) => Ok(one == other),
        (Constant::Text(one), Constant::Text(other)) => Ok(one == other),
        _ => Err(Error::Type.at(at, "these are of different kinds")),
    }
}

fn is_nil(with: &Evaluator<'_>, value: &Operand, at: usize) -> Result<bool, EvalError> {
    match value.of() {
        Some(of) if may_be_nil(&of.kind) => Ok(value.word_at(with.context, 0, at)? == 0),
        _ => Err(Error::Type.at(at, format!("{} is never nil", value.word()))),
    }
}

/// Compares two values, neither a constant nor an interface, which have to be of one type.
fn same_type(with: &Evaluator<'_>, one: &Operand, other: &Operand, at: usize) -> Result<bool, EvalError> {
    with.work(at)?;
    let context = with.context;
    let (Some(of), Some(other_of)) = (one.of(), other.of()) else { return Ok(false) };
    if of.name != other_of.name {
        let text = format!("a {} and a {} cannot be compared", of.name, other_of.name);
        return Err(Error::Type.at(at, text));
    }
    match &of.kind {
        Kind::Base(BaseKind::Float) => Ok(one.float(context, at)? == other.float(context, at)?),
        Kind::Base(BaseKind::Bool) => Ok(one.boolean(context, at)? == other.boolean(context, at)?),
        Kind::Base(BaseKind::Complex) => Err(Error::Unsupported.at(at, "complex numbers are not compared")),
        Kind::Base(_) | Kind::Uintptr => Ok(one.integer(context, at)? == other.integer(context, at)?),
        Kind::String => {
            let (a, b) = (one.string_header(context, at)?, other.string_header(context, at)?);
            if let (Some(a), Some(b)) = (a, b)
                && (a == b || a.1 != b.1)
            {
                return Ok(a == b);
            }
            Ok(one.text(context, at)? == other.text(context, at)?)
        }
        Kind::Pointer { .. } | Kind::UnsafePointer | Kind::Chan => {
            Ok(one.word_at(context, 0, at)? == other.word_at(context, 0, at)?)
        }
        Kind::Struct(fields) => {
            for (index, field) in fields.iter().enumerate().filter(|(_, field)| field.name != "_") {
                let of = Rc::new(describe(context, field.of));
                let part = |value: &Operand| part(value, index, &of, field.offset, at);
                if !equal(with, &part(one)?, &part(other)?, at)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Kind::Array { elem, len } => {
            let elem = Rc::new(describe(context, *elem));
            let size = elem.size.unwrap_or(0);
            for index in 0..*len {
                let part = |value: &Operand| part(value, index as usize, &elem, size.wrapping_mul(index), at);
                if !equal(with, &part(one)?, &part(other)?, at)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Err(Error::Type.at(at, format!("values of {} can be compared with nil alone", of.name))),
    }
}

/// A field or element of a value, whether it lies in memory or is a literal.
fn part(
    value: &Operand,
    index: usize,
    of: &Rc<crate::value::describe::Described>,
    offset: u64,
    at: usize,
) -> Result<Operand, EvalError> {
    match value {
        Operand::Typed { location, .. } => Ok(Operand::part(location, Rc::clone(of), offset)),
        Operand::Composite { elements, .. } => match elements.get(index).cloned().flatten() {
            Some(element) => Ok(element),
            None => super::operators::zero(of, at),
        },
        _ => Err(Error::Type.at(at, format!("{} has no parts", value.word()))),
    }
}
