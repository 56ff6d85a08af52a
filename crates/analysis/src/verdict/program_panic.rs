//! What the three classes of panics that a program raises itself (`error-panic`, `string-panic`,
//! `custom-panic`) have in common.
//!
//! Before printing, `preprintpanics` (runtime/panic.go) replaces errors and Stringers by their text,
//! so text alone does not tell a string from an error. What is printed of other types does:
//! `main.exitCode(78)`, `(main.T) {…}`, `(*main.T) 0xc000012345` (runtime/error.go `printpanicval`).

use panicle_report::{Confidence, PanicKind, PanicLink, VerdictClass};

use super::{
    capture,
    finding::{Finding, cut, cut_at_word, in_place},
};
use crate::facts::{Facts, first_line, text_of, type_of};

/// A panic of the program's own, if the class of its value is `class`.
pub(super) fn of_class(facts: &Facts<'_>, class: VerdictClass) -> Option<Finding> {
    if facts.kind() != Some(PanicKind::Panic) {
        return None;
    }
    let (_, link) = facts.root()?;
    if is_unreadable(link) {
        return None;
    }
    let text = shown_text(link);
    let (found, confidence, because) = match type_of(link) {
        // The runtime makes this error of `panic(nil)` itself, and nothing but its text is left in the core.
        Some("string") | None if is_nil_panic(text) => (VerdictClass::ErrorPanic, Confidence::Likely, OF_NIL),
        None if by_log(facts) => (VerdictClass::StringPanic, Confidence::Certain, BY_LOG),
        Some(name) => by_type(name, link.value.as_ref().and_then(|value| value.error)),
        None => by_text(text),
    };
    if found != class {
        return None;
    }
    // Neither is told from the other by what is printed; the class is a guess then.
    let is_open = type_of(link).is_none() && confidence == Confidence::Possible;
    let kind = match class {
        VerdictClass::ErrorPanic | VerdictClass::StringPanic if is_open => "an error or a string",
        VerdictClass::ErrorPanic => "an error",
        VerdictClass::StringPanic => "a string",
        _ => "a value",
    };
    let named = type_of(link).map_or(String::new(), |name| format!(" ({name})"));
    let end = if facts.survived() { "" } else { " Nothing recovered it." };
    Some(
        Finding::new(facts, class, format!("Panic: {}", cut_at_word(text, 120)))
            .sure(confidence, because)
            .raise("A core raises it: it has the type of the value.")
            .summary(format!(
                "The program itself called panic with {kind}{named}{}: \"{}\".{end}",
                in_place(facts),
                cut(text, 300)
            )),
    )
}

/// A panic, and nothing to tell what it said.
pub(super) fn unreadable(facts: &Facts<'_>) -> Option<Finding> {
    if facts.kind() != Some(PanicKind::Panic) {
        return None;
    }
    let (_, link) = facts.root()?;
    if !is_unreadable(link) {
        return None;
    }
    let named = type_of(link).map_or(String::new(), |name| format!(" (its type is {name})"));
    let signal = facts.panic.and_then(|panic| panic.signal.as_ref());
    let because = signal.map_or(String::new(), |signal| format!(" It was raised for {}.", signal.name));
    Some(
        Finding::new(facts, VerdictClass::Unknown, "A panic whose value cannot be read".to_owned())
            .sure(Confidence::Unknown, "Unknown: what panic was called with is not in the memory at hand.")
            .raise("What the process printed when it died would raise it.")
            .summary(format!(
                "A panic ended the process{}, and its value cannot be read{named}.{because} The stack shows where it \
                 was raised; what was printed when it died tells the rest.",
                in_place(facts)
            ))
            .capture(capture::TEXT)
            .capture(capture::CORE),
    )
}

/// The runtime's own errors are told apart by their text, and without either nothing is known.
fn is_unreadable(link: &PanicLink) -> bool {
    !has_text(link) && type_of(link).is_none_or(|name| name.starts_with("runtime."))
}

fn has_text(link: &PanicLink) -> bool {
    link.value.as_ref().is_some_and(|value| value.text.is_some())
}

fn shown_text(link: &PanicLink) -> &str {
    if has_text(link) { first_line(text_of(link)) } else { "(its text is not in the core)" }
}

/// `error` is whether the type has a method `Error`, where that is known.
fn by_type(name: &str, error: Option<bool>) -> (VerdictClass, Confidence, &'static str) {
    const SURE: &str = "Certain: the value's type was read from memory.";
    let base = name.trim_start_matches('*');
    let last = base.rsplit('.').next().unwrap_or(base).to_ascii_lowercase();
    if name == "string" {
        return (VerdictClass::StringPanic, Confidence::Certain, SURE);
    }
    match error {
        Some(true) => return (VerdictClass::ErrorPanic, Confidence::Certain, SURE),
        Some(false) => return (VerdictClass::CustomPanic, Confidence::Certain, SURE),
        None => {}
    }
    if base.starts_with("errors.") || base.starts_with("fmt.wrapError") || base == "runtime.PanicNilError" {
        (VerdictClass::ErrorPanic, Confidence::Certain, SURE)
    } else if ["error", "errors", "err", "errno"].iter().any(|end| last.ends_with(end)) {
        (
            VerdictClass::ErrorPanic,
            Confidence::Likely,
            "Likely: the value's type was read from memory, and by its name it is an error.",
        )
    } else {
        (VerdictClass::CustomPanic, Confidence::Certain, SURE)
    }
}

const OF_NIL: &str = "Likely: these are the runtime's words for panic(nil).";
const BY_LOG: &str = "Certain: it was raised by log.Panic, which panics with a string.";

/// `runtime.PanicNilError`, since Go 1.21 (runtime/panic.go); from Go 1.27 on with `runtime error: `.
pub(super) fn is_nil_panic(text: &str) -> bool {
    text.strip_prefix("runtime error: ").unwrap_or(text).starts_with("panic called with nil argument")
}

/// Whether log.Panic, log.Panicf or log.Panicln called panic, or a Logger's.
fn by_log(facts: &Facts<'_>) -> bool {
    facts.callee().is_some_and(|callee| {
        let name = callee.frame.function.as_str();
        name.starts_with("log.Panic") || name.starts_with("log.(*Logger).Panic")
    })
}

/// Why a guess is one.
const GUESS: &str =
    "Possible: the text of a panic does not tell a string from an error; this is by its wording.";

fn by_text(text: &str) -> (VerdictClass, Confidence, &'static str) {
    if is_printed_value(text) {
        return (
            VerdictClass::CustomPanic,
            Confidence::Certain,
            "Certain: the runtime printed the value with its type, which it does for neither strings nor errors.",
        );
    }
    if is_known_error(text) {
        return (
            VerdictClass::ErrorPanic,
            Confidence::Likely,
            "Likely: these are the words of an error of Go's own library.",
        );
    }
    // Wrapped errors read `outer: inner`; a message with a number at its end is no error in an error.
    let inner = text.rsplit_once(": ").map(|(_, inner)| inner);
    let wraps = inner.is_some_and(|inner| inner.contains(char::is_alphabetic));
    let class = if wraps { VerdictClass::ErrorPanic } else { VerdictClass::StringPanic };
    (class, Confidence::Possible, GUESS)
}

/// Errors of the standard library without a colon.
fn is_known_error(text: &str) -> bool {
    const KNOWN: &[&str] = &[
        "EOF",
        "unexpected EOF",
        "context canceled",
        "context deadline exceeded",
        "file does not exist",
        "file already exists",
        "file already closed",
        "permission denied",
        "invalid argument",
        "i/o timeout",
        "short write",
        "short buffer",
        "use of closed network connection",
        "net/http: abort Handler",
        "broken pipe",
        "connection refused",
        "connection reset by peer",
    ];
    KNOWN.contains(&text)
}

/// `main.exitCode(78)`, `(main.T) {...}`, `(*main.T) 0xc000012345`, `main.name("x")`.
fn is_printed_value(text: &str) -> bool {
    if let Some((name, value)) = text.strip_prefix('(').and_then(|rest| rest.split_once(") ")) {
        return !name.contains(' ') && (value.starts_with("0x") || value.starts_with('{'));
    }
    text.strip_suffix(')').and_then(|rest| rest.split_once('(')).is_some_and(|(name, _)| is_type_name(name))
}

fn is_type_name(name: &str) -> bool {
    const BASIC: &[&str] = &[
        "bool",
        "int",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "uintptr",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ];
    BASIC.contains(&name)
        || name.split_once('.').is_some_and(|(package, local)| {
            !package.is_empty()
                && !local.is_empty()
                && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '-' | '%'))
        })
}
