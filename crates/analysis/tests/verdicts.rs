//! Verdicts: every class is shown by a real program, from its core, from the text of GOTRACEBACK=crash and from
//! that of the default level; near misses are not misjudged; hints are where their pattern is and nowhere else.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

mod common;

use std::{collections::BTreeSet, fs, process::Command};

use common::{from_core, from_text, label};
use panicle_analysis::{Inputs, NamedBytes, Options, analyse};
use panicle_fixtures::{Fixture, Set};
use panicle_report::{Confidence, Report, VerdictClass};

/// What a text can tell where it tells less than a core: the program, what its text is judged as at the default
/// level and at crash level, and why. Wherever this is another class, the verdict may not be certain.
const LESS: &[(&str, Less)] = &[
    // The instruction tells a call through a nil function from another nil dereference; no text has it.
    ("nil-func-call", Less::Always(VerdictClass::NilDereference)),
    // The runtime prints errors and strings alike. What has a colon in it is taken for an error.
    ("near-map-error", Less::Alike),
    ("string-panic", Less::Alike),
    ("recovered-earlier", Less::Alike),
    ("panic-in-defer", Less::Alike),
    ("near-unnamed-error", Less::Alike),
    // String() is printed like an error's text or a string.
    ("custom-panic", Less::Alike),
    // Without the runtime's frames its words are all there is.
    ("near-nil-map-words", Less::AtDefaultLevel(VerdictClass::NilMapWrite)),
    ("near-runtime-error", Less::AtDefaultLevel(VerdictClass::IndexOutOfRange)),
];

#[derive(Clone, Copy)]
enum Less {
    /// A string, an error and a Stringer look alike.
    Alike,
    /// Text alone is judged as this.
    Always(VerdictClass),
    /// The same for the default level; at crash level an error and a string look alike.
    AtDefaultLevel(VerdictClass),
}

#[derive(Clone, Copy, PartialEq)]
enum Level {
    Core,
    Crash,
    Default,
}

/// Whether a report is what its program deserves.
fn is_right(fixture: &Fixture, level: Level, report: &Report) -> bool {
    use VerdictClass as C;
    let verdict = &report.verdict;
    if verdict.class.as_str() == fixture.expected_class {
        return true;
    }
    let less = LESS.iter().find(|(program, _)| *program == fixture.program).map(|(_, less)| *less);
    let alike = matches!(verdict.class, C::ErrorPanic | C::StringPanic);
    let fits = match (less, level) {
        (None, _) | (_, Level::Core) => false,
        (Some(Less::Always(class)), _) | (Some(Less::AtDefaultLevel(class)), Level::Default) => {
            verdict.class == class
        }
        (Some(Less::Alike | Less::AtDefaultLevel(_)), _) => alike,
    };
    let judged_as_the_runtimes = matches!(less, Some(Less::AtDefaultLevel(_)));
    fits && (!judged_as_the_runtimes || verdict.confidence != Confidence::Certain)
}

/// Programs that print nothing a text could be judged by.
const SILENT: &[&str] = &["abort-unseen"];

fn at_default_level(fixture: &Fixture) -> Option<Report> {
    let path = fixture.default_text.as_ref()?;
    let bytes = fs::read(path).unwrap();
    let inputs = Inputs {
        texts: vec![NamedBytes { name: Some(path.display().to_string()), bytes: &bytes, sha256: None }],
        ..Inputs::default()
    };
    Some(analyse(&inputs, &Options::default()).unwrap())
}

fn fixtures() -> Vec<Fixture> {
    [panicle_fixtures::all(), panicle_fixtures::verdicts()].concat()
}

fn all_classes() -> Vec<VerdictClass> {
    use VerdictClass as C;
    let all = [
        C::NilMapWrite,
        C::ConcurrentMapWrite,
        C::ConcurrentMapReadWrite,
        C::ConcurrentMapIterationWrite,
        C::NilDereference,
        C::NilFuncCall,
        C::IndexOutOfRange,
        C::SliceBounds,
        C::TypeAssertion,
        C::UnhashableKey,
        C::CloseClosedChannel,
        C::CloseNilChannel,
        C::SendClosedChannel,
        C::NegativeWaitgroup,
        C::UnlockUnlocked,
        C::DivideByZero,
        C::Makeslice,
        C::OutOfMemory,
        C::StackOverflow,
        C::Deadlock,
        C::GoroutineLeak,
        C::ErrorPanic,
        C::StringPanic,
        C::CustomPanic,
        C::Checkptr,
        C::UnexpectedFault,
        C::CgoFault,
        C::ExternalSignal,
        C::RuntimeThrow,
        C::RuntimeCorruption,
        C::DataRace,
        C::NoCrash,
        C::Unknown,
    ];
    // One that is added to the enum and not to this list is `Unknown`'s neighbour no more.
    assert_eq!(all.len(), C::Unknown as usize + 1);
    all.to_vec()
}

#[test]
fn every_class_has_a_program_that_shows_it() {
    // Programs with C are in the matrix.
    let all = [fixtures(), panicle_fixtures::matrix()].concat();
    let shown: BTreeSet<&str> = all.iter().map(|fixture| fixture.expected_class.as_str()).collect();
    let missing: Vec<_> =
        all_classes().into_iter().map(VerdictClass::as_str).filter(|slug| !shown.contains(slug)).collect();
    assert!(missing.is_empty(), "no program shows: {}", missing.join(", "));
}

/// `src/verdict/nil_map_write.rs` for `nil-map-write`.
#[test]
fn every_class_has_a_rule_in_a_file_of_its_own() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/verdict");
    for class in all_classes() {
        let slug = class.as_str();
        let path = folder.join(format!("{}.rs", slug.replace('-', "_")));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.contains(&format!("`{slug}`")), "{} does not say of which class it is", path.display());
    }
}

#[test]
fn verdicts_of_core_and_text_are_what_the_programs_were_written_for() {
    let mut wrong = Vec::new();
    let mut less = BTreeSet::new();
    // How it was built does not show in a text.
    for fixture in fixtures().into_iter().filter(|fixture| fixture.variant == "default") {
        let mut reports = vec![];
        // Cores of the others are held to their class in tests/fixtures.rs.
        if fixture.set == Set::Verdicts {
            reports.push((Level::Core, "core", from_core(&fixture)));
        }
        if !SILENT.contains(&fixture.program.as_str()) {
            reports.push((Level::Crash, "text of crash level", from_text(&fixture)));
            let Some(report) = at_default_level(&fixture) else {
                wrong.push(format!(
                    "{}: no text of the default level; run: cargo xtask fixtures",
                    label(&fixture)
                ));
                continue;
            };
            reports.push((Level::Default, "text of default level", report));
        }
        for (level, source, report) in reports {
            if report.verdict.class.as_str() != fixture.expected_class {
                less.insert(fixture.program.clone());
            }
            if !is_right(&fixture, level, &report) {
                let verdict = &report.verdict;
                wrong.push(format!(
                    "{}, {source}: {} ({}), not {}: {}",
                    label(&fixture),
                    verdict.class.as_str(),
                    verdict.confidence.as_str(),
                    fixture.expected_class,
                    verdict.title
                ));
            }
        }
    }
    wrong.extend(
        LESS.iter().filter(|(program, _)| !less.contains(*program)).map(|(program, _)| {
            format!("{program}: text tells as much as its core; take it out of the list")
        }),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Programs of which each run dies in one of several places, and a text of the default level is of another run than
/// the core; and what only the text of the race detector tells.
const BY_CHANCE: &[&str] = &["hint-handler-own-map", "data-race"];

/// Levels of a text differ in the frames that they show, and a core has all.
#[test]
fn core_and_texts_of_a_crash_have_one_signature() {
    let mut split = Vec::new();
    for fixture in panicle_fixtures::verdicts() {
        if [SILENT, BY_CHANCE].concat().contains(&fixture.program.as_str()) {
            continue;
        }
        let Some(default) = at_default_level(&fixture) else { continue };
        let core = from_core(&fixture);
        for (level, text) in [("crash", from_text(&fixture)), ("default", default)] {
            // A text that tells of another class, or of no goroutine, is told apart by that.
            let comparable = text.verdict.class == core.verdict.class && !text.goroutines.is_empty();
            if comparable && text.signature.fingerprint != core.signature.fingerprint {
                let (core, text) = (&core.signature, &text.signature);
                split.push(format!("{}: {core:#?}\n{level} level: {text:#?}", label(&fixture)));
            }
        }
    }
    assert!(split.is_empty(), "{}", split.join("\n"));
}

#[test]
fn verdicts_say_what_they_stand_on_and_do_not_ask_for_what_is_there() {
    for fixture in panicle_fixtures::verdicts() {
        let verdict = from_core(&fixture).verdict;
        let said = |text: &str| verdict.capture_next.iter().any(|capture| capture.contains(text));
        assert!(!said("leaves a core"), "{}: {:?}", label(&fixture), verdict.capture_next);
        assert!(!verdict.capture_next.is_empty(), "{}", label(&fixture));
        assert!(verdict.evidence.iter().any(|e| e.kind == "confidence"), "{}", label(&fixture));
        let nothing_to_mend = matches!(verdict.class, VerdictClass::NoCrash | VerdictClass::Unknown);
        assert_eq!(verdict.example.is_none(), nothing_to_mend, "{}", label(&fixture));
        assert_eq!(verdict.fixes.is_empty(), nothing_to_mend, "{}", label(&fixture));
    }
}

/// A hint by words of its own, the programs that show it and those that must not.
const HINTS: &[(&str, &[&str], &[&str])] = &[
    (
        "has returned: nobody waited for it",
        &["hint-writer-outlives"],
        &["hint-writer-awaited", "hint-handler-own-map"],
    ),
    (
        "runs every request in a goroutine of its own",
        &["hint-handler-map"],
        &["hint-handler-own-map", "hint-writer-awaited", "hint-writer-outlives"],
    ),
    ("that field is left out", &["hint-field-never-made"], &["hint-field-of-literal"]),
    (
        "recover works in the goroutine that panics",
        &["hint-recover-elsewhere", "http-abort"],
        &["hint-no-recover", "near-runtime-error"],
    ),
    ("A deferred function panicked while", &["panic-in-defer"], &["near-recovered-nil", "wrapped-fault"]),
    ("raised again or wrapped: it is the cause", &["wrapped-fault"], &["near-recovered-nil"]),
    ("before main.main ran", &["init-panic"], &["near-runtime-error"]),
];

#[test]
fn hints_are_where_their_pattern_is() {
    let fixtures = fixtures();
    let mut wrong = Vec::new();
    for (words, with, without) in HINTS {
        for program in with.iter().chain(*without) {
            let mut some = false;
            for fixture in fixtures.iter().filter(|fixture| fixture.program == **program) {
                some = true;
                let hints = from_core(fixture).verdict.hints;
                if hints.iter().any(|hint| hint.contains(words)) != with.contains(program) {
                    wrong.push(format!("{}: {words:?} in {hints:?}", label(fixture)));
                }
            }
            assert!(some, "no fixture of {program}; run: cargo xtask fixtures");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The examples are Go that compiles and that `go vet` has nothing against.
#[test]
fn examples_are_correct_go() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/verdict/examples");
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("go.mod"), "module example.com/examples\n\ngo 1.21\n").unwrap();
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let package = scratch.path().join(path.file_stem().unwrap());
        fs::create_dir(&package).unwrap();
        fs::copy(&path, package.join("example.go")).unwrap();
        count += 1;
    }
    assert!(count >= 25);
    let cache = panicle_fixtures::cache_root().unwrap();
    let toolchains = cache.join("toolchains");
    // The oldest that there is: what it takes, the later ones take.
    let go = fs::read_dir(&toolchains)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("1.21")))
        .map(|path| path.join("go/bin/go"))
        .find(|go| go.is_file())
        .expect("a toolchain of Go 1.21; run: cargo xtask fixtures");
    let output = Command::new(&go)
        .args(["vet", "./..."])
        .current_dir(scratch.path())
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "-mod=mod")
        .env("GOPROXY", "off")
        .env("GOROOT", go.parent().unwrap().parent().unwrap())
        .env("GOCACHE", cache.join("go-build"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
