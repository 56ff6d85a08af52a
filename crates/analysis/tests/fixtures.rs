//! Real crashes of every Go version: the verdict's class is the one that the program was written
//! for, and one bug has one signature, whatever built it and whether core or text tells of it.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

mod common;

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
};

use panicle_analysis::{Inputs, NamedBytes, Options, analyse};
use panicle_fixtures::{Arch, Fixture};
use panicle_report::Report;

use common::{from_core, from_text, label};

fn class(report: &Report) -> String {
    serde_json::to_value(report.verdict.class).unwrap().as_str().unwrap().to_owned()
}

/// With what the matrix adds: arm64, Go 1.19, other ways to build.
fn fixtures() -> Vec<Fixture> {
    [panicle_fixtures::all(), panicle_fixtures::matrix()].concat()
}

#[test]
fn every_core_gets_the_class_its_program_was_written_for() {
    let wrong: Vec<_> = fixtures()
        .iter()
        .filter_map(|fixture| {
            let report = from_core(fixture);
            let class = class(&report);
            (class != fixture.expected_class).then(|| {
                format!(
                    "{}: {class}, not {}: {}",
                    label(fixture),
                    fixture.expected_class,
                    report.verdict.title
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the program prints with the runtime's default traceback level, which hides the runtime's
/// frames and every goroutine but the one at fault.
fn at_default_level(fixture: &Fixture) -> Report {
    let output = Command::new(&fixture.binary)
        .env_remove("GOTRACEBACK")
        .current_dir(&fixture.directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let inputs = Inputs {
        texts: vec![NamedBytes { name: None, bytes: &output.stderr, sha256: None }],
        ..Inputs::default()
    };
    analyse(&inputs, &Options::default()).unwrap()
}

/// Signatures of a program's crashes, and what has each.
type Signatures = BTreeMap<String, Vec<String>>;

fn signatures() -> BTreeMap<String, Signatures> {
    let mut by_program: BTreeMap<String, Signatures> = BTreeMap::new();
    // An emulator is so slow that other goroutines stand elsewhere when a signal comes. Which of several
    // functions notices a race between them is luck, and decides on where the crash is.
    let comparable = |fixture: &Fixture| fixture.arch == Arch::host() && fixture.program != "concurrent-maps";
    for fixture in fixtures().into_iter().filter(comparable) {
        let mut reports = vec![("core", from_core(&fixture)), ("text", from_text(&fixture))];
        // The race detector makes another run come to another end.
        if fixture.end == "own" && fixture.variant != "race" {
            reports.push(("default text", at_default_level(&fixture)));
        }
        for (source, report) in reports {
            let signature = report.signature;
            let shown = format!("{} {} {:?}", signature.fingerprint, signature.title, signature.frames);
            let program = by_program.entry(fixture.program.clone()).or_default();
            program.entry(shown).or_default().push(format!("{} {source}", label(&fixture)));
        }
    }
    by_program
}

#[test]
fn one_bug_has_one_signature_and_two_bugs_have_two() {
    let by_program = signatures();
    let split: Vec<_> = by_program
        .iter()
        .filter(|(_, signatures)| signatures.len() > 1)
        .map(|(program, signatures)| format!("{program}: {signatures:#?}"))
        .collect();
    assert!(split.is_empty(), "{}", split.join("\n"));

    let mut programs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (program, signatures) in &by_program {
        for signature in signatures.keys() {
            programs.entry(signature).or_default().push(program);
        }
    }
    let merged: Vec<_> = programs.iter().filter(|(_, programs)| programs.len() > 1).collect();
    assert!(merged.is_empty(), "{merged:#?}");
}
