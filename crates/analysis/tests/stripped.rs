//! A stripped executable gets the verdict, the panic and the signature of its unstripped twin.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

use std::fs;

use panicle_analysis::{Inputs, NamedBytes, Options, analyse};
use panicle_fixtures::Fixture;
use panicle_report::{Report, Severity};

fn report(core: &[u8], binary: &[u8]) -> Report {
    let named = |bytes| NamedBytes { name: None, bytes, sha256: None };
    let inputs = Inputs { core: Some(named(core)), binaries: vec![named(binary)], ..Inputs::default() };
    analyse(&inputs, &Options::default()).unwrap()
}

/// The report as a value, without what only debug information can tell.
fn comparable(mut report: Report) -> serde_json::Value {
    for frame in report.goroutines.iter_mut().flat_map(|goroutine| &mut goroutine.frames) {
        frame.locals.clear();
    }
    for frame in report.threads.iter_mut().flat_map(|thread| &mut thread.frames) {
        frame.locals.clear();
    }
    report.verdict.evidence.retain(|evidence| evidence.kind != "variable");
    without_names_of_maps(&mut report);
    // What is said of the debug information itself.
    report.diagnostics.retain(|diagnostic| diagnostic.severity != Severity::Info);
    report.layout = None;
    report.binary = None;
    serde_json::to_value(report).unwrap()
}

/// What maps are called, and who else holds them, takes names of variables. That there are the same in question,
/// with the same users, does not.
fn without_names_of_maps(report: &mut Report) {
    let in_question = |map: &panicle_report::Map| map.users.iter().any(|user| user.noticed);
    report.maps.retain(in_question);
    for map in &mut report.maps {
        map.roots.clear();
        map.roots_left_out = 0;
        for user in &mut map.users {
            // How a map is known differs where an operation has variables.
            user.because.clear();
        }
    }
    if !report.maps.is_empty() {
        report.verdict.title.clear();
        report.verdict.summary.clear();
        report.verdict.hints.clear();
        report
            .verdict
            .evidence
            .retain(|evidence| !matches!(evidence.kind.as_str(), "map" | "operation" | "other-party"));
    }
    report.maps_left_out = 0;
}

fn difference(fixture: &Fixture) -> Option<String> {
    let core = panicle_image::mmap::map(&fs::File::open(&fixture.core).unwrap()).unwrap();
    let binary = fs::read(&fixture.binary).unwrap();
    let mut stripped = binary.clone();
    panicle_synth::strip(&mut stripped);
    let (with, without) = (comparable(report(&core, &binary)), comparable(report(&core, &stripped)));
    let (with, without) = (with.as_object().unwrap(), without.as_object().unwrap());
    let part = with.keys().find(|part| with.get(*part) != without.get(*part))?;
    let name = format!("{} {}", fixture.program, fixture.go_version);
    Some(format!("{name}: {part}: {} instead of {}", without[part], with[part]))
}

#[test]
fn everything_but_the_names_of_variables_is_told() {
    let differences: Vec<String> = panicle_fixtures::all()
        .iter()
        .filter(|fixture| {
            fixture.variant == "default"
                && ["1.23", "1.27"].iter().any(|go| fixture.go_version.starts_with(go))
        })
        .filter_map(difference)
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
