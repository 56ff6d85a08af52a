//! Fields, elements and parts of values.

use std::rc::Rc;

use panicle_binary::dwarf::BaseKind;
use panicle_report::EvalError;

use super::{
    super::{
        error::Kind as Error,
        literal,
        operand::{Constant, Operand, gap, read_bytes},
        parser::Expr,
        types,
    },
    Evaluator,
};
use crate::value::{
    Location,
    describe::{Described, Field, Kind, describe},
    place::Place,
};

/// Structs embedded in one another that a field is looked for in.
const MOST_EMBEDDED: usize = 8;
/// Structs that are looked at for one field.
const MOST_STRUCTS: usize = 256;
/// A struct that is indexed as a map, by what its `Load` takes.
const SYNC_MAP: &str = "sync.Map";
/// No slice or string is longer.
const MAX_LEN: u64 = 1 << 46;

impl Evaluator<'_> {
    /// What the pointer `value` points at.
    pub(super) fn target(&self, value: &Operand, at: usize) -> Result<Operand, EvalError> {
        match value.of().map(|of| &of.kind) {
            Some(Kind::Pointer { to }) => {
                let word = value.word_at(self.context, 0, at)?;
                if word == 0 {
                    return Err(Error::NilDereference.at(at, "the pointer is nil"));
                }
                let to =
                    to.ok_or_else(|| Error::Type.at(at, "it is not known what this pointer points at"))?;
                Ok(Operand::at(self.context, to, Location::Address(word)))
            }
            Some(Kind::UnsafePointer) => Err(Error::Type.at(at, "convert the pointer first: (*T)(p)")),
            // What a cast of a header's address is written as: *(*map[string]int)(0xc000012345).
            _ => {
                Err(Error::Type
                    .at(at, format!("only pointers point at something, and this is {}", value.word())))
            }
        }
    }

    /// The field `name` of a struct or of what a pointer to one points at.
    pub(super) fn field(&self, value: &Operand, name: &str, at: usize) -> Result<Operand, EvalError> {
        let Some(of) = value.of() else {
            return Err(Error::Type.at(at, format!("{} has no fields", value.word())));
        };
        if matches!(of.kind, Kind::Pointer { .. }) {
            let target = self.target(value, at)?;
            if target.of().is_some_and(|of| matches!(of.kind, Kind::Struct(_))) {
                return self.field(&target, name, at);
            }
            return Err(Error::Type.at(at, format!("a {} has no fields", of.name)));
        }
        if matches!(of.kind, Kind::Interface { .. }) {
            let text = format!("an interface has no fields; say what it holds: x.(T).{name}");
            return Err(Error::Type.at(at, text));
        }
        let (Operand::Typed { of, location }, Kind::Struct(fields)) = (value, &of.kind) else {
            return Err(Error::Type.at(at, format!("{} has no fields", value.word())));
        };
        // Breadth first, as in Go: fields of embedded structs come after the struct's own.
        let mut level = vec![(fields.clone(), location.clone())];
        let mut looked_at = 0;
        for _ in 0..MOST_EMBEDDED {
            let mut next = Vec::new();
            for (fields, location) in &level {
                if let Some(found) = fields.iter().find(|field| field.name == name) {
                    let of = Rc::new(describe(self.context, found.of));
                    return Ok(Operand::part(location, of, found.offset));
                }
            }
            for (fields, location) in &level {
                for field in fields.iter().filter(|field| field.embedded) {
                    looked_at += 1;
                    if looked_at <= MOST_STRUCTS {
                        next.extend(self.embedded(field, location));
                    }
                }
            }
            level = next;
        }
        let text = format!("a {} has no field {name}; methods cannot be called", of.name);
        Err(Error::UnknownName.at(at, text))
    }

    /// The fields of an embedded struct, or of what an embedded pointer points at, and where they are.
    fn embedded(&self, field: &Field, location: &Location) -> Option<(Vec<Field>, Location)> {
        let of = describe(self.context, field.of);
        let place = location.part(field.offset, of.size?);
        match of.kind {
            Kind::Struct(fields) => Some((fields, place)),
            Kind::Pointer { to } => {
                let Kind::Struct(fields) = describe(self.context, to?).kind else { return None };
                let word = Place::new(&place).word(self.context.memory).ok().filter(|word| *word != 0)?;
                Some((fields, Location::Address(word)))
            }
            _ => None,
        }
    }

    pub(super) fn index(&self, of: &Expr, indices: &[Expr], at: usize) -> Result<Operand, EvalError> {
        let [index] = indices else {
            return Err(Error::Syntax.at(at, "one index stands in the brackets"));
        };
        let value = self.value(of)?;
        let index_at = index.at;
        let value = match value.of().map(|of| &of.kind) {
            // A pointer to an array is indexed like the array.
            Some(Kind::Pointer { to: Some(to) })
                if matches!(describe(self.context, *to).kind, Kind::Array { .. }) =>
            {
                self.target(&value, at)?
            }
            _ => value,
        };
        let value = match value.of().map(|of| &of.kind) {
            // So is a pointer to a map of the kind that is passed around by pointer.
            Some(Kind::Pointer { to: Some(to) }) if describe(self.context, *to).name == SYNC_MAP => {
                self.target(&value, at)?
            }
            _ => value,
        };
        if value.of().is_some_and(|of| matches!(of.kind, Kind::Map) || of.name == SYNC_MAP) {
            return literal::map_element(self, &value, &self.value(index)?, at, index_at);
        }
        let index = self.value(index)?;
        let wrong =
            || Error::Type.at(index_at, format!("an index is an integer, and this is {}", index.word()));
        let number = index.integer(self.context, index_at)?.ok_or_else(wrong)?;
        let within = |len: u64| {
            let found = u64::try_from(number).ok().filter(|number| *number < len);
            found.ok_or_else(|| {
                Error::OutOfRange.at(index_at, format!("index {number} is out of range: the length is {len}"))
            })
        };
        if let Some(bytes) = constant_text(&value) {
            let byte = bytes.get(within(bytes.len() as u64)? as usize).copied().unwrap_or(0);
            return Ok(Constant::Int(byte.into()).into());
        }
        let Operand::Typed { of, location } = &value else {
            return Err(Error::Type.at(at, format!("{} has no elements", value.word())));
        };
        match of.kind {
            Kind::Array { elem, len } => {
                let number = within(len)?;
                let elem = Rc::new(describe(self.context, elem));
                let offset = offset_of(&elem, number, at)?;
                Ok(Operand::part(location, elem, offset))
            }
            Kind::Slice { elem } => {
                let (data, len, _) = self.slice_header(&value, at)?;
                let number = within(len)?;
                let elem = Rc::new(describe(self.context, elem));
                let offset = offset_of(&elem, number, at)?;
                Ok(Operand::Typed { of: elem, location: Location::Address(data.wrapping_add(offset)) })
            }
            Kind::String => {
                let (data, len) = value.string_header(self.context, at)?.unwrap_or_default();
                let number = within(len)?;
                let of = types::predeclared("uint8").map(Rc::new);
                let of = of.ok_or_else(|| Error::Type.at(at, "there are no bytes"))?;
                Ok(Operand::Typed { of, location: Location::Address(data.wrapping_add(number)) })
            }
            _ => Err(Error::Type.at(at, format!("a {} has no elements", of.name))),
        }
    }

    /// Address, length and capacity of a slice; without a capacity that is kept, its length.
    pub(super) fn slice_header(&self, value: &Operand, at: usize) -> Result<(u64, u64, u64), EvalError> {
        let len = value.word_at(self.context, 8, at)?;
        let data = if len == 0 {
            value.word_at(self.context, 0, at).unwrap_or(0)
        } else {
            value.word_at(self.context, 0, at)?
        };
        let cap = value.word_at(self.context, 16, at).unwrap_or(len);
        if len > MAX_LEN || cap < len {
            let text =
                format!("the slice is damaged: its length is {}, its capacity {}", len as i64, cap as i64);
            return Err(Error::Unreadable.at(at, text));
        }
        Ok((data, len, cap))
    }

    pub(super) fn slice(
        &self,
        of: &Expr,
        parts: [Option<&Expr>; 3],
        at: usize,
    ) -> Result<Operand, EvalError> {
        let mut value = self.value(of)?;
        let [low, high, max] = parts;
        let number = |part: Option<&Expr>| {
            let Some(part) = part else { return Ok(None) };
            let found = self.value(part)?;
            let wrong =
                || Error::Type.at(part.at, format!("an index is an integer, and this is {}", found.word()));
            let number = found.integer(self.context, part.at)?.ok_or_else(wrong)?;
            Ok(Some((number, part.at)))
        };
        let (low, high, max) = (number(low)?, number(high)?, number(max)?);
        // Checks low ≤ high ≤ max ≤ most, and gives the first two and the third.
        let bounds = |len: u64, most: u64| {
            let (low, low_at) = low.unwrap_or((0, at));
            let (high, high_at) = high.unwrap_or((len.into(), at));
            let (max, max_at) = max.unwrap_or((most.into(), at));
            let out = |number: i128, at, most: i128| {
                Error::OutOfRange.at(at, format!("bound {number} is out of range: the most is {most}"))
            };
            match () {
                () if max < 0 || max > most.into() => Err(out(max, max_at, most.into())),
                () if high < 0 || high > max => Err(out(high, high_at, max)),
                () if low < 0 || low > high => Err(out(low, low_at, high)),
                () => Ok((low as u64, high as u64, max as u64)),
            }
        };
        if let Some(bytes) = constant_text(&value) {
            let (low, high, _) = bounds(bytes.len() as u64, bytes.len() as u64)?;
            let part = bytes.get(low as usize..high as usize).unwrap_or_default().to_vec();
            return Ok(match value {
                Operand::Text { of, .. } => Operand::Text { of, bytes: part },
                _ => Constant::Text(part).into(),
            });
        }
        if matches!(value.of().map(|of| &of.kind), Some(Kind::Pointer { to: Some(to) })
            if matches!(describe(self.context, *to).kind, Kind::Array { .. }))
        {
            value = self.target(&value, at)?;
        }
        let Operand::Typed { of, location } = &value else {
            return Err(Error::Type.at(at, format!("{} cannot be sliced", value.word())));
        };
        match &of.kind {
            Kind::String => {
                let (data, len) = value.string_header(self.context, at)?.unwrap_or_default();
                let (low, high, _) = bounds(len, len)?;
                Ok(Operand::of_words(Rc::clone(of), &[data.wrapping_add(low), high - low]))
            }
            Kind::Slice { elem } => {
                let (data, len, cap) = self.slice_header(&value, at)?;
                let (low, high, max) = bounds(len, cap)?;
                let offset = offset_of(&describe(self.context, *elem), low, at)?;
                let words = [data.wrapping_add(offset), high - low, max - low];
                Ok(Operand::of_words(Rc::clone(of), &words))
            }
            Kind::Array { elem, len } => {
                let Location::Address(address) = location else {
                    return Err(
                        Error::Type.at(at, "this array lies nowhere in memory, so it cannot be sliced")
                    );
                };
                let (low, high, max) = bounds(*len, *len)?;
                let elem_type = describe(self.context, *elem);
                let offset = offset_of(&elem_type, low, at)?;
                let of = Rc::new(types::slice_of(*elem, &elem_type.name));
                Ok(Operand::of_words(of, &[address.wrapping_add(offset), high - low, max - low]))
            }
            _ => Err(Error::Type.at(at, format!("a {} cannot be sliced", of.name))),
        }
    }

    pub(super) fn length(&self, name: &str, value: &Operand, at: usize) -> Result<Operand, EvalError> {
        let wrong = || Error::Type.at(at, format!("{} has no {name}", value.word()));
        let of_len = name == "len";
        if let Some(bytes) = constant_text(value).filter(|_| of_len) {
            return Ok(Constant::Int(bytes.len() as i128).into());
        }
        let number = match value.of().map(|of| &of.kind) {
            Some(Kind::String) if of_len => value.word_at(self.context, 8, at)?,
            Some(Kind::Array { len, .. }) => *len,
            Some(Kind::Slice { .. }) if of_len => self.slice_header(value, at)?.1,
            Some(Kind::Slice { .. }) => value.word_at(self.context, 16, at)?,
            Some(Kind::Pointer { to: Some(to) }) => match describe(self.context, *to).kind {
                Kind::Array { len, .. } => len,
                _ => return Err(wrong()),
            },
            Some(Kind::Map) if of_len => literal::map_len(self, value, at)?,
            Some(Kind::Chan) => {
                let word = value.word_at(self.context, 0, at)?;
                let field = if of_len { "qcount" } else { "dataqsiz" };
                if word == 0 { 0 } else { self.header_field("runtime.hchan", field, word, at)? }
            }
            _ => return Err(wrong()),
        };
        int(number, at)
    }

    /// A field of a structure of the runtime.
    pub(in super::super) fn header_field(
        &self,
        structure: &str,
        field: &str,
        address: u64,
        at: usize,
    ) -> Result<u64, EvalError> {
        let found = self.context.layout.structure(structure).and_then(|structure| structure.field(field));
        let found = found
            .ok_or_else(|| Error::Unreadable.at(at, format!("where {structure}.{field} is is unknown")))?;
        let location = Location::Address(address.wrapping_add(found.offset));
        Place::new(&location).number(self.context.memory, found.size).map_err(|found| gap(at, found))
    }

    /// The bytes of a slice of bytes, if it is one.
    pub(in super::super) fn bytes_of(
        &self,
        value: &Operand,
        at: usize,
    ) -> Result<Option<Vec<u8>>, EvalError> {
        let Some(Kind::Slice { elem }) = value.of().map(|of| &of.kind) else { return Ok(None) };
        let elem = describe(self.context, *elem);
        if !matches!(elem.kind, Kind::Base(BaseKind::Uint)) || elem.size != Some(1) {
            return Ok(None);
        }
        let (data, len, _) = self.slice_header(value, at)?;
        read_bytes(self.context, data, len, at).map(Some)
    }
}

fn constant_text(value: &Operand) -> Option<&[u8]> {
    match value {
        Operand::Constant(Constant::Text(bytes)) | Operand::Text { bytes, .. } => Some(bytes),
        _ => None,
    }
}

fn offset_of(elem: &Described, number: u64, at: usize) -> Result<u64, EvalError> {
    let offset = elem.size.and_then(|size| size.checked_mul(number));
    offset.ok_or_else(|| Error::Type.at(at, format!("the size of a {} is unknown", elem.name)))
}

/// An `int`.
fn int(number: u64, at: usize) -> Result<Operand, EvalError> {
    let int = types::predeclared("int").ok_or_else(|| Error::Type.at(at, "there is no int"))?;
    Ok(Operand::of_words(Rc::new(int), &[number]))
}
