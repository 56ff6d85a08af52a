//! The map that a crash is about, in words: what it is called, who used it, who holds it.

use panicle_report::{Confidence, Map, MapOperation, MapRoot, MapRootKind, MapState, MapUser, VerdictClass};

use super::finding::Finding;
use crate::facts::Facts;

/// Holders that a sentence names.
const MOST_NAMED: usize = 5;

/// The map that the goroutine at fault was in an operation on when it ended the process.
pub(super) fn of<'a>(facts: &Facts<'a>) -> Option<(&'a Map, &'a MapUser)> {
    let at_fault = facts.crashing.map(|goroutine| goroutine.id);
    let noticed = |user: &&MapUser| user.noticed;
    let mut users =
        facts.maps.iter().flat_map(|map| map.users.iter().filter(noticed).map(move |user| (map, user)));
    // Two may have noticed at once.
    users.clone().find(|(_, user)| Some(user.goroutine) == at_fault).or_else(|| users.next())
}

/// What the place of the crash calls the map, or else the caller of the operation: `s.byPath`.
pub(super) fn name_in<'a>(facts: &Facts<'_>, map: &'a Map, user: &MapUser) -> Option<&'a str> {
    let place = facts.place().filter(|place| place.goroutine == user.goroutine);
    let frames = [place.map(|place| place.index as u64), user.caller_frame];
    let named_in = |frame: u64| {
        map.roots.iter().find(|root| {
            root.goroutine == Some(user.goroutine)
                && root.frame == Some(frame)
                && root.variable.is_some()
                && root.certain
        })
    };
    let named = frames.into_iter().flatten().find_map(named_in).or_else(|| any_name(map))?;
    named.variable.as_deref()
}

/// The most telling root that has a name.
fn any_name(map: &Map) -> Option<&MapRoot> {
    map.roots.iter().find(|root| root.variable.is_some() && root.certain)
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
/// certain ones first.
///
/// Of two that only read neither is a party. Who noticed in the middle of a write did so by a mark that only
/// writers leave.
pub(super) fn parties<'a>(map: &'a Map, noticed: &MapUser, writers_only: bool) -> Vec<&'a MapUser> {
    let clashes = |user: &&MapUser| {
        user.goroutine != noticed.goroutine
            && (changes(user.operation) || (!writers_only && changes(noticed.operation)))
    };
    let mut parties: Vec<&MapUser> = map.users.iter().filter(clashes).collect();
    parties.sort_by_key(|user| (!user.certain, user.goroutine));
    let mut seen = Vec::new();
    parties.retain(|user| {
        let new = !seen.contains(&user.goroutine);
        seen.push(user.goroutine);
        new
    });
    parties
}

/// `goroutine 18 (s.byPath)`: who else holds the map by a variable, for people to look at.
pub(super) fn holders(map: &Map, except: u64) -> Vec<String> {
    let mut seen = vec![except];
    let mut named: Vec<String> = Vec::new();
    let mut more = 0_usize;
    for root in map.roots.iter().filter(|root| root.certain) {
        let Some(id) = root.goroutine.filter(|id| !seen.contains(id)) else { continue };
        seen.push(id);
        if named.len() == MOST_NAMED {
            more += 1;
            continue;
        }
        named.push(match &root.variable {
            Some(variable) => format!("goroutine {id} ({variable})"),
            None => format!("goroutine {id}"),
        });
    }
    let globals = map.roots.iter().filter(|root| root.kind == MapRootKind::Global);
    named.extend(
        globals
            .filter_map(|root| root.variable.as_deref())
            .map(|name| format!("the variable {name}"))
            .take(2),
    );
    if more > 0 {
        named.push(format!("{more} more goroutines"));
    }
    named
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
    use panicle_report::{Address, Map, MapImplementation, MapOperation, MapState, MapUser};

    use super::parties;

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
}
