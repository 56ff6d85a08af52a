mod complete;
mod eval;
mod parse;
mod random;
mod report;

use jiff::Timestamp;

use crate::{Facts, ParseError, Predicate, Query};

fn query(text: &str) -> Query {
    Query::parse(text).unwrap_or_else(|error| panic!("{error}\n{}", error.caret(text)))
}

fn predicate(text: &str) -> Predicate {
    Predicate::parse(text).unwrap_or_else(|error| panic!("{error}\n{}", error.caret(text)))
}

/// What is wrong with a query, with the place.
fn wrong(text: &str) -> (ParseError, String) {
    let error = Query::parse(text).expect_err(text);
    let place = text[error.span.start..error.span.end()].to_owned();
    (error, place)
}

fn now() -> Timestamp {
    "2026-05-06T07:08:09Z".parse().expect("a time")
}

fn crash() -> Facts {
    let mut facts = Facts::new()
        .with("class", "concurrent-map-write")
        .with("title", "Concurrent map writes in main.(*Cache).Put")
        .with("message", "fatal error: concurrent map writes")
        .with("frame", "example.com/shop/cache.(*Cache).Put")
        .with("frame", "example.com/shop.handler.func1")
        .with("frame", "main.main")
        .with("service", "auth")
        .with("host", "Node-7.eu.example.com")
        .with("label.env", "prod")
        .with("label.app id", "a b")
        .with("module", "example.com/shop")
        .with("version", "v1.4.0-rc.1")
        .with("go", "go1.24.11")
        .with("revision", "3f2a9c1d")
        .with("build", "GoID/abc")
        .with("fingerprint", "0f3c77")
        .with("status", "done")
        .with("state", "new");
    facts.add_count("goroutines.status", "waiting", 1500);
    facts.add_count("goroutines.status", "chan receive", 1200);
    facts.add_count("goroutines.status", "chan send", 300);
    facts.add_count("goroutines.status", "running", 2);
    facts.add_count("goroutines.function", "net.(*conn).Read", 40);
    // The same goroutines, and more.
    facts.add_count("goroutines.function", "net.(*netFD).Read", 45);
    facts.set_number("goroutines", 1502);
    facts.set_time("seen", "2026-05-05T12:00:00Z".parse().expect("a time"));
    facts
}
