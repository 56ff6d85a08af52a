use panicle_report::{Address, Confidence, Panic, PanicKind, Process, Signal, Verdict, VerdictClass};

use super::decide;
use crate::{
    clusters,
    facts::{Facts, Origin},
    testing::{fatal, frame, goroutine, link, panicked},
};

fn judge(origin: Origin, panic: Option<&Panic>, process: &Process, code: &[u8]) -> Verdict {
    let all = [goroutine(
        7,
        "running",
        None,
        vec![frame("example.com/x/store.(*DB).Put", "/src/db.go", 42), frame("main.main", "/src/main.go", 9)],
    )];
    let facts = Facts {
        origin,
        process,
        panic,
        goroutines: &all,
        threads: &[],
        maps: &[],
        clusters: &clusters::cluster(&all),
        crashing: all.first(),
        code_at_fault: Some((panicle_image::Arch::Amd64, code)),
        races: &[],
        notes: &[],
        runtime_read: true,
        go: Some(true),
        core: true,
        recovering: &[],
    };
    decide(&facts).verdict
}

fn class_of(panic: &Panic) -> VerdictClass {
    judge(Origin::Text, Some(panic), &Process::default(), &[]).class
}

fn class_of_text(text: &str) -> VerdictClass {
    class_of(&panicked(vec![link(None, text, false)]))
}

fn class_of_value(type_name: &str, text: &str) -> VerdictClass {
    judge(Origin::Memory, Some(&panicked(vec![link(Some(type_name), text, false)])), &Process::default(), &[])
        .class
}

#[test]
fn texts_of_the_runtime() {
    use VerdictClass as C;
    for (text, class) in [
        ("assignment to entry in nil map", C::NilMapWrite),
        ("runtime error: index out of range [3] with length 3", C::IndexOutOfRange),
        ("runtime error: index out of range [-1]", C::IndexOutOfRange),
        (
            "runtime error: cannot convert slice with length 2 to array or pointer to array with length 4",
            C::IndexOutOfRange,
        ),
        ("runtime error: slice bounds out of range [:5] with capacity 3", C::SliceBounds),
        ("runtime error: slice bounds out of range [-1:]", C::SliceBounds),
        ("runtime error: invalid memory address or nil pointer dereference", C::NilDereference),
        ("value method main.T.M called using nil *T pointer", C::NilDereference),
        ("runtime error: integer divide by zero", C::DivideByZero),
        ("interface conversion: interface {} is string, not int", C::TypeAssertion),
        ("interface conversion: interface is nil, not main.Shape", C::TypeAssertion),
        ("interface conversion: main.T is not main.Shape: missing method Area", C::TypeAssertion),
        ("runtime error: hash of unhashable type []string", C::UnhashableKey),
        ("hash of unhashable type: []string", C::UnhashableKey),
        ("runtime error: comparing uncomparable type map[string]int", C::UnhashableKey),
        ("runtime error: makeslice: len out of range", C::Makeslice),
        ("makechan: size out of range", C::Makeslice),
        ("send on closed channel", C::SendClosedChannel),
        ("close of closed channel", C::CloseClosedChannel),
        ("close of nil channel", C::CloseNilChannel),
        ("sync: negative WaitGroup counter", C::NegativeWaitgroup),
    ] {
        assert_eq!(class_of_text(text), class, "{text}");
    }
    for (message, class) in [
        ("concurrent map writes", C::ConcurrentMapWrite),
        ("small map with no empty slot (concurrent map writes?)", C::ConcurrentMapWrite),
        ("concurrent map read and map write", C::ConcurrentMapReadWrite),
        ("concurrent map iteration and map write", C::ConcurrentMapIterationWrite),
        ("concurrent map clone and map write", C::ConcurrentMapIterationWrite),
        ("sync: unlock of unlocked mutex", C::UnlockUnlocked),
        ("sync: RUnlock of unlocked RWMutex", C::UnlockUnlocked),
        ("all goroutines are asleep - deadlock!", C::Deadlock),
        ("no goroutines (main called runtime.Goexit) - deadlock!", C::Deadlock),
        ("stack overflow", C::StackOverflow),
        ("runtime: out of memory", C::OutOfMemory),
        ("out of memory (stackalloc)", C::OutOfMemory),
        ("runtime: cannot allocate memory", C::OutOfMemory),
        ("checkptr: misaligned pointer conversion", C::Checkptr),
        ("fault", C::UnexpectedFault),
        ("go of nil func value", C::NilFuncCall),
        ("found bad pointer in Go heap (incorrect use of unsafe or cgo?)", C::RuntimeCorruption),
        ("unexpected signal during runtime execution", C::RuntimeCorruption),
        ("sync: inconsistent mutex state", C::RuntimeThrow),
        ("newproc1: newg missing stack", C::RuntimeThrow),
    ] {
        assert_eq!(class_of(&fatal(message)), class, "{message}");
    }
}

#[test]
fn words_that_only_look_like_the_runtimes() {
    use VerdictClass as C;
    for text in [
        "assignment to entry in nil map of users",
        "cannot send on closed channel",
        "index out of range",
        "divide by zero",
        "sync: negative WaitGroup counter!",
    ] {
        assert!(
            matches!(class_of_text(text), C::StringPanic | C::ErrorPanic),
            "{text}: {:?}",
            class_of_text(text)
        );
    }
    // In memory the type of the value decides.
    assert_eq!(class_of_value("string", "assignment to entry in nil map"), C::StringPanic);
    assert_eq!(class_of_value("*errors.errorString", "runtime error: integer divide by zero"), C::ErrorPanic);
    assert_eq!(class_of_value("runtime.plainError", "assignment to entry in nil map"), C::NilMapWrite);
    // A fatal error's words in a panic are no fatal error.
    assert_eq!(class_of_text("concurrent map writes"), C::StringPanic);
}

#[test]
fn what_a_program_panics_with() {
    use VerdictClass as C;
    assert_eq!(class_of_value("string", "boom"), C::StringPanic);
    assert_eq!(class_of_value("*fmt.wrapError", "load: open: no such file"), C::ErrorPanic);
    assert_eq!(class_of_value("main.ValidationError", "bad"), C::ErrorPanic);
    assert_eq!(class_of_value("main.exitCode", "main.exitCode(78)"), C::CustomPanic);
    assert_eq!(class_of_text("main.exitCode(78)"), C::CustomPanic);
    assert_eq!(class_of_text("(*main.abort) 0xc000012345"), C::CustomPanic);
    assert_eq!(class_of_text("int(3)"), C::CustomPanic);
    assert_eq!(class_of_text("load config: open x: no such file"), C::ErrorPanic);
    assert_eq!(class_of_text("no call(s) here"), C::StringPanic);
}

#[test]
fn text_alone_is_less_sure_of_a_plain_message() {
    let process = Process::default();
    let sure = |origin, name, text| {
        judge(origin, Some(&panicked(vec![link(name, text, false)])), &process, &[]).confidence
    };
    assert_eq!(sure(Origin::Text, None, "send on closed channel"), Confidence::Likely);
    // A program's own error can begin with these words too; who called panic is not on this stack.
    assert_eq!(sure(Origin::Text, None, "runtime error: integer divide by zero"), Confidence::Likely);
    assert_eq!(
        sure(Origin::Memory, Some("runtime.plainError"), "send on closed channel"),
        Confidence::Certain
    );
}

#[test]
fn who_called_panic_decides_whose_words_they_are() {
    let panic = panicked(vec![link(None, "runtime error: integer divide by zero", false)]);
    let judged = |callers: &[&str]| {
        let frames = callers.iter().map(|name| frame(name, "/src/x.go", 1)).collect();
        let all = [goroutine(7, "running", None, frames)];
        let process = Process::default();
        let facts = Facts {
            origin: Origin::Text,
            panic: Some(&panic),
            goroutines: &all,
            crashing: all.first(),
            runtime_read: true,
            core: false,
            ..Facts::nothing(&process)
        };
        let verdict = decide(&facts).verdict;
        (verdict.class, verdict.confidence)
    };
    let by_runtime =
        judged(&["runtime.gopanic", "runtime.panicdivide", "main.f", "runtime.main", "runtime.goexit"]);
    assert_eq!(by_runtime, (VerdictClass::DivideByZero, Confidence::Certain));
    let by_program = judged(&["runtime.gopanic", "main.f", "runtime.main", "runtime.goexit"]);
    assert_eq!(by_program, (VerdictClass::ErrorPanic, Confidence::Possible));
    // The default level leaves the runtime's frames out.
    assert_eq!(judged(&["main.f", "main.main"]), (VerdictClass::DivideByZero, Confidence::Likely));
}

#[test]
fn the_root_of_a_chain() {
    use VerdictClass as C;
    let nil_map = || link(Some("runtime.plainError"), "assignment to entry in nil map", true);
    // Middleware recovers and wraps what the runtime raised.
    let wrapped = panicked(vec![
        nil_map(),
        link(Some("*fmt.wrapError"), "handler: assignment to entry in nil map", false),
    ]);
    assert_eq!(class_of(&wrapped), C::NilMapWrite);
    // Recovered for good; something else came after it.
    let unrelated = panicked(vec![nil_map(), link(Some("string"), "shutting down", false)]);
    assert_eq!(class_of(&unrelated), C::StringPanic);
    // Nobody recovered the first; the second was raised while its deferred functions ran.
    let cleanup = panicked(vec![
        link(Some("runtime.boundsError"), "runtime error: index out of range [1] with length 1", false),
        link(Some("string"), "rollback failed", false),
    ]);
    assert_eq!(class_of(&cleanup), C::IndexOutOfRange);
}

#[test]
fn a_nil_function_is_told_by_its_instruction() {
    let mut panic = panicked(vec![link(
        Some("runtime.errorString"),
        "runtime error: invalid memory address or nil pointer dereference",
        false,
    )]);
    let call = [0x48, 0x8b, 0x0a, 0xff, 0xd1];
    let at = |panic: &Panic, code: &[u8]| judge(Origin::Memory, Some(panic), &Process::default(), code).class;
    assert_eq!(at(&panic, &call), VerdictClass::NilFuncCall);
    assert_eq!(at(&panic, &[]), VerdictClass::NilDereference);
    panic.signal = Some(signal("SIGSEGV", 11, 1, Some(0x18), None));
    assert_eq!(at(&panic, &call), VerdictClass::NilDereference);
}

fn signal(name: &str, number: i32, code: i32, address: Option<u64>, sender: Option<i32>) -> Signal {
    Signal {
        number,
        name: name.to_owned(),
        code: Some(code),
        address: address.map(Address),
        sender_pid: sender,
    }
}

#[test]
fn the_abort_of_the_dying_runtime_is_not_the_cause() {
    // GOTRACEBACK=crash: SI_TKILL from the process itself, after a panic.
    let process = Process {
        pid: Some(100),
        signal: Some(signal("SIGABRT", 6, -6, None, Some(100))),
        ..Process::default()
    };
    let panic = panicked(vec![link(Some("string"), "boom", false)]);
    assert_eq!(judge(Origin::Memory, Some(&panic), &process, &[]).class, VerdictClass::StringPanic);
    // Without any panic it is not a signal from outside either.
    assert_eq!(judge(Origin::Memory, None, &process, &[]).class, VerdictClass::Unknown);
}

#[test]
fn a_signal_from_outside() {
    let process = Process { pid: Some(100), ..Process::default() };
    let panic = Panic {
        kind: PanicKind::Signal,
        chain: Vec::new(),
        message: Some("SIGQUIT: quit".to_owned()),
        signal: Some(signal("SIGQUIT", 3, 0, None, Some(55))),
    };
    let verdict = judge(Origin::Memory, Some(&panic), &process, &[]);
    assert_eq!(verdict.class, VerdictClass::ExternalSignal);
    assert_eq!(verdict.goroutine, None);
    assert!(verdict.hints.iter().any(|hint| hint.contains("55")), "{:?}", verdict.hints);
}

#[test]
fn nothing_at_all_is_no_crash() {
    assert_eq!(judge(Origin::Text, None, &Process::default(), &[]).class, VerdictClass::NoCrash);
}

#[test]
fn a_stopped_process_is_a_snapshot_and_a_killed_one_is_not() {
    let ended_by = |name, number| {
        let signal = Some(signal(name, number, 0x80, None, None));
        judge(Origin::Memory, None, &Process { signal, ..Process::default() }, &[]).class
    };
    assert_eq!(ended_by("SIGSTOP", 19), VerdictClass::NoCrash);
    assert_eq!(ended_by("SIGTRAP", 5), VerdictClass::NoCrash);
    assert_eq!(ended_by("SIGBUS", 7), VerdictClass::Unknown);
}

#[test]
fn every_verdict_explains_itself() {
    for panic in [fatal("concurrent map writes"), panicked(vec![link(None, "boom", false)]), fatal("odd")] {
        let verdict = judge(Origin::Text, Some(&panic), &Process::default(), &[]);
        assert!(!verdict.title.is_empty() && verdict.summary.ends_with('.'), "{verdict:?}");
        assert!(!verdict.evidence.is_empty() && !verdict.capture_next.is_empty(), "{verdict:?}");
        assert!(verdict.evidence.iter().any(|e| e.reference.as_deref() == Some("goroutine 7 frame 0")));
    }
}

#[test]
fn titles_are_one_line_of_bounded_length() {
    for message in ["x\0y\u{1b}[31m".to_owned(), "word ".repeat(10_000)] {
        let title = judge(Origin::Text, Some(&fatal(&message)), &Process::default(), &[]).title;
        assert!(title.chars().count() <= 241 && !title.contains(char::is_control), "{title:?}");
    }
}

#[test]
fn a_long_chain_is_not_told_in_full() {
    let chain = (0..1000).map(|n| link(None, &format!("boom {n}"), false)).collect();
    let hints = judge(Origin::Text, Some(&panicked(chain)), &Process::default(), &[]).hints.concat();
    assert!(hints.starts_with("1000 panics") && hints.len() < 1000, "{hints}");
}
