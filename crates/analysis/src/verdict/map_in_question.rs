//! The map that a crash is about, in words: what it is called, who used it, who holds it.

use panicle_report::{Confidence, Map, MapOperation, MapRoot, MapRootKind, MapState, MapUser, VerdictClass};

use super::finding::Finding;
use crate::facts::Facts;

/// Holders that a sentence names, and variables of packages with them.
const MOST_NAMED: usize = 5;
const MOST_GLOBALS: usize = 2;

/// The map that the goroutine at fault was in an operation on when it ended the process.
pub(super) fn of<'a>(facts: &Facts<'a>) -> Option<(&'a Map, &'a MapUser)> {
    let at_fault = facts.crashing.map(|goroutine| goroutine.id);
    let noticed = |user: &&MapUser| user.noticed;
    let mut users =
        facts.maps.iter().flat_map(|map| map.users.iter().filter(noticed).map(move |user| (map, user)));
    // Two may have noticed at once.
    users.clone().find(|(_, user)| Some(user.goroutine) == at_fault).or_else(|| users.next())
}

/// What a map is called, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    /// The root that has the name.
    pub(super) root: &'a MapRoot,
    pub(super) text: &'a str,
    /// It is not the place of the crash that calls the map so.
    elsewhere: bool,
}

impl Name<'_> {
    /// `s.byPath (map[string]int, 512 entries, 0xc0000920f0)`, with the frame that the name is good in unless it is
    /// that of the crash.
    pub(super) fn with(&self, particulars: &str) -> String {
        let place = match (self.root.goroutine, self.root.frame) {
            (Some(goroutine), Some(frame)) if self.elsewhere => {
                format!("; so called in frame {frame} of goroutine {goroutine}")
            }
            _ => String::new(),
        };
        format!("{} ({particulars}{place})", self.text)
    }
}

/// What the place of the crash calls the map, or else the caller of the operation: `s.byPath`; or else somebody.
pub(super) fn name_in<'a>(facts: &Facts<'_>, map: &'a Map, user: &MapUser) -> Option<Name<'a>> {
    let place = facts.place().filter(|place| place.goroutine == user.goroutine);
    let frames = [place.map(|place| place.index as u64), user.caller_frame];
    let named = || map.roots.iter().filter(|root| root.certain && root.name().is_some());
    let named_in =
        |frame: u64| named().find(|root| root.goroutine == Some(user.goroutine) && root.frame == Some(frame));
    let here = frames.into_iter().flatten().find_map(named_in);
    let root = here.or_else(|| named().next())?;
    Some(Name { root, text: root.name()?, elsewhere: here.is_none() })
}

/// `map[string]int, 512 entries, 0xc0000920f0`.
pub(super) fn particulars(map: &Map) -> String {
    let mut parts: Vec<String> = map.type_name.iter().cloned().collect();
    if map.state == MapState::Nil {
        parts.push("nil".to_owned());
        return parts.join(", ");
    }
    parts.extend(map.count.map(|count| match count {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    }));
    parts.push(map.address.to_string());
    parts.join(", ")
}

/// What a goroutine was doing: `writing it`.
pub(super) fn doing(operation: MapOperation) -> &'static str {
    match operation {
        MapOperation::Read => "reading it",
        MapOperation::Write => "writing to it",
        MapOperation::Delete => "deleting from it",
        MapOperation::Iterate => "iterating over it",
        MapOperation::Clear => "clearing it",
    }
}

/// Whether an operation changes the map.
pub(super) fn changes(operation: MapOperation) -> bool {
    matches!(operation, MapOperation::Write | MapOperation::Delete | MapOperation::Clear)
}

/// The goroutines, each once, that were in an operation on the map which can clash with that of `noticed`: the
/// certain ones first, and then by how the map of the operation is known, the surest way first ([`panicle_report::MapKnown`]). What
/// an operation holds says more than what lies where it came from, and an iterator of a loop that may be over says
/// least.
///
/// Of two that only read neither is a party. Who noticed in the middle of a write did so by a mark that only
/// writers leave.
pub(super) fn parties<'a>(map: &'a Map, noticed: &MapUser, writers_only: bool) -> Vec<&'a MapUser> {
    let clashes = |user: &&MapUser| {
        user.goroutine != noticed.goroutine
            && (changes(user.operation) || (!writers_only && changes(noticed.operation)))
    };
    let mut parties: Vec<&MapUser> = map.users.iter().filter(clashes).collect();
    parties.sort_by_key(|user| (!user.certain, user.known, user.goroutine));
    let mut seen = Vec::new();
    parties.retain(|user| {
        let new = !seen.contains(&user.goroutine);
        seen.push(user.goroutine);
        new
    });
    parties
}

/// `goroutine 18 (s.byPath)`: who else holds the map, for people to look at. Who holds it by a variable comes first,
/// then those whose stacks or registers have a word that equals its address, which makes it likely.
pub(super) fn holders(map: &Map, except: u64) -> Vec<String> {
    let mut seen = vec![except];
    let mut named: Vec<String> = Vec::new();
    let mut more = 0_usize;
    for certain in [true, false] {
        for root in map.roots.iter().filter(|root| root.certain == certain) {
            let Some(id) = root.goroutine.filter(|id| !seen.contains(id)) else { continue };
            seen.push(id);
            if named.len() == MOST_NAMED {
                more += 1;
                continue;
            }
            named.push(match holds(root) {
                Some(how) => format!("goroutine {id} ({how})"),
                None => format!("goroutine {id}"),
            });
        }
    }
    let globals = map.roots.iter().filter(|root| root.kind == MapRootKind::Global);
    named.extend(globals.filter_map(package_variable).take(MOST_GLOBALS));
    match more {
        0 => {}
        1 => named.push("1 more goroutine".to_owned()),
        more => named.push(format!("{more} more goroutines")),
    }
    if map.roots_left_out > 0 {
        named.push(format!("whoever has {} more places that are not listed", map.roots_left_out));
    }
    named
}

/// By what a goroutine holds a map.
fn holds(root: &MapRoot) -> Option<String> {
    if root.certain {
        return root.name().map(str::to_owned);
    }
    let how = match root.kind {
        MapRootKind::Stack => "its address lies on the stack",
        MapRootKind::Register => "its address is in a register",
        _ => match &root.variable {
            Some(variable) => return Some(format!("likely: {variable}")),
            None => "it went into an operation there",
        },
    };
    Some(format!("likely: {how}"))
}

/// `the package variable main.sessions`; by its address where no name is known.
pub(super) fn package_variable(root: &MapRoot) -> Option<String> {
    match (&root.variable, root.slot) {
        (Some(name), _) => Some(format!("the package variable {name}")),
        (None, Some(slot)) => Some(format!("the package variable at {slot}")),
        (None, None) => None,
    }
}

/// A fault inside the map's own code is seldom the fault of what the message blames: another goroutine was
/// writing to the map, or its memory was overwritten.
pub(super) fn blame_for_a_fault(facts: &Facts<'_>, mut finding: Finding) -> Finding {
    if !matches!(finding.class, VerdictClass::NilDereference | VerdictClass::UnexpectedFault) {
        return finding;
    }
    let Some(id) = facts.crashing.map(|goroutine| goroutine.id) else { return finding };
    let used = facts.maps.iter().find_map(|map| {
        let user =
            map.users.iter().find(|user| user.goroutine == id && user.function.starts_with("runtime."))?;
        Some((map, user))
    });
    let Some((map, user)) = used.filter(|(map, _)| map.state != MapState::Nil) else { return finding };
    let parties = parties(map, user, false);
    let others: Vec<String> = parties
        .iter()
        .map(|party| format!("goroutine {} was {}", party.goroutine, doing(party.operation)))
        .collect();
    finding = finding.evidence(
        "map",
        format!(
            "The fault is inside the code of maps, while {} a {}",
            doing(user.operation),
            particulars(map)
        ),
        Some(reference(map)),
    );
    let meanwhile =
        if others.is_empty() { String::new() } else { format!(" Meanwhile {}.", others.join(", ")) };
    finding = finding.hint(format!(
        "Look for a second goroutine that uses the map without a lock: a fault inside the code of maps is mostly \
         that, and the nil pointer is one of the map's own.{meanwhile}"
    ));
    finding.map = Some(map.address);
    finding.other_goroutines.extend(parties.iter().map(|party| party.goroutine));
    finding.sure(
        Confidence::Likely,
        "Likely: the runtime names the fault, but it is inside the code of maps, which does not fail so by itself.",
    )
}

/// What the header says of a write under way.
pub(super) fn write_flag(map: &Map) -> Option<&'static str> {
    map.header.as_ref()?;
    Some(match map.flags.iter().find(|flag| matches!(flag.as_str(), "hashWriting" | "writing")) {
        Some(flag) if flag == "hashWriting" => {
            "its flag hashWriting is set, so a write is under way or was cut short"
        }
        Some(_) => "its field writing is set, so a write is under way or was cut short",
        None => "its header shows no write under way any more",
    })
}

/// How evidence names the map: `map 0xc0000920f0`.
pub(super) fn reference(map: &Map) -> String {
    format!("map {}", map.address)
}

/// How evidence names the frame of an operation's caller.
pub(super) fn reference_of(user: &MapUser) -> String {
    format!("goroutine {} frame {}", user.goroutine, user.caller_frame.unwrap_or(user.frame))
}

#[cfg(test)]
mod tests {
    use panicle_report::{
        Address, Map, MapImplementation, MapKnown, MapOperation, MapRoot, MapRootKind, MapState, MapUser,
    };

    use super::{holders, parties};

    fn user(goroutine: u64, operation: MapOperation, certain: bool) -> MapUser {
        MapUser {
            goroutine,
            frame: 2,
            function: "runtime.mapassign_faststr".to_owned(),
            operation,
            certain,
            noticed: goroutine == 1,
            caller_frame: Some(3),
            caller: None,
            known: MapKnown::Argument,
            because: String::new(),
        }
    }

    fn used_by(users: Vec<MapUser>) -> Map {
        Map {
            address: Address(0xc0_0000_1000),
            type_name: Some("map[string]int".to_owned()),
            type_address: None,
            implementation: Some(MapImplementation::Swiss),
            count: Some(3),
            room: None,
            size_bytes: None,
            state: MapState::Normal,
            allocated: Some(true),
            header: None,
            flags: Vec::new(),
            problems: Vec::new(),
            roots: Vec::new(),
            roots_left_out: 0,
            expression: None,
            users,
        }
    }

    #[test]
    fn only_who_clashes_is_a_party_and_the_certain_come_first() {
        use MapOperation as O;
        let others = || {
            vec![
                user(2, O::Read, true),
                user(3, O::Delete, false),
                user(4, O::Write, true),
                user(4, O::Write, true),
                user(5, O::Iterate, true),
            ]
        };
        let of = |operation, writers_only| {
            let noticed = user(1, operation, true);
            let map = used_by([vec![noticed.clone()], others()].concat());
            parties(&map, &noticed, writers_only).iter().map(|user| user.goroutine).collect::<Vec<_>>()
        };
        // The mark by which a writer notices is left by writers alone.
        assert_eq!(of(O::Write, true), [4, 3]);
        // Readers do not clash with one another.
        assert_eq!(of(O::Read, false), [4, 3]);
        assert_eq!(of(O::Iterate, false), [4, 3]);
        assert_eq!(of(O::Write, false), [2, 4, 5, 3]);
    }

    #[test]
    fn of_parties_the_one_whose_map_is_known_best_comes_first() {
        use MapKnown as K;
        let noticed = user(1, MapOperation::Write, true);
        let likely = |goroutine, known| MapUser { known, ..user(goroutine, MapOperation::Write, false) };
        let sure = MapUser { known: K::Variable, ..user(9, MapOperation::Write, true) };
        let others =
            [likely(2, K::Iterator), likely(3, K::Scan), likely(4, K::ReadAgain), sure, likely(5, K::Scan)];
        let map = used_by([vec![noticed.clone()], others.to_vec()].concat());
        let order: Vec<u64> = parties(&map, &noticed, true).iter().map(|user| user.goroutine).collect();
        assert_eq!(order, [9, 4, 3, 5, 2]);
    }

    #[test]
    fn holders_are_told_as_what_they_are() {
        let root = |goroutine, kind, variable: Option<&str>| MapRoot {
            goroutine,
            frame: goroutine.map(|_| 1),
            called: None,
            variable: variable.map(str::to_owned),
            kind,
            certain: !matches!(kind, MapRootKind::Stack | MapRootKind::Register),
            slot: Some(Address(0x1000)),
            owner: None,
        };
        let map = Map {
            roots: vec![
                root(Some(1), MapRootKind::Local, Some("m")),
                root(Some(2), MapRootKind::Stack, None),
                root(Some(3), MapRootKind::Register, None),
                root(Some(2), MapRootKind::Argument, Some("s.users")),
                root(None, MapRootKind::Global, Some("main.users")),
                root(None, MapRootKind::Global, None),
            ],
            ..used_by(Vec::new())
        };
        let told = [
            "goroutine 2 (s.users)",
            "goroutine 3 (likely: its address is in a register)",
            "the package variable main.users",
            "the package variable at 0x1000",
        ];
        assert_eq!(holders(&map, 1), told);
    }
}
