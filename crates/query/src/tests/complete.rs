use crate::complete::{Wanted, fields_like, place, spelled, spelled_key};

/// What is wanted, what was typed of it, and what would be replaced. `|` is the place.
fn at(text: &str) -> (String, String, String) {
    let at = text.find('|').expect("a place");
    let text = text.replace('|', "");
    let place = place(&text, at);
    let wanted = match place.wanted {
        Wanted::Field => "field".to_owned(),
        Wanted::Value { fact, .. } => fact,
        Wanted::Key(field) => format!("{}.", field.name),
        Wanted::Nothing => "-".to_owned(),
    };
    (wanted, place.prefix, text[place.span.start..place.span.end()].to_owned())
}

#[test]
fn what_is_being_typed_is_known() {
    for (text, wanted, prefix, replaced) in [
        ("|", "field", "", ""),
        ("cl|", "field", "cl", "cl"),
        ("cl|ass x", "field", "cl", "class"),
        ("a (cl|", "field", "cl", "cl"),
        ("a -cl|", "field", "cl", "cl"),
        ("a OR !(x cl|)", "field", "cl", "cl"),
        ("service:|", "service", "", ""),
        ("a service:au|th b", "service", "au", "auth"),
        ("hostname:no|", "host", "no", "no"),
        ("service:\"a b|", "service", "a b", "\"a b"),
        ("service:\"a b\"|", "-", "", ""),
        ("go:>=1.2|", "go", "1.2", "1.2"),
        ("label.|", "label.", "", ""),
        ("label.e|", "label.", "e", "e"),
        ("label.env:p|", "label.env", "p", "p"),
        ("label.\"app id\":|", "label.app id", "", ""),
        ("frame:main.(*C|", "frame", "main.(*C", "main.(*C"),
        ("goroutines.status:\"chan |", "goroutines.status", "chan ", "\"chan "),
        ("goroutines.status:running>1|", "-", "", ""),
        ("goroutines:>|", "-", "", ""),
        ("since:2|", "-", "", ""),
        ("http://|", "-", "", ""),
        ("\"a b|", "-", "", "\"a b"),
    ] {
        let expected = (wanted.to_owned(), prefix.to_owned(), replaced.to_owned());
        assert_eq!(at(text), expected, "{text}");
    }
    assert_eq!(place("ü", 1).span.start, 0);
    assert_eq!(place("a", 100).prefix, "a");
}

#[test]
fn what_is_offered_is_spelled_as_it_has_to_be() {
    assert_eq!(
        fields_like("go").iter().map(|field| field.name).collect::<Vec<_>>(),
        ["go", "goroutines", "goroutines.status", "goroutines.function"]
    );
    assert_eq!(fields_like("hostn")[0].name, "host");
    assert_eq!(spelled("chan receive"), "\"chan receive\"");
    let label = fields_like("label")[0];
    assert_eq!(
        (spelled_key(label, "env"), spelled_key(label, "app id")),
        ("env".to_owned(), "\"app id\"".to_owned())
    );
}
