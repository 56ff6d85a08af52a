//! What a map holds.

use std::cmp::Ordering;

use super::describe::TypeRef;
use super::place::{Location, Place};
use super::write::{Style, Writer};
use super::{Context, Limits};
use crate::maps::{self, Entry, MapType};

/// Bytes of a map that are looked at for its first entries: one that was large once has few of them.
const MOST_LOOKED_AT: u64 = 1 << 20;
/// Entries that are put in order.
const MOST_SORTED: usize = 10_000;
/// How much of a key is looked at to sort by it.
const SORT_BY: Limits = Limits { depth: 1, elements: 4, bytes: 64, total: 128 };

/// Writes the entries of the map of type `of` whose header is at `address` and which says to have `count`:
/// `{"a": 1, "b": 2}`, nothing when it has none. Those that are written are in the order of their keys, as
/// Go prints them.
pub(super) fn write(writer: &mut Writer<'_>, of: TypeRef, address: u64, count: u64) {
    let context = writer.context;
    let Some(of) = MapType::of(context, of) else { return };
    // Each takes more than a byte of text.
    let most = count.min(writer.limits.elements).min(writer.limits.total as u64);
    if count == 0 {
        return;
    }
    // Whoever wants that many of them wants them wherever they lie.
    let many = most > MOST_SORTED as u64;
    let mut walk = maps::entries(context, &of, address).within(if many { u64::MAX } else { MOST_LOOKED_AT });
    let mut found: Vec<Entry> = walk.by_ref().take(usize::try_from(most).unwrap_or(0)).collect();
    writer.text(" {");
    list(writer, &of, &mut found);
    let lead = if found.is_empty() { "" } else { ", " };
    let missing = most.saturating_sub(found.len() as u64);
    if missing > 0 && !walk.is_cut() {
        writer.text(&format!("{lead}<{missing} not found>"));
    } else if count > found.len() as u64 {
        writer.text(&format!("{lead}… {} more", count - found.len() as u64));
    }
    writer.close("}");
}

/// Writes the entries of the `sync.Map` of type `of` that lies at `address`: `{int(1): string("a")}`.
pub(super) fn write_shared(writer: &mut Writer<'_>, of: &MapType, address: u64) {
    let most = usize::try_from(writer.limits.elements).unwrap_or(usize::MAX).min(writer.limits.total);
    let mut walk = maps::entries(writer.context, of, address).within(MOST_LOOKED_AT);
    let mut found: Vec<Entry> = walk.by_ref().take(most).collect();
    let more = walk.next().is_some() || walk.is_cut();
    writer.text("{");
    list(writer, of, &mut found);
    let lead = if found.is_empty() { "" } else { ", " };
    if more {
        writer.text(&format!("{lead}… more"));
    } else if !walk.problems().is_empty() {
        writer.text(&format!("{lead}<some not found>"));
    }
    writer.close("}");
}

/// Writes `entries` in the order of their keys. Whoever wants very many has no use for their order.
fn list(writer: &mut Writer<'_>, of: &MapType, entries: &mut [Entry]) {
    if entries.len() <= MOST_SORTED {
        sort(writer.context, of, entries);
    }
    for (at, entry) in entries.iter().enumerate() {
        if writer.is_full() {
            break;
        }
        if at > 0 {
            writer.text(", ");
        }
        let (key, elem) = (Location::Address(entry.key), Location::Address(entry.elem));
        writer.value(of.key, Place::new(&key), Style::Plain);
        writer.text(": ");
        writer.value(of.elem, Place::new(&elem), Style::Plain);
    }
}

fn sort(context: &Context<'_>, of: &MapType, entries: &mut [Entry]) {
    entries.sort_by_cached_key(|entry| {
        SortKey(super::write::format(context, of.key, &Location::Address(entry.key), SORT_BY))
    });
}

/// A key as text, numbers by their value.
#[derive(PartialEq, Eq)]
struct SortKey(String);

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0.parse::<f64>(), other.0.parse::<f64>()) {
            (Ok(one), Ok(two)) => one.total_cmp(&two).then_with(|| self.0.cmp(&other.0)),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => self.0.cmp(&other.0),
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
