use panicle_report::{CreatedBy, Frame, Goroutine, Panic, Process, Signature, VerdictClass};

use super::compute;
use crate::{
    facts::{Facts, Origin},
    testing::{fatal, frame, goroutine, link, panicked},
};

fn sign(panic: &Panic, class: VerdictClass, goroutine: &Goroutine) -> Signature {
    let process = Process::default();
    let all = std::slice::from_ref(goroutine);
    let facts = Facts {
        origin: Origin::Memory,
        process: &process,
        panic: Some(panic),
        goroutines: all,
        threads: &[],
        maps: &[],
        clusters: &[],
        crashing: Some(goroutine),
        code_at_fault: None,
        races: &[],
        notes: &[],
        runtime_read: true,
        go: Some(true),
        core: true,
        recovering: &[],
    };
    compute(&facts, class, &[])
}

fn running(frames: Vec<Frame>) -> Goroutine {
    goroutine(1, "running", None, frames)
}

fn nil_map() -> Panic {
    panicked(vec![link(Some("runtime.plainError"), "assignment to entry in nil map", false)])
}

#[test]
fn builds_and_traceback_levels_do_not_matter() {
    let crash_level = running(vec![
        frame("runtime.gopanic", "panic.go", 884),
        frame("runtime.mapassign_faststr", "map_faststr.go", 203),
        frame("example.com/x/v2/store.(*DB).Put", "/a/db.go", 42),
        frame("example.com/x/v2/store.Each[...]", "/a/db.go", 7),
        frame("main.main.func1", "/a/main.go", 5),
        frame("runtime.goexit", "asm.s", 1),
    ]);
    let default_level = running(vec![
        frame("example.com/x/v3/store.(*DB).Put", "/b/db.go", 90),
        frame("example.com/x/v3/store.Each[...]", "/b/db.go", 3),
        frame("main.main.func4", "/b/main.go", 50),
    ]);
    let one = sign(&nil_map(), VerdictClass::NilMapWrite, &crash_level);
    let other = sign(&nil_map(), VerdictClass::NilMapWrite, &default_level);
    assert_eq!(one.fingerprint, other.fingerprint, "{one:#?}\n{other:#?}");
    assert_eq!(one.frames, ["example.com/x/store.(*DB).Put", "example.com/x/store.Each", "main.main.func"]);
    assert_eq!(one.title, "nil-map-write: assignment to entry in nil map at example.com/x/store.(*DB).Put");
    assert_eq!(one.fingerprint.len(), 32);
}

#[test]
fn wrappers_of_go_and_defer_statements_do_not_matter() {
    let created = |line| {
        Some(CreatedBy {
            function: "main.main".to_owned(),
            file: Some("/a/main.go".to_owned()),
            line: Some(line),
            goroutine: Some(1),
        })
    };
    let with = |frames| Goroutine { created_by: created(9), ..running(frames) };
    let put = || frame("main.put", "/a/main.go", 30);
    let hidden = with(vec![put()]);
    let named = with(vec![put(), frame("main.main.gowrap1", "/a/main.go", 9)]);
    let like_a_closure = with(vec![put(), frame("main.main.func1", "/a/main.go", 9)]);
    let fingerprints: Vec<_> = [hidden, named, like_a_closure]
        .iter()
        .map(|g| sign(&nil_map(), VerdictClass::NilMapWrite, g).fingerprint)
        .collect();
    assert!(fingerprints.iter().all(|f| *f == fingerprints[0]), "{fingerprints:?}");
}

#[test]
fn bugs_of_one_function_differ_by_what_went_wrong() {
    let stack = |callee: &str| running(vec![frame(callee, "x.go", 1), frame("main.f", "/a/main.go", 3)]);
    let memory = || {
        panicked(vec![link(
            Some("runtime.errorString"),
            "runtime error: invalid memory address or nil pointer dereference",
            false,
        )])
    };
    let error = |text: &str| panicked(vec![link(Some("*errors.errorString"), text, false)]);
    let fingerprints = [
        sign(&nil_map(), VerdictClass::NilMapWrite, &stack("runtime.mapassign")),
        sign(&memory(), VerdictClass::NilDereference, &stack("runtime.sigpanic")),
        // The same class and message, in different functions of the standard library.
        sign(&memory(), VerdictClass::NilDereference, &stack("sync.(*Mutex).Lock")),
        sign(&memory(), VerdictClass::NilDereference, &stack("bytes.(*Buffer).Write")),
        sign(&error("cache: no key"), VerdictClass::ErrorPanic, &stack("runtime.gopanic")),
        sign(&error("cache: no size"), VerdictClass::ErrorPanic, &stack("runtime.gopanic")),
        sign(&fatal("concurrent map writes"), VerdictClass::ConcurrentMapWrite, &stack("runtime.fatal")),
    ]
    .map(|s| s.fingerprint);
    for (at, one) in fingerprints.iter().enumerate() {
        assert!(!fingerprints[..at].contains(one), "{at}");
    }
}

#[test]
fn values_in_the_message_do_not_matter() {
    let stack = running(vec![frame("main.f", "/a/main.go", 3)]);
    let fingerprint = |index: &str| {
        let text = format!("runtime error: index out of range {index}");
        let panic = panicked(vec![link(Some("runtime.boundsError"), &text, false)]);
        sign(&panic, VerdictClass::IndexOutOfRange, &stack).fingerprint
    };
    assert_eq!(fingerprint("[5] with length 3"), fingerprint("[70] with length 9"));
    assert_eq!(fingerprint("[5] with length 3"), fingerprint("[-1]"));
}

#[test]
fn depth_of_recursion_does_not_matter() {
    let deep = |depth: usize, innermost: usize| {
        let cycle = ["main.a", "main.b"];
        let mut frames: Vec<_> =
            (0..depth).map(|n| frame(cycle[(n + innermost) % 2], "/a/main.go", 3)).collect();
        frames.push(frame("main.main", "/a/main.go", 9));
        running(frames)
    };
    let of = |g: &Goroutine| sign(&fatal("stack overflow"), VerdictClass::StackOverflow, g);
    assert_eq!(of(&deep(80, 0)).fingerprint, of(&deep(61, 1)).fingerprint);
    assert_eq!(of(&deep(80, 0)).title, of(&deep(61, 1)).title);
}

#[test]
fn variants_of_a_race_share_a_family() {
    let stack = running(vec![frame("main.f", "/a/main.go", 3)]);
    let writes = sign(&fatal("concurrent map writes"), VerdictClass::ConcurrentMapWrite, &stack);
    let read =
        sign(&fatal("concurrent map read and map write"), VerdictClass::ConcurrentMapReadWrite, &stack);
    assert_ne!(writes.fingerprint, read.fingerprint);
    assert_eq!(writes.family, read.family);
}

#[test]
fn every_frame_is_explained() {
    let stack = running(vec![
        frame("runtime.gopanic", "panic.go", 1),
        frame("main.f[...]", "/a/main.go", 3),
        frame("net/http.serve", "server.go", 3),
    ]);
    let signature = sign(&nil_map(), VerdictClass::NilMapWrite, &stack);
    let steps: Vec<_> = signature.explain.iter().map(|s| (s.step.as_str(), s.input.as_str())).collect();
    assert_eq!(
        steps,
        [
            ("class", "nil-map-write"),
            ("message", "assignment to entry in nil map"),
            ("normalise", "main.f[...]"),
            ("drop", "net/http.serve"),
        ]
    );
}
