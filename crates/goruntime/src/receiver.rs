//! Receivers of methods, for executables without debug information.
//!
//! A method's name tells the type of its receiver, and the runtime's type data has that type if the program
//! ever allocates one or puts one into an interface. In place of the name that the source has for it, the receiver
//! goes by its type: `(*main.Server).sessions`.

use std::collections::{HashMap, HashSet};

use crate::{
    args,
    process::Process,
    spell,
    unwind::PhysicalFrame,
    value::{Context, Location, describe::TypeRef},
};

/// Bytes of type data that are looked through.
const MOST_BYTES: u64 = 128 << 20;
/// Descriptors are aligned to words in every version.
const ALIGNMENT: u64 = 8;

/// What a method's name says of its receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OfMethod<'n> {
    /// The package, as functions' names have it.
    pub(crate) package: &'n str,
    pub(crate) name: &'n str,
    pub(crate) pointer: bool,
}

/// The receiver of the method `function`, as the function table spells it: `example.com/x/y.(*T).M`.
pub(crate) fn of_method(function: &str) -> Option<OfMethod<'_>> {
    let package = spell::package(function)?;
    let local = function.get(package.len() + 1..)?;
    // Methods of generic types have shapes in their names, and not types.
    if local.contains('[') {
        return None;
    }
    let (name, method) = local.split_once('.')?;
    let pointer = name.strip_prefix("(*").and_then(|name| name.strip_suffix(')'));
    // Closures are named after the method that they stand in, and have no receiver.
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let name = pointer.or(Some(name)).filter(|name| is_name(name) && is_name(method))?;
    Some(OfMethod { package, name, pointer: pointer.is_some() })
}

/// Where the first argument of a method lies, which its receiver is; `None` while it lies nowhere.
pub(crate) fn slot(process: &Process<'_>, frame: &PhysicalFrame) -> Option<u64> {
    let slot = args::slots(process, frame).first().copied().flatten()?;
    Some(frame.argp.wrapping_add(slot.start))
}

/// The receiver of a frame's method.
#[derive(Clone, Debug)]
pub struct Receiver {
    package: String,
    name: String,
    pub(crate) pointer: bool,
    /// Where it is: the pointer, if it is one.
    pub(crate) location: Location,
}

impl Receiver {
    pub(crate) fn new(of: &OfMethod<'_>, location: Location) -> Self {
        Self { package: of.package.to_owned(), name: of.name.to_owned(), pointer: of.pointer, location }
    }

    /// Its type, or what it points at, if `name` is how that is called: `main.Server`, or with the import path.
    pub(crate) fn type_called(&self, context: &Context<'_>, name: &str) -> Option<TypeRef> {
        // Looking through all types is the last that is done.
        if name.rsplit('.').next() != Some(self.name.as_str()) {
            return None;
        }
        let wanted = HashMap::from([(self.name.as_str(), HashSet::from([self.package.as_str()]))]);
        let types = TypeNames::find(context, &wanted);
        let of = OfMethod { package: &self.package, name: &self.name, pointer: self.pointer };
        let (of, called) = types.of(&of)?;
        let full = format!("{}.{}", self.package, self.name);
        (name == called || name == full || escaped_type(name) == full).then_some(of)
    }
}

/// A type's name with its import path, as functions' names have it.
fn escaped_type(name: &str) -> String {
    name.rsplit_once('.').map_or_else(String::new, |(path, name)| format!("{}.{name}", escaped(path)))
}

/// Types by package and name: where each is, and what Go calls it.
#[derive(Debug, Default)]
pub(crate) struct TypeNames(HashMap<(String, String), (u64, String)>);

impl TypeNames {
    /// Looks through the type data for types of these names, each with the packages it may be of. There is no list
    /// of all types (`typelinks` has those without a name only, and Go 1.27 does without), but whatever has the
    /// shape of a descriptor and such a name is one.
    pub(crate) fn find(context: &Context<'_>, wanted: &HashMap<&str, HashSet<&str>>) -> Self {
        let mut found: HashMap<(String, String), (u64, String)> = HashMap::new();
        let Some(types) = context.types else { return Self::default() };
        let (start, end) = types.bounds();
        let end = end.min(start.saturating_add(MOST_BYTES));
        let mut at = start;
        while at < end {
            if let Some(of) = types.read(context.memory, at)
                && of.named
                && let Some(path) = of.package.as_deref()
                && let Some((_, name)) = of.name.rsplit_once('.')
                && wanted.get(name).is_some_and(|packages| packages.contains(escaped(path).as_str()))
            {
                let key = (escaped(path), name.to_owned());
                // Types of one name, declared in functions, are told apart by nothing.
                found.entry(key).and_modify(|known| known.0 = 0).or_insert_with(|| (at, of.name.clone()));
            }
            at += ALIGNMENT;
        }
        found.retain(|_, known| known.0 != 0);
        Self(found)
    }

    /// The type of a receiver, or what it points at, and what Go calls that: `main.Server`.
    pub(crate) fn of(&self, receiver: &OfMethod<'_>) -> Option<(TypeRef, &str)> {
        let key = (receiver.package.to_owned(), receiver.name.to_owned());
        self.0.get(&key).map(|(address, name)| (TypeRef::Runtime(*address), name.as_str()))
    }
}

/// An import path as functions' names have it: dots of the last element as `%2e` (cmd/internal/objabi/path.go).
fn escaped(path: &str) -> String {
    let last = path.rfind('/').map_or(0, |slash| slash + 1);
    let (lead, last) = path.split_at(last);
    format!("{lead}{}", last.replace('.', "%2e"))
}

#[cfg(test)]
mod tests {
    use super::{OfMethod, escaped, escaped_type, of_method};

    #[test]
    fn methods_tell_the_type_of_their_receiver() {
        let pointer = |package, name| Some(OfMethod { package, name, pointer: true });
        assert_eq!(of_method("main.(*Server).Add"), pointer("main", "Server"));
        assert_eq!(of_method("example.com/x/store.(*DB).Get"), pointer("example.com/x/store", "DB"));
        let value = Some(OfMethod { package: "main", name: "Server", pointer: false });
        assert_eq!(of_method("main.Server.Add"), value);
        for function in
            ["main.main", "main.(*Server).Add.func1", "main.(*List[go.shape.int]).Push", "crosscall2"]
        {
            assert_eq!(of_method(function), None, "{function}");
        }
        assert_eq!(escaped("gopkg.in/yaml.v3"), "gopkg.in/yaml%2ev3");
        assert_eq!(escaped_type("gopkg.in/yaml.v3.Node"), "gopkg.in/yaml%2ev3.Node");
    }
}
