//! `error-panic`: the program called panic with an error.

use panicle_report::VerdictClass;

use super::{capture, finding::Finding, program_panic};
use crate::facts::{Facts, first_line, text_of};

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let finding = program_panic::of_class(facts, VerdictClass::ErrorPanic)?;
    let text = facts.root().map_or("", |(_, link)| first_line(text_of(link)));
    let finding = if text == "net/http: abort Handler" {
        // http.ErrAbortHandler (net/http/server.go); the server recovers it, in its own goroutine alone.
        finding.hint(
            "This is http.ErrAbortHandler, with which a handler ends its request without a log line. The server \
             recovers it in the goroutine of the request alone; here it was raised in another one, or without a server.",
        )
    } else if program_panic::is_nil_panic(text) {
        // runtime.PanicNilError, since Go 1.21.
        finding.hint(
            "panic was called with nil. From Go 1.21 on that is this error; look for a panic(err) whose err is nil.",
        )
    } else {
        finding
    };
    Some(
        finding
            .fix("Where the caller can handle it, return the error (wrapped with %w) in place of panicking.")
            .fix("Mend the cause that the message names; a recover would only hide it.")
            .example(include_str!("examples/error_panic.go"))
            .capture(capture::CORE),
    )
}
