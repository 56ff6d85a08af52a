//! The walk over an expression's tree.

mod parts;

use std::{cell::Cell, rc::Rc};

use panicle_report::EvalError;

use super::{
    Scope,
    error::Kind as Error,
    literal,
    operand::{Constant, Operand},
    operators,
    parser::{Expr, Node},
    types,
};
use crate::{
    locals::Variable,
    value::{
        Context, Location, TypeRef,
        describe::{Described, Kind, describe},
        interface::{Dynamic, dynamic},
    },
};

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
                if let Some(receiver) = self.receiver(of, true) {
                    return Ok(receiver);
                }
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
                    if let Some(receiver) = self.receiver(expr, false) {
                        return Ok(Meaning::Value(receiver));
                    }
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
        let local = Variable::named(self.scope.variables, name);
        if let Some(variable) = local.and_then(|index| self.scope.variables.get(index)) {
            let of = variable
                .type_id
                .ok_or_else(|| Error::Type.at(at, format!("the type of {name} is unknown")))?;
            let location = variable.location.clone().ok_or_else(|| {
                let of = describe(self.context, TypeRef::Dwarf(of));
                let cast = match of.kind {
                    Kind::Pointer { .. } | Kind::Map => of.name,
                    _ => format!("*{}", of.name),
                };
                let text = format!(
                    "{name} has no value here: the compiler kept it nowhere at this point. If its address is known \
                     from elsewhere, as maps are listed with theirs, it can be given its type: ({cast})(0xc000012345)"
                );
                Error::NotKept.at(at, text)
            })?;
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

    /// The receiver of the frame's method, by the type that `expr` names, or that it is a pointer to. Without debug
    /// information it has no other name.
    fn receiver(&self, expr: &Expr, pointer: bool) -> Option<Operand> {
        let receiver = self.scope.receiver.filter(|receiver| receiver.pointer == pointer)?;
        let of = receiver.type_called(self.context, &types::spelled(expr, None)?)?;
        if !pointer {
            return Some(Operand::at(self.context, of, receiver.location.clone()));
        }
        let to = types::pointer_to(&describe(self.context, of))?;
        Some(Operand::Typed { of: Rc::new(to), location: receiver.location.clone() })
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
}
