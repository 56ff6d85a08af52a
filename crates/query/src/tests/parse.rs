use super::{predicate, query, wrong};
use crate::{Condition, ErrorKind, Expr, MAX_DEPTH, MAX_LENGTH, MAX_TERMS, Predicate, Query};

#[test]
fn the_canonical_spelling_is_short_and_means_the_same() {
    for (text, canonical) in [
        ("", ""),
        (" \t\n", ""),
        (
            "class:concurrent-map-write service:auth go:>=1.24 goroutines.status:\"chan receive\">1000 version:v1.4.* since:24h",
            "class:concurrent-map-write service:auth go:>=go1.24 goroutines.status:\"chan receive\">1000 version:v1.4.* since:24h",
        ),
        ("a AND b && c", "a b c"),
        ("a OR b || c", "a OR b OR c"),
        ("a b OR c d", "a b OR c d"),
        ("a (b OR c) d", "a (b OR c) d"),
        ("((a (b c)))", "a b c"),
        ("NOT a", "-a"),
        ("!(a OR b)", "-(a OR b)"),
        ("-(a b)", "-(a b)"),
        ("--a", "a"),
        ("-!NOT a", "-a"),
        ("\"AND\" \"a b\" \"a\"", "\"AND\" \"a b\" a"),
        ("and or not", "and or not"),
        ("\".\" a.", "\".\" a."),
        ("service:\"auth\"", "service:auth"),
        ("service:=auth", "service:auth"),
        ("SERVICE:Auth", "service:Auth"),
        ("hostname:x function:F build_id:1", "host:x frame:F build:1"),
        ("frame:main.(*Cache).Put", "frame:\"main.(*Cache).Put\""),
        ("(frame:main.(*Cache).Put)", "frame:\"main.(*Cache).Put\""),
        ("frame:*handler?", "frame:*handler?"),
        ("frame:a\\ b\\*c", "frame:\"a b*c\""),
        ("frame:a\\ b*", "frame:a\\ b*"),
        ("\\-x*", "\\-x*"),
        ("label.env:prod", "label.env:prod"),
        ("label.k8s.io/name:x", "label.k8s.io/name:x"),
        ("label.\"app id\":\"a b\"", "label.\"app id\":\"a b\""),
        ("goroutines>1_000", "goroutines:>1000"),
        ("goroutines:1..10 maps:..5 maps:7..", "goroutines:1..10 maps:..5 maps:7.."),
        ("goroutines.status:running", "goroutines.status:running"),
        ("goroutines.wait_reason:running=0", "goroutines.status:running=0"),
        ("go>=1.24rc1", "go:>=go1.24rc1"),
        ("go:1.22..1.23", "go:go1.22..go1.23"),
        ("version:1.4.*", "version:v1.4.*"),
        ("version:\"1.4\"", "version:\"1.4\""),
        ("version:\"(devel)\"", "version:\"(devel)\""),
        ("version:*", "version:*"),
        ("seen:2026-01-02", "seen:2026-01-02"),
        ("seen:>2026-01-02T03:04", "seen:>2026-01-02T03:04:00Z"),
        ("until:1d12h", "until:1d12h"),
        ("state:new -state:muted", "state:new -state:muted"),
        ("10.0.0.1\\:80 \"a:b\" x=1", "\"10.0.0.1:80\" \"a:b\" \"x=1\""),
        ("label.\"ü\":x", "label.\"ü\":x"),
        ("<nil> a|b it's a-b \"-\"", "\"<nil>\" \"a|b\" \"it's\" a-b \"-\""),
        ("(\"a\")OR(\"b\") \"c\"&&\"d\"", "a OR b c d"),
        ("seen:7d..24h received:24h..2026-01-01", "seen:7d..24h received:24h..2026-01-01"),
        ("goroutines:5..5 go:1.24..1.24", "goroutines:5..5 go:go1.24..go1.24"),
        ("frame:main.Map[...].F", "frame:main.Map[...].F"),
    ] {
        let parsed = query(text);
        assert_eq!(parsed.to_string(), canonical, "{text}");
        assert_eq!(query(canonical), parsed, "{text}");
    }
}

#[test]
fn predicates_are_those_of_the_go_team_and_more() {
    for (text, canonical) in [
        ("\"literal\"", "\"literal\""),
        ("(\"a\")", "\"a\""),
        ("!\"a\"", "!\"a\""),
        ("\"a\" && \"b\" || !(\"c\" || \"d\")", "\"a\" && \"b\" || !(\"c\" || \"d\")"),
        (
            "class:deadlock && (version:<v1.5 || frame:\"main.run\")",
            "class:deadlock && (version:<v1.5 || frame:main.run)",
        ),
    ] {
        let parsed = predicate(text);
        assert_eq!(parsed.to_string(), canonical, "{text}");
        assert_eq!(predicate(canonical), parsed);
    }
    let kind = |text: &str| Predicate::parse(text).expect_err(text).kind;
    assert_eq!(kind(" "), ErrorKind::Missing);
    assert_eq!(kind("main.run"), ErrorKind::Unquoted);
    assert_eq!(kind("\"\""), ErrorKind::Empty);
    for nothing in ["\" \"", "\".\"", "\"/\"", "\"*\"", "\"a\" || \"->\""] {
        assert_eq!(kind(nothing), ErrorKind::NoWord, "{nothing}");
    }
    predicate("\"_\" || \"ü.\"");
    assert_eq!(kind("class:deadlock && since:24h"), ErrorKind::NotInPredicate("since"));
    assert_eq!(kind("state:new"), ErrorKind::NotInPredicate("state"));
    assert!(
        matches!(predicate("\"a\"").expr(), Expr::Term(term) if term.condition == Condition::Words("a".to_owned()))
    );
}

#[test]
fn errors_point_at_the_place_and_say_what_would_be_right() {
    for (text, kind, place, expected) in [
        ("clas:x", ErrorKind::UnknownField("clas".to_owned()), "clas", "class:"),
        ("a http://x", ErrorKind::UnknownField("http".to_owned()), "http", ""),
        (
            "class:nil-map",
            ErrorKind::BadValue { field: "class".to_owned(), value: "nil-map".to_owned() },
            "nil-map",
            "nil-map-write",
        ),
        (
            "state:\"no\"",
            ErrorKind::BadValue { field: "state".to_owned(), value: "\"no\"".to_owned() },
            "\"no\"",
            "new",
        ),
        ("service:", ErrorKind::NoValue("service".to_owned()), "service:", "a word"),
        ("service: auth", ErrorKind::NoValue("service".to_owned()), "service:", "a word"),
        ("service:\"\"", ErrorKind::NoValue("service".to_owned()), "\"\"", "a word"),
        ("service:>auth", ErrorKind::NoOrder("service".to_owned()), ">", ""),
        ("a (b", ErrorKind::Unclosed, "(", ")"),
        ("frame:main.(*C", ErrorKind::Unclosed, "(", ")"),
        ("a b)", ErrorKind::Unopened, ")", ""),
        ("a \"b", ErrorKind::UnclosedQuote, "\"", "\""),
        ("a OR", ErrorKind::Missing, "", "a term"),
        ("OR a", ErrorKind::Missing, "", "a term"),
        ("NOT", ErrorKind::Missing, "", "a term"),
        ("()", ErrorKind::Missing, "", "a term"),
        ("\"\"", ErrorKind::Empty, "\"\"", ""),
        ("a .", ErrorKind::NoWord, ".", "\".\""),
        ("-*", ErrorKind::NoWord, "*", "\"*\""),
        ("/ a", ErrorKind::NoWord, "/", "\"/\""),
        (
            "since:1d1d1d",
            ErrorKind::BadValue { field: "since".to_owned(), value: "1d1d1d".to_owned() },
            "1d1d1d",
            "24h",
        ),
        (
            "since:1h1d",
            ErrorKind::BadValue { field: "since".to_owned(), value: "1h1d".to_owned() },
            "1h1d",
            "24h",
        ),
        (
            "go:1.99999999999999999999",
            ErrorKind::BadValue { field: "go".to_owned(), value: "1.99999999999999999999".to_owned() },
            "1.99999999999999999999",
            "1.24",
        ),
        (
            "version:>=v1.99999999999999999999",
            ErrorKind::BadValue { field: "version".to_owned(), value: "v1.99999999999999999999".to_owned() },
            "v1.99999999999999999999",
            "v1.4.2",
        ),
        ("label:x", ErrorKind::NoKey("label"), "label", "label."),
        ("go:x", ErrorKind::BadValue { field: "go".to_owned(), value: "x".to_owned() }, "x", "1.24"),
        (
            "go:>1.2*",
            ErrorKind::BadValue { field: "go".to_owned(), value: "1.2*".to_owned() },
            "1.2*",
            "1.24",
        ),
        (
            "goroutines:many",
            ErrorKind::BadValue { field: "goroutines".to_owned(), value: "many".to_owned() },
            "many",
            "a number",
        ),
        (
            "goroutines.status:running>x",
            ErrorKind::BadValue { field: "goroutines.status".to_owned(), value: "x".to_owned() },
            "x",
            "a number",
        ),
        (
            "since:yesterday",
            ErrorKind::BadValue { field: "since".to_owned(), value: "yesterday".to_owned() },
            "yesterday",
            "24h",
        ),
        (
            "seen:24h",
            ErrorKind::BadValue { field: "seen".to_owned(), value: "24h".to_owned() },
            "24h",
            "2026-01-02",
        ),
        (
            "since:2026-02-30",
            ErrorKind::BadValue { field: "since".to_owned(), value: "2026-02-30".to_owned() },
            "2026-02-30",
            "24h",
        ),
        ("label.ü:x", ErrorKind::KeyUnquoted, "ü", "label.\"ü\":"),
        ("labels.a+b:x", ErrorKind::KeyUnquoted, "a+b", "label.\"a+b\":"),
        ("label.\"a b\"x:1", ErrorKind::Glued, "\"a b\"", "a blank"),
        ("größe:x", ErrorKind::UnknownField("größe".to_owned()), "größe", ""),
        ("cla*s:x", ErrorKind::UnknownField("cla*s".to_owned()), "cla*s", "class:"),
        ("main.(*T).F:12", ErrorKind::UnknownField("main.(*T).F".to_owned()), "main.(*T).F", ""),
        ("10.0.0.1:80", ErrorKind::UnknownField("10.0.0.1".to_owned()), "10.0.0.1", ""),
        ("service :auth", ErrorKind::NoField, ":", "\":auth\""),
        ("verison>=1.4", ErrorKind::UnknownField("verison".to_owned()), "verison", "version:"),
        (
            "goroutines.statu:x",
            ErrorKind::UnknownField("goroutines.statu".to_owned()),
            "goroutines.statu",
            "goroutines.status:",
        ),
        ("go >= 1.24", ErrorKind::NoField, ">=", "count:>10"),
        ("go >=1.24", ErrorKind::NoField, ">=", "count:>10"),
        ("a | b", ErrorKind::LoneSign("|".to_owned()), "|", "||"),
        ("a & b", ErrorKind::LoneSign("&".to_owned()), "&", "&&"),
        ("a - b", ErrorKind::LoneSign("-".to_owned()), "-", "-word"),
        ("service!=auth", ErrorKind::Negated, "!=", "-service:auth"),
        ("service:!auth", ErrorKind::Negated, "!", "-service:auth"),
        ("label.env:!prod", ErrorKind::Negated, "!", "-label.env:prod"),
        ("'nil map'", ErrorKind::OtherQuote, "'", "\""),
        ("title:“nil map”", ErrorKind::OtherQuote, "“", "\""),
        ("goroutines.status:\"chan receive\"..5", ErrorKind::Glued, "..5", ">1000"),
        ("goroutines.status:\"chan receive\">5<10", ErrorKind::Glued, "<10", "a blank"),
        (
            "goroutines.status:running..5",
            ErrorKind::BadValue { field: "goroutines.status".to_owned(), value: "running..5".to_owned() },
            "running..5",
            "a word",
        ),
        ("goroutines.status:running>=", ErrorKind::NoValue("goroutines.status".to_owned()), "", "a number"),
        ("service:\"auth\"-x", ErrorKind::Glued, "-x", "a blank"),
        ("\"a\"b", ErrorKind::Glued, "b", "a blank"),
        ("\"a\"ORb", ErrorKind::Glued, "ORb", "a blank"),
        ("a\"b\"", ErrorKind::Glued, "\"b\"", "a blank"),
        ("service:auth\"", ErrorKind::UnclosedQuote, "\"", "\""),
        ("goroutines:10..1", ErrorKind::Backwards("10..1".to_owned()), "10..1", "1..10"),
        ("version:v1.4..v1.2", ErrorKind::Backwards("v1.4..v1.2".to_owned()), "v1.4..v1.2", "v1.2..v1.4"),
        (
            "go:1.24..1.24rc1",
            ErrorKind::Backwards("1.24..1.24rc1".to_owned()),
            "1.24..1.24rc1",
            "1.24rc1..1.24",
        ),
        (
            "seen:2026-02-01..2026-01-01",
            ErrorKind::Backwards("2026-02-01..2026-01-01".to_owned()),
            "2026-02-01..2026-01-01",
            "2026-01-01..2026-02-01",
        ),
        ("received:24h..7d", ErrorKind::Backwards("24h..7d".to_owned()), "24h..7d", "7d..24h"),
        (
            "version:v1.*..v1.4",
            ErrorKind::BadValue { field: "version".to_owned(), value: "v1.*..v1.4".to_owned() },
            "v1.*..v1.4",
            "v1.4.2",
        ),
        (
            "id:0..5",
            ErrorKind::BadValue { field: "id".to_owned(), value: "0..5".to_owned() },
            "0..5",
            "the beginning of an identifier",
        ),
        (
            "class:nil-mpa-*",
            ErrorKind::BadValue { field: "class".to_owned(), value: "nil-mpa-*".to_owned() },
            "nil-mpa-*",
            "nil-map-write",
        ),
        ("a*b*c*d*e*f*g*h*i*j", ErrorKind::TooManyWildcards, "a*b*c*d*e*f*g*h*i*j", ""),
    ] {
        let (error, at) = wrong(text);
        assert_eq!((&error.kind, at.as_str()), (&kind, place), "{text}");
        assert_eq!(error.expected.first().map_or("", String::as_str), expected, "{text}: {error:?}");
    }
    let (error, _) = wrong("clas:x");
    assert!(error.to_string().ends_with("; did you mean class:?"), "{error}");
    let (error, _) = wrong("ü state:gone x");
    assert_eq!(error.caret("ü state:gone x"), "ü state:gone x\n        ^^^^");
    let (error, _) = wrong("a OR");
    assert_eq!(error.caret("a OR"), "a OR\n    ^");
}

#[test]
fn texts_are_bounded() {
    let kind = |text: &str| Query::parse(text).expect_err("too much").kind;
    assert_eq!(kind(&"x".repeat(MAX_LENGTH + 1)), ErrorKind::TooLong);
    assert_eq!(kind(&"x ".repeat(MAX_TERMS + 1)), ErrorKind::TooManyTerms);
    assert_eq!(kind(&"(".repeat(MAX_LENGTH)), ErrorKind::TooDeep);
    assert_eq!(kind(&"-".repeat(MAX_LENGTH)), ErrorKind::TooDeep);
    query(&"x ".repeat(MAX_TERMS));
    let nested = format!("{}x{}", "(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH));
    assert_eq!(query(&nested).to_string(), "x");
}
