//! What the members of an archive are used as.

use std::os::unix::fs::FileExt as _;

use panicle_sandbox::Role;
use panicle_unpack::{HEAD_BYTES, Kind, Part, Unpacked};

/// The parts with their roles, at most one of them a core, and what is to be said.
pub(crate) fn sort(unpacked: Unpacked) -> (Vec<(Role, Part)>, Vec<String>) {
    let Unpacked { parts, mut notes } = unpacked;
    let mut sorted: Vec<(Role, Part)> = Vec::with_capacity(parts.len());
    for part in parts {
        let role = role(&part);
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
        Kind::Text if is_race(part) => Role::Race,
        Kind::Text => Role::Text,
        _ => Role::Binary,
    }
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
    }
}
