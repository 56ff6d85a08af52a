//! Values that an expression has on the way.

use std::rc::Rc;

use panicle_binary::dwarf::BaseKind;
use panicle_report::EvalError;

use super::error::Kind as Error;
use crate::value::{
    Context, Gap, Location, TypeRef,
    describe::{Described, Kind, describe},
    place::Place,
};

/// Bytes of a string that is compared or put together.
pub(super) const LONGEST_TEXT: u64 = 1 << 20;

/// What an expression is.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    /// A value of the process, or one of its types.
    Typed {
        of: Rc<Described>,
        location: Location,
    },
    /// A string that lies nowhere.
    Text {
        of: Rc<Described>,
        bytes: Vec<u8>,
    },
    /// A composite literal: its fields or elements, zero where there is none.
    Composite {
        of: Rc<Described>,
        elements: Vec<Option<Operand>>,
    },
    Constant(Constant),
}

/// A constant without a type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Nil,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Vec<u8>),
}

impl Constant {
    fn word(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Text(_) => "a string",
        }
    }
}

impl From<Constant> for Operand {
    fn from(constant: Constant) -> Self {
        Self::Constant(constant)
    }
}

/// What a gap in memory means to an expression.
pub(super) fn gap(at: usize, gap: Gap) -> EvalError {
    match gap {
        Gap::Unreadable(address) => {
            Error::Unreadable.at(at, format!("the memory at {address:#x} is not in the core"))
        }
        Gap::NotKept => Error::NotKept.at(at, "the compiler kept this part of the value nowhere"),
    }
}

impl Operand {
    /// The value of type `of` at `location`.
    pub(super) fn at(context: &Context<'_>, of: TypeRef, location: Location) -> Self {
        Self::Typed { of: Rc::new(describe(context, of)), location }
    }

    /// A value of a type of words.
    pub(super) fn of_words(of: Rc<Described>, words: &[u64]) -> Self {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Self::Typed { of, location: Location::of_bytes(&bytes) }
    }

    /// Fails when nothing of it can be read: then it is no value.
    pub(super) fn check(&self, context: &Context<'_>, at: usize) -> Result<(), EvalError> {
        let Self::Typed { of, location } = self else { return Ok(()) };
        let size = match of.kind {
            Kind::Struct(_) | Kind::Array { .. } | Kind::Unknown
                if matches!(location, Location::Parts(_)) =>
            {
                0
            }
            Kind::Struct(_) | Kind::Array { .. } | Kind::Unknown => of.size.unwrap_or(1).min(1),
            _ => of.size.unwrap_or(8).min(8),
        };
        let mut bytes = [0; 8];
        let read = Place::new(location).read(context.memory, &mut bytes[..size as usize]);
        read.map_err(|found| gap(at, found))
    }

    /// Its type; `None` for constants.
    pub(super) fn of(&self) -> Option<&Rc<Described>> {
        match self {
            Self::Typed { of, .. } | Self::Text { of, .. } | Self::Composite { of, .. } => Some(of),
            Self::Constant(_) => None,
        }
    }

    /// What it is, in words.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Constant(constant) => constant.word().to_owned(),
            typed => typed.of().map_or(String::new(), |of| format!("a {}", of.name)),
        }
    }

    /// The `size` bytes `offset` into a value, as a value of type `of`.
    pub(super) fn part(location: &Location, of: Rc<Described>, offset: u64) -> Self {
        let size = of.size.unwrap_or(0);
        Self::Typed { location: location.part(offset, size), of }
    }

    /// A word `offset` bytes into it.
    pub(super) fn word_at(&self, context: &Context<'_>, offset: u64, at: usize) -> Result<u64, EvalError> {
        let Self::Typed { location, .. } = self else {
            return Err(Error::Type.at(at, format!("{} has no words", self.word())));
        };
        Place::new(location).at(offset).word(context.memory).map_err(|found| gap(at, found))
    }

    /// The number that it is, if it is an integer.
    pub(super) fn integer(&self, context: &Context<'_>, at: usize) -> Result<Option<i128>, EvalError> {
        let (of, location) = match self {
            Self::Constant(Constant::Int(number)) => return Ok(Some(*number)),
            // A constant that is an integer may be written as a float.
            Self::Constant(Constant::Float(number)) if number.fract() == 0.0 && number.abs() < 1e18 => {
                return Ok(Some(*number as i128));
            }
            Self::Typed { of, location } => (of, location),
            _ => return Ok(None),
        };
        let size = of.size.unwrap_or(8).min(8);
        let signed = match of.kind {
            Kind::Base(BaseKind::Int) => true,
            Kind::Base(BaseKind::Uint) | Kind::Uintptr => false,
            _ => return Ok(None),
        };
        let number = Place::new(location).number(context.memory, size).map_err(|found| gap(at, found))?;
        let shift = 64 - 8 * size as u32;
        Ok(Some(if signed && size > 0 {
            i128::from((number << shift) as i64 >> shift)
        } else {
            i128::from(number)
        }))
    }

    /// The number that it is, if it is a float or an untyped number.
    pub(super) fn float(&self, context: &Context<'_>, at: usize) -> Result<Option<f64>, EvalError> {
        let (of, location) = match self {
            Self::Constant(Constant::Int(number)) => return Ok(Some(*number as f64)),
            Self::Constant(Constant::Float(number)) => return Ok(Some(*number)),
            Self::Typed { of, location } => (of, location),
            _ => return Ok(None),
        };
        let Kind::Base(BaseKind::Float) = of.kind else { return Ok(None) };
        let size = of.size.unwrap_or(8);
        let bits = Place::new(location).number(context.memory, size).map_err(|found| gap(at, found))?;
        Ok(Some(if size == 4 { f32::from_bits(bits as u32).into() } else { f64::from_bits(bits) }))
    }

    /// The truth value that it is, if it is one.
    pub(super) fn boolean(&self, context: &Context<'_>, at: usize) -> Result<Option<bool>, EvalError> {
        match self {
            Self::Constant(Constant::Bool(value)) => Ok(Some(*value)),
            Self::Typed { of, location } if matches!(of.kind, Kind::Base(BaseKind::Bool)) => {
                let byte = Place::new(location).number(context.memory, 1).map_err(|found| gap(at, found))?;
                Ok(Some(byte != 0))
            }
            _ => Ok(None),
        }
    }

    /// Address and length of a string in memory.
    pub(super) fn string_header(
        &self,
        context: &Context<'_>,
        at: usize,
    ) -> Result<Option<(u64, u64)>, EvalError> {
        match self {
            Self::Typed { of, .. } if matches!(of.kind, Kind::String) => {
                let len = self.word_at(context, 8, at)?;
                let data = if len == 0 { 0 } else { self.word_at(context, 0, at)? };
                Ok(Some((data, len)))
            }
            _ => Ok(None),
        }
    }

    /// The bytes of the string that it is, if it is one.
    pub(super) fn text(&self, context: &Context<'_>, at: usize) -> Result<Option<Vec<u8>>, EvalError> {
        match self {
            Self::Constant(Constant::Text(bytes)) | Self::Text { bytes, .. } => {
                return Ok(Some(bytes.clone()));
            }
            _ => {}
        }
        let Some((data, len)) = self.string_header(context, at)? else { return Ok(None) };
        read_bytes(context, data, len, at).map(Some)
    }
}

/// `len` bytes at `data`.
pub(super) fn read_bytes(
    context: &Context<'_>,
    data: u64,
    len: u64,
    at: usize,
) -> Result<Vec<u8>, EvalError> {
    if len > LONGEST_TEXT {
        return Err(Error::Limit.at(at, format!("{len} bytes are too many to work with")));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    if context.memory.read(data, &mut bytes) { Ok(bytes) } else { Err(gap(at, Gap::Unreadable(data))) }
}
