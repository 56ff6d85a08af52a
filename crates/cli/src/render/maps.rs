//! Maps: the one that the verdict is about with everybody who has to do with it, then a table of the others.

use panicle_report::{Map, MapOperation, MapRoot, MapRootKind, MapState, MapUser, Report};

use super::page::Page;

/// Holders of one map.
const HOLDERS: usize = 12;
/// Users of one map.
const USERS: usize = 12;
/// Other maps.
const OTHERS: usize = 12;

/// The section, when there are any maps.
pub(super) fn maps(page: &mut Page, report: &Report) {
    if report.maps.is_empty() {
        return;
    }
    page.heading("Maps");
    let in_question =
        |map: &&Map| report.verdict.map == Some(map.address) && map.users.iter().any(|user| user.noticed);
    let (about, mut others): (Vec<&Map>, Vec<&Map>) = report.maps.iter().partition(in_question);
    // Those that something is wrong with first.
    others.sort_by_key(|map| map.problems.is_empty());
    for map in about {
        in_full(page, map);
    }
    for map in others.iter().take(OTHERS) {
        page.cut(2, &in_short(map));
        problems(page, map);
    }
    let more = (others.len().saturating_sub(OTHERS) as u64).saturating_add(report.maps_left_out);
    if more > 0 {
        page.paragraph(2, &format!("({more} more maps in --format json)"));
    }
}

fn in_full(page: &mut Page, map: &Map) {
    page.cut(2, &headline(map));
    if !map.flags.is_empty() {
        page.paragraph(4, &format!("flags: {}", map.flags.join(", ")));
    }
    problems(page, map);
    // That two goroutines met on the map is as sure as the less sure of them.
    let is_sure = map.users.iter().all(|user| user.certain || !user.noticed);
    for user in map.users.iter().take(USERS) {
        page.item(4, "* ", &used_by(user, is_sure));
    }
    more(page, map.users.len().saturating_sub(USERS) as u64, "goroutines in an operation on it");
    let by_address = |root: &&MapRoot| matches!(root.kind, MapRootKind::Stack | MapRootKind::Register);
    let (words, named): (Vec<&MapRoot>, Vec<&MapRoot>) = map.roots.iter().partition(by_address);
    for root in named.iter().take(HOLDERS) {
        page.item(4, "- ", &held_by(root));
    }
    let rest = named.len().saturating_sub(HOLDERS) as u64;
    more(page, rest.saturating_add(map.roots_left_out), "places that hold it");
    if !words.is_empty() {
        page.item(4, "- ", &found_by_address(&words));
    }
    if let Some(expression) = &map.expression {
        page.item(4, "> ", &format!("its entries: panicle inspect … -e '{expression}'"));
    }
}

fn problems(page: &mut Page, map: &Map) {
    for problem in &map.problems {
        page.item(4, "! ", problem);
    }
}

fn more(page: &mut Page, count: u64, what: &str) {
    if count > 0 {
        page.paragraph(4, &format!("({count} more {what})"));
    }
}

/// `0xc0000920f0 map[string]int, 512 entries, writing`.
fn headline(map: &Map) -> String {
    let name = map.type_name.as_deref().unwrap_or("a map of unknown type");
    let count = match map.count {
        _ if map.state == MapState::Nil => String::new(),
        Some(1) => ", 1 entry".to_owned(),
        Some(count) => format!(", {count} entries"),
        None => ", entries unknown".to_owned(),
    };
    let state = match map.state {
        MapState::Nil => ", nil",
        MapState::Empty | MapState::Normal => "",
        MapState::Growing => ", growing",
        MapState::Writing => ", being written",
        MapState::Unknown => ", in an unknown state",
    };
    format!("{:<14} {name}{count}{state}", map.address.to_string())
}

fn in_short(map: &Map) -> String {
    let holder = map.roots.iter().find_map(|root| root.name());
    let holder = holder.map_or(String::new(), |variable| format!("  {variable}"));
    let users = match map.users.len() {
        0 => String::new(),
        1 => "  (in use by a goroutine)".to_owned(),
        count => format!("  (in use by {count} goroutines)"),
    };
    format!("{}{holder}{users}", headline(map))
}

fn used_by(user: &MapUser, is_sure: bool) -> String {
    let does = match user.operation {
        MapOperation::Read => "reads it",
        MapOperation::Write => "writes to it",
        MapOperation::Delete => "deletes from it",
        MapOperation::Iterate => "iterates over it",
        MapOperation::Clear => "clears it",
    };
    let sure = if user.certain && is_sure { "certain" } else { "likely" };
    let noticed = if user.noticed { ", and ended the process" } else { "" };
    let caller = user.caller.as_ref().map_or(String::new(), |caller| format!(" in {caller}"));
    format!(
        "goroutine {} {does}{caller} ({sure}{noticed}): {}  [goroutine {} frame {}]",
        user.goroutine,
        user.because,
        user.goroutine,
        user.caller_frame.unwrap_or(user.frame)
    )
}

/// Words of stacks and registers that equal the address, in one line.
fn found_by_address(words: &[&MapRoot]) -> String {
    let mut goroutines: Vec<u64> = words.iter().filter_map(|root| root.goroutine).collect();
    goroutines.sort_unstable();
    goroutines.dedup();
    let more = goroutines.len().saturating_sub(USERS);
    let named: Vec<String> = goroutines.iter().take(USERS).map(u64::to_string).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("its address also lies on the stacks or in registers of goroutine {}{more}", named.join(", "))
}

fn held_by(root: &MapRoot) -> String {
    let at = || root.slot.map_or(String::new(), |slot| format!(" at {slot}"));
    let name = root.name().map_or_else(
        || match root.kind {
            MapRootKind::Argument | MapRootKind::Local => format!("what a variable leads to{}", at()),
            MapRootKind::Global => format!("a package variable{}", at()),
            MapRootKind::Operand => "what the operation was called with".to_owned(),
            MapRootKind::Stack => "a word of the stack that equals its address".to_owned(),
            MapRootKind::Register => "a register that equals its address".to_owned(),
        },
        str::to_owned,
    );
    let owner = match (&root.owner, root.kind) {
        (None, _) => String::new(),
        (Some(owner), MapRootKind::Operand) => format!(": {owner}"),
        (Some(owner), _) => format!(", field of {owner}"),
    };
    let place = match (root.goroutine, root.frame) {
        (Some(goroutine), Some(frame)) => format!("  [goroutine {goroutine} frame {frame}]"),
        (Some(goroutine), None) => format!("  [goroutine {goroutine}]"),
        _ => "  (package variable)".to_owned(),
    };
    format!("{name}{owner}{place}")
}
