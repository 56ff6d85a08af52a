//! The signature: what makes two crashes the same bug.
//!
//! Version 3 is a digest over the class, the message as a template and the program's own functions on the
//! stack of the crash. It is made so that it comes out equal for
//!
//! - a core and the text that the same crash printed, at any GOTRACEBACK level: frames of the
//!   runtime and the standard library are dropped, types of panic values are not used;
//! - builds of different Go versions, optimised or not, at different commits: no line numbers, no
//!   addresses, no arguments; closures without their numbers and without the function they were
//!   inlined into; import paths without major versions and vendor directories; generic functions
//!   without type arguments;
//! - different versions of the modules that the program uses: of their functions only the one that the
//!   program called counts;
//! - different depths of a recursion: a function counts once, and so do closures of a function that
//!   is on the stack itself.
//!
//! A process that was dumped from outside has no such stack. There it is about what most goroutines had in
//! common ([`population`]). A deadlock has several: those of the goroutines that wait for each other, in an order
//! that does not depend on their numbers.
//!
//! Two bugs of one class with the same message in one function come out equal, unless they fail in
//! different functions of a library. Nothing that a printed text holds tells them apart
//! and survives a new build: absolute lines move with every edit above them, and the address of a
//! nil dereference changes with optimisation (an unoptimised build checks at offset 0, an optimised
//! one at the field that it happens to load first).
//!
//! Version 1 took functions of all modules for the program's own.

mod frames;
mod name;
mod packages;
mod population;
mod template;

use panicle_report::{Goroutine, Signature, SignatureStep, VerdictClass};

use crate::{
    digest,
    facts::Facts,
    function::{self, Owner},
};
use population::Population;

/// Version of the algorithm.
const VERSION: u32 = 3;

/// Computes the signature of a crash that was given the class `class`. Where goroutines wait for each other, they are
/// `stuck`.
pub(crate) fn compute(facts: &Facts<'_>, class: VerdictClass, stuck: &[u64]) -> Signature {
    let mut explain = Vec::new();
    let population = is_of_all(class).then(|| Population::of(facts)).filter(|p| !p.is_empty());
    let stands_out = population.as_ref().is_some_and(|population| population.dominant().is_some());
    let (slug, rule) = if stands_out { SHARED_STACK } else { class_slug(class) };
    explain.push(SignatureStep {
        step: "class".to_owned(),
        input: class.as_str().to_owned(),
        output: Some(slug.to_owned()),
        rule: rule.to_owned(),
    });
    // How somebody asked for the dump says nothing about what the goroutines wait for.
    let message = if stands_out { String::new() } else { message(facts, class) };
    let template = template::of(&message);
    explain.push(SignatureStep {
        step: "message".to_owned(),
        input: message,
        output: Some(template.clone()),
        rule: "addresses, numbers, quoted values, identifiers, hosts, paths and times are placeholders"
            .to_owned(),
    });
    let (frames, place) = match &population {
        Some(population) => {
            population.explain(&mut explain);
            frames::of_population(population, &mut explain)
        }
        None if is_of_all(class) => (Vec::new(), None),
        None if !stuck.is_empty() => frames::of_stuck(facts, stuck, &mut explain),
        None => frames::select(facts, class, &mut explain),
    };
    let population = population.map_or_else(Vec::new, |population| population.listed());

    let parts = ["panicle", "2", slug, &template];
    let fingerprint = digest::of(parts.into_iter().chain(frames.iter().map(String::as_str)));
    let family =
        digest::of(["panicle", "2", "family", family_of(slug), place.as_deref().unwrap_or_default()]);
    // A module's function that was called stands before the place. Which of the standard library's it was, messages
    // tell as a rule.
    let called = frames.first().filter(|first| {
        place.as_ref().is_some_and(|place| place != *first && !is_of_all(class) && stuck.is_empty())
            && function::owner(first) == Owner::App
            && class != VerdictClass::StackOverflow
    });
    let place = match (called, place) {
        (Some(called), Some(place)) => Some(format!("{called}, called from {place}")),
        (_, place) => place,
    };
    let what = if stands_out { Subject::Shared } else { Subject::of(class, stuck.len()) };
    let title = title(what, slug, &template, place.as_deref());
    Signature { version: VERSION, fingerprint, family, title, frames, population, explain }
}

/// What a title is about.
#[derive(Clone, Copy, PartialEq)]
enum Subject {
    /// A stack that most goroutines share.
    Shared,
    /// A process that somebody ended, or wrote down, of which no stack stands out.
    Ended,
    Alive,
    /// Several goroutines that wait for each other, or one that waits for itself.
    EachOther,
    Itself,
    /// The class.
    Class(VerdictClass),
}

impl Subject {
    fn of(class: VerdictClass, stuck: usize) -> Self {
        match class {
            VerdictClass::NoCrash => Self::Alive,
            class if is_of_all(class) => Self::Ended,
            VerdictClass::Deadlock if stuck == 1 => Self::Itself,
            VerdictClass::Deadlock => Self::EachOther,
            class => Self::Class(class),
        }
    }
}

/// What lists call the group: `class: message at place`, and a sentence where there is no message.
fn title(what: Subject, slug: &str, template: &str, place: Option<&str>) -> String {
    let at = |before: &str| place.map_or(String::new(), |place| format!("{before} {place}"));
    let in_place = |what: &str| format!("{what}{}", at(" in"));
    match (what, template) {
        (Subject::Shared, _) => in_place("Many goroutines wait"),
        (Subject::Alive, _) => format!("A dump of a process that lived{}", at(", with goroutines of")),
        (Subject::Ended, "") => format!("Ended from outside{}", at(", with goroutines of")),
        (Subject::Ended, signal) => {
            format!("Ended from outside by {signal}{}", at(", with goroutines of"))
        }
        (Subject::EachOther, "") => in_place("Goroutines wait for each other's locks"),
        (Subject::Itself, "") => in_place("A goroutine waits for a lock of its own"),
        (Subject::Class(VerdictClass::DataRace), "") => in_place("A data race"),
        (Subject::Class(VerdictClass::CgoFault), "") => in_place("A signal in C code"),
        (Subject::Class(VerdictClass::Unknown), "") => in_place("An end of which nothing is known"),
        (_, "") => {
            let words = slug.replace('-', " ");
            let mut letters = words.chars();
            let first = letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>());
            in_place(&first.unwrap_or_default())
        }
        (_, template) => format!("{slug}: {template}{}", at(" at")),
    }
}

/// The message that goes in: the root panic's text, the fatal error's, or the signal's name.
fn message(facts: &Facts<'_>, class: VerdictClass) -> String {
    if matches!(class, VerdictClass::ExternalSignal | VerdictClass::GoroutineLeak | VerdictClass::CgoFault) {
        let signal = facts.panic.and_then(|p| p.signal.as_ref()).or(facts.process.signal.as_ref());
        return signal.map_or(String::new(), |s| s.name.clone());
    }
    let text = match facts.root() {
        Some((_, link)) => crate::facts::text_of(link),
        None => facts.fatal().unwrap_or_default(),
    };
    crate::facts::first_line(text).to_owned()
}

/// The name in signatures of what is about a stack that most goroutines share.
const SHARED_STACK: (&str, &str) = (
    "goroutines",
    "nobody is at fault: what most goroutines have in common counts, however the dump was made",
);

/// The program's functions on a goroutine's stack, innermost first, normalised, each once.
pub(crate) fn own_functions(goroutine: &Goroutine) -> Vec<String> {
    frames::own_functions(&goroutine.frames, goroutine.created_by.as_ref())
}

/// Whether nobody is at fault, so that the signature is about all goroutines.
fn is_of_all(class: VerdictClass) -> bool {
    matches!(class, VerdictClass::ExternalSignal | VerdictClass::GoroutineLeak | VerdictClass::NoCrash)
}

/// The name a class has in signatures, and why.
fn class_slug(class: VerdictClass) -> (&'static str, &'static str) {
    const MERGED: &str = "printed text does not tell these classes apart, so they share one name";
    match class {
        VerdictClass::ErrorPanic | VerdictClass::StringPanic | VerdictClass::CustomPanic => ("panic", MERGED),
        VerdictClass::NilDereference | VerdictClass::NilFuncCall => ("nil-dereference", MERGED),
        // Whether a signal found a leak depends on how many goroutines had piled up.
        VerdictClass::ExternalSignal | VerdictClass::GoroutineLeak => ("external-signal", MERGED),
        other => (other.as_str(), "the verdict's class"),
    }
}

/// What ties variants together: which of two goroutines noticed a race decides on its class.
fn family_of(slug: &str) -> &str {
    if slug.starts_with("concurrent-map-") { "concurrent-map" } else { slug }
}

#[cfg(test)]
mod tests;
