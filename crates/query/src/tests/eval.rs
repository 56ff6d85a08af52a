use super::{crash, now, predicate, query};
use crate::Facts;

#[test]
fn each_field_finds_what_it_is_about() {
    let facts = crash();
    let yes = [
        "",
        "class:concurrent-map-write",
        "class:Concurrent-Map-*",
        "title:\"MAP WRITES\"",
        "title:concurrent*",
        "message:fatal",
        "frame:main.main",
        "frame:cache.(*Cache).Put",
        "frame:shop/cache.(*Cache).Put",
        "frame:Put",
        "frame:*handler*",
        "service:AUTH",
        "host:node-7*",
        "label.env:prod",
        "label.\"app id\":\"a b\"",
        "module:shop",
        "version:1.4",
        "version:v1.4.*",
        "version:<v1.4.0",
        "version:>=v1.4.0-beta",
        "version:v1.3..v1.4",
        "version:\"v1.4.0-rc.1\"",
        "go:1.24",
        "go:>=1.24",
        "go:>1.24rc1",
        "go:<=1.24",
        "go:1.22..1.24",
        "go:go1.24.11",
        "go:*",
        "revision:3f2a",
        "build:GoID",
        "fingerprint:0F3C",
        "status:done",
        "state:new",
        "goroutines:1502",
        "goroutines:>1500",
        "goroutines:1000..2000",
        "goroutines.status:\"chan receive\">1000",
        "goroutines.status:chan*=1500",
        "goroutines.status:running",
        "goroutines.status:select=0",
        "goroutines.status:select<1",
        "goroutines.function:Read>=40",
        "goroutines.function:net.*=45",
        "goroutines.function:net.*<46",
        "since:24h",
        "since:2026-05-05",
        "until:2026-05-05",
        "-since:1h",
        "seen:2026-05-05",
        "seen:>=2026-05-05T12:00:00Z",
        "seen:<=2026-05-05T14:00:00+02:00",
        "-seen:>2026-05-05",
        "writes",
        "WRITES AUTH",
        "node-7",
        "(*Cache).put",
        "0f3c",
        "ca?he",
        "nothing OR service:auth",
        "-nothing",
        "-owner:*",
    ];
    for text in yes {
        assert!(query(text).matches(&facts, now()), "{text}");
        assert!(query(text).explain(&facts, now()).matched, "{text}");
    }
    let no = [
        "class:deadlock",
        "title:\"map writes\\*\"",
        "title:writes*",
        "frame:mai",
        "frame:put",
        "frame:ut",
        "service:aut",
        "label.env:Production",
        "label.zone:*",
        "version:>=v1.4",
        "version:1.40",
        "version:\"1.4\"",
        "go:>1.24",
        "go:<1.24",
        "go:1.2",
        "revision:2a9c",
        "build:goid",
        "goroutines:<1502",
        "maps:<10",
        "-maps:0 maps:>=0",
        "goroutines.status:\"chan receive\">1200",
        "goroutines.status:select",
        "goroutines.status:select>0",
        "since:1h",
        "until:2026-05-04",
        "seen:>2026-05-05",
        "received:>2020-01-01",
        "owner:ada",
        "f3c77",
        "writes nothing",
    ];
    for text in no {
        assert!(!query(text).matches(&facts, now()), "{text}");
    }
    assert!(query("").matches(&Facts::new(), now()));
    assert!(!query("goroutines.status:running<1").matches(&Facts::new(), now()), "unknown is not none");
}

#[test]
fn the_text_of_a_predicate_is_complete_words_of_the_stack() {
    let facts = crash();
    for text in [
        "\"main.main\"",
        "\"(*Cache).Put\"",
        "\"handler.func1\"",
        "\"concurrent map writes\"",
        "\"concurrent-map-write\"",
        "\".func1\"",
    ] {
        assert!(predicate(text).matches(&facts), "{text}");
    }
    for text in
        ["\"main.mai\"", "\"ain.main\"", "\"Main.main\"", "\"unc1\"", "\"auth\"", "\"concurrent map write\""]
    {
        assert!(!predicate(text).matches(&facts), "{text}");
    }
    let rule = predicate("\"main.main\" && !version:<v1.4.0-rc.1 && (class:deadlock || label.env:prod)");
    assert!(rule.matches(&facts));
    assert!(!rule.matches(&Facts::new()));
}

#[test]
fn an_explanation_names_the_facts_of_each_term() {
    let text = "\"main.main\" || !(class:deadlock && frame:Put)";
    let explained = predicate(text).explain(&crash());
    assert!(explained.matched);
    let terms: Vec<_> = explained
        .terms
        .iter()
        .map(|term| (&text[term.span.start..term.span.end()], term.matched, term.by.as_slice()))
        .collect();
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        terms,
        [
            ("\"main.main\"", true, [fact("frame", "main.main")].as_slice()),
            ("class:deadlock", false, [].as_slice()),
            ("frame:Put", true, [fact("frame", "example.com/shop/cache.(*Cache).Put")].as_slice()),
        ]
    );
    let counted = query("goroutines.status:chan*>2000").explain(&crash(), now());
    assert_eq!((counted.matched, counted.terms[0].by.len()), (false, 0));
}
