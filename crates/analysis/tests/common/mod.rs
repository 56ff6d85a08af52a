//! Reports of fixtures, and what to call them.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

use std::{fs, path::Path};

use panicle_analysis::{Inputs, NamedBytes, Options, analyse};
use panicle_fixtures::Fixture;
use panicle_report::Report;

/// Bytes under the name of their file.
fn named<'a>(path: &Path, bytes: &'a [u8]) -> NamedBytes<'a> {
    NamedBytes { name: Some(path.display().to_string()), bytes, sha256: None }
}

/// Hands its core and executable to `read`.
pub(crate) fn with_inputs<R>(fixture: &Fixture, read: impl FnOnce(&Inputs<'_>) -> R) -> R {
    let core = panicle_image::mmap::map(&fs::File::open(&fixture.core).unwrap()).unwrap();
    let binary = fs::read(&fixture.binary).unwrap();
    let inputs = Inputs {
        core: Some(named(&fixture.core, &core)),
        binaries: vec![named(&fixture.binary, &binary)],
        ..Inputs::default()
    };
    read(&inputs)
}

/// The report of its core and executable.
pub(crate) fn from_core(fixture: &Fixture) -> Report {
    with_inputs(fixture, |inputs| analyse(inputs, &Options::default()).unwrap())
}

/// The report of what it printed.
pub(crate) fn from_text(fixture: &Fixture) -> Report {
    let text = fs::read(&fixture.stderr).unwrap();
    let inputs = Inputs { texts: vec![named(&fixture.stderr, &text)], ..Inputs::default() };
    analyse(&inputs, &Options::default()).unwrap()
}

/// Which build of which program.
pub(crate) fn label(fixture: &Fixture) -> String {
    let arch = fixture.arch.name();
    format!("{} {} {arch} {}", fixture.program, fixture.go_version, fixture.variant)
}
