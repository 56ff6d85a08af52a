//! Types that an expression names.

use std::{cell::Cell, rc::Rc};

use panicle_binary::dwarf::BaseKind;
use panicle_report::EvalError;

use super::error::Kind as Error;
use super::parser::{Expr, Node, Type};
use crate::value::{
    Context, TypeRef,
    describe::{Described, Kind, at_runtime_address, describe},
    type_name,
};

/// Types of one name that a message lists.
const MOST_TOLD: usize = 4;
/// Searches through all names of the executable that one expression may cause.
const MOST_SEARCHES: u32 = 64;

/// How names of types that stand for several in generic code begin.
const SHAPE: &str = "go.shape.";

/// Predeclared types: name, size, kind.
const PREDECLARED: [(&str, u64, Predeclared); 20] = [
    ("bool", 1, Predeclared::Base(BaseKind::Bool)),
    ("int", 8, Predeclared::Base(BaseKind::Int)),
    ("int8", 1, Predeclared::Base(BaseKind::Int)),
    ("int16", 2, Predeclared::Base(BaseKind::Int)),
    ("int32", 4, Predeclared::Base(BaseKind::Int)),
    ("int64", 8, Predeclared::Base(BaseKind::Int)),
    ("uint", 8, Predeclared::Base(BaseKind::Uint)),
    ("uint8", 1, Predeclared::Base(BaseKind::Uint)),
    ("uint16", 2, Predeclared::Base(BaseKind::Uint)),
    ("uint32", 4, Predeclared::Base(BaseKind::Uint)),
    ("uint64", 8, Predeclared::Base(BaseKind::Uint)),
    ("float32", 4, Predeclared::Base(BaseKind::Float)),
    ("float64", 8, Predeclared::Base(BaseKind::Float)),
    ("complex64", 8, Predeclared::Base(BaseKind::Complex)),
    ("complex128", 16, Predeclared::Base(BaseKind::Complex)),
    ("uintptr", 8, Predeclared::Uintptr),
    ("string", 16, Predeclared::String),
    ("unsafe.Pointer", 8, Predeclared::UnsafePointer),
    ("interface {}", 16, Predeclared::Interface),
    ("error", 16, Predeclared::Error),
];

#[derive(Clone, Copy)]
enum Predeclared {
    Base(BaseKind),
    Uintptr,
    String,
    UnsafePointer,
    Interface,
    Error,
}

/// The predeclared type of this name.
pub(super) fn predeclared(name: &str) -> Option<Described> {
    let (name, size, kind) = PREDECLARED.into_iter().find(|known| known.0 == name)?;
    let kind = match kind {
        Predeclared::Base(base) => Kind::Base(base),
        Predeclared::Uintptr => Kind::Uintptr,
        Predeclared::String => Kind::String,
        Predeclared::UnsafePointer => Kind::UnsafePointer,
        Predeclared::Interface => Kind::Interface { empty: true },
        Predeclared::Error => Kind::Interface { empty: false },
    };
    Some(Described { type_ref: None, name: name.to_owned(), size: Some(size), kind })
}

/// A pointer to `of`; `None` when that is a type that an expression made up.
pub(super) fn pointer_to(of: &Described) -> Option<Described> {
    let name = format!("*{}", of.name);
    Some(Described { type_ref: None, name, size: Some(8), kind: Kind::Pointer { to: Some(of.type_ref?) } })
}

/// Slices of `elem`, which is called `name`.
pub(super) fn slice_of(elem: TypeRef, name: &str) -> Described {
    Described { type_ref: None, name: format!("[]{name}"), size: Some(24), kind: Kind::Slice { elem } }
}

/// How the type `expr` is spelled in Go's own messages; `None` when it cannot be a type.
/// Names without a package are predeclared, or those of `package`.
pub(super) fn spelled(expr: &Expr, package: Option<&str>) -> Option<String> {
    let spelled = |expr: &Expr| spelled(expr, package);
    Some(match &expr.node {
        Node::Name(name) => match name.as_str() {
            "byte" => "uint8".to_owned(),
            "rune" => "int32".to_owned(),
            "any" => "interface {}".to_owned(),
            name => match package {
                Some(package) if !name.contains('/') && predeclared(name).is_none() => {
                    format!("{package}.{name}")
                }
                _ => name.to_owned(),
            },
        },
        Node::Field(of, name) => match &of.node {
            Node::Name(package) => format!("{package}.{name}"),
            _ => return None,
        },
        Node::Index(of, arguments) => {
            if !matches!(of.node, Node::Name(_) | Node::Field(..)) {
                return None;
            }
            let arguments: Vec<_> = arguments.iter().map(spelled).collect::<Option<_>>()?;
            format!("{}[{}]", spelled(of)?, arguments.join(","))
        }
        Node::Star(to) => format!("*{}", spelled(to)?),
        Node::Type(Type::Slice(elem)) => format!("[]{}", spelled(elem)?),
        Node::Type(Type::Array(len, elem)) => match len.node {
            Node::Int(len) => format!("[{len}]{}", spelled(elem)?),
            _ => return None,
        },
        Node::Type(Type::Map(key, elem)) => format!("map[{}]{}", spelled(key)?, spelled(elem)?),
        Node::Type(Type::Chan(elem)) => format!("chan {}", spelled(elem)?),
        Node::Type(Type::Spelled(text)) => {
            let plain = text.replace("interface{", "interface {").replace("struct{", "struct {");
            plain.replace("{ }", "{}")
        }
        _ => return None,
    })
}

/// Looks names up.
pub(super) struct Names<'n> {
    pub(super) context: &'n Context<'n>,
    /// Where names without a package belong.
    pub(super) package: Option<&'n str>,
    /// Searches through all names that may still be made.
    pub(super) searches: Cell<u32>,
}

impl<'n> Names<'n> {
    pub(super) fn new(context: &'n Context<'n>, package: Option<&'n str>) -> Self {
        Self { context, package, searches: Cell::new(MOST_SEARCHES) }
    }

    /// Takes one off the searches that there may be.
    pub(super) fn search(&self, at: usize) -> Result<(), EvalError> {
        let left = self.searches.get().checked_sub(1);
        self.searches.set(left.unwrap_or(0));
        left.map(|_| ())
            .ok_or_else(|| Error::Limit.at(at, "the expression has too many names that are not known"))
    }
}

/// The type that `expr` names; `None` when it names none.
pub(super) fn find(names: &Names<'_>, expr: &Expr) -> Result<Option<Rc<Described>>, EvalError> {
    let Some(name) = spelled(expr, names.package) else { return Ok(None) };
    Ok(lookup(names, expr, &name)?.map(Rc::new))
}

/// Whether there is a type that goes by `name`, with an import path.
pub(super) fn is_type(names: &Names<'_>, name: &str) -> bool {
    let expr = Expr { at: 0, node: Node::Name(name.to_owned()) };
    matches!(find(names, &expr), Ok(Some(_)))
}

fn lookup(names: &Names<'_>, expr: &Expr, name: &str) -> Result<Option<Described>, EvalError> {
    let context = names.context;
    if let Some(id) =
        context.dwarf.and_then(|dwarf| dwarf.type_named(name).or_else(|| dwarf.type_named(&escaped(name))))
    {
        let found = describe(context, TypeRef::Dwarf(id));
        if !matches!(found.kind, Kind::Unknown) {
            return Ok(Some(found));
        }
    }
    if let Some(found) = predeclared(name) {
        return Ok(Some(found));
    }
    // What these are made of is looked up, and they need not be known themselves.
    let made_up = match &expr.node {
        Node::Star(to) => find(names, to)?.and_then(|to| pointer_to(&to)),
        Node::Type(Type::Slice(elem)) => {
            find(names, elem)?.and_then(|elem| Some(slice_of(elem.type_ref?, &elem.name)))
        }
        Node::Type(Type::Array(len, elem)) => match (&len.node, find(names, elem)?) {
            (Node::Int(len), Some(found)) => array_of(&found, *len, len_position(expr))?,
            _ => None,
        },
        _ => None,
    };
    if made_up.is_some() {
        return Ok(made_up);
    }
    Ok(by_short_name(names, expr.at, name)?.map(|of| describe(context, of)))
}

fn len_position(expr: &Expr) -> usize {
    expr.at
}

fn array_of(elem: &Described, len: i128, at: usize) -> Result<Option<Described>, EvalError> {
    let (Some(of), Some(size)) = (elem.type_ref, elem.size) else { return Ok(None) };
    let wrong = || Error::Type.at(at, "an array cannot have this length");
    let len = u64::try_from(len).map_err(|_| wrong())?;
    let size = size.checked_mul(len).ok_or_else(wrong)?;
    let name = format!("[{len}]{}", elem.name);
    Ok(Some(Described { type_ref: None, name, size: Some(size), kind: Kind::Array { elem: of, len } }))
}

/// The type that Go's messages call `name`, where packages go by their names and not by their paths.
fn by_short_name(names: &Names<'_>, at: usize, name: &str) -> Result<Option<TypeRef>, EvalError> {
    let context = names.context;
    // Without a package there is but one of each name, and that has been looked for.
    if !name.contains('.') && context.dwarf.is_some() && !name.contains('[') {
        return Ok(None);
    }
    names.search(at)?;
    let last = name.rsplit(['.', ']', ' ']).next().unwrap_or(name);
    if let Some(dwarf) = context.dwarf {
        let found: Vec<(String, TypeRef)> = dwarf
            // Shapes are what the compiler calls types within generic code; no value is of one.
            .types_where(|full| full.ends_with(last) && full.len() >= name.len() && !full.starts_with(SHAPE))
            .filter(|(_, id)| type_name(context, *id) == name)
            .map(|(full, id)| (full, TypeRef::Dwarf(id)))
            .filter(|(_, of)| !matches!(describe(context, *of).kind, Kind::Unknown))
            .collect();
        if let Some(of) = the_only(name, found, at)? {
            return Ok(Some(of));
        }
    }
    let Some(types) = context.types else { return Ok(None) };
    // With an import path: the type's own name and its package.
    let path = name.rfind('/').and_then(|slash| Some(slash + name[slash..].find('.')?));
    let (package, short) = match path {
        Some(dot) => {
            let from = name[..dot].rfind('/').map_or(0, |slash| slash + 1);
            (Some(&name[..dot]), &name[from..])
        }
        None => (None, name),
    };
    let of_package = |found: &crate::value::rtype::RuntimeType| match package {
        None => true,
        Some(path) => {
            found.package.as_deref().is_some_and(|package| package == path || package == escaped(path))
        }
    };
    let found = types.find(context.memory, |found| {
        // The name of a package need not be the last element of its path.
        let same = found.name == short
            || (package.is_some()
                && found.name.split_once('.').map(|name| name.1) == short.split_once('.').map(|name| name.1));
        same && of_package(found)
    });
    let mut packages: Vec<_> = found.iter().map(|(_, found)| found.package.clone()).collect();
    packages.sort();
    packages.dedup();
    if packages.len() > 1 {
        let known: Vec<_> = packages.into_iter().flatten().take(MOST_TOLD).collect();
        let text = format!("{name} is a type of {}: give the import path", known.join(" and of "));
        return Err(Error::UnknownName.at(at, text));
    }
    Ok(found.first().map(|(address, _)| at_runtime_address(context, *address)))
}

/// A name with its import path as symbols and debug information spell it: dots of the last element of
/// the path are written `%2e` (cmd/internal/objabi/path.go).
pub(super) fn escaped(name: &str) -> String {
    let end = name.find('[').unwrap_or(name.len());
    let Some(slash) = name[..end].rfind('/') else { return name.to_owned() };
    let Some(dot) = name[slash..end].rfind('.') else { return name.to_owned() };
    let (path, rest) = name.split_at(slash + dot);
    format!("{}{}{rest}", &path[..slash], path[slash..].replace('.', "%2e"))
}

/// What `name` stands for among `found`, which are full names with what they are; several of different names
/// are an error that lists them.
pub(super) fn the_only<T>(
    name: &str,
    mut found: Vec<(String, T)>,
    at: usize,
) -> Result<Option<T>, EvalError> {
    found.dedup_by(|one, other| one.0 == other.0);
    if found.len() > 1 {
        let known: Vec<_> = found.iter().take(MOST_TOLD).map(|(name, _)| name.as_str()).collect();
        let text = format!("{name} may be any of {}: give the import path", known.join(", "));
        return Err(Error::UnknownName.at(at, text));
    }
    Ok(found.pop().map(|(_, one)| one))
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn escapes_dots_of_the_last_element() {
        assert_eq!(escaped("gopkg.in/yaml.v3.Node"), "gopkg.in/yaml%2ev3.Node");
        assert_eq!(escaped("example.com/x/y.T"), "example.com/x/y.T");
        assert_eq!(escaped("main.T"), "main.T");
        assert_eq!(escaped("main.T[a.b/c.D]"), "main.T[a.b/c.D]");
    }
}
