//! Queries and predicates: any text is read or refused with a place in it, and the canonical spelling of what was
//! read means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicle_query::{Facts, Predicate, Query, complete};

fuzz_target!(|text: &str| {
    let inside = |start: usize, end: usize| assert!(text.get(start..end).is_some());
    match Query::parse(text) {
        Ok(query) => assert_eq!(Query::parse(&query.to_string()).as_ref(), Ok(&query)),
        Err(error) => inside(error.span.start, error.span.end()),
    }
    if let Ok(predicate) = Predicate::parse(text) {
        assert_eq!(Predicate::parse(&predicate.to_string()).as_ref(), Ok(&predicate));
        let facts = Facts::new().with("frame", text).with("title", text);
        assert_eq!(predicate.matches(&facts), predicate.explain(&facts).matched);
    }
    let place = complete::place(text, text.len() / 2);
    inside(place.span.start, place.span.end());
});
