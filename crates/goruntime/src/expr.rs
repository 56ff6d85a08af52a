//! Go-like expressions over the memory of a process: `c.users["k1"].Name`, `*(*main.User)(0xc000012345)`.
//!
//! The grammar is Go's ("Expressions" of its specification) without what would run the program: calls,
//! receives, function literals. Names are looked up as Go does: variables of the frame, those that a closure
//! captured with them, variables of the function's package, then those of other packages by name
//! (`http.DefaultClient`) or import path (`net/http.DefaultClient`). What debug information alone knows,
//! variables and their types, a stripped executable does not have; its types are still there by name, so that
//! addresses can be given one: `(*main.T)(0xc000012345)`. A map is a pointer to its header, so that
//! `(map[string]int)(0xc000012345)` is the map whose header a report says is there.
//!
//! Beyond Go: numbers convert to pointers, elements of maps and results of assertions have addresses, and a
//! constant that is compared with an interface takes the type of what that holds.
//!
//! Nothing is written and nothing read is trusted: an expression is bounded in length, depth and work, and
//! every error has a kind, a sentence and the byte of the expression that it is about.

mod equal;
mod error;
mod eval;
mod lexer;
mod literal;
mod operand;
mod operators;
mod parser;
mod types;

use std::{cell::Cell, rc::Rc};

use panicle_report::{Address, EvalError, Evaluated};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::{
    locals::Variable,
    maps,
    receiver::Receiver,
    value::{
        self, Context, Location, TypeRef,
        describe::Kind,
        json::{self, Json},
        quote_text, without_path,
    },
};
use eval::Evaluator;
use operand::{Constant, Operand};
use types::Names;

/// Values that are compared in one expression. The keys of a large map may all have to be.
const MOST_WORK: u64 = 50_000_000;

/// Where the names of an expression are looked up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'s> {
    /// The variables of the frame.
    pub variables: &'s [Variable],
    /// The import path of the package of the frame's function.
    pub package: Option<&'s str>,
    /// The frame's function, for messages.
    pub frame: Option<&'s str>,
    /// The receiver of the frame's method, where no variable stands for it.
    pub receiver: Option<&'s Receiver>,
    /// What keys are hashed with; without it a key of a map is compared with all of them.
    pub hashes: Option<&'s maps::Hashes>,
}

/// The value of an expression.
#[derive(Clone, Debug)]
pub struct Value {
    operand: Operand,
}

/// Evaluates `expression`.
pub fn evaluate(context: &Context<'_>, scope: &Scope<'_>, expression: &str) -> Result<Value, EvalError> {
    let names = Names::new(context, scope.package);
    let known = |name: &str| matches!(global(&names, name, 0), Ok(Some(_))) || types::is_type(&names, name);
    let tree = parser::parse(expression, &known)?;
    let evaluator =
        Evaluator { context, scope, names: Names::new(context, scope.package), work: Cell::new(MOST_WORK) };
    let operand = evaluator.value(&tree)?;
    operand.check(context, tree.at)?;
    Ok(Value { operand })
}

/// Whether `name` is the name of one type, as an expression has it.
pub(crate) fn names_a_type(context: &Context<'_>, name: &str) -> bool {
    let names = Names::new(context, None);
    let Ok(tree) = parser::parse(name, &|name| types::is_type(&names, name)) else { return false };
    types::find(&names, &tree).is_ok_and(|found| found.is_some_and(|found| found.name == name))
}

/// Looks for `key` in the map of type `of` at `address`.
pub fn map_lookup(
    context: &Context<'_>,
    hashes: Option<&maps::Hashes>,
    of: &maps::MapType,
    address: u64,
    key: &Value,
) -> Result<maps::Lookup, EvalError> {
    let scope = Scope { hashes, ..Scope::default() };
    let evaluator =
        Evaluator { context, scope: &scope, names: Names::new(context, None), work: Cell::new(MOST_WORK) };
    literal::lookup(&evaluator, of, address, &key.operand, 0)
}

impl Value {
    /// Its type as Go spells it; `None` for untyped constants.
    pub fn type_name(&self) -> Option<&str> {
        self.operand.of().map(|of| of.name.as_str())
    }

    /// The runtime's descriptor of its type, where there is one.
    pub fn type_address(&self, context: &Context<'_>) -> Option<u64> {
        match self.operand.of()?.type_ref? {
            TypeRef::Runtime(address) => Some(address),
            TypeRef::Dwarf(id) => Some(context.types?.address(context.dwarf?.ty(id).runtime_type?)),
            TypeRef::Any => None,
        }
    }

    /// Where the header of the map is that it is, 0 for a nil map; `None` for what is no map, and where it cannot
    /// be read. A `sync.Map` is its own header, and a pointer to one leads to it.
    pub fn map_address(&self, context: &Context<'_>) -> Option<u64> {
        let of = self.operand.of()?;
        let word = || self.operand.word_at(context, 0, 0).ok();
        match of.kind {
            Kind::Map => word(),
            Kind::Struct(_) if of.name == "sync.Map" => self.address(),
            Kind::Pointer { .. } if of.name == "*sync.Map" => word(),
            _ => None,
        }
    }

    /// Where it lies; `None` for what lies nowhere.
    pub fn address(&self) -> Option<u64> {
        match &self.operand {
            Operand::Typed { location: Location::Address(address), .. } => Some(*address),
            _ => None,
        }
    }

    /// The value written as in a report.
    pub fn text(&self, context: &Context<'_>, limits: value::Limits) -> String {
        match &self.operand {
            Operand::Typed { of, location } => value::format_described(context, of, location, limits),
            Operand::Text { bytes, .. } | Operand::Constant(Constant::Text(bytes)) => {
                quote_text(bytes, limits.bytes)
            }
            Operand::Constant(Constant::Nil) => "nil".to_owned(),
            Operand::Constant(Constant::Bool(value)) => value.to_string(),
            Operand::Constant(Constant::Int(number)) => number.to_string(),
            Operand::Constant(Constant::Float(number)) => number.to_string(),
            Operand::Composite { of, .. } => format!("{}{{…}}", of.name),
        }
    }

    /// The value as JSON, read while it is written; see [`json`].
    pub fn json<'v>(&'v self, context: &'v Context<'v>, limits: json::Limits) -> ValueJson<'v> {
        ValueJson { operand: &self.operand, context, limits, cut: Cell::new(false) }
    }

    /// The answer to the question for `expression`, without the value itself.
    pub fn about(&self, context: &Context<'_>, expression: &str, limits: value::Limits) -> Evaluated {
        Evaluated {
            expr: expression.to_owned(),
            type_name: self.type_name().map(str::to_owned),
            type_address: self.type_address(context).map(Address),
            address: self.address().map(Address),
            text: self.text(context, limits),
        }
    }
}

/// Serializes whether `value` was cut, for a field behind it.
pub fn is_cut<S: Serializer>(value: &&ValueJson<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(value.is_cut())
}

/// A value as JSON, read while it is serialized.
pub struct ValueJson<'v> {
    operand: &'v Operand,
    context: &'v Context<'v>,
    limits: json::Limits,
    cut: Cell<bool>,
}

impl ValueJson<'_> {
    /// Whether something was left out because it was too much in all, once it was serialized. What the limit for
    /// elements leaves out is said at each of them.
    pub fn is_cut(&self) -> bool {
        self.cut.get()
    }
}

impl Serialize for ValueJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.operand {
            Operand::Typed { of, location } => {
                let json = Json::described(self.context, Rc::clone(of), location, self.limits);
                let written = json.serialize(serializer);
                self.cut.set(json.is_cut());
                written
            }
            Operand::Text { bytes, .. } | Operand::Constant(Constant::Text(bytes)) => {
                json::text(serializer, bytes, bytes.len() as u64)
            }
            Operand::Constant(Constant::Nil) => serializer.serialize_unit(),
            Operand::Constant(Constant::Bool(value)) => serializer.serialize_bool(*value),
            Operand::Constant(Constant::Int(number)) => {
                match (i64::try_from(*number), u64::try_from(*number)) {
                    (Ok(number), _) => serializer.serialize_i64(number),
                    (_, Ok(number)) => serializer.serialize_u64(number),
                    _ => serializer.serialize_str(&number.to_string()),
                }
            }
            Operand::Constant(Constant::Float(number)) => json::float(serializer, *number),
            Operand::Composite { elements, .. } => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("len", &elements.len())?;
                map.end()
            }
        }
    }
}

/// The package variable called `name`, with the import path of its package or with its name: its type and
/// where it is.
fn global(names: &Names<'_>, name: &str, at: usize) -> Result<Option<(TypeRef, u64)>, EvalError> {
    let context = names.context;
    let Some(dwarf) = context.dwarf else { return Ok(None) };
    let found = dwarf.variable(name).or_else(|| dwarf.variable(&types::escaped(name)));
    let place = |variable: panicle_binary::dwarf::Variable| {
        (TypeRef::Dwarf(variable.type_id), variable.address.wrapping_add(context.bias))
    };
    if let Some(found) = found {
        return Ok(Some(place(found)));
    }
    // Packages go by their names in Go's own messages, and in the program.
    if name.contains('/') || !name.contains('.') {
        return Ok(None);
    }
    names.search(at)?;
    let last = name.rsplit('.').next().unwrap_or(name);
    let found: Vec<_> = dwarf
        .variables()
        .filter(|(full, _)| full.ends_with(last) && full.contains('/') && without_path(context, full) == name)
        .collect();
    Ok(types::the_only(name, found, at)?.map(place))
}
