//! The walk over an expression's tree.

use std::{cell::Cell, rc::Rc};

use panicle_binary::dwarf::BaseKind;
use panicle_report::EvalError;

use super::{
    Scope,
    error::Kind as Error,
    literal,
    operand::{Constant, Operand, gap, read_bytes},
    operators,
    parser::{Expr, Node},
    types,
};
use crate::value::{
    Context, Location, TypeRef,
    describe::{Described, Field, Kind, describe},
    interface::{Dynamic, dynamic},
    place::Place,
};

/// Structs embedded in one another that a field is looked for in.
const MOST_EMBEDDED: usize = 8;
/// Structs that are looked at for one field.
const MOST_STRUCTS: usize = 256;
/// No slice or string is longer.
const MAX_LEN: u64 = 1 << 46;

/// What a walk works with.
pub(super) struct Evaluator<'e> {
    pub(super) context: &'e Context<'e>,
    pub(super) scope: &'e Scope<'e>,
    pub(super) names: types::Names<'e>,
    /// Elements that may still be compared.
    pub(super) work: Cell<u64>,
}

/// What a name or a part of one stands for.
enum Meaning {
    Value(Operand),
    /// A package, of which one of this name may be or not.
    Package(String),
}

impl Evaluator<'_> {
    pub(super) fn value(&self, expr: &Expr) -> Result<Operand, EvalError> {
        let at = expr.at;
        match &expr.node {
            Node::Int(number) => Ok(Constant::Int(*number).into()),
            Node::Rune(c) => Ok(Constant::Int(i128::from(u32::from(*c))).into()),
            Node::Float(number) => Ok(Constant::Float(*number).into()),
            Node::Text(text) => Ok(Constant::Text(text.clone()).into()),
            Node::Name(_) | Node::Field(..) => match self.meaning(expr)? {
                Meaning::Value(value) => Ok(value),
                Meaning::Package(name) => Err(self.unknown_name(at, &name)),
            },
            Node::Index(of, indices) => self.index(of, indices, at),
            Node::Slice(of, [low, high, max]) => self.slice(of, [low, high, max].map(Option::as_deref), at),
            Node::Star(of) => {
                let value = self.value(of)?;
                self.target(&value, at)
            }
            Node::Address(of) => {
                let Operand::Typed { of, location: Location::Address(address) } = self.value(of)? else {
                    return Err(Error::Type.at(at, "this value lies nowhere in memory, so it has no address"));
                };
                let pointer = types::pointer_to(&of).ok_or_else(|| {
                    Error::Unsupported.at(at, format!("no type of pointers to {} is known", of.name))
                })?;
                Ok(Operand::of_words(Rc::new(pointer), &[address]))
            }
            Node::Unary(mark, of) => operators::unary(self, mark, &self.value(of)?, at),
            Node::Binary(mark @ ("&&" | "||"), left, right) => {
                let first = self.boolean(left)?;
                // As in Go, what does not matter is not looked at.
                let decided = first == (*mark == "||");
                Ok(Constant::Bool(if decided { first } else { self.boolean(right)? }).into())
            }
            Node::Binary(mark, left, right) => {
                operators::binary(self, mark, &self.value(left)?, &self.value(right)?, at)
            }
            Node::Call(of, arguments) => self.call(of, arguments, at),
            Node::Assert(of, to) => self.assert(of, to, at),
            Node::Composite(of, elements) => {
                let of = self.named_type(of)?;
                literal::composite(self, &of, elements, at)
            }
            Node::Type(_) => Err(Error::Type.at(at, "this is a type and not a value")),
        }
    }

    fn boolean(&self, expr: &Expr) -> Result<bool, EvalError> {
        let value = self.value(expr)?;
        let wrong = || Error::Type.at(expr.at, format!("a bool is needed, and this is {}", value.word()));
        value.boolean(self.context, expr.at)?.ok_or_else(wrong)
    }

    /// Takes one off the work that there may be.
    pub(super) fn work(&self, at: usize) -> Result<(), EvalError> {
        let left = self.work.get().checked_sub(1);
        self.work.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or_else(|| Error::Limit.at(at, "the expression takes too much work"))
    }

    // Names.

    fn meaning(&self, expr: &Expr) -> Result<Meaning, EvalError> {
        let at = expr.at;
        match &expr.node {
            Node::Name(name) => {
                if let Some(value) = self.variable(name, at)? {
                    return Ok(Meaning::Value(value));
                }
                Ok(match name.as_str() {
                    "nil" => Meaning::Value(Constant::Nil.into()),
                    "true" => Meaning::Value(Constant::Bool(true).into()),
                    "false" => Meaning::Value(Constant::Bool(false).into()),
                    name => Meaning::Package(name.to_owned()),
                })
            }
            Node::Field(of, name) => match self.meaning_of_base(of)? {
                Meaning::Value(value) => Ok(Meaning::Value(self.field(&value, name, at)?)),
                Meaning::Package(package) => {
                    let full = format!("{package}.{name}");
                    let global = self.global(&full, at)?;
                    global.map(Meaning::Value).ok_or_else(|| self.unknown_name(of.at, &full))
                }
            },
            _ => Ok(Meaning::Value(self.value(expr)?)),
        }
    }

    fn meaning_of_base(&self, expr: &Expr) -> Result<Meaning, EvalError> {
        match expr.node {
            Node::Name(_) => self.meaning(expr),
            _ => Ok(Meaning::Value(self.value(expr)?)),
        }
    }

    /// A variable that goes by `name` alone: of the frame, or of the package of its function.
    fn variable(&self, name: &str, at: usize) -> Result<Option<Operand>, EvalError> {
        let local = self.scope.variables.iter().find(|variable| variable.name == name && !variable.hidden);
        if let Some(variable) = local {
            let not_kept = || {
                Error::NotKept
                    .at(at, format!("{name} has no value here: the compiler kept it nowhere at this point"))
            };
            let of = variable
                .type_id
                .ok_or_else(|| Error::Type.at(at, format!("the type of {name} is unknown")))?;
            let location = variable.location.clone().ok_or_else(not_kept)?;
            return Ok(Some(Operand::at(self.context, TypeRef::Dwarf(of), location)));
        }
        if name.contains('/') {
            return self.global(name, at);
        }
        match self.scope.package {
            Some(package) => self.global(&format!("{package}.{name}"), at),
            None => Ok(None),
        }
    }

    fn global(&self, name: &str, at: usize) -> Result<Option<Operand>, EvalError> {
        let found = super::global(&self.names, name, at)?;
        Ok(found.map(|(of, address)| Operand::at(self.context, of, Location::Address(address))))
    }

    fn unknown_name(&self, at: usize, name: &str) -> EvalError {
        if self.context.dwarf.is_none() {
            let text = format!(
                "{name} cannot be looked up: the executable has no debug information, which alone knows variables. \
                 An address can be given a type: (*main.T)(0xc000012345)"
            );
            return Error::UnknownName.at(at, text);
        }
        let text = match (name.contains('.'), self.scope.frame) {
            (true, _) => format!("there is no package variable {name}"),
            (false, Some(frame)) => {
                format!("{frame} has no variable {name} here, and neither has its package")
            }
            (false, None) => format!("there is no frame to look {name} up in; name its package, too"),
        };
        Error::UnknownName.at(at, text)
    }

    // Types.

    /// The type that `expr` names, which has to be one.
    fn named_type(&self, expr: &Expr) -> Result<Rc<Described>, EvalError> {
        types::find(&self.names, expr)?.ok_or_else(|| {
            let name = types::spelled(expr, None).unwrap_or_else(|| "this".to_owned());
            Error::UnknownName.at(expr.at, format!("{name} is no type that the process has"))
        })
    }

    fn call(&self, of: &Expr, arguments: &[Expr], at: usize) -> Result<Operand, EvalError> {
        if let Node::Name(name) = &of.node
            && matches!(name.as_str(), "len" | "cap")
            && let [argument] = arguments
            && self.variable(name, at)?.is_none()
        {
            return self.length(name, &self.value(argument)?, argument.at);
        }
        // A conversion, unless the name means something else.
        let shadowed = matches!(&of.node, Node::Name(name) if self.variable(name, of.at)?.is_some());
        if let ([argument], false) = (arguments, shadowed)
            && let Some(to) = types::find(&self.names, of)?
        {
            return operators::convert(self, &self.value(argument)?, &to, at);
        }
        let callee = types::spelled(of, None);
        let is_type = matches!(of.node, Node::Star(_) | Node::Type(_));
        if let (Some(name), true) = (&callee, is_type) {
            return Err(Error::UnknownName.at(of.at, format!("{name} is no type that the process has")));
        }
        if callee.is_some() && self.context.dwarf.is_none() {
            let name = callee.unwrap_or_default();
            return Err(Error::UnknownName.at(of.at, format!("{name} is no type that the process has")));
        }
        Err(Error::Unsupported.at(at, "functions cannot be called: the process is dead"))
    }

    fn assert(&self, of: &Expr, to: &Expr, at: usize) -> Result<Operand, EvalError> {
        let value = self.value(of)?;
        let to_at = to.at;
        if matches!(&to.node, Node::Name(name) if name == "type") {
            return Err(Error::Syntax.at(to_at, "a type has to be named here"));
        }
        let Some((of, held)) = self.held(&value, at)? else {
            return Err(
                Error::Type.at(at, format!("only interfaces hold other types, and this is {}", value.word()))
            );
        };
        let to = self.named_type(to)?;
        if matches!(to.kind, Kind::Interface { .. }) {
            return Err(Error::Unsupported
                .at(to_at, "which methods a type has is not looked at; name the type itself"));
        }
        let Some(held) = held else {
            return Err(
                Error::NilDereference.at(at, format!("the {} is nil and holds no {}", of.name, to.name))
            );
        };
        let found = held.of().map(|of| of.name.clone()).unwrap_or_default();
        if found == to.name {
            return Ok(held);
        }
        Err(Error::Type.at(at, format!("the {} holds a {found}, and no {}", of.name, to.name)))
    }

    /// What the interface `value` holds; `None` when it is none, `None` inside when it is nil.
    #[expect(clippy::type_complexity, reason = "the type of the interface, and what it holds")]
    pub(super) fn held(
        &self,
        value: &Operand,
        at: usize,
    ) -> Result<Option<(Rc<Described>, Option<Operand>)>, EvalError> {
        let Some(of) = value.of() else { return Ok(None) };
        let Kind::Interface { empty } = of.kind else { return Ok(None) };
        let (word, data) = (value.word_at(self.context, 0, at)?, value.word_at(self.context, 8, at)?);
        if word == 0 {
            return Ok(Some((Rc::clone(of), None)));
        }
        let unknown =
            || Error::Unreadable.at(at, format!("what it holds is of an unknown type at {word:#x}"));
        let Dynamic { of: held, direct } = dynamic(self.context, empty, word).ok_or_else(unknown)?;
        let held = Operand::at(self.context, held, Dynamic::location(direct, data));
        Ok(Some((Rc::clone(of), Some(held))))
    }

    // Parts of values.

    /// What the pointer `value` points at.
    fn target(&self, value: &Operand, at: usize) -> Result<Operand, EvalError> {
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
    fn field(&self, value: &Operand, name: &str, at: usize) -> Result<Operand, EvalError> {
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

    fn index(&self, of: &Expr, indices: &[Expr], at: usize) -> Result<Operand, EvalError> {
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
        if value.of().is_some_and(|of| matches!(of.kind, Kind::Map)) {
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
        let (Operand::Typed { of, location }, true) = (&value, true) else {
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

    fn slice(&self, of: &Expr, parts: [Option<&Expr>; 3], at: usize) -> Result<Operand, EvalError> {
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

    fn length(&self, name: &str, value: &Operand, at: usize) -> Result<Operand, EvalError> {
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
    pub(super) fn header_field(
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
    pub(super) fn bytes_of(&self, value: &Operand, at: usize) -> Result<Option<Vec<u8>>, EvalError> {
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
