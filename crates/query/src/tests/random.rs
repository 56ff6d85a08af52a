//! Any text: no panic, no disagreement.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{crash, now};
use crate::{FIELDS, Kind, Predicate, Query, complete};

/// What queries are made of, and what is near it.
fn piece() -> impl Strategy<Value = String> {
    let names: Vec<&str> = FIELDS
        .iter()
        .flat_map(|field| std::iter::once(field.name).chain(field.aliases.iter().copied()))
        .collect();
    let examples: Vec<&str> = FIELDS.iter().flat_map(|field| field.examples.iter().copied()).collect();
    prop_oneof![
        3 => proptest::sample::select(examples).prop_map(str::to_owned),
        3 => proptest::sample::select(names).prop_map(|name| format!("{name}:")),
        6 => proptest::sample::select(vec![
            "(", ")", " ", "\"", "\\", "-", "!", "NOT ", " OR ", " AND ", "||", "&&", "|", "&", ":", "=", "<", ">", ">=", "<=",
            "..", "*", "?", "1.24", "v1.4", "go1.24rc1", "v1.2.3-rc.1+meta", "24h", "2026-01-02", "new", "done", "label.",
            "label.\"a b\":", "main.(*T).F", "[...]", "chan receive", "10", "_", ".", "/", "ü", "\n", "\u{0}", "(devel)",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat())
}

/// Queries that are right for sure.
fn right() -> impl Strategy<Value = String> {
    let examples: Vec<&str> = FIELDS.iter().flat_map(|field| field.examples.iter().copied()).collect();
    let term = prop_oneof![
        proptest::sample::select(examples).prop_map(str::to_owned),
        "[a-zA-Z][a-zA-Z0-9_]{0,8}".prop_filter("a word of the language's own", |word| {
            !["OR", "AND", "NOT"].contains(&word.as_str())
        }),
        "[^\"\\\\\u{0}]{1,12}".prop_map(|text| format!("\"{text}\"")),
    ];
    term.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| format!("NOT ({inner})")),
            inner.clone().prop_map(|inner| format!("-({inner})")),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|items| format!("({})", items.join(" "))),
            proptest::collection::vec(inner, 2..4).prop_map(|items| format!("({})", items.join(" OR "))),
        ]
    })
}

fn check(text: &str) {
    match Query::parse(text) {
        Ok(query) => {
            let canonical = query.to_string();
            let again = Query::parse(&canonical);
            let again = again.unwrap_or_else(|error| panic!("{text:?} -> {canonical:?}: {error}"));
            assert_eq!(query, again, "{text:?} -> {canonical:?}");
            assert_eq!(canonical, again.to_string(), "{text:?}");
            let facts = crash();
            let matched = query.matches(&facts, now());
            assert_eq!(matched, again.matches(&facts, now()), "{text:?}");
            let explained = query.explain(&facts, now());
            assert_eq!(matched, explained.matched);
            for term in explained.terms {
                assert!(text.get(term.span.start..term.span.end()).is_some(), "{text:?}: {term:?}");
            }
        }
        Err(error) => {
            assert!(text.get(error.span.start..error.span.end()).is_some(), "{text:?}: {error:?}");
            assert_eq!(error.caret(text).lines().count(), 2);
            assert!(!error.to_string().is_empty());
        }
    }
    if let Ok(predicate) = Predicate::parse(text) {
        let canonical = predicate.to_string();
        assert_eq!(Predicate::parse(&canonical).as_ref(), Ok(&predicate), "{text:?} -> {canonical:?}");
        let facts = crash();
        assert_eq!(predicate.matches(&facts), predicate.explain(&facts).matched);
    }
    for at in 0..=text.len() + 1 {
        let place = complete::place(text, at);
        assert!(text.get(place.span.start..place.span.end()).is_some(), "{text:?} at {at}: {place:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_like_queries_are_read_or_refused(text in text()) {
        check(&text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn a_query_that_is_right_is_read(text in right()) {
        prop_assert!(Query::parse(&text).is_ok(), "{text}");
        check(&text);
    }
}

#[test]
fn the_table_is_right_about_itself() {
    for field in FIELDS {
        assert!(!field.help.is_empty() && !field.examples.is_empty(), "{}", field.name);
        for example in field.examples {
            let terms = Query::parse(example).unwrap_or_else(|error| panic!("{example}: {error}"));
            assert_eq!(terms.expr().map(|expr| expr.terms().len()), Some(1), "{example}");
            assert!(example.trim_start_matches('-').starts_with(field.name), "{example}");
            check(example);
        }
        assert_eq!(field.name.to_lowercase(), field.name);
        let names =
            FIELDS.iter().filter(|other| other.name == field.name || other.aliases.contains(&field.name));
        assert_eq!(names.count(), 1, "{}", field.name);
        if let Kind::OneOf(words) = field.kind {
            assert!(words.iter().all(|word| word.to_lowercase() == *word));
        }
    }
}

#[test]
fn the_docs_have_the_table() {
    let mut table = String::from("| field | is | about | asks for |\n|---|---|---|---|\n");
    for field in FIELDS {
        let mut names = vec![format!("`{}`", field.spelling())];
        names.extend(field.aliases.iter().map(|alias| format!("`{alias}`")));
        let case = if field.case { ", Aa" } else { "" };
        let examples: Vec<String> = field.examples.iter().map(|example| format!("`{example}`")).collect();
        let (kind, subject) = (field.kind.as_str(), field.subject.as_str());
        let (names, examples) = (names.join(", "), examples.join(" "));
        let _ = writeln!(table, "| {names} | {kind}{case} | {subject} | {} {examples} |", field.help);
    }
    let docs = include_str!("../../../../docs/query.md");
    assert!(docs.contains(&table), "docs/query.md has to have this table:\n{table}");
}
