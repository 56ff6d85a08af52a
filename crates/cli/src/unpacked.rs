//! What the members of an archive are used as.

use std::os::unix::fs::FileExt as _;

use panicle_analysis::collector::Member;
use panicle_sandbox::Role;
use panicle_unpack::{HEAD_BYTES, Kind, Limits, Part, Unpacked};

use crate::texts;

/// The parts with their roles, at most one of them a core, and what is to be said.
pub(crate) fn sort(unpacked: Unpacked) -> (Vec<(Role, Part)>, Vec<String>) {
    let Unpacked { parts, mut notes } = unpacked;
    let has_core = parts.iter().any(|part| role(part) == Role::Core);
    let mut sorted: Vec<(Role, Part)> = Vec::with_capacity(parts.len());
    for part in parts {
        let role = role(&part);
        if has_core && matches!(role, Role::Text | Role::Race) && !tells(&part, role) {
            // A log of a quiet container is no evidence, and would pass for what the process printed.
            notes.push(format!("{} tells of no crash of Go's and was left out.", part.name));
            continue;
        }
        if role == Role::Core && sorted.iter().any(|(role, _)| *role == Role::Core) {
            notes.push(format!(
                "{} is another core and was left alone: one is analysed at a time.",
                part.name
            ));
            continue;
        }
        sorted.push((role, part));
    }
    (sorted, notes)
}

fn role(part: &Part) -> Role {
    match part.kind {
        Kind::Core | Kind::Minidump => Role::Core,
        Kind::GoTrace => Role::Trace,
        Kind::Profile => Role::Profile,
        Kind::Text if Member::of_name(&part.name).is_some() => Role::Collected,
        Kind::Text if is_race(part) => Role::Race,
        Kind::Text => Role::Text,
        _ => Role::Binary,
    }
}

/// Whether there is anything in a text that Go prints when something is wrong.
fn tells(part: &Part, role: Role) -> bool {
    let Some(kind) = texts::kind(role) else { return false };
    // What cannot be read is said where it is read in earnest.
    texts::read_file(kind, None, &part.file, part.sha256.clone(), &Limits::default())
        .map_or(true, |text| !text.is_nothing())
}

/// Reports of the race detector begin with a line of equals signs and one that says what they are
/// (`compiler-rt`, tsan_rtl_report.cpp). A log that comes to one later is a text.
fn is_race(part: &Part) -> bool {
    let mut head = vec![0; HEAD_BYTES];
    let length = part.file.read_at(&mut head, 0).unwrap_or(0);
    let head = String::from_utf8_lossy(&head[..length]);
    head.trim_start_matches('=').trim_start().starts_with("WARNING: DATA RACE")
}

/// A role in a sentence, without its article.
pub(crate) fn word(role: Role) -> &'static str {
    match role {
        Role::Core => "core",
        Role::Binary => "executable",
        Role::Text => "text",
        Role::Trace => "execution trace",
        Role::Profile => "profile",
        Role::Race => "race report",
        Role::Collected => "description by a collector",
    }
}
