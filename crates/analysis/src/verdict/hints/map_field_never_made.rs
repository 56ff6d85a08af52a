//! A field with a nil map in a struct whose other maps were made: its constructor leaves that one out.

use panicle_report::{Map, MapRoot, MapState, VerdictClass};

use super::Finding;
use crate::{facts::Facts, verdict::map_in_question as question};

pub(super) fn look(facts: &Facts<'_>, finding: &Finding) -> Option<String> {
    if finding.class != VerdictClass::NilMapWrite {
        return None;
    }
    let (map, _) = question::of(facts).filter(|(map, _)| map.state == MapState::Nil)?;
    let root = map.roots.iter().find(|root| root.owner.is_some() && root.name().is_some())?;
    let (owner, name) = (root.owner.as_deref()?, root.name()?);
    let made: Vec<&str> = siblings(facts, owner, name).collect();
    let first = made.first()?;
    let of = owner.split_whitespace().next().unwrap_or(owner).trim_start_matches('*');
    let field = field(name);
    let others = match made.len() {
        1 => format!("{} was", self::field(first)),
        count => format!("{} and {} more were", self::field(first), count - 1),
    };
    Some(format!(
        "{others} made in this very {of}, and {field} was not: where the struct is made, that field is left out. Look at \
         the functions that make a {of}."
    ))
}

/// Names of maps in other fields of the same struct that are not nil.
fn siblings<'a>(facts: &Facts<'a>, owner: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let is_made = |map: &&Map| {
        matches!(map.state, MapState::Normal | MapState::Empty | MapState::Growing | MapState::Writing)
    };
    let of_owner = move |root: &&'a MapRoot| {
        root.owner.as_deref() == Some(owner)
            && root.certain
            && root.name().is_some_and(|other| field(other) != field(name))
    };
    let mut named: Vec<&str> = facts
        .maps
        .iter()
        .filter(is_made)
        .filter_map(|map| map.roots.iter().find(of_owner))
        .filter_map(|root| root.name())
        .collect();
    named.dedup_by_key(|name| field(name));
    named.into_iter()
}

/// `byUser` of `t.byUser`.
fn field(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
