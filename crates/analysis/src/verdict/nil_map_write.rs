//! `nil-map-write`: an assignment to an entry of a nil map.
//!
//! Go 1.21–1.23: `plainError` in runtime/map.go, map_fast32.go, map_fast64.go, map_faststr.go
//! (mapassign*); 1.24+: `errNilAssign` of internal/runtime/maps, the same text. `reflect` and
//! `maps.Copy` reach it through the same function.

use panicle_report::{Map, MapRoot, MapRootKind, MapState, VerdictClass};

use super::{
    capture,
    finding::{Finding, in_place},
    map_in_question as question,
};
use crate::facts::{Facts, Origin, describe};

/// Frames further out that are named.
const MOST_FRAMES: usize = 4;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    if facts.runtime_error()? != "assignment to entry in nil map" {
        return None;
    }
    let culprit = Culprit::find(facts);
    let headline = match &culprit {
        Some(Culprit { name: Some(name), .. }) => format!("Write to the nil map {}", name.text),
        Some(Culprit { map: Map { type_name: Some(of), .. }, .. }) => format!("Write to a nil {of}"),
        _ => "Write to a nil map".to_owned(),
    };
    let subject = culprit.as_ref().map_or_else(|| "the map".to_owned(), Culprit::subject);
    let finding = Finding::runtime_panic(facts, VerdictClass::NilMapWrite, headline).summary(format!(
        "An entry was assigned{} while {subject} was nil: declared, or left out when its struct was made, but \
         never created with make or a literal. Reading such a map works and gives zero values, so the \
         first write is where it shows.",
        in_place(facts)
    ));
    let finding = match &culprit {
        Some(culprit) => culprit.evidence(facts, finding),
        None => with_candidates(facts, finding),
    };
    Some(
        finding
            .fix("Make the map where its owner is made: m := make(map[K]V), or in the struct's constructor.")
            .fix("Where the zero value of the struct should work, make the map before the first write: if s.m == nil { s.m = make(map[K]V) } (under the lock that guards the map).")
            .fix("After decoding (JSON, YAML, gob), expect maps that were absent from the input to be nil.")
            .example(include_str!("examples/nil_map_write.go"))
            .capture(capture::CORE)
            .capture("staticcheck ./...: SA5000 finds maps that are nil on every path."),
    )
}

/// The nil map that was written to.
struct Culprit<'a> {
    map: &'a Map,
    name: Option<question::Name<'a>>,
    /// The struct that has the field.
    owner: Option<&'a str>,
}

impl<'a> Culprit<'a> {
    fn find(facts: &Facts<'a>) -> Option<Self> {
        let (map, user) = question::of(facts).filter(|(map, _)| map.state == MapState::Nil)?;
        let name = question::name_in(facts, map, user);
        Some(Self { map, name, owner: name.and_then(|name| name.root.owner.as_deref()) })
    }

    /// `c.entries (map[string]int), a field of *session.Cache 0xc000012345,`
    fn subject(&self) -> String {
        let of = self.map.type_name.as_deref().unwrap_or("a map");
        let plain = match self.name {
            Some(name) => name.with(of),
            None => format!("a {of}"),
        };
        match self.owner {
            Some(owner) => format!("{plain}, a field of {owner},"),
            None => plain,
        }
    }

    /// What the field is, and who had it before the frame that wrote.
    fn evidence(&self, facts: &Facts<'_>, finding: Finding) -> Finding {
        let place = self.roots_of(facts).next().and_then(reference);
        let mut finding =
            finding.evidence("map", format!("Nil: {}", self.subject().trim_end_matches(',')), place);
        finding.map = Some(self.map.address);
        let mut told = false;
        for root in self.roots_of(facts).skip(1).take(MOST_FRAMES) {
            let Some(variable) = root.name() else { continue };
            let frame = facts
                .crashing
                .zip(root.frame)
                .and_then(|(goroutine, frame)| goroutine.frames.get(usize::try_from(frame).ok()?));
            let Some(frame) = frame else { continue };
            told = true;
            finding = finding.evidence(
                "map",
                format!("Received from {}, which has it as {variable}", describe(frame)),
                reference(root),
            );
        }
        let globals = self.map.roots.iter().filter(|root| root.kind == MapRootKind::Global);
        for global in globals.filter_map(question::package_variable).take(MOST_FRAMES) {
            told = true;
            finding = finding.evidence("map", format!("Held by {global}"), None);
        }
        if told {
            finding
        } else {
            finding.evidence("map", "Where it was declared or allocated, memory does not tell", None)
        }
    }

    /// The variables of the goroutine at fault that lead to it, innermost frame first.
    fn roots_of<'f>(&'f self, facts: &'f Facts<'_>) -> impl Iterator<Item = &'f MapRoot> {
        let id = facts.crashing.map(|goroutine| goroutine.id);
        let mut roots: Vec<&MapRoot> = self
            .map
            .roots
            .iter()
            .filter(|root| root.goroutine.is_some() && root.goroutine == id && root.name().is_some())
            .collect();
        roots.sort_by_key(|root| root.frame);
        roots.into_iter()
    }
}

fn reference(root: &MapRoot) -> Option<String> {
    Some(format!("goroutine {} frame {}", root.goroutine?, root.frame?))
}

/// Names the nil maps of the frame that wrote, where it is not known which of them it was.
fn with_candidates(facts: &Facts<'_>, finding: Finding) -> Finding {
    let Some(place) = facts.place() else { return finding };
    let at_the_place = |root: &&MapRoot| {
        root.goroutine == Some(place.goroutine) && root.frame == Some(place.index as u64) && root.certain
    };
    let nil = facts.maps.iter().filter(|map| map.state == MapState::Nil);
    let named: Vec<String> = nil
        .filter_map(|map| {
            let root = map.roots.iter().find(at_the_place)?;
            Some(format!("{} ({})", root.name()?, map.type_name.as_deref().unwrap_or("?")))
        })
        .take(MOST_FRAMES)
        .collect();
    if named.is_empty() && facts.origin == Origin::Memory {
        return finding.evidence(
            "map",
            "Which map it was is not known: the compiler kept no variable that leads to it",
            Some(place.reference()),
        );
    }
    if named.is_empty() {
        return finding;
    }
    finding.hint(format!("Nil maps within reach of that frame: {}.", named.join(", ")))
}
