//! Which parameter a register of the calling convention carries.

use panicle_binary::dwarf::{BaseKind, VariableKind};

use super::Variable;
use crate::value::{
    Context,
    describe::{Kind, TypeRef, describe},
};

/// The parameter of `function` that is passed in the register for integers of this number, among `variables`, if
/// it is one word.
pub(crate) fn parameter(
    context: &Context<'_>,
    function: &str,
    variables: &[Variable],
    number: usize,
) -> Option<usize> {
    // Generic functions have their dictionary in front.
    if function.contains('[') {
        return None;
    }
    let mut first = 0;
    let parameters =
        variables.iter().enumerate().filter(|(_, variable)| variable.kind == VariableKind::Parameter);
    for (index, variable) in parameters {
        let words = integer_words(context, TypeRef::Dwarf(variable.type_id?), 0)?;
        if first == number {
            return (words == 1).then_some(index);
        }
        first += words;
        if first > number {
            return None;
        }
    }
    None
}

/// Registers for integers that an argument of a type takes (cmd/compile/abi-internal.md); `None` for what goes
/// on the stack, and what cannot be told.
fn integer_words(context: &Context<'_>, of: TypeRef, depth: u32) -> Option<usize> {
    /// Structs within one another.
    const DEEPEST: u32 = 8;
    match describe(context, of).kind {
        Kind::Base(BaseKind::Float | BaseKind::Complex) => Some(0),
        Kind::Base(_)
        | Kind::Uintptr
        | Kind::UnsafePointer
        | Kind::Pointer { .. }
        | Kind::Func
        | Kind::Map
        | Kind::Chan => Some(1),
        Kind::String | Kind::Interface { .. } => Some(2),
        Kind::Slice { .. } => Some(3),
        Kind::Struct(fields) if depth < DEEPEST => {
            fields.iter().map(|field| integer_words(context, field.of, depth + 1)).sum()
        }
        Kind::Array { elem, len: 1 } if depth < DEEPEST => integer_words(context, elem, depth + 1),
        _ => None,
    }
}
