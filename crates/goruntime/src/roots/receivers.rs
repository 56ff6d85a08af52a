//! Receivers of methods, for executables without debug information.

use std::collections::{HashMap, HashSet};

use panicle_report::{FrameKind, MapRootKind};

use super::{
    Search, View,
    variables::{Called, Start},
};
use crate::{
    frames::LogicalFrame,
    goroutine::G,
    receiver::{self, TypeNames},
    value::{Location, describe::TypeRef},
};

/// Finds the types of the receivers of all methods that have frames.
pub(super) fn types_of_frames(view: &View<'_, '_>) -> TypeNames {
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
                && let Some(receiver) = receiver::of_method(function)
            {
                wanted.entry(receiver.name).or_default().insert(receiver.package);
            }
        }
    }
    if wanted.is_empty() { TypeNames::default() } else { TypeNames::find(view.context, &wanted) }
}

impl Search<'_, '_> {
    /// What the receiver of a method points at, and how an expression names it: `(*main.Server)`.
    pub(super) fn pointer_receiver(&self, function: &str) -> Option<(TypeRef, String)> {
        let receiver = receiver::of_method(function).filter(|receiver| receiver.pointer)?;
        let (of, name) = self.type_names.of(&receiver)?;
        Some((of, format!("(*{name})")))
    }

    /// Adds what the receiver of a frame leads to; false when it has none, or of an unknown type.
    pub(super) fn receiver(&mut self, g: &G, frame: &LogicalFrame, place: (u64, u64)) -> bool {
        if frame.call().inlined {
            return false;
        }
        let Some(receiver) = receiver::of_method(frame.physical_name()) else { return false };
        let Some((of, name)) = self.type_names.of(&receiver) else { return false };
        let name = if receiver.pointer { format!("(*{name})") } else { name.to_owned() };
        if !self.graph.plans.leads(of) {
            return false;
        }
        let view = self.view;
        // It is the first argument; only while it lies in its slot is its value known.
        let Some(slot) = receiver::slot(view.process, &frame.physical) else { return true };
        let location = if receiver.pointer {
            view.context.memory.word(slot).filter(|&pointer| pointer != 0).map(Location::Address)
        } else {
            Some(Location::Address(slot))
        };
        let Some(location) = location else { return true };
        self.follow(&Start {
            name: Called::Expression(&name),
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
