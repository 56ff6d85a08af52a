//! Deadlocks, whole and in part: the signature is of the goroutines that wait for each other, and the same from a core,
//! from text of crash level and of the default level, and of every Go version.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

mod common;

use std::{collections::BTreeSet, fs};

use common::{from_core, from_text, label};
use panicle_analysis::{Inputs, NamedBytes, Options, analyse};
use panicle_fixtures::Fixture;
use panicle_report::{Report, VerdictClass};

const EACH_OTHER: &str = "Goroutines wait for each other's locks in";

/// Programs, the functions of their signatures, and what their titles begin with.
const PROGRAMS: &[(&str, &[&str], &str)] = &[
    ("deadlock", &["main.transfer", "main.main"], "deadlock: all goroutines are asleep - deadlock! at"),
    ("partial-deadlock", &["main.transfer"], EACH_OTHER),
    ("partial-deadlock-types", &["main.(*clock).tick", "main.(*queue).drain"], EACH_OTHER),
    (
        "lock-twice",
        &["main.(*registry).size", "main.(*registry).add"],
        "A goroutine waits for a lock of its own in",
    ),
];

fn of_text(text: &[u8]) -> Report {
    let texts = vec![NamedBytes { name: None, bytes: text, sha256: None }];
    analyse(&Inputs { texts, ..Inputs::default() }, &Options::default()).unwrap()
}

fn reports(fixture: &Fixture) -> Vec<(&'static str, Report)> {
    let default = fs::read(fixture.default_text.as_ref().unwrap()).unwrap();
    vec![
        ("core", from_core(fixture)),
        ("text of crash level", from_text(fixture)),
        ("text of the default level", of_text(&default)),
    ]
}

#[test]
fn the_signature_is_of_those_who_wait_for_each_other() {
    let fixtures = [panicle_fixtures::all(), panicle_fixtures::verdicts()].concat();
    let mut fingerprints = BTreeSet::new();
    let mut wrong = Vec::new();
    for (program, frames, title) in PROGRAMS {
        let mut of_program = BTreeSet::new();
        for fixture in fixtures.iter().filter(|f| f.program == *program && f.variant == "default") {
            for (source, report) in reports(fixture) {
                let (verdict, signature) = (&report.verdict, &report.signature);
                let named = verdict.goroutine.is_some_and(|id| {
                    report.goroutines.iter().any(|g| g.id == id && g.wait_reason.is_some())
                });
                if verdict.class != VerdictClass::Deadlock || signature.frames != *frames || !named {
                    wrong.push(format!("{}, {source}: {} {signature:#?}", label(fixture), verdict.title));
                }
                if signature.title != format!("{title} {}", frames[0]) {
                    wrong.push(format!("{}, {source}: {}", label(fixture), signature.title));
                }
                of_program.insert(report.signature.fingerprint);
            }
        }
        if of_program.len() != 1 {
            wrong.push(format!("{program}: {of_program:?}"));
        }
        fingerprints.extend(of_program);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(fingerprints.len(), PROGRAMS.len());
}
