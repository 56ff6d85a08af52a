//! Versions without a table, and executables that do not say theirs.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

use panicle_binary::Executable;
use panicle_fixtures::Arch;
use panicle_goruntime::{Options, Reconstruction, reconstruct};
use panicle_image::Core;
use panicle_report::{Diagnostic, Goroutine, LayoutSource};

/// What a stripped executable tells after its build information said `version`.
fn told(program: &str, go: &str, arch: Arch, version: Option<&str>) -> (Reconstruction, Vec<Diagnostic>) {
    let fixture = panicle_fixtures::get_variant(program, go, arch, "stripped");
    let core = std::fs::read(&fixture.core).unwrap();
    let core = Core::parse(&core).unwrap().0;
    let binary = std::fs::read(&fixture.binary).unwrap();
    let mut executable = Executable::parse(&binary).unwrap().0;
    let said = executable.build_info.take();
    if let (Some(mut info), Some(version)) = (said, version) {
        version.clone_into(&mut info.go_version);
        executable.build_info = Some(info);
    }
    reconstruct(&core, &executable, &Options::default())
}

/// Goroutines and their frames, without what is printed in another way by another version: lines below
/// `asyncPreempt`, and which arguments are live.
fn walked(found: &Reconstruction) -> Vec<String> {
    let goroutine = |goroutine: &Goroutine| {
        let frames: Vec<_> =
            goroutine.frames.iter().map(|frame| (&frame.function, frame.pc, frame.sp)).collect();
        let (id, status, reason) = (goroutine.id, &goroutine.status, &goroutine.wait_reason);
        format!("{id} {status} {reason:?} {:?} {frames:?}", goroutine.created_by)
    };
    found.goroutines.iter().map(goroutine).collect()
}

/// The table of the nearest version is tried first and the one that fits is used, whichever it is.
#[test]
fn a_version_without_a_table_is_read_with_one_that_fits() {
    let cases = [
        // Go 1.20 lies between two tables. Were it like the older one, the newer must not be believed.
        ("1.21", "go1.20.14", 21),
        ("1.19", "go1.20.14", 19),
        // A release that is not out yet, which is like the newest or has changed altogether.
        ("1.27", "devel go1.28-0123456789", 27),
        ("1.24", "devel go1.28-0123456789", 24),
        ("1.23", "devel go1.28-0123456789", 23),
        // Build information that somebody changed.
        ("1.24", "go1.23.4", 24),
    ];
    for arch in [Arch::Amd64, Arch::Arm64] {
        for program in ["busy", "struct-panic"] {
            for (go, claimed, table) in cases {
                let name = format!("{program} {go} {arch:?} as {claimed}");
                let (expected, _) = told(program, go, arch, Some(&format!("go{go}")));
                let (mut found, said) = told(program, go, arch, Some(claimed));
                let layout = found.layout.take().unwrap();
                assert_eq!(layout.source, LayoutSource::NearestTable, "{name}");
                let of = layout.go_version.unwrap();
                assert!(of.starts_with(&format!("go1.{table}")), "{name}: {of}");
                assert!(said.iter().any(|said| said.text.contains("stands in for it")), "{name}: {said:?}");
                assert_eq!(walked(&found), walked(&expected), "{name}");
                assert_eq!(found.panic, expected.panic, "{name}");
            }
        }
    }
}

#[test]
fn the_version_is_found_in_memory_when_the_build_information_is_gone() {
    for arch in [Arch::Amd64, Arch::Arm64] {
        for go in ["1.19", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"] {
            let (expected, _) = told("busy", go, arch, Some(&format!("go{go}")));
            let (mut found, said) = told("busy", go, arch, None);
            let version = found.go_version.take().unwrap();
            assert!(version.starts_with(&format!("go{go}.")), "{go} {arch:?}: {version}");
            assert_eq!(found.layout.take().unwrap().source, LayoutSource::Table, "{go} {arch:?}: {said:?}");
            found.go_version.clone_from(&expected.go_version);
            found.layout.clone_from(&expected.layout);
            assert_eq!(found, expected, "{go} {arch:?}");
        }
    }
}
