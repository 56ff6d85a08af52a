//! Without symbols and debug information everything is found that was found with them; only
//! variables have no names any more, nor the maps that nobody but they lead to.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

use panicle_binary::Executable;
use panicle_fixtures::Fixture;
use panicle_goruntime::{Options, Reconstruction, reconstruct};
use panicle_image::Core;
use panicle_report::{Diagnostic, LayoutSource, Severity};
use rayon::prelude::*;

fn without_names(mut found: Reconstruction) -> Reconstruction {
    let frames = found.goroutines.iter_mut().flat_map(|goroutine| &mut goroutine.frames);
    for frame in frames.chain(found.threads.iter_mut().flat_map(|thread| &mut thread.frames)) {
        frame.locals.clear();
    }
    found.layout = None;
    // Variables lead to maps and give them names. Who is inside an operation on which is known without any.
    found.maps.retain(|map| !map.users.is_empty());
    for map in &mut found.maps {
        map.roots.clear();
        map.roots_left_out = 0;
        map.users.iter_mut().for_each(|user| user.because.clear());
    }
    found.maps.sort_by_key(|map| map.address);
    found.maps_left_out = 0;
    found
}

/// What differs, in words; nothing where all is equal.
fn difference(fixture: &Fixture) -> Option<String> {
    let core = std::fs::read(&fixture.core).unwrap();
    let core = Core::parse(&core).unwrap().0;
    let binary = std::fs::read(&fixture.binary).unwrap();
    let mut stripped = binary.clone();
    panicle_synth::strip(&mut stripped);
    let read = |binary: &[u8]| {
        let executable = Executable::parse(binary).unwrap().0;
        reconstruct(&core, &executable, &Options::default())
    };
    // That there is no debug information is said, and is no difference.
    let warnings = |mut said: Vec<Diagnostic>| {
        said.retain(|diagnostic| diagnostic.severity != Severity::Info);
        said
    };
    let (with, said) = read(&binary);
    let (without, said_stripped) = read(&stripped);
    let (said, said_stripped) = (warnings(said), warnings(said_stripped));
    if said_stripped != said {
        return Some(format!("{said_stripped:?} is said instead of {said:?}"));
    }
    if without.layout.as_ref().map(|layout| layout.source) != Some(LayoutSource::Table) {
        return Some(format!("the layout is {:?}", without.layout));
    }
    let (with, without) = (without_names(with), without_names(without));
    if with == without {
        return None;
    }
    let (with, without) = (format!("{with:#?}"), format!("{without:#?}"));
    let lines = with.lines().zip(without.lines()).enumerate();
    let first = lines.into_iter().find(|(_, (with, without))| with != without);
    Some(format!("{first:?}"))
}

#[test]
fn a_stripped_executable_tells_the_same() {
    let mut fixtures = panicle_fixtures::all();
    // Those that have debug information to compare with. What C functions are called, symbols alone tell.
    fixtures.extend(
        panicle_fixtures::matrix()
            .into_iter()
            .filter(|fixture| fixture.variant == "default" && !fixture.program.starts_with("cgo-")),
    );
    let differences: Vec<String> = fixtures
        .par_iter()
        .filter_map(|fixture| {
            let what = difference(fixture)?;
            Some(format!("{} {} {}: {what}", fixture.program, fixture.go_version, fixture.variant))
        })
        .collect();
    assert!(
        differences.is_empty(),
        "{} of {}:\n{}",
        differences.len(),
        fixtures.len(),
        differences.join("\n")
    );
}
