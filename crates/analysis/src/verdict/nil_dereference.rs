//! `nil-dereference`: a load or store through a nil pointer.
//!
//! `memoryError` of runtime/panic.go, raised by `sigpanic` for SIGSEGV and SIGBUS below 4096
//! (signal_unix.go), and `panicwrap`'s plainError for a value method on a nil pointer (error.go).

use panicle_report::{Confidence, VerdictClass};

use super::{
    capture,
    finding::{Finding, in_place},
    signal::describe as describe_signal,
};
use crate::facts::{Facts, Origin};

/// The text of `memoryError`.
pub(super) const MEMORY_ERROR: &str = "runtime error: invalid memory address or nil pointer dereference";

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let text = facts.runtime_error()?;
    if text.starts_with("value method ") && text.ends_with(" pointer") {
        return Some(common(facts, "Value method called through a nil pointer").summary(format!(
            "{}{}. A method with a value receiver copies what the pointer points to, and there is nothing.",
            upper(text),
            in_place(facts)
        )));
    }
    if text != MEMORY_ERROR {
        return None;
    }
    let address = facts.panic.and_then(|p| p.signal.as_ref()).and_then(|s| s.address);
    let mut finding = common(facts, "Nil pointer dereference");
    let offset = match address.map(|a| a.0) {
        Some(0) => {
            " The address was 0: the pointer itself, or the first field of what it points to.".to_owned()
        }
        Some(offset) if offset < 4096 => {
            format!(
                " The address was {offset:#x}: what lies {offset} bytes into what the pointer should have pointed to, a \
                 field or a part of one (of a string and a slice the length is 8 bytes into it)."
            )
        }
        _ => String::new(),
    };
    finding = finding.summary(format!(
        "A nil pointer was followed{}.{offset} The pointer was never set, or a function returned nil where its \
         caller did not expect it.",
        in_place(facts)
    ));
    if let Some(signal) = facts.panic.and_then(|p| p.signal.as_ref()) {
        finding = finding.evidence("signal", describe_signal(signal), None);
    }
    // The instruction would tell, and text has none.
    if facts.origin == Origin::Text && address.is_none_or(|address| address.0 == 0) {
        finding = finding
            .sure(
                Confidence::Likely,
                "Likely: at address 0 it may also be the call of a function value that is nil, which text does not tell \
                 apart.",
            )
            .raise("A core raises it: it has the instruction.");
    }
    Some(with_nil_variables(facts, finding))
}

fn common(facts: &Facts<'_>, headline: &str) -> Finding {
    Finding::runtime_panic(facts, VerdictClass::NilDereference, headline)
        .fix("Check what can be nil where it comes from (a map lookup, an error path, an optional field), not where it is used.")
        .fix("Return an error along with a nil pointer, and check the error first.")
        .fix("An interface that holds a nil pointer is not equal to nil: return a plain nil from functions whose result is an interface.")
        .example(include_str!("examples/nil_dereference.go"))
        .capture(capture::CORE)
}

/// Names the variables of the failing frame that are nil: one of them is the culprit as a rule.
fn with_nil_variables(facts: &Facts<'_>, mut finding: Finding) -> Finding {
    let Some(place) = facts.place() else { return finding };
    let nil: Vec<_> = place
        .frame
        .locals
        .iter()
        .filter(|local| {
            local.value.as_deref() == Some("nil")
                && (local.type_name.starts_with('*') || local.type_name.starts_with("func"))
        })
        .map(|local| format!("{} ({})", local.name, local.type_name))
        .take(8)
        .collect();
    if nil.is_empty() && facts.origin == Origin::Memory && !place.frame.locals.is_empty() {
        finding = finding.evidence(
            "variable",
            "Which pointer it was is not known: the compiler kept no variable of that frame that is nil",
            Some(place.reference()),
        );
    }
    if !nil.is_empty() {
        finding = finding.evidence(
            "variable",
            format!("Nil in that frame: {}", nil.join(", ")),
            Some(place.reference()),
        );
    }
    let typed_nil = place.frame.locals.iter().find(|local| {
        local.value.as_deref().is_some_and(|v| v.contains("(nil)")) && !local.type_name.starts_with('*')
    });
    match typed_nil {
        Some(local) => finding.hint(format!(
            "{} is an interface that holds a typed nil ({}): it compares unequal to nil.",
            local.name,
            local.value.as_deref().unwrap_or_default()
        )),
        None => finding,
    }
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}
