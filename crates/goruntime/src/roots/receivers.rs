//! Receivers of methods, for executables without debug information.
//!
//! A method's name tells the type of its receiver, and the runtime's type data has that type if the program
//! ever allocates one or puts one into an interface.

use std::collections::{HashMap, HashSet};

use panicle_report::{FrameKind, MapRootKind};

use super::{Search, View, variables::Start};
use crate::{
    args,
    frames::LogicalFrame,
    goroutine::G,
    spell,
    value::{Context, Location, describe::TypeRef},
};

/// Bytes of type data that are looked through.
const MOST_BYTES: u64 = 128 << 20;
/// Descriptors are aligned to words in every version.
const ALIGNMENT: u64 = 8;

/// A method's receiver, by the method's name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Receiver<'n> {
    package: &'n str,
    name: &'n str,
    pointer: bool,
}

/// The receiver of the method `function`, as the function table spells it: `example.com/x/y.(*T).M`.
fn receiver(function: &str) -> Option<Receiver<'_>> {
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
    Some(Receiver { package, name, pointer: pointer.is_some() })
}

/// Addresses of types by package and name.
#[derive(Debug, Default)]
pub(super) struct TypeNames(HashMap<(String, String), u64>);

impl TypeNames {
    /// Finds the types of the receivers of all methods that have frames.
    pub(super) fn of_frames(view: &View<'_, '_>) -> Self {
        let mut wanted: HashMap<&str, HashSet<&str>> = HashMap::new();
        let mut seen = HashSet::new();
        for (_, stack) in view.goroutines {
            for frame in &stack.frames {
                // Calls that were inlined have no arguments of their own.
                if frame.call().inlined || frame.call().kind != FrameKind::Go {
                    continue;
                }
                let function = frame.physical_name();
                if seen.insert(function)
                    && let Some(receiver) = receiver(function)
                {
                    wanted.entry(receiver.name).or_default().insert(receiver.package);
                }
            }
        }
        if wanted.is_empty() { Self::default() } else { Self::find(view.context, &wanted) }
    }

    /// Looks through the type data. There is no list of all types (`typelinks` has those without a name only,
    /// and Go 1.27 does without), but whatever has the shape of a descriptor and such a name is one.
    fn find(context: &Context<'_>, wanted: &HashMap<&str, HashSet<&str>>) -> Self {
        let mut found = HashMap::new();
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
                // Types of one name, declared in functions, are told apart by nothing.
                found.entry((escaped(path), name.to_owned())).and_modify(|known| *known = 0).or_insert(at);
            }
            at += ALIGNMENT;
        }
        found.retain(|_, address| *address != 0);
        Self(found)
    }
}

/// An import path as functions' names have it: dots of the last element as `%2e` (cmd/internal/objabi/path.go).
fn escaped(path: &str) -> String {
    let last = path.rfind('/').map_or(0, |slash| slash + 1);
    let (lead, last) = path.split_at(last);
    format!("{lead}{}", last.replace('.', "%2e"))
}

impl TypeNames {
    /// The type that the receiver of the method `function` points at, and the receiver as it is shown.
    pub(super) fn pointer_receiver(&self, function: &str) -> Option<(TypeRef, String)> {
        let receiver = receiver(function).filter(|receiver| receiver.pointer)?;
        Some((self.type_of(&receiver)?, receiver.shown()))
    }

    fn type_of(&self, receiver: &Receiver<'_>) -> Option<TypeRef> {
        let key = (receiver.package.to_owned(), receiver.name.to_owned());
        self.0.get(&key).copied().map(TypeRef::Runtime)
    }
}

impl Receiver<'_> {
    /// `(*main.Server)`, in place of the name that the source has for it.
    fn shown(&self) -> String {
        let package = self.package.rsplit('/').next().unwrap_or(self.package);
        if self.pointer { format!("(*{package}.{})", self.name) } else { format!("{package}.{}", self.name) }
    }
}

impl Search<'_, '_> {
    /// Adds what the receiver of a frame leads to; false when it has none, or of an unknown type.
    pub(super) fn receiver(&mut self, g: &G, frame: &LogicalFrame, place: (u64, u64)) -> bool {
        if frame.call().inlined {
            return false;
        }
        let Some(receiver) = receiver(frame.physical_name()) else { return false };
        let Some(of) = self.type_names.type_of(&receiver) else { return false };
        if !self.graph.plans.leads(of) {
            return false;
        }
        let view = self.view;
        let slots = args::slots(view.process, &frame.physical);
        // It is the first argument; only while it lies in its slot is its value known.
        let Some(slot) = slots.first().copied().flatten() else { return true };
        let slot = frame.physical.argp.wrapping_add(slot.start);
        let location = if receiver.pointer {
            view.context.memory.word(slot).filter(|&pointer| pointer != 0).map(Location::Address)
        } else {
            Some(Location::Address(slot))
        };
        let Some(location) = location else { return true };
        self.follow(&Start {
            name: &receiver.shown(),
            of,
            location: &location,
            object: receiver.pointer,
            kind: MapRootKind::Argument,
            rank: self.rank(place),
            frame: Some(place),
            nil: view.crashing == Some(g.id),
            certain: true,
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Receiver, escaped, receiver};

    #[test]
    fn methods_tell_the_type_of_their_receiver() {
        let pointer = |package, name| Some(Receiver { package, name, pointer: true });
        assert_eq!(receiver("main.(*Server).Add"), pointer("main", "Server"));
        assert_eq!(receiver("example.com/x/store.(*DB).Get"), pointer("example.com/x/store", "DB"));
        let value = Some(Receiver { package: "main", name: "Server", pointer: false });
        assert_eq!(receiver("main.Server.Add"), value);
        for function in
            ["main.main", "main.(*Server).Add.func1", "main.(*List[go.shape.int]).Push", "crosscall2"]
        {
            assert_eq!(receiver(function), None, "{function}");
        }
        assert_eq!(escaped("gopkg.in/yaml.v3"), "gopkg.in/yaml%2ev3");
    }
}
