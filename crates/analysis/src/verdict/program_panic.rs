//! `error-panic`, `string-panic`, `custom-panic`: the program called panic itself.
//!
//! Before printing, `preprintpanics` (runtime/panic.go) replaces errors and Stringers by their text,
//! so text alone does not tell a string from an error. What is printed of other types does:
//! `main.exitCode(78)`, `(main.T) {…}`, `(*main.T) 0xc000012345` (runtime/error.go `printpanicval`).

use panicle_report::{Confidence, PanicKind, PanicLink, VerdictClass};

use super::{
    capture,
    finding::{Finding, cut, in_place},
};
use crate::facts::{Facts, first_line, text_of, type_of};

/// Panics of a chain that the hint about it names.
const SHOWN: usize = 10;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    if facts.kind() != Some(PanicKind::Panic) {
        return None;
    }
    let (_, link) = facts.root()?;
    let has_text = link.value.as_ref().is_some_and(|value| value.text.is_some());
    // The runtime's own errors are told apart by their text, and without either nothing is known.
    if !has_text && type_of(link).is_none_or(|name| name.starts_with("runtime.")) {
        return Some(unreadable(facts, link));
    }
    let text = if has_text { first_line(text_of(link)) } else { "(its text is not in the core)" };
    let (class, confidence, because) = match type_of(link) {
        Some(name) => by_type(name),
        None => by_text(text),
    };
    let kind = match class {
        VerdictClass::ErrorPanic => "an error",
        VerdictClass::StringPanic => "a string",
        _ => "a value",
    };
    let named = type_of(link).map_or(String::new(), |name| format!(" ({name})"));
    let mut finding = Finding::new(facts, class, format!("Panic: {}", cut(text, 120)))
        .sure(confidence, because)
        .summary(format!(
            "The program itself called panic with {kind}{named}{}: \"{}\". Nothing recovered it.",
            in_place(facts),
            cut(text, 300)
        ))
        .fix("Where the caller can handle it, return an error in place of panicking.")
        .fix("Mend the cause that the message names; a recover would only hide it.")
        .capture(capture::CORE);
    let links: Vec<_> = facts.links().collect();
    if links.len() > 1 {
        let chain: Vec<_> =
            links.iter().take(SHOWN).map(|l| format!("\"{}\"", cut(first_line(text_of(l)), 80))).collect();
        let more = if links.len() > SHOWN { ", …" } else { "" };
        finding = finding.hint(format!(
            "{} panics are on the chain, first raised first: {}{more}.",
            links.len(),
            chain.join(", ")
        ));
    }
    if facts.subject().is_some_and(|g| g.frames.iter().any(|f| is_init(&f.function))) {
        finding = finding.hint("It happened while packages were being initialised, before main.main ran.");
    }
    Some(finding)
}

/// A panic, and nothing to tell what it said.
fn unreadable(facts: &Facts<'_>, link: &PanicLink) -> Finding {
    let named = type_of(link).map_or(String::new(), |name| format!(" (its type is {name})"));
    let signal = facts.panic.and_then(|panic| panic.signal.as_ref());
    let because = signal.map_or(String::new(), |signal| format!(" It was raised for {}.", signal.name));
    Finding::new(facts, VerdictClass::Unknown, "A panic whose value cannot be read".to_owned())
        .sure(Confidence::Unknown, "Unknown: what panic was called with is not in the memory at hand.")
        .summary(format!(
            "A panic ended the process{}, and its value cannot be read{named}.{because} The stack shows where it \
             was raised; what was printed when it died tells the rest.",
            in_place(facts)
        ))
        .capture(capture::CORE)
}

fn by_type(name: &str) -> (VerdictClass, Confidence, &'static str) {
    const SURE: &str = "Certain: the value's type was read from memory.";
    let base = name.trim_start_matches('*');
    let last = base.rsplit('.').next().unwrap_or(base).to_ascii_lowercase();
    if name == "string" {
        (VerdictClass::StringPanic, Confidence::Certain, SURE)
    } else if base.starts_with("errors.")
        || base.starts_with("fmt.wrapError")
        || base == "runtime.PanicNilError"
    {
        (VerdictClass::ErrorPanic, Confidence::Certain, SURE)
    } else if last.ends_with("error")
        || last.ends_with("errors")
        || last.ends_with("err")
        || last.ends_with("errno")
    {
        (
            VerdictClass::ErrorPanic,
            Confidence::Likely,
            "Likely: the value's type was read from memory, and by its name it is an error.",
        )
    } else {
        (VerdictClass::CustomPanic, Confidence::Certain, SURE)
    }
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
    // Wrapped errors read `outer: inner`.
    let class = if text.contains(": ") { VerdictClass::ErrorPanic } else { VerdictClass::StringPanic };
    (class, Confidence::Possible, GUESS)
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

fn is_init(function: &str) -> bool {
    function == "runtime.doInit"
        || function == "runtime.doInit1"
        || function.rsplit('.').next() == Some("init")
}
