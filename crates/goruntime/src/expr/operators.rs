//! Operators and conversions.

use std::cmp::Ordering;
use std::rc::Rc;

use panicle_binary::dwarf::BaseKind;
use panicle_report::EvalError;

use super::{
    error::Kind as Error,
    eval::Evaluator,
    operand::{Constant, Operand},
};
use crate::{
    maps,
    value::{
        Context, Location,
        describe::{Described, Kind, describe},
    },
};

/// Constants are exact in Go; here they are as large as this, which is more than any type holds.
const MOST_BITS: i128 = 1 << 100;
/// Zero bytes made for a nil, and for what is missing in a literal.
const LARGEST_ZERO: u64 = 1 << 16;

/// `mark value`
pub(super) fn unary(
    with: &Evaluator<'_>,
    mark: &str,
    value: &Operand,
    at: usize,
) -> Result<Operand, EvalError> {
    let context = with.context;
    let wrong = || Error::Type.at(at, format!("{mark} has no meaning for {}", value.word()));
    if mark == "!" {
        let value = value.boolean(context, at)?.ok_or_else(wrong)?;
        return Ok(Constant::Bool(!value).into());
    }
    if let Constant::Float(number) = constant_of(value) {
        return match mark {
            "-" => Ok(Constant::Float(-number).into()),
            "+" => Ok(value.clone()),
            _ => Err(wrong()),
        };
    }
    if let Some(number) = value.integer(context, at)? {
        let number = match mark {
            "-" => -number,
            "+" => number,
            // All bits of an unsigned number, which has as many as its type.
            _ => !number,
        };
        return number_like(value, number, at);
    }
    let number = value.float(context, at)?.ok_or_else(wrong)?;
    match mark {
        "-" => float_like(value, -number, at),
        "+" => Ok(value.clone()),
        _ => Err(wrong()),
    }
}

/// The constant that it is; nil for what is none, which no caller asks for.
fn constant_of(value: &Operand) -> Constant {
    match value {
        Operand::Constant(constant) => constant.clone(),
        _ => Constant::Nil,
    }
}

/// `number` as a value of the type of `like`, cut to its bits as Go does.
fn number_like(like: &Operand, number: i128, at: usize) -> Result<Operand, EvalError> {
    match like.of() {
        Some(of) => Ok(of_integer(of, number)),
        None if number.unsigned_abs() <= MOST_BITS.unsigned_abs() => Ok(Constant::Int(number).into()),
        None => Err(Error::Limit.at(at, "the constant is too large")),
    }
}

fn float_like(like: &Operand, number: f64, at: usize) -> Result<Operand, EvalError> {
    match like.of() {
        Some(of) => of_float(of, number, at),
        None => Ok(Constant::Float(number).into()),
    }
}

/// A value of an integer type, of which the lower bits of `number` are.
fn of_integer(of: &Rc<Described>, number: i128) -> Operand {
    let size = of.size.unwrap_or(8).min(8) as usize;
    let bytes = number.to_le_bytes();
    Operand::Typed { of: Rc::clone(of), location: Location::of_bytes(&bytes[..size]) }
}

fn of_float(of: &Rc<Described>, number: f64, at: usize) -> Result<Operand, EvalError> {
    let location = match of.size {
        Some(4) => Location::of_bytes(&(number as f32).to_le_bytes()),
        Some(8) => Location::of_bytes(&number.to_le_bytes()),
        _ => return Err(Error::Unsupported.at(at, format!("a {} cannot be made", of.name))),
    };
    Ok(Operand::Typed { of: Rc::clone(of), location })
}

/// Whether `number` is a value of an integer type of this kind and size.
fn fits(of: &Described, number: i128) -> bool {
    let bits = of.size.unwrap_or(8).min(8) * 8;
    match of.kind {
        Kind::Base(BaseKind::Int) => {
            let most = 1_i128 << bits.saturating_sub(1);
            (-most..most).contains(&number)
        }
        _ => (0..1_i128 << bits).contains(&number),
    }
}

/// The constant `value` as one of type `of`, which it has to fit; other values as they are.
pub(super) fn as_type(
    with: &Evaluator<'_>,
    value: &Operand,
    of: &Rc<Described>,
    at: usize,
) -> Result<Operand, EvalError> {
    let Operand::Constant(constant) = value else {
        let same = value.of().is_some_and(|found| found.name == of.name);
        let text = || format!("{} is no {}, and is not converted by itself", value.word(), of.name);
        return if same { Ok(value.clone()) } else { Err(Error::Type.at(at, text())) };
    };
    let wrong = || Error::Type.at(at, format!("{} cannot be a {}", value.word(), of.name));
    match (constant, &of.kind) {
        (
            Constant::Int(_) | Constant::Float(_),
            Kind::Base(BaseKind::Int | BaseKind::Uint) | Kind::Uintptr,
        ) => {
            let number = value.integer(with.context, at)?.ok_or_else(wrong)?;
            if fits(of, number) {
                Ok(of_integer(of, number))
            } else {
                Err(Error::Type.at(at, format!("{number} is no value of {}", of.name)))
            }
        }
        (Constant::Int(_) | Constant::Float(_), Kind::Base(BaseKind::Float)) => {
            let number = value.float(with.context, at)?.ok_or_else(wrong)?;
            of_float(of, number, at)
        }
        (Constant::Bool(value), Kind::Base(BaseKind::Bool)) => Ok(of_integer(of, i128::from(*value))),
        (Constant::Text(bytes), Kind::String) => {
            Ok(Operand::Text { of: Rc::clone(of), bytes: bytes.clone() })
        }
        (Constant::Nil, kind) if may_be_nil(kind) => zero(of, at),
        _ => Err(wrong()),
    }
}

pub(super) fn may_be_nil(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Pointer { .. }
            | Kind::UnsafePointer
            | Kind::Func
            | Kind::Slice { .. }
            | Kind::Interface { .. }
            | Kind::Map
            | Kind::Chan
    )
}

/// The zero value of a type.
pub(super) fn zero(of: &Rc<Described>, at: usize) -> Result<Operand, EvalError> {
    let size = of.size.filter(|size| *size <= LARGEST_ZERO);
    let size = size.ok_or_else(|| Error::Limit.at(at, format!("a {} is too large to be made", of.name)))?;
    let location = Location::of_bytes(&vec![0; usize::try_from(size).unwrap_or(0)]);
    Ok(Operand::Typed { of: Rc::clone(of), location })
}

/// `left mark right`
pub(super) fn binary(
    with: &Evaluator<'_>,
    mark: &str,
    left: &Operand,
    right: &Operand,
    at: usize,
) -> Result<Operand, EvalError> {
    if matches!(mark, "<<" | ">>") {
        return shift(with, mark, left, right, at);
    }
    if matches!(mark, "==" | "!=") {
        let equal = super::equal::equal(with, left, right, at)?;
        return Ok(Constant::Bool(equal == (mark == "==")).into());
    }
    let context = with.context;
    // A constant takes the type of the other side.
    let (left, right) = match (left.of(), right.of()) {
        (Some(of), None) => (left.clone(), as_type(with, right, of, at)?),
        (None, Some(of)) => (as_type(with, left, of, at)?, right.clone()),
        (Some(one), Some(other)) if one.name != other.name => {
            let text = format!("a {} and a {} do not go together; convert one of them", one.name, other.name);
            return Err(Error::Type.at(at, text));
        }
        _ => (left.clone(), right.clone()),
    };
    let wrong = || {
        let text = format!("{mark} has no meaning between {} and {}", left.word(), right.word());
        Error::Type.at(at, text)
    };
    let both_integers = !matches!(constant_of(&left), Constant::Float(_))
        && !matches!(constant_of(&right), Constant::Float(_));
    if both_integers
        && let (Some(one), Some(other)) = (left.integer(context, at)?, right.integer(context, at)?)
    {
        if let Some(order) = ordered(mark, one.cmp(&other)) {
            return Ok(Constant::Bool(order).into());
        }
        let number = integers(mark, one, other, at)?.ok_or_else(wrong)?;
        return number_like(&left, number, at);
    }
    if let (Some(one), Some(other)) = (left.float(context, at)?, right.float(context, at)?) {
        if let Some(order) = one.partial_cmp(&other).map_or_else(
            // Nothing is less or more than what is no number.
            || matches!(mark, "<" | "<=" | ">" | ">=").then_some(false),
            |order| ordered(mark, order),
        ) {
            return Ok(Constant::Bool(order).into());
        }
        let number = match mark {
            "+" => one + other,
            "-" => one - other,
            "*" => one * other,
            "/" if other == 0.0 && left.of().is_none() => return Err(division(at)),
            "/" => one / other,
            _ => return Err(wrong()),
        };
        return float_like(&left, number, at);
    }
    if let (Some(mut one), Some(other)) = (left.text(context, at)?, right.text(context, at)?) {
        if let Some(order) = ordered(mark, one.cmp(&other)) {
            return Ok(Constant::Bool(order).into());
        }
        if mark == "+" {
            if (one.len() + other.len()) as u64 > super::operand::LONGEST_TEXT {
                return Err(Error::Limit.at(at, "the text is too long"));
            }
            one.extend(other);
            return Ok(match left.of() {
                Some(of) => Operand::Text { of: Rc::clone(of), bytes: one },
                None => Constant::Text(one).into(),
            });
        }
    }
    Err(wrong())
}

fn ordered(mark: &str, order: Ordering) -> Option<bool> {
    Some(match mark {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        _ => return None,
    })
}

fn division(at: usize) -> EvalError {
    Error::OutOfRange.at(at, "nothing can be divided by zero")
}

fn integers(mark: &str, one: i128, other: i128, at: usize) -> Result<Option<i128>, EvalError> {
    let number = match mark {
        "+" => one.checked_add(other),
        "-" => one.checked_sub(other),
        "*" => one.checked_mul(other),
        "/" | "%" if other == 0 => return Err(division(at)),
        "/" => one.checked_div(other),
        "%" => one.checked_rem(other),
        "&" => Some(one & other),
        "|" => Some(one | other),
        "^" => Some(one ^ other),
        "&^" => Some(one & !other),
        _ => return Ok(None),
    };
    number.map(Some).ok_or_else(|| Error::Limit.at(at, "the number is too large"))
}

fn shift(
    with: &Evaluator<'_>,
    mark: &str,
    left: &Operand,
    right: &Operand,
    at: usize,
) -> Result<Operand, EvalError> {
    let wrong = || {
        let text = format!("{mark} has no meaning between {} and {}", left.word(), right.word());
        Error::Type.at(at, text)
    };
    let number = left.integer(with.context, at)?.ok_or_else(wrong)?;
    let count = right.integer(with.context, at)?.ok_or_else(wrong)?;
    let Ok(count) = u32::try_from(count) else {
        return Err(Error::OutOfRange.at(at, "a shift is by a count that is not negative"));
    };
    let number = if mark == ">>" {
        number >> count.min(127)
    } else if left.of().is_none() {
        // Constants have no bits to lose.
        let shifted =
            number.checked_mul(1_i128.checked_shl(count).filter(|factor| *factor > 0).unwrap_or(i128::MAX));
        shifted.ok_or_else(|| Error::Limit.at(at, "the constant is too large"))?
    } else if count < 64 {
        number << count
    } else {
        0
    };
    number_like(left, number, at)
}

/// `to(value)`
pub(super) fn convert(
    with: &Evaluator<'_>,
    value: &Operand,
    to: &Rc<Described>,
    at: usize,
) -> Result<Operand, EvalError> {
    let context = with.context;
    let wrong = || Error::Type.at(at, format!("{} cannot be converted to {}", value.word(), to.name));
    let from = value.of().map(|of| &of.kind);
    match &to.kind {
        Kind::Base(BaseKind::Int | BaseKind::Uint) | Kind::Uintptr => {
            if matches!(value, Operand::Constant(_)) {
                return as_type(with, value, to, at);
            }
            if let Some(number) = value.integer(context, at)? {
                return Ok(of_integer(to, number));
            }
            if let Some(number) = value.float(context, at)? {
                return Ok(of_integer(to, number as i128));
            }
            match from {
                // The address that a pointer is.
                Some(Kind::Pointer { .. } | Kind::UnsafePointer | Kind::Map | Kind::Chan | Kind::Func)
                    if to.size == Some(8) =>
                {
                    Ok(of_integer(to, value.word_at(context, 0, at)?.into()))
                }
                _ => Err(wrong()),
            }
        }
        Kind::Base(BaseKind::Float) => {
            let number = match value.integer(context, at)? {
                Some(number) => number as f64,
                None => value.float(context, at)?.ok_or_else(wrong)?,
            };
            of_float(to, number, at)
        }
        // An address, out of the report or of another pointer: who asks knows what is there. A map, a channel and
        // a function are pointers to a header.
        Kind::Pointer { .. } | Kind::UnsafePointer | Kind::Map | Kind::Chan | Kind::Func => {
            if let Operand::Constant(Constant::Nil) = value {
                return zero(to, at);
            }
            let word = match value.integer(context, at)? {
                Some(number) => u64::try_from(number).map_err(|_| wrong())?,
                None => match from {
                    Some(
                        Kind::Pointer { .. } | Kind::UnsafePointer | Kind::Map | Kind::Chan | Kind::Func,
                    ) => value.word_at(context, 0, at)?,
                    _ => return Err(wrong()),
                },
            };
            if matches!(to.kind, Kind::Map) && !may_be_map(context, to, word) {
                let text = format!("what lies at {word:#x} does not look like a {}", to.name);
                return Err(Error::Unreadable.at(at, text));
            }
            Ok(Operand::of_words(Rc::clone(to), &[word]))
        }
        Kind::String => {
            if let Some((data, len)) = value.string_header(context, at)? {
                return Ok(Operand::of_words(Rc::clone(to), &[data, len]));
            }
            let bytes = match value.text(context, at)? {
                Some(bytes) => Some(bytes),
                None => with.bytes_of(value, at)?,
            };
            if let Some(bytes) = bytes {
                return Ok(Operand::Text { of: Rc::clone(to), bytes });
            }
            let number = value.integer(context, at)?.ok_or_else(wrong)?;
            let c = u32::try_from(number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
            let bytes = c.to_string().into_bytes();
            Ok(Operand::Text { of: Rc::clone(to), bytes })
        }
        _ => match value {
            Operand::Constant(_) => as_type(with, value, to, at),
            Operand::Typed { of, location } if same_shape(context, of, to) => {
                Ok(Operand::Typed { of: Rc::clone(to), location: location.clone() })
            }
            _ => Err(wrong()),
        },
    }
}

/// Whether values of the two types are made alike, so that one may be taken for the other.
fn same_shape(context: &Context<'_>, one: &Described, other: &Described) -> bool {
    let name = |of| describe(context, of).name;
    match (&one.kind, &other.kind) {
        (Kind::Struct(one), Kind::Struct(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| {
                    one.name == other.name && one.offset == other.offset && name(one.of) == name(other.of)
                })
        }
        (Kind::Array { elem: one, len }, Kind::Array { elem: other, len: as_many }) => {
            len == as_many && name(*one) == name(*other)
        }
        (Kind::Slice { elem: one }, Kind::Slice { elem: other }) => name(*one) == name(*other),
        (Kind::Base(one_kind), Kind::Base(other_kind)) => one_kind == other_kind && one.size == other.size,
        (Kind::Interface { empty: one }, Kind::Interface { empty: other }) => one == other,
        _ => false,
    }
}

/// Whether a map of the type `of` may lie at `word`. Nil is one, and so is what nobody can tell.
fn may_be_map(context: &Context<'_>, of: &Described, word: u64) -> bool {
    let found = of.type_ref.and_then(|of| maps::MapType::of(context, of));
    word == 0 || found.is_none_or(|of| maps::may_be(context, &of, word))
}
